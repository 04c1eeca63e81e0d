"""How many flows there are, over time and by host."""

from tocsin.flows.searching.asked import Asked
from tocsin.flows.searching.warm import Warm
from tocsin.model import Micros, Noun


class Count(Noun, frozen=True, kw_only=True):
    """How many; `more`: there are more than that, and nobody counted on."""

    number: int
    more: bool


class Bucket(Noun, frozen=True, kw_only=True):
    """What began in a stretch of time."""

    start: Micros
    flows: int
    labelled: int


class Timeline(Noun, frozen=True, kw_only=True):
    """Flows over time, in stretches of `step` microseconds; every one stands there, also those without any flow."""

    step: Micros
    buckets: tuple[Bucket, ...]


class Host(Noun, frozen=True, kw_only=True):
    """An address: how many flows it sent and was sent, bytes both ways, how many of them are labelled, and when."""

    address: str
    sent: int
    received: int
    bytes: int
    labelled: int
    first: Micros | None
    last: Micros | None


def count(warm: Warm, asked: Asked, most: int = 10_000) -> Count:
    """How many flows are meant, counted up to `most`."""
    raise NotImplementedError


def timeline(warm: Warm, asked: Asked, *, buckets: int = 100) -> Timeline:
    """All and labelled flows over the span that is asked for, in at most so many stretches of a round length."""
    raise NotImplementedError


def hosts(warm: Warm, asked: Asked, *, limit: int = 50) -> list[Host]:
    """The addresses with the most labelled flows, then with the most flows."""
    raise NotImplementedError
