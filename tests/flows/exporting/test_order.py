"""Rows leave in the order in which they came: over threads, row groups and parts that overlap."""

from pathlib import Path

import pytest

from neighbours.labels import told, triaged
from neighbours.parts import S, T, lay, lay_many, read_json
from tocsin.flows.catalogue import Part
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting.export import export_file
from tocsin.flows.exporting.plan import Profile, Wish
from tocsin.flows.exporting.portions import portions
from tocsin.model import Detection


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """An empty data set, read by several threads."""
    return Dataset(tmp_path / "flows", memory_mb=400, threads=4)


def part(first: int, last: int, kind: str = "conn", rows: int = 10) -> Part:
    return Part(f"{kind}/{first}-{last}", 1, "2023-11-14", kind, rows, first, last, 0, 0)


@pytest.mark.parametrize("profile", ["slips", "flat"])
def test_order_is_kept_by_many_threads_over_many_row_groups(dataset: Dataset, tmp_path: Path, profile: Profile) -> None:
    count = 60_000
    lay_many(dataset, "conn", f"'C' || i AS uid, {T} + i AS start, '10.0.0.1' AS saddr, 'SF' AS state", count)
    told(dataset, *(triaged(n, Detection(flow_uids=(f"C{n * 7}",))) for n in range(1, 500)))

    export_file(dataset, Wish("json", profile), tmp_path / "out", now=T)
    found = read_json(tmp_path / "out")

    assert [row["uid"] for row in found] == [f"C{number}" for number in range(count)]
    assert [row["uid"] for row in found if row["label"] == "malicious"] == [f"C{n * 7}" for n in range(1, 500)]


def test_lines_of_two_days_that_alternate_stay_where_they_were(dataset: Dataset, tmp_path: Path) -> None:
    days = [[{"uid": f"C{line}", "line": line, "start": T + line * S} for line in range(n, 20, 2)] for n in (0, 1)]
    lay(dataset, "conn", *days)
    lay(dataset, "dns", [{"uid": "D0"}])
    lay(dataset, "conn", [{"uid": "C20"}])

    export_file(dataset, Wish("json", alternative=True), tmp_path / "out", now=T)

    assert [row["uid"] for row in read_json(tmp_path / "out")] == [*(f"C{line}" for line in range(21)), "D0"]


def test_labels_find_their_rows_across_parts_and_behind_a_span(dataset: Dataset, tmp_path: Path) -> None:
    for number in range(3):
        lay(dataset, "conn", [{"uid": f"C{number}{n}", "start": T + (10 * number + n) * S} for n in range(10)])
    told(dataset, triaged(1, Detection(flow_uids=("C05", "C11", "C29"))))

    export_file(dataset, Wish("json", since=T + 11 * S, until=T + 30 * S), tmp_path / "out", now=T)
    found = read_json(tmp_path / "out")

    assert [row["uid"] for row in found] == [f"C{number}{n}" for number in (1, 2) for n in range(10)][1:]
    assert [row["uid"] for row in found if row["label"] == "malicious"] == ["C11", "C29"]


def test_a_query_may_ask_for_labels(dataset: Dataset, tmp_path: Path) -> None:
    lay(dataset, "conn", [{"uid": f"C{n}", "start": T + n * S, "dport": n} for n in range(6)])
    told(dataset, triaged(1, Detection(flow_uids=("C1", "C3", "C5"))))

    export_file(dataset, Wish("json", query="label:malicious AND dport>=3"), tmp_path / "out", now=T)

    assert [row["uid"] for row in read_json(tmp_path / "out")] == ["C3", "C5"]


def test_parts_that_follow_one_another_are_written_together() -> None:
    found = portions([part(0, 9), part(10, 19), part(20, 29), part(30, 39, "dns")], ("conn", "dns"), most=20)

    assert [(each.kind, len(each.parts), each.rows, each.mixed) for each in found] == [
        ("conn", 2, 20, False),
        ("conn", 1, 10, False),
        ("dns", 1, 10, False),
    ]


def test_only_what_overlaps_is_put_in_order() -> None:
    overlapping = [part(0, 99, rows=100), part(90, 199, rows=110), part(200, 299, rows=100)]

    found = portions(overlapping, ("conn",), most=50)

    assert [(each.cut, len(each.parts), each.mixed) for each in found] == [
        ((0, 89), 1, False),
        ((90, 99), 2, True),
        ((100, 199), 1, False),
        (None, 1, False),
    ]


def test_few_rows_that_overlap_are_put_in_order_at_once() -> None:
    (only,) = portions([part(0, 99), part(5, 50)], ("conn",), most=50)

    assert (only.cut, only.mixed, len(only.parts)) == (None, True, 2)
