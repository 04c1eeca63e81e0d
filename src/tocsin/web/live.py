"""What changes, told to whoever looks on: Server-Sent Events (HTML standard, section 9.2), with resume.

One ring of the newest changes serves all listeners, each with a place of its own in it, so a slow one costs no
memory: when the ring has turned past its place it is told `reset` and loads afresh. The same is told to one who
comes back with a Last-Event-ID from before a restart.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator
from typing import NamedTuple

import msgspec

from tocsin.store import Change


class _Told(NamedTuple):
    number: int
    change: Change


class Listener:
    """One who looks on: its place in the ring, and the bell of its event loop."""

    def __init__(self, after: int) -> None:
        self.after = after
        self._loop = asyncio.get_running_loop()
        self._bell = asyncio.Event()
        self._rung = False

    def ring(self) -> None:
        """Wake it; from any thread. Rung again before it woke costs nothing."""
        if not self._rung:
            self._rung = True
            with contextlib.suppress(RuntimeError):  # its loop was closed under it
                self._loop.call_soon_threadsafe(self._bell.set)

    async def heard(self, within_s: float) -> bool:
        """Wait for the bell; whether it rang in time."""
        try:
            async with asyncio.timeout(within_s):
                await self._bell.wait()
        except TimeoutError:
            return False
        self._rung = False
        self._bell.clear()
        return True


class Live:
    """The ring, and who listens. `told` is called in the store's thread."""

    size = 4096
    most_listeners = 200
    most_ids = 500
    heartbeat_s = 15.0
    gather_s = 0.05
    longest_s = 15 * 60.0

    def __init__(self) -> None:
        self._life = f"{time.time_ns():x}"
        self._lock = threading.Lock()
        self._ring: deque[_Told] = deque(maxlen=self.size)
        self._number = 0
        self._listeners: set[Listener] = set()
        self.closing = False

    @property
    def listening(self) -> int:
        """How many look on."""
        return len(self._listeners)

    @property
    def mark(self) -> str:
        """Where one stands who reads the store now: a Last-Event-ID to listen from."""
        with self._lock:
            return f"{self._life}.{self._number}"

    def told(self, change: Change) -> None:
        """A commit was made."""
        with self._lock:
            self._number += 1
            self._ring.append(_Told(self._number, change))
            listeners = list(self._listeners)
        for listener in listeners:
            listener.ring()

    def listener(self, last_event_id: str = "") -> Listener | None:
        """A listener behind what it has heard already, for `events`; None when there are too many."""
        life, _, number = last_event_id.partition(".")
        with self._lock:
            if self.closing or len(self._listeners) >= self.most_listeners:
                return None
            after = self._number
            if last_event_id:
                known = life == self._life and number.isascii() and number.isdecimal() and len(number) < 20
                after = min(int(number), self._number) if known else -1
        return Listener(after)

    async def events(self, listener: Listener) -> AsyncGenerator[bytes]:
        """The stream of one listener; ends after a while, or when the server stops."""
        until = time.monotonic() + self.longest_s
        with self._lock:
            self._listeners.add(listener)
        try:
            yield b"retry: 2000\n\n" + self._behind(listener)
            while not self.closing and time.monotonic() < until:
                if not await listener.heard(self.heartbeat_s):
                    yield b": still here\n\n"
                    continue
                await asyncio.sleep(self.gather_s)
                if text := self._behind(listener):
                    yield text
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def _behind(self, listener: Listener) -> bytes:
        """What the listener has not heard yet; the same kinds gathered into one event each."""
        with self._lock:
            number = self._number
            first = self._ring[0].number if self._ring else number + 1
            lost = listener.after < 0 or listener.after + 1 < first
            new = [] if lost else [told for told in self._ring if told.number > listener.after]
        listener.after = number
        mark = f"id: {self._life}.{number}\n"
        if lost:
            return f"event: reset\n{mark}data: {{}}\n\n".encode()
        kinds: dict[str, dict[int, None]] = {}
        lanes: dict[str, None] = {}
        for _, change in new:
            kinds.setdefault(change.kind, {}).update(dict.fromkeys(change.alertgroups))
            if change.kind == "delivery":
                lanes.update(dict.fromkeys(change.lanes))
        events = []
        for kind, ids in kinds.items():
            said: dict[str, object] = {"kind": kind, "ids": list(ids)[-self.most_ids :]}
            if kind == "delivery":
                said["lanes"] = list(lanes)
            events.append(f"event: alertgroup\n{mark}data: {msgspec.json.encode(said).decode()}\n\n")
        return "".join(events).encode()

    def close(self) -> None:
        """End all streams, so that a server that stops need not wait for them. From any thread."""
        with self._lock:
            self.closing = True
            listeners = list(self._listeners)
        for listener in listeners:
            listener.ring()
