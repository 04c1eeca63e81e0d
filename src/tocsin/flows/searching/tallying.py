"""How many flows there are of each port, kind or whatever else a column says."""

from collections.abc import Sequence
from typing import Any

from tocsin.flows import engine
from tocsin.flows.searching.asked import Asked
from tocsin.flows.searching.counting import column
from tocsin.flows.searching.paging import meant
from tocsin.flows.searching.warm import Warm
from tocsin.model import Noun

_KIND = "kind"


class Tally(Noun, frozen=True, kw_only=True):
    """What the columns say, and how many flows say so; `labelled` of them are named by an alert."""

    keys: tuple[Any, ...]
    flows: int
    labelled: int


def tally(warm: Warm, asked: Asked, columns: Sequence[str], *, limit: int = 20) -> list[Tally]:
    """Those with the most flows, by `kind` and columns that every kind has.

    Raises TooSlow, FlowsError, NotInstalled.
    """
    if not warm.dataset.exists():
        return []
    wanted = tuple(column(name) for name in columns if name != _KIND)
    names = ", ".join(map(engine.name, columns))
    with warm.dataset.reading(asked.kinds, since=asked.since, until=asked.until) as listed, warm.reading() as reading:
        parts = asked.parts(listed)
        if not parts:
            return []
        reading.prepare()
        every, named = (meant(reading, each, parts, wanted) for each in (asked, asked.named()))
        rows = reading.rows(
            f"SELECT {names}, sum(flows) AS flows, sum(labelled) AS labelled FROM ("
            f"SELECT {names}, count(*) AS flows, 0 AS labelled FROM {every} GROUP BY ALL"
            f" UNION ALL SELECT {names}, 0, count(*) FROM {named} GROUP BY ALL)"
            f" GROUP BY {names} ORDER BY flows DESC, {names} LIMIT {max(1, limit)}"
        )
    return [Tally(keys=tuple(row[:-2]), flows=int(row[-2]), labelled=int(row[-1])) for row in rows]
