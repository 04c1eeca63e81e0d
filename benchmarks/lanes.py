"""What one dead lane with much owed costs the others.

A lane whose receiver refuses every connection is owed 100,000 alertgroups. Beside it, and on a hub that has the same
alertgroups and no such lane:

- `intake`: alertgroups a second posted and stored, while another lane sends them to a receiver that answers
- `lane`: how many of those a second reached that receiver
- `hand`: milliseconds from POST to the receiver's hand, one at a time (p50, p99)

and the time to park a delivery when 10,000 and when 100,000 are parked already. Prints ratios; aims stand beside them.
"""

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import stand
from intake import PATH, Posts, Shifted
from load import load
from machine import machine
from tocsin.model import Alertgroup, Message
from tocsin.store import Part, Store, delivery, entry, open_store, sending
from tocsin.store.sending import Settled

AIM_RATIO = 0.9
AIM_MS = 50.0
REFUSING = "http://127.0.0.1:9/"
"""The port of the discard service, where nobody listens."""
AT_ONCE = 500
PARKED_AT_ONCE = 200


class Receiver(ThreadingHTTPServer):
    """Takes every POST; remembers when each alertgroup came, by its subject."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.came: dict[str, float] = {}
        self.rang = threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Take(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        at = time.perf_counter()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        server = self.server
        assert isinstance(server, Receiver)
        with server.rang:
            server.came[json.loads(body)["subject"]] = at
            server.rang.notify_all()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Numbers(NamedTuple):
    """Ids of a heap of deliveries: how many were parked, and the seconds each portion took for one."""

    parked: int
    each: float


def owe(store: Store, count: int, *lanes: str) -> None:
    """Store alertgroups that are owed to the lane, or to nobody. They count as indexed: that is not measured here."""
    for first in range(0, count, AT_ONCE):
        futures = []
        for number in range(first, min(first + AT_ONCE, count)):
            group = Alertgroup.of_rows(f"owed {number}", [{"n": number}])
            body = b'{"n": %d}' % number
            now = time.time_ns() // 1000
            message = Message(source="rest", body=body, media_type="application/json", received=now)
            futures.append(store.append(entry(message, [Part(group=group, severity=None, lanes=lanes)], "x", "1")))
        for future in futures:
            future.result()
    store.write(lambda tx: tx.run("DELETE FROM unindexed"))


def beside(arguments: argparse.Namespace, url: str, data: Path, *, dead: bool) -> dict[str, Any]:
    """Intake, another lane and the time to its hand, with the dead lane or without it."""
    receiver = Receiver()
    stand.configure(data, url, destinations=False)
    with (data / "tocsin.toml").open("a", encoding="utf-8") as toml:
        toml.write(f'\n[destinations.alive]\ntype = "webhook"\nurl = "{receiver.url}"\n')
        if dead:
            toml.write(f'\n[destinations.dead]\ntype = "webhook"\nurl = "{REFUSING}"\n')
    key = stand.key(data, url, "sender")
    store = open_store(url, data)
    owe(store, arguments.owed, *(["dead"] if dead else []))  # the same heap of alertgroups, owed or not
    store.close()
    with stand.serving(stand.TOCSIN, data) as port:
        posts = Posts(key, 1, port)
        time.sleep(arguments.settle)
        waits = sorted(_hands(receiver, posts, port, arguments.hands))
        before = len(receiver.came)
        many = load(port, Shifted(posts, 10**10), connections=arguments.connections, seconds=arguments.seconds)
        came = len(receiver.came) - before
    receiver.shutdown()
    receiver.server_close()
    return {
        "intake": round(many.per_second, 1),
        "failed": many.failed,
        "lane": round(came / (arguments.seconds + 1), 1),
        "p50_ms": round(1000 * statistics.median(waits), 1),
        "p99_ms": round(1000 * waits[int(len(waits) * 0.99)], 1),
    }


def _hands(receiver: Receiver, posts: Posts, port: int, count: int) -> Iterator[float]:
    """Seconds from POST to the receiver, one alertgroup after the other."""
    for number in range(count):
        body = posts.body(number)
        subject = json.loads(body)["subject"]
        headers = {"Authorization": f"apikey {posts.key}", "Content-Type": "application/json"}
        began = time.perf_counter()
        with urlopen(Request(f"http://127.0.0.1:{port}{PATH}", body, headers)) as answer:
            answer.read()
        with receiver.rang:
            until = time.monotonic() + 60
            while subject not in receiver.came:
                if not receiver.rang.wait(until - time.monotonic()):
                    raise TimeoutError("the receiver was never reached")
        yield receiver.came[subject] - began


def parking(url: str, data: Path, heap: int) -> tuple[list[Numbers], float]:
    """What parking one costs as the heap grows to `heap`; and how long a look at all lanes takes in the end."""
    data.mkdir(parents=True, exist_ok=True)
    store = open_store(url, data)
    owe(store, heap + 10 * PARKED_AT_ONCE, "dead")
    found: list[Numbers] = []
    parked = 0
    for mark in (heap // 10, heap):
        while parked < mark:
            parked += _park(store, min(5_000, mark - parked))
        took = []
        for _ in range(5):
            began = time.perf_counter()
            parked += _park(store, PARKED_AT_ONCE)
            took.append((time.perf_counter() - began) / PARKED_AT_ONCE)
        found.append(Numbers(mark, statistics.median(took)))
    began = time.perf_counter()
    store.read(delivery.lanes)
    look = time.perf_counter() - began
    store.close()
    return found, look


def _park(store: Store, count: int) -> int:
    now = time.time_ns() // 1000
    claimed = store.write(lambda tx: sending.claim(tx, "dead", count, now, now + 60_000_000))
    done = [Settled(id=one.id, attempt=one.attempt, outcome="failed", at=now, detail="refused") for one in claimed]
    store.write(lambda tx: sending.settle(tx, "dead", done, None))
    return len(done)


def show(arguments: argparse.Namespace, without: dict[str, Any], with_: dict[str, Any]) -> None:
    """The table and the ratios."""
    print(f"\n{arguments.engine}, {arguments.connections} connections, {arguments.owed:,} owed to the dead lane\n")
    print(f"{'':>14}  {'intake/s':>10}  {'lane/s':>10}  {'hand p50 ms':>12}  {'p99 ms':>8}")
    for name, run in (("without it", without), ("beside it", with_)):
        print(f"{name:>14}  {run['intake']:>10,.0f}  {run['lane']:>10,.0f}  {run['p50_ms']:>12}  {run['p99_ms']:>8}")
    for what in ("intake", "lane"):
        print(f"{what}: beside / without {with_[what] / max(without[what], 0.1):.2f} (aim {AIM_RATIO} or more)")
    print(f"hand: p50 {with_['p50_ms']} ms beside it (aim under {AIM_MS:.0f} ms)")


def main() -> None:
    """Measure and print."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    reader.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    reader.add_argument("--owed", type=int, default=100_000, help="what the dead lane is owed, and the heap of parked")
    reader.add_argument("--seconds", type=float, default=8, help="how long each run is measured")
    reader.add_argument("--settle", type=float, default=3, help="how long the server runs before that")
    reader.add_argument("--hands", type=int, default=200, help="alertgroups whose way is timed")
    reader.add_argument("--connections", type=int, default=16)
    reader.add_argument("--within", type=Path, help="folder for the data; the disk there is what is measured")
    reader.add_argument("--json", type=Path, help="write the figures there too")
    arguments = reader.parse_args()
    with stand.folder(arguments.within) as data, stand.databases(arguments.engine, arguments.within) as urls:
        here = machine(data)
        print(here, flush=True)
        with_ = beside(arguments, next(urls), data / "with", dead=True)
        without = beside(arguments, next(urls), data / "without", dead=False)
        show(arguments, without, with_)
        sys.stdout.flush()
        found, look = parking(next(urls), data / "parking", arguments.owed)
    for one in found:
        print(f"parking one with {one.parked:,} parked: {1_000_000 * one.each:.0f} microseconds")
    print(f"a look at all lanes with {found[-1].parked:,} parked: {1000 * look:.1f} ms")
    if arguments.json:
        report = {"machine": here, "engine": arguments.engine, "with": with_, "without": without}
        parked = [{"parked": one.parked, "each_us": 1_000_000 * one.each} for one in found]
        arguments.json.write_text(json.dumps({**report, "parking": parked}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
