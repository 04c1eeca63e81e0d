"""Cells: whether an alert's row has one that is as a query says.

SQLite is lent the very code that asks alertgroups in memory (`store/functions.py`). PostgreSQL reads the row with the
stored functions of migration 0006: `row_cells` gives kind and text of every value in a column, `cell_number` its
number, `cell_span` the first and last key of an address.
"""

import msgspec

from tocsin.query import addresses
from tocsin.query.matching import number
from tocsin.query.tree import Comparable, Exists, Is, Range
from tocsin.query.values import Network, Number, Text
from tocsin.store.search import texts
from tocsin.store.search.listed import AnyOf, Leaf, span_bounds
from tocsin.store.search.writing import FALSE, Statement, bounds, joined

_SHOWN = "(c.kind <> 'number' OR c.value ~ '^-?[0-9]+$')"
"""What patterns are laid over; how a fraction is written is not the point."""


def holds(s: Statement, leaf: Leaf) -> str:
    """Whether the row of the alert `a` has such a cell."""
    if s.sqlite:
        nodes = [Is(ref=leaf.ref, value=value) for value in leaf.values] if isinstance(leaf, AnyOf) else [leaf]
        return f"cell_holds(a.data, {s.put(msgspec.json.encode(nodes).decode())})"
    rows = f"SELECT 1 FROM row_cells(a.data, {s.put(leaf.ref.of)}) c"
    return f"EXISTS ({rows} WHERE {_value(s, leaf)})"


def _value(s: Statement, leaf: Leaf) -> str:
    match leaf:
        case Exists():
            return "c.value IS NOT NULL"
        case Range():
            return _between(s, leaf)
        case AnyOf(values=values):
            return joined([*_whole(s, leaf), *(_one(s, value) for value in values)], "OR")


def _whole(s: Statement, leaf: AnyOf) -> list[str]:
    whole = [value for value in leaf.values if isinstance(value, Text)]
    return [f"(c.kind <> 'number' AND {texts.among(s, 'c.value', whole)})"] if whole else []


def _one(s: Statement, value: Comparable) -> str:
    match value:
        case Text(text=text):
            amount = number(text)
            if amount is None:
                return FALSE
            return f"(c.kind = 'number' AND coalesce(cell_number(c.kind, c.value) = {s.put(amount)}, {FALSE}))"
        case Network(text=text):
            low, high = addresses.span(text) or ("", "")
            return _span(f"n.low >= {s.put(low)} AND n.high <= {s.put(high)}")
        case _:
            return f"({_SHOWN} AND {texts.among(s, 'c.value', [value])})"


def _between(s: Statement, asked: Range) -> str:
    if isinstance(asked.low or asked.high, Network):
        (low, high), low_in, high_in = span_bounds(asked)
        return _span(f"n.low >{'=' * low_in} {s.put(low)} AND n.high <{'=' * high_in} {s.put(high)}")
    limits = [s.put(float(one.number)) if isinstance(one, Number) else None for one in (asked.low, asked.high)]
    between = bounds("cell_number(c.kind, c.value)", *limits, low_in=asked.low_in, high_in=asked.high_in)
    return f"coalesce({between}, {FALSE})"


def _span(condition: str) -> str:
    """Keys are digits only, whatever the database's order of letters."""
    return f"(c.kind = 'text' AND EXISTS (SELECT 1 FROM cell_span(c.value) n WHERE {condition}))"
