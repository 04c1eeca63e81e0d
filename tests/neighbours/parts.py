"""Parts laid into a data set as an import leaves them, and exports read back by what others have: csv and json."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tocsin.flows.catalogue import Imported, Part, place
from tocsin.flows.dataset import Dataset
from tocsin.flows.kinds import KINDS

S = 1_000_000
T = 1_700_000_000 * S
Row = dict[str, Any]

csv.field_size_limit(sys.maxsize)


def lay(dataset: Dataset, kind: str, *days: Sequence[Row]) -> None:
    """An import with rows of one kind, each day's in a part of its own; `line` is a row's line, else its number."""
    with dataset.catalogue() as catalogue, catalogue.importing():
        id = catalogue.begin("laid", "test")
        parts = [_part(dataset, kind, id, f"2023-11-{14 + day}", rows) for day, rows in enumerate(days) if rows]
        size = sum(map(len, days))
        catalogue.finish(Imported(id, "laid", "test", 0, size, str(id), size, size, 0, 0, 1), parts)


def lay_many(dataset: Dataset, kind: str, cells: str, count: int, *, row_group: int = 2048) -> None:
    """An import of so many rows, of which `cells` says in SQL what the number i stands in."""
    with dataset.catalogue() as catalogue, catalogue.importing(), dataset.connection() as connection:
        id = catalogue.begin("laid", "test")
        file = dataset.folder / f"day=2023-11-14/kind={kind}/{id}-0.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        given = f"SELECT {place(id)} + i AS place, {cells} FROM range({count}) AS t(i)"
        there = {name for name, *_ in connection.execute(f"DESCRIBE {given}").fetchall()}
        columns = ", ".join(
            f'{name if (name := column.name) in there else "NULL"}::{column.type} AS "{name}"'
            for column in KINDS[kind].columns
        )
        connection.execute(
            f"COPY (SELECT {columns} FROM ({given})) TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE {row_group})"
        )
        name = str(file.relative_to(dataset.folder))
        part = Part(name, id, "2023-11-14", kind, count, place(id), place(id) + count - 1, T, T + count * S)
        catalogue.finish(Imported(id, "laid", "test", 0, count, str(id), count, count, 0, 0, 1), [part])


def read_tsv(file: Path) -> list[dict[str, str]]:
    """The lines of a TSV file by its header, as Python's csv reads them."""
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def read_json(file: Path) -> list[Row]:
    """The lines of a file with an object on each."""
    return [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]


def micros(seconds: object) -> int | None:
    """Microseconds of a number with six decimals, as it stands in an export; None of nothing."""
    return None if seconds in (None, "") else int(str(seconds).replace(".", ""))


def _part(dataset: Dataset, kind: str, id: int, day: str, rows: Iterable[Row]) -> Part:
    rows = [{**row, "place": place(id, row.get("line", number))} for number, row in enumerate(rows)]
    file = dataset.folder / f"day={day}/kind={kind}/{id}-0.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = file.with_suffix(".json")
    lines.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    columns = ", ".join(f"'{column.name}': '{column.type}'" for column in KINDS[kind].columns)
    with dataset.connection() as connection:
        source = f"read_json('{lines}', format = 'newline_delimited', columns = {{{columns}}})"
        connection.execute(f"COPY (SELECT * FROM {source} ORDER BY place) TO '{file}' (FORMAT parquet)")
    lines.unlink()
    starts = [row["start"] for row in rows if row.get("start") is not None]
    places = [row["place"] for row in rows]
    name = str(file.relative_to(dataset.folder))
    ends = (min(starts), max(starts)) if starts else (None, None)
    return Part(name, id, day, kind, len(rows), min(places), max(places), *ends)


def utc(micros_: int | None) -> datetime | None:
    """A time as Parquet readers give it."""
    return None if micros_ is None else datetime.fromtimestamp(micros_ // S, UTC).replace(microsecond=micros_ % S)
