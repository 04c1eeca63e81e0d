"""The tree of a query -> conditions on `alertgroup g`, true or false and never NULL.

A condition on rows holds if it does for any alert. Inside of alert:{ } it is about one and the same: there each part is
a set of ids of alerts, found by the index or by a look at the rows, and the sets are cut, joined and taken away.
"""

from collections.abc import Iterable, Sequence

from tocsin.query.fields import FIELDS
from tocsin.query.tree import And, Everything, Exists, Is, Node, Not, Or, Range, Ref, Row, Words
from tocsin.query.values import Number
from tocsin.store.search import cells, groups, listed, texts, wording
from tocsin.store.search.listed import AnyOf, Leaf
from tocsin.store.search.writing import FALSE, TRUE, Params, Statement, bounds, joined

__all__ = ["Compiler", "Params", "leads"]

Part = Node | AnyOf
_ALERTS = "SELECT a.id AS id FROM alert a WHERE a.alertgroup = g.id"
_JOINED = 8
"""So many conditions PostgreSQL may join as it likes."""
_OF_ROW = {"alert.id": "a.id", "alert.status": "a.status"}


class Compiler:
    """One statement's conditions; their values travel in `params`."""

    def __init__(self, engine: str, now: int) -> None:
        self.s = Statement(engine, now)
        """What the conditions are written with."""

    @property
    def params(self) -> Params:
        """What travels beside the statement."""
        return self.s.params

    def condition(self, node: Part) -> str:
        """Whether the node holds for `g`: to be asked of one alertgroup after the other."""
        match node:
            case Everything():
                return TRUE
            case Words():
                return wording.holds(self.s, [[node.phrase]])
            case Not():
                return f"NOT ({self.condition(node.part)})"
            case And():
                return self.all_of(node.parts)
            case Or():
                return joined([self.condition(part) for part in alike(node.parts)], "OR")
            case Row():
                return self._row(node)
            case Is():
                return self._leaf(listed.leaf(node))
            case _:
                return self._leaf(node)

    def all_of(self, parts: Iterable[Node]) -> str:
        """Whether all of them hold for `g`."""
        found = [self.condition(part) for part in barred_together(parts)]
        if not self.s.sqlite:
            # PostgreSQL would make a join of each, and think for minutes about the order of hundreds.
            found[_JOINED:] = [f"CASE WHEN {each} THEN true ELSE false END" for each in found[_JOINED:]]
        return joined(found, "AND")

    def names(self, node: Part) -> str | None:
        """A SELECT of the `id` of every alertgroup for which the node may hold, perhaps twice; None without a list."""
        match node:
            case Words():
                return wording.names(self.s, [[node.phrase]])
            case Or():
                found = [self.names(part) for part in alike(node.parts)]
                return _united([one for one in found if one is not None]) if all(found) else None
            case And() | Row():
                return next((one for part in leads(node) if (one := self.names(part)) is not None), None)
            case Is():
                return self._names(listed.leaf(node))
            case AnyOf() | Range() | Exists():
                return self._names(node)
        return None

    def _leaf(self, leaf: Leaf) -> str:
        field = FIELDS[leaf.ref.field]
        if field.name == "data":
            return self._cells(leaf)
        if field.name in _OF_ROW:
            return f"EXISTS ({_ALERTS} AND {self._of_alert(leaf)})"
        if field.row or field.name in ("entity", "entity.type"):
            return listed.holds(self.s, listed.lookup(self.s, leaf))
        return groups.holds(self.s, leaf)

    def _names(self, leaf: Leaf) -> str | None:
        field = FIELDS[leaf.ref.field]
        if field.name == "data":
            needed = wording.needed(leaf.values) if isinstance(leaf, AnyOf) else []
            return wording.names(self.s, needed, "cells") if needed else None
        if field.name in _OF_ROW:
            by_id = field.name == "alert.id" and isinstance(leaf, AnyOf)
            return f"SELECT a.alertgroup AS id FROM alert a WHERE {self._of_alert(leaf)}" if by_id else None
        if field.row or field.name in ("entity", "entity.type"):
            return listed.names(self.s, listed.lookup(self.s, leaf))
        return groups.names(self.s, leaf)

    def _cells(self, leaf: Leaf) -> str:
        exact = f"EXISTS ({_ALERTS} AND {cells.holds(self.s, leaf)})"
        needed = wording.needed(leaf.values) if isinstance(leaf, AnyOf) and not self.s.sqlite else []
        return f"({wording.holds(self.s, needed, 'cells')} AND {exact})" if needed else exact

    def _of_alert(self, leaf: Leaf) -> str:
        """Whether the alert `a` has such a value, of what stands in its own row."""
        s, name = self.s, leaf.ref.field
        if name == "data":
            return cells.holds(s, leaf)
        column = _OF_ROW[name]
        match leaf:
            case Exists():
                return TRUE
            case Range():
                limits = [s.put(one.number) if isinstance(one, Number) else None for one in (leaf.low, leaf.high)]
                return bounds(column, *limits, low_in=leaf.low_in, high_in=leaf.high_in)
            case AnyOf(values=values):
                whole = [int(value.number) for value in values if isinstance(value, Number)]
                return f"{column} {s.numbers(whole)}" if whole else texts.among(s, column, values)

    def _row(self, node: Row) -> str:
        plain = self._of_one(node.part)
        if plain is not None:
            return f"EXISTS ({_ALERTS} AND {plain})"
        if isinstance(node.part, Is | Range | Exists):
            return self.condition(node.part)
        same = f"EXISTS ({self._alerts(node.part)})"
        before = [self.condition(part) for part in leads(node)]
        if not before:
            return same
        first = joined(before, "AND")
        # PostgreSQL would look at the alerts first.
        return f"({first} AND {same if self.s.sqlite else f'CASE WHEN {first} THEN {same} ELSE {FALSE} END'})"

    def _of_one(self, node: Part) -> str | None:
        """The node as a condition on `alert a`; None if it needs the index."""
        match node:
            case Not():
                part = self._of_one(node.part)
                return None if part is None else f"NOT ({part})"
            case And() | Or():
                among = alike(node.parts) if isinstance(node, Or) else barred_together(node.parts)
                parts = [one for part in among if (one := self._of_one(part)) is not None]
                return joined(parts, "AND" if isinstance(node, And) else "OR") if len(parts) == len(among) else None
            case Is():
                return self._of_one(listed.leaf(node))
            case AnyOf() | Range() | Exists():
                field = FIELDS[node.ref.field]
                if field.name == "data" or field.name in _OF_ROW:
                    return self._of_alert(node)
                return None if field.row else self.condition(node)
        return self.condition(node)

    def _alerts(self, node: Part) -> str:
        """A SELECT of the ids of the alerts of `g` for which the node holds."""
        plain = self._of_one(node)
        if plain is not None:
            return f"{_ALERTS} AND {plain}"
        match node:
            case Not():
                return _combined([_ALERTS, self._alerts(node.part)], "EXCEPT")
            case And():
                return _combined([self._alerts(part) for part in barred_together(node.parts)], "INTERSECT")
            case Or():
                return _combined([self._alerts(part) for part in alike(node.parts)], "UNION")
            case Is():
                return self._alerts(listed.leaf(node))
            case AnyOf() | Range() | Exists():
                return listed.alerts(self.s, listed.lookup(self.s, node))
        raise AssertionError(node)


def alike(parts: Iterable[Node]) -> list[Part]:
    """The parts of an `or`, with the values of one field brought together: many of them are one list."""
    found: dict[Ref, list[Is]] = {}
    others: list[Part] = []
    for part in parts:
        if isinstance(part, Is):
            found.setdefault(part.ref, []).append(part)
        else:
            others.append(part)
    return [AnyOf(ref, tuple(one.value for one in some)) for ref, some in found.items()] + others


def barred_together(parts: Iterable[Node]) -> list[Node]:
    """The parts of an `and`, with what a field must not be brought together: many of those are one list too."""
    found: dict[Ref, list[Is]] = {}
    others: list[Node] = []
    for part in parts:
        if isinstance(part, Not) and isinstance(part.part, Is):
            found.setdefault(part.part.ref, []).append(part.part)
        else:
            others.append(part)
    barred = [Not(part=some[0] if len(some) == 1 else Or(parts=tuple(some))) for some in found.values()]
    return [*others, *barred]


def leads(node: Node) -> list[Node]:
    """What has to hold for an alertgroup if the whole node does: parts that a list of names may be had for."""
    match node:
        case And():
            return [lead for part in node.parts for lead in leads(part)]
        case Row(part=And() as inner):
            return [lead for part in inner.parts for lead in leads(Row(part=part))]
        case Row(part=Is() | Range() | Exists() as inner):
            return [inner]
        case Row(part=Or() as inner):
            parts = [leads(Row(part=part)) for part in inner.parts]
            return [Or(parts=tuple(one[0] for one in parts))] if all(parts) else []
        case Not() | Everything() | Row():
            return []
    return [node]


def _united(selects: Sequence[str]) -> str:
    return selects[0] if len(selects) == 1 else _combined(selects, "UNION", "*")


def _combined(selects: Sequence[str], word: str, column: str = "id") -> str:
    """Two and two, for SQLite takes no more than 500 in a row."""
    if len(selects) == 1:
        return selects[0]
    middle = len(selects) // 2
    first, last = (_combined(half, word, column) for half in (selects[:middle], selects[middle:]))
    return f"SELECT {column} FROM ({first}) AS first {word} SELECT {column} FROM ({last}) AS last"
