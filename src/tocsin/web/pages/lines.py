"""A line of the list: an alertgroup in one glance, and where it went in three words."""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.model import Severity
from tocsin.store.alertgroup import Summary
from tocsin.store.delivery import Owed


class Pending(NamedTuple):
    """A delivery that is not simply done."""

    lane: str
    colour: str
    glyph: str
    words: str


class SentTo(NamedTuple):
    """Success whispers, exceptions speak."""

    delivered: tuple[str, ...]
    exceptions: tuple[Pending, ...]

    @property
    def nowhere(self) -> bool:
        """Whether nobody is owed it."""
        return not self.delivered and not self.exceptions


class Line(NamedTuple):
    """One alertgroup as the list shows it. `url` keeps the filter of the list; `evidence` says how much there is."""

    known: Summary
    sent: SentTo
    url: str
    evidence: str = ""

    @property
    def colour(self) -> str:
        """The colour of the counts: that of the status, none where there are no alerts."""
        return self.known.status.value if self.known.alert_count else "none"

    @property
    def severity_word(self) -> str:
        """The severity in a word; empty when nobody said."""
        return "" if self.known.severity is None else Severity(self.known.severity).name.lower()

    @property
    def bars(self) -> str:
        """The severity as bars."""
        return "" if self.known.severity is None else "▮" * max(1, self.known.severity)


def line_of(known: Summary, owed: Sequence[Owed], suffix: str, evidence: str = "") -> Line:
    """The line of an alertgroup with its deliveries; `suffix` is the query that its link keeps."""
    return Line(known, _sent(owed), f"/alerts/{known.id}{suffix}", evidence)


def _sent(owed: Sequence[Owed]) -> SentTo:
    """Whoever was told of a recall has the alertgroup no more. Updates say nothing unless they fail."""
    delivered: dict[str, None] = {}
    recalled: dict[str, None] = {}
    for one in owed:
        if one.state == "delivered" and one.kind != "update":
            now, before = (recalled, delivered) if one.kind == "recall" else (delivered, recalled)
            before.pop(one.lane, None)
            now[one.lane] = None
    pending = [one for one in owed if one.state != "delivered" and (one.kind != "update" or one.state == "failed")]
    exceptions = [_exception(one) for one in pending]
    exceptions += [Pending(lane, "held", "↩", "recalled, and told so") for lane in recalled]
    return SentTo(tuple(delivered), tuple(sorted(exceptions, key=_urgency)))


def _urgency(pending: Pending) -> int:
    return ("bad", "held", "due").index(pending.colour)


def _exception(owed: Owed) -> Pending:
    pending = _undelivered(owed)
    return pending if owed.kind == "alert" else pending._replace(words=f"{owed.kind}: {pending.words}")


def _undelivered(owed: Owed) -> Pending:
    last = owed.receipts[-1].detail if owed.receipts else ""
    match owed.state:
        case "withheld":
            return Pending(owed.lane, "held", "⊘", f"withheld: {last}")
        case "silenced":
            return Pending(owed.lane, "held", "⊘", "held back by a silence")
        case "failed":
            return Pending(owed.lane, "bad", "!", f"failed: {last}")
        case "skipped":
            return Pending(owed.lane, "due", "∅", f"nothing was sent: {last}")
        case "dropped":
            return Pending(owed.lane, "due", "×", "given up by a person")
        case "due" if owed.receipts:
            return Pending(owed.lane, "bad", "!", f"waiting after {owed.attempt} attempts: {last}")
    return Pending(owed.lane, "due", "…", "being sent" if owed.state == "sending" else "waiting")
