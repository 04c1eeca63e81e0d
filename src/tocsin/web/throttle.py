"""Slows down who guesses passwords: after some failures each further try has to wait, ever longer."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple


class _Record(NamedTuple):
    failures: int
    until: float
    last: float


class Throttle:
    """Counts failures under any text (a name, an address); forgets them after a while and never grows without end."""

    most = 20_000
    forget_s = 15 * 60.0
    longest_s = 5 * 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: dict[str, _Record] = {}

    def wait_s(self, *under: str) -> float:
        """How long the next try must wait: 0 when it may come now."""
        now = self._clock()
        waits = (self._records[key].until - now for key in under if key in self._records)
        return max(0.0, max(waits, default=0.0))

    def failed(self, free: Mapping[str, int]) -> None:
        """Note a failure under each of the keys; the numbers say how many are free of a wait."""
        now = self._clock()
        for key, allowed in free.items():
            record = self._records.pop(key, None)
            failures = 1 if record is None or now - record.last > self.forget_s else record.failures + 1
            over = failures - allowed
            wait = min(2.0 ** min(over, 16), self.longest_s) if over >= 0 else 0.0
            self._records[key] = _Record(failures, now + wait, now)
        while len(self._records) > self.most:
            del self._records[next(iter(self._records))]

    def succeeded(self, *under: str) -> None:
        """Forget the failures under these keys."""
        for key in under:
            self._records.pop(key, None)
