"""Values that the index lists: what detections say, entities, and times; and the alertgroups and alerts that have them.

A condition on the listed value (`term t`, `entity t`) is asked in one of three shapes: for all alertgroups that have
it, for whether one alertgroup has it by way of the value (few values), or by way of all that the alertgroup has (where
the condition may mean any number of values). It stands in a WHERE and under no `not`, so it may come out as NULL; an
index could not be asked about the outside of a coalesce.
"""

from collections.abc import Sequence

import msgspec

from tocsin.query import addresses, dates
from tocsin.query.addresses import Span
from tocsin.query.fields import FIELDS, Field, Kind, rank
from tocsin.query.matching import fold, phrase_needle
from tocsin.query.tree import Comparable, Exists, Is, Range, Ref
from tocsin.query.values import Date, Glob, Network, Number, Phrase, Text
from tocsin.store.index import key_of
from tocsin.store.search import texts
from tocsin.store.search.writing import FALSE, Statement, bounds, joined

_PARTS = ("ip", "host", "mac", "url", "email")
_FEW = 64
_LONGEST_BEGINNING = 100
_FOLDED = 200
"""Characters of an entity's value in the index of small letters."""


class AnyOf(msgspec.Struct, frozen=True):
    """Some value of the field is one of these: `Is`, or several of one field with `or` between them."""

    ref: Ref
    values: tuple[Comparable, ...]


Leaf = AnyOf | Range | Exists


def leaf(node: Is | Range | Exists) -> Leaf:
    """The node as a leaf."""
    return AnyOf(node.ref, (node.value,)) if isinstance(node, Is) else node


class Listed(msgspec.Struct, frozen=True):
    """What to look for: a condition on `t`, and whether it means few values."""

    table: str
    where: str
    few: bool


def stored(name: str) -> tuple[str, ...]:
    """The names under which the index has a field: src as src_ip, src_host …, port as src_port and dst_port."""
    if name in ("src", "dst"):
        return tuple(f"{name}_{part}" for part in _PARTS)
    if name == "endpoint":
        return stored("src") + stored("dst")
    return (f"src_{name}", f"dst_{name}") if name in (*_PARTS, "port") else (name,)


def lookup(s: Statement, leaf: Leaf) -> Listed:
    """What a leaf on a field of detections or on entities looks for."""
    few = isinstance(leaf, AnyOf) and len(leaf.values) <= _FEW and all(map(_single, leaf.values))
    if leaf.ref.field in ("entity", "entity.type"):
        return Listed("entity", _entity(s, leaf), few and leaf.ref.field == "entity")
    field = FIELDS[leaf.ref.field]
    if field.kind is Kind.DATE:
        return Listed("moment", _moment(s, leaf), few=False)
    names = ", ".join(f"'{name}'" for name in stored(field.name))
    return Listed("term", joined([f"t.field IN ({names})", _term(s, field, leaf)], "AND"), few)


def _single(value: Comparable) -> bool:
    if isinstance(value, Network):
        return "/" not in value.text
    return isinstance(value, Text | Number)


def _term(s: Statement, field: Field, leaf: Leaf) -> str:
    match leaf:
        case Exists():
            return "1 = 1"
        case Range():
            return _between(s, field, leaf)
        case AnyOf(values=values):
            return joined([*_equal(s, values), *_like(s, values)], "OR")


def _equal(s: Statement, values: Sequence[Comparable]) -> list[str]:
    parts = []
    if keys := [key_of(fold(value.text)) for value in values if isinstance(value, Text)]:
        parts.append(f"t.key {s.texts(keys)}")
    numbers = [value.number for value in values if isinstance(value, Number)]
    if whole := [number for number in numbers if isinstance(number, int)]:
        parts.append(f"t.number {s.numbers(whole)}")
    parts += [f"t.amount = {s.put(number)}" for number in numbers if isinstance(number, float)]
    return parts + [within(s, value) for value in values if isinstance(value, Network)]


def _like(s: Statement, values: Sequence[Comparable]) -> list[str]:
    parts = []
    for value in values:
        if isinstance(value, Phrase):
            find = "instr" if s.sqlite else "strpos"
            parts.append(f"coalesce({find}(t.normal, {s.put(phrase_needle(value))}) > 0, {FALSE})")
        elif not isinstance(value, Text | Number | Network):
            begun = begins(s, "t.key", texts.beginning(value)) if isinstance(value, Glob) else ""
            parts.append(joined([*filter(None, [begun]), texts.among(s, "t.text", [value], folded=True)], "AND"))
    return parts


def begins(s: Statement, key: str, beginning: str) -> str:
    """Whether a key begins so, said in a way that an index can be asked; "" where nothing is said of it."""
    low = beginning[:_LONGEST_BEGINNING]
    if not low or low[-1] >= "\ud7ff":
        return ""
    return f"({key} >= {s.put(low)} AND {key} < {s.put(low[:-1] + chr(ord(low[-1]) + 1))})"


def within(s: Statement, network: Network) -> str:
    """Whether the span of `t` lies in a network."""
    low, high = addresses.span(network.text) or ("", "")
    first, last = s.put(low), s.put(high)
    return f"(t.low >= {first} AND t.low <= {last} AND t.high <= {last})"


def _between(s: Statement, field: Field, asked: Range) -> str:
    if isinstance(asked.low or asked.high, Network):
        return span_between(s, asked)
    limits = [_amount(field, limit) for limit in (asked.low, asked.high)]
    low, high = (None if limit is None else s.put(limit) for limit in limits)
    column = "t.amount" if field.kind is Kind.FRACTION else "t.number"
    return bounds(column, low, high, low_in=asked.low_in, high_in=asked.high_in)


def _amount(field: Field, limit: Comparable | None) -> int | float | None:
    if isinstance(limit, Text):
        return rank(field, limit.text)
    if isinstance(limit, Number):
        return float(limit.number) if field.kind is Kind.FRACTION else limit.number
    return None


def span_bounds(asked: Range) -> tuple[Span, bool, bool]:
    """First and last key of a range of addresses, and whether they are in it; an open one ends with its family."""
    low = addresses.span(asked.low.text) if isinstance(asked.low, Network) else None
    high = addresses.span(asked.high.text) if isinstance(asked.high, Network) else None
    known = low or high
    assert known is not None
    first, last = addresses.family(known[0])
    ends = (low or (first, first))[0], (high or (last, last))[1]
    return ends, asked.low_in or low is None, asked.high_in or high is None


def span_between(s: Statement, asked: Range) -> str:
    """Whether the span of `t` lies in a range of addresses."""
    (low, high), low_in, high_in = span_bounds(asked)
    first, last = s.put(low), s.put(high)
    below = f"t.low <= {last} AND t.high <{'=' * high_in} {last}"
    return f"(t.low >{'=' * low_in} {first} AND {below})"


def _entity(s: Statement, leaf: Leaf) -> str:
    if leaf.ref.field == "entity.type":
        return texts.among(s, "t.type", leaf.values) if isinstance(leaf, AnyOf) else "1 = 1"
    parts = [f"{s.lower('t.type')} = {s.put(leaf.ref.of.lower())}"] if leaf.ref.of else []
    if isinstance(leaf, Range):
        parts.append(span_between(s, leaf))
    elif isinstance(leaf, AnyOf):
        whole = [fold(value.text) for value in leaf.values if isinstance(value, Text)]
        found = [within(s, value) for value in leaf.values if isinstance(value, Network)]
        if whole:
            # The index has the first letters only, for a value may be longer than an index takes.
            first = s.lower(f"substr(t.value, 1, {_FOLDED})")
            short = f"{first} {s.texts([text[:_FOLDED] for text in whole])}"
            found.append(joined([short, f"{s.lower('t.value')} {s.texts(whole)}"], "AND"))
        others = [value for value in leaf.values if not isinstance(value, Text | Network)]
        parts.append(joined([*found, *([texts.among(s, "t.value", others)] if others else [])], "OR"))
    return joined(parts, "AND")


def times(asked: Leaf, now: int) -> list[tuple[int | None, int | None]]:
    """First microsecond and the first one behind, of each span that is asked for; None where it is open."""
    if isinstance(asked, AnyOf):
        return [dates.bounds(value.text, now) for value in asked.values if isinstance(value, Date)]
    if isinstance(asked, Exists):
        return [(None, None)]
    low = dates.bounds(asked.low.text, now)[not asked.low_in] if isinstance(asked.low, Date) else None
    end = dates.bounds(asked.high.text, now)[asked.high_in] if isinstance(asked.high, Date) else None
    return [(dates.FIRST if low is None else low, dates.LAST + 1 if end is None else end)]


def moments(s: Statement, column: str, asked: Leaf) -> str:
    """Whether a time that is not NULL is one that is asked for."""
    parts = []
    for low, end in times(asked, s.now):
        first, last = (None if time is None else s.put(time) for time in (low, end))
        parts.append(bounds(column, first, last, low_in=True, high_in=False))
    return joined(parts, "OR")


def _moment(s: Statement, leaf: Leaf) -> str:
    return f"(t.field = '{leaf.ref.field}' AND {moments(s, 't.at', leaf)})"


def names(s: Statement, found: Listed) -> str:
    """A SELECT of the alertgroups that have it."""
    if found.table == "moment":
        return f"SELECT t.alertgroup AS id FROM moment t WHERE {found.where}"
    join = "CROSS JOIN" if s.sqlite else "JOIN"
    return f"SELECT p.alertgroup AS id FROM {found.table} t {join} {_LINKS[found.table]} WHERE {found.where}"


def holds(s: Statement, found: Listed) -> str:
    """Whether `g` has it."""
    if s.sqlite and not found.few:
        return f"EXISTS (SELECT 1 FROM {_forward(s, found)})"
    return f"EXISTS (SELECT 1 FROM {_linked(s, found)})"


def alerts(s: Statement, found: Listed) -> str:
    """A SELECT of the ids of those alerts of `g` that have it."""
    rows = _linked(s, found) if found.few else _forward(s, found, linked=True)
    column = "t.alerts" if found.table == "moment" else "p.alerts"
    tables, _, where = rows.partition(" WHERE ")
    return (
        f"SELECT CAST(k.value AS BIGINT) AS id FROM {tables} CROSS JOIN {s.items(column, 'k')}"
        f" WHERE {where} AND {column} IS NOT NULL UNION ALL SELECT a.id FROM {tables} CROSS JOIN alert a"
        f" WHERE {where} AND {column} IS NULL AND a.alertgroup = g.id"
    )


_LINKS = {"term": "posting p ON p.term = t.id", "entity": "sighting p ON p.entity = t.id"}
_HAVE = {"term": "terms", "entity": "entities", "moment": "moments"}


def _linked(s: Statement, found: Listed) -> str:
    """What `g` has of it, by way of the value: FROM and WHERE."""
    if found.table == "moment":
        return f"moment t WHERE t.alertgroup = g.id AND {found.where}"
    # SQLite is told the order, for it knows nothing of how many there are.
    join = "CROSS JOIN" if s.sqlite else "JOIN"
    return f"{found.table} t {join} {_LINKS[found.table]} AND p.alertgroup = g.id WHERE {found.where}"


def _forward(s: Statement, found: Listed, *, linked: bool = False) -> str:
    """The same by way of all that `g` has; `linked`: with the posting."""
    item = "j.value" if s.sqlite else "CAST(j.value AS json)"
    number = f"CAST({'j.value' if found.table == 'term' else f'{item} ->> 0'} AS BIGINT)"
    if found.table == "moment":
        by = f"t.field = {item} ->> 0 AND t.at = CAST({item} ->> 1 AS BIGINT) AND t.alertgroup = g.id"
    else:
        by = f"t.id = {number}"
    join = "CROSS JOIN" if s.sqlite else "JOIN"
    last = f" {join} {_LINKS[found.table]} AND p.alertgroup = g.id" if linked and found.table != "moment" else ""
    return (
        f"indexed x CROSS JOIN {s.items(f'x.{_HAVE[found.table]}', 'j')} {join} {found.table} t ON {by}{last}"
        f" WHERE x.alertgroup = g.id AND {found.where}"
    )
