"""The thread of a lane."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import structlog

from tocsin.delivery.lane import Answer, Lane
from tocsin.delivery.patience import SECOND
from tocsin.errors import StoreUnavailable
from tocsin.model import Alertgroup, Micros
from tocsin.plugin import Destination

log = structlog.get_logger()

STORE_AWAY_S = 1.0


class LaneThread(threading.Thread):
    """Turns its lane until told to stop; whatever goes wrong, it goes on."""

    def __init__(self, lane: Lane, destination: Destination, look_every_s: float, now: Callable[[], Micros]) -> None:
        """`look_every_s`: how long it waits at most where nobody wakes it."""
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
