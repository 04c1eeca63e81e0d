"""Replays: what is stored is owed once more, in order, at the rate asked for, and never twice by one replay."""

from typing import Any

import pytest

from neighbours.destinations import SECOND, START, Clock, Told, owe, told
from neighbours.indexed import put_all
from neighbours.lanes import Bench
from tocsin.delivery import Replayer, replaying
from tocsin.delivery.replaying import wanted
from tocsin.errors import BadQuery, Malformed, NotFound
from tocsin.model import TLP, Receipt
from tocsin.sharing import Gate
from tocsin.store import Store, delivery, history, replay
from tocsin.store.replay import MOST_DUE, Replay, Wish

LANES = ("hook", "other")


def begin(store: Store, clock: Clock, **wish: Any) -> int:
    return replaying.begin(store, wanted(LANES, Wish(**{"lane": "hook", "rate": "0"} | wish)), "ann", clock())


def stored(store: Store, count: int, *lanes: str, **rest: Any) -> None:
    for number in range(count):
        owe(store, f"beacon {number}", *lanes, **rest)
    put_all(store)


def known(store: Store, id: int = 1) -> Replay:
    return store.read(lambda tx: replay.get(tx, id))


def states(store: Store, groups: int, lane: str = "hook") -> list[list[str]]:
    found = store.read(lambda tx: delivery.of_groups(tx, range(1, groups + 1)))
    return [[each.state for each in found[group] if each.lane == lane] for group in range(1, groups + 1)]


def run(replayer: Replayer, turns: int = 20) -> None:
    """Turn until there is nothing to do at this moment."""
    for _ in range(turns):
        if replayer.turn() > replayer._clock():
            return
    raise AssertionError("the replay turns without end")


def settle_all(store: Store, state: str) -> None:
    store.write(lambda tx: tx.run("UPDATE delivery SET state = :state", state=state))


def test_a_new_destination_is_owed_everything_that_is_stored_in_order(bench: Bench) -> None:
    stored(bench.store, 3)
    begin(bench.store, bench.clock)

    run(Replayer(bench.store, LANES, clock=bench.clock))
    hook = told(lambda _: Receipt(remote_id="r"))
    bench.run(bench.lane(hook))

    assert hook.calls == [["beacon 0"], ["beacon 1"], ["beacon 2"]]
    assert (known(bench.store).state, known(bench.store).owed) == ("done", 3)
    assert [each.what for each in bench.store.read(lambda tx: replay.past(tx, 1))] == ["begun", "done"]


def test_the_history_of_an_alertgroup_tells_who_had_it_sent(bench: Bench) -> None:
    stored(bench.store, 1)
    begin(bench.store, bench.clock)
    run(Replayer(bench.store, LANES, clock=bench.clock))
    settle_all(bench.store, "delivered")
    begin(bench.store, bench.clock, again=True)
    run(Replayer(bench.store, LANES, clock=bench.clock))

    lines = bench.store.read(lambda tx: history.of_group(tx, 1))

    assert [(line.who, line.what) for line in lines] == [
        ("ann", "sent to hook by replay 1 of ann"),
        ("ann", "sent again to hook by replay 2 of ann"),
    ]


@pytest.mark.parametrize(
    ("state", "again", "became"),
    [
        ("delivered", False, ["delivered"]),
        ("delivered", True, ["delivered", "due"]),
        ("due", True, ["due"]),
        ("sending", True, ["sending"]),
        ("failed", False, ["due"]),
        ("withheld", False, ["due"]),
        ("silenced", False, ["due"]),
        ("dropped", False, ["due"]),
    ],
)
def test_what_became_of_an_earlier_delivery_decides(bench: Bench, state: str, again: bool, became: list[str]) -> None:
    stored(bench.store, 1, "hook")
    settle_all(bench.store, state)
    begin(bench.store, bench.clock, again=again)

    run(Replayer(bench.store, LANES, clock=bench.clock))

    assert states(bench.store, 1) == [became]


def test_a_second_replay_of_the_same_owes_nothing_twice(bench: Bench) -> None:
    stored(bench.store, 4)
    for _ in range(2):
        begin(bench.store, bench.clock)
    run(Replayer(bench.store, LANES, clock=bench.clock))
    settle_all(bench.store, "delivered")
    begin(bench.store, bench.clock)
    run(Replayer(bench.store, LANES, clock=bench.clock))

    assert states(bench.store, 4) == [["delivered"]] * 4
    assert (known(bench.store, 2).owed, known(bench.store, 2).under_way) == (0, 4)
    assert (known(bench.store, 3).owed, known(bench.store, 3).delivered) == (0, 4)


def test_a_step_that_was_made_by_another_process_is_not_made_again(store: Store) -> None:
    stored(store, 2)
    id = replaying.begin(store, wanted(LANES, Wish(lane="hook", rate="0")), "ann", START)
    before = known(store, id)

    first = store.write(lambda tx: replay.advance(tx, before, [1], 1, START))
    second = store.write(lambda tx: replay.advance(tx, before, [1], 1, START))

    assert (first, second) == (1, None)
    assert states(store, 2) == [["due"], []]


def test_the_rate_is_kept_whatever_the_clock_and_whoever_works(bench: Bench) -> None:
    stored(bench.store, 40)
    begin(bench.store, bench.clock, rate="5/s")
    counts = []
    for _ in range(10):
        run(Replayer(bench.store, LANES, clock=bench.clock))  # each time another process
        counts.append(known(bench.store).owed)
        bench.clock.pass_s(0.4)

    assert counts == [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]


def test_what_was_missed_while_nothing_ran_is_not_owed_in_one_heap(bench: Bench) -> None:
    stored(bench.store, 40)
    begin(bench.store, bench.clock, rate="5/s")

    bench.clock.pass_s(3600)
    run(Replayer(bench.store, LANES, clock=bench.clock))

    assert known(bench.store).owed == 6


def test_a_lane_that_sends_nothing_is_owed_no_more_than_a_bounded_heap(bench: Bench) -> None:
    stored(bench.store, MOST_DUE + 20)
    begin(bench.store, bench.clock)
    replayer = Replayer(bench.store, LANES, clock=bench.clock)

    run(replayer)
    assert known(bench.store).owed == MOST_DUE
    assert replayer.waits == {1: "hook has enough to send"}
    bench.store.write(lambda tx: delivery.set_paused(tx, "hook", True))
    replayer.turn()
    assert replayer.waits == {1: "hook is paused"}
    settle_all(bench.store, "delivered")
    run(replayer)

    assert (known(bench.store).owed, known(bench.store).state) == (MOST_DUE + 20, "done")
    assert states(bench.store, MOST_DUE + 20) == [["delivered"]] * MOST_DUE + [["due"]] * 20
    replayer.turn()
    assert replayer.waits == {}


def test_what_waits_to_be_indexed_is_waited_for(bench: Bench) -> None:
    owe(bench.store, "beacon 0")
    begin(bench.store, bench.clock, query="data.src_ip:192.0.2.7")
    replayer = Replayer(bench.store, LANES, clock=bench.clock)

    replayer.turn()
    assert (known(bench.store).state, replayer.waits) == ("running", {1: "the index follows"})
    put_all(bench.store)
    run(replayer)

    assert (known(bench.store).state, known(bench.store).owed) == ("done", 1)


def test_query_and_times_bound_what_is_sent(bench: Bench) -> None:
    for number in range(4):
        owe(bench.store, f"beacon {number}", at=START + number * SECOND)
    owe(bench.store, "other", at=START + SECOND)
    put_all(bench.store)

    begin(bench.store, bench.clock, query="subject:beacon", starts=START + SECOND, ends=START + 3 * SECOND)
    run(Replayer(bench.store, LANES, clock=bench.clock))

    assert states(bench.store, 5) == [[], ["due"], ["due"], [], []]


def test_what_comes_after_the_beginning_is_not_the_replays(bench: Bench) -> None:
    stored(bench.store, 1)
    begin(bench.store, bench.clock)
    owe(bench.store, "later")
    put_all(bench.store)

    run(Replayer(bench.store, LANES, clock=bench.clock))

    assert states(bench.store, 2) == [["due"], []]


def test_folded_repeats_are_sent_only_if_asked_for(bench: Bench) -> None:
    stored(bench.store, 2)
    bench.store.write(lambda tx: tx.run("UPDATE alertgroup SET folded_into = 1 WHERE id = 2"))

    begin(bench.store, bench.clock)
    run(Replayer(bench.store, LANES, clock=bench.clock))
    assert states(bench.store, 2) == [["due"], []]
    begin(bench.store, bench.clock, folded=True)
    run(Replayer(bench.store, LANES, clock=bench.clock))

    assert states(bench.store, 2) == [["due"], ["due"]]


def test_the_gate_withholds_what_a_replay_owes(bench: Bench) -> None:
    owe(bench.store, "free", tlp=TLP.GREEN)
    owe(bench.store, "guarded", tlp=TLP.RED)
    put_all(bench.store)
    gate = Gate({"hook": TLP.GREEN})
    wish = wanted(LANES, Wish(lane="hook"))

    tried = bench.store.read(lambda tx: replaying.rehearse(tx, wish, gate, START))
    begin(bench.store, bench.clock)
    run(Replayer(bench.store, LANES, clock=bench.clock))
    hook = told(lambda _: Receipt())
    bench.run(bench.lane(hook, gate))

    assert (tried.matched, tried.sent, tried.withheld) == (2, 1, 1)
    assert [each.fate.partition(":")[0] for each in tried.samples] == ["sent", "withheld"]
    assert hook.calls == [["free"]]
    assert states(bench.store, 2) == [["delivered"], ["withheld"]]


def test_a_dry_run_counts_what_is_left_out_and_makes_nothing(bench: Bench) -> None:
    stored(bench.store, 5)
    owe(bench.store, "delivered", "hook")
    settle_all(bench.store, "delivered")
    owe(bench.store, "due", "hook")
    put_all(bench.store)
    wish = wanted(LANES, Wish(lane="hook"))

    tried = bench.store.read(lambda tx: replaying.rehearse(tx, wish, Gate({}), START))

    assert (tried.matched, tried.sent, tried.delivered, tried.under_way) == (7, 5, 1, 1)
    assert [each.id for each in tried.samples] == [1, 2, 3]
    assert not tried.more
    assert states(bench.store, 7) == [[], [], [], [], [], ["delivered"], ["due"]]
    assert bench.store.read(replay.count) == 0


def test_a_stopped_replay_owes_nothing_until_it_is_resumed_where_it_was(bench: Bench) -> None:
    stored(bench.store, 3)
    begin(bench.store, bench.clock, rate="1/s")
    replayer = Replayer(bench.store, LANES, clock=bench.clock)
    run(replayer)
    bench.store.write(lambda tx: replay.stop(tx, 1, "ben", START))
    bench.clock.pass_s(10)
    run(replayer)
    assert states(bench.store, 3) == [["due"], [], []]

    bench.store.write(lambda tx: replay.resume(tx, 1, "ben", bench.clock()))
    for _ in range(3):
        run(replayer)
        bench.clock.pass_s(1)

    assert states(bench.store, 3) == [["due"], ["due"], ["due"]]
    assert [(each.who, each.what) for each in bench.store.read(lambda tx: replay.past(tx, 1))] == [
        ("ann", "begun"),
        ("ben", "stopped"),
        ("ben", "resumed"),
        ("tocsin", "done"),
    ]
    with pytest.raises(Malformed, match="replay 1 is done"):
        bench.store.write(lambda tx: replay.resume(tx, 1, "ben", START))
    with pytest.raises(NotFound, match="no replay 7"):
        bench.store.write(lambda tx: replay.stop(tx, 7, "ben", START))


def test_a_replay_whose_query_cannot_be_read_any_more_is_paused_with_the_reason(bench: Bench) -> None:
    stored(bench.store, 1)
    begin(bench.store, bench.clock)
    bench.store.write(lambda tx: tx.run("UPDATE replay SET query = 'nosuchfield:1'"))

    run(Replayer(bench.store, LANES, clock=bench.clock))

    assert known(bench.store).state == "paused"
    assert "nosuchfield" in known(bench.store).note


def test_a_destination_that_was_taken_away_is_waited_for(bench: Bench) -> None:
    stored(bench.store, 1)
    begin(bench.store, bench.clock)
    replayer = Replayer(bench.store, ("other",), clock=bench.clock)

    replayer.turn()

    assert replayer.waits == {1: "there is no destination hook now"}
    assert known(bench.store).state == "running"


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"lane": "hock"}, "to: there is no destination 'hock': did you mean hook?"),
        ({"rate": "fast"}, "write 50/s, 100/min, 1000/h, or 0"),
        ({"starts": START, "ends": START}, "until: it is not later than from"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_remedy(wish: dict[str, Any], told: str) -> None:
    with pytest.raises(Malformed) as refused:
        wanted(LANES, Wish(**{"lane": "hook"} | wish))

    assert told in str(refused.value)


def test_a_query_that_cannot_be_read_is_refused_where_it_is_wrong() -> None:
    with pytest.raises(BadQuery) as refused:
        wanted(LANES, Wish(lane="hook", query="status:open and ("))

    assert "character" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "rate", "every"),
    [
        ("", "50/s", 20_000),
        ("5", "5/s", 200_000),
        ("100 / min", "100/min", 600_000),
        ("0/h", "0", 0),
        ("7/h", "7/h", 514_285_714),
    ],
)
def test_a_rate_is_read_as_people_write_it(text: str, rate: str, every: int) -> None:
    kept = wanted(LANES, Wish(lane="hook", rate=text))

    assert (kept.rate, kept.every) == (rate, every)


def test_times_are_read_as_in_a_query() -> None:
    assert replaying.moment("from", "now-1h", START) == START - 3600 * SECOND
    assert replaying.moment("from", " ", START) is None
    with pytest.raises(Malformed, match="until: 'tomorow' is no time: write now-7d"):
        replaying.moment("until", "tomorow", START)


def test_the_thread_goes_on_by_itself_when_its_lane_has_room_again(bench: Bench) -> None:
    stored(bench.store, MOST_DUE + 20)
    begin(bench.store, bench.clock)
    replayer = Replayer(bench.store, LANES, clock=bench.clock)
    lane = bench.lane(told(lambda _: Receipt(), Told))
    replayer.start()
    try:
        while known(bench.store).state == "running":
            bench.run(lane)
    finally:
        replayer.stop()

    assert known(bench.store).owed == MOST_DUE + 20
