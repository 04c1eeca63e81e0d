"""A TAXII 2.1 server with one collection that misbehaves for readers as it is told; and a source at work on it.

server.add(3)                              # three objects that share one instant
server.will(Said(503, {"Retry-After": "1"}))  # the next request for objects, in order
server.ways = frozenset(("no next",))      # see WAYS: how it behaves from now on
"""

import contextlib
import itertools
import json
import threading
import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from neighbours.mailbox import NAME
from tocsin.intake import Intake
from tocsin.intake.fetching import Fetchers
from tocsin.parsers.scot import Scot
from tocsin.parsers.stix import Stix
from tocsin.plugin import Source
from tocsin.store import Store, message

TAXII = "application/taxii+json;version=2.1"
ID, TITLE = "91a7b528-80eb-42ed-a74d-c6fbd5a26116", "Indicators"
WAYS = (
    "no next", "no dates", "whole seconds", "same page", "empty pages", "no limit", "new tokens for the same page",
)  # fmt: skip
START = 1_795_000_000  # 2026-11-18T11:06:40Z


@dataclass(frozen=True)
class Said:
    """An answer instead of a page."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"title": "no"}'
    media_type: str = TAXII


class Added:
    """Objects and when each was added, in that order."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._kept: list[tuple[int, bytes]] = []
        self._lock = threading.Lock()

    def add(self, objects: Sequence[Mapping[str, Any]], at: int) -> None:
        """At so many microseconds since the start."""
        with self._lock:
            self._kept += [(at, json.dumps(one).encode()) for one in objects]
            self.ids += [str(one["id"]) for one in objects]

    def after(self, at: int) -> list[tuple[int, bytes]]:
        """All that was added later."""
        with self._lock:
            return [one for one in self._kept if one[0] > at]


class Server:
    """Listens on a free port; objects that share an instant are added together."""

    def __init__(self, page: int) -> None:
        self.page = page
        self.ways: frozenset[str] = frozenset()
        self.asked: list[dict[str, str]] = []
        self.added = Added()
        self._script: deque[Said | None] = deque()
        self._clock = itertools.count(1)
        self._numbers = itertools.count(1)
        self._tokens = itertools.count(1)
        self._empty = 0
        self._server = _Server(("127.0.0.1", 0), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The discovery."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/taxii2/"

    def add(self, count: int, *, apart_us: int = 1_234_567) -> list[str]:
        """So many indicators, in one instant, some time after the last; their ids."""
        at = next(self._clock) * apart_us
        numbers = [next(self._numbers) for _ in range(count)]
        made = [an_indicator(number) for number in numbers]
        self.added.add(made, at)
        return [str(one["id"]) for one in made]

    def will(self, *said: Said | None) -> None:
        """Say this to the next requests for objects; None is what it would say anyway."""
        self._script.extend(said)

    @property
    def is_willing(self) -> bool:
        """Whether it was told nothing that it has not said yet."""
        return not self._script

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def objects(self, query: dict[str, str]) -> Said:
        """The answer to a request for objects."""
        self.asked.append(query)
        said = self._script.popleft() if self._script else None
        if said is not None:
            return said
        if "empty pages" in self.ways and "next" in query and self._empty < 3:
            self._empty += 1
            return _page({"more": True, "next": query["next"] + "e"})
        self._empty = 0
        start = _micros(query["added_after"]) if "added_after" in query else -1
        found = self.added.after(start)
        offset = int(query["next"].rstrip("e").partition("-")[0]) if "next" in query else 0
        if self.ways & {"same page", "new tokens for the same page"}:
            offset = 0
        size = len(found) if "no limit" in self.ways else min(int(query["limit"]), self.page)
        if "no next" in self.ways:
            size = min(int(query["limit"]), 4 * self.page)
        return self._answer(found[offset : offset + size], offset + size, len(found))

    def _answer(self, part: list[tuple[int, bytes]], end: int, count: int) -> Said:
        told: dict[str, Any] = {"objects": [json.loads(text) for _, text in part]} if part else {}
        if end < count:
            told["more"] = True
            if "no next" not in self.ways:
                told["next"] = (
                    f"{end}-{next(self._tokens)}" if "new tokens for the same page" in self.ways else str(end)
                )
        headers = {}
        if part and "no dates" not in self.ways:
            headers = {"X-TAXII-Date-Added-First": self._time(part[0][0])}
            headers["X-TAXII-Date-Added-Last"] = self._time(part[-1][0])
        return _page(told, headers)

    def _time(self, at: int) -> str:
        seconds, micros = divmod(at, 1_000_000)
        minute, second = divmod(seconds, 60)
        fraction = "" if "whole seconds" in self.ways else f".{micros:06}"
        return f"2026-11-18T{minute // 60:02}:{minute % 60:02}:{second:02}{fraction}Z"


def _micros(text: str) -> int:
    hour, minute, rest = text.removeprefix("2026-11-18T").removesuffix("Z").split(":")
    whole, _, fraction = rest.partition(".")
    assert len(fraction) == 6, text
    return (int(hour) * 3600 + int(minute) * 60 + int(whole)) * 1_000_000 + int(fraction)


def _page(told: dict[str, Any], headers: Mapping[str, str] | None = None) -> Said:
    return Said(200, headers or {}, json.dumps(told).encode())


def an_indicator(number: int, **more: Any) -> dict[str, Any]:
    """A numbered indicator, the same at every call."""
    time = "2026-11-18T00:00:00.000Z"
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid5(uuid.NAMESPACE_OID, str(number))}",
        "created": time,
        "modified": time,
        "name": f"indicator {number}",
        "pattern": f"[domain-name:value = 'h{number}.example.net']",
        "pattern_type": "stix",
        "valid_from": time,
    } | more


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], collection: Server) -> None:
        self.collection = collection
        super().__init__(address, _Door)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that was killed in the middle of a request is no error here."""


class _Door(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        one = {"id": ID, "title": TITLE, "can_read": True, "can_write": False}
        said = {
            "/taxii2/": _page({"title": "T", "api_roots": ["/root/"]}),
            "/root/": _page({"title": "R", "versions": [TAXII], "max_content_length": 1_000_000}),
            "/root/collections/": _page({"collections": [one]}),
            f"/root/collections/{ID}/": _page(one),
        }.get(parts.path)
        if parts.path == f"/root/collections/{ID}/objects/":
            said = self.server.collection.objects(query)
        said = said or Said(404)
        self.send_response(said.status)
        for name, value in (
            ("Content-Type", said.media_type), ("Content-Length", str(len(said.body))), *said.headers.items()
        ):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextlib.contextmanager
def serving(page: int = 5) -> Iterator[Server]:
    """A server for as long as the block lasts."""
    server = Server(page)
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def polling(source: Source, store: Store) -> Iterator[None]:
    """The source, fetching into the store for as long as the block lasts."""
    intake = Intake(store, {"scot": Scot(), "stix": Stix()}, ())
    fetchers = Fetchers(store, intake, {NAME: source})
    fetchers.start()
    try:
        yield
    finally:
        fetchers.stop(30)
        intake.close()


def stored(store: Store) -> list[list[str]]:
    """The ids of the objects of every message, as its original holds them."""

    def read(tx: Any) -> list[list[str]]:
        bodies = [message.original(tx, number) for (number,) in tx.rows("SELECT id FROM message ORDER BY id")]
        return [[one["id"] for one in json.loads(body)["objects"]] for body in bodies]

    return store.read(read)


def ids(store: Store) -> list[str]:
    """The ids of all objects, in the order in which they were stored."""
    return [id for each in stored(store) for id in each]
