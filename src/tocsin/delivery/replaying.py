"""Replays at work: a thread that makes stored alertgroups due, no faster than was asked and than their lane takes them.

The lanes send what is due, through the gate as ever. Silences are not asked: it was a person who wanted it sent.
"""

import re
import threading
from collections import Counter
from collections.abc import Callable, Collection
from typing import NamedTuple

import structlog

from tocsin.delivery.lanes import now
from tocsin.delivery.patience import NEVER, SECOND
from tocsin.errors import BadQuery, Malformed, StoreUnavailable, TooSlow
from tocsin.kit.problems import nearest
from tocsin.model import Alertgroup, Micros
from tocsin.query import Tree, dates, parse, standing
from tocsin.query.tree import Range, Ref, both
from tocsin.query.values import Date
from tocsin.sharing import Gate, Withheld
from tocsin.store import Change, Store, Tx, alertgroup, replay, search, sending
from tocsin.store.replay import Fate, Replay, Wish

log = structlog.get_logger()

RATE = "50/s"
PAGE = 200
"""Alertgroups looked at in one step."""
STEP: Micros = SECOND // 5
"""Those of one rate are owed that often, several at once."""
LOOK_S, LONG_LOOK_S = 1.0, 30.0
"""Where nobody woke: where another node may have begun a replay, and where none can."""
STORE_AWAY_S = 1.0
MOST_TRIED = 100_000
"""Of a dry run, which counts no further."""
SAMPLES = 3
_RATE = re.compile(r"\s*(\d{1,6})\s*(?:/\s*(s|min|h))?\s*", re.ASCII)
_SPANS = {"s": SECOND, "min": 60 * SECOND, "h": 3600 * SECOND}


class Sample(NamedTuple):
    """An alertgroup that a replay would mean, and what would become of it."""

    id: int
    received: Micros
    subject: str
    fate: str


class Tried(NamedTuple):
    """What a replay would do: of `matched`, so many are sent, withheld by the gate as it stands now, or left out.

    `more`: it was counted no further. `waiting`: some wait to be indexed, and may be meant too.
    """

    matched: int
    sent: int
    withheld: int
    delivered: int
    under_way: int
    more: bool
    waiting: bool
    samples: tuple[Sample, ...]


def wanted(lanes: Collection[str], wish: Wish) -> Wish:
    """The wish, if it can be kept, its rate spelled in one way. Raises Malformed, BadQuery."""
    if wish.lane not in lanes:
        offer = nearest(wish.lane[:60], lanes) if lanes else "no destination is configured"
        raise Malformed(f"to: there is no destination {wish.lane[:60]!r}: {offer}")
    if wish.starts is not None and wish.ends is not None and wish.ends <= wish.starts:
        raise Malformed("until: it is not later than from, so that nothing lies between them: write a later time")
    found = _RATE.fullmatch(wish.rate or RATE)
    if found is None:
        raise Malformed(f"rate: {wish.rate[:40]!r} is no rate: write 50/s, 100/min, 1000/h, or 0 for no bound")
    count, unit = int(found[1]), found[2] or "s"
    every = max(1, _SPANS[unit] // count) if count else 0
    kept = Wish(
        lane=wish.lane, query=wish.query.strip(), starts=wish.starts, ends=wish.ends, again=wish.again,
        folded=wish.folded, rate=f"{count}/{unit}" if count else "0", every=every,
    )  # fmt: skip
    tree_of(kept)
    return kept


def moment(field: str, text: str, now: Micros) -> Micros | None:
    """A time as in a query: `now-7d`, `2026-05-04`, `2026-05-04T12:00Z`; None for nothing. Raises Malformed."""
    if not text.strip():
        return None
    known = dates.canonical(text)
    if known is None:
        raise Malformed(f"{field}: {text[:40]!r} is no time: write now-7d, 2026-05-04 or 2026-05-04T12:00 (UTC)")
    return dates.bounds(known, now)[0]


def tree_of(wish: Wish) -> Tree:
    """What the wish means, as a query. Raises BadQuery."""
    asked = parse(wish.query)
    bounds = Range(
        ref=Ref("received"),
        low=None if wish.starts is None else Date(text=dates.of_time(wish.starts)),
        high=None if wish.ends is None else Date(text=dates.of_time(wish.ends)),
        high_in=False,
    )
    timed = wish.starts is not None or wish.ends is not None
    return both([standing(asked, folded=wish.folded), *([bounds] if timed else [])])


def begin(store: Store, wish: Wish, who: str, at: Micros) -> int:
    """Begin a replay of what is stored now; its id. Raises what `search.ids` raises."""
    tree = tree_of(wish)

    def last(tx: Tx) -> int:
        search.ids(tx, tree, at, limit=1)  # a query that cannot be answered is told now
        return alertgroup.max_id(tx)

    upto = store.read(last)
    return store.write(lambda tx: replay.put(tx, wish, upto, who, at))


def rehearse(tx: Tx, wish: Wish, gate: Gate, at: Micros, most: int = MOST_TRIED) -> Tried:
    """What a replay would do; makes nothing. Raises what `search.ids` raises."""
    tree, last, more = tree_of(wish), 0, True
    counts = Counter[str]()
    samples: list[Sample] = []
    while more and counts.total() < most:
        ids = search.ids(tx, tree, at, after=last, limit=PAGE)
        more, last = len(ids) == PAGE, ids[-1] if ids else last
        found = replay.fates(tx, wish.lane, ids, again=wish.again)
        known = alertgroup.some(tx, list(found))
        for id, (fate, _) in found.items():
            kind, said = _told(gate, wish.lane, known[id], fate)
            counts[kind] += 1
            if len(samples) < SAMPLES and fate in ("new", "again"):
                samples.append(Sample(id, known[id].received, known[id].subject, said))
    return Tried(
        matched=counts.total(),
        sent=counts["sent"],
        withheld=counts["withheld"],
        delivered=counts["delivered"],
        under_way=counts["under way"],
        more=more,
        waiting=replay.waiting(tx, 0) is not None,
        samples=tuple(samples),
    )


def _told(gate: Gate, lane: str, known: alertgroup.Summary, fate: Fate) -> tuple[str, str]:
    """What to count it as, and how to say it."""
    if fate == "delivered" or fate == "under way":
        return fate, fate
    said = gate.passed(lane, Alertgroup(subject="", alerts=(), tlp=known.tlp, sources=tuple(known.sources)))
    if isinstance(said, Withheld):
        return "withheld", f"withheld: {said.reason}"
    return "sent", "sent" if fate == "new" else "sent again"


class Replayer:
    """Works on all replays that run, a step at a time. All but `turn` may be called from any thread."""

    def __init__(
        self, store: Store, lanes: Collection[str], *, shared: bool = False, clock: Callable[[], Micros] = now
    ) -> None:
        """`lanes` are those that have a destination; `shared`: another node may begin a replay on the same store."""
        self._store, self._lanes, self._clock = store, lanes, clock
        self._look_s = LOOK_S if shared else LONG_LOOK_S
        self._bell, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="tocsin-replayer", daemon=True)
        self.waits: dict[int, str] = {}
        """What the running ones wait for, by their ids; those that go on are not in it."""

    def start(self) -> None:
        """Go on with what was running when the last process ended."""
        self._store.on_commit(self._heard)
        self._thread.start()

    def wake(self) -> None:
        """There is another replay, or one was resumed."""
        self._bell.set()

    def stop(self) -> None:
        """End after the step under way."""
        self._ended.set()
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join()

    def turn(self) -> Micros:
        """One step of each that runs. Returns when to come again. Raises StoreUnavailable."""
        at = self._clock()
        running = self._store.read(replay.running)
        for gone in self.waits.keys() - {known.id for known in running}:
            self.waits.pop(gone, None)
        return min((self._step(known, at) for known in running), default=NEVER)

    def _step(self, known: Replay, at: Micros) -> Micros:
        if known.next_at > at:
            return known.next_at
        try:
            ids, end, waits = self._store.read(lambda tx: _next(tx, known, self._lanes, at))
        except (TooSlow, Malformed, BadQuery) as error:
            note = str(error)
            self._store.write(lambda tx: replay.pause(tx, known.id, note, at))
            return at
        owed = None if waits else self._store.write(lambda tx: replay.advance(tx, known, ids, end, at))
        if waits:
            self.waits[known.id] = waits
            return at + SECOND
        self.waits.pop(known.id, None)
        return at + STEP if owed and known.wish.every else at

    def _heard(self, change: Change) -> None:
        if self.waits and change.kind in ("delivery", "indexed"):
            self._bell.set()

    def _work(self) -> None:
        while not self._ended.is_set():
            self._bell.clear()
            wait = STORE_AWAY_S
            try:
                wait = min((self.turn() - self._clock()) / SECOND, self._look_s)
            except StoreUnavailable as error:
                log.debug("replays wait for the store", reason=str(error))
            except Exception:
                log.exception("a replay stumbled")
            if wait > 0 and not self._ended.is_set():
                self._bell.wait(wait)


def _next(tx: Tx, known: Replay, lanes: Collection[str], at: Micros) -> tuple[list[int], int, str]:
    """What comes next, how far everything is looked at with it, and what there is to wait for first, if anything."""
    lane = known.wish.lane
    if lane not in lanes:
        return [], known.cursor, f"there is no destination {lane} now"
    if replay.room(tx, lane, at) < replay.MOST_DUE // 2:
        paused = sending.next_due(tx, lane) is None
        return [], known.cursor, f"{lane} is paused" if paused else f"{lane} has enough to send"
    first = replay.waiting(tx, known.cursor)
    most = known.upto if first is None else min(known.upto, first - 1)
    if known.cursor < known.upto and most <= known.cursor:
        return [], known.cursor, "the index follows"
    found = search.ids(tx, tree_of(known.wish), known.created, after=known.cursor, limit=PAGE)
    end = min(found[-1], most) if len(found) == PAGE else most
    return [id for id in found if id <= end], end, ""
