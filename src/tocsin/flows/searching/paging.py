"""A page of flows, newest or oldest first, with their labels.

First which flows they are, from the columns that are asked about, stretch by stretch of time until the page is full;
then the whole of those few, and their labels.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from tocsin.errors import Malformed, NotFound
from tocsin.flows import engine
from tocsin.flows.catalogue import Part
from tocsin.flows.kinds import COMMON, KINDS, Column
from tocsin.flows.labelling.expression import NEEDED, labelled
from tocsin.flows.searching.asked import Asked, Order, asked
from tocsin.flows.searching.named import naming
from tocsin.flows.searching.spans import Span
from tocsin.flows.searching.warm import Reading, Said, Warm
from tocsin.flows.searching.windows import stretches
from tocsin.model import Noun

MOST = 1000
_UIDS = Column("uids", "VARCHAR[]")
_KEYS = tuple(column for column in COMMON if column.name in ("place", "start"))
FOR_LABELS = (*(column for column in COMMON if column.name in NEEDED), _UIDS)
"""What must be known of a row to label it."""
_AFTER = re.compile(r"(-?[0-9]{1,19}|)\.([0-9]{1,19})", re.ASCII)


class Flow(Noun, frozen=True, kw_only=True):
    """A flow with its label. `cells` are its columns by name (`kinds`), without those that say nothing."""

    place: int
    kind: str
    cells: dict[str, Any]
    label: str
    alertgroup: int | None = None
    alert: int | None = None
    category: str | None = None


class Page(Noun, frozen=True, kw_only=True):
    """Flows in order; `after` leads to the next page, and is empty on the last."""

    flows: tuple[Flow, ...]
    after: str = ""


class _Key(NamedTuple):
    """Where a flow stands: by its start, and by its place among those of one moment; last those without a start."""

    start: int | None
    place: int
    kind: str = ""

    def __str__(self) -> str:
        return f"{'' if self.start is None else self.start}.{self.place}"


def search(
    warm: Warm, asked: Asked, *, limit: int = 50, after: str = "", order: Order = "newest", said: Said | None = None
) -> Page:
    """A page of what is asked for; of what one alertgroup names where it is `said`, also if it was closed as false.

    Raises Malformed for an `after` that is none, TooSlow, FlowsError, NotInstalled.
    """
    behind = _behind(after) if after else None
    limit = max(1, min(limit, MOST))
    if not warm.dataset.exists():
        return Page(flows=())
    if said is not None:
        asked = asked.named()
    with warm.dataset.reading(asked.kinds, since=asked.since, until=asked.until) as listed, warm.reading() as reading:
        reading.prepare(said)
        parts = asked.parts(listed)
        found: list[_Key] = []
        for stretch in _questions(asked, parts, behind, order):
            found += _found(reading, stretch, parts, behind, order, limit + 1 - len(found))
            if len(found) > limit:
                break
        flows = _whole(reading, parts, found[:limit])
    return Page(flows=tuple(flows), after=str(found[limit - 1]) if len(found) > limit else "")


def flow(warm: Warm, place: int) -> Flow:
    """One flow. Raises NotFound, FlowsError, NotInstalled."""
    question = asked(f"id:{place}", 0)
    found = search(warm, question, limit=1).flows
    if not found:
        raise NotFound(f"There is no flow {place}.")
    return found[0]


def _behind(after: str) -> _Key:
    said = _AFTER.fullmatch(after)
    if said is None or int(said[2]) >= 2**63:
        raise Malformed(f"Invalid after {after[:50]!r}: give back the `after` of the page before.")
    return _Key(int(said[1]) if said[1] else None, int(said[2]))


class _Stretch(NamedTuple):
    """A question about one stretch of time, or about what has no start."""

    asked: Asked
    timed: bool


def _questions(asked: Asked, parts: Sequence[Part], behind: _Key | None, order: Order) -> Iterator[_Stretch]:
    span = Span(asked.since, asked.until)
    newest = order == "newest"
    if behind is None or behind.start is not None:
        if behind is not None and behind.start is not None:
            span = span.within(Span(None, behind.start + 1) if newest else Span(behind.start, None))
        for stretch in stretches(parts, span, newest=newest):
            yield _Stretch(msgspec.structs.replace(asked, since=stretch.first, until=stretch.end), timed=True)
    if asked.since is None and asked.until is None:
        yield _Stretch(asked, timed=False)


def _found(
    reading: Reading, stretch: _Stretch, parts: Sequence[Part], behind: _Key | None, order: Order, most: int
) -> list[_Key]:
    """The first of a stretch that stand behind a key."""
    sign, direction = ("<", "DESC") if order == "newest" else (">", "ASC")
    start = "start" if stretch.timed else "NULL::BIGINT"
    more = ""
    if behind is not None and stretch.timed and behind.start is not None:
        more = f"(start {sign} {behind.start} OR (start = {behind.start} AND place {sign} {behind.place}))"
    elif behind is not None and not stretch.timed and behind.start is None:
        more = f"place {sign} {behind.place}"
    mine = [part for part in parts if (part.earliest is not None) == stretch.timed]
    if not stretch.asked.parts(mine):
        return []
    sql = meant(reading, stretch.asked, mine, _KEYS, more)
    rows = reading.rows(
        f"SELECT {start} AS start, place, kind FROM {sql} ORDER BY 1 {direction}, place {direction} LIMIT {most}"
    )
    return [_Key(*row) for row in rows]


def meant(reading: Reading, asked: Asked, parts: Sequence[Part], columns: Sequence[Column], more: str = "") -> str:
    """SQL in brackets for the rows that are meant, with at least these columns, in no order."""
    parts = sorted(parts, key=lambda part: part.kind)  # a reader with buffers of its own for each kind
    if not asked.labelled:
        return asked.rows(reading.dataset, parts, columns, more)
    every = (*FOR_LABELS, *(column for column in columns if column not in FOR_LABELS))
    conditions = naming(reading, asked)
    rows = asked.rows(reading.dataset, parts, every, more, conditions)
    if not conditions:
        return f"(SELECT * FROM {labelled(rows, reading.options, uids=True)} WHERE {asked.labelled})"
    # Few rows remain, and they are read twice.
    few = f"WITH few AS MATERIALIZED (SELECT * FROM {rows})"
    return f"({few} SELECT * FROM {labelled('few', reading.options, uids=True)} WHERE {asked.labelled})"


def _whole(reading: Reading, parts: Sequence[Part], keys: Sequence[_Key]) -> list[Flow]:
    """All that is known of some flows, in their order."""
    if not keys:
        return []
    cells: dict[int, dict[str, Any]] = {}
    told: dict[int, tuple[Any, ...]] = {}
    for kind in {key.kind for key in keys}:
        places = [key.place for key in keys if key.kind == kind]
        columns = KINDS[kind].columns
        names = ", ".join(engine.name(column.name) for column in columns)
        mine = [part for part in parts if part.kind == kind and any(part.first <= at <= part.last for at in places)]
        wanted = f"{reading.dataset.rows(mine, columns)} WHERE place IN ({', '.join(map(str, places))})"
        extra = "" if any(column.name == "uids" for column in columns) else ", NULL::VARCHAR[] AS uids"
        reading.rows(f"CREATE OR REPLACE TEMP TABLE shown AS SELECT *{extra} FROM {wanted}")
        for row in reading.rows(f"SELECT {names} FROM shown"):
            known = dict(zip((column.name for column in columns), row, strict=True))
            cells[known["place"]] = {name: value for name, value in known.items() if value is not None}
        needed = ", ".join(column.name for column in FOR_LABELS)
        rows = labelled(f"(SELECT {needed} FROM shown)", reading.options, uids=True)
        for place, *said in reading.rows(f"SELECT place, label, alertgroup, alert, category FROM {rows}"):
            told[place] = tuple(said)
    return [_flow(key, cells[key.place], told[key.place]) for key in keys]


def _flow(key: _Key, cells: dict[str, Any], told: tuple[Any, ...]) -> Flow:
    label, alertgroup, alert, category = told
    return Flow(
        place=key.place,
        kind=key.kind,
        cells=cells,
        label=label,
        alertgroup=alertgroup,
        alert=alert,
        category=category,
    )
