"""The span of numbers in which everything lies that a query can mean: what lies outside need not be read."""

from functools import reduce
from typing import NamedTuple, Self

from tocsin.model import Micros
from tocsin.query import dates
from tocsin.query.tree import And, Is, Node, Or, Range
from tocsin.query.values import Date, Number


class Span(NamedTuple):
    """From `first` to before `end`; None is open."""

    first: int | None = None
    end: int | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing lies in it."""
        return self.first is not None and self.end is not None and self.first >= self.end

    def within(self, other: Self) -> "Span":
        """What lies in both."""
        firsts = [one for one in (self.first, other.first) if one is not None]
        ends = [one for one in (self.end, other.end) if one is not None]
        return Span(max(firsts, default=None), min(ends, default=None))

    def around(self, other: Self) -> "Span":
        """What holds both."""
        first = None if self.first is None or other.first is None else min(self.first, other.first)
        end = None if self.end is None or other.end is None else max(self.end, other.end)
        return Span(first, end)


def span(node: Node, field: str, now: Micros) -> Span:
    """Where the field's value must lie for the node to hold."""
    match node:
        case And():
            return reduce(Span.within, (span(part, field, now) for part in node.parts))
        case Or():
            return reduce(Span.around, (span(part, field, now) for part in node.parts))
        case Is() if node.ref.field == field:
            return _of(node.value, now)
        case Range() if node.ref.field == field:
            low, high = _of(node.low, now), _of(node.high, now)
            return Span(low.first if node.low_in else low.end, high.end if node.high_in else high.first)
    return Span()


def _of(value: object, now: Micros) -> Span:
    match value:
        case Date():
            return Span(*dates.bounds(value.text, now))
        case Number(number=int() as number):
            return Span(number, number + 1)
    return Span()
