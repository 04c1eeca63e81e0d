"""How many alertgroups a second Tocsin takes in and has on disk when it answers.

For groups of 1, 2 and 100 rows of ten columns, in the same minute:

- `stored`: the real server; each answer comes after the commit and its fsync
- `sending`: the same, with the two file destinations that are on by default at work beside it
- `nothing`: the same server with a store that stores nothing
- `bare`: SQLite alone, no server, inserting the same rows in batches, synced as ours are

and the time one sender waits for the answer to 100 rows of ten columns. Prints ratios; aims are stated beside them.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import bare
import stand
from load import Measured, load

ROWS = (1, 2, 100)
PATH = "/scot/api/v2/alertgroup"
AIM_RATIO = 0.5
AIM_MS = 20.0


class Posts(NamedTuple):
    """Alertgroups of so many rows, each under a message id of its own."""

    key: str
    rows: int
    port: int

    def body(self, number: int) -> bytes:
        """The JSON a detector would send; its length does not depend on the number."""
        return _before(self.rows).replace(b"############", b"%012d" % number)

    def request(self, number: int) -> bytes:
        """The whole request."""
        body = self.body(number)
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: apikey {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def row(n: int) -> dict[str, Any]:
    """Ten columns as a search head would send them."""
    return {
        "_time": f"2026-03-01T12:{n % 60:02}:07.{n:03}Z",
        "src": f"192.0.2.{n % 250}",
        "src_port": 40_000 + n,
        "dest": f"198.51.100.{n % 200}",
        "dest_port": 443,
        "protocol": "tcp",
        "signature": "ET MALWARE Observed beacon to known command and control",
        "category": "A Network Trojan was detected",
        "severity": "high",
        "flow_id": 1_000_000_007 * (n + 1),
    }


_bodies: dict[int, bytes] = {}


def _before(rows: int) -> bytes:
    if rows not in _bodies:
        group = {
            "message_id": "bench-############",
            "subject": "Splunk alert: beacons to known command and control ############",
            "source": ["splunk"],
            "tag": ["c2", "beacon"],
            "columns": list(row(0)),
            "data": [row(n) for n in range(rows)],
        }
        _bodies[rows] = json.dumps(group).encode()
    return _bodies[rows]


def measure(arguments: argparse.Namespace, urls: Iterator[str], data: Path, rows: int) -> dict[str, Any]:
    """All runs for one size of group."""
    results: dict[str, Any] = {"rows": rows}
    for name, command, destinations in (
        ("stored", stand.TOCSIN, False),
        ("sending", stand.TOCSIN, True),
        ("nothing", stand.STORING_NOTHING, False),
    ):
        results[name] = _run(arguments, next(urls), data / f"{name}-{rows}", command, rows, destinations=destinations)
    results["bare"] = bare.insert(data / f"bare-{rows}.db", Posts("", rows, 0).body, rows, arguments.seconds / 2)
    return results


def _run(
    arguments: argparse.Namespace, url: str, data: Path, command: tuple[str, ...], rows: int, *, destinations: bool
) -> dict[str, Any]:
    stand.configure(data, url, destinations=destinations)
    key = stand.key(data, url, "sender")
    with stand.serving(command, data) as port:
        posts = Posts(key, rows, port)
        many = load(port, posts, connections=arguments.connections, seconds=arguments.seconds)
        result = _figures(many)
        if rows == ROWS[-1]:
            numbered = Shifted(posts, 10**11)
            result["alone"] = _figures(load(port, numbered, connections=1, seconds=min(5.0, arguments.seconds)))
    return result


class Shifted(NamedTuple):
    """The same requests under numbers that were not used yet."""

    posts: Posts
    by: int

    def request(self, number: int) -> bytes:
        """The whole request."""
        return self.posts.request(number + self.by)


def _figures(measured: Measured) -> dict[str, Any]:
    if measured.failed:
        print(f"{measured.failed} posts failed, the first with: {measured.first_failure}", file=sys.stderr)
    return {
        "per_second": round(measured.per_second, 1),
        "p50_ms": round(1000 * measured.percentile(50), 2),
        "p99_ms": round(1000 * measured.percentile(99), 2),
        "failed": measured.failed,
    }


def show(engine: str, connections: int, results: list[dict[str, Any]]) -> None:
    """The table and the ratios."""
    print(f"\n{engine}, {connections} connections; groups a second (p50 / p99 ms)\n")
    print(f"{'rows':>5}  {'stored':>24}  {'sending':>24}  {'storing nothing':>24}  {'bare SQLite':>12}")
    for result in results:
        cells = [
            f"{result[name]['per_second']:,.0f} ({result[name]['p50_ms']:.1f} / {result[name]['p99_ms']:.1f})"
            for name in ("stored", "sending", "nothing")
        ]
        print(f"{result['rows']:>5}  " + "  ".join(f"{cell:>24}" for cell in cells) + f"  {result['bare']:>12,.0f}")
    print()
    for result in results:
        stored, nothing = result["stored"]["per_second"], result["nothing"]["per_second"]
        print(
            f"{result['rows']:>5} rows: stored / nothing {stored / nothing:.2f} (aim {AIM_RATIO} or more),"
            f" sending / nothing {result['sending']['per_second'] / nothing:.2f},"
            f" stored / bare {stored / result['bare']:.2f}"
        )
    for result, name in ((result, name) for result in results for name in ("stored", "sending")):
        if alone := result[name].get("alone"):
            print(f"  100 rows, one sender, {name}: p50 {alone['p50_ms']:.1f} ms (aim under {AIM_MS:.0f} ms)")


def main() -> None:
    """Measure and print."""
    stand.by_sizes(__doc__ or "", ROWS, measure, show)


if __name__ == "__main__":
    main()
