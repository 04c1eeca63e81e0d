"""What the head of every page says: today's balance, and what stands in quarantine or is stuck."""

import threading
import time
from typing import NamedTuple
from weakref import WeakKeyDictionary

from tocsin.store import Store, delivery, message, tally
from tocsin.store.engine import Tx
from tocsin.store.tally import Tally
from tocsin.web.notes import now_micros

FRESH_S = 1.0
"""Every page and every reader asks for these numbers; within a second they get the same ones."""
PATIENCE = 20
"""Numbers that took long to count are kept this many times as long, so that counting never becomes the work."""


class Head(NamedTuple):
    """`balance` is today's, all sources together; `troubled` how many lanes hold something that failed."""

    balance: Tally
    quarantined: int
    troubled: int


class _Kept:
    """The numbers of one store. One reader counts anew; whoever comes meanwhile gets what was counted before."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.until = 0.0
        self.counting = threading.Lock()


_of_stores: WeakKeyDictionary[Store, _Kept] = WeakKeyDictionary()
_lock = threading.Lock()


def head_of(store: Store) -> Head:
    """The numbers of this second. Raises StoreUnavailable."""
    with _lock:
        kept = _of_stores.setdefault(store, _Kept())
    if kept.head is not None and (time.monotonic() < kept.until or kept.counting.locked()):
        return kept.head
    with kept.counting:
        if kept.head is None or time.monotonic() >= kept.until:
            began = time.monotonic()
            kept.head = store.read(_read)
            ended = time.monotonic()
            kept.until = ended + max(FRESH_S, PATIENCE * (ended - began))
        return kept.head


def forget(store: Store) -> None:
    """Something was just changed: the next page counts anew."""
    with _lock:
        if kept := _of_stores.get(store):
            kept.until = 0.0


def together(rows: list[Tally]) -> Tally:
    """The tallies of several sources as one."""
    return Tally(
        day=min((row.day for row in rows), default=0),
        source="",
        stored=sum(row.stored for row in rows),
        quarantined=sum(row.quarantined for row in rows),
        refused=sum(row.refused for row in rows),
        repeated=sum(row.repeated for row in rows),
    )


def _read(tx: Tx) -> Head:
    lanes = delivery.lanes(tx)
    return Head(
        balance=together(tally.today(tx, now_micros())),
        quarantined=message.quarantine_depth(tx),
        troubled=sum(1 for lane in lanes if lane.failed or failing(lane)),
    )


def failing(lane: delivery.LaneState) -> bool:
    """Whether the last that was heard of a lane is an error, and something waits for it."""
    if lane.last_error_at is None or not (lane.due or lane.sending):
        return False
    return lane.last_success is None or lane.last_error_at > lane.last_success
