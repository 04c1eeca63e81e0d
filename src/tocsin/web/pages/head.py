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


class Head(NamedTuple):
    """`balance` is today's, all sources together; `troubled` how many lanes hold something that failed."""

    balance: Tally
    quarantined: int
    troubled: int


_kept: WeakKeyDictionary[Store, tuple[float, Head]] = WeakKeyDictionary()
_lock = threading.Lock()


def head_of(store: Store) -> Head:
    """The numbers of this second. Raises StoreUnavailable."""
    with _lock:
        at, head = _kept.get(store, (0.0, None))
    if head is None or time.monotonic() - at > FRESH_S:
        head = store.read(_read)
        with _lock:
            _kept[store] = time.monotonic(), head
    return head


def forget(store: Store) -> None:
    """Something was just changed: the next page reads anew."""
    with _lock:
        _kept.pop(store, None)


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
