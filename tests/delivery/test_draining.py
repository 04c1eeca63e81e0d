"""A lane is emptied into a file, whatever breaks off in between."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from neighbours.destinations import Clock, Killed, owe, told
from neighbours.lanes import Bench, raises
from tocsin import detection
from tocsin.delivery import Drains
from tocsin.errors import Rejected, StoreUnavailable
from tocsin.model import TLP, Receipt
from tocsin.sharing import Gate
from tocsin.store import Store, delivery, sending


@pytest.fixture
def drains(bench: Bench, tmp_path: Path) -> Drains:
    return Drains(bench.store, Gate({"hook": TLP.AMBER}), detection.DEFAULT, tmp_path / "drained", bench.clock)


def subjects(drains: Drains) -> list[str]:
    return [json.loads(line)["subject"] for line in drains.path("hook").read_bytes().splitlines()]


def owed_to_hook(store: Store, count: int) -> list[int]:
    return [owe(store, f"number {number}", "hook").alertgroups[0] for number in range(count)]


def test_everything_owed_stands_in_the_file_and_is_settled(bench: Bench, drains: Drains) -> None:
    groups = owed_to_hook(bench.store, 120)
    bench.store.write(lambda tx: delivery.hold(tx, "hook", True, "ada", bench.clock.at))
    done = drains.run("hook", False, "ada", 60)

    assert done == (120, 0, 0, False)
    assert subjects(drains) == [f"number {number}" for number in range(120)]
    assert bench.states(120) == ["delivered"] * 120
    [receipt] = bench.owed(groups[7]).receipts
    assert (receipt.outcome, receipt.detail) == ("delivered", "drained into a file by ada")
    known = bench.state()
    assert (known.delivered, known.last_success, known.due) == (120, None, 0)
    past = bench.store.read(lambda tx: delivery.past(tx, "hook", 9))
    assert [line.what for line in past] == ["drained 120 owed deliveries into a file", "paused"]


def test_one_that_waits_for_another_attempt_is_drained_too(bench: Bench, drains: Drains) -> None:
    [group] = owed_to_hook(bench.store, 1)
    bench.store.write(lambda tx: tx.run("UPDATE delivery SET due = :later", later=bench.clock.at * 2))

    assert drains.run("hook", False, "ada", 60).written == 1
    assert bench.owed(group).state == "delivered"


def test_what_the_gate_withholds_is_not_in_the_file(bench: Bench, tmp_path: Path) -> None:
    drains = Drains(bench.store, Gate({"hook": TLP.CLEAR}), detection.DEFAULT, tmp_path / "drained", bench.clock)
    [group] = owed_to_hook(bench.store, 1)

    assert drains.run("hook", False, "ada", 60) == (0, 1, 0, False)
    assert drains.size("hook") == 0
    assert bench.owed(group).state == "withheld"


def test_parked_ones_are_drained_and_one_that_was_retried_meanwhile_is_left(
    bench: Bench, drains: Drains, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = owed_to_hook(bench.store, 3)
    bench.run(bench.lane(told(raises(Rejected("no such room")))))
    retried = bench.owed(groups[1])
    append = drains._append

    def meanwhile(lane: str, made: Sequence[object]) -> None:
        append(lane, made)  # type: ignore[arg-type]  # handed on as it came
        bench.store.write(lambda tx: delivery.retry(tx, [retried.id], "bob", bench.clock.at))

    monkeypatch.setattr(drains, "_append", meanwhile)
    drains.run("hook", True, "ada", 60)

    assert bench.states(3) == ["delivered", "due", "delivered"]
    assert subjects(drains) == ["number 0", "number 1", "number 2"]
    assert bench.owed(groups[0]).receipts[-1].detail == "drained into a file by ada"


def test_a_drain_that_is_killed_before_it_settles_loses_nothing(
    bench: Bench, drains: Drains, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed_to_hook(bench.store, 3)

    def killed(*_: object, **__: object) -> int:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(sending, "settle", killed)
        with pytest.raises(Killed):
            drains.run("hook", False, "ada", 60)
    with drains.path("hook").open("ab") as file:
        file.write(b'{"torn')
    bench.store.write(sending.release_all)
    assert drains.run("hook", False, "ada", 60).written == 3

    assert subjects(drains) == ["number 0", "number 1", "number 2"] * 2
    assert bench.states(3) == ["delivered"] * 3


def test_a_file_that_cannot_be_written_leaves_everything_owed(bench: Bench, drains: Drains, tmp_path: Path) -> None:
    owed_to_hook(bench.store, 2)
    (tmp_path / "drained").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        drains.run("hook", False, "ada", 60)

    assert bench.states(2) == ["due", "due"]
    assert [bench.owed(1).attempt, bench.owed(1).receipts] == [0, []]


def test_what_was_taken_is_owed_again_when_the_store_goes_away_before_it_is_settled(
    bench: Bench, drains: Drains, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed_to_hook(bench.store, 2)

    def full(*_: object, **__: object) -> int:
        raise StoreUnavailable("the disk is full")

    with monkeypatch.context() as away:
        away.setattr(sending, "settle", full)
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            drains.run("hook", False, "ada", 60)

    assert bench.states(2) == ["due", "due"]
    assert drains.run("hook", False, "ada", 60).written == 2


def test_what_a_killed_drain_had_taken_is_sent_once_its_lease_has_run_out(bench: Bench, drains: Drains) -> None:
    owed_to_hook(bench.store, 2)
    drains._owed("hook")  # and nothing after it
    lane = bench.lane(told(lambda _: Receipt()))

    bench.run(lane, 20)
    before = bench.states(2)
    bench.run(lane, 20)

    assert before == ["sending", "sending"]
    assert bench.states(2) == ["delivered", "delivered"]


def test_a_drain_that_has_no_time_left_says_that_there_is_more(bench: Bench, drains: Drains) -> None:
    owed_to_hook(bench.store, 1)
    assert drains.run("hook", False, "ada", 0) == (0, 0, 0, True)
    assert bench.states(1) == ["due"]


def test_names_of_lanes_make_files_in_the_folder_only(tmp_path: Path, bench: Bench) -> None:
    drains = Drains(bench.store, Gate({}), detection.DEFAULT, tmp_path, Clock())
    assert {drains.path(name).parent for name in ("..", "a/../../b", "/etc/passwd")} == {tmp_path}
