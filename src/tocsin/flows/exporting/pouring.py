"""Rows from DuckDB's own writer, as bytes, in order, without a file between."""

import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Take = Callable[[bytes], object]
PIECE = 1 << 20


def pour(connection: "DuckDBPyConnection", query: str, options: str, take: Take) -> int:
    """Write the rows of a query, with the options of COPY; bytes go to `take`, in a thread of its own. Counts rows.

    DuckDB formats with all its threads and keeps the order; it must not write by several threads, since a pipe has no
    positions (`async_threads`, see `export`). On a busy machine rows may pile up behind a thread that is kept waiting
    until memory is out: then one thread writes them anew, which leaves none waiting, and what went by already is left
    out. What `take` raises comes out here.
    """
    import duckdb

    once = _Once(take)
    try:
        return _poured(connection, query, options, once.take)
    except duckdb.OutOfMemoryException:
        ((threads,),) = connection.execute("SELECT current_setting('threads')").fetchall()
        connection.execute("SET threads = 1")
        once.begin()
        try:
            return _poured(connection, query, options, once.take)
        finally:
            connection.execute(f"SET threads = {threads}")


class _Once:
    """Passes on what did not go by before, of bytes that begin anew."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._passed = self._at = 0

    def begin(self) -> None:
        """The bytes begin anew."""
        self._at = 0

    def take(self, piece: bytes) -> None:
        known = min(len(piece), self._passed - self._at)
        self._at += len(piece)
        if known < len(piece):
            self._passed = self._at
            self._take(piece[known:] if known else piece)


def _poured(connection: "DuckDBPyConnection", query: str, options: str, take: Take) -> int:
    import duckdb

    out, into = os.pipe()
    with suppress(OSError):  # the system may grant no more than its 64 KiB, which only takes longer
        fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, PIECE)
    with ThreadPoolExecutor(1, "export") as pool:
        passed = pool.submit(_pass_on, out, take)
        try:
            copy = f"COPY ({query}) TO '/dev/fd/{into}' ({options}, USE_TMP_FILE false)"
            (rows,) = connection.execute(copy).fetchall()[0]
        except duckdb.Error:
            os.close(into)
            passed.result()  # rather what `take` raised than that the pipe broke
            raise
        except BaseException:
            os.close(into)
            raise
        os.close(into)
        passed.result()
    return int(rows)


def _pass_on(out: int, take: Take) -> None:
    try:
        while piece := os.read(out, PIECE):
            take(piece)
    finally:
        os.close(out)  # the writer hears of it at its next write
