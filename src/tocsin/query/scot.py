"""SCOT's listing filters -> the same tree.

The door reads the parameters into clauses (a field, an operator, values); here each clause becomes a node. Labels,
owner and message ids are then compared as everywhere in the language, with ASCII letters folded.
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from tocsin.query import dates, tree
from tocsin.query.fields import FIELDS, SEVERITIES, Kind
from tocsin.query.tree import Comparable, Is, Node, Range, Ref, Tree
from tocsin.query.values import Date, Number, Text, regex


class ClauseLike(Protocol):
    """What the door makes of one parameter: numbers and times (microseconds) as integers, the rest as text."""

    @property
    def field(self) -> str:
        """The store's name of what is asked for."""

    @property
    def op(self) -> str:
        """eq, ne, in, not_in, lt, le, gt, ge, between, regex, matches, all, any or none."""

    @property
    def values(self) -> Sequence[int | str]:
        """One or more; two for `between`."""


NAMES: Mapping[str, str] = {
    "alert_count": "rows",
    "open_count": "open",
    "closed_count": "closed",
    "promoted_count": "promoted",
    "folded_into": "folded",
}
"""The store's columns -> the language's fields; all others have one name."""
ALWAYS_ZERO = "entry_count"
"""Alertgroups hold no entries of SCOT's kind; the count stands in its grammar."""
_SIGNS: Mapping[str, Callable[[int, int], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
}
_NEGATED = {"ne": "eq", "not_in": "in", "none": "any"}


def tree_of(clauses: Iterable[ClauseLike]) -> Tree:
    """What all the clauses ask for together. Raises KeyError for a field or an operator that no parameter gives."""
    return tree.both(_node(clause.field, clause.op, clause.values) for clause in clauses)


def _node(field: str, op: str, values: Sequence[int | str]) -> Node:
    if op in _NEGATED:
        return tree.negation(_node(field, _NEGATED[op], values))
    if field == ALWAYS_ZERO:
        return tree.Everything() if _holds(op, values, 0) else tree.nothing()
    if field == "severity":
        levels = [word for rank, word in enumerate(SEVERITIES) if _holds(op, values, rank)]
        return tree.either(Is(ref=Ref("severity"), value=Text(word)) for word in levels)
    ref = Ref(NAMES.get(field, field))
    match op:
        case "eq" | "in" | "any":
            return tree.either(_is(ref, value) for value in values)
        case "all":
            return tree.both(_is(ref, value) for value in values)
        case "regex":
            return Is(ref=ref, value=regex(str(values[0])))
        case "matches":
            return tree.either([_is(ref, values[0]), Is(ref=ref, value=regex(str(values[0])))])
        case "between":
            return Range(ref=ref, low=_bound(ref, values[0]), high=_bound(ref, values[1]))
    limit, included = _bound(ref, values[0]), op in ("le", "ge")
    if op in ("lt", "le"):
        return Range(ref=ref, high=limit, high_in=included)
    if op in ("gt", "ge"):
        return Range(ref=ref, low=limit, low_in=included)
    raise KeyError(op)


def _is(ref: Ref, value: int | str) -> Is:
    found: Comparable = Text(value) if isinstance(value, str) else _bound(ref, value)
    return Is(ref=ref, value=found)


def _bound(ref: Ref, value: int | str) -> Number | Date:
    if FIELDS[ref.field].kind is Kind.DATE:
        return Date(dates.of_time(int(value)))
    return Number(int(value))


def _holds(op: str, values: Sequence[int | str], number: int) -> bool:
    numbers = [int(value) for value in values]
    if op in ("in", "any", "eq"):
        return number in numbers
    if op == "between":
        return numbers[0] <= number <= numbers[1]
    return _SIGNS[op](number, numbers[0])
