"""The running balance: received = stored + quarantined + refused, per day and source; and how each source fares.

A message that came again and got the first answer again was received before: it is counted as `repeated`, apart.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from tocsin.model import Micros, Noun
from tocsin.store.engine import Tx, packed

DAY: Micros = 86_400_000_000


class Tally(Noun, frozen=True, kw_only=True):
    """Messages of one source on one day (days since 1970-01-01, UTC)."""

    day: int
    source: str
    stored: int = 0
    quarantined: int = 0
    refused: int = 0
    repeated: int = 0

    @property
    def received(self) -> int:
        """Everything that came in, each message once."""
        return self.stored + self.quarantined + self.refused


class SourceState(Noun, frozen=True, kw_only=True):
    """How a source fares. `cursor` is the source's own note of how far it has read."""

    name: str
    cursor: str = ""
    last_message: Micros | None = None
    last_success: Micros | None = None
    last_error: str = ""
    last_error_at: Micros | None = None


def day_of(at: Micros) -> int:
    """The UTC day of a moment, counted from 1970-01-01."""
    return at // DAY


def add(tx: Tx, rows: Iterable[tuple[int, str, int, int, int, int]]) -> None:
    """Add counts, (day, source, stored, quarantined, refused, repeated) each; one statement, keys may repeat."""
    counted = list(rows)
    if not counted:
        return
    # The sums matter: one statement may not touch a row twice on PostgreSQL.
    tx.run(
        """INSERT INTO tally (day, source, stored, quarantined, refused, repeated)
           SELECT CAST(value ->> 0 AS INTEGER), value ->> 1, sum(CAST(value ->> 2 AS BIGINT)),
                  sum(CAST(value ->> 3 AS BIGINT)), sum(CAST(value ->> 4 AS BIGINT)), sum(CAST(value ->> 5 AS BIGINT))
           FROM {each:rows} GROUP BY 1, 2
           ON CONFLICT (day, source) DO UPDATE SET
               stored = tally.stored + excluded.stored, quarantined = tally.quarantined + excluded.quarantined,
               refused = tally.refused + excluded.refused, repeated = tally.repeated + excluded.repeated""",
        rows=packed(counted),
    )


def refuse(tx: Tx, source: str, n: int, day: int) -> None:
    """Count messages that were refused with an answer."""
    add(tx, [(day, source, 0, 0, n, 0)])


def between(tx: Tx, from_day: int, to_day: int) -> list[Tally]:
    """The tallies of the days from `from_day` to `to_day`, both included, by day and source."""
    return [
        Tally(day=day, source=source, stored=stored, quarantined=quarantined, refused=refused, repeated=repeated)
        for day, source, stored, quarantined, refused, repeated in tx.rows(
            """SELECT day, source, stored, quarantined, refused, repeated FROM tally
               WHERE day >= :from_day AND day <= :to_day ORDER BY day, source""",
            from_day=from_day, to_day=to_day,
        )
    ]  # fmt: skip


def today(tx: Tx, now: Micros) -> list[Tally]:
    """The tallies of the day of `now`, by source."""
    return between(tx, day_of(now), day_of(now))


def totals(tx: Tx) -> list[Tally]:
    """All days together, by source; `day` is the first on which the source sent anything."""
    return [
        Tally(day=day, source=source, stored=stored, quarantined=quarantined, refused=refused, repeated=repeated)
        for day, source, stored, quarantined, refused, repeated in tx.rows(
            """SELECT min(day), source, CAST(sum(stored) AS BIGINT), CAST(sum(quarantined) AS BIGINT),
                      CAST(sum(refused) AS BIGINT), CAST(sum(repeated) AS BIGINT)
               FROM tally GROUP BY source ORDER BY source"""
        )
    ]


def source_states(tx: Tx) -> list[SourceState]:
    """How every source fares that was ever heard of, by name."""
    return [
        msgspec.convert(dict(zip(SourceState.__struct_fields__, row, strict=True)), SourceState)
        for row in tx.rows(
            """SELECT name, coalesce(cursor, ''), last_message, last_success, coalesce(last_error, ''), last_error_at
               FROM source_state ORDER BY name"""
        )
    ]


def source_cursor(tx: Tx, name: str) -> str:
    """How far the source has read, in its own words; empty at first."""
    row = tx.row("SELECT coalesce(cursor, '') FROM source_state WHERE name = :name", name=name)
    return str(row[0]) if row else ""


def source_heard(tx: Tx, name: str, now: Micros) -> None:
    """Note that a message came from the source."""
    _note(tx, name, last_message=now)


def source_succeeded(tx: Tx, name: str, now: Micros, cursor: str | None = None) -> None:
    """Note that the source was read without fault; a `cursor` given is stored with it."""
    noted: dict[str, Any] = {"last_success": now}
    if cursor is not None:
        noted["cursor"] = cursor
    _note(tx, name, **noted)


def source_failed(tx: Tx, name: str, now: Micros, error: str) -> None:
    """Note why the source could not be read; its cursor and last success stay."""
    _note(tx, name, last_error=error, last_error_at=now)


def _note(tx: Tx, name: str, **noted: Any) -> None:
    columns = ", ".join(noted)
    values = ", ".join(f":{column}" for column in noted)
    changes = ", ".join(f"{column} = excluded.{column}" for column in noted)
    tx.run(
        f"""INSERT INTO source_state (name, {columns}) VALUES (:name, {values})
            ON CONFLICT (name) DO UPDATE SET {changes}""",
        name=name,
        **noted,
    )
