"""The way in: a message becomes stored alertgroups with due deliveries, in one transaction, or stands in quarantine."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import msgspec
import structlog

from tocsin import detection, rules
from tocsin.errors import Malformed, Refused, TooLarge, Unreadable
from tocsin.model import Alertgroup, Message, Severity
from tocsin.plugin import Parser
from tocsin.store import Entry, Part, Store, Stored, entry

log = structlog.get_logger()


@dataclass(frozen=True)
class Limits:
    """What the door lets in. `split_rows` 0 never cuts a group."""

    max_rows: int = 10_000
    split_rows: int = 0


class Counts:
    """What came in since the start, counted at the door, and what became of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.received = self.stored = self.quarantined = self.refused = self.repeated = 0

    def add(self, name: str) -> None:
        """One more of `received`, `stored`, `quarantined`, `refused` or `repeated`."""
        with self._lock:
            setattr(self, name, getattr(self, name) + 1)

    def balance(self) -> Mapping[str, int]:
        """All five, and how many are under way."""
        with self._lock:
            ended = self.stored + self.quarantined + self.refused + self.repeated
            return {
                "received": self.received,
                "stored": self.stored,
                "quarantined": self.quarantined,
                "refused": self.refused,
                "repeated": self.repeated,
                "under_way": self.received - ended,
            }


class Intake:
    """Understands messages and hands them to the store."""

    def __init__(
        self,
        store: Store,
        parsers: Mapping[str, Parser],
        destinations: Sequence[str],
        limits: Limits | None = None,
        names: detection.Names = detection.DEFAULT,
    ) -> None:
        self._store = store
        self._parsers = sorted(parsers.items(), key=lambda item: (item[1].order, item[0]))
        self._destinations = tuple(destinations)
        self._limits = limits or Limits()
        self._names = names
        self.counts = Counts()

    def accept(self, message: Message) -> Stored:
        """Store a message and everything that follows from it; on return it is on disk.

        Raises:
            Refused: the message breaks a limit; nothing was stored.
            StoreUnavailable: nothing was stored; hand it over again.
        """
        return self.submit(message, answerable=False).result()

    def submit(self, message: Message, *, answerable: bool) -> Future[Stored]:
        """As `accept`, without waiting: the future is resolved after the commit.

        An answerable sender is told at once what is wrong (Malformed, TooLarge) and nothing is stored; from all
        others the message is kept in quarantine with the reason.
        """
        self.counts.add("received")
        try:
            future = self._store.append(self._understood(message, answerable))
        except BaseException:
            self.counts.add("refused")
            raise
        future.add_done_callback(self._ended)
        return future

    def _ended(self, future: Future[Stored]) -> None:
        if future.exception() is not None:
            self.counts.add("refused")
        elif (stored := future.result()).repeated:
            self.counts.add("repeated")
        else:
            self.counts.add("quarantined" if stored.quarantined else "stored")

    def _understood(self, message: Message, answerable: bool) -> Entry:
        name, parser = next(((name, each) for name, each in self._parsers if each.claims(message)), ("", None))
        version = parser.version if parser else ""
        try:
            return self._entry(message, self._read(message, parser), name, version)
        except Refused as error:
            if answerable:
                raise
            reason = str(error)
        except Unreadable as error:
            if answerable:
                raise Malformed(str(error)) from None
            reason = str(error)
        except Exception as error:
            # A parser's own fault must not cost the message: it is kept, and the reason says whose fault it was.
            log.exception("parser failed", parser=name, source=message.source)
            reason = f"parser {name} failed: {type(error).__name__}: {error}"[:500]
        return entry(message, (), name, version, reason)

    def _read(self, message: Message, parser: Parser | None) -> list[Alertgroup]:
        if parser is None:
            raise Unreadable("no parser claims it")
        return self._cut(tuple(parser.parse(message)))

    def _cut(self, groups: tuple[Alertgroup, ...]) -> list[Alertgroup]:
        if not groups or not all(group.alerts for group in groups):
            raise Unreadable("it holds no rows")
        cut: list[Alertgroup] = []
        for group in groups:
            rows, size = len(group.alerts), self._limits.split_rows
            if rows > self._limits.max_rows:
                raise TooLarge(f"{rows} rows are more than the limit of {self._limits.max_rows}: send them in parts")
            parts = -(-rows // size) if size else 1
            if parts == 1:
                cut.append(group)
                continue
            for part in range(parts):
                subject = f"{group.subject} (part {part + 1} of {parts})"
                alerts = group.alerts[part * size : (part + 1) * size]
                cut.append(msgspec.structs.replace(group, subject=subject, alerts=alerts))
        return cut

    def _entry(self, message: Message, groups: Sequence[Alertgroup], parser: str, version: str) -> Entry:
        if not message.message_id and (named := next((group.message_id for group in groups if group.message_id), "")):
            message = msgspec.structs.replace(message, message_id=named)
        parts = [
            Part(group=group, severity=self._worst(group), lanes=rules.route(group, self._destinations))
            for group in groups
        ]
        return entry(message, parts, parser, version)

    def _worst(self, group: Alertgroup) -> Severity | None:
        known = [found for alert in group.alerts if (found := detection.severity(alert, self._names)) is not None]
        return max(known, default=None)
