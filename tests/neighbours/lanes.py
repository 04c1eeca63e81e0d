"""One lane to be turned by hand, with a clock that stands still, and how to look at what became of it."""

import random
from collections.abc import Callable
from typing import NamedTuple

from neighbours.destinations import SECOND, Clock
from tocsin import detection
from tocsin.config import DeliverySection
from tocsin.delivery import Lane, Means, Patience
from tocsin.model import Delivery, Receipt
from tocsin.plugin import Destination
from tocsin.sharing import Gate
from tocsin.store import Store, delivery

SETTINGS = DeliverySection(first_wait_s=2, longest_wait_s=3600, lease_s=60, give_up_after_h=72)


class Bench(NamedTuple):
    """A store, a clock, and lanes named `hook` as many as wanted."""

    store: Store
    clock: Clock

    def lane(self, destination: Destination, gate: Gate | None = None, settings: DeliverySection = SETTINGS) -> Lane:
        patience = Patience(settings, random.Random(1))
        means = Means(self.store, settings, gate or Gate({}), detection.DEFAULT, patience, self.clock)
        return Lane("hook", destination, means)

    def run(self, lane: Lane, seconds: float = 0) -> None:
        """Turn the lane until it has nothing to do for so long, moving the clock from one turn to the next."""
        end = self.clock.at + int(seconds * SECOND)
        for _ in range(10_000):
            again = lane.turn()
            if again > end:
                self.clock.at = end
                return
            self.clock.at = max(self.clock.at, again)
        raise AssertionError("the lane turns without end")

    def owed(self, group: int) -> delivery.Owed:
        return self.store.read(lambda tx: delivery.of_groups(tx, [group]))[group][0]

    def states(self, groups: int) -> list[str]:
        return [self.owed(group).state for group in range(1, groups + 1)]

    def state(self) -> delivery.LaneState:
        return next(each for each in self.store.read(delivery.lanes) if each.name == "hook")


def raises(error: Exception, *subjects: str) -> Callable[[Delivery], Receipt]:
    """Raises for the subjects named, or for all."""

    def answer(delivery: Delivery) -> Receipt:
        if not subjects or delivery.alertgroup.subject in subjects:
            raise error
        return Receipt(remote_id=f"r{delivery.id}", status="201 Created")

    return answer
