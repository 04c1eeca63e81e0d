"""The work of one lane: claim -> load -> gate -> send -> settle."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
import structlog

from tocsin import detection
from tocsin.config import DeliverySection
from tocsin.delivery.pace import AT_ONCE, Gathering, Lately, Paced, Rate
from tocsin.delivery.patience import NEVER, PROBE, SECOND, Patience, Pulse, asked
from tocsin.delivery.ready import Ready, told
from tocsin.errors import DeliveryError, Rejected, Skipped, Unavailable
from tocsin.model import Alertgroup, Delivery, Micros, Receipt
from tocsin.plugin import Destination
from tocsin.sharing import Gate, Withheld
from tocsin.store import Store, Tx, delivery, sending
from tocsin.store.sending import Claimed, Outcome, Settled

log = structlog.get_logger()

SETTLE_EVERY = SECOND // 5
"""Single sends share a transaction, yet their receipts appear while one looks on."""
SINGLES = 32
"""Claimed at once for a destination that takes one at a time."""
BYTES = 8 * 2**20
"""Of messages whose alertgroups are loaded at once."""
POISON = 5
"""Attempts of a delivery that makes its destination raise what it should not."""
HUNG = 5
"""Leases. A call that takes longer is taken for hung, and what the lane has in hand may go to another node."""


class Means(NamedTuple):
    """What all lanes work with."""

    store: Store
    settings: DeliverySection
    gate: Gate
    names: detection.Names
    patience: Patience
    now: Callable[[], Micros]


class Answer(NamedTuple):
    """What came of a test: delivered, failed (refused for good), retry (unreachable), withheld or unanswered."""

    outcome: str
    words: str
    remote_id: str = ""
    took: Micros = 0


class Activity(NamedTuple):
    """What a lane is at. Times in microseconds since the epoch, durations in microseconds."""

    sending_since: Micros | None
    """When the call to the destination began that is under way."""
    in_hand: int
    """Claimed and not yet tried, the call under way included."""
    rest_until: Micros | None
    """The lane rests until then, because its destination is down or asked for it."""
    outcomes: Mapping[str, int]
    """Attempts since the start, by outcome."""
    took: Micros
    """All attempts together."""
    delay: Micros
    """From owed to delivered, all that were delivered together."""
    hung: bool = False
    """The call under way takes so long that it is taken for hung."""
    per_minute: int = 0
    """Delivered within the last minute."""


class Lane:
    """One destination's queue. All but `activity` and `beat` is for the lane's own thread."""

    def __init__(self, name: str, destination: Destination, means: Means, paced: Paced = AT_ONCE) -> None:
        self.name = name
        self.stopping = False
        self._destination = destination
        self._store, self._settings, gate, names, self._patience, self._now = means
        self._ready = Ready(name, self._store, gate, names, destination.kinds)
        self._lease = int(self._settings.lease_s * SECOND)
        self._pulse = Pulse(self._patience)
        self._batch = max(1, min(destination.batch, paced.batch_size or destination.batch))
        self._rate, self._lately = Rate(paced.rate_per_s), Lately()
        self._gathering = Gathering(paced.gathers, self._now())
        self._singles = 1 if paced.shares else SINGLES
        self._ordered = destination.ordered or paced.ordered
        self._width = self._batch  # deliveries in one call; fewer for a while after a call failed as a whole
        self._hand: tuple[Claimed, ...] = ()  # claimed, not yet tried
        self._done: list[Settled] = []  # tried, not yet written down
        self._cursor = ""
        self._settled_at: Micros = 0
        self._began: Micros | None = None
        self._blows = Counter[int]()  # by delivery: times it made the destination raise what it should not
        self._outcomes = Counter[str]()
        self._took = self._delay = 0

    @property
    def activity(self) -> Activity:
        """What the lane is at."""
        at, began = self._now(), self._began
        rest = self._pulse.rest_until if self._pulse.rest_until > at else None
        hung, lately = began is not None and at - began > HUNG * self._lease, self._lately.count(at)
        return Activity(began, len(self._hand), rest, dict(self._outcomes), self._took, self._delay, hung, lately)

    def beat(self) -> None:
        """Keep the lease of what is in hand, unless the call under way hangs. Raises StoreUnavailable."""
        hand, began, at = self._hand, self._began, self._now()
        if hand and (began is None or at - began <= HUNG * self._lease):
            self._store.write(lambda tx: sending.extend(tx, hand, at + self._lease))

    def turn(self) -> Micros:
        """One round. Returns when to come again: 0 for at once, NEVER for when woken.

        Raises StoreUnavailable. What was tried by then is kept, and settled first in the next round.
        """
        self.settle(everything=True)
        at = self._now()
        if self._pulse.rest_until > at:
            return self._pulse.rest_until
        due = self._store.read(lambda tx: sending.next_due(tx, self.name))
        if due is None:
            self._let_go(at)
        if due is None or due > at:
            return NEVER if due is None else due
        if (ends_at := self._gathering.ends_at(at)) > at:
            return ends_at
        if (free_at := self._rate.free_at(at)) > at:
            return free_at
        self._hand, self._cursor = self._store.write(self._claim)
        if not self._hand:
            return at + SECOND  # another node was quicker
        self._work_off(lambda: not self.stopping)
        if self._gathering.wanted:
            self._gathering.left(self._store.read(lambda tx: sending.next_due(tx, self.name)), self._now())
        return 0

    def _let_go(self, at: Micros) -> None:
        """In a lane that is paused, too, what a dead one was sending does not stand there as being sent."""
        if self._store.read(lambda tx: sending.abandoned(tx, self.name, at)):
            self._store.write(lambda tx: sending.expire(tx, self.name, at))

    def empty(self, may_go_on: Callable[[], bool]) -> None:
        """Before the end: send what has gathered, and nothing where nothing gathers. Raises StoreUnavailable."""
        while self._gathering.wanted and may_go_on() and self._pulse.rest_until <= self._now():
            self._hand, self._cursor = self._store.write(self._claim)
            if not self._hand:
                return
            self._work_off(may_go_on)

    def _work_off(self, may_go_on: Callable[[], bool]) -> None:
        self._settled_at, going = self._now(), True
        while self._hand and going and may_go_on():
            for load in self._loads():
                going = self._try(load)
                if self._batch > 1 or self._now() - self._settled_at >= SETTLE_EVERY:
                    self.settle()
                if not going or not may_go_on():
                    break
        self.settle(everything=True)

    def test(self, group: Alertgroup) -> Answer:
        """Send a test past the queue; nothing of it is stored but the destination's cursor. Raises StoreUnavailable.

        An answer of the destination ends a rest.
        """
        began = self._now()
        made = self._ready.passed(group)
        if not isinstance(made, Alertgroup):
            return Answer("withheld", str(made.args[0]) if isinstance(made, Exception) else made.reason)
        self._cursor = before = self._store.read(lambda tx: delivery.lane_cursor(tx, self.name))
        self._began = began
        outcomes, _ = self._call([Delivery(id=0, uid=str(uuid.uuid4()), alertgroup=made, attempt=1)])
        self._began, took = None, max(0, self._now() - began)
        if self._cursor != before:
            self._store.write(lambda tx: delivery.keep_cursor(tx, self.name, self._cursor))
        outcome = outcomes[0]
        if isinstance(outcome, Receipt):
            self._pulse.heard(began + took)
            self._pulse.rest_until = 0
            return Answer("delivered", outcome.status, outcome.remote_id, took)
        return Answer("failed" if isinstance(outcome, Rejected) else "retry", told(outcome), "", took)

    def settle(self, everything: bool = False) -> None:
        """Write down what was tried; with `everything`, give back what was not. Raises StoreUnavailable."""
        done, rest, hasten = self._done, self._hand if everything else (), self._pulse.back_after_long
        if not done and not rest:
            return

        def work(tx: Tx) -> int:
            if rest:
                sending.give_back(tx, rest)
            accepted = sending.settle(tx, self.name, done, self._cursor) if done else 0
            if hasten:
                sending.hasten(tx, self.name, self._now())
            return accepted

        late = len(done) - self._store.write(work)
        if late:
            log.warning("settled too late: another took over, or it was settled before", lane=self.name, late=late)
        self._done, self._pulse.back_after_long, self._settled_at = [], False, self._now()
        if everything:
            self._hand = ()

    def _claim(self, tx: Tx) -> tuple[tuple[Claimed, ...], str]:
        at, limit = self._now(), self._width if self._batch > 1 else self._singles
        if self._pulse.down_since is not None:
            limit = 1
        limit = min(limit, max(1, self._rate.free(at)))
        claimed = sending.claim(tx, self.name, limit, at, at + self._lease, ordered=self._ordered)
        return tuple(claimed), delivery.lane_cursor(tx, self.name)

    def _loads(self) -> Iterator[list[tuple[Claimed, Delivery]]]:
        """What is in hand, as far as memory allows, in calls to the destination; what may not go is concluded here."""
        part: list[Claimed] = []
        for item in self._hand:
            if part and sum(each.size for each in part) + item.size > BYTES:
                break
            part.append(item)
        ready: list[tuple[Claimed, Delivery]] = []
        for item, made in self._ready.deliveries(part).items():
            if isinstance(made, Delivery):
                ready.append((item, made))
            else:
                self._conclude(item, made, self._now(), 0)
        while ready:
            load, ready = ready[: self._width], ready[self._width :]
            yield load

    def _try(self, load: Sequence[tuple[Claimed, Delivery]]) -> bool:
        """One call to the destination. Whether the lane may go on with what it has in hand."""
        self._began = began = self._now()
        self._rate.spend(len(load), began)
        outcomes, whole = self._call([each for _, each in load])
        self._began, took = None, max(0, self._now() - began)
        if whole:
            self._width = max(1, len(load) // 2)
        elif len(load) == self._width:
            self._width = min(self._batch, 2 * self._width)
        if whole and len(load) > 1 and not isinstance(whole, Unavailable):
            # One of them is to blame, nobody knows which: all again, at once, in smaller calls.
            for item, _ in load:
                self._note(item, "retry", began, took, told(whole), due=began + took)
            return False
        at, wanted = began + took, 0
        for (item, _), outcome in zip(load, outcomes, strict=True):
            self._conclude(item, outcome, began, took)
            if isinstance(outcome, Receipt | Rejected):
                self._pulse.heard(at)
            elif not isinstance(outcome, Skipped):
                wanted = max(wanted, asked(outcome))
                self._pulse.missed(item.id, at)
        if self._pulse.rest(at, wanted):
            log.warning("a destination is down", lane=self.name, reason=self._done[-1].detail)
        return self._pulse.rest_until <= at

    def _call(self, load: Sequence[Delivery]) -> tuple[Sequence[Receipt | Exception], Exception | None]:
        """The outcomes; and what was raised, when that is one and the same for all of them."""
        whole: Exception
        try:
            sent = self._destination.send_batch(load, self._cursor)
            outcomes = _checked(sent.outcomes, len(load))
        except DeliveryError as error:
            whole = error
        except (Exception, SystemExit) as error:
            whole = error if isinstance(error, Exception) else RuntimeError("the destination tried to end Tocsin")
            self._ready.warn("a destination raised what it should not", whole)
        else:
            self._cursor = sent.cursor
            return outcomes, None
        return [whole] * len(load), whole

    def _conclude(self, item: Claimed, outcome: Receipt | Withheld | Exception, at: Micros, took: Micros) -> None:
        """Note what came of an attempt, and whether there will be another."""
        ended = at + took
        if isinstance(outcome, Receipt):
            self._delay += max(0, ended - item.created)
            self._lately.add(ended)
            self._note(item, "delivered", at, took, outcome.status, remote_id=outcome.remote_id)
        elif isinstance(outcome, Withheld):
            self._note(item, "withheld", at, took, outcome.reason)
        elif isinstance(outcome, Skipped):
            self._note(item, "skipped", at, took, told(outcome))
        elif isinstance(outcome, Rejected):
            self._note(item, "failed", at, took, told(outcome))
        else:
            self._wait(item, outcome, at, took)

    def _wait(self, item: Claimed, outcome: Exception, at: Micros, took: Micros) -> None:
        """Note that an attempt failed for now: there will be another, or it was one too many."""
        words, ended = told(outcome), at + took
        if not isinstance(outcome, DeliveryError) and self._pulse.down_since is None:
            self._blows[item.id] += 1
        enough = f"parked after {POISON} such attempts" if self._blows[item.id] >= POISON else ""
        if enough := enough or self._patience.ended(item, ended):
            self._note(item, "failed", at, took, f"{words} ({enough})")
            return
        failures = item.tries if isinstance(outcome, DeliveryError) else max(1, self._blows[item.id])
        wait = max(self._patience.wait(failures, PROBE if self._ordered else NEVER), asked(outcome))
        if self._ordered:
            # It keeps its place at the head, and the lane waits with it.
            self._pulse.rest_until = max(self._pulse.rest_until, ended + wait)
            self._note(item, "retry", at, took, words)
        else:
            self._note(item, "retry", at, took, words, due=ended + wait)

    def _note(
        self,
        item: Claimed,
        outcome: Outcome,
        at: Micros,
        took: Micros,
        detail: str,
        *,
        remote_id: str = "",
        due: Micros | None = None,
    ) -> None:
        if outcome != "retry":
            del self._blows[item.id]
        self._outcomes[outcome] += 1
        self._took += took
        self._hand = tuple(each for each in self._hand if each is not item)
        settled = Settled(id=item.id, attempt=item.attempt, outcome=outcome, at=at, took=took, detail=detail)
        self._done.append(msgspec.structs.replace(settled, remote_id=remote_id, due=due))


def _checked(outcomes: Sequence[object], wanted: int) -> Sequence[Receipt | Exception]:
    """A destination's outcomes, if they are what was promised. Raises TypeError."""
    if len(outcomes) != wanted:
        raise TypeError(f"send_batch gave {len(outcomes)} outcomes for {wanted} deliveries")
    good = [each for each in outcomes if isinstance(each, Receipt | DeliveryError)]
    if len(good) != wanted:
        raise TypeError("send_batch gave an outcome that is neither a Receipt nor a DeliveryError")
    return good
