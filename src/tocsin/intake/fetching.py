"""Sources at work: a thread each, a desk to hand over at, and a new start for one that fails."""

import random
import threading
import time
from collections.abc import Mapping
from typing import Protocol

import msgspec
import structlog

from tocsin.errors import StoreUnavailable
from tocsin.intake import Intake
from tocsin.model import Message
from tocsin.plugin import Desk
from tocsin.store import Store, tally

log = structlog.get_logger()

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
HUB = "tocsin"
"""The name under which the hub speaks of itself, such as of a source that is silent."""


class SourceDesk:
    """The `Desk` of one source: hands over to the intake and keeps what the pages show of the source."""

    def __init__(self, name: str, intake: Intake, store: Store, stop: threading.Event) -> None:
        self.name = name
        self.stop = stop
        self.hub = store.uid
        self.said = ""
        self._intake, self._store = intake, store

    def cursor(self) -> str:
        """How far the source has read, as stored last."""
        return self._store.read(lambda tx: tally.source_cursor(tx, self.name))

    def accept(self, message: Message, cursor: str | None = None, refused: str = "") -> None:
        """Store message and cursor together. Raises StoreUnavailable: nothing was stored.

        The message carries this source's name; what the source says of itself is the hub's and comes without a cursor.
        """
        if cursor is not None or message.source != HUB:
            message = msgspec.structs.replace(message, source=self.name)
        self._intake.accept(message, cursor, refused)
        self.said = ""

    def tell(self, ailing: str = "", cursor: str | None = None) -> None:
        """Keep that all is well, or what is wrong; the same news again is not written again and again."""
        now = time.time_ns() // 1000
        if ailing:
            if ailing != self.said:
                log.warning("source ails", source=self.name, reason=ailing)
            self._store.write(lambda tx: tally.source_failed(tx, self.name, now, ailing))
        else:
            self._store.write(lambda tx: tally.source_succeeded(tx, self.name, now, cursor))
        self.said = ailing


class Runs(Protocol):
    """What a source is to its thread."""

    def run(self, desk: Desk) -> None:
        """Work until `desk.stop` is set; begun anew where it raises."""
        ...


class Fetchers:
    """The threads of all sources."""

    def __init__(self, store: Store, intake: Intake, sources: Mapping[str, Runs]) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._fetch,
                args=(source, SourceDesk(name, intake, store, self._stop)),
                name=f"tocsin-source-{name}",
                daemon=True,
            )
            for name, source in sources.items()
        ]

    def start(self) -> None:
        """Begin to fetch."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> None:
        """Ask all to end and wait so many seconds; one that hangs holds nothing that would be lost."""
        self._stop.set()
        until = time.monotonic() + timeout
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))

    def _fetch(self, source: Runs, desk: SourceDesk) -> None:
        wait = FIRST_WAIT_S
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                source.run(desk)
            except StoreUnavailable as error:
                log.warning("source waits for the store", source=desk.name, reason=str(error))
            except Exception as error:
                # A source's own fault must not end the source: it is shown, and the source begins again.
                log.exception("source failed", source=desk.name)
                self._tell(desk, f"{type(error).__name__}: {error}"[:500])
            if time.monotonic() - began > LONGEST_WAIT_S:
                wait = FIRST_WAIT_S
            self._stop.wait(wait * (0.5 + random.random() / 2))  # noqa: S311 - jitter
            wait = min(wait * 2, LONGEST_WAIT_S)

    @staticmethod
    def _tell(desk: SourceDesk, ailing: str) -> None:
        try:
            desk.tell(ailing)
        except StoreUnavailable as error:
            log.warning("source cannot say what ails it", source=desk.name, reason=str(error))
