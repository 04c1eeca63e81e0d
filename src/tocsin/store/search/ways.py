"""How a page is walked: which index or which list of names drives, and what is asked of each alertgroup met there."""

from typing import NamedTuple

from tocsin.query import Tree
from tocsin.store.alertgroup import Order
from tocsin.store.engine import Tx
from tocsin.store.search.compiling import Compiler, Params


class Way(NamedTuple):
    """FROM and WHERE of a page, its parameters, and where the ids are read from."""

    tables: str
    condition: str
    params: Params
    id: str = "g.id"


def way(tx: Tx, tree: Tree, order: Order, now: int) -> Way:  # noqa: ARG001 - the order will say which index drives
    """A quick way to the alertgroups that a tree means, in an order."""
    asked = Compiler(tx.engine, now)
    return Way("alertgroup g", f"g.deleted IS NULL AND {asked.condition(tree)}", asked.params)
