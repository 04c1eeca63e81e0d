"""What an import left in a data set, as plain rows."""

from pathlib import Path
from typing import Any

from tocsin.flows.dataset import Dataset
from tocsin.flows.importing import import_paths
from tocsin.flows.kinds import KINDS

SAMPLES = Path(__file__).parents[1] / "data" / "flows"
"""Our own."""
REAL = Path(__file__).parents[3] / "shared" / "data"
"""The Stratosphere laboratory's, where they are."""

Row = dict[str, Any]


def rows(dataset: Dataset, kind: str) -> list[Row]:
    """All rows of a kind, in order, by the names of their columns."""
    columns = KINDS[kind].columns
    with dataset.reading((kind,)) as parts, dataset.connection() as connection:
        names = ", ".join(f'"{column.name}"' for column in columns)
        found = connection.execute(f"SELECT {names} FROM {dataset.rows(parts, columns)} ORDER BY place").fetchall()
    return [dict(zip((column.name for column in columns), row, strict=True)) for row in found]


def counts(dataset: Dataset) -> dict[str, int]:
    """How many rows there are of each kind that has any."""
    there = {kind: len(rows(dataset, kind)) for kind in KINDS}
    return {kind: count for kind, count in there.items() if count}


def aside(dataset: Dataset) -> list[tuple[int, str]]:
    """Number and reason of every malformed line."""
    with dataset.catalogue() as catalogue:
        return [(each.line, each.reason) for done in catalogue.imports() for each in catalogue.malformed(done.id)]


def some(row: Row, *names: str) -> tuple[Any, ...]:
    """A few cells of a row."""
    return tuple(row[name] for name in names)


def imported(dataset: Dataset, *paths: Path, zone: str = "UTC") -> Dataset:
    """The data set, with those files in it."""
    import_paths(dataset, paths, zone=zone)
    return dataset
