"""SQLite through APSW: one file, write-ahead log, every commit synced."""

import os
import queue
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import apsw

from tocsin.errors import StoreUnavailable, TooSlow
from tocsin.store import functions
from tocsin.store.engine import TOO_SLOW, Change, Dialect, Row, bound, register

expand = register(
    Dialect(
        name="sqlite",
        words={
            "id": "INTEGER PRIMARY KEY",
            "serial": "INTEGER PRIMARY KEY",
            "blob": "BLOB",
            "plus": "+",
            "clustered": "WITHOUT ROWID",
            "for_update": "",
            "skip_locked": "",
        },
        each="json_each({0})",
        regex="regexp({1}, {0})",
        parameter=lambda name: ":" + name,
    )
)

_PROGRESS = 10_000
"""Steps of SQLite's between two looks at the clock: some milliseconds."""
_WRONG_SQL = (apsw.SQLError, apsw.ConstraintError, apsw.BindingsError, apsw.MismatchError)


class Sqlite:
    """The engine: where the file is, and how to open it."""

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._readers: queue.LifoQueue[SqliteTx] = queue.LifoQueue()
        self._inode = 0

    def open(self) -> "SqliteSession":
        """Create the file where there is none; the session is for the one writer."""
        session = SqliteSession(self)
        self._inode = self.inode()
        return session

    def inode(self) -> int:
        """The file's number; 0 when there is no such file any more."""
        try:
            return self.path.stat().st_ino
        except OSError:
            return 0

    def check_file(self) -> bool:
        """Whether the file is the one that was opened. Raises StoreUnavailable when it is gone."""
        now = self.inode()
        if not now:
            raise StoreUnavailable(f"the database file {self.path} is gone: put it back, or stop Tocsin and restore")
        return now == self._inode

    def renew(self) -> None:
        """Another file stands in the old one's place: forget the connections to the old one."""
        while True:
            try:
                self._readers.get_nowait().close()
            except queue.Empty:
                break
        self._inode = self.inode()

    @contextmanager
    def snapshot(self) -> Iterator["SqliteTx"]:
        """A reader's transaction: everything in it is seen at one moment."""
        try:
            tx = self._readers.get_nowait()
        except queue.Empty:
            tx = SqliteTx(connect(self.path, reader=True))
        try:
            tx.run("BEGIN")
            yield tx
        finally:
            tx.end()
            self._readers.put(tx)

    def close(self) -> None:
        """Close the readers' connections."""
        self.renew()


def connect(path: Path, *, reader: bool = False) -> apsw.Connection:
    """A connection with the settings that the promises rest on."""
    try:
        connection = apsw.Connection(str(path))
        connection.set_busy_timeout(10_000)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "FULL")
        connection.pragma("temp_store", "memory")
        connection.pragma("cache_size", -16_000 if reader else -128_000)
        connection.pragma("journal_size_limit", 256 * 1024 * 1024)
        connection.pragma("query_only", "1" if reader else "0")
        if not reader:
            connection.pragma("wal_autocheckpoint", 4000)
    except apsw.Error as error:
        fail(error, path)
    patterns: dict[str, Any] = {}
    connection.create_scalar_function("regexp", functions.matcher(patterns), 2, deterministic=True)
    connection.create_scalar_function("cell_holds", functions.cell_holds, 2, deterministic=True)
    return connection


def fail(error: apsw.Error, path: Path) -> NoReturn:
    """Sort an engine's error: the fault of our SQL goes on as it is, all others mean that the store is away."""
    if isinstance(error, _WRONG_SQL):
        raise error
    if isinstance(error, apsw.InterruptError):
        raise TooSlow(TOO_SLOW) from None
    folder = path.parent
    sentence = {
        apsw.FullError: f"the disk of {folder} is full: free some space",
        apsw.ReadOnlyError: f"{path} cannot be written: the folder or file is read-only",
        apsw.CantOpenError: f"{path} cannot be opened: does {folder} exist and may Tocsin write there?",
        apsw.CorruptError: f"{path} is damaged: stop Tocsin and restore a backup",
        apsw.NotADBError: f"{path} is not an SQLite database: restore a backup",
        apsw.BusyError: f"{path} is held by another program",
    }.get(type(error), f"{path}: {error}")
    raise StoreUnavailable(sentence) from error


class SqliteTx:
    """Statements on one connection."""

    engine = "sqlite"

    def __init__(self, connection: apsw.Connection) -> None:
        self.changes: list[Change] = []
        self._connection = connection
        self._path = Path(connection.filename)

    def rows(self, sql: str, **params: Any) -> list[Row]:
        """All rows of a query."""
        try:
            return self._connection.execute(expand(sql), bound(params)).fetchall()
        except apsw.Error as error:
            fail(error, self._path)

    def row(self, sql: str, **params: Any) -> Row | None:
        """The first row, if any."""
        try:
            cursor = self._connection.execute(expand(sql), bound(params))
            row = cursor.fetchone()
            cursor.close(True)
        except apsw.Error as error:
            fail(error, self._path)
        return row

    def run(self, sql: str, **params: Any) -> int:
        """Change something; how many rows were changed."""
        try:
            self._connection.execute(expand(sql), bound(params))
            return self._connection.changes()
        except apsw.Error as error:
            fail(error, self._path)

    def many(self, sql: str, params: Sequence[dict[str, Any]]) -> None:
        """The same change for each of many parameters."""
        try:
            self._connection.executemany(expand(sql), params)
        except apsw.Error as error:
            fail(error, self._path)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Until its end, a statement that takes longer is given up with TooSlow."""
        end = time.monotonic() + seconds
        self._connection.set_progress_handler(lambda: time.monotonic() > end, _PROGRESS)
        try:
            yield
        finally:
            self._connection.set_progress_handler(None)

    def end(self) -> None:
        """Leave the transaction, whatever happened in it."""
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except apsw.Error:
                # SQLite has left the transaction by itself; nothing of it was kept.
                return

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class SqliteSession:
    """The writer's connection."""

    def __init__(self, engine: Sqlite) -> None:
        self._engine = engine
        self.tx = SqliteTx(connect(engine.path))
        _sync_folder(engine.path.parent)

    def begin(self) -> None:
        """Open a transaction on the file that stands there now."""
        if not self._engine.check_file():
            self.tx.close()
            self._engine.renew()
            self.tx = SqliteTx(connect(self._engine.path))
        self.tx.run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """On return the transaction is on disk."""
        self.tx.run("COMMIT")

    def rollback(self) -> None:
        """Undo."""
        self.tx.end()

    def close(self) -> None:
        """Close the connection."""
        self.tx.close()


def _sync_folder(folder: Path) -> None:
    """A new file is only there after a crash once its folder is synced."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
