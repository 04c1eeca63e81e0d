"""What comes out of DuckDB comes out once, also where its memory ran out in the middle."""

from typing import Any

import duckdb
import pytest

from tocsin.flows.exporting.pouring import pour

QUERY = "SELECT range AS number, 'row ' || range AS text FROM range(50000)"
OPTIONS = "FORMAT csv, HEADER"


class Short:
    """A connection whose memory is out, the first times that it copies, after so many rows."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, *after: int) -> None:
        self._connection, self._after, self.threads = connection, list(after), list[int]()

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        if not sql.startswith("COPY"):
            return self._connection.execute(sql)
        self.threads += self._connection.execute("SELECT current_setting('threads')").fetchall()[0]
        if not self._after:
            return self._connection.execute(sql)
        self._connection.execute(sql.replace(QUERY, f"{QUERY} LIMIT {self._after.pop(0)}"))
        raise duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate data")


def poured(*after: int) -> tuple[bytes, int, list[int]]:
    out = bytearray()
    with duckdb.connect(config={"threads": 3}) as connection:
        connection.execute("SET async_threads = 0")
        short: Any = Short(connection, *after)
        rows = pour(short, QUERY, OPTIONS, out.extend)
        again = connection.execute("SELECT current_setting('threads')").fetchall()[0][0]
    assert again == 3
    return bytes(out), rows, short.threads


def test_rows_come_once_where_memory_runs_out_half_way() -> None:
    whole, rows, threads = poured()
    assert (rows, threads) == (50_000, [3])
    assert whole.count(b"\n") == 50_001
    assert poured(0) == (whole, rows, [3, 1])
    assert poured(30_000) == (whole, rows, [3, 1])


def test_memory_that_one_thread_does_not_find_is_said() -> None:
    with pytest.raises(duckdb.OutOfMemoryException):
        poured(30_000, 40_000)
