"""What a webhook at the far end does to each request, and its own book of what it truly got."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from loss.evidence import Got
from loss.ledger import REJECTED_FOR_EVER
from loss.numbered import marks
from neighbours.receiver import Behaviour, Drop, Hang, Receiver, Request, Slow, Status, listening


def never_taken(number: int) -> bool:
    """Whether the receiver rejects this number for good, each time it is asked."""
    return number % 23 == 5


class Book:
    """Chooses, and writes down each body it read to its end and what it answered."""

    def __init__(self, seed: str, started: float, lane: str = "hook") -> None:
        self._lane = lane
        self._chance = random.Random(f"{seed} receiver {lane}")
        self._started = started
        self._lock = threading.Lock()
        self._got: list[Got] = []
        self.behaves = False
        self._mood = self._chance.choice((0.0, 0.1, 0.4))

    @property
    def got(self) -> list[Got]:
        """Everything so far."""
        with self._lock:
            return list(self._got)

    def choose(self, request: Request) -> Behaviour:
        """What to do to this request."""
        text = request.body.decode(errors="replace")
        with self._lock:
            if any(never_taken(number) for number, _ in marks(text)):
                behaviour: Behaviour = Status(REJECTED_FOR_EVER)
            elif self.behaves or self._chance.random() > self._mood:
                behaviour = Status(self._chance.choice((200, 204)))
            else:
                behaviour = self._misbehave()
            key = {name.lower(): value for name, value in request.headers.items()}.get("idempotency-key", "")
            self._got.append(Got(time.monotonic() - self._started, key, _status(behaviour), text, self._lane))
        return behaviour

    def _misbehave(self) -> Behaviour:
        return self._chance.choice(
            (
                Status(500),
                Status(503),
                Status(429, {"Retry-After": "0"}),
                Status(429, {"Retry-After": "1"}),
                Drop(),
                Drop(reset=True),
                Slow(0.05),
                Slow(0.85),
                Hang(),
            )
        )


@contextmanager
def open_book(seed: str, started: float, lane: str = "hook") -> Iterator[tuple[Receiver, Book]]:
    """A listening receiver and its book."""
    book = Book(seed, started, lane)
    with listening() as receiver:
        receiver.choose = book.choose
        yield receiver, book


def _status(behaviour: Behaviour) -> int:
    answer = behaviour.then if isinstance(behaviour, Slow) else behaviour
    return answer.code if isinstance(answer, Status) else 0
