"""The work of the lanes: take what is due, hold it under a lease, write down what came of it.

A delivery is `due` until claimed, then `sending` until settled. Every attempt has a number, which counts up and never
comes again; a settle names it, so that one who was taken for dead cannot overwrite the work of another.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from tocsin.model import Kind, Micros, Noun
from tocsin.store.engine import Change, Tx, packed

Outcome = Literal["delivered", "retry", "failed", "withheld", "skipped"]


class Claimed(Noun, frozen=True, kw_only=True):
    """A delivery taken for sending. `since` is when this run of attempts began, `tries` how many it has."""

    id: int
    uid: str
    alertgroup: int
    attempt: int
    created: Micros
    tries: int = 1
    since: Micros = 0
    kind: Kind = "alert"
    size: int = 0
    """Bytes of the message the alertgroup came in: how much is loaded with it, roughly."""


class Settled(Noun, frozen=True, kw_only=True):
    """What came of one attempt; `due` is when to try again, for a `retry`."""

    id: int
    attempt: int
    outcome: Outcome
    at: Micros
    took: Micros = 0
    remote_id: str = ""
    detail: str = ""
    due: Micros | None = None


def release_all(tx: Tx) -> int:
    """Give back what a killed process was sending, in every lane. Only for the single owner of the store."""
    return tx.run("UPDATE delivery SET state = 'due', lease = 0 WHERE state = 'sending'")


_CLAIM = """
UPDATE delivery SET state = 'sending', attempt = attempt + 1, lease = :lease
WHERE id IN (SELECT id FROM delivery WHERE lane = :lane AND state = 'due' AND due <= :now
             ORDER BY due, id LIMIT :limit {skip_locked})
RETURNING due, id, alertgroup, attempt, created, kind"""


def claim(tx: Tx, lane: str, limit: int, now: Micros, lease_until: Micros, *, ordered: bool = False) -> list[Claimed]:
    """Take up to `limit` deliveries for sending, those first that are due for longest; none while the lane is paused.

    An expired lease counts as due again. An ordered lane gives nothing while anything of it is being sent.
    """
    expire(tx, lane, now)
    lock = " {for_update}" if ordered else ""  # two nodes must not both find an ordered lane at rest
    paused = tx.row("SELECT paused FROM lane WHERE name = :lane" + lock, lane=lane)
    if paused and paused[0]:
        return []
    if ordered and tx.row("SELECT id FROM delivery WHERE lane = :lane AND state = 'sending' LIMIT 1", lane=lane):
        return []
    rows = tx.rows(_CLAIM, lane=lane, limit=limit, now=now, lease=lease_until)
    return _claimed(tx, [row[1:] for row in sorted(rows)], now)


def expire(tx: Tx, lane: str, now: Micros) -> int:
    """What one who died was sending is due again, once its lease has run out; how many."""
    return tx.run(
        "UPDATE delivery SET state = 'due', lease = 0 WHERE lane = :lane AND state = 'sending' AND lease <= :now",
        lane=lane,
        now=now,
    )


def abandoned(tx: Tx, lane: str, now: Micros) -> bool:
    """Whether there is something of that kind."""
    row = tx.row("SELECT 1 FROM delivery WHERE lane = :lane AND state = 'sending' AND lease <= :now LIMIT 1",
                 lane=lane, now=now)  # fmt: skip
    return row is not None


_RUNS = """
WITH ended AS (
    SELECT r.delivery AS id, max(CASE WHEN r.outcome = 'retry' THEN 0 ELSE r.attempt END) AS attempt
    FROM {each:ids} JOIN receipt r ON r.delivery = CAST(value ->> 0 AS BIGINT) GROUP BY r.delivery)
SELECT ended.id, ended.attempt, min(r.at) FROM ended
LEFT JOIN receipt r ON r.delivery = ended.id AND r.attempt > ended.attempt GROUP BY ended.id, ended.attempt"""


def _claimed(tx: Tx, rows: Sequence[tuple[int, int, int, Micros, Kind]], now: Micros) -> list[Claimed]:
    if not rows:
        return []
    hub = tx.row("SELECT uid FROM hub")
    assert hub is not None
    space = uuid.UUID(hub[0])
    sizes: dict[int, int] = dict(
        tx.rows(
            "SELECT g.id, m.size FROM {each:groups} JOIN alertgroup g ON g.id = CAST(value ->> 0 AS BIGINT)"
            " JOIN message m ON m.id = g.message",
            groups=packed([row[1]] for row in rows),
        )
    )
    again = [[row[0]] for row in rows if row[2] > 1]
    runs = {row[0]: row[1:] for row in (tx.rows(_RUNS, ids=packed(again)) if again else ())}
    claimed = []
    for delivery, group, attempt, created, kind in rows:
        ended, since = runs.get(delivery, (0, None))
        claimed.append(
            Claimed(
                id=delivery,
                uid=str(uuid.uuid5(space, f"delivery/{delivery}")),
                alertgroup=group,
                attempt=attempt,
                created=created,
                tries=attempt - ended,
                since=now if since is None else since,
                kind=kind,
                size=sizes.get(group, 0),
            )
        )
    return claimed


_TAKE = """
UPDATE delivery SET state = 'sending', attempt = attempt + 1, lease = :lease
WHERE id IN (SELECT id FROM delivery WHERE lane = :lane AND state = 'due' ORDER BY due, id LIMIT :limit {skip_locked})
RETURNING due, id, alertgroup, attempt, created, kind"""


def take(tx: Tx, lane: str, limit: int, now: Micros, lease_until: Micros) -> list[Claimed]:
    """Take up to `limit` deliveries out of a lane, paused or not, also those whose time has not come."""
    rows = tx.rows(_TAKE, lane=lane, limit=limit, lease=lease_until)
    return _claimed(tx, [row[1:] for row in sorted(rows)], now)


def parked(tx: Tx, lane: str, limit: int, now: Micros, after: int = 0) -> list[Claimed]:
    """The oldest failed deliveries of a lane behind the id `after`, with the number their last attempt had.

    They stay parked: `take_parked` is what takes them.
    """
    rows = tx.rows(
        "SELECT id, alertgroup, attempt, created, kind FROM delivery"
        " WHERE lane = :lane AND state = 'failed' AND id > :after ORDER BY id LIMIT :limit",
        lane=lane, limit=limit, after=after,
    )  # fmt: skip
    return _claimed(tx, rows, now)


def take_parked(tx: Tx, claimed: Sequence[Claimed]) -> dict[int, int]:
    """Take failed deliveries nobody touched since they were read; their new attempt numbers, by delivery."""
    return dict(
        tx.rows(
            "UPDATE delivery SET state = 'sending', attempt = attempt + 1 FROM {each:rows}"
            " WHERE delivery.id = CAST(value ->> 0 AS BIGINT) AND delivery.attempt = CAST(value ->> 1 AS BIGINT)"
            " AND state = 'failed' RETURNING delivery.id, delivery.attempt",
            rows=packed((item.id, item.attempt) for item in claimed),
        )
    )


def give_back(tx: Tx, claimed: Sequence[Claimed]) -> int:
    """Return claims unused: they are due again, and no attempt is counted against them."""
    return tx.run(
        "UPDATE delivery SET state = 'due', lease = 0, attempt = attempt - 1 FROM {each:rows}"
        " WHERE delivery.id = CAST(value ->> 0 AS BIGINT) AND delivery.attempt = CAST(value ->> 1 AS BIGINT)"
        " AND state = 'sending'",
        rows=packed((item.id, item.attempt) for item in claimed),
    )


def extend(tx: Tx, claimed: Sequence[Claimed], lease_until: Micros) -> int:
    """Keep claims for longer; how many are still ours."""
    return tx.run(
        "UPDATE delivery SET lease = :lease FROM {each:rows}"
        " WHERE delivery.id = CAST(value ->> 0 AS BIGINT) AND delivery.attempt = CAST(value ->> 1 AS BIGINT)"
        " AND state = 'sending'",
        rows=packed((item.id, item.attempt) for item in claimed),
        lease=lease_until,
    )


# The state `due` is let through for a lease that ran out while nobody else took over; a receipt of the same attempt
# means that this very settle was made before and only its answer was lost.
_SETTLE = """
UPDATE delivery SET
    state = CASE s.outcome WHEN 'retry' THEN 'due' ELSE s.outcome END, lease = 0, due = coalesce(s.due, delivery.due),
    settled = CASE s.outcome WHEN 'retry' THEN NULL ELSE s.at END
FROM (SELECT CAST(value ->> 0 AS BIGINT) AS id, CAST(value ->> 1 AS BIGINT) AS attempt, value ->> 2 AS outcome,
             CAST(value ->> 3 AS BIGINT) AS at, CAST(value ->> 4 AS BIGINT) AS due FROM {each:rows}) AS s
WHERE delivery.id = s.id AND delivery.attempt = s.attempt AND delivery.lane = :lane
    AND delivery.state IN ('sending', 'due')
    AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.delivery = s.id AND r.attempt = s.attempt)
RETURNING delivery.id, delivery.alertgroup"""

_RECEIPTS = """
INSERT INTO receipt (delivery, attempt, at, took, outcome, remote_id, detail)
SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT),
       CAST(value ->> 3 AS BIGINT), value ->> 4, value ->> 5, value ->> 6 FROM {each:rows}"""

_LANE = """
INSERT INTO lane (name, cursor, delivered, failed, withheld, skipped, last_success, last_error, last_error_at)
VALUES (:lane, coalesce(:cursor, ''), :delivered, :failed, :withheld, :skipped, :success, :error, :error_at)
ON CONFLICT (name) DO UPDATE SET
    cursor = coalesce(:cursor, lane.cursor), delivered = lane.delivered + excluded.delivered,
    failed = lane.failed + excluded.failed, withheld = lane.withheld + excluded.withheld,
    skipped = lane.skipped + excluded.skipped,
    last_success = coalesce(excluded.last_success, lane.last_success),
    last_error = CASE WHEN excluded.last_error_at IS NULL THEN lane.last_error ELSE excluded.last_error END,
    last_error_at = coalesce(excluded.last_error_at, lane.last_error_at)"""


def settle(tx: Tx, lane: str, settled: Sequence[Settled], cursor: str | None, *, reached: bool = True) -> int:
    """Write down what came of attempts, their receipts and the destination's cursor; how many were accepted.

    An attempt that is no longer the delivery's own (its lease ran out and another took over) changes nothing, and
    a cursor that comes with such attempts only is not stored. `cursor` None leaves the stored one.
    Where the destination itself was not `reached`, its last success stays what it was.
    """
    rows = packed((item.id, item.attempt, item.outcome, item.at, item.due) for item in settled)
    groups: dict[int, int] = dict(tx.rows(_SETTLE, lane=lane, rows=rows))
    if not groups:
        return 0
    accepted = [item for item in settled if item.id in groups]
    tx.run(
        _RECEIPTS,
        rows=packed(
            (item.id, item.attempt, item.at, item.took, item.outcome, plain(item.remote_id), plain(item.detail))
            for item in accepted
        ),
    )
    counts = Counter(item.outcome for item in accepted)
    error = next((item for item in reversed(accepted) if item.outcome in ("retry", "failed")), None)
    tx.run(
        _LANE,
        lane=lane, cursor=cursor, delivered=counts["delivered"], failed=counts["failed"], withheld=counts["withheld"],
        skipped=counts["skipped"],
        success=max((item.at for item in accepted if item.outcome == "delivered" and reached), default=None),
        error=plain(error.detail) if error else "", error_at=error.at if error else None,
    )  # fmt: skip
    tx.changes.append(Change("delivery", tuple(dict.fromkeys(groups.values()))))
    return len(accepted)


def plain(text: str) -> str:
    """A peer's or a plug-in's words, such that both engines take them."""
    return text[:2000].encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def hasten(tx: Tx, lane: str, now: Micros) -> int:
    """The destination is back: what waits for its next attempt need not wait longer. Digests wait for their hour."""
    return tx.run(
        "UPDATE delivery SET due = :now WHERE lane = :lane AND state = 'due' AND due > :now AND attempt > 0",
        lane=lane,
        now=now,
    )


def next_due(tx: Tx, lane: str) -> Micros | None:
    """When there is something to claim; None when nothing is owed or the lane is paused."""
    row = tx.row(
        """SELECT (SELECT min(due) FROM delivery WHERE lane = :lane AND state = 'due'),
                  (SELECT min(lease) FROM delivery WHERE lane = :lane AND state = 'sending')
           WHERE NOT EXISTS (SELECT 1 FROM lane WHERE name = :lane AND paused = 1)""",
        lane=lane,
    )
    return min((moment for moment in row or () if moment is not None), default=None)
