"""Evidence: what single detections weigh, against which address and in which window of time. Pure functions.

Slips' arithmetic (its evidence and profiles, 1.1): threat level times confidence, summed up for each source address
and time window; enough is a quarter for each minute that the window is wide. Weights are kept in millionths, so that
the order of adding them does not count.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from tocsin import detection
from tocsin.detection import Names
from tocsin.formats.slips import LEVELS
from tocsin.formats.times import LATEST, writable
from tocsin.model import Alertgroup, Micros, Noun, Severity

ONE = 1_000_000
"""The weight of one, in millionths."""
HOUR: Micros = 3_600_000_000
MINUTE: Micros = 60_000_000
A_MINUTE = 0.25
"""So much for each minute of the window is enough, where nothing else is said."""
WEIGHTS = {severity: round(level * ONE) for severity, level in LEVELS.items()}


class Rule(Noun, frozen=True, kw_only=True):
    """Which alertgroups are evidence, how wide its windows are, what counts how much and how much is enough.

    `width` in microseconds, windows begin at multiples of it since 1970; `threshold` and `weights` in millionths.
    """

    name: str
    query: str = ""
    width: Micros = HOUR
    threshold: int = 15 * ONE
    weights: Mapping[Severity, int] = msgspec.field(default_factory=lambda: WEIGHTS)


class Share(NamedTuple):
    """What the alert at a `place` of its alertgroup adds to the heap of a source address and window; in millionths."""

    place: int
    source: str
    begun: Micros
    weight: int


class Shares(NamedTuple):
    """What an alertgroup adds; `unknown` says why that cannot be told, and then it is no evidence."""

    found: tuple[Share, ...] = ()
    unknown: str = ""


def enough(width: Micros) -> int:
    """The threshold of Slips for windows of that width, in millionths."""
    return round(A_MINUTE * ONE * width / MINUTE)


def shares(group: Alertgroup, rule: Rule, received: Micros, names: Names = detection.DEFAULT) -> Shares:
    """What each alert adds. Its detections are known, or read by `names`; `received` counts where none says when.

    What weighs nothing adds nothing, such as severity info; nor does what a row of Slips says of a destination.
    """
    found = []
    for place, alert in enumerate(group.alerts):
        said = detection.read(alert, names)
        if said.severity is None:
            return Shares(unknown="nothing in it says how severe it is")
        weight = round(rule.weights[said.severity] * (1 if said.confidence is None else min(said.confidence, 1)))
        if weight <= 0 or detection.is_of_target(alert, names):
            continue
        source = next((address for end in said.sources for address in end.addresses), "")
        if not source:
            return Shares(unknown="nothing in it says from which address it came")
        times = (said.detected, said.start, said.end)
        at = next((one for one in times if one is not None and writable(one)), received)
        found.append(Share(place, source, at // rule.width * rule.width, weight))
    return Shares(tuple(found))


def ended(begun: Micros, width: Micros) -> Micros:
    """When a window ends: at the latest where the calendar does."""
    return min(begun + width, LATEST - 1)


def written(weight: int) -> str:
    """A weight as people read it, 15 or 3.25: three digits behind the point, never more than there is."""
    whole, rest = divmod(weight // 1000, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".") if rest else str(whole)
