"""Destinations in this process that do as a test tells them, and what they need around them."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec
from pydantic import PrivateAttr

from tocsin.model import TLP, Alertgroup, Delivery, Message, Micros, Receipt, Sent
from tocsin.plugin import Destination
from tocsin.store import Part, Store, Stored, entry

START: Micros = 1_795_000_000_000_000
SECOND: Micros = 1_000_000


class Clock:
    """A wall clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> Micros:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += int(seconds * SECOND)


class Killed(BaseException):
    """The process ends here: nothing of ours catches it."""


def _taken(delivery: Delivery) -> Receipt:
    return Receipt()


class Told(Destination):
    """Answers each delivery as `answer` says; remembers the subjects of every call."""

    _answer: Callable[[Delivery], Receipt] = PrivateAttr(default_factory=lambda: _taken)
    _calls: list[list[str]] = PrivateAttr(default_factory=list)
    _closed: threading.Event = PrivateAttr(default_factory=threading.Event)

    @property
    def calls(self) -> list[list[str]]:
        return self._calls

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def tell(self, answer: Callable[[Delivery], Receipt]) -> None:
        self._answer = answer

    def send(self, delivery: Delivery) -> Receipt:
        self._calls.append([delivery.alertgroup.subject])
        return self._answer(delivery)

    def close(self) -> None:
        self._closed.set()


class ToldInOrder(Told):
    """The same, one at a time and never out of order."""

    ordered: ClassVar[bool] = True


class ToldInBatches(Told):
    """Takes eight in one call; what one of them raises is raised for all."""

    batch: ClassVar[int] = 8

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        self._calls.append([delivery.alertgroup.subject for delivery in deliveries])
        return Sent([self._answer(delivery) for delivery in deliveries], cursor)


def told(answer: Callable[[Delivery], Receipt], kind: type[Told] = Told) -> Told:
    """A destination that answers so."""
    destination = kind()
    destination.tell(answer)
    return destination


class Lines(Destination):
    """A file with one line for each delivery; the cursor is its length.

    `killed_in` says after the writing of which batch the process ends.
    """

    batch: ClassVar[int] = 8
    ordered: ClassVar[bool] = True
    path: Path
    killed_in: int = 0
    _batches: int = PrivateAttr(default=0)

    def send(self, delivery: Delivery) -> Receipt:
        raise AssertionError("batches only")

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        with self.path.open("ab") as file:
            file.truncate(int(cursor or 0))
            file.write(b"".join(f"{delivery.alertgroup.subject}\n".encode() for delivery in deliveries))
            file.flush()
            os.fsync(file.fileno())
            end = file.tell()
        self._batches += 1
        if self._batches == self.killed_in:
            raise Killed
        return Sent([Receipt() for _ in deliveries], str(end))


def owe(store: Store, subject: str, *lanes: str, tlp: TLP = TLP.UNSET, at: Micros = START) -> Stored:
    """Store an alertgroup of one row that is owed to the lanes."""
    group = Alertgroup.of_rows(subject, [{"src_ip": "192.0.2.7"}], tlp=tlp)
    body = msgspec.json.encode({"subject": subject})
    message = Message(source="rest", body=body, media_type="application/json", received=at)
    return store.append(entry(message, [Part(group=group, severity=None, lanes=lanes)], "scot", "1")).result(30)
