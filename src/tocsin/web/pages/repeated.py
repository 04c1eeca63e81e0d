"""How an alertgroup's repeats stand on its page."""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.model import Micros
from tocsin.store import repeat
from tocsin.store.alertgroup import Summary
from tocsin.store.engine import Tx
from tocsin.store.repeat import Member, Repeated

FIRST = 10
"""Repeats that the page of an alertgroup shows; all of them have a page of their own."""


class Repeats(NamedTuple):
    """`kind` is what is known of its kind, `newest` the last of what is folded into it; times in microseconds."""

    kind: Repeated
    newest: Sequence[Member]
    first_seen: Micros
    last_seen: Micros


def repeats_of(tx: Tx, known: Summary) -> Repeats:
    """What the page of an alertgroup says of its repeats."""
    last = known.received if known.last_seen is None else known.last_seen
    newest = repeat.members(tx, known.id, FIRST) if known.seen > 1 else []
    return Repeats(repeat.of_group(tx, known.id), newest, known.received, last)
