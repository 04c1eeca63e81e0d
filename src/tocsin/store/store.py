"""The store: reads in the caller's thread, writes through one writer that commits for many."""

import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import structlog

from tocsin.errors import StoreUnavailable
from tocsin.store.append import Entry, Stored, append_all
from tocsin.store.engine import Change, Engine, Tx, Writer
from tocsin.store.migrate import migrate
from tocsin.store.sqlite import Sqlite

T = TypeVar("T")
log = structlog.get_logger()

DATABASE = "tocsin.db"
MOST_WAITING = 20_000


def open_store(url: str, data: Path) -> "Store":
    """Open the store that `url` names: `sqlite` (in the folder `data`) or `postgresql://…`.

    Raises StoreUnavailable when it cannot be reached, SchemaTooNew when a newer Tocsin wrote it.
    """
    if url == "sqlite":
        return Store(Sqlite(data / DATABASE))
    try:
        from tocsin.store.postgres import Postgres  # noqa: PLC0415 - its driver is an extra, not everyone has it
    except ImportError as error:
        raise StoreUnavailable(
            f"PostgreSQL needs its driver: pip install 'tocsin[postgres]' ({error.name} is missing)"
        ) from None
    return Store(Postgres(url))


class Store:
    """Everything that is kept.

    Functions of the noun files are run through `read` and `write`: `store.read(lambda tx: alertgroup.get(tx, 7))`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._listeners: list[Callable[[Change], None]] = []
        session = engine.open()
        try:
            session.begin()
            self.schema = migrate(session.tx, _now())
            self.uid = _uid(session.tx)
            session.commit()
        except BaseException:
            session.rollback()
            session.close()
            raise
        self._writer = Writer(session, append_all, self._tell)
        self._writer.start()

    @property
    def engine(self) -> str:
        """`sqlite` or `postgres`."""
        return self._engine.name

    @property
    def waiting(self) -> int:
        """Jobs that wait for the next commit."""
        return self._writer.depth

    def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on one snapshot, in this thread."""
        with self._engine.snapshot() as tx:
            return work(tx)

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in the writer and return after the commit that holds it.

        Raises what `work` raises (and undoes its part alone), or StoreUnavailable when the commit failed.
        """
        return self.submit(work).result()

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """As `write`, without waiting."""
        return self._writer.put(work)

    def append(self, entry: Entry) -> Future[Stored]:
        """Store a message and what follows from it; resolved once it is on disk."""
        if self._writer.depth > MOST_WAITING:
            raise StoreUnavailable("the store cannot keep up: too many messages wait for the disk")
        return self._writer.put(entry)

    def on_commit(self, callback: Callable[[Change], None]) -> None:
        """Call back after each commit, in the writer's thread; must be quick."""
        self._listeners.append(callback)

    def healthy(self) -> str:
        """Empty, or why nothing can be written now."""
        return self._writer.fault or ("" if self._writer.is_alive() else "the store is closed")

    def close(self) -> None:
        """Commit what waits, then let go of everything."""
        self._writer.close()
        self._engine.close()

    def _tell(self, changes: list[Change]) -> None:
        for change in changes:
            for listener in self._listeners:
                listener(change)


def _uid(tx: Tx) -> str:
    """The UUID of this hub, the namespace of all ids we give to the world."""
    row = tx.row("SELECT uid FROM hub")
    if row is None:
        tx.run("INSERT INTO hub (one, uid, created) VALUES (1, :uid, :now)", uid=str(uuid.uuid4()), now=_now())
        row = tx.row("SELECT uid FROM hub")
        assert row is not None
    return str(row[0])


def _now() -> int:
    return time.time_ns() // 1000
