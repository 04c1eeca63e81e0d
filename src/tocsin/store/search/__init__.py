"""Search: the alertgroups that a query's tree means, deleted ones left out.

`compiling` makes SQL of the tree, `ways` chooses how it is walked; both follow the rules at the end of
docs/query-language.md, as `tocsin.query.predicate` does for alertgroups in memory. Every function raises Malformed for
what an engine cannot be asked, and TooSlow when the answer takes longer than `LONGEST_S`.
"""

from collections.abc import Sequence

from tocsin.model import Micros
from tocsin.query import Tree
from tocsin.store.alertgroup import FIELDS, ORDERS, Cursor, Order, Summary, summary
from tocsin.store.engine import Row, Tx
from tocsin.store.search.compiling import Compiler
from tocsin.store.search.ways import Way, way

LONGEST_S = 10.0
"""Seconds one statement may take: long enough for a look at everything of a small store."""

__all__ = ["LONGEST_S", "Compiler", "Way", "count_up_to", "ids", "matching", "page", "plan"]


def page(tx: Tx, tree: Tree, order: Order, limit: int, after: Cursor | None = None, now: Micros = 0) -> list[Summary]:
    """The next `limit` alertgroups behind `after`: keyset paging, as quick on page 9,000 as on page 1."""
    rows: list[Row] = []
    with tx.within(LONGEST_S):
        found = way(tx, tree, order, now, after)
        for statement, params in _statements(found, order, after):
            rows += tx.rows(statement, limit=limit - len(rows), **params)
            if len(rows) >= limit:
                break
    return [summary(row) for row in rows]


def _statements(found: Way, order: Order, after: Cursor | None) -> list[tuple[str, dict[str, object]]]:
    """What a page is asked with: first behind the id among equals, then behind the value.

    Asked for both at once, SQLite would look at all equals from the first: most alertgroups have been viewed 0 times.
    """
    name = order.column if order.column in ORDERS else "id"
    column = found.id if name == "id" else f"g.{name}"
    direction, sign = ("DESC", "<") if order.descending else ("ASC", ">")
    ordered = f"{column} {direction}" + ("" if name == "id" else f", {found.id} {direction}")
    places, params = [""], dict(found.params)
    if after is not None:
        params |= {"after_value": after[0], "after_id": after[1]}
        places = [f" AND {column} = :after_value AND {found.id} {sign} :after_id", f" AND {column} {sign} :after_value"]
        if name == "id":
            places = [f" AND {found.id} {sign} :after_id"]
            del params["after_value"]
    select = f"SELECT {FIELDS} FROM {found.tables} WHERE {found.condition}"
    return [(f"{select}{place} ORDER BY {ordered} LIMIT :limit", params) for place in places]


def count_up_to(tx: Tx, tree: Tree, most: int, now: Micros, within_s: float = LONGEST_S) -> int:
    """How many are meant, counted no further than `most`."""
    with tx.within(within_s):
        found = way(tx, tree, Order(), now)
        # SQLite would begin with the oldest; what is asked for is often new.
        ordered = f" ORDER BY {found.id} DESC" if tx.engine == "sqlite" else ""
        row = tx.row(
            f"SELECT count(*) FROM"
            f" (SELECT 1 AS one FROM {found.tables} WHERE {found.condition}{ordered} LIMIT :most) AS n",
            most=most,
            **found.params,
        )
    return int(row[0]) if row else 0


def ids(tx: Tx, tree: Tree, now: Micros, after: int = 0, limit: int = 1000) -> list[int]:
    """Their ids behind `after`, ascending."""
    with tx.within(LONGEST_S):
        found = way(tx, tree, Order(descending=False), now, (after, after))
        rows = tx.rows(
            f"SELECT {found.id} FROM {found.tables} WHERE {found.condition} AND {found.id} > :after"
            f" ORDER BY {found.id} LIMIT :limit",
            after=after,
            limit=limit,
            **found.params,
        )
    return [int(row[0]) for row in rows]


def matching(tx: Tx, tree: Tree, ids: Sequence[int], now: Micros) -> set[int]:
    """Which of these alertgroups are meant."""
    asked = Compiler(tx.engine, now)
    condition = asked.condition(tree)
    with tx.within(LONGEST_S):
        rows = tx.rows(
            "SELECT g.id FROM alertgroup g WHERE g.id IN (SELECT CAST(value ->> 0 AS BIGINT) FROM {each:wanted})"
            f" AND g.deleted IS NULL AND {condition}",
            wanted=[[each] for each in ids],
            **asked.params,
        )
    return {int(row[0]) for row in rows}


def plan(tx: Tx, tree: Tree, order: Order, now: Micros) -> str:
    """How the engine means to find a page, line by line, for tests and benchmarks."""
    explain = "EXPLAIN QUERY PLAN" if tx.engine == "sqlite" else "EXPLAIN"
    ((statement, params),) = _statements(way(tx, tree, order, now), order, None)
    rows = tx.rows(f"{explain} {statement}", limit=50, **params)
    return "\n".join(str(row[-1]) for row in rows)
