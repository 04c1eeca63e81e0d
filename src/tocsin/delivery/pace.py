"""How quick a lane may be, and how quick it was. Times in microseconds since the epoch."""

from typing import NamedTuple

from tocsin.delivery.patience import SECOND
from tocsin.model import Micros

UNLIMITED = 2**31
WINDOW = 60


class Paced(NamedTuple):
    """How a lane calls its destination.

    `batch_size` deliveries in a call (None: as many as it takes), `rate_per_s` deliveries a second (0: no limit), the
    time `gathers` from one round of calls to the next, whether one that must wait holds back all behind it, and
    whether the lane is one of several that share the work, so that it takes no more in hand than it is at.
    """

    batch_size: int | None = None
    rate_per_s: float = 0
    gathers: Micros = 0
    ordered: bool = False
    shares: bool = False


AT_ONCE = Paced()


class Gathering:
    """Lets deliveries gather for a while, then lets go all that stood then; `every` 0: nothing gathers."""

    def __init__(self, every: Micros, at: Micros) -> None:
        self._every, self._next = every, at + every
        self._round: Micros | None = None

    @property
    def wanted(self) -> bool:
        """Whether anything gathers at all."""
        return self._every > 0

    def ends_at(self, at: Micros) -> Micros:
        """When what has gathered may go; `at` for now, and as long as not all of it went."""
        if not self._every or self._round is not None:
            return at
        if self._next <= at:
            self._round = at
        return max(self._next, at)

    def left(self, due: Micros | None, at: Micros) -> None:
        """What is still owed is due at `due`: when that is later than what gathered, the next round is."""
        if self._round is not None and (due is None or due > self._round):
            self._round, self._next = None, at + self._every


class Rate:
    """A bucket of tokens: so many deliveries a second, and after a pause at once what fits into one second.

    `per_s` 0 sets no limit; below 1 the deliveries stand 1/`per_s` seconds apart.
    """

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._most = max(1.0, per_s)
        self._tokens = self._most
        self._at: Micros = 0

    def free(self, at: Micros) -> int:
        """How many may be sent now."""
        if not self._per_s:
            return UNLIMITED
        self._fill(at)
        return max(0, int(self._tokens + 1e-9))

    def free_at(self, at: Micros) -> Micros:
        """When the next may be sent; `at` for now."""
        if self.free(at):
            return at
        return at + max(1, int((1 - self._tokens) / self._per_s * SECOND) + 1)

    def spend(self, n: int, at: Micros) -> None:
        """So many were handed over; more than were free are paid for later."""
        if self._per_s:
            self._fill(at)
            self._tokens -= n

    def _fill(self, at: Micros) -> None:
        passed = max(0, at - self._at) / SECOND  # a clock set back fills nothing
        self._tokens = min(self._most, self._tokens + passed * self._per_s)
        self._at = at


class Lately:
    """Counts by the second what happened within the last minute. Written by one thread, read by any."""

    def __init__(self) -> None:
        self._slots = [(0, 0)] * WINDOW

    def add(self, at: Micros) -> None:
        """One more."""
        second = at // SECOND
        known, n = self._slots[second % WINDOW]
        self._slots[second % WINDOW] = (second, n + 1 if known == second else 1)

    def count(self, at: Micros) -> int:
        """How many in the minute before that moment."""
        second = at // SECOND
        return sum(n for known, n in self._slots if second - WINDOW < known <= second)
