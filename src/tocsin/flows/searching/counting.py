"""How many flows there are, over time and by host."""

from collections.abc import Sequence
from typing import Any

import msgspec

from tocsin.flows.catalogue import Part
from tocsin.flows.kinds import COMMON, Column
from tocsin.flows.searching.asked import Asked
from tocsin.flows.searching.paging import meant
from tocsin.flows.searching.spans import Span
from tocsin.flows.searching.warm import Reading, Said, Warm
from tocsin.flows.searching.windows import stretches
from tocsin.model import Micros, Noun
from tocsin.query.tree import Everything

SECOND = 1_000_000
STEPS_S = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800)
"""Lengths of stretches that people can count in; above the last one its multiples."""
MOST_BUCKETS = 1000
CLOSE = 20
"""Flows lie close together where they take up less than one part in so many of the stretches."""


class Count(Noun, frozen=True, kw_only=True):
    """How many; `more`: there are more than that, and nobody counted on."""

    number: int
    more: bool = False


class Bucket(Noun, frozen=True, kw_only=True):
    """What began in a stretch of time."""

    start: Micros
    flows: int
    labelled: int


class Timeline(Noun, frozen=True, kw_only=True):
    """Flows over time, in stretches of `step` microseconds; every one stands there, also those without any flow."""

    step: Micros = SECOND
    buckets: tuple[Bucket, ...] = ()


class Host(Noun, frozen=True, kw_only=True):
    """An address: how many flows it sent and was sent, bytes both ways, how many of them are labelled, and when."""

    address: str
    sent: int
    received: int
    bytes: int
    labelled: int
    first: Micros | None
    last: Micros | None


def count(warm: Warm, asked: Asked, most: int = 10_000, *, said: Said | None = None) -> Count:
    """How many flows are meant, counted up to `most`; all of them where nothing is asked for, for that is known."""
    if not warm.dataset.exists():
        return Count(number=0)
    if said is not None:
        asked = asked.named()
    with warm.dataset.reading(asked.kinds, since=asked.since, until=asked.until) as listed, warm.reading() as reading:
        parts = asked.parts(listed)
        if isinstance(asked.tree, Everything) and asked.since is None and asked.until is None and not asked.labelled:
            return Count(number=sum(part.rows for part in parts))
        reading.prepare(said)
        found = 0
        for portion in (*stretches(parts, Span(asked.since, asked.until), newest=True), None):
            found += _counted(reading, asked, parts, portion, most + 1 - found)
            if found > most:
                return Count(number=most, more=True)
    return Count(number=found)


def _counted(reading: Reading, asked: Asked, parts: Sequence[Part], portion: Span | None, most: int) -> int:
    """Those of a stretch of time, or those without a start."""
    if portion is None:
        if asked.since is not None or asked.until is not None:
            return 0
        mine = [part for part in parts if part.earliest is None]
    else:
        mine = [part for part in parts if part.earliest is not None]
        asked = msgspec.structs.replace(asked, since=portion.first, until=portion.end)
    if not asked.parts(mine):
        return 0
    rows = meant(reading, asked, mine, COMMON[:1])
    return int(reading.rows(f"SELECT count(*) FROM (SELECT 1 FROM {rows} LIMIT {most})")[0][0])


def timeline(warm: Warm, asked: Asked, *, buckets: int = 100) -> Timeline:
    """All and labelled flows over the span that is asked for, in at most so many stretches of a round length.

    Where no span is asked for it is that of the data set, and less where all that are meant lie close together in it.
    Raises TooSlow, FlowsError, NotInstalled.
    """
    found = _timeline(warm, asked, buckets)
    while asked.since is None and asked.until is None and found.step > STEPS_S[0] * SECOND:
        there = [bucket.start for bucket in found.buckets if bucket.flows]
        if not there or (there[-1] - there[0]) // found.step * CLOSE >= len(found.buckets):
            break
        span = msgspec.structs.replace(asked, since=there[0], until=there[-1] + found.step)
        closer = _timeline(warm, span, buckets)
        if closer.step >= found.step:
            break
        found = closer
    return found


def _timeline(warm: Warm, asked: Asked, buckets: int) -> Timeline:
    if not warm.dataset.exists():
        return Timeline()
    with warm.dataset.reading(asked.kinds, since=asked.since, until=asked.until) as listed, warm.reading() as reading:
        parts = [part for part in asked.parts(listed) if part.earliest is not None and part.latest is not None]
        if not parts:
            return Timeline()
        first, end = min(part.earliest or 0 for part in parts), max(part.latest or 0 for part in parts) + 1
        first = first if asked.since is None else max(first, asked.since)
        end = end if asked.until is None else min(end, asked.until)
        step = _step(end - first, max(1, min(buckets, MOST_BUCKETS) - 1))
        first = first // step * step
        reading.prepare()
        at = f"{first} + (start - {first}) // {step} * {step}"
        start = (column("start"),)
        every = _by(reading, at, meant(reading, asked, parts, start))
        named = _by(reading, at, meant(reading, asked.named(), parts, start))
    return Timeline(
        step=step,
        buckets=tuple(
            Bucket(start=each, flows=every.get(each, 0), labelled=named.get(each, 0))
            for each in range(first, end, step)
        ),
    )


def _step(span: int, buckets: int) -> int:
    least = span / buckets
    fitting = (step * SECOND for step in STEPS_S if step * SECOND >= least)
    week = STEPS_S[-1] * SECOND
    return next(fitting, -int(-least // week) * week)


def _by(reading: Reading, at: str, rows: str) -> dict[int, int]:
    return dict(reading.rows(f"SELECT {at}, count(*) FROM {rows} WHERE start IS NOT NULL GROUP BY 1"))


def column(name: str) -> Column:
    """One of the columns that every kind has."""
    (found,) = (each for each in COMMON if each.name == name)
    return found


def hosts(warm: Warm, asked: Asked, *, limit: int = 50) -> list[Host]:
    """The addresses with the most labelled flows, then with the most flows.

    Ask with `alternative:no` for connections alone, without what was seen inside them. Raises TooSlow, FlowsError,
    NotInstalled.
    """
    if not warm.dataset.exists():
        return []
    columns = tuple(map(column, ("place", "start", "saddr", "daddr", "bytes")))
    with warm.dataset.reading(asked.kinds, since=asked.since, until=asked.until) as listed, warm.reading() as reading:
        parts = asked.parts(listed)
        if not parts:
            return []
        reading.prepare()
        rows, named = meant(reading, asked, parts, columns), meant(reading, asked.named(), parts, columns)
        cells = "saddr, daddr, start, bytes"
        every = f"(SELECT {cells}, false AS named FROM {rows} UNION ALL SELECT {cells}, true FROM {named})"
        return hosts_in(reading, every, limit)


def hosts_in(reading: Reading, rows: str, limit: int) -> list[Host]:
    """The same of rows with `saddr, daddr, start, bytes, named`: a labelled flow stands there twice, once `named`.

    A flow to oneself is sent and received, and counted once for its bytes and label.
    """
    once = "(side = 0 OR daddr IS DISTINCT FROM saddr)"
    found = reading.rows(
        "SELECT CASE WHEN side = 0 THEN saddr ELSE daddr END AS address,"
        " count(*) FILTER (side = 0 AND NOT named) AS sent, count(*) FILTER (side = 1 AND NOT named) AS received,"
        f" coalesce(sum(bytes) FILTER (NOT named AND {once}), 0)::BIGINT AS bytes,"
        f" count(*) FILTER (named AND {once}) AS labelled, min(start) AS first, max(start) AS last"
        f" FROM {rows} CROSS JOIN (VALUES (0), (1)) AS ends(side) GROUP BY 1 HAVING address <> ''"
        f" ORDER BY labelled DESC, sent + received DESC, address LIMIT {max(1, limit)}"
    )
    return list(map(_host, found))


def _host(row: tuple[Any, ...]) -> Host:
    address, sent, received, size, labelled, first, last = row
    return Host(
        address=address,
        sent=int(sent),
        received=int(received),
        bytes=int(size),
        labelled=int(labelled),
        first=first,
        last=last,
    )
