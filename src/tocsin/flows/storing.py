"""Rows that a reader finds -> parts: completed, fingerprinted, written by day and kind, on disk before they count."""

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.flows import fingerprint
from tocsin.flows.catalogue import Malformed, Part, place, sync_folder
from tocsin.flows.engine import name, text
from tocsin.flows.kinds import KINDS
from tocsin.flows.reading.pieces import SHOWN, Cut
from tocsin.flows.reading.reader import LINES, Found, Reader

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KEPT_ASIDE = 10_000
"""So many malformed lines of one import are kept; all are counted."""
OPTIONS = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 20480"
"""Rows are read back by whole row groups where their order is kept, each group held in memory."""
SECRET, HIDDEN = ("login",), "(not kept: there may be a password in it)"
"""Kinds whose lines are not kept aside as they stand."""
UNKNOWN = "unknown"
_DAY = 86_400_000_000
_STORED = "stored"


class Storing:
    """What one import has stored so far; nothing of it counts before the catalogue says so."""

    def __init__(
        self,
        folder: Path,
        connection: "DuckDBPyConnection",
        begin: Callable[[], int],
        abandon: Callable[[int], None],
    ) -> None:
        self._folder, self._connection, self._begin, self._abandon = folder, connection, begin, abandon
        self._id: int | None = None
        self._folders: set[Path] = set()
        self.parts: list[Part] = []
        self.kept: list[Malformed] = []
        self.rows = self.malformed = self.skipped = 0

    @property
    def id(self) -> int:
        """Of the import; it is begun when it is first asked for."""
        if self._id is None:
            self._id = self._begin()
        return self._id

    def leave(self) -> None:
        """Nothing was found; there was no such import."""
        if self._id is not None:
            self._abandon(self._id)

    def store(self, reader: Reader, cut: Cut, passed: int = 0) -> bool:
        """Store what a piece holds; its lines are numbered on from `passed`. False for a torn line that makes no sense.

        Of that nothing is stored. Raises FlowsError.
        """
        place(0, passed + cut.piece.first + cut.piece.lines)  # raises where there are too many
        found = reader.read(cut.piece, self._connection)
        aside = self._aside(found.malformed) if found.malformed else []
        tables = {kind: self._table(kind, reader.tool, sql, passed) for kind, sql in found.rows.items()}
        wrong = {kind: self._wrong(table) for kind, table in tables.items()}
        if cut.torn and (aside or any(wrong.values())):
            return False
        for kind, table in tables.items():
            if wrong[kind]:
                line = text(HIDDEN) if kind in SECRET else "text"
                aside += self._aside(
                    f"SELECT no, {line} AS text, wrong AS reason FROM {table} JOIN {LINES} USING (no)"
                    " WHERE wrong IS NOT NULL"
                )
            self._write(kind, table)
        self._count(found, cut, aside, sum(wrong.values()), passed)
        return True

    def finish(self) -> None:
        """See the names of the parts on disk; the parts are."""
        for folder in self._folders | {folder.parent for folder in self._folders}:
            sync_folder(folder)
        sync_folder(self._folder)

    def _count(self, found: Found, cut: Cut, aside: list[Malformed], wrong: int, passed: int) -> None:
        lines = [*aside, *cut.long]
        room = KEPT_ASIDE - len(self.kept)
        self.kept += [one._replace(line=one.line + passed) for one in sorted(lines)[:room]]
        counted = self._counted(found.malformed) if found.malformed else 0
        self.malformed += counted + wrong + len(cut.long)
        self.skipped += found.skipped - len(cut.long)

    def _aside(self, sql: str) -> list[Malformed]:
        asked = f"SELECT no, left(text, {SHOWN}), reason FROM ({sql}) ORDER BY no LIMIT {KEPT_ASIDE - len(self.kept)}"
        return [Malformed(*row) for row in self._connection.execute(asked).fetchall()]

    def _counted(self, sql: str) -> int:
        (count,) = self._connection.execute(f"SELECT count(*) FROM ({sql})").fetchall()[0]
        return int(count)

    def _wrong(self, table: str) -> int:
        return self._counted(f"SELECT no FROM {table} WHERE wrong IS NOT NULL")

    def _table(self, kind: str, tool: str, sql: str, passed: int) -> str:
        """The rows as they are stored, in a table; sound ones beside those that are to be kept aside."""
        table = f"{_STORED}_{kind}"
        described = self._connection.execute(f"DESCRIBE {sql}").fetchall()
        there = {str(column): str(type_) for column, type_, *_ in described}
        cells = completed(kind, tool, there, place(self.id, passed))
        given = ", ".join(f"{cell} AS {name(column)}" for column, cell in cells.items())
        hashed = "coalesce(TRY_CAST(replace(aid_time, '.', '') AS UBIGINT), start)" if "aid_time" in there else "start"
        implied = "coalesce(proto, aid_proto)" if "aid_proto" in there else "proto"
        also = "".join(f", {name(column)}" for column in ("aid_time", "aid_proto") if column in there)
        wrong = "wrong" if "wrong" in there else "NULL::VARCHAR AS wrong"
        rows = f"SELECT no, {wrong}{also}, {given} FROM ({sql})"
        rows = f"SELECT * REPLACE ({implied} AS proto), proto AS said_proto FROM ({rows})"
        last = {"proto": "said_proto AS proto", "aid": "nullif(aid, '') AS aid"}
        last["community_id"] = "nullif(community_id, '') AS community_id"
        columns = ", ".join(last.get(column.name, name(column.name)) for column in KINDS[kind].columns)
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT no, wrong, {columns}"
            f" FROM ({fingerprint.with_ids(rows, start=hashed)})"
        )
        return table

    def _write(self, kind: str, table: str) -> None:
        """A part for each day."""
        day = f"CAST(floor(start / {_DAY}) AS BIGINT)"
        days = self._connection.execute(
            f"SELECT {day}, count(*), min(place), max(place), min(start), max(start)"
            f" FROM {table} WHERE wrong IS NULL GROUP BY ALL ORDER BY 3"
        ).fetchall()
        columns = ", ".join(name(column.name) for column in KINDS[kind].columns)
        for number, rows, first, last, earliest, latest in days:
            of_day = f"{day} IS NOT DISTINCT FROM {'NULL' if number is None else number}" if len(days) > 1 else "true"
            if (called := _day(number)) == UNKNOWN:
                earliest = latest = None  # a time that no calendar has is none that can be asked for
            file = f"day={called}/kind={kind}/{self.id}-{len(self.parts)}.parquet"
            path = self._folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(path.parent)
            self._connection.execute(
                f"COPY (SELECT {columns} FROM {table} WHERE wrong IS NULL AND {of_day}) TO {text(path)} ({OPTIONS})"
            )
            _sync(path)
            self.parts.append(Part(file, self.id, called, kind, rows, first, last, earliest, latest))
            self.rows += rows


def completed(kind: str, tool: str, there: dict[str, str], begin: int) -> dict[str, str]:
    """SQL for each column of a row but the fingerprints; `there` is what the reader yields, with the types."""
    said = {
        column.name: name(column.name)
        if there[column.name] == column.type
        else f"CAST({name(column.name)} AS {column.type})"
        for column in KINDS[kind].columns
        if column.name in there
    }

    def sum_of(one: str, other: str) -> str:
        a, b = said.get(one, "NULL::BIGINT"), said.get(other, "NULL::BIGINT")
        added = f"TRY_CAST(coalesce({a}, 0)::HUGEINT + coalesce({b}, 0) AS BIGINT)"
        return f"CASE WHEN {a} IS NOT NULL OR {b} IS NOT NULL THEN {added} END"

    derived = {
        "place": f"{begin} + no",
        "tool": text(tool),
        "pkts": sum_of("spkts", "dpkts"),
        "bytes": sum_of("sbytes", "dbytes"),
        "dir": "'->'",
    }
    if {"start", "dur"} <= said.keys():
        derived["finish"] = f"TRY_CAST({said['start']} + {said['dur']} * 1e6 AS BIGINT)"
    made = {"aid", "community_id"}
    return {
        column.name: said.get(column.name) or derived.get(column.name) or f"NULL::{column.type}"
        for column in KINDS[kind].columns
        if column.name not in made
    }


def _day(number: int | None) -> str:
    """The date of a day since the epoch, where calendars have it."""
    try:
        return UNKNOWN if number is None else (date(1970, 1, 1) + timedelta(days=number)).isoformat()
    except OverflowError:
        return UNKNOWN


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
