"""What is kept how long: originals, alerts, receipts, each by age. Nothing goes unless an age is set.

What is still owed stays, whatever its age: an alertgroup with a delivery that is due, being sent or failed, the
original of its message, and such a delivery itself. So does an alertgroup while repeats of it stay. Rows are deleted in
small transactions of the one writer, with rests between them, so intake is never held up for long.

Evidence does not count in its heap any more when it goes, and a heap goes when nothing is left of it.

A message's own row stays and says when its original was removed. Once none of its alertgroups is left it forgets its
identity too: the same message sent again would be a new one.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tocsin.model import Micros, Noun
from tocsin.store import heap, index, repeat
from tocsin.store.engine import Tx, packed

if TYPE_CHECKING:
    from tocsin.store import Store

DAY: Micros = 86_400_000_000

_LOOK = 1000
"""How many rows one look at the store takes in."""
_WEIGHT = 2000
"""About how many alerts, or as much work as them, one transaction deletes."""

_OWED = "IN ('due', 'sending', 'failed')"
_FIRST = "EXISTS (SELECT 1 FROM alertgroup m WHERE m.folded_into = g.id)"
_IDS = "(SELECT CAST(value ->> 0 AS BIGINT) FROM {each:ids})"


class Ages(Protocol):
    """Days after which each kind goes; 0 keeps it for ever."""

    @property
    def originals_days(self) -> float:
        """For the original bytes of messages, counted from when they were received."""

    @property
    def alerts_days(self) -> float:
        """For alertgroups with all that hangs on them, counted from when they were received."""

    @property
    def receipts_days(self) -> float:
        """For settled deliveries and their receipts, counted from when they were settled."""


class Swept(Noun, frozen=True, kw_only=True):
    """What one sweep took away. `originals` counts messages; equal bytes are stored once for many of them."""

    originals: int = 0
    alertgroups: int = 0
    alerts: int = 0
    deliveries: int = 0
    receipts: int = 0


Rest = Callable[[float], bool | None]
"""Wait that many seconds; a true answer ends the sweep (an Event's `wait` is one)."""


class _Look(NamedTuple):
    """Old things found: (id, weight) each; where to look next; whether nothing old can stand behind that place."""

    found: list[tuple[int, int]]
    after: tuple[int, int]
    last: bool


def sweep(store: "Store", ages: Ages, now: Micros, rest: Rest = time.sleep) -> Swept:
    """Delete what is older than its kind is kept. Ended early or by an error, the next sweep goes on from there.

    Raises StoreUnavailable.
    """
    counts: Counter[str] = Counter()
    for took in _steps(store, ages, now, counts):
        # As long a rest as the step took, within bounds: deleting never has more than half of the writer's time.
        if rest(min(1.0, max(0.005, took))):
            break
    return Swept(**counts)


def _steps(store: "Store", ages: Ages, now: Micros, counts: Counter[str]) -> Iterator[float]:
    """Delete and count, one transaction a step; yields the seconds each took."""
    for days, look, delete in (
        (ages.originals_days, _old_originals, partial(_delete_originals, now=now)),
        (ages.alerts_days, _old_groups, _delete_groups),
        (ages.receipts_days, _old_deliveries, _delete_deliveries),
    ):
        if days <= 0:
            continue
        seen = _Look([], (-1, -1), last=False)
        while not seen.last:
            seen = store.read(partial(look, cutoff=now - round(days * DAY), after=seen.after))
            for numbers in _portions(seen.found):
                began = time.monotonic()
                counts.update(store.write(partial(delete, ids=packed((number,) for number in numbers))))
                yield time.monotonic() - began
    if ages.alerts_days > 0:
        store.write(lambda tx: heap.drop_empty(tx, now - round(ages.alerts_days * DAY)))


def _portions(found: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    portion: list[int] = []
    weight = 0
    for number, heavy in found:
        portion.append(number)
        weight += heavy
        if weight >= _WEIGHT:
            yield portion
            portion, weight = [], 0
    if portion:
        yield portion


def _old_originals(tx: Tx, cutoff: Micros, after: tuple[int, int]) -> _Look:
    """Messages that still claim their original and owe nothing to anybody, in order of arrival."""
    rows = tx.rows(
        f"""SELECT m.id, m.received, m.size, EXISTS (
                SELECT 1 FROM alertgroup g JOIN delivery d ON d.alertgroup = g.id
                WHERE g.message = m.id AND d.state {_OWED})
            FROM message m
            WHERE m.removed IS NULL AND m.received < :cutoff AND (m.received, m.id) > (:received, :id)
            ORDER BY m.received, m.id LIMIT {_LOOK}""",
        cutoff=cutoff, received=after[0], id=after[1],
    )  # fmt: skip
    found = [(number, 5 + size // 5000) for number, _, size, owed in rows if not owed]
    return _Look(found, (rows[-1][1], rows[-1][0]) if rows else after, last=len(rows) < _LOOK)


def _old_groups(tx: Tx, cutoff: Micros, after: tuple[int, int]) -> _Look:
    """Alertgroups that owe nothing. Ids grow as time does, give or take a little: a thousand young ones end it."""
    rows = tx.rows(
        f"""SELECT g.id, g.received, g.alert_count, EXISTS (
                SELECT 1 FROM delivery d WHERE d.alertgroup = g.id AND d.state {_OWED}) OR {_FIRST}
            FROM alertgroup g WHERE g.id > :id ORDER BY g.id LIMIT {_LOOK}""",
        id=after[0],
    )
    found = [(number, 5 + alerts) for number, received, alerts, owed in rows if received < cutoff and not owed]
    return _Look(found, (rows[-1][0], 0) if rows else after, last=all(row[1] >= cutoff for row in rows))


def _old_deliveries(tx: Tx, cutoff: Micros, after: tuple[int, int]) -> _Look:
    """Settled deliveries; the same goes for their ids."""
    rows = tx.rows(
        f"""SELECT id, created, CASE WHEN state {_OWED} THEN NULL ELSE settled END
            FROM delivery WHERE id > :id ORDER BY id LIMIT {_LOOK}""",
        id=after[0],
    )
    found = [(number, 2) for number, _, settled in rows if settled is not None and settled < cutoff]
    return _Look(found, (rows[-1][0], 0) if rows else after, last=all(row[1] >= cutoff for row in rows))


def _delete_originals(tx: Tx, ids: str, now: Micros) -> dict[str, int]:
    hashes = tx.rows(
        f"UPDATE message SET removed = :now WHERE removed IS NULL AND id IN {_IDS} RETURNING hash", ids=ids, now=now
    )
    # Equal bytes are stored once: they go when no younger message claims them.
    tx.run(
        """DELETE FROM original WHERE hash IN (SELECT value ->> 0 FROM {each:hashes})
           AND NOT EXISTS (SELECT 1 FROM message m WHERE m.hash = original.hash AND m.removed IS NULL)""",
        hashes=packed(set(hashes)),
    )
    return {"originals": len(hashes)}


def _delete_groups(tx: Tx, ids: str) -> dict[str, int]:
    if tx.row(
        f"SELECT 1 FROM fold WHERE first IN {_IDS} UNION ALL SELECT 1 FROM pile WHERE alertgroup IN {_IDS} LIMIT 1",
        ids=ids,
    ):
        repeat.hold(tx)
    rows = tx.rows(
        f"""SELECT g.id, g.message, g.status,
                g.deleted IS NULL AND g.folded_into IS NULL AND g.gathered IS NULL FROM alertgroup g
            WHERE g.id IN {_IDS} AND NOT {_FIRST}
            AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.alertgroup = g.id AND d.state {_OWED})""",
        ids=ids,
    )
    free = packed((row[0],) for row in rows)
    index.remove(tx, [row[0] for row in rows])
    repeat.drop(tx, [row[0] for row in rows])
    heap.drop(tx, [row[0] for row in rows])
    receipts = tx.run(
        f"DELETE FROM receipt WHERE delivery IN (SELECT id FROM delivery WHERE alertgroup IN {_IDS})", ids=free
    )
    alerts = tx.run(f"DELETE FROM alert WHERE alertgroup IN {_IDS}", ids=free)
    deliveries = tx.run(f"DELETE FROM delivery WHERE alertgroup IN {_IDS}", ids=free)
    for table in ("label", "history", "viewer", "reading", "alertgroup_text", "held", "decision"):
        tx.run(f"DELETE FROM {table} WHERE alertgroup IN {_IDS}", ids=free)
    groups = tx.run(f"DELETE FROM alertgroup WHERE id IN {_IDS}", ids=free)
    for status, n in Counter(row[2] for row in rows if row[3]).items():
        tx.run("UPDATE total SET n = n - :n WHERE status = :status", n=n, status=status)
    tx.run(
        f"""UPDATE message SET thread = NULL
            WHERE id IN {_IDS} AND NOT EXISTS (SELECT 1 FROM alertgroup g WHERE g.message = message.id)""",
        ids=packed({(row[1],) for row in rows}),
    )
    return {"alertgroups": groups, "alerts": alerts, "deliveries": deliveries, "receipts": receipts}


def _delete_deliveries(tx: Tx, ids: str) -> dict[str, int]:
    free = packed(tx.rows(f"SELECT id FROM delivery WHERE id IN {_IDS} AND NOT state {_OWED}", ids=ids))
    receipts = tx.run(f"DELETE FROM receipt WHERE delivery IN {_IDS}", ids=free)
    return {"deliveries": tx.run(f"DELETE FROM delivery WHERE id IN {_IDS}", ids=free), "receipts": receipts}
