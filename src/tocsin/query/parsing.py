"""Text -> tree: what was written, with every name looked up and every value read by its field's type."""

import re

from tocsin.errors import BadQuery
from tocsin.query import reading, tree
from tocsin.query.fields import ALERTGROUPS, Field, Kind, Table, nearest
from tocsin.query.syntax import LONGEST, Bounds, Compared, Group, Single, Written, written
from tocsin.query.tree import Exists, Is, Node, Range, Ref, Row, Tree, Words
from tocsin.query.values import Network, Place

MOST_TERMS = 2000
"""Conditions in one query."""
LONGEST_NAME = 256
"""Characters of a field's name."""
_GROWTH = 64
"""How much longer the canonical text may be: a single sign can stand for eighteen letters."""
_SINGLE = frozenset(
    {Kind.WHOLE, Kind.FRACTION, Kind.AMOUNT, Kind.CHOICE, Kind.DATE, Kind.KEYWORD, Kind.CELL, Kind.ADDRESS, Kind.MAC}
)


def parse(text: str, table: Table = ALERTGROUPS) -> Tree:
    """The tree of a query for things that have those fields.

    Raises BadQuery, which points at the character and says what to write instead.
    """
    found = written(text)
    if found is None:
        return tree.Everything()
    understood = _Resolver(table).node(found)
    if len(text) > LONGEST // _GROWTH and len(str(understood)) > LONGEST:
        raise BadQuery("This query is too long when it is written out", 0, f"use at most {LONGEST:,} characters")
    return understood


class _Resolver:
    """One query being understood; counts its conditions."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._terms = 0
        self._in_row = False

    def node(self, part: Written) -> Node:
        place = Place(part.start, part.end)
        match part:
            case Single():
                return self._free(part, place)
            case Compared():
                return self._compared(part)
            case Group(joined="row"):
                return self._row(part, place)
            case Group():
                return _joined(part, [self.node(one) for one in part.parts], place)
            case Bounds():
                raise BadQuery("A range stands alone", part.start, "name the field it is for, as in id:[5 TO 9]")

    def _free(self, part: Single, place: Place) -> Node:
        if reading.is_star(part) or part.text == "*:*":
            return tree.Everything(place=place)
        if self._in_row:
            remedy = "write data.NAME:value, src:… and the like there, and free words outside of it"
            raise BadQuery("Free words cannot stand in alert:{ }", part.start, remedy)
        self._count(part)
        return Words(phrase=reading.words_of(part), place=place)

    def _row(self, part: Group, place: Place) -> Node:
        if not self._table.rows:
            remedy = "leave alert:{ } out and write what stands in it"
            raise BadQuery("There are no rows to ask for here", part.start, remedy)
        if self._in_row:
            raise BadQuery("alert:{ } stands in itself", part.start, "leave the inner one out")
        self._in_row = True
        found = self.node(part.parts[0])
        self._in_row = False
        return found if isinstance(found, tree.Everything) else Row(part=found, place=place)

    def _compared(self, part: Compared) -> Node:
        field, ref = self._field(part)
        operator = part.operator.lstrip(":") or ":"
        if operator in (":", "=", "!="):
            found = self._values(field, ref, part, part.with_what)
            return tree.negation(found, Place(part.start, part.end)) if operator == "!=" else found
        if not isinstance(part.with_what, Single) or part.with_what.kind == "regex":
            raise BadQuery(f"{operator} takes one value", part.with_what.start, f"write {part.name}{operator}value")
        self._count(part)
        limit = reading.bound(field, part.with_what)
        place = Place(part.start, part.end)
        if operator[0] == ">":
            return Range(ref=ref, low=limit, low_in=operator == ">=", place=place)
        return Range(ref=ref, high=limit, high_in=operator == "<=", place=place)

    def _field(self, part: Compared) -> tuple[Field, Ref]:
        name = _unquoted(part.name)
        if len(name) > LONGEST_NAME:
            raise BadQuery("This name is too long", part.start, f"use at most {LONGEST_NAME} characters")
        found = self._table.find(name)
        if found is None:
            raise _no_field(self._table, name, part)
        field, behind = found
        if self._in_row and not field.row:
            remedy = f"write {field.name} outside of it"
            raise BadQuery(f"{field.name} is the alertgroup's, and alert:{{ }} asks for alerts", part.start, remedy)
        return field, Ref(field.name, behind)

    def _values(self, field: Field, ref: Ref, part: Compared, wanted: Written) -> Node:
        place = Place(part.start, wanted.end)
        match wanted:
            case Single():
                self._count(part)
                if reading.is_star(wanted):
                    return Exists(ref=ref, place=place)
                return Is(ref=ref, value=reading.value(field, wanted), place=place)
            case Bounds():
                self._count(part)
                return _range(field, ref, wanted, place)
            case Group():
                if wanted.joined == "beside" and field.kind in _SINGLE and not field.many:
                    at = wanted.parts[1].start
                    raise BadQuery(f"{field.name} has one value at a time", at, "write or between its values")
                return _joined(wanted, [self._values(field, ref, part, one) for one in wanted.parts], place)
            case Compared():
                raise BadQuery("A field stands among values", wanted.start, "write a value")

    def _count(self, part: Written) -> None:
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise BadQuery("There are too many conditions", part.start, f"use at most {MOST_TERMS:,}")


def _joined(group: Group, parts: list[Node], place: Place) -> Node:
    if group.joined == "not":
        return tree.negation(parts[0], place)
    return tree.either(parts, place) if group.joined == "or" else tree.both(parts, place)


def _range(field: Field, ref: Ref, wanted: Bounds, place: Place) -> Node:
    low = None if reading.is_star(wanted.low) else reading.bound(field, wanted.low)
    high = None if reading.is_star(wanted.high) else reading.bound(field, wanted.high)
    if low is None and high is None:
        return Exists(ref=ref, place=place)
    if low is not None and high is not None and type(low) is not type(high):
        raise BadQuery("The bounds are of two kinds", wanted.start, "write two numbers or two addresses")
    if isinstance(low, Network) and isinstance(high, Network) and (":" in low.text) != (":" in high.text):
        raise BadQuery("The bounds are an IPv4 and an IPv6 address", wanted.start, "write two addresses of one family")
    low_in, high_in = wanted.low_in or low is None, wanted.high_in or high is None
    return Range(ref=ref, low=low, high=high, low_in=low_in, high_in=high_in, place=place)


def _unquoted(name: str) -> str:
    """A field's name without quotes around its parts and escapes."""
    return re.sub(
        r'"((?:[^"\\]|\\.)*)"|\\(.)',
        lambda found: re.sub(r'\\(["\\])', r"\1", found[1]) if found[1] is not None else found[2],
        name,
        flags=re.DOTALL,
    )


def _no_field(table: Table, name: str, part: Compared) -> BadQuery:
    known = table.names.get(name.lower())
    if known is not None:
        remedy = f"name the column, as in {known}.user:root" if known == "data" else "see the list of fields"
        return BadQuery(f"{name[:40]} needs a name behind a dot", part.start, remedy)
    near = nearest(name, table.names)
    offer = f"did you mean {near}? " if near else ""
    cells = "cells of rows are data.NAME; " if table.rows else ""
    remedy = f"{offer}{cells}to search for the text itself, put it in quotes"
    return BadQuery(f"There is no field {name[:40]!r}", part.start, remedy)
