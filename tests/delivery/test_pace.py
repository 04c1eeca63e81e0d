"""How quick a lane may be, how quick it was, and what its table says instead of [delivery]."""

from pathlib import Path

import pytest

from neighbours.destinations import SECOND, START, Clock, Told, ToldInBatches, owe, told
from neighbours.lanes import SETTINGS, Bench, raises
from tocsin import detection, registry
from tocsin.delivery import Lane, Lanes, Means
from tocsin.delivery.pace import Lately, Paced, Rate
from tocsin.delivery.patience import NEVER
from tocsin.errors import Unavailable
from tocsin.model import Delivery, Receipt
from tocsin.registry import DestinationOptions
from tocsin.sharing import Gate
from tocsin.store import Store


def lane_of(bench: Bench, destination: Told, **options: object) -> Lane:
    said = DestinationOptions.model_validate(options)
    lanes = Lanes(bench.store, {"hook": destination}, SETTINGS, Gate({}), clock=bench.clock, options={"hook": said})
    return lanes._threads["hook"][0].lane


def test_a_bucket_gives_a_second_at_once_and_then_one_after_the_other() -> None:
    rate = Rate(4)
    assert rate.free(START) == 4
    rate.spend(4, START)
    assert rate.free(START) == 0
    again = rate.free_at(START)
    assert START < again <= START + SECOND // 4 + 2
    assert rate.free(again) == 1
    assert rate.free(START + 3600 * SECOND) == 4


def test_a_clock_that_is_set_back_gives_nothing_for_nothing() -> None:
    rate = Rate(1)
    rate.spend(1, START)
    assert rate.free(START - 3600 * SECOND) == 0
    assert rate.free_at(START - 3600 * SECOND) <= START - 3600 * SECOND + SECOND + 2


def test_less_than_one_a_second_stand_apart_and_none_is_no_limit() -> None:
    slow = Rate(0.1)
    slow.spend(1, START)
    assert 9.9 * SECOND < slow.free_at(START) - START < 10.1 * SECOND
    assert Rate(0).free(START) > 1_000_000
    assert Rate(0).free_at(START) == START


def test_a_count_of_the_last_minute_forgets_what_is_older() -> None:
    lately = Lately()
    for second in range(90):
        lately.add(START + second * SECOND)
    assert lately.count(START + 89 * SECOND) == 60
    assert lately.count(START + 119 * SECOND) == 30
    assert lately.count(START + 300 * SECOND) == 0


@pytest.mark.parametrize("kind", [Told, ToldInBatches])
def test_a_lane_with_a_rate_waits_by_its_own_clock(bench: Bench, kind: type[Told]) -> None:
    at: list[int] = []

    def note(_delivery: Delivery) -> Receipt:
        at.append(bench.clock.at)
        return Receipt()

    lane = lane_of(bench, told(note, kind), rate_per_s=2)
    for number in range(8):
        owe(bench.store, f"beacon {number}", "hook")
    bench.run(lane, 60)

    assert len(at) == 8
    for first in at:
        assert sum(1 for each in at if first <= each < first + SECOND) <= 4
    assert max(at) - min(at) >= 2.5 * SECOND
    assert lane.activity.per_minute == 0 or lane.activity.per_minute <= 8


def test_a_table_makes_batches_smaller_and_waits_of_its_own(bench: Bench) -> None:
    small = told(lambda _delivery: Receipt(), ToldInBatches)
    lane = lane_of(bench, small, batch_size=3)
    for number in range(7):
        owe(bench.store, f"beacon {number}", "hook")
    bench.run(lane)
    assert [len(call) for call in small.calls] == [3, 3, 1]

    def away(_delivery: Delivery) -> Receipt:
        raise Unavailable("no route to host")

    hasty = lane_of(bench, told(away), first_wait_s=0.5, longest_wait_s=1, max_attempts=3)
    [group] = owe(bench.store, "beacon", "hook").alertgroups
    bench.run(hasty, 10)
    owed = bench.owed(group)
    assert owed.state == "failed"
    assert owed.receipts[-1].detail == "no route to host (given up after 3 attempts)"
    waits = [later.at - first.at for first, later in zip(owed.receipts, owed.receipts[1:], strict=False)]
    assert all(wait <= SECOND for wait in waits)


def test_a_lane_whose_destination_was_down_for_long_goes_on_by_itself(store: Store) -> None:
    clock = Clock()
    bench = Bench(store, clock)
    up = False

    def answer(_delivery: Delivery) -> Receipt:
        if not up:
            raise Unavailable("no route to host")
        return Receipt()

    settings = SETTINGS.model_copy(update={"give_up_after_h": 0})
    means = Means(store, settings, Gate({}), detection.DEFAULT, bench.lane(told(answer))._patience, clock)
    lane = Lane("hook", told(answer), means)
    for number in range(8):
        owe(store, f"beacon {number}", "hook")
    longest = 0
    for _ in range(2_000):
        again = lane.turn()
        assert again < NEVER
        longest = max(longest, again - clock.at)
        clock.at = max(clock.at, again)
    assert clock.at - START > 10 * 3600 * SECOND
    assert longest <= settings.longest_wait_s * SECOND
    up = True
    bench.run(lane, settings.longest_wait_s)

    assert bench.states(8) == ["delivered"] * 8
    assert lane.activity.rest_until is None


def test_a_batch_larger_than_its_type_takes_is_a_mistake_in_the_configuration() -> None:
    tables = {"destinations": {"idea_log": {"batch_size": 501}, "text_log": {"batch_size": 500, "rate_per_s": 2}}}
    wiring, problems = registry.find().wire(tables, {registry.FILE: "tocsin.toml", "data": Path()})

    assert [(one.key, one.remedy) for one in problems] == [
        ("destinations.idea_log.batch_size", "must be at most 500 for this type")
    ]
    assert (wiring.options["text_log"].batch_size, wiring.options["text_log"].rate_per_s) == (500, 2)


def test_calls_at_once_are_for_types_that_take_one_delivery_and_keep_no_order() -> None:
    hook = {"type": "webhook", "url": "http://127.0.0.1:9/"}
    tables: dict[str, dict[str, dict[str, object]]] = {
        "destinations": {
            "idea_log": {"concurrency": 2},
            "quick": {**hook, "concurrency": 8},
            "torn": {**hook, "concurrency": 2, "ordered": True},
        }
    }
    wiring, problems = registry.find().wire(tables, {registry.FILE: "tocsin.toml", "data": Path()})

    assert [(one.key, one.remedy) for one in problems] == [
        ("destinations.idea_log.concurrency", "must be 1: this type takes many deliveries in one call"),
        ("destinations.torn.concurrency", "must be 1: the lane keeps its order"),
    ]
    assert wiring.options["quick"].concurrency == 8


def test_a_lane_told_to_keep_its_order_waits_with_all_behind_one_that_must_wait(bench: Bench) -> None:
    for number in range(3):
        owe(bench.store, f"beacon {number}", "hook")
    failing = told(raises(Unavailable("away"), "beacon 1"))
    means = Means(bench.store, SETTINGS, Gate({}), detection.DEFAULT, bench.lane(failing)._patience, bench.clock)

    bench.run(Lane("hook", failing, means, Paced(ordered=True)), 600)

    assert bench.states(3) == ["delivered", "due", "due"]
    assert ["beacon 2"] not in failing.calls
