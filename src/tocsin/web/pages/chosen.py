"""The chosen alertgroup: everything its half of the page shows, read on one snapshot."""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.entities import Known
from tocsin.errors import NotFound
from tocsin.model import Link, Micros, Status, Why
from tocsin.store import again, alert, alertgroup, delivery, history, message, recall, rule
from tocsin.store.alertgroup import Summary
from tocsin.store.delivery import Owed
from tocsin.store.engine import Tx
from tocsin.store.message import Kept
from tocsin.web.pages import ranges
from tocsin.web.pages.asked import Asked
from tocsin.web.pages.cells import cells_of, fields_of
from tocsin.web.pages.gathered import Gathered, gathered_of
from tocsin.web.pages.lines import Line, line_of
from tocsin.web.pages.marking import LONGEST_TEXT, Marking
from tocsin.web.pages.repeated import Repeats, repeats_of
from tocsin.web.pages.section import Section, section_of
from tocsin.web.pages.shown import Cell, Words
from tocsin.web.pages.way import Step, way_of

FIRST_ROWS = 100
"""Rows that a page brings with it; the rest is fetched while the reader scrolls."""
HISTORY = 50


class RowLine(NamedTuple):
    """A row of the table."""

    id: int
    status: str
    cells: list[Cell]


class Record(NamedTuple):
    """One alert in full."""

    id: int
    status: str
    fields: list[tuple[str, Cell]]


class Viewer(NamedTuple):
    """Who looked, when last."""

    who: str
    at: Micros


class SafeLink(NamedTuple):
    """A link back to the detector; only web addresses are `safe` to click."""

    subject: str
    link: str
    safe: bool


class Statuses(NamedTuple):
    """Which alerts are open, closed, promoted: ranges of ids, or `all`."""

    open: str
    closed: str
    promoted: str

    @property
    def written(self) -> str:
        """One text of it, for the form that undoes a change."""
        return ";".join(f"{name}:{ids}" for name, ids in zip(self._fields, self, strict=True) if ids)


class Chosen(NamedTuple):
    """An alertgroup in full. `last_row` is an alert's id; `partial` says that earlier rows are left out.

    `owed` are its deliveries without updates and recalls. `entities` is None where a page has no use for them.
    """

    line: Line
    subject: Words
    message: Kept | None
    way: list[Step]
    history: list[history.Line]
    history_cut: bool
    read_again: bool
    viewers: list[Viewer]
    rows: list[RowLine]
    last_row: int
    more_rows: bool
    partial: bool
    statuses: Statuses
    links: list[SafeLink]
    text: Words
    record: Record | None
    repeats: Repeats
    gathered: Gathered
    why: list[Why]
    owed: list[Owed]
    entities: Section | None


def choose(
    tx: Tx,
    id: int,
    asked: Asked,
    *,
    rows_after: int = 0,
    record: int = 0,
    entities: Known | None = None,
    marks: bool = True,
) -> Chosen:
    """Read an alertgroup for its page; with its entities, if it is said whose, and with them marked where they stand.

    Raises NotFound.
    """
    known = alertgroup.get(tx, id)
    found = alert.of_group(tx, id, limit=FIRST_ROWS + 1, after=rows_after)
    rows = [RowLine(row.id, row.status.value, cells_of(row.json, known.columns)) for row in found[:FIRST_ROWS]]
    owed = delivery.of_groups(tx, [id])[id]
    came_in = _message(tx, known)
    lines = history.of_group(tx, id)
    evidence = gathered_of(tx, known)
    body, body_plain = alertgroup.texts(tx, id)
    plain = Chosen(
        line=line_of(known, owed, asked.suffix, evidence.badge),
        subject=known.subject,
        message=came_in,
        way=way_of(known, came_in, owed, recall.of_group(tx, id)),
        history=lines[: -HISTORY - 1 : -1],
        history_cut=len(lines) > HISTORY,
        read_again=any(line.what.startswith(again.READ_AGAIN) for line in lines),
        viewers=[Viewer(who, at) for who, (at, _) in alertgroup.viewers(tx, id).items()],
        rows=rows,
        last_row=rows[-1].id if rows else 0,
        more_rows=len(found) > FIRST_ROWS,
        partial=rows_after > 0,
        statuses=statuses_of(tx, known),
        links=[_link(link) for link in known.ahrefs],
        text=(body_plain or body)[:LONGEST_TEXT],
        record=_record(tx, known, record) if record else None,
        repeats=repeats_of(tx, known),
        gathered=evidence,
        why=rule.why(tx, id),
        owed=[one for one in owed if one.kind == "alert"],
        entities=None,
    )
    if entities is None:
        return plain
    counted = plain._replace(entities=section_of(tx, id, entities))
    return _marked(tx, counted, entities) if marks else counted


def _marked(tx: Tx, plain: Chosen, known: Known) -> Chosen:
    """The same with the entities in its texts marked."""
    group, marking = plain.line.known, Marking(known)
    fields = plain.record.fields if plain.record else []
    for text, column in ((group.subject, ""), (plain.text, "")):
        marking.look_at(text, column, LONGEST_TEXT)
    for name, value in fields:
        marking.look_at(value, name, LONGEST_TEXT)
    rows = marked_rows(tx, group, plain.rows, marking)
    return plain._replace(
        subject=marking.show(group.subject),
        text=marking.show(plain.text),
        rows=rows,
        record=plain.record and plain.record._replace(fields=[(name, marking.show(it, name)) for name, it in fields]),
    )


def marked_rows(tx: Tx, group: Summary, rows: Sequence[RowLine], marking: Marking) -> list[RowLine]:
    """The rows with their entities marked, counted together with what was looked at before."""
    for row in rows:
        for cell, column in zip(row.cells, group.columns, strict=True):
            marking.look_at(cell, column)
    marking.look_up(tx, group.id)
    return [
        row._replace(cells=[marking.show(it, column) for it, column in zip(row.cells, group.columns, strict=True)])
        for row in rows
    ]


def statuses_of(tx: Tx, known: Summary) -> Statuses:
    """Which alerts stand in which status. Only a group of mixed statuses needs its alerts for that."""
    counts = (known.open_count, known.closed_count, known.promoted_count)
    if known.alert_count in counts:
        return Statuses(*("all" if count == known.alert_count and count else "" for count in counts))
    rows = alert.of_group(tx, known.id)
    return Statuses(*(ranges.written(row.id for row in rows if row.status is status) for status in Status))


def _message(tx: Tx, known: Summary) -> Kept | None:
    try:
        return message.get(tx, known.message)
    except NotFound:
        return None


def _record(tx: Tx, known: Summary, id: int) -> Record | None:
    row = alert.get(tx, id)
    if row.alertgroup != known.id:
        raise NotFound(f"alertgroup {known.id} has no alert {id}")
    return Record(row.id, row.status.value, fields_of(row.json, known.columns))


def _link(link: Link) -> SafeLink:
    return SafeLink(link.subject, link.link, link.link.lower().startswith(("https://", "http://")))


def rows_behind(tx: Tx, id: int, after: int, limit: int, entities: Known) -> tuple[Sequence[RowLine], bool]:
    """The next rows of an alertgroup, marked, and whether more follow. Raises NotFound."""
    known = alertgroup.get(tx, id)
    found = alert.of_group(tx, id, limit=limit + 1, after=after)
    lines = [RowLine(row.id, row.status.value, cells_of(row.json, known.columns)) for row in found[:limit]]
    return marked_rows(tx, known, lines, Marking(entities)), len(found) > limit
