"""The API's list: any order of several columns, so many left out first, and how many there are in all."""

from collections.abc import Sequence

from tocsin.model import Micros
from tocsin.query import Tree, standing
from tocsin.query.tree import Everything, Is, Node, Or, Ref
from tocsin.store import alertgroup, filters, search
from tocsin.store.alertgroup import FIELDS, Order, Summary, summary
from tocsin.store.engine import Tx
from tocsin.store.search.ways import way

_ALL = 1 << 62


def listing(
    tx: Tx, tree: Tree, sort: Sequence[tuple[str, bool]], limit: int, offset: int, now: Micros
) -> tuple[list[Summary], int]:
    """`limit` alertgroups behind `offset`, 0 for all, in the order of (column, descending) pairs; and how many match.

    Folded ones are left out unless the query asks for them. Raises Malformed, TooSlow.
    """
    wanted = standing(tree)
    column, descending = sort[0] if sort else ("id", True)
    found = way(tx, wanted, Order(column=column, descending=descending), now)
    order = filters.order_of_groups(sort or [("id", True)], found.id)
    with tx.within(search.LONGEST_S):
        rows = tx.rows(
            f"SELECT {FIELDS} FROM {found.tables} WHERE {found.condition} ORDER BY {order} LIMIT :limit OFFSET :offset",
            limit=limit or _ALL,
            offset=offset,
            **found.params,
        )
    statuses = _statuses(tree)
    if statuses is None:
        return [summary(row) for row in rows], search.count_up_to(tx, wanted, _ALL, now)
    return [summary(row) for row in rows], sum(n for status, n in alertgroup.totals(tx).items() if status in statuses)


def _statuses(tree: Node) -> set[str] | None:
    """The statuses, where nothing else is asked for: their totals are known."""
    match tree:
        case Everything():
            return {"open", "closed", "promoted"}
        case Is() if tree.ref == Ref("status"):
            return {str(tree.value)}
        case Or():
            each = [_statuses(part) for part in tree.parts]
            return {status for one in each if one for status in one} if all(each) else None
    return None
