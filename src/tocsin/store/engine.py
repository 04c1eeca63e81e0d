"""What both engines have in common: a transaction to speak SQL through, and one writer that commits for many.

SQL is written once. Parameters are `:name`. Words in braces stand for what must differ:

    {each:rows}     a table over the JSON array of arrays in `:rows`; cells are `value ->> 0`, `value ->> 1` …
    {regex:x:p}     whether text `x` matches the regular expression `:p`, case folded
    {plus}x         the column `x`, by which SQLite is not to look up; PostgreSQL decides for itself
    {id} {serial} {blob} {clustered} {for_update} {skip_locked}    see `Dialect`
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import msgspec
import structlog

from tocsin.errors import StoreError, StoreUnavailable

log = structlog.get_logger()

_PROBE_BYTES = 256 * 1024

Row = tuple[Any, ...]


class Change(NamedTuple):
    """What a commit changed, for those who show it or act on it."""

    kind: str
    """`created`, `updated`, `delivery` or `quarantined`."""
    alertgroups: tuple[int, ...] = ()
    lanes: tuple[str, ...] = ()


class Tx(Protocol):
    """One transaction. Raises StoreUnavailable when the engine fails, its own errors when the SQL is wrong."""

    changes: list[Change]
    """What to tell the listeners once this is committed."""

    @property
    def engine(self) -> str:
        """`sqlite` or `postgres`."""

    def rows(self, sql: str, **params: Any) -> list[Row]:
        """All rows of a query."""

    def row(self, sql: str, **params: Any) -> Row | None:
        """The first row, if any."""

    def run(self, sql: str, **params: Any) -> int:
        """Change something; how many rows were changed."""

    def many(self, sql: str, params: Sequence[dict[str, Any]]) -> None:
        """The same change for each of many parameters."""

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Until its end, a statement that takes longer is given up with TooSlow; the transaction is over then."""


TOO_SLOW = "the search takes too long: narrow it, for instance by a time as in received>now-7d"


class Session(Protocol):
    """The writer's own connection."""

    @property
    def tx(self) -> Tx:
        """Where to speak SQL between begin and commit."""

    def begin(self) -> None:
        """Open a transaction, connecting again first where that is needed."""

    def commit(self) -> None:
        """On return the transaction is on disk. Raises StoreUnavailable when it is not known to be."""

    def rollback(self) -> None:
        """Undo; never raises."""

    def close(self) -> None:
        """Let go of the connection."""


class Engine(Protocol):
    """A database: how to write to it, and how to read one moment of it."""

    @property
    def name(self) -> str:
        """`sqlite` or `postgres`."""

    def open(self) -> Session:
        """The session of the one writer."""

    def snapshot(self) -> AbstractContextManager[Tx]:
        """A reader's transaction: everything in it is seen at one moment."""

    def close(self) -> None:
        """Close the readers' connections."""


class Dialect(NamedTuple):
    """The words that differ."""

    name: str
    words: dict[str, str]
    each: str
    regex: str
    parameter: Callable[[str], str]
    percent: str = "%"


_WORD = re.compile(r"\{(\w+)(?::([^:{}]+))?(?::(\w+))?\}|(?<![:\w]):([a-z_]\w*)|%")


@lru_cache(maxsize=2048)
def _expand(sql: str, name: str) -> str:
    dialect = _DIALECTS[name]

    def word(match: re.Match[str]) -> str:
        braced, first, second, parameter = match.groups()
        if parameter:
            return dialect.parameter(parameter)
        if braced == "each":
            return dialect.each.format(dialect.parameter(first))
        if braced == "regex":
            return dialect.regex.format(first, dialect.parameter(second))
        return dialect.words[braced] if braced else dialect.percent

    return _WORD.sub(word, sql)


_DIALECTS: dict[str, Dialect] = {}


def register(dialect: Dialect) -> Callable[[str], str]:
    """Make a dialect known; the answer expands house SQL into it."""
    _DIALECTS[dialect.name] = dialect
    return lambda sql: _expand(sql, dialect.name)


def packed(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as the JSON array of arrays that `{each:…}` reads."""
    return msgspec.json.encode(list(rows)).decode()


def bound(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters as the engines take them: lists are packed for `{each:…}`."""
    for name, value in params.items():
        if isinstance(value, list):
            params[name] = packed(value)
    return params


class Job:
    """One change that waits for the next commit."""

    __slots__ = ("future", "what")

    def __init__(self, what: Any) -> None:
        self.what = what
        self.future: Future[Any] = Future()
        # From here on it will be done; a caller that goes away cannot cancel it.
        self.future.set_running_or_notify_cancel()


AppendAll = Callable[[Tx, list[Any]], list[Any]]


class Writer(threading.Thread):
    """The only thread that writes: takes all waiting jobs, runs them in one transaction, commits once, answers all.

    Callers wait for the fsync they share (group commit). A job that raises is undone alone (savepoint); a commit
    that fails is nobody's success. Jobs that are not callables are entries, stored together by `append_all`.
    """

    probe_s = 0.5
    most = 512

    def __init__(self, session: Session, append_all: AppendAll, committed: Callable[[list[Change]], None]) -> None:
        super().__init__(name="tocsin-writer", daemon=True)
        self._session = session
        self._append_all = append_all
        self._committed = committed
        self._waiting: list[Job] = []
        self._bell = threading.Condition()
        self._ended = False
        self.fault = ""

    def put(self, what: Any) -> Future[Any]:
        """Queue a job; its future is resolved after the commit that holds it."""
        job = Job(what)
        with self._bell:
            if self._ended:
                raise StoreUnavailable("the store is closed")
            self._waiting.append(job)
            self._bell.notify()
        return job.future

    @property
    def depth(self) -> int:
        """How many jobs wait."""
        return len(self._waiting)

    def close(self) -> None:
        """Commit what waits, then end."""
        with self._bell:
            self._ended = True
            self._bell.notify()
        self.join()
        self._session.close()

    def run(self) -> None:
        """Until closed: wait, take all, commit once."""
        while True:
            with self._bell:
                while not self._waiting and not self._ended:
                    if not self._bell.wait(self.probe_s if self.fault else None) and self.fault:
                        break
                jobs, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
                if not jobs and self._ended:
                    return
            if jobs:
                self._work(jobs)
            elif self.fault:
                self._work([])

    def _work(self, jobs: list[Job]) -> None:
        try:
            results = self._transaction(jobs)
        except _Spoiled:
            # One entry of the batch cannot be stored; alone, each stands or falls for itself.
            for job in jobs:
                self._work([job])
            return
        except BaseException as error:  # handed on to every waiting caller
            self._failed(jobs, error)
            return
        if self.fault:
            log.info("store works again", was=self.fault)
            self.fault = ""
        try:
            # Told before they are answered: who has an answer in hand finds that everybody knows of the change.
            if changes := self._session.tx.changes:
                self._committed(list(changes))
        finally:
            for job, result, failure in results:
                if failure is None:
                    job.future.set_result(result)
                else:
                    job.future.set_exception(failure)

    def _failed(self, jobs: list[Job], error: BaseException) -> None:
        if isinstance(error, StoreUnavailable) and str(error) != self.fault:
            log.error("store cannot write", reason=str(error))
            self.fault = str(error)
        for job in jobs:
            job.future.set_exception(error)
        if isinstance(error, StoreUnavailable):
            time.sleep(0.02)  # callers that come back at once should not keep a processor busy

    def _transaction(self, jobs: list[Job]) -> list[tuple[Job, Any, BaseException | None]]:
        session = self._session
        session.begin()
        session.tx.changes.clear()
        try:
            results = self._results(session.tx, jobs)
            session.commit()
        except BaseException:
            session.rollback()
            raise
        return results

    def _results(self, tx: Tx, jobs: list[Job]) -> list[tuple[Job, Any, BaseException | None]]:
        entries = [job for job in jobs if not callable(job.what)]
        results: list[tuple[Job, Any, BaseException | None]] = []
        if entries:
            answers = self._appended(tx, [job.what for job in entries], alone=len(jobs) == 1)
            results += [(job, answer, None) for job, answer in zip(entries, answers, strict=True)]
        if not jobs:
            _probe(tx)
        for job in jobs:
            if callable(job.what):
                results.append((job, *self._alone(tx, job.what)))
        return results

    def _appended(self, tx: Tx, entries: list[Any], *, alone: bool) -> list[Any]:
        try:
            return self._append_all(tx, entries)
        except StoreError:
            raise
        except BaseException as spoiled:
            if alone:
                raise
            raise _Spoiled from spoiled

    @staticmethod
    def _alone(tx: Tx, work: Callable[[Tx], Any]) -> tuple[Any, BaseException | None]:
        tx.run("SAVEPOINT job")
        try:
            result = work(tx)
        except StoreUnavailable:
            raise
        except BaseException as error:  # the caller's own; only the caller's part is undone
            tx.run("ROLLBACK TO SAVEPOINT job")
            tx.run("RELEASE SAVEPOINT job")
            return None, error
        tx.run("RELEASE SAVEPOINT job")
        return result, None


def _probe(tx: Tx) -> None:
    """Whether writing works again: as much as a large message takes, since a full disk still takes a small change."""
    tx.run("DELETE FROM original WHERE hash = 'probe'")
    tx.run(
        "INSERT INTO original (hash, codec, size, bytes) VALUES ('probe', 0, 0, :bytes)", bytes=os.urandom(_PROBE_BYTES)
    )
    tx.run("DELETE FROM original WHERE hash = 'probe'")


class _Spoiled(Exception):
    """An entry broke its batch; try the jobs one by one."""
