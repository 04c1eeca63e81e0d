"""The DuckDB that stays open between two questions: to open one takes longer than most answers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from tocsin.errors import FlowsError, TooSlow
from tocsin.flows import engine
from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling.detections import NOTE
from tocsin.flows.labelling.prepared import Options, prepare

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LONGEST_S = 10.0
_AT_REST = 4
"""So many connections wait for the next question; each holds the tables that labels are made with."""


class _Prepared(NamedTuple):
    """What a connection's tables for labels were made from."""

    note: str = ""
    alertgroup: int = 0


class Reading:
    """One question: a connection that is given up when it takes too long."""

    def __init__(self, dataset: Dataset, options: Options, connection: "DuckDBPyConnection", longest_s: float) -> None:
        self.dataset, self.options, self.connection = dataset, options, connection
        self.prepared: _Prepared | None = None
        self._longest_s = longest_s

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a statement gives. Raises TooSlow, FlowsError."""
        import duckdb

        try:
            return self.connection.execute(sql).fetchall()
        except duckdb.InterruptException as error:
            remedy = "narrow it down, for example with start>=now-1d or an address"
            raise TooSlow(f"This takes longer than {self._longest_s:g} seconds and was given up: {remedy}.") from error
        except duckdb.Error as error:
            raise FlowsError(f"the flows in {self.dataset.folder} could not be read: {error}") from error

    def prepare(self, alertgroup: int = 0) -> None:
        """Have the tables that labels are made with, as of now; of one alertgroup alone, where it is named."""
        with self.dataset.catalogue() as catalogue:
            wanted = _Prepared(catalogue.note(NOTE), alertgroup)
        if self.prepared != wanted:
            self.prepared = None
            prepare(self.connection, self.dataset, self.options, alertgroup)
            self.prepared = wanted


class Warm:
    """One DuckDB for all threads of a server, with one limit of memory; close it with the server."""

    def __init__(self, dataset: Dataset, options: Options, *, longest_s: float = LONGEST_S) -> None:
        self.dataset, self.options, self.longest_s = dataset, options, longest_s
        self._lock = threading.Lock()
        self._database: DuckDBPyConnection | None = None
        self._at_rest: list[Reading] = []

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """A connection for one question. Raises NotInstalled, FlowsError."""
        found = self._one()
        stop = threading.Timer(self.longest_s, found.connection.interrupt)
        stop.daemon = True
        stop.start()
        try:
            yield found
        except BaseException:
            found.connection.close()  # whatever state it is in, nobody is to have it again
            raise
        finally:
            stop.cancel()
            stop.join()
        self._rest(found)

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            for reading in self._at_rest:
                reading.connection.close()
            self._at_rest.clear()
            if self._database is not None:
                self._database.close()
                self._database = None

    def _one(self) -> Reading:
        with self._lock:
            if self._at_rest:
                return self._at_rest.pop()
            if self._database is None:
                self._database = engine.connect(
                    self.dataset.folder, memory_mb=self.dataset.memory_mb, threads=self.dataset.threads
                )
                self._database.execute("SET parquet_metadata_cache = true")
            cursor = self._database.cursor()
        cursor.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        return Reading(self.dataset, self.options, cursor, self.longest_s)

    def _rest(self, reading: Reading) -> None:
        with self._lock:
            if self._database is not None and len(self._at_rest) < _AT_REST:
                self._at_rest.append(reading)
                return
        reading.connection.close()
