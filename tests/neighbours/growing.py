"""Zeek's conn.log as JSON, line by line: each flow is known by its number."""

import json
from collections import Counter
from pathlib import Path

from tocsin.flows.dataset import Dataset
from tocsin.flows.kinds import Column

BEGIN = 1_790_000_000.0


def line(number: int) -> bytes:
    """A connection whose uid is its number."""
    said = {
        "ts": BEGIN + number,
        "uid": f"C{number}",
        "id.orig_h": "192.0.2.1",
        "id.orig_p": 1024 + number % 60_000,
        "id.resp_h": "198.51.100.7",
        "id.resp_p": 443,
        "proto": "tcp",
        "conn_state": "SF",
    }
    return json.dumps(said).encode() + b"\n"


def lines(first: int, last: int) -> bytes:
    """Those from the first to the last, which is not among them."""
    return b"".join(line(number) for number in range(first, last))


def numbers(dataset: Dataset) -> list[int]:
    """Of all connections, in the order of the data set."""
    with dataset.reading(("conn",)) as parts, dataset.connection() as connection:
        rows = dataset.rows(parts, (Column("place", "BIGINT"), Column("uid", "VARCHAR")))
        return [int(uid[1:]) for (uid,) in connection.execute(f"SELECT uid FROM {rows}").fetchall()]


def each_once(dataset: Dataset, last: int) -> bool:
    """Whether every connection before the last is there, and none twice."""
    return Counter(numbers(dataset)) == Counter(range(last))


def grow(path: Path, more: bytes) -> None:
    """Write on."""
    with path.open("ab") as out:
        out.write(more)
