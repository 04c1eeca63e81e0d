"""What goes on beside the reading: alerts handed over once, labels, exports every so often; trouble is shown."""

import json
import threading
import time
from pathlib import Path

import pytest

from neighbours.growing import grow, lines
from neighbours.mailbox import until
from tocsin.errors import StoreUnavailable
from tocsin.flows import alerts, keeping
from tocsin.flows import tending as tending_module
from tocsin.flows.dataset import Dataset
from tocsin.flows.importing import import_growth
from tocsin.flows.labelling.detections import Refreshed
from tocsin.flows.tending import Exports, Tending, export, export_due
from tocsin.model import Message

HOUR = 3_600_000_000


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset(tmp_path / "flows", memory_mb=200, threads=1)


def nothing() -> Refreshed:
    return Refreshed(0, 0)


def parts(dataset: Dataset) -> int:
    with dataset.catalogue() as catalogue:
        return len(catalogue.parts())


def eve(number: int) -> bytes:
    said = {
        "timestamp": f"2026-11-22T10:00:{number % 60:02}.000000+0000",
        "flow_id": number,
        "event_type": "alert",
        "src_ip": "192.0.2.1",
        "src_port": 1024,
        "dest_ip": "198.51.100.7",
        "dest_port": 80,
        "proto": "TCP",
        "alert": {"signature": "a scan", "signature_id": 1, "severity": 2, "action": "allowed"},
    }
    return json.dumps(said).encode() + b"\n"


def test_alerts_among_the_flows_are_handed_over_once_also_where_the_store_fails_in_between(
    dataset: Dataset, tmp_path: Path
) -> None:
    log, stored = tmp_path / "eve.json", dict[str, bytes]()
    failing = [False]

    def accept(message: Message) -> None:
        if failing[0]:
            raise StoreUnavailable("the disk is full")
        stored[message.idempotency_key] = message.body

    log.write_bytes(eve(1) + eve(2))
    import_growth(dataset, log)
    tending = Tending(dataset, accept, nothing)
    failing[0] = True
    with pytest.raises(StoreUnavailable):
        tending.fresh()
    failing[0] = False
    tending.fresh()
    tending.fresh()
    assert b"".join(stored.values()) == eve(1) + eve(2)
    grow(log, eve(3))
    import_growth(dataset, log)
    tending.fresh()

    assert b"".join(stored.values()) == eve(1) + eve(2) + eve(3)


def test_alerts_are_handed_over_by_turns_where_there_are_many(dataset: Dataset, tmp_path: Path) -> None:
    stored: list[bytes] = []
    (tmp_path / "eve.json").write_bytes(b"".join(map(eve, range(alerts.MOST + 1))))
    import_growth(dataset, tmp_path / "eve.json")
    tending = Tending(dataset, lambda message: stored.append(message.body), nothing)

    assert tending.hand_over(within_s=-1) is False
    assert len(stored) == 1
    assert tending.hand_over() is True
    assert b"".join(stored).count(b"\n") == alerts.MOST + 1


def test_an_export_is_due_where_something_came_in_and_it_is_time(dataset: Dataset, tmp_path: Path) -> None:
    log = tmp_path / "conn.log"
    exports = Exports(list, 3600)
    assert not export_due(dataset, exports, time.time_ns() // 1000)
    log.write_bytes(lines(0, 1))
    import_growth(dataset, log)
    now = time.time_ns() // 1000
    assert export_due(dataset, exports, now)
    export(dataset, exports)
    assert not export_due(dataset, exports, now + 2 * HOUR)  # nothing new
    grow(log, lines(1, 2))
    import_growth(dataset, log)

    assert not export_due(dataset, exports, time.time_ns() // 1000)
    assert export_due(dataset, exports, now + 2 * HOUR)
    assert not export_due(dataset, exports._replace(every_s=0), now + 2 * HOUR)


def test_new_labels_are_a_reason_to_export_too(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "conn.log").write_bytes(lines(0, 1))
    import_growth(dataset, tmp_path / "conn.log")
    exports = Exports(list, 3600)
    export(dataset, exports)
    Tending(dataset, lambda message: None, lambda: Refreshed(1, 1)).fresh()

    assert export_due(dataset, exports, time.time_ns() // 1000 + 2 * HOUR)


def test_a_task_that_fails_is_shown_and_stops_no_other(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tending_module, "TIDY_S", 0.1)
    for number in range(keeping.FEW):
        grow(tmp_path / "conn.log", lines(number, number + 1))
        import_growth(dataset, tmp_path / "conn.log")
    exported, well = threading.Event(), threading.Event()

    def refresh() -> Refreshed:
        if not well.is_set():
            raise StoreUnavailable("the disk is full")
        return Refreshed(0, 0)

    def write() -> list[Path]:
        exported.set()
        return []

    tending = Tending(dataset, lambda message: None, refresh, exports=Exports(write, 1))
    tending.start()
    try:
        until(lambda: parts(dataset) == 1 and "labels" in tending.troubles(), within=60)
        assert tending.troubles()["labels"] == "the disk is full"
        well.set()
        tending.wake()
        until(lambda: not tending.troubles(), within=60)
        assert exported.wait(60)
    finally:
        tending.stop(60)


def test_labels_follow_the_alerts_while_an_export_is_written(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "conn.log").write_bytes(lines(0, 1))
    import_growth(dataset, tmp_path / "conn.log")
    writing, ending, refreshed = threading.Event(), threading.Event(), threading.Semaphore(0)

    def write() -> list[Path]:
        writing.set()
        ending.wait(60)
        return []

    def refresh() -> Refreshed:
        refreshed.release()
        return Refreshed(0, 0)

    tending = Tending(dataset, lambda message: None, refresh, exports=Exports(write, 1))
    tending.start()
    try:
        assert writing.wait(60)
        assert refreshed.acquire(timeout=60)
        assert refreshed.acquire(timeout=60)  # the one at the start, and the one before the export
        tending.wake()
        assert refreshed.acquire(timeout=60)
        assert not ending.is_set()
    finally:
        ending.set()
        tending.stop(60)


def test_what_other_nodes_of_a_store_change_is_taken_in_though_nobody_wakes(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tending_module, "TIDY_S", 0.1)
    (tmp_path / "conn.log").write_bytes(lines(0, 1))
    import_growth(dataset, tmp_path / "conn.log")
    refreshed = threading.Semaphore(0)

    def refresh() -> Refreshed:
        refreshed.release()
        return Refreshed(0, 0)

    tending = Tending(dataset, lambda message: None, refresh)
    tending.start()
    try:
        assert all(refreshed.acquire(timeout=60) for _ in range(3))
    finally:
        tending.stop(60)
