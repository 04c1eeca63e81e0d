"""How evidence stands on the list and on its page: how much of it there is, and what was raised from it."""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.model import Micros
from tocsin.rules.accumulate import written
from tocsin.store import heap
from tocsin.store.alertgroup import Summary
from tocsin.store.engine import Tx
from tocsin.store.heap import BELOW, Standing

MOST = 50
"""Pieces that the page of a raised alertgroup names."""


class Named(NamedTuple):
    """A piece of evidence with its weight in words."""

    alert: int
    alertgroup: int
    weight: str


class Gathered(NamedTuple):
    """What the page says of evidence. `state` is below, raised or empty, `much` how much of it there is, `into` where.

    `pieces` are the first of the `made_of` pieces that this alertgroup was raised from itself. Times in microseconds.
    """

    state: str = ""
    badge: str = ""
    much: str = ""
    rule: str = ""
    source: str = ""
    begun: Micros = 0
    ended: Micros = 0
    into: tuple[int, ...] = ()
    pieces: Sequence[Named] = ()
    made_of: int = 0


def badges(tx: Tx, found: Sequence[Summary]) -> dict[int, str]:
    """What stands on the lines of those that are evidence, by their ids."""
    states = {known.id: known.gathered for known in found if known.gathered}
    return {id: _badge(states[id], one) for id, one in heap.of_groups(tx, list(states)).items()} if states else {}


def gathered_of(tx: Tx, known: Summary) -> Gathered:
    """What the page of an alertgroup says of it."""
    pieces, count = heap.pieces(tx, known.id, MOST)
    made = [Named(one.alert, one.alertgroup, written(one.weight)) for one in pieces]
    if known.gathered is None:
        return Gathered(pieces=made, made_of=count)
    one = heap.of_groups(tx, [known.id]).get(known.id, Standing())
    return Gathered(
        state=known.gathered,
        badge=_badge(known.gathered, one),
        much=_much(one),
        rule=one.rule,
        source=one.source,
        begun=one.begun,
        ended=one.begun + one.width,
        into=one.into,
        pieces=made,
        made_of=count,
    )


def _badge(state: str | None, one: Standing) -> str:
    if state == BELOW:
        return f"evidence, {_much(one) or 'weighs nothing'}"
    return f"evidence of {', '.join(map(str, one.into[:3]))}" if one.into else "evidence"


def _much(one: Standing) -> str:
    return f"{written(one.weight)} of {written(one.threshold)}" if one.threshold else ""
