"""Sending a test: past the queue, by the lane's own thread, in a time of its own."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neighbours.destinations import Clock, Told, owe, told
from neighbours.lanes import Bench, raises
from tocsin.config import DeliverySection
from tocsin.delivery import Lanes
from tocsin.delivery.lanes import example
from tocsin.destinations.text_log import TextLog
from tocsin.errors import NotFound, Unavailable
from tocsin.model import TLP, Delivery, Receipt
from tocsin.plugin import Destination
from tocsin.sharing import Gate
from tocsin.store import Store, delivery

SETTINGS = DeliverySection(first_wait_s=0.01, longest_wait_s=0.05)


@pytest.fixture
def stopped(store: Store) -> Iterator[list[Lanes]]:
    """Lanes to stop in the end."""
    running: list[Lanes] = []
    yield running
    for lanes in running:
        lanes.stop(30)


def started(store: Store, stopped: list[Lanes], destination: Destination) -> Lanes:
    lanes = Lanes(store, {"hook": destination}, SETTINGS, Gate({"hook": TLP.CLEAR}))
    stopped.append(lanes)
    store.on_commit(lambda change: lanes.wake(change.lanes))
    lanes.start()
    while not lanes._threads["hook"][0].is_alive():
        time.sleep(0.01)
    return lanes


def test_a_test_of_a_paused_lane_is_sent_by_its_own_thread(store: Store, stopped: list[Lanes]) -> None:
    threads: list[str] = []

    def answer(delivery: Delivery) -> Receipt:
        threads.append(threading.current_thread().name)
        assert delivery.alertgroup.tlp is TLP.CLEAR
        return Receipt(status="250 taken", remote_id="r1")

    store.write(lambda tx: delivery.hold(tx, "hook", True, "ada", 1))
    lanes = started(store, stopped, told(answer))
    said = lanes.test("hook", 30)

    assert (said.outcome, said.words, said.remote_id) == ("delivered", "250 taken", "r1")
    assert threads == ["tocsin-lane-hook"]
    with pytest.raises(NotFound):
        lanes.test("nowhere", 1)


def test_a_lane_that_hangs_answers_no_test_and_never_sends_it_late(store: Store, stopped: list[Lanes]) -> None:
    release, hanging = threading.Event(), threading.Event()

    def hang(_delivery: Delivery) -> Receipt:
        hanging.set()
        release.wait(60)
        return Receipt()

    there = told(hang)
    lanes = started(store, stopped, there)
    owe(store, "beacon", "hook", tlp=TLP.CLEAR)
    assert hanging.wait(30)
    said = lanes.test("hook", 0.05)
    release.set()
    lanes.stop(30)

    assert (said.outcome, said.words) == (
        "unanswered",
        "not sent: the lane was busy with another call for 0.05 seconds",
    )
    assert there.calls == [["beacon"]]


def test_a_destination_that_is_silent_to_a_test_may_have_got_it(store: Store, stopped: list[Lanes]) -> None:
    release = threading.Event()

    def hang(_delivery: Delivery) -> Receipt:
        release.wait(60)
        return Receipt()

    lanes = started(store, stopped, told(hang))
    said = lanes.test("hook", 0.3)
    release.set()

    assert said.outcome == "unanswered"
    assert "whether it arrived is not known" in said.words


def test_a_test_that_arrives_ends_the_rest_of_a_lane(bench: Bench) -> None:
    away = told(raises(Unavailable("no route to host")))
    lane = bench.lane(away)
    for number in range(8):
        owe(bench.store, f"beacon {number}", "hook")

    def resting() -> bool:
        return lane.activity.rest_until is not None

    while not resting():
        bench.clock.at = max(bench.clock.at, lane.turn())
    assert lane.test(example("hook", bench.clock.at)).outcome == "retry"
    assert resting()
    away.tell(lambda _delivery: Receipt())

    assert lane.test(example("hook", bench.clock.at)).outcome == "delivered"
    assert not resting()
    bench.run(lane, 3600)
    assert bench.states(8) == ["delivered"] * 8


def test_a_gate_that_fails_stops_a_test_too(store: Store) -> None:
    class Broken(Gate):
        def passed(self, lane: str, alertgroup: object) -> object:  # type: ignore[override]  # broken on purpose
            raise RuntimeError("no key")

    there = Told()
    said = Bench(store, Clock()).lane(there, gate=Broken({})).test(example("hook", 1))

    assert said.outcome == "withheld"
    assert "cannot be made ready for sharing: RuntimeError: no key" in said.words
    assert there.calls == []


def test_a_file_that_was_tested_holds_every_line_once(store: Store, stopped: list[Lanes], tmp_path: Path) -> None:
    path = tmp_path / "alerts.log"
    lanes = started(store, stopped, TextLog(path=path))
    for number in range(3):
        owe(store, f"number {number}", "hook", tlp=TLP.CLEAR)
        assert lanes.test("hook", 30).outcome == "delivered"
    while next(one for one in store.read(delivery.lanes) if one.name == "hook").delivered < 3:
        time.sleep(0.01)

    lines = path.read_text().splitlines()
    assert [sum(f"number {number}" in line for line in lines) for number in range(3)] == [1, 1, 1]
    assert sum("Tocsin test" in line for line in lines) == 3
