"""Work done apart: in child processes with limits of time and memory, so that what strangers wrote costs nobody else.

A child is asked in bytes and answers in bytes. One that takes too long, grows too large or dies is replaced; the
question it was asked is lost, and nothing besides.
"""

import contextlib
import gc
import multiprocessing
import os
import queue
import resource
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection

from tocsin.errors import Unreadable

MIB = 1024 * 1024
QUESTIONS_A_CHILD = 1000
START_S = 60
NICE = 10
READY = b"ready"

Answer = Callable[[bytes], bytes]
"""What a child does. What it raises ends the child."""

_start = multiprocessing.get_context("forkserver")
_preloaded: list[str] = []


class Lost(Unreadable):
    """The child took too long, grew too large or died."""


class NotStarted(Lost):
    """There was no child to ask: none can be started now."""


def preload(module: str) -> None:
    """Have all children begin with this module imported, which costs each of them nothing then."""
    _preloaded.append(module)
    _start.set_forkserver_preload(_preloaded)


class Children:
    """A few children with one task, each asked one thing at a time; started when they are first needed."""

    def __init__(self, prepare: Callable[[], Answer], mib: int, most: int, *, yielding: bool = False) -> None:
        """`prepare` is called in each child; it and what it holds must pickle. Yielding, they let others go first."""
        self._prepare, self._mib, self._nice = prepare, mib, NICE if yielding else 0
        self._places: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        self._at_work: set[_Child] = set()
        self._ended = False
        for _ in range(most):
            self._places.put(None)

    def ask(self, question: bytes, seconds: float) -> bytes:
        """One question, within the limits; waits for a child that is free. Raises Lost."""
        child: _Child | None = self._places.get()
        kept: _Child | None = None
        try:
            self._go_on()
            if child is None:
                child = _Child(self._prepare, self._mib, self._nice)
            self._at_work.add(child)
            self._go_on()  # it was ended while the child began, and did not know of it
            answered = child.ask(question, seconds)
            kept = None if child.spent else child
        finally:
            if child is not None:
                self._at_work.discard(child)
                if kept is None:
                    child.end()
            self._places.put(kept)
        return answered

    def _go_on(self) -> None:
        if self._ended:
            raise Lost("nothing is read any more")

    def close(self, *, at_once: bool = False) -> None:
        """End those that rest; at once: also those at work, and begin no more. Who asks later waits for nothing."""
        self._ended = at_once
        for busy in tuple(self._at_work) if at_once else ():
            busy.kill()
        resting: list[_Child | None] = []
        with contextlib.suppress(queue.Empty):
            while True:
                resting.append(self._places.get_nowait())
        for child in resting:
            if child is not None:
                child.end()
            self._places.put(None)  # somebody may be about to ask: without a place it would wait for ever


class _Child:
    """One process and the pipe to it."""

    def __init__(self, prepare: Callable[[], Answer], mib: int, nice: int) -> None:
        self._mib = mib
        self._pipe, theirs = _start.Pipe()
        self._process = _start.Process(target=_serve, args=(theirs, prepare, mib, nice), daemon=True)
        self._process.start()
        theirs.close()
        # Starting is not working: the clock of a question runs from here on.
        self._left = QUESTIONS_A_CHILD
        try:
            started = self._pipe.poll(START_S) and self._pipe.recv_bytes() == READY
        except (EOFError, OSError):
            started = False
        if not started:
            self.end()
            raise NotStarted(f"no process to read it can be started (its limit of memory is {mib} MiB)")

    @property
    def spent(self) -> bool:
        """Whether it should be replaced: it has done enough."""
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

    def kill(self) -> None:
        """End the process; whoever waits for its answer is told that it is lost."""
        self._process.kill()

    def end(self) -> None:
        """Kill it; it holds nothing that anyone would miss."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _serve(pipe: Connection, prepare: Callable[[], Answer], mib: int, nice: int) -> None:
    """The child's life: take what comes, answer, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (mib * MIB, mib * MIB))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(nice)
    answer = prepare()
    # What is read is a great number of small values and no cycles: looking for those waits until it is answered.
    gc.freeze()
    gc.disable()
    with contextlib.suppress(EOFError, OSError):
        pipe.send_bytes(READY)
        while True:
            pipe.send_bytes(answer(pipe.recv_bytes()))
            gc.collect()
