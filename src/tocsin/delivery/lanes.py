"""The threads: one for each lane, and a heart that keeps their leases."""

import queue
import random
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future

import msgspec
import structlog

from tocsin import detection
from tocsin.config import DeliverySection
from tocsin.delivery.lane import Activity, Answer, Lane, Means
from tocsin.delivery.pace import Paced
from tocsin.delivery.patience import SECOND, Patience
from tocsin.errors import NotFound, StoreUnavailable
from tocsin.model import TLP, Alertgroup, Kind, Micros
from tocsin.plugin import Destination
from tocsin.registry import DestinationOptions
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
        options: Mapping[str, DestinationOptions] | None = None,
    ) -> None:
        """Make a lane for each destination; `options` are what their tables say of the lane, by name."""
        means = Means(store, settings, gate, names, Patience(settings, random.Random()), clock)  # noqa: S311 – jitter
        said = {name: (options or {}).get(name, DestinationOptions()) for name in destinations}
        look = LOOK_EVERY_SHARED_S if shared else LOOK_EVERY_S
        self._store, self._shared, self._now = store, shared, clock
        self._beat_every_s = settings.lease_s / 3
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._live, name="tocsin-lanes", daemon=True)
        self.kinds: Mapping[str, frozenset[Kind]] = {
            name: destination.kinds - (frozenset() if said[name].updates else {"update"})
            for name, destination in destinations.items()
        }
        """By lane, the kinds of deliveries that its destination is handed."""
        self._threads = {
            name: _LaneThread(_lane(name, destination, means, said[name]), destination, look, clock)
            for name, destination in destinations.items()
        }
        self._started = list(self._threads.values())

    def activity(self) -> dict[str, Activity]:
        """What the configured lanes are at. A lane of the store that is not named here has no destination."""
        return {name: thread.lane.activity for name, thread in self._threads.items()}

    def start(self, only: Collection[str] | None = None) -> None:
        """Begin to send, as soon as the store can be written; `only` down some of the lanes."""
        if only is not None:
            self._started = [thread for name, thread in self._threads.items() if name in only]
        self._heart.start()

    def test(self, name: str, timeout_s: float) -> Answer:
        """Send a marked test alertgroup through gate and destination, past everything that waits.

        Where the lanes do not run, nothing else uses the destination, and it is called from here.
        Raises NotFound: there is no such destination.
        """
        thread = self._threads.get(name)
        if thread is None:
            raise NotFound(f"There is no destination {name[:60]!r} in the configuration.")
        return thread.test(example(name, self._now()), timeout_s)

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
            thread.end(deadline)
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
                    for thread in self._started:
                        thread.start()
                for thread in self._threads.values():
                    thread.lane.beat()
            except StoreUnavailable:
                wait = STORE_AWAY_S

    def _open(self, tx: Tx) -> None:
        delivery.open_lanes(tx, tuple(self._threads), self.kinds)
        if not self._shared:
            sending.release_all(tx)


class _LaneThread(threading.Thread):
    """Turns its lane until told to stop; whatever goes wrong, it goes on."""

    def __init__(self, lane: Lane, destination: Destination, look_every_s: float, now: Callable[[], Micros]) -> None:
        super().__init__(name=f"tocsin-lane-{lane.name}", daemon=True)
        self.lane, self.bell = lane, threading.Event()
        self._destination, self._look_every_s, self._now = destination, look_every_s, now
        self._deadline = 0.0
        self._tests: queue.SimpleQueue[tuple[Alertgroup, Future[Answer]]] = queue.SimpleQueue()

    def test(self, group: Alertgroup, timeout_s: float) -> Answer:
        """Have the lane's own thread send it between two rounds: a destination is never called by two at once."""
        future: Future[Answer] = Future()
        self._tests.put((group, future))
        self.bell.set()
        if not self.is_alive():
            threading.Thread(target=self._answer_tests, name=f"tocsin-test-{self.lane.name}", daemon=True).start()
        try:
            return future.result(timeout_s)
        except TimeoutError:
            if future.cancel():
                words = f"not sent: the lane was busy with another call for {timeout_s:g} seconds"
            else:
                words = f"no answer within {timeout_s:g} seconds; whether it arrived is not known"
            return Answer("unanswered", words)

    def end(self, deadline: float) -> None:
        """Claim no more, but what has gathered until now, as far as there is time: `deadline` is monotonic."""
        self._deadline = deadline
        self.lane.stopping = True
        self.bell.set()

    def _answer_tests(self) -> None:
        while True:
            try:
                group, future = self._tests.get_nowait()
            except queue.Empty:
                return
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self.lane.test(group))
            except Exception as error:
                future.set_exception(error)

    def run(self) -> None:
        """Until `lane.stopping`."""
        while not self.lane.stopping:
            self.bell.clear()
            self._answer_tests()
            wait = self._turn()
            if wait > 0 and not self.lane.stopping:
                self.bell.wait(min(wait, self._look_every_s))
        try:
            self.lane.settle(everything=True)
            self.lane.empty(lambda: time.monotonic() < self._deadline)
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


def _lane(name: str, destination: Destination, means: Means, said: DestinationOptions) -> Lane:
    """A lane as its destination's table wants it; what the table leaves out is as `[delivery]` says."""
    own = {
        "first_wait_s": said.first_wait_s,
        "longest_wait_s": said.longest_wait_s,
        "max_attempts": said.max_attempts,
        "give_up_after_h": said.give_up_after_h,
    }
    settings = means.settings.model_copy(update={key: value for key, value in own.items() if value is not None})
    patience = Patience(settings, random.Random())  # noqa: S311 – jitter
    means = means._replace(settings=settings, patience=patience)
    paced = Paced(said.batch_size, said.rate_per_s, int(said.push_delay * SECOND))
    return Lane(name, destination, means, paced)


def example(lane: str, at: Micros) -> Alertgroup:
    """The alertgroup of a test: free for all, about nobody, and saying what it is."""
    row = {"note": "Tocsin test: nothing happened, and nothing is to be done.", "lane": lane}
    group = Alertgroup.of_rows(
        f"Tocsin test of {lane}", [row], tlp=TLP.CLEAR, tags=("tocsin-test",), received=at, created=at
    )
    alerts = tuple(msgspec.structs.replace(alert, uid=str(uuid.uuid4())) for alert in group.alerts)
    return msgspec.structs.replace(group, uid=str(uuid.uuid4()), alerts=alerts)
