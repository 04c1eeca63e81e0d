"""Everything a round leaves behind, as plain values: what the verdict is made from."""

from dataclasses import dataclass, field
from typing import Any

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
    """A body the webhook read to its end, and the status it answered (0: it broke the connection)."""

    at: float
    key: str
    status: int
    text: str


@dataclass(frozen=True)
class Owed:
    """A delivery as the API shows it."""

    alertgroup: int
    lane: str
    state: str
    receipts: int = 0


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
    parked: set[int] = field(default_factory=set)
    """Alertgroups whose delivery to the webhook the API shows as failed."""
    balance: Balance | None = None
    problems: list[Problem] = field(default_factory=list)
    turned_away: int = 0
    """How many posts were refused with an answer, or may have been."""
    refusals_bind: bool = True
    """Whether a 503 promises that nothing was stored: not where the database went away during its commit."""
