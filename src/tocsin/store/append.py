"""Storing what was received: many entries, a fixed number of statements, one transaction.

The statements do not grow with the rows of a group, nor with the groups of a batch.
"""

import hashlib
import threading
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import zstandard

from tocsin.model import Alertgroup, Message, Noun, Severity
from tocsin.store import index, inserts, rule, tally, warden
from tocsin.store.engine import Change, Tx, packed
from tocsin.store.gathering import Gather, Gathering
from tocsin.store.repeat import Fold, Folding
from tocsin.store.rule import Ruled
from tocsin.store.warden import Sent

PLAIN, ZSTANDARD = 0, 1
_SMALL = 256
_AT_ONCE = Ruled(due={}, held={}, why=())
_own = threading.local()
_ORIGINALS, _ORIGINAL_BYTES = 64, 64 * 2**20
"""One statement stores that many originals, or about that many bytes of them."""


class Part(Noun, frozen=True, kw_only=True):
    """One alertgroup of an entry, where it is owed to, when it is a repeat (None: never), and as what evidence."""

    group: Alertgroup
    severity: Severity | None
    lanes: tuple[str, ...]
    fold: Fold | None = None
    ruled: Ruled | None = None
    """What the rules said of it; without, all lanes are owed it at once."""
    gather: Gather | None = None
    """As evidence it has no lanes, unless there is enough of it."""


class Entry(Noun, frozen=True, kw_only=True):
    """A message with everything that follows from it.

    `reason` is set when it stands in quarantine; `cursor` is how far its source has read with it; `sent` are the events
    in it as a client of Warden knows them.
    """

    message: Message
    thread: str | None
    parser: str
    parser_version: str
    parts: tuple[Part, ...] = ()
    reason: str = ""
    cursor: str | None = None
    codec: int = PLAIN
    packed: bytes = b""
    sent: tuple[Sent, ...] = ()

    @property
    def state(self) -> str:
        """`stored` or `quarantined`."""
        return "quarantined" if self.reason else "stored"


class Stored(Noun, frozen=True, kw_only=True):
    """What became of an entry."""

    message: int
    alertgroups: tuple[int, ...]
    repeated: bool = False
    quarantined: str = ""


def entry(
    message: Message,
    parts: Sequence[Part],
    parser: str,
    version: str,
    reason: str = "",
    cursor: str | None = None,
) -> Entry:
    """An entry ready to be stored: compressed, and with the identity that makes a second sending recognisable."""
    codec, body = PLAIN, message.body
    if len(body) > _SMALL and len(shorter := _packer().compress(body)) < len(body):
        codec, body = ZSTANDARD, shorter
    return Entry(
        message=message,
        thread=_thread(message),
        parser=parser,
        parser_version=version,
        parts=tuple(parts),
        reason=reason,
        cursor=cursor,
        codec=codec,
        packed=body,
    )


def unpacked(codec: int, stored: bytes) -> bytes:
    """The original bytes again."""
    return zstandard.ZstdDecompressor().decompress(stored) if codec == ZSTANDARD else bytes(stored)


def _packer() -> zstandard.ZstdCompressor:
    """A compressor of the calling thread's own: they are quick to use, dear to make and not to be shared."""
    if (packer := getattr(_own, "packer", None)) is None:
        packer = _own.packer = zstandard.ZstdCompressor(level=1)
    return packer


def _thread(message: Message) -> str | None:
    """Sender and id together; None when each sending stands for itself."""
    if message.message_id:
        name = ("id", message.message_id)
    elif message.idempotency_key:
        name = ("key", message.idempotency_key)
    elif message.by_bytes:
        name = ("bytes", message.digest)
    else:
        return None
    text = msgspec.json.encode((message.source, message.sender, *name))
    return urlsafe_b64encode(hashlib.sha256(text).digest()[:18]).decode()


def append_all(tx: Tx, entries: Sequence[Entry]) -> list[Stored]:
    """Store the entries; the answers in their order. What was stored before gets its first answer again."""
    tx.row("SELECT one FROM counter {for_update}")  # from here on, no other node hands out ids
    before = _known(tx, entries)
    fresh: dict[tuple[str, str] | int, Entry] = {}
    for position, item in enumerate(entries):
        key = _identity(item) or position
        if key not in before:
            fresh.setdefault(key, item)
    stored = _store(tx, fresh)
    answers, days = [], Counter[tuple[int, str, str]]()
    for position, item in enumerate(entries):
        key = _identity(item) or position
        first = fresh.get(key) is item
        answer = stored[key] if key in stored else before[key]
        answers.append(answer if first else msgspec.structs.replace(answer, repeated=True))
        outcome = item.state if first else "repeated"
        days[item.message.received // tally.DAY, item.message.source, outcome] += 1
    _count(tx, entries, days)
    for item in entries:
        if item.sent:
            warden.remember(tx, item.message.source, item.sent, item.message.received)
    return answers


def _identity(item: Entry) -> tuple[str, str] | None:
    return (item.thread, item.message.digest) if item.thread else None


def _known(tx: Tx, entries: Sequence[Entry]) -> dict[tuple[str, str] | int, Stored]:
    """Which of these messages stand in the store already, with the answers they got."""
    identities = {identity for item in entries if (identity := _identity(item))}
    if not identities:
        return {}
    found = tx.rows(
        "SELECT m.thread, m.hash, m.id, m.reason FROM {each:wanted} JOIN message m"
        " ON m.thread = value ->> 0 AND m.hash = value ->> 1",
        wanted=packed(identities),
    )
    if not found:
        return {}
    groups: dict[int, list[int]] = {}
    for message, group in tx.rows(
        "SELECT g.message, g.id FROM {each:messages} JOIN alertgroup g"
        " ON g.message = CAST(value ->> 0 AS BIGINT) ORDER BY g.id",
        messages=packed([row[2]] for row in found),
    ):
        groups.setdefault(message, []).append(group)
    return {
        (thread, digest): Stored(message=number, alertgroups=tuple(groups.get(number, ())), quarantined=reason)
        for thread, digest, number, reason in found
    }


def _store(tx: Tx, fresh: dict[Any, Entry]) -> dict[Any, Stored]:
    if not fresh:
        return {}
    rows = Rows(tx, list(fresh.values()), len(fresh))
    answers: dict[Any, Stored] = {}
    for key, item in fresh.items():
        answers[key] = rows.add(item)
    rows.insert(tx)
    created = tuple(group for answer in answers.values() for group in answer.alertgroups)
    lanes = tuple({lane for item in fresh.values() for part in item.parts for lane in part.lanes})
    if created:
        tx.changes.append(Change("created", created, lanes))
    if len(created) < len(fresh) and any(item.reason for item in fresh.values()):
        tx.changes.append(Change("quarantined"))
    return answers


class Rows:
    """The rows of a batch, collected table by table; ids are taken as it is made."""

    def __init__(self, tx: Tx, entries: Sequence[Entry], messages: int) -> None:
        parts = [part for item in entries for part in item.parts]
        counts = {
            "m": messages,
            "g": len(parts),
            "a": sum(len(part.group.alerts) for part in parts),
            "d": sum(len(part.lanes) for part in parts),
        }
        last = tx.row(
            "UPDATE counter SET message = message + :m, alertgroup = alertgroup + :g, alert = alert + :a,"
            " delivery = delivery + :d RETURNING message, alertgroup, alert, delivery",
            **counts,
        )
        assert last is not None
        before = (int(end) - count for end, count in zip(last, counts.values(), strict=True))
        self.message, self.group, self.alert, self.delivery = before
        self.earlier = _earlier(tx, entries)
        self.folding = Folding(tx, (part.fold for part in parts if part.fold))
        self.gathering = Gathering(tx, (part.gather for part in parts if part.gather))
        self.originals: list[dict[str, Any]] = []
        self.messages: list[Sequence[Any]] = []
        self.groups: list[Sequence[Any]] = []
        self.texts: list[Sequence[Any]] = []
        self.alerts: list[Sequence[Any]] = []
        self.labels: list[Sequence[Any]] = []
        self.deliveries: list[Sequence[Any]] = []
        self.decided: list[tuple[int, Ruled]] = []
        self.totals = Counter[str]()
        self.spare = 0
        self.received = max((item.message.received for item in entries), default=0)

    def add(self, item: Entry) -> Stored:
        """A new message with its alertgroups."""
        message = item.message
        self.message += 1
        self.originals.append(
            {"hash": message.digest, "codec": item.codec, "size": len(message.body), "bytes": item.packed}
        )
        self.messages.append(
            (
                self.message, message.source, message.sender, message.message_id, item.thread, message.digest,
                len(message.body), message.media_type, message.received, item.state, item.parser,
                item.parser_version, item.reason,
            )
        )  # fmt: skip
        return Stored(message=self.message, alertgroups=self.of(item, self.message), quarantined=item.reason)

    def of(self, item: Entry, message: int) -> tuple[int, ...]:
        """The alertgroups of a message that has its row already; their ids."""
        groups = tuple(self._group(part, item, message) for part in item.parts)
        if item.thread and groups:
            self.earlier[item.thread] = groups[-1]
        return groups

    def _group(self, part: Part, item: Entry, message: int) -> int:
        group, received, status = part.group, item.message.received, part.group.status.value
        self.group += 1
        ruled = part.ruled or _AT_ONCE
        lanes: Sequence[str] = [lane for lane in part.lanes if lane not in ruled.held]
        into = None
        if part.fold:
            into, lanes = self.folding.place(part.fold, self.group, message, received, lanes)
        if part.ruled:
            self.decided.append((self.group, part.ruled))
        gathered = None
        if part.gather:
            gathered = self.gathering.place(part.gather, self.group, self.alert + 1, received)
        rows = len(group.alerts)
        open_, closed, promoted = (rows if status == name else 0 for name in ("open", "closed", "promoted"))
        self.groups.append(
            (
                self.group, message, group.subject, _json(group.columns), status, rows, open_, closed, promoted,
                part.severity, group.tlp.value, group.owner, _json(group.groups), _json(group.sources),
                _json(group.tags), group.message_id, self.earlier.get(item.thread or ""), _json(group.ahrefs),
                received, received if group.created is None else group.created, received, into,
                gathered,
            )
        )  # fmt: skip
        self.totals[status] += into is None and gathered is None
        if group.body or group.body_plain:
            self.texts.append((self.group, group.body, group.body_plain))
        cells = [
            alert.json if alert.detection is None else (alert.json, _json(alert.detection)) for alert in group.alerts
        ]
        self.alerts.append((self.alert + 1, self.group, status, received, cells))
        self.alert += rows
        self.labels += [("source", value, self.group) for value in dict.fromkeys(group.sources)]
        self.labels += [("tag", value, self.group) for value in dict.fromkeys(group.tags)]
        self.spare += len(part.lanes) - len(lanes) - len(ruled.held)
        for lane in (*lanes, *ruled.held):
            self.delivery += 1
            state = "silenced" if lane in ruled.held else "due"
            self.deliveries.append((self.delivery, self.group, lane, received, ruled.due.get(lane, received), state))
        return self.group

    def _insert_originals(self, tx: Tx) -> None:
        """Bytes cannot travel as JSON; many rows of one statement ask for the interpreter's lock once, not each."""
        waiting = self.originals[::-1]
        while waiting:
            cells: dict[str, Any] = {}
            places: list[str] = []
            size = 0
            while waiting and len(places) < _ORIGINALS and size < _ORIGINAL_BYTES:
                row, n = waiting.pop(), len(places)
                cells |= {f"{name}{n}": cell for name, cell in row.items()}
                places.append(f"(:hash{n}, :codec{n}, :size{n}, :bytes{n})")
                size += len(row["bytes"])
            tx.run(
                f"INSERT INTO original (hash, codec, size, bytes) VALUES {', '.join(places)} ON CONFLICT DO NOTHING",
                **cells,
            )

    def insert(self, tx: Tx) -> None:
        """Write them all, and what is raised by them: one statement a table, whatever their number."""
        if self.messages:
            self._insert_originals(tx)
            tx.run(inserts.MESSAGES, rows=packed(self.messages))
        if not self.groups:
            return
        tx.run(inserts.GROUPS, rows=packed(self.groups))
        index.wait(tx, [row[0] for row in self.groups], self.received)
        if self.texts:
            tx.run(inserts.TEXTS, rows=packed(self.texts))
        if self.alerts:
            tx.run(inserts.ALERTS[tx.engine], rows=packed(self.alerts))
        if self.labels:
            tx.run(inserts.LABELS, rows=packed(self.labels))
        if self.deliveries:
            tx.run(inserts.DELIVERIES, rows=packed(self.deliveries))
        rule.insert(tx, self.decided, self.received)
        self.folding.insert(tx)
        if self.spare:
            tx.run("UPDATE counter SET delivery = delivery - :n", n=self.spare)
        for status, n in self.totals.items():
            tx.run("UPDATE total SET n = n + :n WHERE status = :status", n=n, status=status)
        if raised := self.gathering.insert(tx):
            self.gathering.point(tx, _raise(tx, raised))


def _raise(tx: Tx, entries: Sequence[Entry]) -> list[int]:
    """Store what was made of evidence of which there was enough, as any other message; the alertgroups."""
    rows = Rows(tx, entries, len(entries))
    groups = [group for item in entries for group in rows.add(item).alertgroups]
    rows.insert(tx)
    lanes = tuple({lane for item in entries for part in item.parts for lane in part.lanes})
    tx.changes.append(Change("created", tuple(groups), lanes))
    _count(tx, entries, Counter((one.message.received // tally.DAY, one.message.source, one.state) for one in entries))
    return groups


def _earlier(tx: Tx, entries: Sequence[Entry]) -> dict[str, int]:
    """The newest alertgroup that came under the same id before, for ids that a detector uses again."""
    threads = {item.thread for item in entries if item.thread and item.parts}
    if not threads:
        return {}
    return {
        thread: group
        for thread, group in tx.rows(
            "SELECT value ->> 0, (SELECT max(g.id) FROM alertgroup g WHERE g.message ="
            " (SELECT max(m.id) FROM message m WHERE m.thread = value ->> 0)) FROM {each:threads}",
            threads=packed([thread] for thread in threads),
        )
        if group is not None
    }


def _count(tx: Tx, entries: Sequence[Entry], days: Counter[tuple[int, str, str]]) -> None:
    places: dict[tuple[int, str], Counter[str]] = {}
    for (day, source, outcome), n in days.items():
        places.setdefault((day, source), Counter())[outcome] += n
    tally.add(
        tx,
        [(day, source, n["stored"], n["quarantined"], 0, n["repeated"]) for (day, source), n in places.items()],
    )
    states: dict[str, tuple[int, str | None]] = {}
    for item in entries:
        at, cursor = states.get(item.message.source, (0, None))
        states[item.message.source] = (max(at, item.message.received), item.cursor or cursor)
    tx.run(
        "INSERT INTO source_state (name, last_message, last_success, cursor)"
        " SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), CAST(value ->> 1 AS BIGINT),"
        " coalesce(value ->> 2, (SELECT s.cursor FROM source_state s WHERE s.name = value ->> 0), '')"
        " FROM {each:rows} WHERE true ON CONFLICT (name) DO UPDATE SET last_message = excluded.last_message,"
        " last_success = excluded.last_success, cursor = excluded.cursor",
        rows=[(name, *state) for name, state in states.items()],
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
