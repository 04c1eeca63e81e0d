"""The way in: a message becomes stored alertgroups with due deliveries, in one transaction, or stands in quarantine."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import msgspec

from tocsin import detection
from tocsin.errors import Malformed, Refused, TooLarge
from tocsin.intake.apart import Children
from tocsin.intake.deciding import Decider
from tocsin.intake.evidence import Evidence
from tocsin.intake.reading import Reading, read
from tocsin.model import Alertgroup, Message, Severity
from tocsin.plugin import Parser
from tocsin.rules import repeats
from tocsin.store import Entry, Part, Store, Stored, entry
from tocsin.store.repeat import Fold
from tocsin.store.rule import Ruled
from tocsin.store.warden import Sent


@dataclass(frozen=True)
class Limits:
    """What the door lets in. `split_rows` 0 never cuts a group."""

    max_rows: int = 10_000
    split_rows: int = 0
    parse_s: float = 10
    parse_mib: int = 1024


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
        folded: Mapping[str, repeats.Rule] | None = None,
        decider: Decider | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        """`folded`: by source label, which repeats are folded. Without a decider all are owed to all destinations.

        `evidence`: what is gathered as such; without it nothing is.
        """
        self._store = store
        self._decider, self._evidence = decider, evidence
        self._folded = folded or {}
        ordered = sorted(parsers.items(), key=lambda item: (item[1].order, item[0]))
        self._here = [(name, parser) for name, parser in ordered if not parser.apart]
        self._destinations = tuple(destinations)
        self._limits = limits or Limits()
        self._names = names
        self._children = Children(
            [(name, parser) for name, parser in ordered if parser.apart],
            self._limits.parse_s,
            self._limits.parse_mib,
        )
        self.counts = Counts()

    def accept(self, message: Message, cursor: str | None = None, refused: str = "") -> Stored:
        """Store a message and everything that follows from it; on return it is on disk, and the cursor with it.

        A message that is not understood, or `refused` with a reason, stands in quarantine.

        Raises:
            StoreUnavailable: nothing was stored; hand it over again.
        """
        return self.submit(message, answerable=False, cursor=cursor, refused=refused).result()

    def submit(
        self,
        message: Message,
        *,
        answerable: bool,
        cursor: str | None = None,
        refused: str = "",
        sent: tuple[Sent, ...] = (),
    ) -> Future[Stored]:
        """As `accept`, without waiting: the future is resolved after the commit.

        An answerable sender is told at once what is wrong (Malformed, TooLarge) and nothing is stored; from all
        others the message is kept in quarantine with the reason. `sent` is remembered with the message.
        """
        self.counts.add("received")
        try:
            kept = (
                entry(message, (), "", "", refused, cursor)
                if refused
                else self._understood(message, answerable, cursor)
            )
            future = self._store.append(msgspec.structs.replace(kept, sent=sent) if sent else kept)
        except BaseException:
            self.counts.add("refused")
            raise
        future.add_done_callback(self._ended)
        return future

    def parts(self, groups: Sequence[Alertgroup], message: Message, parser: str) -> list[Part]:
        """The groups that came with the message, cut, rated and routed, ready to be stored.

        Raises Malformed, TooLarge.
        """
        return [self._part(group, message, parser) for group in self._cut(groups)]

    def close(self) -> None:
        """End the children that parse."""
        self._children.close()

    def _ended(self, future: Future[Stored]) -> None:
        if future.exception() is not None:
            self.counts.add("refused")
        elif (stored := future.result()).repeated:
            self.counts.add("repeated")
        else:
            self.counts.add("quarantined" if stored.quarantined else "stored")

    def _understood(self, message: Message, answerable: bool, cursor: str | None) -> Entry:
        reading = read(self._here, message) or self._children.read(message)
        if answerable:
            reading.raise_for_sender()
        if not reading.reason:
            try:
                return self._entry(message, self.parts(reading.groups, message, reading.parser), reading, cursor)
            except Refused as error:
                if answerable:
                    raise
                reading = msgspec.structs.replace(reading, groups=(), reason=str(error))
        return entry(message, (), reading.parser, reading.version, reading.reason, cursor)

    def _cut(self, groups: Sequence[Alertgroup]) -> list[Alertgroup]:
        if not groups or not all(group.alerts for group in groups):
            raise Malformed("it holds no rows")
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

    def _entry(self, message: Message, parts: Sequence[Part], reading: Reading, cursor: str | None) -> Entry:
        named = next((part.group.message_id for part in parts if part.group.message_id), "")
        if named and not message.message_id:
            message = msgspec.structs.replace(message, message_id=named)
        return entry(message, parts, reading.parser, reading.version, cursor=cursor)

    def _part(self, group: Alertgroup, message: Message, parser: str) -> Part:
        book = self._decider.book() if self._decider else None
        ruled = self._decider.decide(group, message, parser, book) if self._decider else None
        lanes = self._destinations if ruled is None else tuple(ruled.due)
        part = Part(group=group, severity=self._worst(group), lanes=lanes, fold=self._fold(group), ruled=ruled)
        if self._evidence is None:
            return part
        owed = [lane for lane in lanes if ruled is None or lane not in ruled.held]
        found = self._evidence.of(group, message, parser, owed, book)
        if found is None:
            return part
        before = ruled or Ruled(due=dict.fromkeys(lanes, message.received), held={}, why=())
        told = msgspec.structs.replace(before, why=(found.why, *before.why))
        if found.gather is None:
            return msgspec.structs.replace(part, ruled=told)
        told = msgspec.structs.replace(told, due={}, held={})
        return msgspec.structs.replace(part, lanes=(), ruled=told, gather=found.gather)

    def _fold(self, group: Alertgroup) -> Fold | None:
        rule = repeats.rule_for(group, self._folded)
        if rule is None:
            return None
        known_by = repeats.fingerprint(group, rule, self._names)
        return Fold(fingerprint=known_by, window=rule.window, longest=rule.longest, reopen=rule.reopen)

    def _worst(self, group: Alertgroup) -> Severity | None:
        known = [found for alert in group.alerts if (found := detection.severity(alert, self._names)) is not None]
        return max(known, default=None)
