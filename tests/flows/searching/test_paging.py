"""Pages of flows: in order, none twice and none left out, whatever comes in meanwhile."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pytest

from neighbours.flows import Row, lay
from neighbours.labels import told, triaged
from tocsin.errors import BadQuery, FlowsError, Malformed, NotFound, TooSlow
from tocsin.flows.catalogue import Part
from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling.prepared import Options
from tocsin.flows.labelling.said import Row as SaidRow
from tocsin.flows.searching.asked import Order, asked
from tocsin.flows.searching.counting import hosts, timeline
from tocsin.flows.searching.paging import flow, search
from tocsin.flows.searching.spans import Span
from tocsin.flows.searching.warm import Reading, Said, Warm
from tocsin.flows.searching.windows import stretches
from tocsin.model import Detection

S = 1_000_000
NOW = 1_700_000_000 * S


def conn(start: int | None, **cells: object) -> Row:
    return {"kind": "conn", "start": start, "saddr": "10.0.0.1", "daddr": "10.0.0.2", "bytes": 10} | cells


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[Warm]:
    found = Warm(Dataset(tmp_path / "flows", memory_mb=300, threads=2), Options(), longest_s=60)
    yield found
    found.close()


def walk(warm: Warm, query: str, order: Order, limit: int, after: str = "") -> list[int]:
    """The places of all pages, one behind the other."""
    places: list[int] = []
    while True:
        page = search(warm, asked(query, NOW), limit=limit, after=after, order=order)
        places += [one.place for one in page.flows]
        after = page.after
        if not after:
            return places


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_hold_every_flow_once_and_in_order(warm: Warm, order: Order) -> None:
    rows = lay(warm.dataset, [conn(NOW - n // 3 * S if n % 10 else None) for n in range(40)], 9)
    rows += lay(warm.dataset, [conn(NOW - 86_400 * S), conn(NOW - S), {"kind": "dns", "start": NOW - S, "query": "a"}])
    timed = [row for row in rows if row["start"] is not None]
    timed.sort(key=lambda row: (row["start"], row["place"]), reverse=order == "newest")
    untimed = sorted((row["place"] for row in rows if row["start"] is None), reverse=order == "newest")

    assert walk(warm, "", order, 7) == [row["place"] for row in timed] + untimed


def test_what_comes_in_between_two_pages_moves_nothing(warm: Warm) -> None:
    before = lay(warm.dataset, [conn(NOW - n * S) for n in range(6)])
    first = search(warm, asked("", NOW), limit=3)
    lay(warm.dataset, [conn(NOW + S), conn(NOW - 9 * S)])
    rest = walk(warm, "", "newest", 3, first.after)

    assert [one.place for one in first.flows] == [row["place"] for row in before[:3]]
    assert rest[:3] == [row["place"] for row in before[3:]]
    assert len(rest) == 4


def test_the_first_page_reads_none_but_the_newest_parts() -> None:
    parts = [Part(f"{n}", 1, "d", "conn", 100_000, n, n, n * 1000, n * 1000 + 999) for n in range(50)]
    found = list(stretches(parts, Span(), newest=True))
    oldest = list(stretches(parts, Span(), newest=False))

    assert found[0].end == 50_000
    assert found[0].first is not None
    assert found[0].first > 49_000
    assert oldest[0].first == 0
    assert [one.end for one in found[1:]] == [one.first for one in found[:-1]]
    assert found[-1].first == 0
    assert len(found) < 6


def test_a_flow_is_found_by_its_number_with_all_that_is_kept_of_it(warm: Warm) -> None:
    told(warm.dataset, triaged(3, Detection(flow_uids=("C1",), category="Recon")))
    row = lay(warm.dataset, [conn(NOW, uid="C1"), conn(NOW, uid="C2")])[0]
    found = flow(warm, row["place"])

    assert found.cells == {name: value for name, value in row.items() if name != "kind"}
    assert (found.label, found.alertgroup, found.alert, found.category) == ("malicious", 3, 300, "Recon")
    with pytest.raises(NotFound):
        flow(warm, 99)


def test_labels_follow_the_alerts_from_one_question_to_the_next(warm: Warm) -> None:
    lay(warm.dataset, [conn(NOW, uid="C1"), conn(NOW, uid="C2")])
    malicious = asked("label:malicious", NOW)
    assert not search(warm, malicious).flows

    told(warm.dataset, triaged(3, Detection(flow_uids=("C2",))))
    assert [one.cells["uid"] for one in search(warm, malicious).flows] == ["C2"]
    assert [one.cells["uid"] for one in search(warm, asked("label:benign", NOW)).flows] == ["C1"]


def test_the_flows_of_one_alertgroup_are_those_it_says_whatever_was_brought_in(warm: Warm) -> None:
    told(warm.dataset, triaged(3, Detection(flow_uids=("C1",))))
    lay(warm.dataset, [conn(NOW, uid="C1"), conn(NOW, uid="C2"), {"kind": "dhcp", "start": NOW, "uids": ["C8", "C2"]}])
    said = Said(9, (SaidRow(alertgroup=9), SaidRow(alertgroup=9, alert=77, false=True, uids=["C2"])))
    found = search(warm, asked("", NOW), said=said).flows

    assert sorted((one.kind, one.alert, one.alertgroup) for one in found) == [("conn", 77, 9), ("dhcp", 77, 9)]
    assert [one.cells["uid"] for one in search(warm, asked("label:malicious", NOW)).flows] == ["C1"]


def test_a_timeline_counts_all_and_labelled_flows_without_gaps(warm: Warm) -> None:
    told(warm.dataset, triaged(3, Detection(flow_uids=("C1",))))
    lay(warm.dataset, [conn(NOW, uid="C1"), conn(NOW + S), conn(NOW + 3600 * S), conn(None)])
    found = timeline(warm, asked("", NOW), buckets=10)

    assert found.step == 600 * S
    assert [(one.flows, one.labelled) for one in found.buckets] == [(2, 1), *[(0, 0)] * 5, (1, 0)]


def test_a_timeline_looks_closer_at_flows_that_lie_close_together(warm: Warm) -> None:
    far = [conn(1000 * S), conn(NOW)]
    lay(warm.dataset, [*far, *(conn(NOW - 9000 * S + n * S, saddr="10.9.9.9") for n in range(300))])
    close = timeline(warm, asked("src:10.9.9.9", NOW))
    wide = timeline(warm, asked("src:10.9.9.9", NOW, since=0, until=NOW))

    assert close.step <= 10 * S
    assert sum(one.flows for one in close.buckets) == sum(one.flows for one in wide.buckets) == 300
    assert wide.step > 7 * 86400 * S


def test_hosts_are_told_with_the_labelled_ones_first(warm: Warm) -> None:
    told(warm.dataset, triaged(3, Detection(flow_uids=("C1",))))
    lay(warm.dataset, [conn(NOW), conn(NOW + S), conn(NOW, saddr="10.9.9.9", daddr="10.9.9.9", uid="C1")])
    found = [(one.address, one.sent, one.received, one.bytes, one.labelled) for one in hosts(warm, asked("", NOW))]

    assert found == [("10.9.9.9", 1, 1, 10, 1), ("10.0.0.1", 2, 0, 20, 0), ("10.0.0.2", 0, 2, 20, 0)]


@pytest.mark.parametrize("after", ["x", "1", "1.2.3", ".99999999999999999999", "1;2"])
def test_an_after_that_no_page_gave_is_refused(warm: Warm, after: str) -> None:
    with pytest.raises(Malformed, match="after"):
        search(warm, asked("", NOW), after=after)


@pytest.mark.parametrize(
    ("query", "position", "told_of"),
    [
        ("sadr:10.0.0.1", 0, "did you mean saddr"),
        ("src:10.0.0.300", 4, "address or a network"),
        ("proto:tcp and bytes:many", 20, "whole number"),
        ("kind:conm", 5, "did you mean conn"),
        ("alert:{src:10.0.0.1}", 0, "alert:{ }"),
        ("data.user:root", 0, "no field"),
    ],
)
def test_a_query_that_cannot_be_read_is_told_where_and_what_to_write(query: str, position: int, told_of: str) -> None:
    with pytest.raises(BadQuery) as raised:
        asked(query, NOW)

    assert raised.value.position == position
    assert told_of in str(raised.value)


def test_a_question_that_takes_too_long_is_given_up_and_the_next_one_is_answered(warm: Warm) -> None:
    lay(warm.dataset, [conn(NOW)])
    warm.longest_s = 0.2
    with pytest.raises(TooSlow, match="narrow it down"), warm.reading() as reading:
        reading.rows("SELECT count(*) FROM range(10000000000) a, range(1000) b WHERE a.range % 7 = b.range")
    warm.longest_s = 60

    assert len(search(warm, asked("", NOW)).flows) == 1


def test_a_question_of_many_statements_is_given_up_though_its_time_ends_between_two(warm: Warm) -> None:
    lay(warm.dataset, [conn(NOW)])
    warm.longest_s = 0.1

    def ask(reading: Reading) -> None:
        reading.rows("SELECT 1")
        time.sleep(0.5)
        reading.rows("SELECT count(*) FROM range(10000000000) a, range(10) b WHERE a.range % 7 = b.range")

    with pytest.raises(TooSlow, match="narrow it down"), warm.reading() as reading:
        ask(reading)


def test_a_database_that_broke_is_opened_anew_for_the_next_question(warm: Warm) -> None:
    lay(warm.dataset, [conn(NOW)])
    with warm.reading() as reading:
        reading.rows("CREATE TABLE of_the_broken_one (x INTEGER)")
    with pytest.raises(FlowsError, match="invalidated"), warm.reading():
        raise duckdb.FatalException("database has been invalidated")

    with warm.reading() as reading:
        assert reading.rows("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'of_the_broken_one'") == [(0,)]
    assert len(search(warm, asked("", NOW)).flows) == 1


def test_no_more_questions_are_answered_at_once_than_leave_the_server_its_threads(
    warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tocsin.flows.searching.warm._WAIT_S", 0.01)
    lay(warm.dataset, [conn(NOW)])
    with ExitStack() as others:
        for _ in range(8):
            others.enter_context(warm.reading())
        with pytest.raises(TooSlow, match="ask again"):
            search(warm, asked("", NOW))

    assert len(search(warm, asked("", NOW)).flows) == 1


def test_without_any_import_there_are_no_flows(warm: Warm) -> None:
    assert search(warm, asked("", NOW)).flows == ()
    assert timeline(warm, asked("", NOW)).buckets == ()
    assert hosts(warm, asked("", NOW)) == []
