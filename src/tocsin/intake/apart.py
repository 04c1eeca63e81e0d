"""Parsing apart: mail is written by strangers, so it is read in child processes with limits of time and memory.

A child that takes too long, grows too large or dies costs its message a place in quarantine and nobody else anything.
"""

import contextlib
import gc
import multiprocessing
import queue
import resource
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Literal, TypeVar

import msgspec

from tocsin.errors import NotFound, TocsinError, Unreadable
from tocsin.intake.preview import Enclosed, Preview, enclosed, preview
from tocsin.intake.reading import NOBODY, Answer, Named, Reading, read, tried
from tocsin.model import Message, Noun

MIB = 1024 * 1024
MESSAGES_A_CHILD = 1000
START_S = 60
READY = b"ready"

_start = multiprocessing.get_context("forkserver")
_start.set_forkserver_preload(["tocsin.intake.apart"])
_encode = msgspec.msgpack.Encoder().encode
T = TypeVar("T", Reading, Answer, Preview, Enclosed)


class Question(Noun, frozen=True, kw_only=True):
    """What a child is asked of a message: to read it (with one parser, if one is named), or to show what is in it."""

    message: Message
    what: Literal["read", "try", "preview", "enclosed"] = "read"
    parser: str = ""
    number: int = 0


class Said(Noun, frozen=True, kw_only=True):
    """A child's answer: the value asked for, packed, or why there is none."""

    value: msgspec.Raw = msgspec.Raw(b"\xc0")  # nil
    reason: str = ""
    missing: bool = False


_said = msgspec.msgpack.Decoder(Said)
_question = msgspec.msgpack.Decoder(Question)


class Lost(Unreadable):
    """The child took too long, grew too large or died."""


class Children:
    """A few children that read, one message at a time each; started when they are first needed."""

    def __init__(self, parsers: Sequence[Named], seconds: float, mib: int, most: int = 4) -> None:
        self._parsers = list(parsers)
        self._seconds, self._mib = seconds, mib
        self._places: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(most):
            self._places.put(None)

    def read(self, message: Message, only: str = "") -> Reading:
        """What the parsers make of the message; never raises for what is in it. `only` names one that must."""
        if not self._parsers:
            return Reading(reason=NOBODY, fault="unreadable")
        try:
            return self._ask(Question(message=message, parser=only), Reading, self._seconds)
        except Lost as error:
            return Reading(parser=only, reason=str(error), fault="failed")

    def answer(self, message: Message, parser: str, seconds: float) -> Answer:
        """What one parser says to the message; never raises for what is in it."""
        try:
            return self._ask(Question(message=message, what="try", parser=parser), Answer, seconds)
        except Lost as error:
            lost = Reading(parser=parser, reason=str(error), fault="failed")
            return Answer(parser=parser, claims=False, reading=lost)

    def preview(self, message: Message) -> Preview:
        """A mail opened; one that cannot be opened says why in `reason`."""
        try:
            return self._ask(Question(message=message, what="preview"), Preview, self._seconds)
        except Unreadable as error:
            return Preview(reason=str(error))

    def enclosed(self, message: Message, number: int) -> Enclosed:
        """An attachment of a mail, counted from 0. Raises NotFound, Unreadable."""
        return self._ask(Question(message=message, what="enclosed", number=number), Enclosed, self._seconds)

    def _ask(self, question: Question, wanted: type[T], seconds: float) -> T:
        child = self._places.get()
        try:
            if child is None:
                child = _Child(self._parsers, self._mib)
            answered = child.ask(_encode(question), seconds)
        except BaseException:
            if child is not None:
                child.end()
            self._places.put(None)
            raise
        if child.spent:
            child.end()
            child = None
        self._places.put(child)
        said = _said.decode(answered)
        if said.reason:
            raise (NotFound if said.missing else Unreadable)(said.reason)
        return msgspec.msgpack.decode(said.value, type=wanted)

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

    def ask(self, question: bytes, seconds: float) -> bytes:
        """One question, within the limits. Raises Lost: this child is of no use any more."""
        self._left -= 1
        try:
            self._pipe.send_bytes(question)
            if self._pipe.poll(seconds):
                return self._pipe.recv_bytes()
        except (EOFError, OSError):
            raise Lost(f"the process that read it died (its limit of memory is {self._mib} MiB)") from None
        raise Lost(f"reading took longer than {seconds:g} s and was ended")

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
    # A mail of many rows is a great number of small values and no cycles: looking for those waits until it is answered.
    gc.freeze()
    gc.disable()
    with contextlib.suppress(EOFError, OSError):
        pipe.send_bytes(READY)
        while True:
            pipe.send_bytes(_answer(parsers, pipe.recv_bytes()))
            gc.collect()


def _answer(parsers: list[Named], question: bytes) -> bytes:
    asked = _question.decode(question)
    try:
        value = _encode(_found(parsers, asked))
    except TocsinError as error:
        return _encode(Said(reason=str(error), missing=isinstance(error, NotFound)))
    except Exception as error:
        # Only what opens a mail gets here, and mails are made to break that: the reason is shown instead.
        return _encode(Said(reason=f"it cannot be opened: {type(error).__name__}: {error}"[:500]))
    return _encode(Said(value=msgspec.Raw(value)))


def _found(parsers: list[Named], asked: Question) -> Reading | Answer | Preview | Enclosed:
    match asked.what:
        case "read":
            return read(parsers, asked.message, asked.parser) or Reading(reason=NOBODY, fault="unreadable")
        case "try":
            return tried(asked.parser, dict(parsers)[asked.parser], asked.message)
        case "preview":
            return preview(asked.message)
        case "enclosed":
            return enclosed(asked.message, asked.number)
