"""How many alertgroups a saved view means: counted sparingly, kept for a while, and never waited for long.

A count is a search like any other, so many readers with many views could keep a store busy with nothing but numbers.
Therefore one reader counts at a time, each count and each round has its limit, and what took long is kept long.
"""

import threading
import time
from collections.abc import Iterable
from typing import NamedTuple
from weakref import WeakKeyDictionary

from tocsin.errors import BadQuery, Malformed, TooSlow
from tocsin.query import parse, standing
from tocsin.store import Store, search
from tocsin.web.notes import now_micros

MOST_COUNTED = 1000
EACH_S = 0.5
ROUND_S = 2.0
WAIT_S = 0.2
FRESH_S = 2.0
PATIENCE = 20
"""A count that took long is kept this many times as long."""
SLOW_S = 60.0
"""What was given up is tried again no sooner."""
MOST_KEPT = 2000


class Count(NamedTuple):
    """As a page shows it, and what is said of it in words."""

    text: str
    words: str = ""


UNREADABLE = Count("?", "this query cannot be read any more: change it")
SLOW = Count("…", "takes too long to count: narrow it by a time, as in received>now-7d")


class _Kept(NamedTuple):
    shown: Count
    until: float


class Round(NamedTuple):
    """What can be told now, perhaps from before, and whether all of it was counted just now."""

    counts: dict[str, Count]
    whole: bool


class Counts:
    """The counts of one store, by query."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._counting = threading.Lock()

    def known(self, query: str) -> Count | None:
        """What was counted last, however long ago."""
        kept = self._kept.get(query)
        return kept.shown if kept else None

    def counted(self, store: Store, queries: Iterable[str]) -> Round:
        """Count what has to be, no longer than a round; who finds another one counting is soon told what is known."""
        wanted = tuple(dict.fromkeys(queries))
        if not all(map(self._fresh, wanted)) and self._counting.acquire(timeout=WAIT_S):
            try:
                self._round(store, wanted)
            finally:
                self._counting.release()
        told = {query: count for query in wanted if (count := self.known(query))}
        return Round(told, all(map(self._fresh, wanted)))

    def _round(self, store: Store, wanted: Iterable[str]) -> None:
        ends = time.monotonic() + ROUND_S
        for query in wanted:
            left = ends - time.monotonic()
            if left <= 0:
                return
            if not self._fresh(query):
                self._count(store, query, min(EACH_S, left))

    def _fresh(self, query: str) -> bool:
        kept = self._kept.get(query)
        return kept is not None and time.monotonic() < kept.until

    def _count(self, store: Store, query: str, within_s: float) -> None:
        began = time.monotonic()
        try:
            tree, now = standing(parse(query)), now_micros()
            count = _said(store.read(lambda tx: search.count_up_to(tx, tree, MOST_COUNTED, now, within_s)))
        except TooSlow:
            count = SLOW
        except (BadQuery, Malformed):
            count = UNREADABLE
        ended = time.monotonic()
        for_s = SLOW_S if count in (SLOW, UNREADABLE) else max(FRESH_S, PATIENCE * (ended - began))
        self._kept.pop(query, None)
        self._kept[query] = _Kept(count, ended + for_s)
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]


_of_stores: WeakKeyDictionary[Store, Counts] = WeakKeyDictionary()
_lock = threading.Lock()


def counts_of(store: Store) -> Counts:
    """The counts kept for a store."""
    with _lock:
        return _of_stores.setdefault(store, Counts())


def _said(n: int) -> Count:
    return Count(f"{n:,}+" if n >= MOST_COUNTED else f"{n:,}")
