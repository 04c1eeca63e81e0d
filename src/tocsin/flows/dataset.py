"""The data set: parts of Parquet by day and kind, and SQL that names them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tocsin.errors import FlowsError
from tocsin.flows import engine
from tocsin.flows.catalogue import Catalogue, Part
from tocsin.flows.kinds import COMMON, KINDS, Column
from tocsin.model import Micros

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FOLDER = "flows"
"""In the data folder."""


class Dataset:
    """Where the flows are, and how much memory a task on them may take. Every task opens its own connections."""

    def __init__(self, folder: Path, *, memory_mb: int = engine.MEMORY_MB, threads: int = 0) -> None:
        self.folder, self.memory_mb, self.threads = folder, memory_mb, threads

    @classmethod
    def of(cls, data: Path) -> Self:
        """The data set of a data folder."""
        return cls(data / FOLDER)

    def exists(self) -> bool:
        """Whether anything was ever imported."""
        return (self.folder / "catalogue.sqlite").exists()

    def catalogue(self) -> Catalogue:
        """The catalogue, for `with`. Raises FlowsError."""
        return Catalogue(self.folder)

    @contextmanager
    def reading(
        self, kinds: Sequence[str] = (), *, since: Micros | None = None, until: Micros | None = None
    ) -> Iterator[list[Part]]:
        """The parts that count, as `Catalogue.parts` lists them; their files stay until this is left."""
        with self.catalogue() as catalogue, catalogue.reading():
            yield catalogue.parts(kinds, since=since, until=until)

    @contextmanager
    def connection(self) -> Iterator["DuckDBPyConnection"]:
        """A DuckDB for one task. Raises NotInstalled, and FlowsError for what DuckDB could not do."""
        connection = engine.connect(self.folder, memory_mb=self.memory_mb, threads=self.threads)
        import duckdb

        try:
            yield connection
        except duckdb.Error as error:
            raise FlowsError(f"the flows in {self.folder} could not be read or written: {error}") from error
        finally:
            connection.close()

    def rows(self, parts: Sequence[Part], columns: Sequence[Column] = COMMON) -> str:
        """SQL for the rows of those parts: `kind` and the columns, NULL where a kind has not got them.

        In brackets, to stand after FROM. Parts are read in the order given; rows keep theirs within a part.
        """
        if not parts:
            empty = ", ".join(f"NULL::{column.type} AS {engine.name(column.name)}" for column in columns)
            return f"(SELECT NULL::VARCHAR AS kind, {empty} WHERE false)"
        runs: list[list[Part]] = []
        for part in parts:
            if runs and runs[-1][0].kind == part.kind:
                runs[-1].append(part)
            else:
                runs.append([part])
        return "(" + " UNION ALL ".join(self._run(run, columns) for run in runs) + ")"

    def _run(self, parts: list[Part], columns: Sequence[Column]) -> str:
        kind = KINDS[parts[0].kind]
        there = {column.name for column in kind.columns}
        cells = ", ".join(
            engine.name(column.name) if column.name in there else f"NULL::{column.type} AS {engine.name(column.name)}"
            for column in columns
        )
        files = ", ".join(engine.text(self.folder / part.file) for part in parts)
        read = f"read_parquet([{files}], hive_partitioning = false)"
        return f"SELECT {engine.text(kind.name)} AS kind, {cells} FROM {read}"
