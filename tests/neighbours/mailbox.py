"""A source of mail at work on a store, in this process, and what came of it."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import ClassVar, NamedTuple

from tocsin.intake import Intake
from tocsin.intake.fetching import Fetchers
from tocsin.kit.envelope import envelope
from tocsin.model import Alertgroup, Message
from tocsin.parsers.scot import Scot
from tocsin.plugin import Parser, Source
from tocsin.store import Store, Tx, message, tally

NAME = "soc"


class Plain(Parser):
    """Makes one alert of each mail, in this process."""

    order: ClassVar[int] = 10
    apart: ClassVar[bool] = False

    def claims(self, message: Message) -> bool:
        return message.media_type == "message/rfc822"

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        outside = envelope(message.body)
        yield Alertgroup.of_rows(outside.subject or "(none)", [{"text": "x"}], message_id=outside.message_id)


class Kept(NamedTuple):
    """A message as it stands in the store."""

    subject: str
    reason: str
    body: bytes
    source: str
    sender: str
    message_id: str


def kept(store: Store) -> list[Kept]:
    """Every message, in the order in which they were stored."""

    def read(tx: Tx) -> list[Kept]:
        found = []
        for (number,) in tx.rows("SELECT id FROM message ORDER BY id"):
            one, body = message.get(tx, number), message.original(tx, number)
            found.append(Kept(envelope(body).subject, one.reason, body, one.source, one.sender, one.message_id))
        return found

    return store.read(read)


def subjects(store: Store) -> list[str]:
    """The subjects of all messages, as stored."""
    return [one.subject for one in kept(store)]


def state(store: Store) -> tally.SourceState:
    """How the source fares; nothing known yet is an empty state."""
    return next((one for one in store.read(tally.source_states) if one.name == NAME), tally.SourceState(name=NAME))


def until(true: Callable[[], bool], within: float = 60) -> None:
    """Wait until it is so. Raises AssertionError."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@contextlib.contextmanager
def at_work(source: Source, store: Store) -> Iterator[None]:
    """The source, fetching into the store for as long as the context lasts."""
    intake = Intake(store, {"plain": Plain(), "scot": Scot()}, ())
    fetchers = Fetchers(store, intake, {NAME: source})
    fetchers.start()
    try:
        yield
    finally:
        fetchers.stop(20)
        intake.close()
