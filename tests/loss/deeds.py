"""What a person did to the hub meanwhile, as a book of its own: what was asked, when, and what was answered.

The verdict asks it what may be silenced, dropped, paused or sent again. Nothing in it was read from the hub, but where
the answer to a change was lost: then the hub was asked how it stands, and until that moment both may be so.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from loss.numbered import Numbered

LANES = ("idea_log", "text_log", "hook", "partner", "slack", "email")
Fate = Literal["none", "owed", "silenced"]
LONG = "1h"
"""How often a digest is sent whose hour does not come in a round."""


@dataclass(frozen=True)
class RouteRule:
    """A route as it was asked for; `tag` "" means everything, `every` "" sends at once."""

    name: str
    tag: str
    to: tuple[str, ...]
    last: bool = False
    every: str = ""
    active: bool = True


@dataclass(frozen=True)
class SilenceRule:
    """A silence that stands; `to` is empty for every destination."""

    name: str
    tag: str
    to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """All routes in their order and all silences, at one moment."""

    routes: tuple[RouteRule, ...] = ()
    silences: tuple[SilenceRule, ...] = ()

    def fate(self, message: Numbered, lane: str) -> Fate:
        """What the documentation of routes and silences promises for a message and a destination."""
        owed = not any(route.active for route in self.routes)
        for route in self.routes:
            if route.active and route.tag in ("", message.tag):
                owed = owed or lane in route.to
                if route.last:
                    break
        if not owed:
            return "none"
        held = any(one.tag in ("", message.tag) and (lane in one.to or not one.to) for one in self.silences)
        return "silenced" if held else "owed"


@dataclass(frozen=True)
class Change:
    """From `asked` these rules may stand, from `known` those before no longer do (seconds into the round)."""

    asked: float
    known: float
    rules: Rules


@dataclass
class ReplayDeed:
    """A replay that was begun, and the last thing it was told."""

    id: int
    lane: str
    tag: str
    again: bool
    stopped: bool | None = False
    """None: it was asked to, and the answer was lost."""


@dataclass(frozen=True)
class Decision:
    """Somebody had one delivery sent again or dropped, and was told that it was done."""

    at: float
    what: Literal["retry", "drop"]
    delivery: int
    lane: str


@dataclass
class Deeds:
    """Everything that was done."""

    changes: list[Change] = field(default_factory=lambda: [Change(-1.0, -1.0, Rules())])
    paused: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(LANES, False))
    dropped: set[int] = field(default_factory=set)
    """Deliveries that were asked to be dropped, done or not."""
    swept: set[str] = field(default_factory=set)
    """Lanes in which all that was parked was asked to be dropped."""
    touched: set[int] = field(default_factory=set)
    """Deliveries that were asked to be sent again, done or not."""
    decisions: list[Decision] = field(default_factory=list)
    replays: dict[int, ReplayDeed] = field(default_factory=dict)
    maybe_replayed: set[str] = field(default_factory=set)
    """Lanes to which a replay was asked for, begun or not."""
    maybe_again: set[str] = field(default_factory=set)
    """The same, of what had been delivered too."""
    last_replay: dict[str, float] = field(default_factory=dict)
    """When one was last begun or resumed, by lane."""
    tlps: dict[int, set[str]] = field(default_factory=dict)
    """By alertgroup: every TLP that it was asked to be changed to."""
    drained: set[str] = field(default_factory=set)
    """Lanes that were asked to be emptied into a file."""

    @property
    def rules(self) -> Rules:
        """Those that stand now."""
        return self.changes[-1].rules

    @property
    def long_digests(self) -> set[str]:
        """Lanes that may be owed what is due much later."""
        routes = [route for change in self.changes for route in change.rules.routes]
        return {lane for route in routes if route.every == LONG for lane in route.to}

    def possible(self, message: Numbered, lane: str) -> set[Fate]:
        """What may have been decided about a message, at any moment from its first attempt to its first yes."""
        begin = min((attempt.at for attempt in message.attempts), default=0.0)
        end = min((a.at + a.took for a in message.attempts if a.status == 200), default=float("inf"))
        return {change.rules.fate(message, lane) for change in self._standing(begin, end)}

    def _standing(self, begin: float, end: float) -> Iterator[Change]:
        for place, change in enumerate(self.changes):
            over = self.changes[place + 1].known if place + 1 < len(self.changes) else float("inf")
            if change.asked <= end and begin <= over:
                yield change
