"""A server of our own that speaks Lumberjack v2 as Logstash's Beats input does, or as Elastic's go-lumber.

What they do was seen on the wire. Logstash answers with the highest number of a window's frames once it has them all,
says `A 0` while its pipeline blocks, closes idle connections and resets on what it cannot read. go-lumber counts what
it was given and says how far it is. What they took stands in `taken`, each document as often as it came.
"""

import contextlib
import json
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from neighbours.certificates import Authority

Document = dict[str, Any]
PATIENCE_S = 60.0


class Lumberjack:
    """What the server does, to be set by tests, and what it saw."""

    def __init__(self, port: int = 0) -> None:
        self.manner: Literal["logstash", "go"] = "logstash"
        self.taken: list[Document] = []
        self.windows: list[int] = []
        self.connections = 0
        self.compressed = 0
        self.peers: list[Any] = []
        self.refuses: Callable[[Document], bool] = lambda document: False
        """Documents at which it resets the connection."""
        self.busy = 0
        """So many keep-alives before each acknowledgement; each after `busy_s`."""
        self.busy_s = 0.01
        self.partly = 0
        """Acknowledge so many at first, and then the rest."""
        self.breaks: list[str] = []
        """For the next windows, one each: lost (taken, no answer), partly (half of it acknowledged), silent, idle
        (taken, and the connection closed), nonsense, more (acknowledges more than there is), twice (acknowledges the
        same once more); "" for nothing."""
        self.spool: Path | None = None
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self.listener.getsockname()[1]

    def ids(self) -> list[str]:
        """The event ids of what was taken, as often as they came."""
        with self.lock:
            return [document["event"]["id"] for document in self.taken]


@contextlib.contextmanager
def lumberjack(
    authority: Authority | None = None, *, name: str = "localhost", proof: bool = False, port: int = 0
) -> Iterator[Lumberjack]:
    """The server on a port of its own; behind TLS if there is an authority, for clients with its `proof` only."""
    known = Lumberjack(port)
    context = None if authority is None else authority.context(name)
    if context is not None and proof:
        context.verify_mode = ssl.CERT_REQUIRED
    threads: list[threading.Thread] = []

    def accept() -> None:
        while not known.ended.is_set():
            try:
                line, _ = known.listener.accept()
            except OSError:
                return
            known.connections += 1
            thread = threading.Thread(target=_served, args=(known, line, context), daemon=True)
            thread.start()
            threads.append(thread)

    door = threading.Thread(target=accept, daemon=True)
    door.start()
    try:
        yield known
    finally:
        known.ended.set()
        with contextlib.suppress(OSError):
            known.listener.shutdown(socket.SHUT_RDWR)
        known.listener.close()
        door.join()


def _served(known: Lumberjack, line: socket.socket, context: ssl.SSLContext | None) -> None:
    line.settimeout(PATIENCE_S)
    with contextlib.suppress(OSError, _Reset):
        if context is not None:
            guarded = line = context.wrap_socket(line, server_side=True)
            known.peers.append(guarded.getpeercert())
        with line:
            try:
                while not known.ended.is_set():
                    _window(known, line)
            except _Reset:
                # As Logstash does: no last words, and nothing of what is on its way arrives.
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise
            except _Closed:
                return


class _Reset(Exception):
    """The connection ends with a reset."""


class _Closed(Exception):
    """The connection ends."""


def _window(known: Lumberjack, line: socket.socket) -> None:
    """Read one window and answer it."""
    kind, count = _head(line)
    if kind != b"2W":
        raise _Reset
    documents: list[Document] = []
    numbers: list[int] = []
    while len(documents) < count:
        kind, number = _head(line)
        if kind == b"2C":
            known.compressed += 1
            _inflated(zlib.decompress(_exactly(line, number)), documents, numbers)
        elif kind == b"2J":
            (length,) = struct.unpack(">I", _exactly(line, 4))
            _read(_exactly(line, length), documents)
            numbers.append(number)
        else:
            raise _Reset
    if any(known.refuses(document) for document in documents):
        raise _Reset
    with known.lock:
        way = known.breaks.pop(0) if known.breaks else ""
        known.windows.append(count)
    done = count // 2 if way == "partly" else 0 if way == "silent" else count
    _take(known, documents[:done])
    if way in ("lost", "silent"):
        if way == "silent":
            known.ended.wait(PATIENCE_S)
        raise _Reset
    highest = numbers[-1] if known.manner == "logstash" else count
    _answer(known, line, way, highest, done)


def _answer(known: Lumberjack, line: socket.socket, way: str, highest: int, done: int) -> None:
    if way == "nonsense":
        line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        raise _Closed
    if way == "more":
        _acknowledge(line, highest + 7)
        raise _Closed
    for _ in range(known.busy):
        _acknowledge(line, known.partly if known.manner == "go" else 0)
        known.ended.wait(known.busy_s)
    if known.partly:
        _acknowledge(line, min(known.partly, highest))
    if way == "partly":
        _acknowledge(line, done)
        raise _Reset
    _acknowledge(line, highest)
    if way == "twice":
        _acknowledge(line, highest)
    if way == "idle":
        raise _Closed


def _take(known: Lumberjack, documents: list[Document]) -> None:
    with known.lock:
        known.taken += documents
        if known.spool is not None:
            with known.spool.open("a") as file:
                file.writelines(f"{json.dumps(document)}\n" for document in documents)


def _inflated(text: bytes, documents: list[Document], numbers: list[int]) -> None:
    at = 0
    while at < len(text):
        kind, number, length = struct.unpack_from(">2sII", text, at)
        if kind != b"2J":
            raise _Reset
        _read(text[at + 10 : at + 10 + length], documents)
        numbers.append(number)
        at += 10 + length


def _read(text: bytes, documents: list[Document]) -> None:
    try:
        document = json.loads(text)
    except ValueError:
        raise _Reset from None
    documents.append(document)


def _head(line: socket.socket) -> tuple[bytes, int]:
    kind, number = struct.unpack(">2sI", _exactly(line, 6))
    return kind, number


def _exactly(line: socket.socket, length: int) -> bytes:
    parts = []
    while length:
        part = line.recv(min(length, 2**20))
        if not part:
            raise _Closed
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _acknowledge(line: socket.socket, number: int) -> None:
    line.sendall(struct.pack(">2sI", b"2A", number))
