"""The DuckDB that stays open between two questions: to open one takes longer than most answers."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tocsin.errors import FlowsError, TooSlow
from tocsin.flows import engine
from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling.detections import stamp
from tocsin.flows.labelling.prepared import Options, prepare
from tocsin.flows.labelling.said import COLUMNS, Row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LONGEST_S = 10.0
_AT_REST = 4
"""So many connections wait for the next question; each holds the tables that labels are made with."""
_AT_ONCE = 8
_WAIT_S = 2.0
"""So many questions are answered at once. Others wait a little and are refused then: the server's threads are for
everything it does."""
_AGAIN_S = 0.2


class Said(NamedTuple):
    """What one alertgroup says of flows (`labelling.said.rows`): its flows are asked for, not those of all alerts."""

    alertgroup: int
    rows: Sequence[Row]


class Reading:
    """One question: a connection that is given up when it takes too long."""

    def __init__(self, dataset: Dataset, options: Options, connection: "DuckDBPyConnection") -> None:
        self.dataset, self.options, self.connection = dataset, options, connection
        self.prepared = ""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        return self.connection.execute(sql).fetchall()

    def prepare(self, said: Said | None = None) -> None:
        """Have the tables that labels are made with, as of now; of one alertgroup alone, where it is said."""
        if said is not None:
            self._prepare_one(said)
            return
        wanted = stamp(self.dataset)
        if self.prepared != wanted:
            self.prepared = ""
            prepare(self.connection, self.dataset, self.options)
            self.prepared = wanted

    def _prepare_one(self, said: Said) -> None:
        self.prepared = ""
        shape = msgspec.json.encode([COLUMNS]).decode()
        rows = msgspec.json.encode(said.rows).decode()
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE one AS SELECT unnest(from_json(?, ?), recursive := true)", [rows, shape]
        )
        prepare(self.connection, self.dataset, self.options, said.alertgroup, "one")


class Warm:
    """One DuckDB for all threads of a server, with one limit of memory; close it with the server."""

    def __init__(self, dataset: Dataset, options: Options, *, longest_s: float = LONGEST_S) -> None:
        self.dataset, self.options, self.longest_s = dataset, options, longest_s
        self._lock, self._turns = threading.Lock(), threading.BoundedSemaphore(_AT_ONCE)
        self._database: DuckDBPyConnection | None = None
        self._at_rest: list[Reading] = []

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """A connection for one question. Raises NotInstalled, and TooSlow and FlowsError for what becomes of it."""
        if not self._turns.acquire(timeout=_WAIT_S):
            raise TooSlow(f"{_AT_ONCE} other questions about flows are being answered: ask again in a while.")
        try:
            found = self._one()
        except BaseException:
            self._turns.release()
            raise
        import duckdb

        ended = threading.Event()
        stop = threading.Thread(target=self._stop, args=(found, ended), name="tocsin-flows-limit", daemon=True)
        stop.start()
        sound = False
        try:
            yield found
            sound = True
        except duckdb.InterruptException as error:
            remedy = "narrow it down, for example with start>=now-1d or an address"
            raise TooSlow(f"This takes longer than {self.longest_s:g} seconds and was given up: {remedy}.") from error
        except duckdb.Error as error:
            if isinstance(error, duckdb.FatalException | duckdb.InternalException):
                self.close()  # it answers nothing any more; the next question opens another
            raise FlowsError(f"the flows in {self.dataset.folder} could not be read: {error}") from error
        finally:
            ended.set()
            stop.join()
            self._rest(found, sound)
            self._turns.release()

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            for reading in self._at_rest:
                reading.connection.close()
            self._at_rest.clear()
            if self._database is not None:
                self._database.close()
                self._database = None

    def _stop(self, reading: Reading, ended: threading.Event) -> None:
        """Interrupt what takes too long: again and again, since an interrupt between two statements stops nothing."""
        wait = self.longest_s
        while not ended.wait(wait):
            reading.connection.interrupt()
            wait = _AGAIN_S

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
        return Reading(self.dataset, self.options, cursor)

    def _rest(self, reading: Reading, sound: bool) -> None:
        """Keep it for the next question, unless it broke in the middle of one."""
        with self._lock:
            if sound and self._database is not None and len(self._at_rest) < _AT_REST:
                self._at_rest.append(reading)
                return
        reading.connection.close()
