"""Reading again: a message leaves quarantine, or an alertgroup gets a new reading and keeps the old one.

Triage is kept, alert by alert in the order of the rows; nothing is sent again unless asked.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from tocsin.errors import Malformed, NotFound
from tocsin.model import Alertgroup, Message, Micros, Noun, Severity
from tocsin.store import alertgroup, gathering, history, index, message, repeat, tally
from tocsin.store.append import Entry, Part, Rows
from tocsin.store.engine import Change, Tx

STORED, QUARANTINED, DISCARDED = "stored", "quarantined", "discarded"
READ_AGAIN = "read again"
"""How the line of history begins."""


class Line(Noun, frozen=True, kw_only=True):
    """What was done to a message, by whom and when."""

    who: str
    at: Micros
    what: str


class Older(Noun, frozen=True, kw_only=True):
    """A reading that was replaced."""

    id: int
    parser: str
    parser_version: str
    replaced: Micros
    who: str
    subject: str
    columns: list[str]
    rows: list[msgspec.Raw]


class _Content(msgspec.Struct):
    subject: str
    columns: list[str]
    rows: list[msgspec.Raw]


def release(
    tx: Tx, number: int, parts: Sequence[Part], parser: str, version: str, who: str, now: Micros
) -> tuple[int, ...]:
    """A message in quarantine was understood: its alertgroups are stored and owed. Raises NotFound, Malformed."""
    kept = _in(tx, number, QUARANTINED)
    groups = _insert(tx, kept, parts, parser, version)
    _set(tx, number, STORED, parser, version, "")
    _recount(tx, kept, stored=1, quarantined=-1)
    remark(tx, number, who, now, f"read again by {parser} {version}: alertgroup {', '.join(map(str, groups))}")
    tx.changes.append(Change("quarantined"))
    return groups


def more(
    tx: Tx, number: int, parts: Sequence[Part], parser: str, version: str, who: str, now: Micros
) -> tuple[int, ...]:
    """A stored message holds more alertgroups than were read before: store them. Raises NotFound, Malformed."""
    kept = _in(tx, number, STORED)
    groups = _insert(tx, kept, parts, parser, version)
    remark(tx, number, who, now, f"read again by {parser} {version}: also alertgroup {', '.join(map(str, groups))}")
    return groups


def owe(tx: Tx, group: int, lanes: Sequence[str], who: str, now: Micros) -> None:
    """Send an alertgroup once more, to each of these lanes."""
    tx.row("SELECT one FROM counter {for_update}")
    last = tx.row("UPDATE counter SET delivery = delivery + :n RETURNING delivery", n=len(lanes))
    assert last is not None
    first = int(last[0]) - len(lanes) + 1
    tx.run(
        "INSERT INTO delivery (id, alertgroup, lane, state, attempt, due, lease, created)"
        " SELECT CAST(value ->> 0 AS BIGINT), :group, value ->> 1, 'due', 0, :now, 0, :now FROM {each:rows}",
        group=group,
        now=now,
        rows=[(first + place, lane) for place, lane in enumerate(lanes)],
    )
    history.add(tx, group, None, who, now, f"to be sent again: {', '.join(lanes)}")
    tx.changes.append(Change("delivery", (group,), tuple(lanes)))


def _insert(tx: Tx, kept: message.Kept, parts: Sequence[Part], parser: str, version: str) -> tuple[int, ...]:
    tx.row("SELECT one FROM counter {for_update}")
    original = Message(
        source=kept.source,
        body=b"",
        media_type=kept.media_type,
        received=kept.received,
        sender=kept.sender,
        message_id=kept.message_id,
    )
    item = Entry(message=original, thread=None, parser=parser, parser_version=version, parts=tuple(parts))
    rows = Rows(tx, [item], 0)
    groups = rows.of(item, kept.id)
    rows.insert(tx)
    tx.changes.append(Change("created", groups, tuple({lane for part in parts for lane in part.lanes})))
    return groups


def stays(tx: Tx, number: int, parser: str, version: str, reason: str, who: str, now: Micros) -> None:
    """A message in quarantine was read again in vain; the new reason is kept. Raises NotFound, Malformed."""
    _in(tx, number, QUARANTINED)
    _set(tx, number, QUARANTINED, parser, version, reason)
    remark(tx, number, who, now, f"read again in vain: {reason}")
    tx.changes.append(Change("quarantined"))


def discard(tx: Tx, number: int, note: str, who: str, now: Micros) -> None:
    """Take a message out of quarantine for good; its original stays. Raises NotFound, Malformed."""
    kept = _in(tx, number, QUARANTINED)
    _set(tx, number, DISCARDED, kept.parser, kept.parser_version, kept.reason)
    remark(tx, number, who, now, f"discarded: {note}" if note else "discarded")
    tx.changes.append(Change("quarantined"))


def undiscard(tx: Tx, number: int, who: str, now: Micros) -> None:
    """Put a discarded message back into quarantine. Raises NotFound, Malformed."""
    kept = _in(tx, number, DISCARDED)
    _set(tx, number, QUARANTINED, kept.parser, kept.parser_version, kept.reason)
    remark(tx, number, who, now, "put back into quarantine")
    tx.changes.append(Change("quarantined"))


def past(tx: Tx, number: int) -> list[Line]:
    """What was done to a message, oldest first."""
    return [
        Line(who=row[0], at=row[1], what=row[2])
        for row in tx.rows(
            "SELECT who, at, what FROM message_history WHERE message = :number ORDER BY id", number=number
        )
    ]


def replace(
    tx: Tx,
    group: int,
    new: Alertgroup,
    severity: Severity | None,
    parser: str,
    version: str,
    who: str,
    now: Micros,
    gather: gathering.Gather | None = None,
) -> None:
    """Give an alertgroup a new reading; the old one is kept. Raises NotFound.

    Each alert keeps its id and status in the order of the rows; rows that are new are open, rows that are gone
    stand in the old reading only. What was evidence weighs what `gather` says of the new reading.
    """
    repeat.hold(tx)
    old = alertgroup.get(tx, group)
    kept = message.get(tx, old.message)
    _keep(tx, old, kept, who, now)
    standing = tx.rows("SELECT id, status FROM alert WHERE alertgroup = :group ORDER BY id", group=group)
    ids = [row[0] for row in standing]
    more = len(new.alerts) - len(ids)
    if more > 0:
        last = tx.row("UPDATE counter SET alert = alert + :more RETURNING alert", more=more)
        assert last is not None
        ids += range(int(last[0]) - more + 1, int(last[0]) + 1)
    tx.run("DELETE FROM alert WHERE alertgroup = :group", group=group)
    statuses = [row[1] for row in standing] + ["open"] * max(more, 0)
    tx.run(
        "INSERT INTO alert (id, alertgroup, status, data, detection, updated)"
        " SELECT CAST(value ->> 0 AS BIGINT), :group, value ->> 1, value ->> 2, value ->> 3, :now FROM {each:rows}",
        group=group,
        now=now,
        rows=[
            (ids[place], statuses[place], alert.json, None if alert.detection is None else _json(alert.detection))
            for place, alert in enumerate(new.alerts)
        ],
    )
    tx.run(
        "UPDATE alertgroup SET subject = :subject, columns = :columns, severity = :severity WHERE id = :group",
        group=group,
        subject=new.subject,
        columns=_json(new.columns),
        severity=severity,
    )
    gathering.read_again(tx, group, ids, gather, now)
    index.wait(tx, [group], now)
    _set(tx, old.message, STORED, parser, version, "")
    alertgroup.recount(tx, group, now)
    history.add(tx, group, None, who, now, f"{READ_AGAIN} by {parser} {version}: {len(new.alerts)} alerts")


def older(tx: Tx, group: int) -> list[Older]:
    """The readings of an alertgroup that were replaced, newest first."""
    found = []
    for number, parser, version, replaced, who, content in tx.rows(
        "SELECT id, parser, parser_version, replaced, who, content FROM reading WHERE alertgroup = :group"
        " ORDER BY id DESC",
        group=group,
    ):
        was = msgspec.json.decode(content, type=_Content)
        found.append(
            Older(
                id=number,
                parser=parser,
                parser_version=version,
                replaced=replaced,
                who=who,
                subject=was.subject,
                columns=was.columns,
                rows=was.rows,
            )
        )
    return found


def _keep(tx: Tx, old: alertgroup.Summary, kept: message.Kept, who: str, now: Micros) -> None:
    rows = tx.rows("SELECT data FROM alert WHERE alertgroup = :group ORDER BY id", group=old.id)
    content = _Content(subject=old.subject, columns=old.columns, rows=[msgspec.Raw(row[0].encode()) for row in rows])
    tx.run(
        "INSERT INTO reading (alertgroup, parser, parser_version, replaced, who, content)"
        " VALUES (:group, :parser, :version, :now, :who, :content)",
        group=old.id,
        parser=kept.parser,
        version=kept.parser_version,
        now=now,
        who=who,
        content=_json(content),
    )


def _in(tx: Tx, number: int, state: str) -> message.Kept:
    kept = message.get(tx, number)
    if kept.state != state:
        raise Malformed(f"message {number} is {kept.state}, not {state}")
    return kept


def _set(tx: Tx, number: int, state: str, parser: str, version: str, reason: str) -> None:
    changed = tx.run(
        "UPDATE message SET state = :state, parser = :parser, parser_version = :version, reason = :reason"
        " WHERE id = :number",
        number=number,
        state=state,
        parser=parser,
        version=version,
        reason=reason,
    )
    if not changed:
        raise NotFound(f"there is no message {number}")


def _recount(tx: Tx, kept: message.Kept, *, stored: int, quarantined: int) -> None:
    tally.add(tx, [(tally.day_of(kept.received), kept.source, stored, quarantined, 0, 0)])


def remark(tx: Tx, number: int, who: str, now: Micros, what: str) -> None:
    """Write down what was done to a message."""
    tx.run(
        "INSERT INTO message_history (message, who, at, what) VALUES (:number, :who, :now, :what)",
        number=number,
        who=who,
        now=now,
        what=what,
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
