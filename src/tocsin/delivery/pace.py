"""How quick a lane may be, and how quick it was. Times in microseconds since the epoch."""

from tocsin.delivery.patience import SECOND
from tocsin.model import Micros

UNLIMITED = 2**31
WINDOW = 60


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
