"""The tree of a query: frozen nodes, each with its place in the text.

    And Or Not      of nodes; And and Or have two parts or more, none of them of the same kind (see `both`, `either`)
    Everything      the empty query
    Words           free words: the phrase stands in the subject, the body or a cell
    Is              some value of the field is that value
    Range           some value of the field lies between two bounds, one of which may be open
    Exists          the field has a value
    Row             one and the same alert fulfils all of it: alert:{src:a and dst:b}

`str(node)` is the canonical text; parsed, it is the same tree again.
"""

from collections.abc import Iterable

import msgspec

from tocsin.query.values import Date, Glob, Network, Number, Phrase, Place, Regex, Text, quoted

Comparable = Text | Phrase | Glob | Regex | Number | Date | Network
NOWHERE = Place()


class Ref(msgspec.Struct, frozen=True):
    """A field: its name in the table, and for `data`, `entity` and `delivery` what stands behind the dot."""

    field: str
    of: str = ""

    def __str__(self) -> str:
        if not self.of:
            return self.field
        plain = self.of == "*" or (self.of.replace(".", "").replace("_", "").isalnum() and self.of.isascii())
        plain = plain and ".." not in self.of and not self.of.startswith(".") and not self.of.endswith(".")
        return f"{self.field}.{self.of if plain else quoted(self.of)}"


class Everything(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The empty query: every alertgroup."""

    place: Place = NOWHERE

    def __str__(self) -> str:
        return ""


class Words(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Free words, one behind the other in the subject, the body or one cell."""

    phrase: Phrase
    place: Place = NOWHERE

    def __str__(self) -> str:
        return str(self.phrase)


class Is(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Some value of the field is this."""

    ref: Ref
    value: Comparable
    place: Place = NOWHERE

    def __str__(self) -> str:
        return f"{self.ref}:{self.value}"


class Range(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Some value of the field lies between `low` and `high`; None is open, `*_in`: whether the bound is part of it."""

    ref: Ref
    low: Number | Date | Network | Text | None = None
    high: Number | Date | Network | Text | None = None
    low_in: bool = True
    high_in: bool = True
    place: Place = NOWHERE

    def __str__(self) -> str:
        if self.high is None:
            return f"{self.ref}>{'=' * self.low_in}{self.low}"
        if self.low is None:
            return f"{self.ref}<{'=' * self.high_in}{self.high}"
        return f"{self.ref}:{'[' if self.low_in else '{'}{self.low} TO {self.high}{']' if self.high_in else '}'}"


class Exists(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The field has a value."""

    ref: Ref
    place: Place = NOWHERE

    def __str__(self) -> str:
        return f"{self.ref}:*"


class Not(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The part does not hold."""

    part: "Node"
    place: Place = NOWHERE

    def __str__(self) -> str:
        return f"not {_in_brackets(self.part)}"


class And(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """All parts hold."""

    parts: tuple["Node", ...]
    place: Place = NOWHERE

    def __str__(self) -> str:
        return " and ".join(map(_in_brackets, self.parts))


class Or(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One of the parts holds."""

    parts: tuple["Node", ...]
    place: Place = NOWHERE

    def __str__(self) -> str:
        # Brackets even where none are needed: not everybody knows that `and` binds closer.
        return _listed(self.parts) or " or ".join(map(_in_brackets, self.parts))


class Row(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One alert of the group fulfils the whole part, which asks only for fields of rows."""

    part: "Node"
    place: Place = NOWHERE

    def __str__(self) -> str:
        return f"alert:{{{self.part}}}"


Node = Everything | Words | Is | Range | Exists | Not | And | Or | Row
Tree = Node


def _in_brackets(node: Node) -> str:
    bare = not isinstance(node, And | Or) or (isinstance(node, Or) and bool(_listed(node.parts)))
    return str(node) if bare else f"({node})"


def _listed(parts: tuple[Node, ...]) -> str:
    """`status:(open or closed)`: several values of one field, or ""."""
    first = parts[0]
    if not isinstance(first, Is) or not all(isinstance(part, Is) and part.ref == first.ref for part in parts):
        return ""
    return f"{first.ref}:({' or '.join(str(part.value) for part in parts if isinstance(part, Is))})"


def both(parts: Iterable[Node], place: Place = NOWHERE) -> Node:
    """All of them, as flat as can be; of none, or of nothing but everything, everything."""
    found: list[Node] = []
    for part in parts:
        if not isinstance(part, Everything):
            found += part.parts if isinstance(part, And) else [part]
    if len(found) < 2:
        return found[0] if found else Everything(place=place)
    return And(parts=tuple(found), place=place)


def either(parts: Iterable[Node], place: Place = NOWHERE) -> Node:
    """One of them, as flat as can be; of none, nothing at all."""
    found: list[Node] = []
    for part in parts:
        if isinstance(part, Everything):
            return part
        found += part.parts if isinstance(part, Or) else [part]
    if len(found) < 2:
        return found[0] if found else nothing(place)
    return Or(parts=tuple(found), place=place)


def negation(part: Node, place: Place = NOWHERE) -> Node:
    """What the part does not hold for."""
    return nothing(place) if isinstance(part, Everything) else Not(part=part, place=place)


def nothing(place: Place = NOWHERE) -> Node:
    """No alertgroup: every one has an id."""
    return Not(part=Exists(ref=Ref("id"), place=place), place=place)
