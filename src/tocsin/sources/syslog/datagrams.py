"""Syslog over UDP (RFC 5426): nobody can be asked to wait, so what waits is bounded, and what is dropped counted."""

import collections
import socket
import threading
from collections.abc import Callable, Sequence

import structlog

from tocsin.errors import StoreUnavailable
from tocsin.formats.syslog import Frame
from tocsin.plugin import Desk
from tocsin.sources.syslog.options import Options

log = structlog.get_logger()

LOOK_S = 0.5
TELL_EVERY = 10
TOGETHER = 500
LARGEST = 65_536
BUFFER = 4 * 1024 * 1024


class Datagrams:
    """One socket: a thread that empties it, and this one, which hands over."""

    def __init__(
        self,
        options: Options,
        desk: Desk,
        hand_over: Callable[[Sequence[Frame], str], bool],
        permits: Callable[[str], bool],
    ) -> None:
        self._options, self._desk, self._hand_over, self._permits = options, desk, hand_over, permits
        self._waiting: collections.deque[tuple[bytes, str]] = collections.deque()
        self._there = threading.Event()
        self.dropped = self.strangers = 0

    def run(self) -> None:
        """Return once the desk says stop. Raises OSError: it cannot be listened there."""
        family = socket.AF_INET6 if ":" in self._options.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as receiver:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            receiver.bind((self._options.host, self._options.port))
            receiver.settimeout(LOOK_S)
            emptying = threading.Thread(target=self._empty, args=(receiver,), name="tocsin-syslog-udp", daemon=True)
            emptying.start()
            rounds = 0
            while not self._desk.stop.is_set() or self._waiting:
                if not self._store():
                    break
                if rounds % TELL_EVERY == 0:
                    self._tell()
                rounds += 1
            emptying.join(10)

    def _empty(self, receiver: socket.socket) -> None:
        while not self._desk.stop.is_set():
            try:
                record, address = receiver.recvfrom(LARGEST)
            except TimeoutError:
                continue
            except OSError as error:
                log.warning("a datagram of syslog could not be read", reason=error.strerror or str(error))
                continue
            if not self._permits(address[0]):
                self.strangers += 1
            elif len(self._waiting) >= self._options.max_waiting:
                self.dropped += 1
            else:
                self._waiting.append((record, address[0]))
                self._there.set()

    def _store(self) -> bool:
        """Hand over what waits, of one sender at a time; False: Tocsin ends before the store is back."""
        self._there.wait(LOOK_S)
        self._there.clear()
        while self._waiting:
            sender = self._waiting[0][1]
            frames: list[Frame] = []
            while self._waiting and self._waiting[0][1] == sender and len(frames) < TOGETHER:
                frames.append(self._frame(self._waiting.popleft()[0]))
            if not self._hand_over([each for each in frames if each.record], sender):
                return False
        return True

    def _frame(self, raw: bytes) -> Frame:
        longest = self._options.max_bytes
        if len(raw) > longest:
            return Frame(raw[:longest], f"the record has {len(raw):,} bytes, more than max_bytes = {longest:,}")
        return Frame(raw.rstrip(b"\r\n\0"))

    def _tell(self) -> None:
        ailing = []
        if self.dropped:
            ailing.append(
                f"{self.dropped:,} UDP records were dropped: {self._options.max_waiting:,} waited for the store"
            )
        if self.strangers:
            ailing.append(f"{self.strangers:,} UDP records came from addresses that are not in permitted_senders")
        try:
            self._desk.tell("; ".join(ailing))
        except StoreUnavailable as error:
            log.warning("syslog waits for the store", reason=str(error))
