"""Alertgroups: one by id, pages of them, and what analysts change. Counts and status are right in every commit."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tocsin.errors import NotFound
from tocsin.model import TLP, Alert, Alertgroup, Detection, Link, Micros, Noun, Status
from tocsin.store import heap, history, index, kinds, repeat
from tocsin.store.engine import Change, Tx

Cursor = tuple[int | str, int]
"""Where a page ends: the value it is ordered by, and the id."""


class Order(Noun, frozen=True, kw_only=True):
    """What a list is ordered by; the id settles ties in the same direction."""

    column: str = "id"
    descending: bool = True


class Summary(Noun, frozen=True, kw_only=True):
    """An alertgroup without its alerts and bodies. Times in microseconds; `firstview` is -1 while nobody looked.

    `repeats` is the earlier alertgroup that came under the same message id with other content. `folded_into` is the
    first one of which this is a repeat; `seen` counts a first one and what is folded into it, `last_seen` is when the
    newest of those was received, None where that is itself. `gathered` is `below` for evidence of which there is not
    enough, `raised` for what stands in an alertgroup made of it.
    """

    id: int
    message: int
    subject: str
    columns: list[str]
    status: Status
    alert_count: int
    open_count: int
    closed_count: int
    promoted_count: int
    severity: int | None
    tlp: TLP
    owner: str
    groups: dict[str, list[str]]
    sources: list[str]
    tags: list[str]
    message_id: str
    repeats: int | None
    ahrefs: list[Link]
    received: Micros
    created: Micros
    updated: Micros
    views: int
    firstview: Micros
    deleted: Micros | None
    folded_into: int | None
    seen: int
    last_seen: Micros | None
    gathered: str | None


ORDERS = ("id", "subject", "status", "views", "alert_count", "updated", "created")
FIELDS = ", ".join(f"g.{name}" for name in Summary.__struct_fields__)
"""What `summary` reads, of `alertgroup g`."""
_WAS = "RETURNING status, folded_into IS NULL AND gathered IS NULL, seen"
"""Whether the totals count it."""
_STRINGS = msgspec.json.Decoder(list[str])
_GROUPS = msgspec.json.Decoder(dict[str, list[str]])
_LINKS = msgspec.json.Decoder(list[Link])
_DETECTION = msgspec.json.Decoder(Detection)


def summary(row: Sequence[Any]) -> Summary:
    """A row of `FIELDS`."""
    cells = dict(zip(Summary.__struct_fields__, row, strict=True))
    for name in ("columns", "sources", "tags"):
        cells[name] = _STRINGS.decode(cells[name])
    cells["groups"] = _GROUPS.decode(cells["groups"])
    cells["ahrefs"] = _LINKS.decode(cells["ahrefs"])
    cells["status"] = Status(cells["status"])
    cells["tlp"] = TLP(cells["tlp"])
    return Summary(**cells)


def get(tx: Tx, id: int) -> Summary:
    """One alertgroup, deleted or not (see `deleted`). Raises NotFound."""
    row = tx.row(f"SELECT {FIELDS} FROM alertgroup g WHERE g.id = :id", id=id)
    if row is None:
        raise NotFound(f"there is no alertgroup {id}")
    return summary(row)


def some(tx: Tx, ids: Sequence[int]) -> dict[int, Summary]:
    """Some alertgroups by their ids; deleted ones, and ids that there are not, are left out."""
    rows = tx.rows(
        f"SELECT {FIELDS} FROM alertgroup g WHERE g.deleted IS NULL"
        " AND g.id IN (SELECT CAST(value ->> 0 AS BIGINT) FROM {each:wanted})",
        wanted=[[each] for each in ids],
    )
    return {known.id: known for known in map(summary, rows)}


def totals(tx: Tx) -> dict[str, int]:
    """How many alertgroups stand in each status; folded ones in the one they are folded into, evidence in none."""
    return {str(status): int(n) for status, n in tx.rows("SELECT status, n FROM total")}


def max_id(tx: Tx) -> int:
    """The highest id ever given to an alertgroup."""
    row = tx.row("SELECT alertgroup FROM counter")
    return int(row[0]) if row else 0


def texts(tx: Tx, id: int) -> tuple[str, str]:
    """Body and plain body; empty where the sender gave none."""
    row = tx.row("SELECT body, body_plain FROM alertgroup_text WHERE alertgroup = :id", id=id)
    return (str(row[0]), str(row[1])) if row else ("", "")


def load(tx: Tx, ids: Sequence[int]) -> dict[int, Alertgroup]:
    """Whole alertgroups with their alerts, as they are handed to destinations and exports."""
    wanted = [[each] for each in ids]
    among = "(SELECT CAST(value ->> 0 AS BIGINT) FROM {each:wanted})"
    hub = _namespace(tx)
    alerts: dict[int, list[Alert]] = {}
    for number, group, status, data, detection in tx.rows(
        "SELECT id, alertgroup, status, data, detection FROM alert"
        f" WHERE alertgroup IN {among} ORDER BY alertgroup, id",
        wanted=wanted,
    ):
        alerts.setdefault(group, []).append(
            Alert(
                json=data,
                detection=None if detection is None else _DETECTION.decode(detection),
                id=number,
                uid=str(uuid.uuid5(hub, f"alert/{number}")),
                status=Status(status),
            )
        )
    bodies = {
        row[0]: (row[1], row[2])
        for row in tx.rows(
            f"SELECT alertgroup, body, body_plain FROM alertgroup_text WHERE alertgroup IN {among}", wanted=wanted
        )
    }
    rows = tx.rows(f"SELECT {FIELDS} FROM alertgroup g WHERE g.id IN {among}", wanted=wanted)
    return {
        known.id: _whole(known, alerts.get(known.id, []), bodies.get(known.id, ("", "")), hub)
        for known in map(summary, rows)
    }


def _namespace(tx: Tx) -> uuid.UUID:
    row = tx.row("SELECT uid FROM hub")
    assert row is not None
    return uuid.UUID(row[0])


def _whole(known: Summary, alerts: Sequence[Alert], texts: tuple[str, str], hub: uuid.UUID) -> Alertgroup:
    return Alertgroup(
        subject=known.subject,
        alerts=tuple(alerts),
        columns=tuple(known.columns),
        tags=tuple(known.tags),
        sources=tuple(known.sources),
        tlp=known.tlp,
        message_id=known.message_id,
        created=known.created,
        body=texts[0],
        body_plain=texts[1],
        ahrefs=tuple(known.ahrefs),
        groups=known.groups,
        owner=known.owner,
        status=known.status,
        id=known.id,
        uid=str(uuid.uuid5(hub, f"alertgroup/{known.id}")),
        received=known.received,
    )


def set_status(tx: Tx, id: int, status: Status, who: str, now: Micros) -> None:
    """Open, close or promote all alerts of the group: one statement, whatever its size. Raises NotFound."""
    _alive(tx, id)
    tx.run(
        "UPDATE alert SET status = :status, updated = :now WHERE alertgroup = :id AND status <> :status",
        status=status.value,
        now=now,
        id=id,
    )
    recount(tx, id, now)
    history.add(tx, id, None, who, now, f"all alerts set to {status.value}")


def set_alerts(tx: Tx, id: int, alerts: Sequence[int], status: Status, who: str, now: Micros) -> None:
    """Open, close or promote some alerts of the group: one statement. Raises NotFound naming those not in it."""
    _alive(tx, id)
    wanted = [[alert] for alert in alerts]
    found = tx.rows(
        "UPDATE alert SET status = :status, updated = :now WHERE alertgroup = :id AND id IN"
        " (SELECT CAST(value ->> 0 AS BIGINT) FROM {each:wanted}) RETURNING id",
        status=status.value,
        now=now,
        id=id,
        wanted=wanted,
    )
    if missing := sorted(set(alerts) - {row[0] for row in found}):
        raise NotFound(f"alertgroup {id} has no alert {', '.join(map(str, missing))}")
    recount(tx, id, now)
    some = ", ".join(map(str, alerts[:20])) + (f" and {len(alerts) - 20} more" if len(alerts) > 20 else "")
    history.add(tx, id, None, who, now, f"alert {some} set to {status.value}")


def recount(tx: Tx, id: int, now: Micros) -> None:
    """Bring counts and status in line with the alerts: promoted if any is, closed if all are, otherwise open."""
    before = tx.row("SELECT status, deleted, folded_into, gathered FROM alertgroup WHERE id = :id", id=id)
    after = tx.row(
        """
        UPDATE alertgroup SET updated = :now, alert_count = c.n, open_count = c.o, closed_count = c.c,
            promoted_count = c.p,
            status = CASE WHEN c.p > 0 THEN 'promoted' WHEN c.o > 0 OR c.n = 0 THEN 'open' ELSE 'closed' END
        FROM (SELECT count(*) AS n, coalesce(sum(CASE WHEN status = 'open' THEN 1 ELSE 0 END), 0) AS o,
                     coalesce(sum(CASE WHEN status = 'closed' THEN 1 ELSE 0 END), 0) AS c,
                     coalesce(sum(CASE WHEN status = 'promoted' THEN 1 ELSE 0 END), 0) AS p
              FROM alert WHERE alertgroup = :id) AS c
        WHERE alertgroup.id = :id RETURNING alertgroup.status
        """,
        id=id,
        now=now,
    )
    assert before is not None
    assert after is not None
    if before[0] != after[0] and before[1:] == (None, None, None):
        _move(tx, {before[0]: -1, after[0]: 1})
        kinds.follow(tx, [id], now)
    tx.changes.append(Change("updated", (id,)))


def set_labels(tx: Tx, id: int, kind: str, values: Sequence[str], who: str, now: Micros) -> None:
    """Replace the tags (`kind` "tag") or sources ("source") of a group. Raises NotFound."""
    _alive(tx, id)
    values = list(dict.fromkeys(values))
    tx.run("DELETE FROM label WHERE alertgroup = :id AND kind = :kind", id=id, kind=kind)
    tx.run(
        "INSERT INTO label (kind, value, alertgroup) SELECT :kind, value ->> 0, :id FROM {each:values}",
        id=id,
        kind=kind,
        values=[[value] for value in values],
    )
    shown = ", ".join(values) or "none"
    set_fields(tx, id, {f"{kind}s": msgspec.json.encode(values).decode()}, who, now, f"{kind}s set to {shown}")


_SETTABLE = frozenset({"subject", "tlp", "owner", "tags", "sources", "ahrefs", "groups"})


def set_fields(tx: Tx, id: int, fields: Mapping[str, str], who: str, now: Micros, what: str = "") -> None:
    """Set fields of the group (`subject`, `tlp`, `owner`; lists as JSON text). Raises NotFound."""
    _alive(tx, id)
    if unknown := set(fields) - _SETTABLE:
        raise ValueError(f"not settable: {', '.join(sorted(unknown))}")
    changes = "".join(f", {name} = :{name}" for name in fields)
    tx.run(f"UPDATE alertgroup SET updated = :now{changes} WHERE id = :id", id=id, now=now, **fields)
    if "subject" in fields:
        index.wait(tx, [id], now)
    history.add(tx, id, None, who, now, what or ", ".join(f"{name} set to {value}" for name, value in fields.items()))
    tx.changes.append(Change("updated", (id,)))


def delete(tx: Tx, id: int, who: str, now: Micros) -> None:
    """Take the group out of every list; it stays in the store and can be brought back. Raises NotFound.

    Of its repeats the next one stands for them then. As evidence it does not count any more.
    """
    repeat.hold(tx)
    _alive(tx, id)
    row = tx.row(f"UPDATE alertgroup SET deleted = :now, updated = :now WHERE id = :id {_WAS}", id=id, now=now)
    assert row is not None
    if row[1]:
        _move(tx, {row[0]: -1})
    if row[2] > 1:
        repeat.hand_over(tx, id, who, now)
    heap.recount(tx, [id])
    history.add(tx, id, None, who, now, "deleted")
    index.wait(tx, [id], now)
    tx.changes.append(Change("updated", (id,)))


def undelete(tx: Tx, id: int, who: str, now: Micros) -> None:
    """Bring a deleted group back under its old id. Raises NotFound; a group that stands is left as it is."""
    repeat.hold(tx)
    if get(tx, id).deleted is None:
        return
    row = tx.row(f"UPDATE alertgroup SET deleted = NULL, updated = :now WHERE id = :id {_WAS}", id=id, now=now)
    assert row is not None
    if row[1]:
        _move(tx, {row[0]: 1})
    heap.recount(tx, [id])
    history.add(tx, id, None, who, now, "brought back")
    index.wait(tx, [id], now)
    tx.changes.append(Change("updated", (id,)))


def saw(tx: Tx, id: int, who: str, ip: str, now: Micros) -> int:
    """Count a view; how many there are now. Raises NotFound."""
    row = tx.row(
        "UPDATE alertgroup SET views = views + 1, firstview = CASE WHEN firstview < 0 THEN :now ELSE firstview END"
        " WHERE id = :id RETURNING views",
        id=id,
        now=now,
    )
    if row is None:
        raise NotFound(f"there is no alertgroup {id}")
    tx.run(
        "INSERT INTO viewer (alertgroup, who, at, ip) VALUES (:id, :who, :now, :ip)"
        " ON CONFLICT (alertgroup, who) DO UPDATE SET at = excluded.at, ip = excluded.ip",
        id=id,
        who=who,
        now=now,
        ip=ip,
    )
    return int(row[0])


def viewers(tx: Tx, id: int) -> dict[str, tuple[Micros, str]]:
    """Who looked last when, and from which address."""
    return {row[0]: (row[1], row[2]) for row in tx.rows("SELECT who, at, ip FROM viewer WHERE alertgroup = :id", id=id)}


def _alive(tx: Tx, id: int) -> None:
    row = tx.row("SELECT deleted FROM alertgroup WHERE id = :id {for_update}", id=id)
    if row is None or row[0] is not None:
        raise NotFound(f"there is no alertgroup {id}")


def _move(tx: Tx, changes: Mapping[str, int]) -> None:
    for status, n in changes.items():
        tx.run("UPDATE total SET n = n + :n WHERE status = :status", n=n, status=status)
