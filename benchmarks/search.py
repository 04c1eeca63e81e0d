"""How long searches take with a million alertgroups and ten million alerts stored, against a thousand.

Each query is asked as a page asks it: the newest fifty, and how many there are up to a thousand; of the small store and
of the large one, one right after the other, in this process and without a server. Prints p50, p99 and their ratios (the
aim for the p99 is under three), and says of each query whether its plan looks at a whole table.
"""

import argparse
import gc
import json
import re
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import stand
from haystack import NOW, RARE_HOST, RARE_NET, RARE_SOURCE, RARE_TAG, RARE_WORD, counted, fill
from machine import machine
from tocsin.errors import TooSlow
from tocsin.query import Tree, parse
from tocsin.store import Store, Tx, open_store, search
from tocsin.store.alertgroup import Order

AIM = 3.0
MOST = 1000
QUERIES: dict[str, str] = {
    "everything": "",
    "rare word": RARE_WORD,
    "common word": "malware",
    "phrase": '"command and control"',
    "source and severity": "source:splunk and severity>=high",
    "rare tag": f'tag:"{RARE_TAG}"',
    "common tag": "tag:scan",
    "not a tag": "not tag:scan",
    "narrow network": f"src:{RARE_NET}.0/24",
    "wide network": "src:10.0.0.0/8",
    "rare entity": f"entity:{RARE_HOST}",
    "common entity": "entity:23.0.0.0",
    "cell": "data.user:mallory",
    "common cell": "data.user:user3",
    "time and words": "received>=now-7d and beacon",
    "delivery failed": "delivery:failed",
    "one alert": "alert:{src:10.3.0.0/16 and dst_port:443}",
    "one rare alert": f"alert:{{src:{RARE_NET}.0/24 and dst_port:4444}}",
    "either, common": "tag:scan or source:zeek",
    "either, rare": f'{RARE_WORD} or tag:"{RARE_TAG}"',
    "either, mixed": f"{RARE_WORD} or tag:scan",
    "common, never together": "source:slips and tag:scan",
    "rare, never together": f'source:{RARE_SOURCE} and tag:"{RARE_TAG}"',
    "no such word": "nosuchword",
    "common and rare": f"source:splunk and malware and not tag:scan and {RARE_WORD}",
    "signature": "name:trickbot and status:open",
}
_SCANS = re.compile(r"^SCAN (\w+)$|Seq Scan on \w+ (\w+)", re.MULTILINE)
_DERIVED = frozenset({"d", "f", "n", "first", "last"})
_SORTS = re.compile(r"USE TEMP B-TREE FOR ORDER BY|Sort Key")


def place(url: str, data: Path, groups: int) -> Store:
    """A store with so many alertgroups, filled unless that was done before."""
    if not (data / "filled").exists():
        print(f"filling {groups:,} alertgroups", flush=True)
        fill(url, data, groups)
        (data / "filled").write_text(f"{groups}\n", encoding="utf-8")
    return open_store(url, data)


def asked(tx: Tx, tree: Tree, order: Order) -> tuple[int, int]:
    """What one page asks for."""
    rows = search.page(tx, tree, order, 50, None, NOW)
    return len(rows), search.count_up_to(tx, tree, MOST, NOW)


class Took(NamedTuple):
    """Milliseconds of each time it was asked, sorted: by the clock, and of this thread's processor."""

    clock: list[float]
    processor: list[float]

    def figures(self) -> dict[str, float]:
        """p50 and p99 of both."""
        last = int(0.99 * (len(self.clock) - 1))
        middle = len(self.clock) // 2
        return {
            "p50_ms": round(self.clock[middle], 3),
            "p99_ms": round(self.clock[last], 3),
            "cpu_p50_ms": round(self.processor[middle], 3),
            "cpu_p99_ms": round(self.processor[last], 3),
        }


def timed(store: Store, tree: Tree, order: Order, seconds: float) -> tuple[Took, tuple[int, int]]:
    """How long it takes again and again, and what came."""
    found = store.read(lambda tx: asked(tx, tree, order))
    took = Took([], [])
    until = time.perf_counter() + seconds
    while len(took.clock) < 20 or (time.perf_counter() < until and len(took.clock) < 1000):
        began, busy = time.perf_counter(), time.thread_time()
        store.read(lambda tx: asked(tx, tree, order))
        took.clock.append(1000 * (time.perf_counter() - began))
        took.processor.append(1000 * (time.thread_time() - busy))
        if len(took.clock) >= 5 and time.perf_counter() > until + 5 * seconds:
            break
    took.clock.sort()
    took.processor.sort()
    return took, found


def scans(store: Store, tree: Tree, order: Order) -> list[str]:
    """The tables that the plan of the large store looks at as a whole.

    Walking `alertgroup` in the order that is asked for until the page is full is none; sorting what is found there is.
    """
    told = store.read(lambda tx: search.plan(tx, tree, order, NOW))
    found = {first or second for first, second in _SCANS.findall(told)} - _DERIVED
    return sorted(found if _SORTS.search(told) else found - {"g", "h"})


def measure(stores: Sequence[Store], order: Order, seconds: float, only: str) -> list[dict[str, Any]]:
    """Every query on the small store and right after on the large one."""
    results: list[dict[str, Any]] = []
    for name, query in QUERIES.items():
        if only not in name:
            continue
        tree = parse(query)
        line: dict[str, Any] = {"query": name, "text": query}
        try:
            for size, store in zip(("small", "large"), stores, strict=True):
                took, found = timed(store, tree, order, seconds)
                line[size] = {**took.figures(), "page": found[0], "count": found[1], "times": len(took.clock)}
        except TooSlow as error:
            print(f"{name:24} no answer: {error}", flush=True)
            results.append(line | {"failed": str(error)})
            continue
        line["scans"] = scans(stores[1], tree, order)
        results.append(line)
        show(line)
    return results


def show(line: dict[str, Any]) -> None:
    """One line of the table."""
    small, large = line["small"], line["large"]
    for name in ("p50", "p99", "cpu_p50", "cpu_p99"):
        line[f"ratio_{name}"] = round(large[f"{name}_ms"] / small[f"{name}_ms"], 2)
    print(
        f"{line['query']:24} {small['count']:>5} {small['p50_ms']:8.2f} {small['p99_ms']:8.2f}  {large['count']:>5}"
        f" {large['p50_ms']:8.2f} {large['p99_ms']:8.2f}   {line['ratio_p50']:6.2f} {line['ratio_p99']:6.2f}"
        f"   {line['ratio_cpu_p50']:6.2f} {line['ratio_cpu_p99']:6.2f}"
        f"{'' if line['ratio_p99'] < AIM else '  above the aim'}"
        f"{'  LOOKS AT ALL OF ' + ', '.join(line['scans']) if line['scans'] else ''}",
        flush=True,
    )


def main() -> None:
    """Fill, measure, print."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    reader.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    reader.add_argument("--groups", type=int, default=1_000_000, help="alertgroups in the large store")
    reader.add_argument("--small", type=int, default=1000, help="alertgroups in the small store")
    reader.add_argument("--seconds", type=float, default=2, help="how long each query is asked, in each store")
    reader.add_argument("--only", default="", help="queries whose name holds this")
    reader.add_argument("--sort", default="-id", help="what the pages are ordered by, with - for the highest first")
    reader.add_argument("--within", type=Path, help="folder for the data")
    reader.add_argument("--keep", type=Path, help="keep the filled stores there and use them again (SQLite)")
    reader.add_argument("--json", type=Path, help="write the figures there too")
    arguments = reader.parse_args()
    order = Order(column=arguments.sort.lstrip("-"), descending=arguments.sort.startswith("-"))
    with ExitStack() as stack:
        within = arguments.keep or stack.enter_context(stand.folder(arguments.within))
        urls = stack.enter_context(stand.databases(arguments.engine, arguments.within))
        within.mkdir(parents=True, exist_ok=True)
        sizes = (arguments.small, arguments.groups)
        stores = [place(next(urls), within / str(size), size) for size in sizes]
        here = machine(within)
        print(f"{here}\n{arguments.engine}, by {arguments.sort}; {counted(stores[1])}\n")
        print(f"{'':24} {sizes[0]:>23,}  {sizes[1]:>23,}   {'ratio':>13}   {'processor':>13}")
        times = f"{'p50':>8} {'p99':>8}"
        print(f"{'query':24} {'found':>5} {times}  {'found':>5} {times}" + 2 * f"   {'p50':>6} {'p99':>6}")
        gc.freeze()
        results = measure(stores, order, arguments.seconds, arguments.only)
        for store in stores:
            store.close()
    if arguments.json:
        report = {
            "machine": here,
            "engine": arguments.engine,
            "sizes": sizes,
            "sort": arguments.sort,
            "queries": results,
        }
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
