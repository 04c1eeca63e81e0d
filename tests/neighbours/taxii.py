"""A TAXII 2.1 server of our own that misbehaves.

It takes its time, refuses in parts, forgets statuses, lies about sizes and drops connections after accepting.

Written from OASIS TAXII 2.1; as strict about headers as the strictest servers. What it holds stands in `held`.
"""

import base64
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from neighbours.certificates import Authority

MEDIA = "application/taxii+json;version=2.1"
USER, PASSWORD, TOKEN = "tocsin", "pässword", "t0ken"
COLLECTION = "2f9d2a4e-2a15-4d1a-9f7c-3b6c6f1e9a01"
Object = dict[str, Any]


def a_collection(id: str = COLLECTION, title: str = "Alerts", **rest: Any) -> dict[str, Any]:
    """A collection's resource."""
    return {"id": id, "title": title, "can_read": True, "can_write": True} | rest


class Taxii:
    """What the server is told to do, and what was done to it.

    Each of `next` is what happens to one POST of objects: a status, (status, Retry-After), `lost` (taken, then the
    line is cut), `reset` (cut before), `garbage` (taken, and answered with nonsense).
    """

    def __init__(self, url: str) -> None:
        self.url = f"{url}/taxii2/"
        self.roots = ["/elsewhere/", "root/"]  # relative to the server and to the discovery
        self.collections: list[dict[str, Any]] = [a_collection()]
        self.versions = [MEDIA]
        self.max_content_length = 100_000
        self.really_takes = 0
        self.pending_looks = 0  # so often a status is pending; what is, is not held yet
        self.takes_unseen = False  # hold it nevertheless
        self.forgets = False
        self.lists = True
        self.fails_duplicates = True
        self.refuses: Callable[[Object], str] = lambda one: ""
        self.chokes_on: Callable[[Object], bool] = lambda one: False
        self.manifest_page = 1000
        self.page, self.gives_next, self.next_once = 100, True, False
        self.next: list[Any] = []
        self.mood: Callable[[], Any] = lambda: None  # asked once nothing stands in `next`
        self.garbled = b""
        self.next_get: list[Any] = []
        self.held: list[tuple[str, Object]] = []  # when it was added, and what
        self.requests: list[tuple[str, str, dict[str, str], int]] = []
        self.statuses: dict[str, dict[str, Any]] = {}
        self.looks_left: dict[str, int] = {}
        self.waiting: dict[str, list[Object]] = {}
        self.tokens: dict[str, int] = {}
        self.lock = threading.RLock()
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    def ids(self) -> list[str]:
        """The ids it holds, each version."""
        with self.lock:
            return [one["id"] for _, one in self.held]

    def posts(self) -> int:
        """How many times objects were posted."""
        return sum(method == "POST" for method, *_ in self.requests)

    def asked(self, part: str) -> list[str]:
        """The paths that were asked for with GET and hold that part."""
        return [path for method, path, *_ in self.requests if method == "GET" and part in path]

    def take(self, objects: list[Object]) -> dict[str, Any]:
        """Take objects, at once or after a few looks at their status."""
        with self.lock:
            id = str(uuid.uuid4())
            self.looks_left[id], self.waiting[id] = self.pending_looks, objects
            if not self.pending_looks or self.takes_unseen:
                self._finish(id)
            return self.shown(id)

    def shown(self, id: str) -> dict[str, Any]:
        """The status as it may be seen now."""
        with self.lock:
            if self.looks_left[id] <= 0:
                self._finish(id)
                return self.statuses[id]
            objects = self.waiting[id]
            counts = {
                "total_count": len(objects),
                "success_count": 0,
                "failure_count": 0,
                "pending_count": len(objects),
            }
            named = {"pendings": [{"id": one["id"], "version": version_of(one)} for one in objects]}
            return {"id": id, "status": "pending", **counts} | (named if self.lists else {})

    def finish(self) -> None:
        """Be done with everything that is pending."""
        with self.lock:
            self.looks_left = dict.fromkeys(self.looks_left, 0)
            for id in self.looks_left:
                self._finish(id)

    def _finish(self, id: str) -> None:
        """Add what is not there, and note what became of each."""
        if id in self.statuses:
            return
        self.now += timedelta(seconds=1)
        added = self.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        there = {(one["id"], version_of(one)) for _, one in self.held}
        successes: list[dict[str, str]] = []
        failures: list[dict[str, str]] = []
        for one in self.waiting[id]:
            said, key = {"id": one["id"], "version": version_of(one) or added}, (one["id"], version_of(one))
            if why := self.refuses(one):
                failures.append({**said, "message": why})
            elif key in there and self.fails_duplicates:
                failures.append({**said, "message": "Unable to process object"})
            else:
                successes.append(said)
                if key not in there:
                    self.held.append((added, one))
                    there.add(key)
        counts = {"success_count": len(successes), "failure_count": len(failures), "pending_count": 0}
        self.statuses[id] = {"id": id, "status": "complete", "total_count": len(self.waiting[id]), **counts}
        if self.lists:
            self.statuses[id] |= {"successes": successes, "failures": failures}


def version_of(one: Object) -> str:
    """`modified`, else `created`, else nothing."""
    return str(one.get("modified") or one.get("created") or "")


@contextmanager
def taxii(authority: Authority | None = None) -> Iterator[Taxii]:
    """The server on a port of its own, behind TLS if there is an authority."""
    server = _Server(("127.0.0.1", 0), _Door)
    scheme = "http"
    if authority is not None:
        server.socket = authority.context("localhost").wrap_socket(server.socket, server_side=True)
        scheme = "https"
    known = server.known = Taxii(f"{scheme}://localhost:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    known: Taxii
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed says nothing that is worth telling."""


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        known, parts = self.server.known, urlsplit(self.path)
        known.requests.append(("GET", self.path, dict(self.headers.items()), 0))
        bad = known.next_get.pop(0) if known.next_get else None
        if self._stopped() or self._spoiled(bad):
            return
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        collection = f"/taxii2/root/collections/{COLLECTION}/"
        match parts.path.removeprefix("/taxii2").removeprefix("/root"):
            case "/" if "root" not in parts.path:
                self._say(200, {"title": "A server", "description": None, "api_roots": known.roots})
            case "/" | "/elsewhere/":
                about = {"title": "A root", "versions": known.versions}
                self._say(200, {**about, "max_content_length": known.max_content_length})
            case "/collections/":
                self._say(200, {"collections": known.collections} if known.collections else {})
            case "/elsewhere/collections/":
                self._say(200, {})
            case path if path.startswith("/status/"):
                self._status(path.split("/")[2])
            case _ if parts.path == f"{collection}manifest/":
                self._manifest(query)
            case _ if parts.path == f"{collection}objects/":
                self._objects(query)
            case _:
                self._say(404, {"title": "Not found", "http_status": "404"})

    def do_POST(self) -> None:
        known = self.server.known
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        known.requests.append(("POST", self.path, dict(self.headers.items()), len(body)))
        bad = known.next.pop(0) if known.next else known.mood()
        if self._stopped():
            return
        if self.headers.get("Content-Type") != MEDIA:
            self._say(415, {"title": "Unsupported media type"})
        elif "Content-Length" not in self.headers:
            self._say(400, {"title": "No length"})
        elif self.path != f"/taxii2/root/collections/{known.collections[0]['id']}/objects/":
            self._say(404, {"title": "Not found"})
        elif len(body) > (known.really_takes or known.max_content_length):
            self._say(413, {"title": "Too large"})
        elif not self._spoiled(bad):
            objects = json.loads(body)["objects"]
            if any(known.chokes_on(one) for one in objects):
                self._say(422, {"title": "Unprocessable", "description": "something in it"})
                return
            told = known.take(objects)
            if bad == "lost":
                self.close_connection = True
            elif bad == "garbage":
                self._answer(202, b'{"id": [', MEDIA, {})
            else:
                self._say(202, told)

    def _stopped(self) -> bool:
        """Answer whoever may not enter, or does not say exactly what it wants."""
        known = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") not in (f"Basic {known}", f"Bearer {TOKEN}"):
            self._answer(401, b"<h1>Who are you?</h1>", "text/html", {"WWW-Authenticate": 'Basic realm="taxii"'})
        elif self.headers.get("Accept") != MEDIA:
            self._say(406, {"title": "Not acceptable"})
        else:
            return False
        return True

    def _spoiled(self, bad: Any) -> bool:
        """Misbehave once."""
        status, wait = bad if isinstance(bad, tuple) else (bad, None)
        if bad == "reset":
            self.close_connection = True
        elif isinstance(status, int):
            headers = {"Retry-After": wait} if wait is not None else {}
            self._answer(status, b"<html><h1>oops</h1></html>", "text/html", headers)
        else:
            return False
        return True

    def _status(self, id: str) -> None:
        known = self.server.known
        with known.lock:
            if id not in known.looks_left or known.forgets:
                self._say(404, {"title": "No such status"})
                return
            known.looks_left[id] -= 1
            self._say(200, known.shown(id))

    def _manifest(self, query: dict[str, str]) -> None:
        known = self.server.known
        if not known.collections[0]["can_read"]:
            self._say(403, {"title": "Forbidden"})
            return
        wanted = query["match[id]"].split(",")
        records = [
            {"id": one["id"], "date_added": added, "version": version_of(one) or added}
            for added, one in known.held
            if one["id"] in wanted
        ]
        most = known.manifest_page
        self._say(200, {"more": len(records) > most, "objects": records[:most]} if records else {})

    def _objects(self, query: dict[str, str]) -> None:
        known = self.server.known
        found = [(added, one) for added, one in known.held if added > query.get("added_after", "")]
        most = min(known.page, int(query.get("limit", known.page)))
        start = 0
        if token := query.get("next"):
            if token not in known.tokens:
                self._say(400, {"title": "next is too old"})
                return
            start = known.tokens.pop(token)
        page, more = found[start : start + most], len(found) > start + most
        said: dict[str, Any] = {"more": more, "objects": [one for _, one in page]} if page else {}
        if more and known.gives_next:
            said["next"] = str(uuid.uuid4())
            if not known.next_once or not known.tokens:
                known.tokens[said["next"]] = start + most
        dates = {"X-TAXII-Date-Added-First": page[0][0], "X-TAXII-Date-Added-Last": page[-1][0]} if page else {}
        self._answer(200, known.garbled or json.dumps(said).encode(), MEDIA, dates)

    def _say(self, status: int, answer: Any) -> None:
        self._answer(status, json.dumps(answer).encode(), MEDIA, {})

    def _answer(self, status: int, body: bytes, media_type: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": media_type, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
