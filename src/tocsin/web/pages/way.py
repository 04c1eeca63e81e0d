"""The way of an alertgroup: received, read, sent, withheld, failed, in order, in words for three in the morning."""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.model import Micros
from tocsin.store.alertgroup import Summary
from tocsin.store.delivery import Owed, ReceiptLine
from tocsin.store.message import Kept

ORDINALS = ("", "first", "second", "third", "fourth", "fifth")


class Attempt(NamedTuple):
    """One attempt of several."""

    at: Micros
    words: str


class Step(NamedTuple):
    """One step. `failed` is the delivery a person may try again or drop, `due` when the next attempt is.

    `silenced` is the delivery a person may send in spite of the silence that holds it back.
    """

    colour: str
    words: str
    at: Micros | None
    detail: str = ""
    attempts: tuple[Attempt, ...] = ()
    failed: int = 0
    due: Micros | None = None
    silenced: int = 0


def way_of(known: Summary, message: Kept | None, owed: Sequence[Owed]) -> list[Step]:
    """Every step of an alertgroup so far, deliveries in the order in which they were owed."""
    folded = f"Folded into alertgroup {known.folded_into} as its repeat: not sent to where that was sent"
    repeat = [Step("held", folded, known.received)] if known.folded_into else []
    return [*_arrival(known, message), *repeat, *(_delivery(one) for one in owed)]


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
    match owed.state:
        case "delivered":
            return Step("ok", f"{owed.lane}: delivered at the {_ordinal(owed.attempt)} attempt", at, detail, attempts)
        case "withheld":
            why = f", {last.detail}" if last and last.detail else ""
            return Step("held", f"{owed.lane}: withheld{why}", at, "", attempts)
        case "silenced":
            words = f"{owed.lane}: held back by a silence, not sent"
            return Step("held", words, at, detail, attempts, silenced=owed.id)
        case "failed":
            words = f"{owed.lane}: failed, not tried again by itself ({_many(owed.attempt, 'attempt')})"
            return Step("bad", words, at, detail, attempts, failed=owed.id)
        case "dropped":
            return Step("due", f"{owed.lane}: given up by a person", at, detail, attempts)
        case "sending":
            return Step("due", f"{owed.lane}: being sent, {_ordinal(owed.attempt)} attempt", at, detail, attempts)
    if last is None:
        later = owed.due if owed.due > owed.created else None
        return Step("due", f"{owed.lane}: waiting to be sent", at, due=later)
    words = f"{owed.lane}: waiting, {_many(owed.attempt, 'attempt')}"
    return Step("bad", words, at, detail, attempts, due=owed.due)


def _attempt(line: ReceiptLine) -> str:
    said = line.detail or line.remote_id
    return f"attempt {line.attempt}: {line.outcome} after {line.took / 1_000_000:.1f} s{f', {said}' if said else ''}"


def _detail(line: ReceiptLine | None) -> str:
    if line is None:
        return ""
    return ", ".join(filter(None, (line.remote_id, line.detail)))


def _ordinal(n: int) -> str:
    return ORDINALS[n] if 0 < n < len(ORDINALS) else f"{n}th"


def _many(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
