"""A query changed in one of its conditions, with all the rest left as it was typed.

A query is conditions that must all hold, at its outermost: those are taken out, put in and exchanged here. What comes
out always means what it should; where the typed text cannot be kept around a change, it is written anew.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tocsin.errors import BadQuery
from tocsin.query import tree
from tocsin.query.parsing import parse
from tocsin.query.syntax import Group, written
from tocsin.query.tree import And, Everything, Exists, Is, Node, Not, Or, Range, Tree

_CLOSING = re.compile(r"[\s)}]*[)}]")


class Part(NamedTuple):
    """A condition of the query at its outermost: what it means, and the characters it was typed in."""

    node: Node
    start: int
    end: int


def parts(text: str) -> list[Part]:
    """The conditions that must all hold, in order; none for the empty query. Raises BadQuery."""
    whole = parse(text)
    if isinstance(whole, Everything):
        return []
    places = _places(text)
    try:
        found = [Part(parse(text[start:end]), start, end) for start, end in places]
    except BadQuery:
        found = []
    if tree.both(one.node for one in found) == whole:
        return found
    # A bracket around all of it, as in `(a and b)`: its parts have no places of their own.
    start, end = _stripped(text)
    return [Part(whole, start, end)]


def changed(text: str, old: Callable[[Node], bool], new: str) -> str:
    """The query with `new` (a query itself) in place of the conditions that `old` says yes to. Raises BadQuery."""
    found = parts(text)
    put = flat(parse(new))
    if any(len(flat(part.node)) > 1 and len(set(map(old, flat(part.node)))) > 1 for part in found):
        return str(_exchanged([one for part in found for one in flat(part.node)], old, put))
    expected = _exchanged([part.node for part in found], lambda node: all(map(old, flat(node))), put)
    stays = [not all(map(old, flat(part.node))) for part in found]
    for candidate in _candidates(text, found, stays, new.strip()):
        if _means(candidate, expected):
            return candidate
    return str(expected)


def _exchanged(nodes: Sequence[Node], old: Callable[[Node], bool], new: Sequence[Node]) -> Tree:
    first = next((at for at, node in enumerate(nodes) if old(node)), len(nodes))
    return tree.both([*nodes[:first], *new, *(node for node in nodes[first:] if not old(node))])


def only_of(fields: Iterable[str]) -> Callable[[Node], bool]:
    """Whether a condition asks for nothing but these fields."""
    known = frozenset(fields)

    def asked(node: Node) -> bool:
        match node:
            case Is() | Range() | Exists():
                return node.ref.field in known
            case Not():
                return asked(node.part)
            case And() | Or():
                return all(map(asked, node.parts))
        return False

    return asked


def flat(node: Tree) -> tuple[Node, ...]:
    """The conditions that must all hold."""
    return node.parts if isinstance(node, And) else () if isinstance(node, Everything) else (node,)


def _candidates(text: str, found: list[Part], stays: list[bool], new: str) -> Iterable[str]:
    """Ways to write it, the nearest to what was typed first."""
    kept = [part for part, stay in zip(found, stays, strict=True) if stay]
    own = [text[part.start : part.end] for part in kept]
    if False in stays:
        first = stays.index(False)
        pieces: list[str] = []
        for at, part in enumerate(found):
            piece = text[part.start : part.end] if stays[at] else new if at == first else ""
            if piece:
                pieces += [text[found[at - 1].end : part.start], piece] if pieces else [piece]
        yield "".join(pieces)
    for one in (new, f"({new})"):
        if False not in stays:
            yield " and ".join(filter(None, (text.strip(), one)))
        yield " and ".join(filter(None, (*own, one)))
        # An `or` that stood alone needs brackets beside something else.
        yield " and ".join(filter(None, (*(f"({piece})" for piece in own), one)))


def _means(text: str, expected: Tree) -> bool:
    try:
        return parse(text) == expected
    except BadQuery:
        return False


def _places(text: str) -> list[tuple[int, int]]:
    """Where the conditions stand, the brackets around each included."""
    found = written(text)
    whole = found.parts if isinstance(found, Group) and found.joined == "and" else ()
    begin, end = _stripped(text)
    if not whole:
        return [(begin, end)]
    places: list[tuple[int, int]] = []
    for one, following in itertools.pairwise(whole):
        gap = text[one.end : following.start]
        closing = _CLOSING.match(gap)
        opening = gap.find("(")
        places.append((begin, one.end + (closing.end() if closing else 0)))
        begin = one.end + opening if opening >= 0 else following.start
    return [*places, (begin, end)]


def _stripped(text: str) -> tuple[int, int]:
    return len(text) - len(text.lstrip()), len(text.rstrip())
