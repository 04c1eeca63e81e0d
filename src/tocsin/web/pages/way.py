"""The way of an alertgroup: received, read, sent, withheld, failed, in order, in words for three in the morning."""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.model import Micros
from tocsin.store.alertgroup import Summary
from tocsin.store.delivery import Owed, ReceiptLine
from tocsin.store.message import Kept
from tocsin.store.recall import Recalled
from tocsin.web.notes import now_micros

SEND = "Send now"
ORDINALS = ("", "first", "second", "third", "fourth", "fifth")


class Attempt(NamedTuple):
    """One attempt of several."""

    at: Micros
    words: str


class Step(NamedTuple):
    """One step. `due` is when the next attempt is, `lane` the destination that was sent the alertgroup itself.

    `delivery` is one that a person may send now, with the button `again`, and give up if `may_drop`.
    """

    colour: str
    words: str
    at: Micros | None
    detail: str = ""
    attempts: tuple[Attempt, ...] = ()
    due: Micros | None = None
    lane: str = ""
    delivery: int = 0
    again: str = ""
    may_drop: bool = False


def way_of(known: Summary, message: Kept | None, owed: Sequence[Owed], recalls: Sequence[Recalled] = ()) -> list[Step]:
    """Every step of an alertgroup so far, deliveries in the order in which they were owed, recalls among them."""
    folded = f"Folded into alertgroup {known.folded_into} as its repeat: not sent to where that was sent"
    repeat = [Step("held", folded, known.received)] if known.folded_into else []
    if known.gathered == "below":
        repeat.append(Step("held", "Evidence, of which there is not enough: kept, sent to nobody", known.received))
    elif known.gathered:
        repeat.append(Step("held", "Evidence: sent with others, in the alertgroup made of it", known.received))
    sent = [(one.created, 1, _delivery(one)._replace(lane=one.lane if one.kind == "alert" else "")) for one in owed]
    taken_back = [(one.at, 0, _recalled(one)) for one in recalls]
    told = [step for *_, step in sorted([*sent, *taken_back], key=lambda each: each[:2])]
    return [*_arrival(known, message), *repeat, *told]


def _recalled(recall: Recalled) -> Step:
    whom = f" from {', '.join(recall.lanes)}" if recall.lanes else ""
    return Step("held", f"Recalled{whom} by {recall.who}", recall.at, recall.reason)


def _arrival(known: Summary, message: Kept | None) -> list[Step]:
    rows = _many(known.alert_count, "alert"), _many(len(known.columns), "column")
    if message is None:
        return [Step("ok", f"Received: {', '.join(rows)}", known.received)]
    whom = f"{message.source} {message.sender}".strip()
    mark = f"sha256 {message.digest[:8]}…{message.digest[-4:]}"
    kept = f"{message.size:,} bytes kept, {mark}; on disk before it was answered"
    if message.removed is not None:
        kept = f"{message.size:,} bytes, {mark}; the original was removed by retention"
    steps = [Step("ok", f"Received from {whom}", message.received, kept)]
    again = f"same message id as alertgroup {known.repeats}, other content" if known.repeats else ""
    parser = f"{message.parser} {message.parser_version}".strip() or "nobody"
    return [*steps, Step("ok", f"Read by {parser}: {', '.join(rows)}", known.received, again)]


def _delivery(owed: Owed) -> Step:
    last = owed.receipts[-1] if owed.receipts else None
    attempts = tuple(Attempt(one.at, _attempt(one)) for one in owed.receipts)
    at = owed.settled if owed.settled is not None else last.at if last else owed.created
    detail = _detail(last)
    name = owed.lane if owed.kind == "alert" else f"{owed.lane}, {owed.kind}"
    match owed.state:
        case "delivered":
            return Step("ok", f"{name}: delivered at the {_ordinal(owed.attempt)} attempt", at, detail, attempts)
        case "withheld":
            why = f", {last.detail}" if last and last.detail else ""
            return _decidable(Step("held", f"{name}: withheld{why}", at, "", attempts), owed, SEND)
        case "silenced":
            words = f"{name}: held back by a silence, not sent"
            return _decidable(Step("held", words, at, detail, attempts), owed, SEND)
        case "failed":
            words = f"{name}: failed, not tried again by itself ({_many(owed.attempt, 'attempt')})"
            return _decidable(Step("bad", words, at, detail, attempts), owed, "Try again")
        case "skipped":
            why = f": {last.detail}" if last and last.detail else ""
            return _decidable(
                Step("due", f"{name}: nothing was sent{why}", at, "", attempts), owed, SEND, may_drop=False
            )
        case "dropped":
            step = Step("due", f"{name}: given up by a person", at, detail, attempts)
            return _decidable(step, owed, SEND, may_drop=False)
        case "sending":
            return Step("due", f"{name}: being sent, {_ordinal(owed.attempt)} attempt", at, detail, attempts)
    if last is None:
        later = owed.due if owed.due > now_micros() else None
        step = Step("due", f"{name}: waiting to be sent", at, due=later)
        return _decidable(step, owed, SEND, may_drop=False) if later else step
    words = f"{name}: waiting, {_many(owed.attempt, 'attempt')}"
    step = Step("bad", words, at, detail, attempts, due=owed.due)
    return _decidable(step, owed, "Try now", may_drop=False)


def _decidable(step: Step, owed: Owed, again: str, may_drop: bool = True) -> Step:
    return step._replace(delivery=owed.id, again=again, may_drop=may_drop)


def _attempt(line: ReceiptLine) -> str:
    took = f"{line.took / 1000:,.1f} ms" if line.took < 1_000_000 else f"{line.took / 1_000_000:,.1f} s"
    remote = f"remote id {line.remote_id}" if line.remote_id else ""
    told = ", ".join(filter(None, (line.outcome, f"after {took}", remote, line.detail)))
    return f"attempt {line.attempt}: {told}"


def _detail(line: ReceiptLine | None) -> str:
    if line is None:
        return ""
    return ", ".join(filter(None, (line.remote_id, line.detail)))


def _ordinal(n: int) -> str:
    return ORDINALS[n] if 0 < n < len(ORDINALS) else f"{n}th"


def _many(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
