"""SQLite alone, inserting what the server would: the original, the group and its rows, in batches, synced."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import msgspec

BATCH = 64
_TABLES = """
CREATE TABLE original (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE alertgroup (id INTEGER PRIMARY KEY, message_id TEXT, subject TEXT, columns TEXT);
CREATE TABLE alert (id INTEGER PRIMARY KEY, alertgroup INTEGER NOT NULL, data TEXT NOT NULL);
"""


def insert(path: Path, body: Callable[[int], bytes], rows: int, seconds: float) -> float:
    """Groups a second. Bodies are made and read outside the measured time; write-ahead log, synchronous FULL."""
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "FULL")
    connection.execute(_TABLES)
    cells = [msgspec.json.encode(cell).decode() for cell in msgspec.json.decode(body(0))["data"]]
    done, took = 0, 0.0
    numbers = itertools.count()
    while took < seconds:
        batch = [(number, body(number)) for number in itertools.islice(numbers, BATCH)]
        groups = [(number, f"bench-{number}", f"beacon {number}", '["src"]') for number, _ in batch]
        alerts = [(number, cell) for number, _ in batch for cell in cells]
        began = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO original VALUES (?, ?)", batch)
        connection.executemany("INSERT INTO alertgroup VALUES (?, ?, ?, ?)", groups)
        connection.executemany("INSERT INTO alert (alertgroup, data) VALUES (?, ?)", alerts)
        connection.execute("COMMIT")
        took += time.perf_counter() - began
        done += len(batch)
    connection.close()
    assert rows == len(cells)
    return done / took
