"""Parsing apart: mail is written by strangers, so it is read in child processes with limits of time and memory.

A child that takes too long, grows too large or dies costs its message a place in quarantine and nobody else anything.
"""

import contextlib
import multiprocessing
import queue
import resource
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection

import msgspec

from tocsin.intake.reading import NOBODY, Named, Reading, read
from tocsin.model import Message

MIB = 1024 * 1024
MESSAGES_A_CHILD = 1000
START_S = 60
READY = b"ready"

_start = multiprocessing.get_context("forkserver")
_start.set_forkserver_preload(["tocsin.intake.apart"])
_encode = msgspec.msgpack.Encoder().encode
_reading = msgspec.msgpack.Decoder(Reading)
_message = msgspec.msgpack.Decoder(Message)


class Children:
    """A few children that read, one message at a time each; started when they are first needed."""

    def __init__(self, parsers: Sequence[Named], seconds: float, mib: int, most: int = 4) -> None:
        self._parsers = list(parsers)
        self._seconds, self._mib = seconds, mib
        self._places: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(most):
            self._places.put(None)

    def read(self, message: Message) -> Reading:
        """What the parsers make of the message; never raises for what is in it."""
        if not self._parsers:
            return Reading(reason=NOBODY, fault="unreadable")
        child = self._places.get()
        try:
            if child is None:
                child = _Child(self._parsers, self._mib)
            reading = child.read(message, self._seconds)
        except BaseException:
            if child is not None:
                child.end()
            self._places.put(None)
            raise
        if child.spent:
            child.end()
            child = None
        self._places.put(child)
        return reading

    def close(self) -> None:
        """End them all."""
        with contextlib.suppress(queue.Empty):
            while True:
                child = self._places.get_nowait()
                if child is not None:
                    child.end()


class _Child:
    """One process and the pipe to it."""

    def __init__(self, parsers: Sequence[Named], mib: int) -> None:
        self._mib = mib
        self._pipe, theirs = _start.Pipe()
        self._process = _start.Process(target=_serve, args=(theirs, list(parsers), mib), daemon=True)
        self._process.start()
        theirs.close()
        # Starting is not reading: the clock of a message runs from here on.
        self._left = MESSAGES_A_CHILD
        with contextlib.suppress(EOFError, OSError):
            if self._pipe.poll(START_S):
                self._pipe.recv_bytes()

    @property
    def spent(self) -> bool:
        """Whether it should be replaced: it died, or has read enough."""
        return self._left <= 0

    def read(self, message: Message, seconds: float) -> Reading:
        """One message, within the limits."""
        self._left -= 1
        try:
            self._pipe.send_bytes(_encode(message))
            if self._pipe.poll(seconds):
                return _reading.decode(self._pipe.recv_bytes())
            reason = f"reading took longer than {seconds:g} s and was ended"
        except (EOFError, OSError):
            reason = f"the process that read it died (its limit of memory is {self._mib} MiB)"
        self._left = 0
        return Reading(reason=reason, fault="failed")

    def end(self) -> None:
        """Kill it; it holds nothing that anyone would miss."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _serve(pipe: Connection, parsers: list[Named], mib: int) -> None:
    """The child's life: read what comes, answer, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (mib * MIB, mib * MIB))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(EOFError, OSError):
        pipe.send_bytes(READY)
        while True:
            pipe.send_bytes(_answer(parsers, pipe.recv_bytes()))


def _answer(parsers: list[Named], message: bytes) -> bytes:
    reading = read(parsers, _message.decode(message))
    return _encode(reading or Reading(reason=NOBODY, fault="unreadable"))
