"""The threads: woken, stopped, killed, hanging; none delays another."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from neighbours.destinations import START, Killed, Told, owe, told
from tocsin.config import DeliverySection
from tocsin.delivery import Lanes
from tocsin.delivery import lanes as lanes_module
from tocsin.delivery.patience import NEVER
from tocsin.destinations.dummy import Dummy
from tocsin.destinations.text_log import TextLog
from tocsin.errors import StoreUnavailable
from tocsin.model import Delivery, Receipt
from tocsin.plugin import Destination
from tocsin.registry import DestinationOptions
from tocsin.sharing import Gate
from tocsin.store import Store, Tx, delivery, sending

QUICK = DeliverySection(first_wait_s=0.01, longest_wait_s=0.05, lease_s=60)

SHORT_LEASE = DeliverySection(first_wait_s=0.01, longest_wait_s=0.05, lease_s=1)

Starts = Callable[..., Lanes]


@pytest.fixture
def starts(store: Store) -> Iterator[Starts]:
    """Lanes that are stopped again in the end."""
    running: list[Lanes] = []

    def start(
        destinations: dict[str, Destination],
        *,
        shared: bool = False,
        settings: DeliverySection = QUICK,
        options: dict[str, DestinationOptions] | None = None,
    ) -> Lanes:
        lanes = Lanes(store, destinations, settings, Gate({}), shared=shared, options=options)
        running.append(lanes)
        store.on_commit(lambda change: lanes.wake(change.lanes))
        lanes.start()
        return lanes

    yield start
    for lanes in running:
        lanes.stop(30)


def until(true: Callable[[], bool]) -> None:
    """Wait for it; the test's own timeout is the limit."""
    while not true():
        time.sleep(0.01)


def states(store: Store, lane: str) -> dict[str, int]:
    rows = store.read(
        lambda tx: tx.rows("SELECT state, count(*) FROM delivery WHERE lane = :lane GROUP BY state", lane=lane)
    )
    return dict(rows)


def test_each_destination_gets_what_it_is_owed_as_soon_as_it_is_stored(
    store: Store, starts: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes_module, "LOOK_EVERY_S", 10_000.0)
    one, two = Told(), Told()
    starts({"one": one, "two": two})
    until(lambda: {state.name for state in store.read(delivery.lanes)} == {"one", "two"})

    for number in range(5):
        owe(store, f"beacon {number}", "one", "two")

    until(lambda: states(store, "one") == states(store, "two") == {"delivered": 5})
    assert sorted(call[0] for call in one.calls) == sorted(call[0] for call in two.calls)
    assert len(one.calls) == 5


def test_as_many_calls_as_wanted_are_under_way_at_once_and_each_is_made_once(store: Store, starts: Starts) -> None:
    together = threading.Barrier(3, timeout=60)

    def answer(_delivery: Delivery) -> Receipt:
        together.wait()
        return Receipt()

    destination = told(answer)
    for number in range(9):
        owe(store, f"beacon {number}", "one")
    lanes = starts({"one": destination}, options={"one": DestinationOptions(concurrency=3)})

    until(lambda: states(store, "one") == {"delivered": 9})
    assert sorted(call[0] for call in destination.calls) == [f"beacon {number}" for number in range(9)]
    assert lanes.activity()["one"].outcomes == {"delivered": 9}
    assert lanes.stop(30) == []


def test_what_gathers_is_sent_when_the_server_ends(store: Store, starts: Starts) -> None:
    destination = Told()
    lanes = starts({"one": destination}, options={"one": DestinationOptions(push_delay=3600)})
    for number in range(3):
        owe(store, f"beacon {number}", "one")
    time.sleep(0.2)
    before = list(destination.calls)

    lanes.stop(60)

    assert before == []
    assert states(store, "one") == {"delivered": 3}
    assert destination.closed


def test_a_lane_that_hangs_is_seen_and_delays_no_other(store: Store, starts: Starts) -> None:
    release = threading.Event()

    def hang(delivery: Delivery) -> Receipt:
        release.wait(60)
        return Receipt()

    lanes = starts({"hangs": told(hang), "works": Told()})
    for number in range(20):
        owe(store, f"beacon {number}", "hangs", "works")

    until(lambda: states(store, "works") == {"delivered": 20})
    seen = next(state for state in store.read(delivery.lanes) if state.name == "hangs")
    assert seen.sending >= 1
    assert (seen.sending + seen.due, seen.oldest) == (20, START)
    assert lanes.activity()["hangs"].sending_since is not None
    assert lanes.activity()["works"].sending_since is None
    assert lanes.stop(0.05) == ["hangs"]

    release.set()
    assert lanes.stop(30) == []


def test_a_long_call_keeps_its_lease(store: Store, starts: Starts) -> None:
    release = threading.Event()

    def slow(delivery: Delivery) -> Receipt:
        release.wait(60)
        return Receipt()

    def leases() -> list[tuple[int]]:
        return store.read(lambda tx: tx.rows("SELECT lease FROM delivery WHERE state = 'sending'"))

    owe(store, "beacon", "slow")
    starts({"slow": told(slow)}, settings=SHORT_LEASE)
    until(lambda: bool(leases()))
    first = leases()

    until(lambda: leases() > first)
    assert leases() > first
    release.set()


def test_stopping_lets_the_call_under_way_finish_and_claims_no_more(store: Store, starts: Starts) -> None:
    entered, release = threading.Event(), threading.Event()

    def slow(delivery: Delivery) -> Receipt:
        entered.set()
        release.wait(60)
        return Receipt()

    destination = told(slow)
    for number in range(3):
        owe(store, f"beacon {number}", "slow")
    lanes = starts({"slow": destination})
    assert entered.wait(60)

    stopped = threading.Thread(target=lanes.stop, args=(60,))
    stopped.start()
    until(lambda: not lanes._heart.is_alive())
    release.set()
    stopped.join(60)

    assert states(store, "slow") == {"delivered": 1, "due": 2}
    assert destination.closed


def test_what_a_killed_process_was_sending_is_sent_at_once_by_the_next(store: Store, starts: Starts) -> None:
    owe(store, "beacon", "hook", "removed")
    store.write(lambda tx: [sending.claim(tx, lane, 1, START, 2**62) for lane in ("hook", "removed")])

    starts({"hook": Told()})

    until(lambda: states(store, "hook") == {"delivered": 1})
    assert states(store, "removed") == {"due": 1}


def test_a_node_that_shares_the_store_leaves_alone_what_another_is_sending(store: Store, starts: Starts) -> None:
    owe(store, "held", "hook")
    store.write(lambda tx: sending.claim(tx, "hook", 1, START, 2**62))
    owe(store, "free", "hook")

    starts({"hook": Told()}, shared=True)

    until(lambda: states(store, "hook") == {"delivered": 1, "sending": 1})
    assert states(store, "hook") == {"delivered": 1, "sending": 1}


def test_two_nodes_on_one_store_send_everything_once(store: Store, starts: Starts) -> None:
    one, two = Told(), Told()
    for number in range(150):
        owe(store, f"beacon {number}", "hook")

    starts({"hook": one}, shared=True)
    starts({"hook": two}, shared=True)

    until(lambda: states(store, "hook") == {"delivered": 150})
    sent = [call[0] for call in one.calls + two.calls]
    assert sorted(sent) == sorted(f"beacon {number}" for number in range(150))


def test_lanes_start_by_themselves_when_the_store_comes(
    store: Store, starts: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe(store, "beacon", "hook")
    asked = threading.Event()
    real = store.write

    def away(work: Callable[[Tx], object]) -> object:
        asked.set()
        raise StoreUnavailable("no server there")

    monkeypatch.setattr(lanes_module, "STORE_AWAY_S", 0.01)
    monkeypatch.setattr(store, "write", away)
    starts({"hook": Told()})
    assert asked.wait(60)
    monkeypatch.setattr(store, "write", real)

    until(lambda: states(store, "hook") == {"delivered": 1})
    assert states(store, "hook") == {"delivered": 1}


def test_a_fault_of_our_own_does_not_end_a_lane(store: Store, starts: Starts, monkeypatch: pytest.MonkeyPatch) -> None:
    owe(store, "beacon", "hook")
    real, asked = sending.next_due, threading.Event()

    def faulty(tx: Tx, lane: str) -> int | None:
        if not asked.is_set():
            asked.set()
            raise ZeroDivisionError("ours")
        return real(tx, lane)

    monkeypatch.setattr(lanes_module, "STORE_AWAY_S", 0.01)
    monkeypatch.setattr(sending, "next_due", faulty)
    starts({"hook": Told()})

    until(lambda: states(store, "hook") == {"delivered": 1})
    assert asked.is_set()


def test_whatever_a_destination_does_each_delivery_ends_delivered_or_visibly_failed(
    store: Store, starts: Starts, tmp_path: Path
) -> None:
    book = tmp_path / "book"
    for number in range(60):
        owe(store, f"beacon {number}", "dummy")

    starts({"dummy": Dummy(refuse=0.2, drop=0.3, hang=0.1, slow=0.1, hang_s=0.01, slow_s=0.01, seed=7, path=book)})

    until(lambda: set(states(store, "dummy")) <= {"delivered", "failed"})
    found = store.read(lambda tx: delivery.of_groups(tx, range(1, 61)))
    delivered = [owed for (owed,) in found.values() if owed.state == "delivered"]
    assert sorted(book.read_text().split()) == sorted(owed.receipts[-1].remote_id for owed in delivered)
    assert all(owed.receipts[-1].detail == "dummy refused" for (owed,) in found.values() if owed.state == "failed")
    assert all(
        [line.attempt for line in owed.receipts] == list(range(1, owed.attempt + 1)) for (owed,) in found.values()
    )
    assert 0 < len(delivered) < 60


@pytest.mark.parametrize("killed_at", [1, 2, 3])
def test_a_log_holds_each_line_once_though_the_process_ends_before_it_is_written_down(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    """Killed in a settle: the file was written and synced, the store does not know."""
    monkeypatch.setattr(TextLog, "batch", 8)
    for number in range(30):
        owe(store, f"beacon {number:02}", "text_log")
    real, settles = sending.settle, 0

    def killing(tx: Tx, lane: str, settled: list[sending.Settled], cursor: str | None) -> int:
        nonlocal settles
        settles += 1
        if settles == killed_at:
            raise Killed
        return real(tx, lane, settled, cursor)

    path = tmp_path / "alerts.log"
    monkeypatch.setattr(sending, "settle", killing)
    first = TextLog(path=path)
    lane = Lanes(store, {"text_log": first}, QUICK, Gate({}))._threads["text_log"][0].lane
    with pytest.raises(Killed):
        until(lambda: lane.turn() == NEVER)
    first.close()
    monkeypatch.setattr(sending, "settle", real)
    assert states(store, "text_log")["sending"] == 8

    second = Lanes(store, {"text_log": TextLog(path=path)}, QUICK, Gate({}))
    second.start()
    until(lambda: states(store, "text_log") == {"delivered": 30})
    second.stop(30)

    lines = path.read_text().splitlines()
    assert len(lines) == 30
    assert all(f"beacon {number:02}" in line for number, line in enumerate(lines))
