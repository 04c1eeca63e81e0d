"""One lane: what it hands over, in which order, and what it keeps when something ends in between."""

from collections.abc import Callable
from pathlib import Path

import pytest

from neighbours.destinations import SECOND, START, Killed, Lines, Told, ToldInBatches, ToldInOrder, owe, told
from neighbours.lanes import Bench, raises
from tocsin.delivery.patience import NEVER
from tocsin.errors import Rejected, StoreUnavailable, Unavailable
from tocsin.model import TLP, Delivery, Receipt
from tocsin.sharing import Gate
from tocsin.store import Tx, delivery, sending


def test_what_is_owed_is_sent_with_its_meaning_and_its_receipt_kept(bench: Bench) -> None:
    seen: list[Delivery] = []

    def answer(delivery: Delivery) -> Receipt:
        seen.append(delivery)
        bench.clock.pass_s(0.05)
        return Receipt(remote_id="r1", status="201 Created")

    owe(bench.store, "beacon", "hook")
    lane = bench.lane(told(answer))

    assert lane.turn() == 0
    assert lane.turn() == NEVER
    assert [(each.alertgroup.subject, each.attempt) for each in seen] == [("beacon", 1)]
    meaning = seen[0].alertgroup.alerts[0].detection
    assert meaning is not None
    assert meaning.sources[0].addresses == ("192.0.2.7",)
    assert bench.owed(1).receipts == [
        delivery.ReceiptLine(
            attempt=1, at=START, took=50_000, outcome="delivered", remote_id="r1", detail="201 Created"
        )
    ]
    assert lane.activity.outcomes == {"delivered": 1}
    assert (lane.activity.took, lane.activity.delay) == (50_000, 50_000)


def test_what_may_not_be_shared_is_withheld_with_the_reason_and_never_handed_over(bench: Bench) -> None:
    owe(bench.store, "secret", "hook", tlp=TLP.RED)
    owe(bench.store, "open", "hook", tlp=TLP.CLEAR)
    destination = Told()

    bench.run(bench.lane(destination, Gate({"hook": TLP.GREEN})))

    assert destination.calls == [["open"]]
    assert bench.states(2) == ["withheld", "delivered"]
    assert bench.owed(1).receipts[0].detail == "TLP: the alertgroup is RED, hook is cleared up to GREEN"


def test_an_alertgroup_that_is_no_longer_stored_is_parked(bench: Bench) -> None:
    owe(bench.store, "beacon", "hook")
    owe(bench.store, "good", "hook")
    bench.store.write(lambda tx: tx.run("DELETE FROM alertgroup WHERE id = 1"))

    bench.run(bench.lane(Told()))

    assert bench.states(2) == ["failed", "delivered"]
    assert bench.owed(1).receipts[0].detail == "the alertgroup is no longer stored"


def test_an_alertgroup_that_cannot_be_read_is_parked_and_takes_no_other_with_it(bench: Bench) -> None:
    for number in range(3):
        owe(bench.store, f"beacon {number}", "hook")
    bench.store.write(lambda tx: tx.run("UPDATE alert SET detection = '[' WHERE alertgroup = 2"))

    bench.run(bench.lane(Told()))

    assert bench.states(3) == ["delivered", "failed", "delivered"]
    assert bench.owed(2).receipts[0].detail.startswith("cannot be made ready for sending: ")


@pytest.mark.parametrize("kind", [ToldInOrder, ToldInBatches])
def test_an_ordered_lane_never_sends_past_one_that_waits(bench: Bench, kind: type[Told]) -> None:
    destination = told(raises(Unavailable("disk full"), "beacon 2"), ToldInOrder)
    for number in range(5):
        owe(bench.store, f"beacon {number}", "hook")
    lane = bench.lane(destination)

    bench.run(lane, 30)
    assert bench.states(5) == ["delivered", "delivered", "due", "due", "due"]
    assert [bench.owed(group).attempt for group in (4, 5)] == [0, 0]

    destination.tell(lambda delivery: Receipt())
    bench.run(lane, 61)
    assert bench.states(5) == ["delivered"] * 5
    sent = [call[0] for call in destination.calls]
    assert sorted(sent) == sent


def test_an_ordered_lane_looks_again_every_minute_however_long_it_waited(bench: Bench) -> None:
    destination = told(raises(Unavailable("disk full")), ToldInOrder)
    owe(bench.store, "beacon", "hook")
    lane = bench.lane(destination)
    bench.run(lane, 3 * 3600)

    destination.tell(lambda delivery: Receipt())
    bench.run(lane, 61)

    assert bench.owed(1).state == "delivered"


def test_single_sends_share_their_settles_but_receipts_appear_while_it_goes_on(bench: Bench) -> None:
    settled_at_each_send: list[int] = []

    def answer(item: Delivery) -> Receipt:
        settled_at_each_send.append(bench.state().delivered)
        bench.clock.pass_s(0.11)
        return Receipt()

    for number in range(5):
        owe(bench.store, f"beacon {number}", "hook")

    bench.run(bench.lane(told(answer)))

    assert settled_at_each_send == [0, 0, 2, 2, 4]


def test_a_lane_told_to_stop_finishes_the_call_under_way_and_gives_back_the_rest(bench: Bench) -> None:
    for number in range(3):
        owe(bench.store, f"beacon {number}", "hook")

    def answer(delivery: Delivery) -> Receipt:
        lane.stopping = True
        return Receipt()

    lane = bench.lane(told(answer))
    lane.turn()

    assert bench.states(3) == ["delivered", "due", "due"]
    assert [bench.owed(group).attempt for group in (1, 2, 3)] == [1, 0, 0]


def test_outcomes_are_kept_while_the_store_is_away_and_nothing_is_sent_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(delivery: Delivery) -> Receipt:
        monkeypatch.setattr(bench.store, "write", away)
        return Receipt()

    def away(work: Callable[[Tx], object]) -> object:
        raise StoreUnavailable("disk full")

    for number in range(2):
        owe(bench.store, f"beacon {number}", "hook")
    destination = told(answer)
    lane = bench.lane(destination)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            lane.turn()
    assert destination.calls == [["beacon 0"], ["beacon 1"]]
    assert bench.states(2) == ["sending", "sending"]

    monkeypatch.undo()
    bench.run(lane)
    assert bench.states(2) == ["delivered", "delivered"]
    assert destination.calls == [["beacon 0"], ["beacon 1"]]


def test_what_was_claimed_is_given_back_when_it_cannot_be_loaded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    owe(bench.store, "beacon", "hook")
    lane, reads = bench.lane(Told()), []
    real = bench.store.read

    def second_fails(work: Callable[[Tx], object]) -> object:
        reads.append(work)
        if len(reads) == 2:
            raise StoreUnavailable("server restarted")
        return real(work)

    monkeypatch.setattr(bench.store, "read", second_fails)
    with pytest.raises(StoreUnavailable):
        lane.turn()
    assert lane.activity.in_hand == 1

    bench.run(lane)
    assert (bench.owed(1).state, bench.owed(1).attempt) == ("delivered", 1)


def test_a_call_that_outlives_its_lease_is_settled_if_nobody_took_over(bench: Bench) -> None:
    def slow(delivery: Delivery) -> Receipt:
        bench.clock.pass_s(500)
        return Receipt()

    owe(bench.store, "beacon", "hook")

    bench.run(bench.lane(told(slow)), 1)

    assert bench.owed(1).state == "delivered"


def test_a_call_that_was_taken_over_does_not_overwrite_the_other(bench: Bench) -> None:
    def hangs_and_is_overtaken(delivery: Delivery) -> Receipt:
        bench.clock.pass_s(61)
        bench.lane(told(raises(Rejected("another node's answer")))).turn()
        return Receipt()

    owe(bench.store, "beacon", "hook")

    bench.lane(told(hangs_and_is_overtaken)).turn()

    assert bench.owed(1).state == "failed"
    assert [(line.attempt, line.detail) for line in bench.owed(1).receipts] == [(2, "another node's answer")]


def test_the_heart_keeps_a_long_call_but_not_one_that_hangs(bench: Bench) -> None:
    taken: list[int] = []

    def beats(delivery: Delivery) -> Receipt:
        for _ in range(40):
            bench.clock.pass_s(20)
            lane.beat()
            taken.append(
                len(
                    bench.store.write(
                        lambda tx: sending.claim(tx, "hook", 1, bench.clock.at, bench.clock.at + 60 * SECOND)
                    )
                )
            )
            if taken[-1]:
                break
        return Receipt()

    owe(bench.store, "beacon", "hook")
    lane = bench.lane(told(beats))

    lane.turn()

    # Five leases of a minute, then the last one runs out: the last beat was at 300 s.
    assert taken == [0] * 17 + [1]


def test_a_paused_lane_sends_nothing_until_it_goes_on(bench: Bench) -> None:
    destination = Told()
    owe(bench.store, "beacon", "hook")
    lane = bench.lane(destination)
    bench.store.write(lambda tx: delivery.set_paused(tx, "hook", True))
    assert lane.turn() == NEVER
    bench.store.write(lambda tx: delivery.set_paused(tx, "hook", False))

    bench.run(lane)

    assert destination.calls == [["beacon"]]


def test_large_messages_are_not_all_loaded_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.delivery.lane.BYTES", 50)
    for number in range(5):
        owe(bench.store, f"beacon {number}", "hook")  # 22 bytes each
    destination = ToldInBatches()

    bench.run(bench.lane(destination))

    assert [len(call) for call in destination.calls] == [2, 2, 1]


@pytest.mark.parametrize("killed_in", [1, 2, 3])
def test_a_file_holds_each_line_once_whenever_the_process_is_killed(
    bench: Bench, tmp_path: Path, killed_in: int
) -> None:
    for number in range(20):
        owe(bench.store, f"beacon {number:02}", "hook")
    path = tmp_path / "lines"
    with pytest.raises(Killed):
        bench.run(bench.lane(Lines(path=path, killed_in=killed_in)))
    lines = path.read_text().splitlines()
    assert len(lines) == min(8 * killed_in, 20), "the batch was written before the kill"

    bench.store.write(sending.release_all)
    bench.run(bench.lane(Lines(path=path)))

    assert path.read_text().splitlines() == [f"beacon {number:02}" for number in range(20)]
    assert bench.states(20) == ["delivered"] * 20


def test_in_a_paused_lane_nothing_stands_as_being_sent_by_one_who_died(bench: Bench) -> None:
    owe(bench.store, "beacon", "hook")
    bench.store.write(lambda tx: sending.claim(tx, "hook", 8, bench.clock.at, bench.clock.at + SECOND))
    bench.store.write(lambda tx: delivery.hold(tx, "hook", True, "ada", bench.clock.at))
    lane = bench.lane(Told())

    lane.turn()
    before = bench.states(1)
    bench.clock.pass_s(2)
    lane.turn()

    assert before == ["sending"]
    assert bench.states(1) == ["due"]
