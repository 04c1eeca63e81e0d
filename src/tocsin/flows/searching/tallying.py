"""What one looks at first of some flows: between which addresses they are, to which ports, and of which kinds."""

from collections.abc import Sequence
from typing import Any

from tocsin.flows import engine
from tocsin.flows.searching.asked import Asked
from tocsin.flows.searching.counting import Host, column, hosts_in
from tocsin.flows.searching.paging import meant
from tocsin.flows.searching.warm import Reading, Warm
from tocsin.model import Noun

_COLUMNS = ("start", "saddr", "daddr", "dport", "proto", "bytes")


class Tally(Noun, frozen=True, kw_only=True):
    """What columns say, and how many flows say so; `labelled` of them are named by an alert."""

    keys: tuple[Any, ...]
    flows: int
    labelled: int


class Summed(Noun, frozen=True, kw_only=True):
    """Hosts as `counting.hosts` has them; `ports` with their protocols and `kinds`, those with the most flows first."""

    hosts: tuple[Host, ...] = ()
    ports: tuple[Tally, ...] = ()
    kinds: tuple[Tally, ...] = ()


def summed(warm: Warm, asked: Asked, *, hosts: int, ports: int) -> Summed:
    """Sums of what is asked for, from one look at it. Raises TooSlow, FlowsError, NotInstalled."""
    if not warm.dataset.exists():
        return Summed()
    wanted = tuple(map(column, _COLUMNS))
    cells = ", ".join(map(engine.name, ("kind", *_COLUMNS)))
    with warm.dataset.reading(asked.kinds, since=asked.since, until=asked.until) as listed, warm.reading() as reading:
        parts = asked.parts(listed)
        if not parts:
            return Summed()
        reading.prepare()
        every, named = (meant(reading, each, parts, wanted) for each in (asked, asked.named()))
        reading.rows(
            f"CREATE OR REPLACE TEMP TABLE summed AS SELECT {cells}, false AS named FROM {every}"
            f" UNION ALL SELECT {cells}, true FROM {named}"
        )
        found = Summed(
            hosts=tuple(hosts_in(reading, "summed", hosts)),
            ports=tuple(_tallied(reading, ("dport", "proto"), ports)),
            kinds=tuple(_tallied(reading, ("kind",), 1000)),
        )
        reading.rows("DROP TABLE summed")
    return found


def _tallied(reading: Reading, columns: Sequence[str], limit: int) -> list[Tally]:
    names = ", ".join(map(engine.name, columns))
    rows = reading.rows(
        f"SELECT {names}, count(*) FILTER (NOT named) AS flows, count(*) FILTER (named) FROM summed"
        f" WHERE {engine.name(columns[0])} IS NOT NULL GROUP BY {names} ORDER BY flows DESC, {names} LIMIT {limit}"
    )
    return [Tally(keys=tuple(row[:-2]), flows=int(row[-2]), labelled=int(row[-1])) for row in rows]
