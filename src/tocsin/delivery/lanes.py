"""The threads: one for each lane, and a heart that keeps their leases."""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import msgspec
import structlog

from tocsin import detection
from tocsin.config import DeliverySection
from tocsin.delivery.lane import Activity, Answer, Lane, Means
from tocsin.delivery.pace import Paced
from tocsin.delivery.patience import SECOND, Patience
from tocsin.delivery.turning import STORE_AWAY_S, LaneThread
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


def now() -> Micros:
    """The clock on the wall."""
    return time.time_ns() // 1000


class Lanes:
    """All configured destinations, each served by threads of its own, so that none delays another.

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
            name: tuple(
                LaneThread(_lane(name, each, means, said[name]), each, look, clock)
                for each in _copies(destination, said[name].concurrency)
            )
            for name, destination in destinations.items()
        }
        self._started = list(self._all())

    def activity(self) -> dict[str, Activity]:
        """What the configured lanes are at. A lane of the store that is not named here has no destination."""
        return {name: together([each.lane.activity for each in threads]) for name, threads in self._threads.items()}

    def start(self, only: Collection[str] | None = None) -> None:
        """Begin to send, as soon as the store can be written; `only` down some of the lanes."""
        if only is not None:
            self._started = [each for name, threads in self._threads.items() if name in only for each in threads]
        self._heart.start()

    def test(self, name: str, timeout_s: float) -> Answer:
        """Send a marked test alertgroup through gate and destination, past everything that waits.

        Where the lanes do not run, nothing else uses the destination, and it is called from here.
        Raises NotFound: there is no such destination.
        """
        threads = self._threads.get(name)
        if threads is None:
            raise NotFound(f"There is no destination {name[:60]!r} in the configuration.")
        return threads[0].test(example(name, self._now()), timeout_s)

    def wake(self, lanes: Iterable[str]) -> None:
        """There is something new to send."""
        for name in lanes:
            for thread in self._threads.get(name, ()):
                thread.bell.set()

    def stop(self, timeout: float) -> list[str]:
        """Let calls under way finish, claim no more. Returns the lanes that still send after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        self._ended.set()
        for thread in self._all():
            thread.end(deadline)
        ending: list[threading.Thread] = [self._heart, *self._all()]
        for each in ending:
            if each.ident is not None:
                each.join(max(0.0, deadline - time.monotonic()))
        return [name for name, threads in self._threads.items() if any(each.is_alive() for each in threads)]

    def _all(self) -> Iterator[LaneThread]:
        return (each for threads in self._threads.values() for each in threads)

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
                for thread in self._all():
                    thread.lane.beat()
            except StoreUnavailable:
                wait = STORE_AWAY_S

    def _open(self, tx: Tx) -> None:
        delivery.open_lanes(tx, tuple(self._threads), self.kinds)
        if not self._shared:
            sending.release_all(tx)


def _copies(destination: Destination, count: int) -> list[Destination]:
    """The destination and others like it: each is called by one thread alone, and has connections of its own."""
    return [destination, *(destination.model_copy() for _ in range(count - 1))]


def together(several: Sequence[Activity]) -> Activity:
    """What the threads of one lane are at, as one. It rests when all of them do."""
    began = [each.sending_since for each in several if each.sending_since is not None]
    rests = [each.rest_until for each in several if each.rest_until is not None]
    return Activity(
        sending_since=min(began, default=None),
        in_hand=sum(each.in_hand for each in several),
        rest_until=min(rests) if len(rests) == len(several) else None,
        outcomes=sum((Counter(each.outcomes) for each in several), Counter[str]()),
        took=sum(each.took for each in several),
        delay=sum(each.delay for each in several),
        hung=any(each.hung for each in several),
        per_minute=sum(each.per_minute for each in several),
    )


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
    rate, gathers = said.rate_per_s / said.concurrency, int(said.push_delay * SECOND)
    paced = Paced(said.batch_size, rate, gathers, said.ordered, said.concurrency > 1)
    return Lane(name, destination, means, paced)


def example(lane: str, at: Micros) -> Alertgroup:
    """The alertgroup of a test: free for all, about nobody, and saying what it is."""
    row = {"note": "Tocsin test: nothing happened, and nothing is to be done.", "lane": lane}
    group = Alertgroup.of_rows(
        f"Tocsin test of {lane}", [row], tlp=TLP.CLEAR, tags=("tocsin-test",), received=at, created=at
    )
    alerts = tuple(msgspec.structs.replace(alert, uid=str(uuid.uuid4())) for alert in group.alerts)
    return msgspec.structs.replace(group, uid=str(uuid.uuid4()), alerts=alerts)
