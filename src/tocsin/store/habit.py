"""Habits: what messages of a source look like, as their parser reads them, so that a change is noticed."""

from collections.abc import Iterable, Sequence

import msgspec

from tocsin.model import Micros, Noun
from tocsin.store.engine import Tx, packed

MOST_HABITS = 10_000
Key = tuple[str, str, str]
"""Source, parser and subject; an empty subject stands for everything that the parser claims of the source."""


class Look(Noun, frozen=True, kw_only=True):
    """What one message looked like: whether it was understood, how many rows, and which of `kinds` its columns are.

    `kind` is -1 where there are no columns.
    """

    understood: bool
    rows: int
    kind: int = -1


class Habit(Noun, frozen=True, kw_only=True):
    """The last looks, the sets of columns in them, a row of the newest usual one, and whether it is unusual now."""

    looks: tuple[Look, ...] = ()
    kinds: tuple[tuple[str, ...], ...] = ()
    sample: msgspec.Raw = msgspec.Raw(b"{}")
    message: int = 0
    unusual: bool = False


class Came(Noun, frozen=True, kw_only=True):
    """One alertgroup of a message, or a message without any: `group` is 0."""

    message: int
    source: str
    parser: str
    received: Micros
    reason: str
    group: int
    subject: str
    columns: tuple[str, ...]
    rows: int


_habit = msgspec.json.Decoder(Habit)
_columns = msgspec.json.Decoder(tuple[str, ...])


def mark(tx: Tx) -> int:
    """Up to which message habits were looked at."""
    row = tx.row("SELECT message FROM habit_mark")
    return int(row[0]) if row else 0


def newest(tx: Tx) -> int:
    """The highest id ever given to a message."""
    row = tx.row("SELECT message FROM counter")
    return int(row[0]) if row else 0


def came(tx: Tx, parsers: Sequence[str], behind: int, until: int, limit: int) -> list[Came]:
    """The messages behind one id and up to another that these parsers claimed, with their alertgroups, oldest first."""
    rows = tx.rows(
        "SELECT m.id, m.source, m.parser, m.received, m.reason, coalesce(g.id, 0), coalesce(g.subject, ''),"
        " coalesce(g.columns, '[]'), coalesce(g.alert_count, 0)"
        " FROM (SELECT * FROM message WHERE id > :behind AND id <= :until AND source <> 'tocsin'"
        " AND parser IN (SELECT value ->> 0 FROM {each:parsers}) ORDER BY id LIMIT :limit) AS m"
        " LEFT JOIN alertgroup g ON g.message = m.id ORDER BY m.id, g.id",
        behind=behind,
        until=until,
        limit=limit,
        parsers=packed((name,) for name in parsers),
    )
    return [
        Came(
            message=row[0],
            source=row[1],
            parser=row[2],
            received=row[3],
            reason=row[4],
            group=row[5],
            subject=row[6],
            columns=_columns.decode(row[7]),
            rows=row[8],
        )
        for row in rows
    ]


def first_row(tx: Tx, group: int) -> msgspec.Raw:
    """The first row of an alertgroup, as JSON; an empty object without one."""
    row = tx.row("SELECT data FROM alert WHERE alertgroup = :group ORDER BY id LIMIT 1", group=group)
    return msgspec.Raw(str(row[0]).encode() if row else b"{}")


def known(tx: Tx, keys: Iterable[Key]) -> dict[Key, Habit]:
    """The habits that there are among these."""
    rows = tx.rows(
        "SELECT h.source, h.parser, h.subject, h.content FROM {each:keys} JOIN habit h"
        " ON h.source = value ->> 0 AND h.parser = value ->> 1 AND h.subject = value ->> 2",
        keys=packed(set(keys)),
    )
    return {(row[0], row[1], row[2]): _habit.decode(row[3]) for row in rows}


def keep(tx: Tx, habits: dict[Key, tuple[Micros, Habit]], until: int) -> None:
    """Store habits with when they were seen last, and up to which message; forget those not seen for longest."""
    tx.run(
        "INSERT INTO habit (source, parser, subject, seen, content)"
        " SELECT value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT), value ->> 4 FROM {each:rows}"
        " WHERE true ON CONFLICT (source, parser, subject) DO UPDATE"
        " SET seen = excluded.seen, content = excluded.content",
        rows=packed((*key, seen, msgspec.json.encode(habit).decode()) for key, (seen, habit) in habits.items()),
    )
    tx.run(
        "DELETE FROM habit WHERE seen < (SELECT seen FROM habit ORDER BY seen DESC LIMIT 1 OFFSET :most)",
        most=MOST_HABITS - 1,
    )
    tx.run("UPDATE habit_mark SET message = :until WHERE message < :until", until=until)
