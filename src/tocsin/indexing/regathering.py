"""A rehearsal of an accumulate rule: what it would have raised of what came over the last days.

What stands in the store is gathered again, from the first day on and in the order in which it came, with the heaps in
memory alone. The query is asked of alertgroups as they are today. What rules raised is left out, and what was deleted.
"""

from collections.abc import Iterator
from functools import partial

import msgspec

from tocsin import detection
from tocsin.indexing.rehearsal import MOST, batch_of, by_rows, since
from tocsin.model import Micros, Noun
from tocsin.query import parse
from tocsin.query.tree import both
from tocsin.rules import accumulate
from tocsin.rules.accumulate import Rule, Shares
from tocsin.store import Store, alertgroup, search

SAMPLES = 10
FULLEST = 3


class Heap(Noun, frozen=True, kw_only=True):
    """One that would have been raised, or that is not enough: `pieces` alerts of alertgroups from `first` to `last`.

    Weights in millionths, times in microseconds.
    """

    source: str
    begun: Micros
    ended: Micros
    weight: int
    pieces: int
    first: int
    last: int


class Regathered(Noun, frozen=True, kw_only=True):
    """What gathering would have done with those read so far: `evidence` of them, `unknown` that cannot be weighed.

    `pieces` alerts in the evidence weigh something; of them `raised` alertgroups would have been made, the newest of
    which are `samples`. `fullest` are heaps of which there is not enough. `total` is how many there are to read.
    """

    days: int
    threshold: int
    total: int
    read: int = 0
    evidence: int = 0
    unknown: int = 0
    pieces: int = 0
    raised: int = 0
    samples: tuple[Heap, ...] = ()
    fullest: tuple[Heap, ...] = ()


def regather(store: Store, rule: Rule, names: detection.Names, days: int, now: Micros) -> Iterator[Regathered]:
    """Gather what came within the last days by the rule; where it stands, after each few hundred.

    Raises BadQuery, Malformed, TooSlow.
    """
    asked = both([parse(rule.query), since(days), parse("not parser:accumulated")])
    total = store.read(lambda tx: search.count_up_to(tx, asked, MOST * 10, now))
    heaps = _Heaps(rule)
    done, last = Regathered(days=days, threshold=rule.threshold, total=total), 0
    yield done
    while batch := store.read(partial(batch_of, asked=asked, now=now, after=last)):
        last = batch[-1].id
        for some in by_rows(batch):
            whole = store.read(partial(alertgroup.load, ids=[known.id for known in some]))
            for known in some:
                if known.id in whole:
                    heaps.take(accumulate.shares(whole[known.id], rule, known.received, names), known.id)
        read = done.read + len(batch)
        done = heaps.told(msgspec.structs.replace(done, read=read, total=max(total, read)))
        yield done


class _Heap(msgspec.Struct):
    weight: int = 0
    pieces: int = 0
    first: int = 0
    last: int = 0


class _Heaps:
    """What lies where, as `store.gathering` has it."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._heaps: dict[tuple[str, Micros], _Heap] = {}
        self._samples: list[Heap] = []
        self._evidence = self._unknown = self._pieces = self._raised = 0

    def take(self, shares: Shares, group: int) -> None:
        """The next alertgroup, in the order in which they came."""
        if shares.unknown:
            self._unknown += 1
            return
        self._evidence += 1
        self._pieces += len(shares.found)
        for share in shares.found:
            heap = self._heaps.setdefault((share.source, share.begun), _Heap(first=group))
            heap.weight += share.weight
            heap.pieces += 1
            heap.last = group
        for key in dict.fromkeys((share.source, share.begun) for share in shares.found):
            if self._heaps[key].weight >= self._rule.threshold:
                self._raised += 1
                self._samples = [*self._samples[1 - SAMPLES :], self._noun(key)]
                del self._heaps[key]

    def told(self, done: Regathered) -> Regathered:
        """What came of it so far."""
        full = sorted(self._heaps, key=lambda key: (-self._heaps[key].weight, key))[:FULLEST]
        return msgspec.structs.replace(
            done,
            evidence=self._evidence,
            unknown=self._unknown,
            pieces=self._pieces,
            raised=self._raised,
            samples=tuple(reversed(self._samples)),
            fullest=tuple(self._noun(key) for key in full),
        )

    def _noun(self, key: tuple[str, Micros]) -> Heap:
        source, begun = key
        heap = self._heaps[key]
        return Heap(
            source=source, begun=begun, ended=begun + self._rule.width, weight=heap.weight, pieces=heap.pieces,
            first=heap.first, last=heap.last,
        )  # fmt: skip
