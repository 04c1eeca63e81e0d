"""Stored originals read again with the parsers of today: the difference first, and then, if wanted, the new reading."""

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Literal

import msgspec

from tocsin.errors import NotFound, Refused, StoreUnavailable, TocsinError
from tocsin.intake import Intake
from tocsin.intake.again import Again, now
from tocsin.intake.reading import Reading
from tocsin.model import Alertgroup, Noun
from tocsin.store import Part, Store, again, alertgroup, message
from tocsin.store.engine import Tx
from tocsin.store.message import Kept, Selection

AT_ONCE = 50
MOST_SAMPLES = 5
LONGEST_SAMPLE = 200


class Sample(Noun, frozen=True, kw_only=True):
    """One cell that is read differently; rows count from 1. What is absent is null."""

    row: int
    column: str
    before: str | None
    after: str | None


class Difference(Noun, frozen=True, kw_only=True):
    """What a message yields now, against what stands in the store.

    `what` is changed, new (an alertgroup more), gone (an alertgroup that is not read any more; it is kept), unread (the
    parsers do not understand it now; all is kept), removed (retention took the original or its alertgroups), or kept
    (a person deleted the alertgroup). `alertgroup` is 0 where there is none.
    """

    message: int
    what: Literal["changed", "new", "gone", "unread", "removed", "kept"]
    alertgroup: int = 0
    subject_before: str = ""
    subject_after: str = ""
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    rows_before: int = 0
    rows_after: int = 0
    cells_changed: int = 0
    samples: tuple[Sample, ...] = ()
    note: str = ""


class Progress(Noun, frozen=True, kw_only=True):
    """How far it is: of `messages`, so many were `read`, and so many alertgroups are the same."""

    messages: int
    read: int
    same: int


class Wish(Noun, frozen=True, kw_only=True):
    """What to read again, with which parser (empty: as when it came in), and whether to write and to send."""

    chosen: Selection
    parser: str = ""
    dry_run: bool = True
    send: bool = False


class Reparse:
    """One pass over a selection of stored messages."""

    def __init__(self, store: Store, intake: Intake, again: Again, wish: Wish, who: str) -> None:
        self._store, self._intake, self._again = store, intake, again
        self._wish, self._who = wish, who
        self._same = 0

    def run(self) -> Iterator[Difference | Progress]:
        """Read message after message; progress is told after each. Raises StoreUnavailable, Malformed (no such parser).

        What was written before an error stays written; the same call goes on from there.
        """
        total = self._store.read(lambda tx: message.how_many(tx, self._wish.chosen))
        yield Progress(messages=total, read=0, same=0)
        for done, kept in enumerate(self._chosen(), 1):
            yield from self._one(kept)
            yield Progress(messages=max(total, done), read=done, same=self._same)

    def _chosen(self) -> Iterator[Kept]:
        after = 0
        while batch := self._store.read(partial(message.select, chosen=self._wish.chosen, after=after, limit=AT_ONCE)):
            yield from batch
            after = batch[-1].id

    def _one(self, kept: Kept) -> Iterator[Difference]:
        try:
            original = self._again.message(kept.id)
        except NotFound:
            yield Difference(message=kept.id, what="removed", note="retention removed the original")
            return
        standing = self._store.read(lambda tx: _standing(tx, kept.id))
        if not standing:
            yield Difference(message=kept.id, what="removed", note="retention removed its alertgroups")
            return
        reading = self._again.reread(original, self._wish.parser)
        try:
            parts = () if reading.reason else self._intake.parts(reading.groups, original, reading.parser)
        except Refused as error:
            reading = msgspec.structs.replace(reading, reason=str(error))
            parts = ()
        if reading.reason:
            yield Difference(message=kept.id, what="unread", note=f"{reading.reason}; all of it is kept as it stands")
            return
        for before, part in itertools.zip_longest(standing, parts):
            yield from self._compared(kept, before, part, reading)

    def _compared(
        self, kept: Kept, before: Alertgroup | None, part: Part | None, reading: Reading
    ) -> Iterator[Difference]:
        if part is None:
            assert before is not None
            note = "this message does not yield it any more; it is kept"
            yield Difference(
                message=kept.id, what="gone", alertgroup=before.id, subject_before=before.subject,
                rows_before=len(before.alerts), note=note,
            )  # fmt: skip
        elif before is None:
            number = 0 if self._wish.dry_run else self._add(kept, part, reading)
            yield _new(kept.id, number, part.group)
        elif (found := compare(kept.id, before, part.group)) is None:
            self._same += 1
        elif self._wish.dry_run:
            yield found
        else:
            yield self._replace(found, part, reading)

    def _add(self, kept: Kept, part: Part, reading: Reading) -> int:
        lanes = part.lanes if self._wish.send else ()
        # What is not to be sent raises nothing either: the next evidence does that.
        gather = part.gather and msgspec.structs.replace(
            part.gather, made=part.gather.made if self._wish.send else None
        )
        parts = [msgspec.structs.replace(part, lanes=lanes, gather=gather)]
        name, version = reading.parser, reading.version
        (number,) = self._store.write(lambda tx: again.more(tx, kept.id, parts, name, version, self._who, now()))
        return number

    def _replace(self, found: Difference, part: Part, reading: Reading) -> Difference:
        number, at = found.alertgroup, now()

        def work(tx: Tx) -> str:
            if alertgroup.get(tx, number).deleted is not None:
                return "a person deleted it; it is kept as it was"
            by = (reading.parser, reading.version, self._who, at)
            again.replace(tx, number, part.group, part.severity, *by, part.gather)
            if self._wish.send and part.lanes:
                again.owe(tx, number, part.lanes, self._who, at)
            return ""

        try:
            note = self._store.write(work)
        except StoreUnavailable:
            raise
        except TocsinError as error:
            note = str(error)
        return msgspec.structs.replace(found, what="kept", note=note) if note else found


def compare(number: int, before: Alertgroup, after: Alertgroup) -> Difference | None:
    """What differs between two readings of an alertgroup, rows compared in their order; None if nothing does."""
    samples: list[Sample] = []
    cells = 0
    for row, (old, new) in enumerate(zip(before.alerts, after.alerts, strict=False), 1):
        if old.json == new.json:
            continue
        for column in dict.fromkeys([*old.data, *new.data]):
            was, becomes = _shown(old.data, column), _shown(new.data, column)
            if was != becomes:
                cells += 1
                if len(samples) < MOST_SAMPLES:
                    cut = (None if text is None else text[:LONGEST_SAMPLE] for text in (was, becomes))
                    samples.append(Sample(row=row, column=column, before=next(cut), after=next(cut)))
    added = tuple(column for column in after.columns if column not in before.columns)
    removed = tuple(column for column in before.columns if column not in after.columns)
    rows = (len(before.alerts), len(after.alerts))
    reordered = before.columns != after.columns
    if before.subject == after.subject and rows[0] == rows[1] and not cells and not reordered:
        return None
    return Difference(
        message=number,
        what="changed",
        alertgroup=before.id,
        subject_before=before.subject,
        subject_after=after.subject,
        columns_added=added,
        columns_removed=removed,
        rows_before=rows[0],
        rows_after=rows[1],
        cells_changed=cells,
        samples=tuple(samples),
        note="the columns stand in another order" if reordered and not added and not removed else "",
    )


def _new(number: int, group: int, after: Alertgroup) -> Difference:
    return Difference(
        message=number,
        what="new",
        alertgroup=group,
        subject_after=after.subject,
        columns_added=after.columns,
        rows_after=len(after.alerts),
    )


def _shown(cells: dict[str, Any], column: str) -> str | None:
    if column not in cells:
        return None
    value = cells[column]
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _standing(tx: Tx, number: int) -> Sequence[Alertgroup]:
    """The alertgroups of a message, in the order in which it held them."""
    loaded = alertgroup.load(tx, message.groups_of(tx, number))
    return [loaded[each] for each in sorted(loaded)]
