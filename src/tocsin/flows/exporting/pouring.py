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
    positions (`async_threads`, see `export`). What `take` raises comes out here.
    """
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
