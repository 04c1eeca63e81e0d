"""A load of HTTP/1.1 requests from processes of their own: each connection asks, waits for the answer, asks again.

It speaks raw bytes over uvloop, so that it costs a small part of what the server costs and never sets the pace.
"""

import asyncio
import multiprocessing
import socket
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import NamedTuple, Protocol, cast

import uvloop

_SPAWN = multiprocessing.get_context("spawn")


class Requests(Protocol):
    """Makes the bytes of each request; handed to other processes, so it must pickle."""

    def request(self, number: int) -> bytes:
        """The whole request with that number; numbers are never used twice in a run."""


class Measured(NamedTuple):
    """What came of a load: answers within the time, seconds each, and how many were not 200."""

    seconds: float
    latencies: Sequence[float]
    failed: int
    first_failure: str

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return (len(self.latencies) - self.failed) / self.seconds

    def percentile(self, percent: float) -> float:
        """Seconds that so many percent of the answers took at most."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("nan")


def load(port: int, requests: Requests, *, connections: int, seconds: float, processes: int = 2) -> Measured:
    """Ask for so many seconds after a second of warming up."""
    processes = max(1, min(processes, connections))
    shares = [connections // processes + (n < connections % processes) for n in range(processes)]
    pipes: list[Connection] = []
    workers = []
    for n, share in enumerate(shares):
        here, there = _SPAWN.Pipe()
        arguments = (there, port, requests, share, n * 10**9, seconds)
        worker = _SPAWN.Process(target=_work, args=arguments, daemon=True)
        worker.start()
        there.close()
        pipes.append(here)
        workers.append(worker)
    latencies: list[float] = []
    failed, first = 0, ""
    for pipe in pipes:
        if not pipe.poll(seconds + 60):
            raise TimeoutError("the server answers no more, or the load has a fault: see above")
        part, wrong, why = pipe.recv()
        latencies.extend(part)
        failed += wrong
        first = first or why
    for worker in workers:
        worker.join()
    return Measured(seconds, latencies, failed, first)


def _work(pipe: Connection, port: int, requests: Requests, connections: int, number: int, seconds: float) -> None:
    pipe.send(uvloop.run(_ask(port, requests, connections, number, seconds)))


async def _ask(
    port: int, requests: Requests, connections: int, number: int, seconds: float
) -> tuple[list[float], int, str]:
    loop = asyncio.get_running_loop()
    log = _Log(number, _now() + 1.0, seconds)
    asking = []
    for _ in range(connections):
        _, one = await loop.create_connection(lambda: _Asking(requests, log), "127.0.0.1", port)
        asking.append(one)
    await asyncio.gather(*(one.ended for one in asking))
    return log.latencies, log.failed, log.why


def _now() -> float:
    """Seconds; a loop's own clock counts whole milliseconds."""
    return time.perf_counter()


class _Log:
    """What the connections of one process share."""

    def __init__(self, number: int, begin: float, seconds: float) -> None:
        self.number, self.begin, self.end = number, begin, begin + seconds
        self.latencies: list[float] = []
        self.failed, self.why = 0, ""


class _Asking(asyncio.Protocol):
    """One connection: never more than one request under way."""

    def __init__(self, requests: Requests, log: _Log) -> None:
        self._requests, self._log = requests, log
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._buffer = b""
        self._missing = -1  # bytes of the body still to come; -1 while the head is not complete
        self._good = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._next()

    def _next(self) -> None:
        self._log.number += 1
        request = self._requests.request(self._log.number)
        self._asked = _now()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._buffer += data
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self._good = head.startswith(b"HTTP/1.1 200")
            if not self._good and not self._log.why:
                self._log.why = self._buffer[:400].decode("latin-1")
            self._missing = _length(head) - len(rest)
            self._buffer = b""
        else:
            self._missing -= len(data)
        if self._missing <= 0:
            self._missing = -1
            self._answered()

    def _answered(self) -> None:
        now, log = _now(), self._log
        if log.begin <= now < log.end:
            log.latencies.append(now - self._asked)
            log.failed += not self._good
        if now < log.end:
            self._next()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None or _now() < self._log.end:
            self._log.failed += 1
            self._log.why = self._log.why or f"connection lost: {error}"
        if not self.ended.done():
            self.ended.set_result(None)


def _length(head: bytes) -> int:
    lowered = head.lower()
    place = lowered.find(b"\r\ncontent-length:")
    if place < 0:
        raise ValueError(f"an answer without a length: {head[:200]!r}")
    return int(lowered[place + 17 :].split(b"\r\n", 1)[0])
