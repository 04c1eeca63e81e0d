"""Rows from DuckDB's own writer, as bytes, in order, without a file between."""

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Take = Callable[[bytes], object]
PIECE = 1 << 20


class _Pump:
    """Takes what comes out of a pipe, in a thread of its own, and lets go of it when nobody wants it any more."""

    def __init__(self, handle: int, take: Take) -> None:
        self._handle, self._take = handle, take
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="export")
        self._thread.start()

    def _run(self) -> None:
        try:
            while piece := os.read(self._handle, PIECE):
                self._take(piece)
        except OSError as error:
            self.error = error
        finally:
            os.close(self._handle)  # the writer hears of it at its next write

    def join(self) -> None:
        self._thread.join()


def pour(connection: "DuckDBPyConnection", query: str, options: str, take: Take) -> int:
    """Write the rows of a query, with the options of COPY; bytes go to `take`. How many rows there were.

    DuckDB formats with all its threads and keeps the order; it must not write by several threads, since a pipe has no
    positions (`async_threads`, see `connection`). What `take` raises as OSError comes out here.
    """
    import duckdb

    out, into = os.pipe()
    pump = _Pump(out, take)
    try:
        found = connection.execute(f"COPY ({query}) TO '/dev/fd/{into}' ({options}, USE_TMP_FILE false)").fetchone()
    except duckdb.Error:
        os.close(into)
        pump.join()
        if pump.error:
            raise pump.error from None
        raise
    except BaseException:
        os.close(into)
        pump.join()
        raise
    os.close(into)
    pump.join()
    if pump.error:
        raise pump.error
    return int(found[0]) if found else 0
