"""Sources at work: message and cursor together, failures shown, a new start."""

import time
from collections.abc import Callable
from typing import ClassVar

import pytest

from neighbours.messages import posted
from neighbours.parsers import Picky, Slow, an_intake
from tocsin.intake import Intake, Limits, fetching
from tocsin.intake.fetching import Fetchers
from tocsin.plugin import Desk, Source
from tocsin.store import Store, message, tally


class Counting(Source):
    """Hands over one message for each number it has not seen, failing where it is told."""

    last: int = 3
    fails_at: int = 0
    failures: ClassVar[list[int]] = []

    def run(self, desk: Desk) -> None:
        for number in range(int(desk.cursor() or "0") + 1, self.last + 1):
            if number == self.fails_at and number not in self.failures:
                self.failures.append(number)
                raise ConnectionError("the line is cut")
            desk.accept(posted(b"picky %d" % number), cursor=str(number))
        desk.stop.wait(60)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FIRST_WAIT_S", 0.01)
    Counting.failures.clear()


def test_a_source_goes_on_where_its_cursor_stands_after_a_failure(store: Store) -> None:
    fetchers = Fetchers(store, an_intake(store), {"here": Counting(fails_at=2)})
    fetchers.start()
    try:
        until(lambda: store.read(lambda tx: tally.source_cursor(tx, "here")) == "3")
    finally:
        fetchers.stop(10)

    assert store.read(lambda tx: tx.row("SELECT count(*) FROM message")) == (3,)
    (state,) = store.read(tally.source_states)
    assert "the line is cut" in state.last_error


def test_a_refused_message_is_kept_with_the_reason_and_the_cursor(store: Store) -> None:
    stored = an_intake(store).accept(posted(b"picky 1"), cursor="9", refused="the sender is a stranger")

    assert store.read(lambda tx: message.get(tx, stored.message)).reason == "the sender is a stranger"
    assert store.read(lambda tx: tally.source_cursor(tx, "here")) == "9"


def test_a_message_without_a_cursor_leaves_the_cursor_alone(store: Store) -> None:
    intake = an_intake(store)
    intake.accept(posted(b"picky 1"), cursor="9")
    intake.accept(posted(b"picky 2"))

    assert store.read(lambda tx: tally.source_cursor(tx, "here")) == "9"


def test_a_parser_that_hangs_costs_its_message_a_place_in_quarantine_only(store: Store) -> None:
    intake = Intake(store, {"picky": Picky(), "slow": Slow()}, (), Limits(parse_s=5, parse_mib=300))
    try:
        hung = intake.accept(posted(b"slow hang"))
        grown = intake.accept(posted(b"slow grow"))
        died = intake.accept(posted(b"slow die"))
        well = intake.accept(posted(b"picky 2"))
    finally:
        intake.close()

    assert "took longer than 5 s" in hung.quarantined
    assert "memory" in grown.quarantined
    assert "died" in died.quarantined
    assert len(well.alertgroups) == 1
