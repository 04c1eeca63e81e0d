"""A Warden 3 server for tests, as the reference server behaves, and that misbehaves as it is told.

server.events                              # what it holds: (id, the client that saved it, the event)
server.next = ["lost", 500, None]          # what happens to the next calls of sendEvents, in order
server.next_get = [{"raw": b"<html>"}]     # the same for getEvents
server.refuses = lambda event: [(460, "no")]  # errors of one event besides those of the checks

Written from the facts about the reference server: events past the limit are refused with 507 while the others are
saved, an answer of 4xx is no word about the events that it does not name, nothing keeps duplicates away, and each call
of getEvents moves the place that the server remembers for the client.

Ways to misbehave at sendEvents. "lost": saved, then the line is cut. "slow": saved, answered too late. "garbage":
saved, and answered with what is no JSON. "counts less": saved, and answered with a number too low. "reset": cut before
anything is saved. "html": 502 of a proxy. "bare 500": an error that names no event. A number: that status of a proxy.
Of the last four nothing is saved.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from neighbours.certificates import Authority
from tocsin.formats.idea.categories import TAXONOMY

Event = dict[str, Any]
FIRST = 2
NAME, SECRET = "org.example.tocsin", "s3cr&t"


@dataclass
class Client:
    """A registered client."""

    name: str
    secret: str = ""
    read: bool = True
    write: bool = True
    test: bool = False
    cursor: int | None = None


class Warden:
    """What the server holds, what it is told to do, and what was asked."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/warden3"
        self.send_limit, self.get_limit, self.size_limit = 500, 1000, 5 * 2**20
        self.info_limit: int | None = None  # what getInfo says, if it lies
        self.clients = {NAME: Client(NAME)}
        self.events: list[tuple[int, str, Event]] = []
        self.last = FIRST - 1
        self.next: list[Any] = []
        self.mood: Callable[[], Any] = lambda: None  # asked once nothing stands in `next`
        self.next_get: list[Any] = []
        self.refuses: Callable[[Event], list[tuple[int, str]]] = lambda event: []
        self.chokes_on: Callable[[Event], bool] = lambda event: False  # then it wants nothing of a request
        self.requests: list[tuple[str, dict[str, list[str]], int]] = []
        self.connections: list[str] = []  # what each request said of its connection
        self.slow_s = 1.0
        self.lock = threading.RLock()

    def ids(self) -> list[str]:
        """The IDs of all that was saved, as often as it was."""
        with self.lock:
            return [event["ID"] for _, _, event in self.events]

    def asked(self, method: str) -> list[dict[str, list[str]]]:
        """The queries of a method's calls."""
        return [query for name, query, _ in self.requests if name == method]

    def put(self, *events: Event, by: str = "org.example.other") -> None:
        """Save events of somebody."""
        with self.lock:
            for event in events:
                self.last += 1
                self.events.append((self.last, by, event))

    def purge(self, below: int) -> None:
        """Forget the events with lower ids."""
        with self.lock:
            self.events = [one for one in self.events if one[0] >= below]

    def rebuild(self) -> None:
        """Begin with an empty store, and ids from the first."""
        with self.lock:
            self.events, self.last = [], FIRST - 1


def an_event(number: int, **more: Any) -> Event:
    """A numbered event of somebody else, the same at every call."""
    return {
        "Format": "IDEA0",
        "ID": f"event-{number}",
        "DetectTime": "2026-11-21T19:46:28Z",
        "Category": ["Recon.Scanning"],
        "Source": [{"IP4": [f"198.51.100.{number % 250 + 1}"]}],
        "Node": [{"Name": "org.example.other", "SW": ["Kippo"]}],
    } | more


@contextmanager
def warden(authority: Authority | None = None) -> Iterator[Warden]:
    """The server on a port of its own, behind TLS if there is an authority."""
    server = _Server(("127.0.0.1", 0), _Door)
    scheme = "http"
    if authority is not None:
        server.socket = authority.context("localhost").wrap_socket(server.socket, server_side=True)
        scheme = "https"
    server.known = Warden(f"{scheme}://localhost:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    known: Warden
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed says nothing that is worth telling."""


class _Wrong(Exception):
    """An error that means the whole request."""

    def __init__(self, code: int, message: str, **context: Any) -> None:
        super().__init__(message)
        self.error = {"error": code, "message": message, **context}


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        known, parts = self.server.known, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        method, query = parts.path.removeprefix("/warden3/"), parse_qs(parts.query)
        known.requests.append((method, query, len(body)))
        known.connections.append(self.headers.get("Connection", ""))
        does = {"getInfo": self._info, "getEvents": self._get, "sendEvents": self._send}.get(method)
        try:
            if does is None:
                raise _Wrong(404, f"You've fallen off the cliff: {method}")
            does(query, body)
        except _Wrong as wrong:
            self._errors(method, [wrong.error])

    def _client(self, query: dict[str, list[str]], right: str) -> Client:
        name, secret = query.get("client", [""])[0].lower(), query.get("secret", [""])[0]
        shown = self.connection.getpeercert() if hasattr(self.connection, "getpeercert") else None
        common = {key: value for ((key, value),) in (shown or {}).get("subject", ())}.get("commonName", "")
        found = [
            one
            for one in self.server.known.clients.values()
            if one.name == (name or one.name) and one.secret == secret and one.name == (common or one.name)
        ]
        if len(found) != 1 or not (name or secret or common):
            raise _Wrong(403, "I'm watching. Authenticate.")
        if not getattr(found[0], right) and not (right == "write" and found[0].test):
            raise _Wrong(403, "I'm watching. Not authorized.", client=found[0].name)
        return found[0]

    def _info(self, query: dict[str, list[str]], body: bytes) -> None:
        known = self.server.known
        self._client(query, "read")
        send = known.send_limit if known.info_limit is None else known.info_limit
        said = {"version": "3.0-beta2", "send_events_limit": send, "get_events_limit": known.get_limit}
        self._say(200, {**said, "description": "Test hub"})

    def _get(self, query: dict[str, list[str]], body: bytes) -> None:
        known = self.server.known
        client = self._client(query, "read")
        for one, other in (("cat", "nocat"), ("tag", "notag"), ("group", "nogroup")):
            if one in query and other in query:
                raise _Wrong(422, "Unrealizable conditions. Choose one of them.", **{one: query[one]})
        for key in ("cat", "nocat"):
            for word in query.get(key, []):
                if word not in TAXONOMY:
                    raise _Wrong(422, "Wrong tag or category used in query.", key=word)
        bad = known.next_get.pop(0) if known.next_get else None
        if self._spoiled(bad):
            return
        with known.lock:
            said = _number(query.get("id", [""])[0])
            count = _number(query.get("count", [""])[0])
            count = known.get_limit if count is None else min(count, known.get_limit)
            if count < 0:
                raise _Wrong(500, "Server error")
            top = max((id for id, _, _ in known.events), default=1)
            start = (client.cursor if client.cursor is not None else top) if said is None else said
            start = top + start if said is not None and start <= 0 else start
            fitting = [one for one in known.events if one[0] > start and _fits(one, query)][:count]
            lastid = max((id for id, _, _ in fitting), default=top)
            client.cursor = lastid
            random.Random(lastid).shuffle(fitting)  # nobody promises an order within a page
            self._say(200, {"lastid": lastid, "events": [event for _, _, event in fitting]})

    def _send(self, query: dict[str, list[str]], body: bytes) -> None:
        known = self.server.known
        client = self._client(query, "write")
        try:
            events = json.loads(body) if body else []
        except ValueError:
            raise _Wrong(400, "Deserialization error.") from None
        if not isinstance(events, list):
            raise _Wrong(400, "List of events expected.")
        if any(map(known.chokes_on, events)):
            raise _Wrong(400, "Deserialization error.")
        bad = known.next.pop(0) if known.next else known.mood()
        if bad == "bare 500":
            raise _Wrong(500, "Server error")
        if bad not in ("lost", "slow", "garbage", "counts less") and self._spoiled(bad):
            return
        with known.lock:
            errors, saved = self._taken(client, events)
        if bad == "slow":
            time.sleep(known.slow_s)
        if bad == "lost":
            self.close_connection = True
        elif bad == "garbage":
            self._answer(200, b'{"saved": ', "application/json")
        elif errors:
            self._errors("sendEvents", errors)
        else:
            self._say(200, {"saved": saved - (bad == "counts less")})

    def _taken(self, client: Client, events: list[Event]) -> tuple[list[dict[str, Any]], int]:
        """Save what may be; the errors, one for each event and fault, and how many were saved."""
        known = self.server.known
        errors, saved = [], 0
        for at, event in enumerate(events):
            found = [(507, "Too much events in one batch.")] if at >= known.send_limit else self._wrong(client, event)
            for code, message in found:
                context = {"send_events_limit": known.send_limit} if code == 507 else {}
                errors.append({"error": code, "message": message, "events": [at], "events_id": [event.get("ID")]})
                errors[-1] |= context
            if not found:
                saved += 1
                known.put(event, by=client.name)
        return errors, saved

    def _wrong(self, client: Client, event: Event) -> list[tuple[int, str]]:
        missing = [key for key in ("Format", "ID", "DetectTime", "Category") if not event.get(key)]
        if missing:
            return [(460, f"Validation error: {key} is a required property") for key in missing]
        node = (event.get("Node") or [{}])[0].get("Name", "")
        if node.lower() != client.name:
            return [(422, "Node does not correspond with saving client")]
        if client.test and "Test" not in event["Category"]:
            return [(422, 'You\'re allowed to send only messages, containing "Test" among categories.')]
        if len(json.dumps(event)) > self.server.known.size_limit:
            return [(413, "Event too long")]
        return self.server.known.refuses(event)

    def _spoiled(self, bad: Any) -> bool:
        """Misbehave once."""
        if bad == "reset":
            self.close_connection = True
        elif bad == "html":
            self._answer(502, b"<html><h1>Bad gateway</h1></html>", "text/html")
        elif isinstance(bad, int):
            self._answer(bad, b"<html><h1>oops</h1></html>", "text/html", {"Retry-After": "0"})
        elif isinstance(bad, dict):
            self._answer(bad.get("status", 200), bad["raw"], "application/json")
        else:
            return False
        return True

    def _errors(self, method: str, errors: list[dict[str, Any]]) -> None:
        codes = {one["error"] for one in errors}
        status = codes.pop() if len(codes) == 1 else max(code // 100 * 100 for code in codes)
        message = errors[0]["message"] if len(errors) == 1 else "Multiple errors"
        said = {"method": method, "req_id": random.getrandbits(32), "errors": errors}
        self._answer(status, json.dumps(said).encode(), "application/json", reason=message)

    def _say(self, status: int, said: Any) -> None:
        self._answer(status, json.dumps(said).encode(), "application/json")

    def _answer(
        self, status: int, body: bytes, media: str, headers: Mapping[str, str] | None = None, reason: str | None = None
    ) -> None:
        self.send_response(status, reason)
        for name, value in {"Content-Type": media, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _fits(one: tuple[int, str, Event], query: dict[str, list[str]]) -> bool:
    _, by, event = one
    words = {part for word in event["Category"] for part in (word, word.partition(".")[0])}
    tags = {tag for node in event.get("Node", []) if isinstance(node, dict) for tag in node.get("Type", [])}
    held: dict[str, Callable[[str], bool]] = {
        "cat": words.__contains__,
        "tag": tags.__contains__,
        "group": lambda name: f"{by}.".startswith(f"{name}."),
    }
    return all(
        (key not in query or any(map(has, query[key])))
        and (f"no{key}" not in query or not any(map(has, query[f"no{key}"])))
        for key, has in held.items()
    )
