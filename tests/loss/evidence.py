"""Everything a round leaves behind, as plain values: what the verdict is made from."""

from dataclasses import dataclass, field
from typing import Any

from loss.deeds import Deeds, Rules
from loss.numbered import Numbered

Problem = str
"""A thing the round itself saw going wrong, as a sentence."""


@dataclass(frozen=True)
class StoredGroup:
    """An alertgroup as the API shows it, its rows decoded."""

    id: int
    subject: str
    status: str
    alert_count: int
    open_count: int
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Line:
    """One line of a file destination; `whole` says that a line feed ends it."""

    lane: str
    piece: str
    place: int
    text: bytes
    whole: bool = True


@dataclass(frozen=True)
class Got:
    """What a receiver read to its end, and the status it answered (0: it broke the connection)."""

    at: float
    key: str
    status: int
    text: str
    lane: str = "hook"


@dataclass(frozen=True)
class Owed:
    """A delivery as the API shows it."""

    alertgroup: int
    lane: str
    state: str
    id: int = 0
    drained: bool = False
    """Its last receipt says that it went into a file."""


@dataclass(frozen=True)
class Told:
    """A lane as the API shows it in the end."""

    paused: bool = False
    due: int = 0
    failed: int = 0


@dataclass(frozen=True)
class ReplayTold:
    """A replay as the API shows it in the end."""

    id: int
    state: str
    upto: int
    owed: int
    delivered: int
    under_way: int


@dataclass(frozen=True)
class Balance:
    """The hub's own count of messages."""

    received: int
    stored: int
    quarantined: int
    refused: int


@dataclass
class Evidence:
    """A round's leavings."""

    sent: dict[int, Numbered] = field(default_factory=dict)
    stored: list[StoredGroup] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    parked: dict[str, set[int]] = field(default_factory=dict)
    """By lane: alertgroups whose delivery the API shows as failed."""
    held: set[int] = field(default_factory=set)
    """Alertgroups that the API shows as held back by a silence."""
    lanes: dict[str, Told] = field(default_factory=dict)
    drained: dict[str, list[bytes]] = field(default_factory=dict)
    """By lane: the whole lines of the file it was emptied into."""
    deeds: Deeds = field(default_factory=Deeds)
    rules: Rules | None = None
    """Routes and silences as the API shows them in the end."""
    replays: list[ReplayTold] = field(default_factory=list)
    replayed: dict[int, list[int]] = field(default_factory=dict)
    """By replay: the alertgroups whose history says that it had them sent."""
    balance: Balance | None = None
    problems: list[Problem] = field(default_factory=list)
    turned_away: int = 0
    """How many posts were refused with an answer, or may have been."""
    refusals_bind: bool = True
    """Whether a 503 promises that nothing was stored: not where the database went away during its commit."""
