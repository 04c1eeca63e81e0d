"""How long pages take with a million alertgroups and ten million alerts stored, against a thousand.

Two servers stand side by side and each page is asked of the small one and of the large one, one right after the other:
the list (first page, deep pages, each filter, each order) and the detail, as pages and through the API. Prints p50, p99
and the ratio of the p99; the aim is under two.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import stand
from fill import RARE_SOURCE, RARE_TAG, RARE_WORD, fill
from load import load
from machine import machine
from tocsin.store import open_store

AIM = 2.0
ORDERS = ("subject", "status", "views", "alert_count", "updated", "created")
API = "/scot/api/v2/alertgroup"


class Asks(NamedTuple):
    """The same page in its variants, one after the other."""

    paths: tuple[str, ...]
    key: str

    def request(self, number: int) -> bytes:
        """The whole request."""
        path = self.paths[number % len(self.paths)]
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: apikey {self.key}\r\n\r\n".encode()


class Place(NamedTuple):
    """A filled store: how many alertgroups, where, its key, and some of its rows for deep pages."""

    groups: int
    data: Path
    key: str
    rows: Sequence[dict[str, Any]]


def scenarios(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is asked: a name, and paths that differ in where they look."""

    def behind(column: str) -> tuple[str, ...]:
        return tuple(quote(json.dumps([row[column], row["id"]], separators=(",", ":"))) for row in rows)

    yield "list, first page", ("/alerts",)
    yield "list, deep page", tuple(f"/alerts?after={after}" for after in behind("id"))
    for name, query in (
        ("status open", "status=open"),
        ("status promoted", "status=promoted"),
        ("common word", "subject=beacons"),
        ("rare word", f"subject={RARE_WORD}"),
        ("no such word", "subject=nosuchword"),
        ("common source", "source=splunk"),
        ("rare source", f"source={RARE_SOURCE}"),
        ("common tag", "tag=c2"),
        ("rare tag", f"tag={quote(RARE_TAG)}"),
        ("tag but not another", "tag=c2%2C!dns"),
        ("status, tag, word", "status=closed&tag=c2&subject=host"),
    ):
        yield f"list, {name}", (f"/alerts?{query}",)
    for column in ORDERS:
        yield f"list by {column}", (f"/alerts?sort={column}", f"/alerts?sort=-{column}")
        deep = tuple(f"/alerts?sort=-{column}&after={after}" for after in behind(column))
        yield f"list by {column}, deep page", deep
    for column in ("subject", "updated", "created", "views"):
        yield f"list by {column}, open", (f"/alerts?status=open&sort={column}", f"/alerts?status=open&sort=-{column}")
    yield "list by created, tag", ("/alerts?tag=c2&sort=created", "/alerts?tag=c2&sort=-created")
    yield "list by updated, word", ("/alerts?subject=beacons&sort=-updated",)
    yield "detail", tuple(f"/alerts/{row['id']}" for row in rows)
    yield "API list", (f"{API}?limit=50",)
    yield "API list, open", (f"{API}?limit=50&status=open",)
    yield "API list, tag", (f"{API}?limit=50&tag={quote(RARE_TAG)}",)
    yield "API detail", tuple(f"{API}/{row['id']}" for row in rows)


def place(url: str, data: Path, groups: int) -> Place:
    """A store with so many alertgroups, filled unless that was done before."""
    stand.configure(data, url, destinations=False)
    if not (data / "filled").exists():
        print(f"filling {groups:,} alertgroups", flush=True)
        fill(url, data, groups)
        (data / "filled").write_text(f"{groups}\n", encoding="utf-8")
    store = open_store(url, data)
    chance = random.Random(2)  # noqa: S311  # the same places every time
    some = [[chance.randrange(1, groups + 1)] for _ in range(50)]
    columns = ("id", *ORDERS)
    found = store.read(
        lambda tx: tx.rows(
            f"SELECT {', '.join(columns)} FROM alertgroup WHERE id IN"  # noqa: S608  # our own names
            " (SELECT CAST(value ->> 0 AS BIGINT) FROM {each:some})",
            some=some,
        )
    )
    store.write(lambda tx: tx.run("DELETE FROM api_key"))
    store.close()
    return Place(groups, data, stand.key(data, url, "viewer"), [dict(zip(columns, row, strict=True)) for row in found])


def measure(places: Sequence[Place], seconds: float, connections: int, only: str) -> list[dict[str, Any]]:
    """Every scenario on the small store and right after on the large one."""
    results: list[dict[str, Any]] = []
    with ExitStack() as stack:
        ports = [stack.enter_context(stand.serving(stand.TOCSIN, one.data)) for one in places]
        for both in zip(*(scenarios(one.rows) for one in places), strict=True):
            name = both[0][0]
            if only not in name:
                continue
            line: dict[str, Any] = {"page": name}
            for one, port, (_, paths) in zip(places, ports, both, strict=True):
                asks = Asks(paths, one.key)
                measured = load(port, asks, connections=connections, seconds=seconds, processes=1)
                if measured.failed or not measured.latencies:
                    print(f"{name}: {measured.failed} failed: {measured.first_failure}", file=sys.stderr)
                line[str(one.groups)] = {
                    "p50_ms": round(1000 * measured.percentile(50), 2),
                    "p99_ms": round(1000 * measured.percentile(99), 2),
                    "failed": measured.failed,
                }
            results.append(line)
            show(line, [str(one.groups) for one in places])
    return results


def show(line: dict[str, Any], sizes: Sequence[str]) -> None:
    """One line of the table."""
    small, large = (line[size] for size in sizes)
    line["ratio_p50"] = round(large["p50_ms"] / small["p50_ms"], 2)
    line["ratio_p99"] = round(large["p99_ms"] / small["p99_ms"], 2)
    print(
        f"{line['page']:34} {small['p50_ms']:8.1f} {small['p99_ms']:8.1f}   {large['p50_ms']:8.1f}"
        f" {large['p99_ms']:8.1f}   {line['ratio_p50']:5.2f} {line['ratio_p99']:5.2f}"
        f"{'' if line['ratio_p99'] < AIM else '  above the aim'}",
        flush=True,
    )


def main() -> None:
    """Fill, measure, print."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    reader.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    reader.add_argument("--groups", type=int, default=1_000_000, help="alertgroups in the large store")
    reader.add_argument("--small", type=int, default=1000, help="alertgroups in the small store")
    reader.add_argument("--seconds", type=float, default=2, help="how long each page is asked for, in each store")
    reader.add_argument("--connections", type=int, default=1)
    reader.add_argument("--only", default="", help="pages whose name holds this")
    reader.add_argument("--within", type=Path, help="folder for the data")
    reader.add_argument("--keep", type=Path, help="keep the filled stores there and use them again (SQLite)")
    reader.add_argument("--json", type=Path, help="write the figures there too")
    arguments = reader.parse_args()
    with ExitStack() as stack:
        within = arguments.keep or stack.enter_context(stand.folder(arguments.within))
        urls = stack.enter_context(stand.databases(arguments.engine, arguments.within))
        within.mkdir(parents=True, exist_ok=True)
        here = machine(within)
        print(here)
        sizes = (arguments.small, arguments.groups)
        places = [place(next(urls), within / str(size), size) for size in sizes]
        print(f"\n{arguments.engine}, {arguments.connections} connection(s); ms\n")
        print(f"{'':34} {sizes[0]:>17,}   {sizes[1]:>17,}   {'ratio':>11}")
        print(f"{'page':34} {'p50':>8} {'p99':>8}   {'p50':>8} {'p99':>8}   {'p50':>5} {'p99':>5}")
        results = measure(places, arguments.seconds, arguments.connections, arguments.only)
    if arguments.json:
        report = {"machine": here, "engine": arguments.engine, "sizes": sizes, "pages": results}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
