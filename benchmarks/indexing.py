"""What indexing costs the intake, and how fast it is by itself.

For groups of 1 and 100 rows of ten columns, in the same minute:

- `on`: the real server, which indexes what comes in beside it
- `off`: the same server without the worker that indexes
- `alone`: what waited after `on`, indexed while nothing comes in

Prints the ratio of intake with indexing on to off, and alertgroups and rows a second of indexing alone.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import stand
from intake import Posts
from load import load
from tocsin.app import build, load_config

ROWS = (1, 100)
AIM = 0.7
AIM_ALONE = 2000
SERVERS = {"on": stand.TOCSIN, "off": (sys.executable, str(stand.HERE / "indexing_nothing.py"))}


def measure(arguments: argparse.Namespace, urls: Iterator[str], data: Path, rows: int) -> dict[str, Any]:
    """Both servers, then the rest alone."""
    result: dict[str, Any] = {"rows": rows}
    for name, command in SERVERS.items():
        folder, url = data / f"{name}-{rows}", next(urls)
        stand.configure(folder, url, destinations=False)
        key = stand.key(folder, url, "sender")
        with stand.serving(command, folder) as port:
            posts = Posts(key, rows, port)
            found = load(port, posts, connections=arguments.connections, seconds=arguments.seconds)
        if found.failed:
            print(f"{found.failed} posts failed, the first with: {found.first_failure}", file=sys.stderr)
        result[name] = {
            "per_second": round(found.per_second, 1),
            "p50_ms": round(1000 * found.percentile(50), 2),
            "p99_ms": round(1000 * found.percentile(99), 2),
        }
        if name == "on":
            result["waiting"] = waiting(folder)
    result["alone"] = alone(data / f"off-{rows}")
    return result


def waiting(data: Path) -> int:
    """How many alertgroups were still to be indexed when the load ended."""
    hub = build(load_config(data), data)
    try:
        return hub.indexer.lag(1 << 62).waiting
    finally:
        hub.stop()


def alone(data: Path) -> float:
    """Alertgroups indexed a second while nothing else happens; the readers' start is not counted."""
    hub = build(load_config(data), data)
    try:
        hub.indexer.look()
        before, began = hub.indexer.lag(1 << 62).waiting, time.monotonic()
        while hub.indexer.look():
            pass
        return round(before / (time.monotonic() - began), 1)
    finally:
        hub.stop()


def show(engine: str, connections: int, results: list[dict[str, Any]]) -> None:
    """The table and the ratios."""
    print(f"\n{engine}, {connections} connections; groups a second (p50 / p99 ms)\n")
    print(f"{'rows':>5}  {'indexing on':>24}  {'off':>24}  {'on / off':>8}  {'left':>7}  {'alone':>8}  {'rows/s':>8}")
    for result in results:
        cells = [f"{one['per_second']:,.0f} ({one['p50_ms']:.1f} / {one['p99_ms']:.1f})" for one in _runs(result)]
        ratio = result["on"]["per_second"] / result["off"]["per_second"]
        print(
            f"{result['rows']:>5}  {cells[0]:>24}  {cells[1]:>24}  {ratio:>8.2f}  {result['waiting']:>7,}"
            f"  {result['alone']:>8,.0f}  {result['alone'] * result['rows']:>8,.0f}"
        )
    print(f"\naims: on / off {AIM} or more; alone, groups of one row: {AIM_ALONE:,} a second or more")


def _runs(result: dict[str, Any]) -> list[dict[str, float]]:
    return [result[name] for name in SERVERS]


def main() -> None:
    """Measure and print."""
    stand.by_sizes(__doc__ or "", ROWS, measure, show)


if __name__ == "__main__":
    main()
