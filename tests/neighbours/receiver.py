"""An HTTP receiver that misbehaves on request, and remembers what it got.

receiver.will(Status(503, {"Retry-After": "1"}), Drop(), Hang())   # the next three requests, in order
receiver.otherwise = Status(204)                                   # every one after those
receiver.choose = lambda request: Drop() if dice() else Status(200)  # or decide each time
"""

import contextlib
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


@dataclass(frozen=True)
class Status:
    """Answer at once with this status."""

    code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Slow:
    """Wait, then answer."""

    seconds: float
    then: Status = field(default_factory=Status)


@dataclass(frozen=True)
class Hang:
    """Take the request and say nothing until the receiver is let go or closed."""


@dataclass(frozen=True)
class Drop:
    """Take the request, then cut the connection (with a reset if `reset`) without an answer."""

    reset: bool = False


Behaviour = Status | Slow | Hang | Drop


@dataclass(frozen=True)
class Request:
    """One request as it came, with what was done to it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    behaviour: Behaviour

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)

    @property
    def taken(self) -> bool:
        """Whether the sender was told 2xx."""
        answer = self.behaviour.then if isinstance(self.behaviour, Slow) else self.behaviour
        return isinstance(answer, Status) and 200 <= answer.code < 300


class Receiver:
    """Listens on a free port of the loopback from its making until `close`."""

    def __init__(self, port: int = 0) -> None:
        self.otherwise: Behaviour = Status()
        self.choose: Callable[[Request], Behaviour] | None = None
        self._script: deque[Behaviour] = deque()
        self._seen: list[Request] = []
        self._news = threading.Condition()
        self._let_go = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Door, self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where to POST."""
        return f"http://127.0.0.1:{self.port}/alerts"

    @property
    def requests(self) -> list[Request]:
        """Everything that arrived whole, in order, whatever was done to it."""
        with self._news:
            return list(self._seen)

    def will(self, *behaviours: Behaviour) -> None:
        """Do these to the next requests, in order."""
        with self._news:
            self._script.extend(behaviours)

    def let_go(self) -> None:
        """End every hanging request, now and from now on, with a cut connection."""
        self._let_go.set()

    def wait_for(self, count: int, timeout: float = 60) -> list[Request]:
        """The requests once there are `count` of them.

        Raises:
            AssertionError: fewer came within `timeout` seconds.
        """
        with self._news:
            enough = self._news.wait_for(lambda: len(self._seen) >= count, timeout)
            assert enough, f"waited for {count} requests, got {len(self._seen)}"
            return list(self._seen)

    def close(self) -> None:
        """Stop listening and let hanging requests go."""
        self._let_go.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def receive(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Behaviour:
        """Remember a request and say what to do to it."""
        with self._news:
            behaviour = self._script.popleft() if self._script else self.otherwise
            request = Request(method, path, headers, body, behaviour)
            if self.choose is not None:
                behaviour = self.choose(request)
                request = Request(method, path, headers, body, behaviour)
            self._seen.append(request)
            self._news.notify_all()
        return behaviour

    def wait_until_let_go(self, seconds: float | None = None) -> None:
        """Hold a request."""
        self._let_go.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], door: type["_Door"], receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(address, door)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that was killed in the middle of a request is no error here."""


class _Door(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        behaviour = self.server.receiver.receive(self.command, self.path, dict(self.headers.items()), body)
        match behaviour:
            case Status():
                self._answer(behaviour)
            case Slow(seconds, then):
                self.server.receiver.wait_until_let_go(seconds)
                self._answer(then)
            case Hang():
                self.server.receiver.wait_until_let_go()
                self._cut(reset=False)
            case Drop(reset):
                self._cut(reset=reset)

    do_GET = do_POST
    do_PUT = do_POST
    do_HEAD = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the test looks at `requests`."""

    def _answer(self, status: Status) -> None:
        self.send_response(status.code)
        for name, value in status.headers.items():
            self.send_header(name, value)
        if not 100 <= status.code < 200 and status.code not in {204, 304}:
            self.send_header("Content-Length", str(len(status.body)))
        self.end_headers()
        self.wfile.write(status.body)

    def _cut(self, *, reset: bool) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            if reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def listening(port: int = 0) -> Iterator[Receiver]:
    """A receiver for as long as the block lasts; give `port` to come back on the same one."""
    receiver = Receiver(port)
    try:
        yield receiver
    finally:
        receiver.close()
