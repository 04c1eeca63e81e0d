"""The threads: one for each lane, and a heart that keeps their leases."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping

import structlog

from tocsin import detection
from tocsin.config import DeliverySection
from tocsin.delivery.lane import Activity, Lane, Means
from tocsin.delivery.patience import SECOND, Patience
from tocsin.errors import StoreUnavailable
from tocsin.model import Micros
from tocsin.plugin import Destination
from tocsin.sharing import Gate
from tocsin.store import Store, Tx, delivery, sending

log = structlog.get_logger()

LOOK_EVERY_S = 30.0
"""A lane that nobody woke looks for itself."""
LOOK_EVERY_SHARED_S = 1.0
STORE_AWAY_S = 1.0


def now() -> Micros:
    """The clock on the wall."""
    return time.time_ns() // 1000


class Lanes:
    """All configured destinations, each served by its own thread, so that none delays another.

    `shared` is for several nodes on one store: they look for each other's deliveries every second, and what a killed
    one had in hand comes back when its lease runs out. A single owner takes it back at the start.
    """

    def __init__(
        self,
        store: Store,
        destinations: Mapping[str, Destination],
        settings: DeliverySection,
        gate: Gate,
        names: detection.Names = detection.DEFAULT,
        *,
        shared: bool = False,
        clock: Callable[[], Micros] = now,
    ) -> None:
        means = Means(store, settings, gate, names, Patience(settings, random.Random()), clock)  # noqa: S311 – jitter
        look = LOOK_EVERY_SHARED_S if shared else LOOK_EVERY_S
        self._store, self._shared = store, shared
        self._beat_every_s = settings.lease_s / 3
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._live, name="tocsin-lanes", daemon=True)
        self._threads = {
            name: _LaneThread(Lane(name, destination, means), destination, look, clock)
            for name, destination in destinations.items()
        }

    def activity(self) -> dict[str, Activity]:
        """What the configured lanes are at. A lane of the store that is not named here has no destination."""
        return {name: thread.lane.activity for name, thread in self._threads.items()}

    def start(self) -> None:
        """Begin to send, as soon as the store can be written."""
        self._heart.start()

    def wake(self, lanes: Iterable[str]) -> None:
        """There is something new to send."""
        for name in lanes:
            if thread := self._threads.get(name):
                thread.bell.set()

    def stop(self, timeout: float) -> list[str]:
        """Let calls under way finish, claim no more. Returns the lanes that still send after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        self._ended.set()
        for thread in self._threads.values():
            thread.lane.stopping = True
            thread.bell.set()
        ending: list[threading.Thread] = [self._heart, *self._threads.values()]
        for each in ending:
            if each.ident is not None:
                each.join(max(0.0, deadline - time.monotonic()))
        return [name for name, thread in self._threads.items() if thread.is_alive()]

    def _live(self) -> None:
        opened, wait = False, 0.0
        while not self._ended.wait(wait):
            wait = self._beat_every_s
            try:
                if not opened:
                    self._store.write(self._open)
                    opened = True
                    for thread in self._threads.values():
                        thread.start()
                for thread in self._threads.values():
                    thread.lane.beat()
            except StoreUnavailable:
                wait = STORE_AWAY_S

    def _open(self, tx: Tx) -> None:
        delivery.open_lanes(tx, tuple(self._threads))
        if not self._shared:
            sending.release_all(tx)


class _LaneThread(threading.Thread):
    """Turns its lane until told to stop; whatever goes wrong, it goes on."""

    def __init__(self, lane: Lane, destination: Destination, look_every_s: float, now: Callable[[], Micros]) -> None:
        super().__init__(name=f"tocsin-lane-{lane.name}", daemon=True)
        self.lane, self.bell = lane, threading.Event()
        self._destination, self._look_every_s, self._now = destination, look_every_s, now

    def run(self) -> None:
        """Until `lane.stopping`."""
        while not self.lane.stopping:
            self.bell.clear()
            wait = self._turn()
            if wait > 0 and not self.lane.stopping:
                self.bell.wait(min(wait, self._look_every_s))
        try:
            self.lane.settle(everything=True)
            self._destination.close()
        except Exception:
            log.exception("a lane did not end well", lane=self.lane.name)

    def _turn(self) -> float:
        """One turn; how many seconds to wait for the next."""
        try:
            return (self.lane.turn() - self._now()) / SECOND
        except StoreUnavailable as error:
            log.debug("a lane waits for the store", lane=self.lane.name, reason=str(error))
        except Exception:
            log.exception("a lane stumbled", lane=self.lane.name)
        return STORE_AWAY_S
