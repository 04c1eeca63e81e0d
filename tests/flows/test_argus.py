"""Argus' flows: what its header says, ports of ICMP, times that say no zone, and lines that are broken."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neighbours.imported import REAL, SAMPLES, aside, imported, rows, some
from tocsin.errors import FlowsError
from tocsin.flows.dataset import Dataset
from tocsin.flows.reading import argus

FLOWS = SAMPLES / "argus.binetflow"
TABS = SAMPLES / "argus.tabs.binetflow"
REAL_FLOWS = REAL / "argus" / "mixed.binetflow"
TEN = 1_772_359_200_000_000
"""2026-03-01 10:00 UTC."""
HOUR = 3_600_000_000


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """An empty data set."""
    return Dataset(tmp_path / "flows", memory_mb=200, threads=2)


def test_a_flow_has_every_field_with_its_type(dataset: Dataset) -> None:
    first, second = rows(imported(dataset, FLOWS), "argus")[:2]
    assert some(first, "tool", "start", "dur", "finish", "proto", "state", "dir") == (
        "argus", TEN + 1, 1.5, TEN + 1_500_001, "tcp", "SPA_SPA", "->",
    )  # fmt: skip
    assert some(first, "saddr", "sport", "daddr", "dport") == ("192.0.2.1", 50000, "198.51.100.7", 443)
    assert some(first, "pkts", "spkts", "dpkts", "bytes", "sbytes", "dbytes") == (12, 7, 5, 3000, 1000, 2000)
    assert some(first, "ground_truth_label", "detailed_ground_truth_label") == ("flow=From-Botnet-TCP", None)
    assert first["aid"].startswith("2:")
    assert some(second, "dir", "ground_truth_label", "dur") == ("<->", None, 0.000181)


def test_hexadecimal_ports_are_numbers_and_icmp_says_type_and_code(dataset: Dataset) -> None:
    _, _, echo, unreachable, tcp, arp, _ = rows(imported(dataset, FLOWS), "argus")
    assert some(echo, "proto", "sport", "dport") == ("icmp", 8, 0x0F72)
    assert some(unreachable, "sport", "dport") == (3, 1)
    assert some(tcp, "sport", "dport") == (443, 50001)
    assert some(arp, "sport", "dport", "aid", "community_id") == (None, None, None, None)
    assert echo["community_id"].startswith("1:")


def test_the_identifier_of_an_echo_is_in_no_fingerprint(dataset: Dataset, tmp_path: Path) -> None:
    header, *flows = FLOWS.read_text().splitlines()
    other = tmp_path / "other.binetflow"
    other.write_text("\n".join([header, flows[2].replace("0x0f72", "0x0001")]) + "\n")
    echo = rows(imported(dataset, FLOWS), "argus")[2]
    other_echo = rows(imported(dataset, other), "argus")[-1]
    assert other_echo["dport"] == 1
    assert some(echo, "aid", "community_id") == some(other_echo, "aid", "community_id")


def test_fields_divided_by_tabs_are_read_by_their_own_header(dataset: Dataset) -> None:
    seconds, dated = rows(imported(dataset, TABS), "argus")
    assert some(seconds, "start", "finish", "dur") == (TEN + 500_000, TEN + 2_750_000, 2.25)
    assert some(seconds, "spkts", "dpkts", "pkts", "sbytes", "dbytes", "bytes") == (7, 5, 12, 1000, 2000, 3000)
    assert some(seconds, "saddr", "daddr", "state", "ground_truth_label") == ("192.0.2.1", "198.51.100.7", "FIN", None)
    assert some(dated, "start", "dur") == (TEN + 1 - 5 * HOUR - HOUR // 2, 1.0), "an own offset counts"


@pytest.mark.parametrize(("zone", "hours"), [("UTC", 0), ("Europe/Prague", -1), ("America/New_York", 5)])
def test_times_without_a_zone_are_of_the_one_that_is_said(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, zone: str, hours: int
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    first = rows(imported(dataset, FLOWS, zone=zone), "argus")[0]
    assert first["start"] == TEN + 1 + hours * HOUR


def test_a_zone_that_is_none_is_refused(dataset: Dataset) -> None:
    with pytest.raises(FlowsError, match="Europe/Nowhere"):
        imported(dataset, FLOWS, zone="Europe/Nowhere")


def test_flows_that_look_alike_stay_two_and_keep_their_uids(dataset: Dataset, tmp_path: Path) -> None:
    uids = [row["uid"] for row in rows(imported(dataset, FLOWS), "argus")]
    again = imported(Dataset(tmp_path / "again", memory_mb=200, threads=2), FLOWS)
    assert len(set(uids)) == len(uids) == 7
    assert [row["uid"] for row in rows(again, "argus")] == uids


def test_broken_lines_are_kept_aside_with_the_reason(dataset: Dataset) -> None:
    imported(dataset, FLOWS)
    with dataset.catalogue() as catalogue:
        (done,) = catalogue.imports()
    assert (done.form, done.lines, done.rows, done.malformed, done.skipped) == ("argus, comma-separated", 15, 7, 6, 2)
    assert aside(dataset) == [
        (10, "7 fields, and not 16"),
        (11, "start is not a time: '2026-13-01 10:00:07.000000'"),
        (12, "dur is not a number: 'soon'"),
        (13, "pkts is not a count: '-1'"),
        (14, "17 fields, and not 16"),
        (15, "start is missing"),
    ]


@pytest.mark.parametrize(
    "head",
    [
        b"#separator \\x09\n#fields\tts\tuid\n",
        b"ts,te,td,sa,da,sp,dp,pr,flg\n",
        b"firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows\n",
        b"StartTime,Dur,Proto,SrcAddr\n",
        b'{"StartTime":1}\n',
        b"",
    ],
)
def test_other_files_are_not_taken_for_argus(head: bytes) -> None:
    assert argus.recognise(head) is None


@pytest.mark.skipif(not REAL_FLOWS.exists(), reason="no real logs beside the project")
def test_a_real_file_is_read_whole(dataset: Dataset) -> None:
    with REAL_FLOWS.open(newline="") as file:
        said = list(csv.DictReader(file))
    read = rows(imported(dataset, REAL_FLOWS), "argus")
    assert aside(dataset) == []
    for line, row in zip(said, read, strict=True):
        begin = datetime.strptime(line["StartTime"], "%Y/%m/%d %H:%M:%S.%f").replace(tzinfo=UTC)
        assert row["start"] / 1e6 == begin.timestamp()
        assert some(row, "saddr", "daddr", "proto", "state", "dir") == (
            line["SrcAddr"], line["DstAddr"], line["Proto"], line["State"], line["Dir"].strip(),
        )  # fmt: skip
        assert some(row, "sport", "dport") == (int(line["Sport"], 0), int(line["Dport"], 0))
        assert some(row, "pkts", "spkts", "bytes", "sbytes", "dbytes") == (
            int(line["TotPkts"]), int(line["SrcPkts"]), int(line["TotBytes"]), int(line["SrcBytes"]),
            int(line["TotBytes"]) - int(line["SrcBytes"]),
        )  # fmt: skip
        assert row["dur"] == float(line["Dur"])
