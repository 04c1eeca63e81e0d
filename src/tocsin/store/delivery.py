"""Deliveries, receipts and lanes, as people see them: what is owed, what came back, how each destination fares.

A delivery is `due` or `sending`, and in the end `delivered`, `failed` (parked for a person), `withheld` (the gate said
no), `silenced` (a silence held it back), `skipped` (there was nothing to send) or `dropped` (a person said so). The
work itself is in `sending.py`.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from tocsin.errors import NotFound
from tocsin.model import Kind, Micros, Noun
from tocsin.store.engine import Change, Tx, packed
from tocsin.store.sending import plain


class ReceiptLine(Noun, frozen=True, kw_only=True):
    """What one attempt brought; `took` in microseconds."""

    attempt: int
    at: Micros
    took: Micros
    outcome: str
    remote_id: str
    detail: str


class Owed(Noun, frozen=True, kw_only=True):
    """One alertgroup owed to one destination, with what was tried."""

    id: int
    alertgroup: int
    lane: str
    state: str
    attempt: int
    due: Micros
    created: Micros
    settled: Micros | None
    kind: Kind = "alert"
    receipts: list[ReceiptLine] = msgspec.field(default_factory=list)


class LaneState(Noun, frozen=True, kw_only=True):
    """How a lane fares: what stands in it now, and what went through it so far."""

    name: str
    due: int = 0
    sending: int = 0
    failed: int = 0
    """Parked now; `failures` counts all that were ever parked."""
    withheld: int = 0
    skipped: int = 0
    delivered: int = 0
    failures: int = 0
    oldest: Micros | None = None
    """When the oldest that is due or being sent became owed."""
    last_success: Micros | None = None
    last_error: str = ""
    last_error_at: Micros | None = None
    cursor: str = ""
    paused: bool = False


def open_lanes(tx: Tx, lanes: Sequence[str], kinds: Mapping[str, Collection[str]] | None = None) -> None:
    """Make the lanes known, so that one that was never used shows too.

    `kinds` are the kinds of deliveries their destinations understand; `update` makes a lane follow changes.
    """
    tx.run(
        "INSERT INTO lane (name, follows) SELECT value ->> 0, CAST(value ->> 1 AS BIGINT)"
        " FROM {each:lanes} WHERE true ON CONFLICT (name) DO UPDATE SET follows = excluded.follows",
        lanes=packed((lane, int("update" in (kinds or {}).get(lane, ()))) for lane in lanes),
    )


def lane_cursor(tx: Tx, lane: str) -> str:
    """What the lane's last settled batch returned; empty at first."""
    row = tx.row("SELECT cursor FROM lane WHERE name = :lane", lane=lane)
    return str(row[0]) if row else ""


_LANES = """
SELECT name, cursor, delivered, failed, withheld, last_success, last_error, last_error_at, paused, skipped FROM lane"""


def lanes(tx: Tx) -> list[LaneState]:
    """Every lane that was ever configured or is owed something, by name."""
    found = {
        row[0]: LaneState(
            name=row[0],
            cursor=row[1],
            delivered=row[2],
            failures=row[3],
            withheld=row[4],
            last_success=row[5],
            last_error=row[6],
            last_error_at=row[7],
            paused=bool(row[8]),
            skipped=row[9],
        )
        for row in tx.rows(_LANES)
    }
    oldest: dict[str, int] = {}
    for state in ("due", "sending", "failed"):
        for lane, count, first in tx.rows(
            f"SELECT lane, count(*), min(id) FROM delivery WHERE state = '{state}' GROUP BY lane"
        ):
            found[lane] = msgspec.structs.replace(found.get(lane, LaneState(name=lane)), **{state: count})
            if state != "failed":
                oldest[lane] = min(first, oldest.get(lane, first))
    for lane, created in tx.rows(
        "SELECT d.lane, d.created FROM {each:ids} JOIN delivery d ON d.id = CAST(value ->> 0 AS BIGINT)",
        ids=packed([first] for first in oldest.values()),
    ):
        found[lane] = msgspec.structs.replace(found[lane], oldest=created)
    return [found[name] for name in sorted(found)]


def of_groups(tx: Tx, alertgroups: Sequence[int]) -> dict[int, list[Owed]]:
    """What the alertgroups are owed to whom, by alertgroup; receipts by attempt."""
    found = _owed(
        tx,
        tx.rows(
            "SELECT d.id, d.alertgroup, d.lane, d.state, d.attempt, d.due, d.created, d.settled, d.kind"
            " FROM {each:groups} JOIN delivery d ON d.alertgroup = CAST(value ->> 0 AS BIGINT) ORDER BY d.id",
            groups=packed([group] for group in dict.fromkeys(alertgroups)),
        ),
    )
    groups: dict[int, list[Owed]] = {group: [] for group in alertgroups}
    for owed in found:
        groups[owed.alertgroup].append(owed)
    return groups


def parked(tx: Tx, lane: str, limit: int, before: int | None = None) -> list[Owed]:
    """The failed deliveries of a lane, newest first; `before` is the last id of the page before."""
    return _owed(
        tx,
        tx.rows(
            "SELECT id, alertgroup, lane, state, attempt, due, created, settled, kind FROM delivery"
            " WHERE lane = :lane AND state = 'failed' AND id < :before ORDER BY id DESC LIMIT :limit",
            lane=lane, limit=limit, before=2**63 - 1 if before is None else before,
        ),
    )  # fmt: skip


def _owed(tx: Tx, rows: Sequence[tuple[int, int, str, str, int, Micros, Micros, Micros | None, Kind]]) -> list[Owed]:
    receipts: dict[int, list[ReceiptLine]] = {row[0]: [] for row in rows}
    for line in tx.rows(
        "SELECT r.delivery, r.attempt, r.at, r.took, r.outcome, r.remote_id, r.detail"
        " FROM {each:ids} JOIN receipt r ON r.delivery = CAST(value ->> 0 AS BIGINT) ORDER BY r.id",
        ids=packed([delivery] for delivery in receipts),
    ):
        receipts[line[0]].append(
            ReceiptLine(attempt=line[1], at=line[2], took=line[3], outcome=line[4], remote_id=line[5], detail=line[6])
        )
    return [
        Owed(
            id=row[0],
            alertgroup=row[1],
            lane=row[2],
            state=row[3],
            attempt=row[4],
            due=row[5],
            created=row[6],
            settled=row[7],
            kind=row[8],
            receipts=receipts[row[0]],
        )
        for row in rows
    ]


def one(tx: Tx, id: int) -> Owed:
    """A delivery with its receipts. Raises NotFound."""
    found = tx.rows(
        "SELECT id, alertgroup, lane, state, attempt, due, created, settled, kind FROM delivery WHERE id = :id", id=id
    )
    if not found:
        raise NotFound(f"There is no delivery {id}.")
    return _owed(tx, found)[0]


def parked_ids(tx: Tx, lane: str, limit: int, after: int = 0) -> list[int]:
    """The failed deliveries of a lane by id, oldest first, behind `after`."""
    rows = tx.rows(
        "SELECT id FROM delivery WHERE lane = :lane AND state = 'failed' AND id > :after ORDER BY id LIMIT :limit",
        lane=lane, limit=limit, after=after,
    )  # fmt: skip
    return [row[0] for row in rows]


def retry(tx: Tx, ids: Sequence[int], who: str, now: Micros) -> int:
    """Make parked, withheld, silenced, skipped or dropped deliveries due at once; also those that wait for another."""
    change = "state = 'due', due = :now, settled = NULL"
    return _decide(
        tx, change, "'failed', 'withheld', 'silenced', 'skipped', 'dropped', 'due'", ids, who, now, "sent again to"
    )


def drop(tx: Tx, ids: Sequence[int], who: str, now: Micros) -> int:
    """Give up parked, withheld or silenced deliveries for good; they stay in the ledger as dropped."""
    states = "'failed', 'withheld', 'silenced'"
    return _decide(tx, "state = 'dropped', settled = :now", states, ids, who, now, "no longer owed to")


def _decide(tx: Tx, change: str, states: str, ids: Sequence[int], who: str, now: Micros, what: str) -> int:
    rows = tx.rows(
        f"UPDATE delivery SET {change} FROM {{each:ids}}"
        f" WHERE delivery.id = CAST(value ->> 0 AS BIGINT) AND state IN ({states}) RETURNING alertgroup, lane",
        ids=packed([delivery] for delivery in dict.fromkeys(ids)),
        now=now,
    )
    if rows:
        tx.run(
            "INSERT INTO history (alertgroup, who, at, what)"
            " SELECT CAST(value ->> 0 AS BIGINT), :who, :now, value ->> 1 FROM {each:rows}",
            rows=packed((group, f"{what} {lane}") for group, lane in rows), who=who, now=now,
        )  # fmt: skip
        tx.changes.append(Change("delivery", tuple({row[0] for row in rows}), tuple({row[1] for row in rows})))
    return len(rows)


def set_paused(tx: Tx, lane: str, paused: bool) -> None:
    """Hold a lane, or let it go on. What it is owed stays due."""
    tx.run(
        "INSERT INTO lane (name, paused) VALUES (:lane, :paused)"
        " ON CONFLICT (name) DO UPDATE SET paused = excluded.paused",
        lane=lane, paused=int(paused),
    )  # fmt: skip
    tx.changes.append(Change("delivery", (), (lane,)))


class LaneNote(Noun, frozen=True, kw_only=True):
    """What a person did to a lane."""

    at: Micros
    who: str
    what: str


def hold(tx: Tx, lane: str, paused: bool, who: str, now: Micros) -> None:
    """Pause a lane or let it go on, and note who did; nothing when it stands so already."""
    row = tx.row("SELECT paused FROM lane WHERE name = :lane", lane=lane)
    if bool(row and row[0]) != paused:
        set_paused(tx, lane, paused)
        note(tx, lane, who, now, "paused" if paused else "resumed")


def note(tx: Tx, lane: str, who: str, now: Micros, what: str) -> None:
    """Write down what a person did to a lane."""
    tx.run(
        "INSERT INTO lane_history (lane, who, at, what) VALUES (:lane, :who, :now, :what)",
        lane=lane, who=who, now=now, what=plain(what),
    )  # fmt: skip


def past(tx: Tx, lane: str, limit: int) -> list[LaneNote]:
    """What people did to a lane, newest first."""
    rows = tx.rows(
        "SELECT at, who, what FROM lane_history WHERE lane = :lane ORDER BY id DESC LIMIT :limit",
        lane=lane, limit=limit,
    )  # fmt: skip
    return [LaneNote(at=row[0], who=row[1], what=row[2]) for row in rows]


def keep_cursor(tx: Tx, lane: str, cursor: str) -> None:
    """What the destination returned to a call that settled nothing."""
    tx.run("UPDATE lane SET cursor = :cursor WHERE name = :lane", lane=lane, cursor=cursor)
