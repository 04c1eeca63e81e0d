"""The nouns. Frozen values that know nothing of stores, networks or each other's rooms.

Times are integers: microseconds since 1970-01-01T00:00:00Z.
"""

import enum
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple, Self

import msgspec

from tocsin.errors import DeliveryError

Micros = int
"""Microseconds since the Unix epoch, UTC."""


class Noun(msgspec.Struct, frozen=True, kw_only=True):
    """A value: equal by content, never changed, only replaced."""


class Status(enum.StrEnum):
    """Where triage stands. A group is promoted if any alert is, closed if all are, otherwise open."""

    OPEN = "open"
    CLOSED = "closed"
    PROMOTED = "promoted"


class TLP(enum.StrEnum):
    """How far an alert may travel: FIRST TLP 2.0; `unset` when nobody said."""

    UNSET = "unset"
    CLEAR = "clear"
    GREEN = "green"
    AMBER = "amber"
    AMBER_STRICT = "amber+strict"
    RED = "red"

    @classmethod
    def _missing_(cls, value: object) -> "TLP | None":
        """TLP 1.0 and SCOT spellings: white is clear, black (SCOT) is red."""
        text = str(value).strip().lower().removeprefix("tlp:")
        text = {"white": "clear", "black": "red", "amber-strict": "amber+strict", "": "unset"}.get(text, text)
        return next((member for member in cls if member.value == text), None)


class Severity(enum.IntEnum):
    """How bad, in five steps (Slips' threat levels, ECS and CVSS words map onto them)."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Endpoint(Noun, frozen=True, kw_only=True):
    """One side of a detection. Addresses are in canonical text (RFC 5952 for IPv6), names in lower case."""

    addresses: tuple[str, ...] = ()
    hostnames: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    macs: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


class Detection(Noun, frozen=True, kw_only=True):
    """The meaning of one alert in normal form. What could not be read is absent, never invented."""

    name: str = ""
    category: str = ""
    description: str = ""
    severity: Severity | None = None
    confidence: float | None = None
    detected: Micros | None = None
    start: Micros | None = None
    end: Micros | None = None
    sources: tuple[Endpoint, ...] = ()
    targets: tuple[Endpoint, ...] = ()
    protocols: tuple[str, ...] = ()
    flow_uids: tuple[str, ...] = ()


class Alert(Noun, frozen=True, kw_only=True, dict=True):
    """One row of an alertgroup.

    `json` is the row as one JSON object, its text as received, so no number, escape or order is lost.
    `id`, `uid` and `status` are set once it is stored. `detection` is set by a parser that knows the meaning.
    """

    json: str
    detection: Detection | None = None
    id: int = 0
    uid: str = ""
    status: Status = Status.OPEN

    @cached_property
    def data(self) -> dict[str, Any]:
        """The cells, decoded."""
        return msgspec.json.decode(self.json, type=dict[str, Any])

    @classmethod
    def as_received(cls, json: str, cells: dict[str, Any]) -> Self:
        """An alert from its text and the cells decoded from it, for parsers that have both at hand."""
        alert = cls(json=json)
        alert.__dict__["data"] = cells
        return alert

    @classmethod
    def of(cls, cells: Mapping[str, Any], detection: Detection | None = None) -> Self:
        """An alert from decoded cells, for parsers that build their rows."""
        return cls(json=msgspec.json.encode(cells).decode(), detection=detection)


class Link(Noun, frozen=True, kw_only=True):
    """A link back to the detector (SCOT's `ahrefs`)."""

    subject: str = ""
    link: str = ""


class Alertgroup(Noun, frozen=True, kw_only=True):
    """One message understood: SCOT's alertgroup, one alert per row.

    A parser fills the first part; the second is the store's and zero or empty until stored.
    """

    subject: str
    alerts: tuple[Alert, ...]
    columns: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    tlp: TLP = TLP.UNSET
    message_id: str = ""
    created: Micros | None = None
    body: str = ""
    body_plain: str = ""
    ahrefs: tuple[Link, ...] = ()
    groups: dict[str, list[str]] = msgspec.field(default_factory=dict)
    owner: str = ""
    status: Status = Status.OPEN

    id: int = 0
    uid: str = ""
    received: Micros = 0

    @classmethod
    def of_rows(cls, subject: str, rows: Iterable[Mapping[str, Any]], **rest: Any) -> Self:
        """A group from decoded rows; columns are derived unless given."""
        alerts = tuple(Alert.of(row) for row in rows)
        rest.setdefault("columns", union_of_keys(alert.data for alert in alerts))
        return cls(subject=subject, alerts=alerts, **rest)


def worst_of(group: Alertgroup) -> Severity | None:
    """The severity of its worst alert, by the detections its alerts carry."""
    found = (alert.detection.severity for alert in group.alerts if alert.detection is not None)
    return max((one for one in found if one is not None), default=None)


def union_of_keys(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The rows' keys in order of first appearance."""
    seen: dict[str, None] = {}
    for row in rows:
        seen.update(dict.fromkeys(row))
    return tuple(seen)


class Message(Noun, frozen=True, kw_only=True, dict=True):
    """What a source handed over: its original bytes and how they came.

    Known by: an `idempotency_key` or `message_id` makes two equal messages of one `sender` the same message.
    `by_bytes` makes the bytes themselves the identity (a mail without an id).
    """

    source: str
    body: bytes
    media_type: str
    received: Micros
    sender: str = ""
    message_id: str = ""
    idempotency_key: str = ""
    by_bytes: bool = False
    id: int = 0

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the body in hexadecimal: the address of the original."""
        return hashlib.sha256(self.body).hexdigest()


class Entity(Noun, frozen=True, kw_only=True, gc=False):
    """An address, name or hash standing in an alert."""

    type: str
    value: str


class Receipt(Noun, frozen=True, kw_only=True):
    """What a destination answered to one attempt that succeeded."""

    remote_id: str = ""
    status: str = ""


Kind = Literal["alert", "update", "recall"]
"""What is sent of an alertgroup: itself; its state after it was sent; that it was sent in error."""


class Delivery(Noun, frozen=True, kw_only=True):
    """One alertgroup owed to one destination; `id` and `uid` are stable over attempts and restarts.

    `owed` is when it became so. An update or a recall comes with what this destination answered `earlier` to
    deliveries of the same alertgroup that arrived, oldest first; `seen` is how many times the alertgroup came, folded
    repeats included, and `reason` why a person recalls it. The alertgroup of a recall that may no longer go out (its
    TLP rose) has no text: ids, uids and times alone. `hub` is the uid of this Tocsin, the same for ever.
    """

    id: int
    uid: str
    alertgroup: Alertgroup
    attempt: int = 1
    kind: Kind = "alert"
    owed: Micros = 0
    seen: int = 1
    reason: str = ""
    earlier: tuple[Receipt, ...] = ()
    hub: str = ""


class Route(Noun, frozen=True, kw_only=True):
    """What a query means goes to `to`, at once or as a digest every so often; `last` ends the asking."""

    name: str
    query: str
    to: tuple[str, ...]
    every: Micros = 0
    last: bool = False


class Silence(Noun, frozen=True, kw_only=True):
    """What a query means is not sent to `to` (to nobody, if empty) from `starts` until `ends`, in its recurrence."""

    id: int
    name: str
    query: str
    to: tuple[str, ...] = ()
    owner: str = ""
    reason: str = ""
    starts: Micros = 0
    ends: Micros | None = None
    recurrence: str = ""


class Since(Noun, frozen=True, kw_only=True):
    """How far somebody has followed the alertgroups of a hub: all up to `id`, and their changes up to `updated`.

    `seen` are those just before `updated`, as they were: a change may be stored a while after the time it bears.
    """

    hub: str = ""
    id: int = 0
    updated: Micros = 0
    seen: dict[int, tuple[Micros, str]] = msgspec.field(default_factory=dict)


class Judged(NamedTuple):
    """An alert and what analysts say of it. What is said of the alertgroup `follows` is said of it, too; 0 is none."""

    alert: Alert
    tags: tuple[str, ...] = ()
    follows: int = 0


class Triaged(Noun, frozen=True, kw_only=True):
    """An alertgroup as triage left it. `gone`: deleted, or evidence of which there is not enough; it has no alerts."""

    id: int
    status: Status
    tags: tuple[str, ...] = ()
    gone: bool = False
    alerts: tuple[Judged, ...] = ()


class News(Noun, frozen=True, kw_only=True):
    """Alertgroups that are new or changed, and how far one has followed with them.

    `anew`: what was known before is of another hub, or of a store that was set back; it is to be forgotten.
    """

    groups: tuple[Triaged, ...]
    since: Since
    anew: bool = False


class Why(Noun, frozen=True, kw_only=True, omit_defaults=True):
    """A rule that meant the alertgroup, and what it did.

    `kind`: route, collection, silence, accumulate or default.
    """

    kind: str
    name: str
    said: str
    id: int = 0


class Sent(NamedTuple):
    """What came of a batch: one outcome per delivery, in order, and the cursor to store with them."""

    outcomes: Sequence[Receipt | DeliveryError]
    cursor: str = ""

    @classmethod
    def one_by_one(cls, send: Callable[[Delivery], Receipt], deliveries: Sequence[Delivery], cursor: str) -> Self:
        """Send each for itself; one that fails does not keep the others."""
        outcomes: list[Receipt | DeliveryError] = []
        for delivery in deliveries:
            try:
                outcomes.append(send(delivery))
            except DeliveryError as error:
                outcomes.append(error)
        return cls(outcomes, cursor)
