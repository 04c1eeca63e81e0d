"""When to try again, when to give up, and when to leave a destination alone. Durations in microseconds."""

import random
from datetime import timedelta

from tocsin.config import DeliverySection
from tocsin.errors import Unavailable
from tocsin.model import Micros
from tocsin.store.sending import Claimed

SECOND: Micros = 1_000_000
NEVER: Micros = 2**62
DOWN = 5
"""So many deliveries failing one after the other mean that the destination is down, not that they are bad."""
PROBE: Micros = 60 * SECOND
"""A destination that is down is tried at least this often."""
LONGEST_REST = timedelta(days=1)
"""No peer can close a lane for longer."""


class Patience:
    """Waits that double, with jitter, so that many lanes do not knock in step; and when they have been enough."""

    def __init__(self, settings: DeliverySection, dice: random.Random) -> None:
        self._settings, self._dice = settings, dice

    def wait(self, failures: int, longest: Micros = NEVER) -> Micros:
        """After so many failures: between half and the whole of the doubled wait."""
        doubled = self._settings.first_wait_s * 2.0 ** min(failures - 1, 40)
        whole = min(doubled, self._settings.longest_wait_s, longest / SECOND)
        return int(whole * self._dice.uniform(0.5, 1) * SECOND)

    def ended(self, item: Claimed, at: Micros) -> str:
        """Why a delivery that failed at that moment is not tried again; empty while it is."""
        most, hours = self._settings.max_attempts, self._settings.give_up_after_h
        if 0 < most <= item.tries:
            return f"given up after {item.tries} attempts"
        if 0 < hours * 3600 * SECOND <= at - item.since:
            return f"given up after {hours:g} hours and {item.tries} attempts"
        return ""


def asked(error: Exception) -> Micros:
    """How long the peer wants to be left alone."""
    wanted = error.retry_after if isinstance(error, Unavailable) else None
    return 0 if wanted is None else int(min(wanted, LONGEST_REST).total_seconds() * SECOND)


class Pulse:
    """Whether a destination is up, as far as its answers tell, and until when its lane rests."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._missed: set[int] = set()
        self._probes = 0
        self.down_since: Micros | None = None
        self.rest_until: Micros = 0
        self.back_after_long = False
        """It was down so long that waits have grown: set until somebody shortens them."""

    def heard(self, at: Micros) -> None:
        """It answered: yes, or no for good."""
        if self.down_since is not None and at - self.down_since > PROBE:
            self.back_after_long = True
        self._missed.clear()
        self.down_since, self._probes = None, 0

    def missed(self, delivery: int, at: Micros) -> None:
        """It did not take a delivery."""
        self._missed.add(delivery)
        if self.down_since is None and len(self._missed) >= DOWN:
            self.down_since = at

    def rest(self, at: Micros, wanted: Micros) -> bool:
        """After a call: how long the lane rests, at least as long as the peer wanted.

        True once a probe has failed too: then it is worth telling that the destination is down.
        """
        if self.down_since is not None:
            self._probes += 1
            wanted = max(wanted, self._patience.wait(self._probes, PROBE))
        self.rest_until = max(self.rest_until, at + wanted)
        return self._probes == 2
