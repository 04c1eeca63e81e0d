"""Detections beside the flows: the latest of each alertgroup counts, whatever is killed in between."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neighbours.labels import between, flow, labels, told, triaged
from tocsin.errors import FlowsError, StoreUnavailable
from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling import detections
from tocsin.flows.labelling.detections import latest, refresh, stamp
from tocsin.flows.labelling.prepared import Options
from tocsin.model import Detection, Endpoint, Judged, News, Since, Status

UID = Detection(flow_uids=("C1",))


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """An empty data set."""
    return Dataset(tmp_path / "flows", memory_mb=200, threads=2)


def label(dataset: Dataset, uid: str = "C1") -> str:
    """The label of that flow now."""
    return labels(dataset, [flow(1, uid=uid)])[0][1]


def kept(dataset: Dataset) -> list[tuple[int, int | None]]:
    """Alertgroup and alert of all rows that count."""
    with dataset.connection() as connection:
        return connection.execute(f"SELECT alertgroup, alert FROM {latest(dataset)} ORDER BY ALL").fetchall()


def test_without_any_detection_every_flow_is_benign(dataset: Dataset) -> None:
    assert label(dataset) == "benign"


def test_the_latest_of_an_alertgroup_counts_before_and_after_all_is_put_together(dataset: Dataset) -> None:
    told(dataset, triaged(1, UID), triaged(2, Detection(flow_uids=("C2",))))
    for n in range(3 * detections.MOST_FILES):
        gone = n % 2 == 0
        told(dataset, triaged(1, *(() if gone else (UID,)), gone=gone))
        assert (label(dataset), label(dataset, "C2")) == ("benign" if gone else "malicious", "malicious")
    counting = len(list((dataset.folder / "detections").glob("*.parquet")))
    assert counting > detections.MOST_FILES, "they stay a while for those who read them"
    assert kept(dataset)[-1] == (2, 200)


def test_files_that_do_not_count_any_more_go_after_a_while(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detections, "KEPT_S", -1.0)
    for _ in range(2 + detections.MOST_FILES):
        told(dataset, triaged(1, UID))
    assert len(list((dataset.folder / "detections").iterdir())) == 1
    assert kept(dataset) == [(1, 100)]


def test_a_file_that_counted_until_now_stays_for_its_readers_however_old_it_is(dataset: Dataset) -> None:
    told(dataset, triaged(1, UID))
    (base,) = (dataset.folder / "detections").glob("*.parquet")
    os.utime(base, (0, 0))
    asked = latest(dataset)
    for _ in range(1 + detections.MOST_FILES):
        told(dataset, triaged(1, UID))

    with dataset.connection() as connection:
        assert connection.execute(f"SELECT count(*) FROM {asked} WHERE alert = 100").fetchall() == [(1,)]
    assert asked != latest(dataset)


def test_what_is_told_anew_stands_in_place_of_all_that_was_known(dataset: Dataset) -> None:
    told(dataset, triaged(1, UID))
    told(dataset, triaged(2, Detection(flow_uids=("C2",))), anew=True)
    assert (label(dataset), label(dataset, "C2")) == ("benign", "malicious")
    told(dataset, anew=True)
    assert label(dataset, "C2") == "benign"


@pytest.mark.parametrize("tag", ["false-positive", "false_positive", "FP"])
def test_an_alert_closed_as_false_labels_nothing(dataset: Dataset, tag: str) -> None:
    told(dataset, triaged(1, UID, status=Status.CLOSED, tags=[tag]))
    assert label(dataset) == "benign"
    told(dataset, triaged(1, UID, status=Status.CLOSED, tags=["true"]))
    assert label(dataset) == "malicious"
    told(dataset, triaged(1, UID, status=Status.PROMOTED, tags=[tag]))
    assert label(dataset) == "malicious"


def test_an_alert_of_an_alertgroup_may_be_false_alone_by_its_own_tag(dataset: Dataset) -> None:
    group = triaged(1, UID, Detection(flow_uids=("C2",)))
    alerts = [one.alert for one in triaged(1, UID, Detection(flow_uids=("C2",)), status=Status.CLOSED).alerts]
    mixed = (Judged(alerts[0], ("fp",)), Judged(alerts[1], ()))
    told(dataset, type(group)(id=1, status=Status.CLOSED, alerts=mixed))
    assert (label(dataset), label(dataset, "C2")) == ("benign", "malicious")


def test_tags_of_ones_own_say_what_was_false_and_a_change_of_them_reads_all_anew(dataset: Dataset) -> None:
    closed = triaged(1, UID, status=Status.CLOSED, tags=["drill"])
    seen: list[Since] = []

    def changed(since: Since) -> Iterator[News]:
        seen.append(since)
        if not since.hub:
            yield News(groups=(closed,), since=Since(hub="h", id=1), anew=True)

    refresh(dataset, changed)
    assert label(dataset) == "malicious"
    refresh(dataset, changed, false=["Drill"])
    assert label(dataset) == "benign"
    refresh(dataset, changed, false=["Drill"], meaning="other columns")
    assert [since.id for since in seen] == [0, 0, 0]


def test_what_is_folded_into_a_false_alarm_is_false_with_it(dataset: Dataset) -> None:
    told(dataset, triaged(1, Detection(flow_uids=("C0",))), triaged(2, UID, follows=1))
    assert label(dataset) == "malicious"
    told(dataset, triaged(1, Detection(flow_uids=("C0",)), status=Status.CLOSED, tags=["fp"]))
    assert label(dataset) == "benign"
    for _ in range(2 * detections.MOST_FILES):
        told(dataset, triaged(3))
    assert label(dataset) == "benign", "also once all is put together"
    told(dataset, triaged(1, gone=True))
    assert label(dataset) == "benign", "a deleted one takes what follows it along"


def test_the_flows_of_one_alertgroup_are_found_also_when_it_was_a_false_alarm(dataset: Dataset) -> None:
    told(dataset, triaged(1, UID, status=Status.CLOSED, tags=["fp"]), triaged(2, UID))
    assert labels(dataset, [flow(1, uid="C1"), flow(2)], Options(), alertgroup=1) == [
        (1, "malicious", 100),
        (2, "benign", None),
    ]


def test_where_no_parser_said_what_an_alert_means_its_columns_do(dataset: Dataset) -> None:
    group = triaged(1)
    cells = Judged(type(triaged(1, UID).alerts[0].alert)(json='{"zeek_uid": "C1", "category": "scan"}', id=5))
    told(dataset, type(group)(id=1, status=Status.OPEN, alerts=(cells,)))
    assert labels(dataset, [flow(1, uid="C1")]) == [(1, "malicious", 5)]


def test_a_refresh_that_breaks_off_keeps_what_it_brought_in_and_goes_on_there(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detections, "PORTION", 1)
    asked: list[int] = []

    def changed(since: Since) -> Iterator[News]:
        asked.append(since.id)
        for id in range(since.id + 1, 4):
            if id == 3 and len(asked) == 1:
                raise StoreUnavailable("gone")
            yield News(groups=(triaged(id, Detection(flow_uids=(f"C{id}",))),), since=Since(hub="h", id=id))

    with pytest.raises(StoreUnavailable):
        refresh(dataset, changed)
    assert label(dataset, "C2") == "malicious"
    assert refresh(dataset, changed).alertgroups == 1
    assert asked == [0, 2]
    assert label(dataset, "C3") == "malicious"


def test_where_nothing_is_new_nothing_is_written_and_the_stamp_stays(dataset: Dataset) -> None:
    told(dataset, triaged(1, UID))
    before, files = stamp(dataset), sorted((dataset.folder / "detections").iterdir())
    assert refresh(dataset, lambda _: []) == (0, 0)
    assert (stamp(dataset), sorted((dataset.folder / "detections").iterdir())) == (before, files)
    told(dataset, triaged(1, gone=True))
    assert stamp(dataset) != before


def test_text_that_no_database_holds_and_times_beyond_all_reason_label_what_they_can(dataset: Dataset) -> None:
    odd = Detection(
        flow_uids=("a\0b", "\ud800", "C1"), category="\ud800\0", detected=2**70, start=-(2**70), severity=None
    )
    far = between("10.0.0.1", "10.0.0.2", start=-(2**70), end=2**70)
    told(dataset, triaged(1, odd), triaged(2, far), triaged(3, Detection(sources=(Endpoint(addresses=("",)),))))
    several = [flow(1, uid="C1"), flow(2, saddr="10.0.0.1", daddr="10.0.0.2", start=5)]
    assert [word for _, word, _ in labels(dataset, several)] == ["malicious", "malicious"]


def test_a_note_that_cannot_be_read_is_said(dataset: Dataset) -> None:
    with dataset.catalogue() as catalogue:
        catalogue.take_note(detections.NOTE, '{"files": 1}')
    with pytest.raises(FlowsError, match="what is noted of detections cannot be read"):
        latest(dataset)


KILLED = """
import sys, itertools
from pathlib import Path
from neighbours.labels import triaged
from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling import detections
from tocsin.model import Detection, News, Since
detections.PORTION = 200
def changed(since):
    for id in itertools.count(since.id + 1):
        yield News(groups=(triaged(id, Detection(flow_uids=(f"C{id}",))),), since=Since(hub="h", id=id))
        print(id, flush=True)
detections.refresh(Dataset(Path(sys.argv[1]), memory_mb=200, threads=1), changed)
"""


def test_a_killed_refresh_leaves_what_counted_and_is_done_again_from_there(dataset: Dataset) -> None:
    for wanted in (150, 450, 900):
        killed = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(dataset.folder)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert killed.stdout is not None
        deadline = time.monotonic() + 60
        for line in killed.stdout:
            if int(line) >= wanted or time.monotonic() > deadline:
                break
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        rows = [alertgroup for alertgroup, alert in kept(dataset) if alert is not None]
        assert rows == list(range(1, len(rows) + 1)), "none is missing, none stands twice"
    assert len(rows) > 450
