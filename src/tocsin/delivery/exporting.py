"""Stored alertgroups out of Tocsin at once, in a format of the world: any selection, portion by portion.

Only a portion is held in memory, however many are asked for. With a destination's name what is exported passes that
destination's gate as its deliveries do; without one it is whole.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple, get_args

import msgspec
from lxml import etree

from tocsin import detection
from tocsin.delivery.ready import Ready
from tocsin.delivery.replaying import moment, tree_of
from tocsin.entities import Known, by_alert
from tocsin.errors import Malformed, Skipped
from tocsin.formats import group_json, idea, spreadsheet, stix1
from tocsin.formats.stix.feed import Feed
from tocsin.formats.stix.objects import ENCODER
from tocsin.formats.stix1 import names as stix1_names
from tocsin.kit.bundle_file import BETWEEN, HEAD, TAIL
from tocsin.kit.problems import nearest
from tocsin.kit.stix_options import StixOptions
from tocsin.model import Alertgroup, Delivery, Entity, Micros, Noun
from tocsin.plugin import Destination
from tocsin.query import Tree
from tocsin.sharing import Gate, Withheld
from tocsin.store import Store, Tx, alertgroup, replay, search
from tocsin.store.replay import Wish

Format = Literal["stix", "stix1", "idea", "csv", "jsonl"]
FORMATS: tuple[Format, ...] = get_args(Format)
WISHES = ("format", "query", "from", "until", "for", "folded")
MEDIA: Mapping[Format, str] = {
    "stix": "application/stix+json;version=2.1",
    "stix1": "application/xml",
    "idea": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
}
_NUMBERS = msgspec.json.Encoder()
PAGE = 500
PORTION = 25


class Selection(NamedTuple):
    """What is asked for: what the query means, received from `starts` to before `ends`, as it may go to `lane`."""

    format: Format
    query: str = ""
    starts: Micros | None = None
    ends: Micros | None = None
    lane: str = ""
    folded: bool = False


def selection(said: Mapping[str, str], now: Micros) -> Selection:
    """What is asked for by the words of `WISHES`. Raises Malformed."""
    format, folded = said.get("format", ""), said.get("folded", "0")
    if format not in FORMATS:
        raise Malformed(f"format must be one of {', '.join(FORMATS)}.")
    if folded not in ("0", "1"):
        raise Malformed("folded must be 0 or 1.")
    return Selection(
        format=format,
        query=said.get("query", ""),
        starts=moment("from", said.get("from", ""), now),
        ends=moment("until", said.get("until", ""), now),
        lane=said.get("for", ""),
        folded=folded == "1",
    )


class Portion(Noun, frozen=True, kw_only=True):
    """A part of the document, and how far it goes.

    All alertgroups up to the id `at` of `upto` have been looked at. Of those that are meant, so many were `written`,
    `withheld` by the gate, `empty` (the format has nothing to say of them), or `unreadable`. `behind`: some wait to be
    indexed, and may be meant too. The `last` one ends the document.
    """

    text: bytes
    at: int
    upto: int
    written: int = 0
    withheld: int = 0
    empty: int = 0
    unreadable: int = 0
    behind: bool = False
    last: bool = False


_PORTION = msgspec.json.Decoder(Portion)


class _Form(NamedTuple):
    """A document: what it makes of one alertgroup (raises Skipped, ValueError), and what stands around them.

    `before` the first, `between` two, `behind` the last; where there is none, nothing but `head` and `tail`.
    """

    one: Callable[[Alertgroup], bytes]
    head: bytes = b""
    before: bytes = b""
    between: bytes = b""
    behind: bytes = b""
    tail: bytes = b""


class Exporter:
    """Exports from one store. May be used by several threads at once."""

    def __init__(
        self,
        store: Store,
        gate: Gate,
        names: detection.Names,
        known: Known,
        destinations: Mapping[str, Destination],
    ) -> None:
        self._store, self._gate, self._names, self._known = store, gate, names, known
        self._destinations = destinations

    def portions(self, asked: Selection, now: Micros) -> Iterator[Portion]:
        """The document in its order, the last portion with its end.

        Raises, before the first one:
            BadQuery, TooSlow, StoreUnavailable: as any search.
            Malformed: there is no destination of that name.
        """
        if asked.lane and asked.lane not in self._destinations:
            offer = nearest(asked.lane[:60], self._destinations) if self._destinations else "none is configured"
            raise Malformed(f"for: there is no destination {asked.lane[:60]!r}: {offer}")
        wish = Wish(lane=asked.lane, query=asked.query, starts=asked.starts, ends=asked.ends, folded=asked.folded)
        tree = tree_of(wish)

        def first(tx: Tx) -> tuple[int, bool]:
            search.ids(tx, tree, now, limit=1)  # a query that cannot be answered is told now
            return alertgroup.max_id(tx), replay.waiting(tx, 0) is not None

        upto, behind = self._store.read(first)
        return self._run(asked, tree, now, Portion(text=b"", at=0, upto=upto, behind=behind))

    def _run(self, asked: Selection, tree: Tree, now: Micros, so_far: Portion) -> Iterator[Portion]:
        form = self._form(asked)
        ready = Ready(asked.lane, self._store, self._gate if asked.lane else Gate({}), self._names)
        text, between, last = form.head, form.before, 0
        more = True
        while more:
            ids = self._store.read(partial(search.ids, tree=tree, now=now, after=last, limit=PAGE))
            more, last = len(ids) == PAGE, ids[-1] if ids else last
            ids = [id for id in ids if id <= so_far.upto]
            for at in range(0, len(ids), PORTION):
                some = ids[at : at + PORTION]
                made, counted = self._made(form, ready, some)
                if made:
                    text += between + form.between.join(made)
                    between = form.between
                so_far = _further(so_far, text, some[-1], counted)
                yield so_far
                text = b""
        behind = form.behind if so_far.written else b""
        end = _further(so_far, text + behind + form.tail, so_far.upto, {})
        yield msgspec.structs.replace(end, last=True)

    def _made(self, form: _Form, ready: Ready, ids: Sequence[int]) -> tuple[list[bytes], dict[str, int]]:
        texts: list[bytes] = []
        counted = dict.fromkeys(("written", "withheld", "empty", "unreadable"), 0)
        found = ready.made(ids)
        for id in ids:
            group = found[id]
            if not isinstance(group, Alertgroup):
                counted["withheld" if isinstance(group, Withheld) else "unreadable"] += 1
                continue
            try:
                made = form.one(group)
            except Skipped:
                made = b""
            except ValueError as error:
                ready.warn(f"alertgroup {id} cannot be exported", error)
                counted["unreadable"] += 1
                continue
            counted["written" if made else "empty"] += 1
            texts += [made] if made else []
        return texts, counted

    def _form(self, asked: Selection) -> _Form:
        match asked.format:
            case "jsonl":
                return _Form(lambda group: group_json.document(group) + b"\n")
            case "idea":
                return _Form(idea.lines)
            case "csv":
                return _Form(spreadsheet.lines, head=spreadsheet.heading())
            case "stix1":
                return self._packages()
        return self._bundle(asked)

    def _bundle(self, asked: Selection) -> _Form:
        """As the destination would write it, if it writes STIX; else as one without options would."""
        known: object = self._destinations.get(asked.lane)
        options = known if isinstance(known, StixOptions) else StixOptions()
        hub = self._store.uid
        feed = Feed(options.identity, own=self._known.is_own, entities=self._entities, **options.wording())
        first = [ENCODER.encode(one) for one in feed.introduction(hub)]
        told = set(first)

        def one(group: Alertgroup) -> bytes:
            found = feed.encoded(Delivery(id=0, uid="", alertgroup=group, hub=hub))
            return BETWEEN.join(each for each in found if each not in told)

        head = (HEAD % uuid.uuid4()).encode() + BETWEEN.join(first)
        return _Form(one, head=head, before=BETWEEN if first else b"", between=BETWEEN, tail=TAIL)

    def _packages(self) -> _Form:
        """Packages in a package."""
        hub = self._store.uid
        feed = stix1.Feed(StixOptions().identity, own=self._known.is_own, entities=self._entities)
        space, related = stix1_names.SPACES["stix"], b"<stix:Related_Package>%s</stix:Related_Package>\n"

        def one(group: Alertgroup) -> bytes:
            package = etree.fromstring(feed.package(Delivery(id=0, uid="", alertgroup=group, hub=hub)))
            package.tag = f"{{{space}}}Package"
            return related % etree.tostring(package)

        head = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<stix:STIX_Package xmlns:stix="{space}" '
            f'xmlns:tocsin="{stix1.namespace(hub)}" id="tocsin:Package-{uuid.uuid4()}" version="1.2">\n'
        )
        before, behind = b"<stix:Related_Packages>\n", b"</stix:Related_Packages>\n"
        return _Form(one, head=head.encode(), before=before, behind=behind, tail=b"</stix:STIX_Package>\n")

    def _entities(self, group: Alertgroup) -> Mapping[int, Sequence[Entity]]:
        return by_alert(group, self._known)


def _further(so_far: Portion, text: bytes, at: int, counted: Mapping[str, int]) -> Portion:
    return Portion(
        text=text,
        at=at,
        upto=so_far.upto,
        written=so_far.written + counted.get("written", 0),
        withheld=so_far.withheld + counted.get("withheld", 0),
        empty=so_far.empty + counted.get("empty", 0),
        unreadable=so_far.unreadable + counted.get("unreadable", 0),
        behind=so_far.behind,
    )


def framed(portion: Portion) -> bytes:
    """A portion for a reader who wants to know how far it is: size, the numbers as JSON, a line end, the text."""
    return b"%d %s\n%s" % (len(portion.text), _NUMBERS.encode(msgspec.structs.replace(portion, text=b"")), portion.text)


class Unframed:
    """Portions from the bytes of their frames, as they come."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def take(self, piece: bytes) -> Iterator[Portion]:
        """The portions that are whole with this piece."""
        self._rest += piece
        while (end := self._rest.find(b"\n")) >= 0:
            size, _, numbers = bytes(self._rest[:end]).partition(b" ")
            begin = end + 1
            if len(self._rest) < begin + int(size):
                return
            text = bytes(self._rest[begin : begin + int(size)])
            del self._rest[: begin + int(size)]
            yield msgspec.structs.replace(_PORTION.decode(numbers), text=text)
