"""What is owed is claimed once, settled by whoever holds it, and stands in the ledger with every attempt."""

import uuid

import pytest

from neighbours.destinations import SECOND, START, owe
from tocsin.store import Change, Store, delivery, history, sending
from tocsin.store.sending import Claimed, Outcome, Settled

LEASE = START + 60 * SECOND


def claim(
    store: Store, limit: int = 10, *, at: int = START, lease: int = LEASE, ordered: bool = False
) -> list[Claimed]:
    return store.write(lambda tx: sending.claim(tx, "hook", limit, at, lease, ordered=ordered))


def settle(store: Store, *settled: Settled, cursor: str | None = None) -> int:
    return store.write(lambda tx: sending.settle(tx, "hook", settled, cursor))


def outcome(item: Claimed, kind: Outcome = "delivered", *, at: int = START, due: int | None = None) -> Settled:
    return Settled(
        id=item.id, attempt=item.attempt, outcome=kind, at=at, took=7, remote_id="r1", detail=f"was {kind}", due=due
    )


def owed(store: Store, group: int = 1) -> delivery.Owed:
    return store.read(lambda tx: delivery.of_groups(tx, [group]))[group][0]


def lane(store: Store, name: str = "hook") -> delivery.LaneState:
    return next(state for state in store.read(delivery.lanes) if state.name == name)


def test_a_claim_takes_the_oldest_of_its_lane_under_the_limit(store: Store) -> None:
    for number in range(3):
        owe(store, f"beacon {number}", "hook", "other")

    claimed = claim(store, 2)

    assert [(item.alertgroup, item.attempt, item.tries, item.created) for item in claimed] == [
        (1, 1, 1, START),
        (2, 1, 1, START),
    ]
    assert [item.alertgroup for item in claim(store)] == [3]
    assert claim(store) == []


def test_a_claim_says_how_large_its_message_was(store: Store) -> None:
    owe(store, "beacon", "hook")

    assert claim(store)[0].size == len(b'{"subject":"beacon"}')


def test_a_delivery_keeps_its_uid_over_attempts(store: Store) -> None:
    owe(store, "beacon", "hook")

    first = claim(store)[0]
    settle(store, outcome(first, "retry", due=START))
    second = claim(store)[0]

    assert first.uid == second.uid == str(uuid.uuid5(uuid.UUID(store.uid), f"delivery/{first.id}"))
    assert (first.attempt, second.attempt) == (1, 2)


def test_what_is_not_due_yet_is_not_claimed(store: Store) -> None:
    owe(store, "late", "hook", at=START + 5)
    owe(store, "now", "hook")

    assert [item.alertgroup for item in claim(store)] == [2]
    assert [item.alertgroup for item in claim(store, at=START + 5)] == [1]


def test_those_come_first_that_are_due_for_longest(store: Store) -> None:
    for number in range(3):
        owe(store, f"beacon {number}", "hook", at=START + 3 - number)
    again = claim(store, 1, at=START + 1)[0]
    settle(store, outcome(again, "retry", due=START + 2))

    assert [item.alertgroup for item in claim(store, at=START + 9)] == [2, 3, 1]


def test_a_delivery_that_is_tried_again_keeps_its_place_unless_told_when(store: Store) -> None:
    for number in range(2):
        owe(store, f"beacon {number}", "hook")
    settle(store, outcome(claim(store, 1)[0], "retry"))

    assert [item.alertgroup for item in claim(store)] == [1, 2]


def test_an_ordered_lane_gives_nothing_while_it_is_being_sent(store: Store) -> None:
    owe(store, "one", "hook")
    held = claim(store, ordered=True)
    owe(store, "two", "hook")

    assert claim(store, ordered=True) == []
    settle(store, outcome(held[0]))
    assert [item.alertgroup for item in claim(store, ordered=True)] == [2]


def test_a_lease_that_ran_out_comes_back_with_the_next_attempt(store: Store) -> None:
    owe(store, "beacon", "hook")
    claim(store)

    assert claim(store, at=LEASE - 1) == []
    again = claim(store, at=LEASE, lease=LEASE + 5)
    assert [(item.id, item.attempt) for item in again] == [(1, 2)]


def test_a_kept_lease_does_not_run_out(store: Store) -> None:
    owe(store, "beacon", "hook")
    held = claim(store)

    assert store.write(lambda tx: sending.extend(tx, held, LEASE + 10)) == 1
    assert claim(store, at=LEASE + 9) == []


def test_a_settle_of_an_attempt_that_was_taken_over_changes_nothing_and_says_so(store: Store) -> None:
    owe(store, "beacon", "hook")
    late = claim(store)[0]
    mine = claim(store, at=LEASE, lease=LEASE * 2)[0]

    assert settle(store, outcome(late, "failed"), cursor="late") == 0
    assert (owed(store).state, owed(store).receipts) == ("sending", [])
    assert store.read(lambda tx: delivery.lane_cursor(tx, "hook")) == ""
    assert settle(store, outcome(mine), cursor="mine") == 1
    assert (owed(store).state, [line.attempt for line in owed(store).receipts]) == ("delivered", [2])


def test_a_lease_that_ran_out_may_still_be_settled_while_nobody_took_over(store: Store) -> None:
    owe(store, "beacon", "hook")
    owe(store, "other", "hook")
    late = claim(store, 1)[0]
    store.write(sending.release_all)

    assert settle(store, outcome(late)) == 1
    assert owed(store).state == "delivered"


@pytest.mark.parametrize("kind", ["delivered", "retry", "failed", "withheld"])
def test_the_same_settle_twice_counts_once(store: Store, kind: Outcome) -> None:
    owe(store, "beacon", "hook")
    item = claim(store)[0]
    due = START + 5 if kind == "retry" else None

    assert settle(store, outcome(item, kind, due=due), cursor="1") == 1
    before = lane(store)
    assert settle(store, outcome(item, kind, due=due), cursor="1") == 0
    assert lane(store) == before
    assert len(owed(store).receipts) == 1


def test_each_outcome_leaves_its_state_its_receipt_and_its_count(store: Store) -> None:
    for number in range(4):
        owe(store, f"beacon {number}", "hook")
    kinds: tuple[Outcome, ...] = ("delivered", "retry", "failed", "withheld")

    settled = [
        outcome(item, kind, at=START + number, due=START + 99 if kind == "retry" else None)
        for number, (item, kind) in enumerate(zip(claim(store), kinds, strict=True))
    ]
    assert settle(store, *settled, cursor="c4") == 4

    found = [owed(store, group) for group in (1, 2, 3, 4)]
    assert [(each.state, each.due, each.settled) for each in found] == [
        ("delivered", START, START),
        ("due", START + 99, None),
        ("failed", START, START + 2),
        ("withheld", START, START + 3),
    ]
    assert found[0].receipts == [
        delivery.ReceiptLine(attempt=1, at=START, took=7, outcome="delivered", remote_id="r1", detail="was delivered")
    ]
    assert lane(store) == delivery.LaneState(
        name="hook", due=1, failed=1, withheld=1, delivered=1, failures=1, oldest=START, cursor="c4",
        last_success=START, last_error="was failed", last_error_at=START + 2,
    )  # fmt: skip


def test_a_success_leaves_the_last_error_standing_with_its_time(store: Store) -> None:
    owe(store, "beacon", "hook")
    settle(store, outcome(claim(store)[0], "retry", due=START))
    settle(store, outcome(claim(store)[0], at=START + 9))

    assert (lane(store).last_error, lane(store).last_error_at) == ("was retry", START)
    assert lane(store).last_success == START + 9


def test_what_a_peer_says_is_kept_whatever_letters_it_has(store: Store) -> None:
    owe(store, "beacon", "hook")
    item = claim(store)[0]
    said = Settled(id=item.id, attempt=1, outcome="failed", at=START, remote_id="a\0b\ud800", detail="x" * 5000 + "\0")

    assert settle(store, said) == 1
    receipt = owed(store).receipts[0]
    assert (receipt.remote_id, receipt.detail) == ("a\ufffdb?", "x" * 2000)


def test_what_is_given_back_is_due_and_no_attempt_counts(store: Store) -> None:
    owe(store, "one", "hook")
    owe(store, "two", "hook")
    held = claim(store)

    assert store.write(lambda tx: sending.give_back(tx, held[1:])) == 1
    assert [(item.alertgroup, item.attempt) for item in claim(store)] == [(2, 1)]


def test_what_a_killed_process_was_sending_comes_back_at_once(store: Store) -> None:
    owe(store, "beacon", "hook", "gone")
    claim(store)

    assert store.write(sending.release_all) == 1
    assert [(item.id, item.attempt) for item in claim(store)] == [(1, 2)]


def test_tries_and_their_beginning_count_from_the_last_end(store: Store) -> None:
    owe(store, "beacon", "hook")
    for at in (START, START + 10):
        item = claim(store, at=at)[0]
        settle(store, outcome(item, "retry", at=at, due=at))
    third = claim(store, at=START + 20)[0]
    assert (third.attempt, third.tries, third.since) == (3, 3, START)

    settle(store, outcome(third, "failed", at=START + 20))
    store.write(lambda tx: delivery.retry(tx, [third.id], "ann", START + 30))
    fourth = claim(store, at=START + 30)[0]
    assert (fourth.attempt, fourth.tries, fourth.since) == (4, 1, START + 30)

    settle(store, outcome(fourth, "retry", at=START + 30, due=START + 40))
    fifth = claim(store, at=START + 40)[0]
    assert (fifth.attempt, fifth.tries, fifth.since) == (5, 2, START + 30)


def test_waits_can_be_shortened_when_a_destination_is_back(store: Store) -> None:
    owe(store, "beacon", "hook")
    settle(store, outcome(claim(store)[0], "retry", due=START + 3600 * SECOND))

    assert store.write(lambda tx: sending.hasten(tx, "hook", START + 1)) == 1
    assert len(claim(store, at=START + 1)) == 1


def test_the_next_moment_of_a_lane_is_known(store: Store) -> None:
    def next_due() -> int | None:
        return store.read(lambda tx: sending.next_due(tx, "hook"))

    assert next_due() is None
    owe(store, "beacon", "hook")
    assert next_due() == START
    item = claim(store)[0]
    assert next_due() == LEASE
    settle(store, outcome(item, "retry", due=START + 9))
    assert next_due() == START + 9
    owe(store, "later", "hook")
    assert next_due() == START


def test_a_paused_lane_gives_nothing_until_it_goes_on(store: Store) -> None:
    owe(store, "beacon", "hook")
    store.write(lambda tx: delivery.set_paused(tx, "hook", True))

    assert claim(store) == claim(store, ordered=True) == []
    assert store.read(lambda tx: sending.next_due(tx, "hook")) is None
    assert lane(store).paused
    store.write(lambda tx: delivery.set_paused(tx, "hook", False))
    assert len(claim(store)) == 1


def test_a_lane_without_a_destination_shows_what_it_is_owed(store: Store) -> None:
    owe(store, "beacon", "gone", at=START + 3)
    owe(store, "beacon", "gone", at=START + 4)

    assert store.read(delivery.lanes) == [delivery.LaneState(name="gone", due=2, oldest=START + 3)]


def test_a_lane_that_was_never_used_shows_too(store: Store) -> None:
    store.write(lambda tx: delivery.open_lanes(tx, ["hook", "files"]))
    store.write(lambda tx: delivery.open_lanes(tx, ["hook"]))

    assert [state.name for state in store.read(delivery.lanes)] == ["files", "hook"]


def test_the_oldest_of_a_lane_may_be_one_that_is_being_sent(store: Store) -> None:
    owe(store, "one", "hook", at=START)
    owe(store, "two", "hook", at=START + 1)
    claim(store, 1)

    assert (lane(store).due, lane(store).sending, lane(store).oldest) == (1, 1, START)


def test_parked_deliveries_are_listed_newest_first_page_by_page(store: Store) -> None:
    for number in range(3):
        owe(store, f"beacon {number}", "hook", "other")
    settle(store, *(outcome(item, "failed") for item in claim(store)))

    first = store.read(lambda tx: delivery.parked(tx, "hook", 2))
    second = store.read(lambda tx: delivery.parked(tx, "hook", 2, first[-1].id))
    assert [item.alertgroup for item in (*first, *second)] == [3, 2, 1]
    assert first[0].receipts[0].detail == "was failed"


@pytest.mark.parametrize("kind", ["failed", "withheld"])
def test_a_person_may_have_it_sent_again_and_that_is_written_down(store: Store, kind: Outcome) -> None:
    owe(store, "beacon", "hook")
    item = claim(store)[0]
    settle(store, outcome(item, kind))
    heard: list[Change] = []
    store.on_commit(heard.append)

    assert store.write(lambda tx: delivery.retry(tx, [item.id, item.id, 99], "ann", START + 5)) == 1

    assert (owed(store).state, owed(store).due, owed(store).settled) == ("due", START + 5, None)
    assert [(line.who, line.what) for line in store.read(lambda tx: history.of_group(tx, 1))] == [
        ("ann", "sent again to hook")
    ]
    store.write(lambda tx: None)
    assert heard == [Change("delivery", (1,), ("hook",))]


def test_what_was_delivered_is_not_sent_again_by_a_retry(store: Store) -> None:
    owe(store, "beacon", "hook")
    item = claim(store)[0]
    settle(store, outcome(item))

    assert store.write(lambda tx: delivery.retry(tx, [item.id], "ann", START)) == 0
    assert owed(store).state == "delivered"


def test_only_what_is_parked_can_be_dropped(store: Store) -> None:
    owe(store, "one", "hook")
    owe(store, "two", "hook")
    item = claim(store, 1)[0]
    settle(store, outcome(item, "failed"))

    assert store.write(lambda tx: delivery.drop(tx, [1, 2], "ann", START + 5)) == 1
    assert [owed(store, group).state for group in (1, 2)] == ["dropped", "due"]
    assert lane(store).failed == 0
    assert store.read(lambda tx: history.of_group(tx, 1))[0].what == "no longer owed to hook"


def test_a_settle_tells_which_groups_it_touched(store: Store) -> None:
    owe(store, "beacon", "hook")
    heard: list[Change] = []
    store.on_commit(heard.append)

    settle(store, outcome(claim(store)[0]))

    store.write(lambda tx: None)
    assert heard == [Change("delivery", (1,), ())]
