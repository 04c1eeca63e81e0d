"""Rehearsals: what a route, a silence or a way of folding would have done over the last days, before it is switched on.

A query is asked of what stands in the store today. What changes after an alertgroup came, its status for one, may have
been different when it came; `Rehearsed.since_then` names such fields. Folding is done again from the first day on, with
what is kept of it in memory alone.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import msgspec

from tocsin import detection
from tocsin.errors import Malformed
from tocsin.model import Micros, Noun, Status
from tocsin.query import Tree, parse
from tocsin.query.tree import both
from tocsin.query.values import quoted
from tocsin.rules import repeats
from tocsin.rules.repeats import EVERY, Rule
from tocsin.rules.routes import fields_of
from tocsin.rules.spans import SECOND
from tocsin.store import Store, alertgroup, search
from tocsin.store.alertgroup import Order, Summary
from tocsin.store.engine import Tx

DAY: Micros = 86_400 * SECOND
LONGEST_DAYS = 366
MOST = 100_000
"""More are not counted."""
WITHIN_S = 10.0
"""All counts of one rehearsal take no longer."""
SAMPLES = 3
MOVING = frozenset(
    (
        "status",
        "open",
        "closed",
        "promoted",
        "alert.status",
        "owner",
        "source",
        "tag",
        "tlp",
        "updated",
        "viewed",
        "views",
    )
) | {"folded", "gathered", "seen", "last_seen", "delivery"}
"""Fields that may have changed since an alertgroup came."""
_AT_ONCE = 200
_ROWS_AT_ONCE = 20_000
_SWEPT_FROM = 10_000


class Sample(Noun, frozen=True, kw_only=True):
    """One of the alertgroups that are meant; `times`: how often it would have come, where folding is tried."""

    id: int
    received: Micros
    subject: str
    status: str
    times: int = 1


class Rehearsed(Noun, frozen=True, kw_only=True):
    """How many alertgroups of the last `days` a query means, by what became of them until today; the newest as samples.

    `folded` of them are folded into others as repeats. `more`: only the first MOST of a status were counted.
    """

    query: str
    days: int
    matched: int
    open: int
    closed: int
    promoted: int
    folded: int
    more: bool
    samples: tuple[Sample, ...]
    since_then: tuple[str, ...]


class Refolded(Noun, frozen=True, kw_only=True):
    """What folding would have done to those read so far: `folded` of the `alertgroups` of the source, into `into`.

    `total` is how many there are to read in all, `now` how many of those read are folded today. The samples are those
    that came most often.
    """

    days: int
    total: int
    read: int = 0
    alertgroups: int = 0
    folded: int = 0
    into: int = 0
    now: int = 0
    samples: tuple[Sample, ...] = ()


def rehearse(tx: Tx, query: str, days: int, now: Micros) -> Rehearsed:
    """Ask a query of the last days. Raises BadQuery, Malformed, TooSlow."""
    tree = parse(query)
    asked = both([tree, since(days)])
    until = time.monotonic() + WITHIN_S
    counts = {}
    for what in ("status:open", "status:closed", "status:promoted", "folded:*"):
        left = max(0.1, until - time.monotonic())
        counts[what.partition(":")[2]] = search.count_up_to(tx, both([asked, parse(what)]), MOST, now, left)
    newest = search.page(tx, asked, Order(), SAMPLES, None, now)
    return Rehearsed(
        query=query,
        days=days,
        matched=sum(counts[status] for status in Status),
        open=counts["open"],
        closed=counts["closed"],
        promoted=counts["promoted"],
        folded=counts["*"],
        more=max(counts.values()) >= MOST,
        samples=tuple(_sample(known) for known in newest),
        since_then=tuple(sorted(fields_of(tree) & MOVING)),
    )


def refold(
    store: Store, label: str, rules: Mapping[str, Rule], names: detection.Names, days: int, now: Micros
) -> Iterator[Refolded]:
    """Fold what came under a source's label within the last days by `rules`; where it stands, after each few hundred.

    What is read is counted as it came: open, whatever was decided about it since. Raises Malformed, TooSlow.
    """
    asked = since(days) if label == EVERY else both([parse(f"source:{quoted(label)}"), since(days)])
    total = store.read(lambda tx: search.count_up_to(tx, asked, MOST * 10, now))
    kinds = _Kinds(rules[label])
    done, last = Refolded(days=days, total=total), 0
    yield done
    while batch := store.read(partial(batch_of, asked=asked, now=now, after=last)):
        last = batch[-1].id
        for some in by_rows(batch):
            whole = store.read(partial(alertgroup.load, ids=[known.id for known in some]))
            for known in some:
                group = whole.get(known.id)
                if group is None or repeats.rule_for(group, rules) is not rules[label]:
                    continue
                fresh = msgspec.structs.replace(group, status=Status.OPEN)
                kinds.take(known, repeats.fingerprint(fresh, rules[label], names))
        done = Refolded(
            days=days,
            total=max(total, done.read + len(batch)),
            read=done.read + len(batch),
            alertgroups=kinds.n,
            folded=kinds.folded,
            into=kinds.into,
            now=kinds.now,
            samples=kinds.most(),
        )
        yield done


class _First(msgspec.Struct):
    """What others are folded into."""

    known: Sample
    begun: Micros
    last: Micros
    message: int
    times: int = 1


class _Kinds:
    """The first of each kind that still takes repeats, and the few that came most often; others are forgotten."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._firsts: dict[str, _First] = {}
        self._most: dict[int, _First] = {}
        self._taken = 0
        self.n = self.folded = self.into = self.now = 0

    def take(self, known: Summary, fingerprint: str) -> None:
        """The next alertgroup, in the order in which they came."""
        self.n += 1
        self.now += known.folded_into is not None
        first = self._firsts.get(fingerprint)
        if first is None or not self._within(first, known.received):
            self._firsts[fingerprint] = _First(_sample(known), known.received, known.received, known.message)
            self._forget(known.received)
        elif first.message != known.message:
            # Two alertgroups of one message are no repeats of each other.
            first.last = max(first.last, known.received)
            self.into += first.times == 1
            self.folded += 1
            first.times += 1
            self._rank(first)

    def most(self) -> tuple[Sample, ...]:
        """Those that came most often so far."""
        found = sorted(self._most.values(), key=_often, reverse=True)
        return tuple(msgspec.structs.replace(first.known, times=first.times) for first in found)

    def _within(self, first: _First, received: Micros) -> bool:
        return received - first.begun <= self._rule.longest and received - first.last <= self._rule.window

    def _rank(self, first: _First) -> None:
        self._most[first.known.id] = first
        if len(self._most) > SAMPLES:
            del self._most[min(self._most.values(), key=_often).known.id]

    def _forget(self, received: Micros) -> None:
        self._taken += 1
        if self._taken > max(_SWEPT_FROM, len(self._firsts)):
            self._taken = 0
            self._firsts = {name: first for name, first in self._firsts.items() if self._within(first, received)}


def _often(first: _First) -> tuple[int, int]:
    return first.times, first.known.id


def since(days: int) -> Tree:
    """What came within so many days. Raises Malformed."""
    if not 1 <= days <= LONGEST_DAYS:
        raise Malformed(f"days: write a whole number from 1 to {LONGEST_DAYS}")
    return parse(f"received>=now-{days}d")


def batch_of(tx: Tx, asked: Tree, now: Micros, after: int) -> list[Summary]:
    """The next few hundred alertgroups that are meant, in the order in which they came."""
    found = alertgroup.some(tx, search.ids(tx, asked, now, after, _AT_ONCE))
    return [found[id] for id in sorted(found)]


def by_rows(batch: Sequence[Summary]) -> Iterator[list[Summary]]:
    """The alertgroups in pieces of bounded size, whatever the number of their rows."""
    some: list[Summary] = []
    rows = 0
    for known in batch:
        if some and rows + known.alert_count > _ROWS_AT_ONCE:
            yield some
            some, rows = [], 0
        some.append(known)
        rows += known.alert_count
    if some:
        yield some


def _sample(known: Summary) -> Sample:
    return Sample(id=known.id, received=known.received, subject=known.subject, status=str(known.status))
