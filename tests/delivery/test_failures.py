"""What becomes of each kind of failure, turn by turn, with a clock that stands still."""

import itertools
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from neighbours.destinations import SECOND, START, Lines, Told, ToldInBatches, ToldInOrder, owe, told
from neighbours.lanes import Bench, raises
from tocsin.config import DeliverySection
from tocsin.errors import Rejected, Unavailable
from tocsin.model import Delivery, Receipt, Sent


def test_what_is_rejected_is_parked_and_the_lane_goes_on(bench: Bench) -> None:
    for subject in ("good", "bad", "also good"):
        owe(bench.store, subject, "hook")

    bench.run(bench.lane(told(raises(Rejected("400: no such field"), "bad"))))

    assert bench.states(3) == ["delivered", "failed", "delivered"]
    assert bench.owed(2).receipts[0].detail == "400: no such field"
    assert (bench.state().last_error, bench.state().failed) == ("400: no such field", 1)


def test_what_is_unavailable_is_tried_again_with_growing_waits(bench: Bench) -> None:
    owe(bench.store, "beacon", "hook")

    bench.run(bench.lane(told(raises(Unavailable("503: busy")))), 3000)

    at = [line.at for line in bench.owed(1).receipts]
    waits = [(after - before) / SECOND for before, after in itertools.pairwise(at)]
    assert len(waits) >= 9
    for number, wait in enumerate(waits):
        assert 2 * 2**number / 2 <= wait <= 2 * 2**number
    assert bench.owed(1).state == "due"
    assert bench.state().last_error == "503: busy"


def test_a_delivery_is_given_up_visibly_when_its_time_is_over(bench: Bench) -> None:
    owe(bench.store, "beacon", "hook")

    bench.run(bench.lane(told(raises(Unavailable("503: busy")))), 74 * 3600)

    found = bench.owed(1)
    assert found.state == "failed"
    assert found.receipts[-1].detail == f"503: busy (given up after 72 hours and {found.attempt} attempts)"


def test_a_delivery_is_given_up_after_so_many_attempts_where_that_is_wanted(bench: Bench) -> None:
    owe(bench.store, "beacon", "hook")

    bench.run(bench.lane(told(raises(Unavailable("no"))), settings=DeliverySection(max_attempts=3)), 3600)

    assert (bench.owed(1).state, len(bench.owed(1).receipts)) == ("failed", 3)


def test_the_whole_lane_waits_as_long_as_the_peer_asked(bench: Bench) -> None:
    destination = told(raises(Unavailable("429: slow down", timedelta(seconds=40))))
    owe(bench.store, "one", "hook")
    owe(bench.store, "two", "hook")
    lane = bench.lane(destination)

    bench.run(lane, 39.9)
    assert destination.calls == [["one"]]
    assert lane.activity.rest_until == START + 40 * SECOND
    assert bench.owed(2).attempt == 0
    assert bench.owed(1).due == START + 40 * SECOND

    destination.tell(lambda delivery: Receipt())
    bench.run(lane, 0.2)
    assert bench.states(2) == ["delivered", "delivered"]


def test_a_dead_destination_costs_a_long_queue_few_attempts(bench: Bench) -> None:
    for number in range(60):
        owe(bench.store, f"beacon {number}", "hook")
    destination = told(raises(Unavailable("no route")))
    lane = bench.lane(destination)

    bench.run(lane, 600)

    # Five to learn that it is down, then one probe a time, at most a minute apart.
    assert 5 + 10 <= len(destination.calls) <= 5 + 6 + 20
    assert sum(bench.owed(group).attempt for group in range(1, 61)) == len(destination.calls)

    destination.tell(lambda delivery: Receipt())
    bench.run(lane, 61)
    assert bench.states(60) == ["delivered"] * 60


def test_a_full_disk_costs_a_long_queue_one_attempt_each(bench: Bench) -> None:
    class Full(Lines):
        def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
            return Sent([Unavailable("the disk is full")] * len(deliveries), cursor)

    for number in range(20):
        owe(bench.store, f"beacon {number}", "hook")

    bench.run(bench.lane(Full(path=Path("never"))), 600)

    # The first batch of eight, then probes with the first alone; the others were never tried.
    assert bench.owed(1).attempt > 5
    assert [bench.owed(group).attempt for group in range(2, 21)] == [1] * 7 + [0] * 12


@pytest.mark.parametrize("kind", [Told, ToldInOrder, ToldInBatches])
def test_a_destination_that_was_away_for_hours_gets_everything_soon_after_its_return(
    bench: Bench, kind: type[Told]
) -> None:
    for number in range(5):
        owe(bench.store, f"beacon {number}", "hook")
    destination = told(raises(Unavailable("no route")), kind)
    lane = bench.lane(destination)
    bench.run(lane, 4 * 3600)

    destination.tell(lambda delivery: Receipt())
    owe(bench.store, "newcomer", "hook", at=bench.clock.at)
    bench.run(lane, 61)

    assert bench.states(6) == ["delivered"] * 6


def test_one_delivery_that_is_never_taken_delays_no_other(bench: Bench) -> None:
    destination = told(raises(Unavailable("503"), "bad"))
    lane = bench.lane(destination)
    owe(bench.store, "bad", "hook")
    for number in range(2, 8):
        owe(bench.store, f"good {number}", "hook", at=bench.clock.at)
        bench.run(lane, 1)
        assert bench.owed(number).state == "delivered"
        bench.run(lane, 600)


@pytest.mark.parametrize("kind", [Told, ToldInOrder, ToldInBatches])
def test_a_delivery_that_breaks_its_destination_is_parked_after_a_few_attempts(bench: Bench, kind: type[Told]) -> None:
    for number in range(20):
        owe(bench.store, f"beacon {number}", "hook")

    bench.run(bench.lane(told(raises(KeyError("uid"), "beacon 5"), kind)), 120)

    assert bench.states(20) == ["delivered"] * 5 + ["failed"] + ["delivered"] * 14
    last = bench.owed(6).receipts[-1]
    assert last.detail == "KeyError: 'uid' (parked after 5 such attempts)"
    assert "Traceback" not in last.detail


def test_a_destination_that_raises_for_everything_parks_nothing(bench: Bench) -> None:
    for number in range(10):
        owe(bench.store, f"beacon {number}", "hook")
    destination = told(raises(ConnectionResetError("by peer")))
    lane = bench.lane(destination)
    bench.run(lane, 3 * 3600)
    assert bench.states(10) == ["due"] * 10

    destination.tell(lambda delivery: Receipt())
    bench.run(lane, 61)
    assert bench.states(10) == ["delivered"] * 10


def test_a_plug_in_that_wants_to_end_the_process_does_not(bench: Bench) -> None:
    def leave(delivery: Delivery) -> Receipt:
        raise SystemExit(3)

    owe(bench.store, "beacon", "hook")

    bench.run(bench.lane(told(leave)))

    assert bench.owed(1).receipts[0].detail == "RuntimeError: the destination tried to end Tocsin"


@pytest.mark.parametrize("bad", ["beacon 0", "beacon 3", "beacon 7"])
def test_the_bad_one_of_a_batch_is_found_by_halving(bench: Bench, bad: str) -> None:
    for number in range(8):
        owe(bench.store, f"beacon {number}", "hook")
    destination = told(raises(Rejected("400: one of these is no alert"), bad), ToldInBatches)

    bench.run(bench.lane(destination))

    # No second has passed: the others did not have to wait for it.
    assert [bench.states(8)[number] for number in range(8) if f"beacon {number}" != bad] == ["delivered"] * 7
    assert bench.owed(int(bad[-1]) + 1).state == "failed"
    assert [call for call in destination.calls if len(call) == 8] == [[f"beacon {number}" for number in range(8)]]


def test_batches_grow_again_after_the_bad_one_is_gone(bench: Bench) -> None:
    destination = told(raises(Rejected("no"), "beacon 0"), ToldInBatches)
    for number in range(40):
        owe(bench.store, f"beacon {number}", "hook")

    bench.run(bench.lane(destination))

    assert len(destination.calls[-1]) == 8 or len(destination.calls[-2]) == 8
    assert bench.states(40).count("delivered") == 39


def test_a_batch_that_is_answered_wrongly_is_no_loss(bench: Bench) -> None:
    class Forgetful(ToldInBatches):
        def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
            return Sent([Receipt()], cursor)

    owe(bench.store, "one", "hook")
    owe(bench.store, "two", "hook")

    bench.run(bench.lane(Forgetful()))

    assert bench.states(2) == ["delivered", "delivered"]
    assert bench.owed(1).receipts[0].detail == "TypeError: send_batch gave 1 outcomes for 2 deliveries"
