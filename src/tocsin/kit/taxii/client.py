"""A collection of a TAXII 2.1 server."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar
from urllib.parse import quote

import msgspec

from tocsin.kit.http import Answer
from tocsin.kit.taxii.finding import Finding
from tocsin.kit.taxii.line import MALFORMED, Line, Refused, Unclear, resource
from tocsin.kit.taxii.options import TaxiiOptions
from tocsin.kit.taxii.resources import Entry, Envelope, Manifest, Page, Place, StatusResource, To
from tocsin.kit.taxii.times import instant, just_before, version

LIMIT = 1000
"""Objects in a page; always asked for, since there are servers that page badly without."""
LARGEST_LIMIT = 64 * LIMIT
IDS = 25
"""In one question; an id has up to about 80 characters, and an URL should stay below 8,000."""
EXPIRED = frozenset((400, 404, 410, 416, 422, 500))
"""What servers say of a `next` that is too old."""
GONE = (404, 410)
_ENVELOPE = msgspec.json.Decoder(Envelope)

Said = TypeVar("Said")


class Taxii:
    """One collection, found when it is first needed and looked for again when it is gone."""

    def __init__(self, options: TaxiiOptions) -> None:
        self._options = options
        self._found: dict[To, Place] = {}

    def place(self, to: To, *, afresh: bool = False) -> Place:
        """The collection, found by id, alias or title over all API roots, that may be read or written.

        It is looked for once, and again if that is asked for.

        Raises:
            Rejected: there is none, or it may not be, or it does not hold STIX 2.1; says what there is instead.
            Unavailable: the server cannot be asked.
        """
        if afresh or to not in self._found:
            self._found[to] = Finding(self._line, self._options.discovery_url).place(self._options.collection, to)
        return self._found[to]

    def objects(
        self, added_after: str = "", next_page: str = "", limit: int = LIMIT, match: Mapping[str, str] | None = None
    ) -> Page:
        """One page (section 5.4): what was added after that time, or the one that the page before named as `next`.

        Args:
            added_after: RFC 3339 with its zone, or empty for all; the same on every page.
            next_page: what the page before said.
            limit: how many objects at most, the same on every page; the server may give fewer.
            match: filters, such as {"type": "indicator"}.

        Raises:
            Refused, Unavailable: as the server says; Refused also for a `next_page` that is too old.
        """
        query = {f"match[{name}]": value for name, value in (match or {}).items()}
        if added_after:
            query["added_after"] = instant(added_after)
        query["limit"] = str(limit)
        if next_page:
            query["next"] = next_page
        what = "the page of objects"
        answer = self._at("read", lambda place: self._line.get(what, f"{place.url}objects/", query))
        if not answer.whole:
            raise Unclear(f"{what} broke off, or is too long: take fewer at once")
        try:
            found = _ENVELOPE.decode(answer.body or b"{}")
        except MALFORMED:
            raise Unclear(f"{what} is no envelope of TAXII 2.1") from None
        first, last = (_said(answer, f"X-TAXII-Date-Added-{end}") for end in ("First", "Last"))
        token = "" if found.next is None else str(found.next)
        return Page(tuple(map(bytes, found.objects)), bool(found.more), token, first, last)

    def pages(
        self, added_after: str = "", limit: int = LIMIT, match: Mapping[str, str] | None = None
    ) -> Iterator[Page]:
        """All pages from there on, by `next`; where that is missing or too old, on from the last one's time.

        None is left out; an object may come twice.

        Raises:
            Refused, Unavailable: as `objects`; Unclear where the server says that there is more but not how to get it.
        """
        after, token, last = added_after, "", ""
        while True:
            try:
                page = self.objects(after, token, limit, match)
            except Refused as refused:
                if not token or refused.status not in EXPIRED or not last:
                    raise
                page = Page((), more=True, last=last)
            else:
                yield page
            if not page.more:
                return
            last = page.last or last
            if page.next and (page.objects or page.next != token):
                token = page.next
                continue
            # The page may end in the midst of what was added at one time: that time has to be asked for again.
            before, token = just_before(last) if last else "", ""
            if not before or (after and before <= instant(after)):
                limit *= 2
                if not last or limit > LARGEST_LIMIT:
                    raise Unclear("the server says that there is more than it gives, but not how to get it")
                continue
            after = before

    def post(self, objects: Sequence[bytes]) -> StatusResource:
        """Add objects, each as JSON, in one envelope (section 5.5).

        Raises:
            Refused: 400, 413, 422 and others: something in it, or its size, was not liked.
            Unavailable: nothing is known of it, or the server asks to wait.
            Unclear: it was taken, and nothing said about what became of it.
        """
        body = envelope(objects)
        answer = self._at("write", lambda place: self._line.post("the collection", f"{place.url}objects/", body))
        return resource(answer, StatusResource, "the status of what was added")

    def status(self, id: str) -> StatusResource | None:
        """What became of objects that were added; None when the server does not know it (any more)."""
        url = f"{self.place('write').root}status/{quote(id, safe='')}/"
        try:
            return self._line.read("the status", url, StatusResource)
        except Refused as refused:
            if refused.status in GONE:
                return None
            raise

    def known(self, ids: Iterable[str]) -> dict[str, set[str]] | None:
        """Which of these objects the collection holds, in which versions; None where we may not read it.

        Raises Refused, Unavailable.
        """
        place = self.place("write")
        if not place.collection.can_read:
            return None
        wanted = list(dict.fromkeys(ids))
        found: dict[str, set[str]] = {}
        for start in range(0, len(wanted), IDS):
            for record in self._manifest(place, wanted[start : start + IDS]):
                found.setdefault(record.id, set()).add(version(record.version))
        return found

    def _manifest(self, place: Place, ids: Sequence[str]) -> list[Entry]:
        """The records of some objects (section 5.3)."""
        query = {"match[id]": ",".join(ids), "match[version]": "all", "limit": str(LIMIT)}
        records: list[Entry] = []
        while True:
            answer = self._line.get("the manifest", f"{place.url}manifest/", query)
            told = resource(answer, Manifest, "the manifest")
            records += told.objects
            if not told.more or not told.objects:
                return records
            if told.next:
                query["next"] = told.next
            elif len(ids) > 1:  # the specification knows no `next` here
                half = len(ids) // 2
                return self._manifest(place, ids[:half]) + self._manifest(place, ids[half:])
            else:
                return records

    def close(self) -> None:
        """Let go of the connections."""
        if "_line" in self.__dict__:
            self._line.close()

    def _at(self, to: To, ask: Callable[[Place], Said]) -> Said:
        """Ask the collection; where it is gone, look once whether it moved."""
        place = self.place(to)
        try:
            return ask(place)
        except Refused as refused:
            if refused.status not in GONE:
                raise
            self._found.clear()
            moved = self.place(to)
            if moved.url == place.url:
                raise
            return ask(moved)

    @cached_property
    def _line(self) -> Line:
        return Line(self._options)


def envelope(objects: Sequence[bytes]) -> bytes:
    """An envelope (section 3.7) around objects that are JSON already."""
    return b'{"objects":[' + b",".join(objects) + b"]}"


def _said(answer: Answer, header: str) -> str:
    try:
        return instant(answer.headers.get(header, ""))
    except ValueError:
        return ""
