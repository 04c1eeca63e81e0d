"""NetFlow: nfdump's own files through the program, and its CSV in the layouts of its versions."""

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from neighbours.imported import REAL, SAMPLES, aside, imported, rows, some
from neighbours.missing import missing
from tocsin.errors import FlowsError
from tocsin.flows.dataset import Dataset
from tocsin.flows.reading import nfdump

FLOWS = SAMPLES / "flows.nfdump"
OLD, NEW, FAST = (SAMPLES / name for name in ("nfdump-1.7.1.csv", "nfdump-1.7.5.csv", "nfdump-fast.csv"))
REAL_FLOWS = REAL / "nfdump" / "malicious.nfdump"
T = 1_700_000_000_000_000
"""2023-11-14 22:13:20 UTC."""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """An empty data set."""
    return Dataset(tmp_path / "flows", memory_mb=200, threads=2)


@pytest.fixture
def program() -> str:
    """The program nfdump."""
    return shutil.which("nfdump") or missing("nfdump", "run tools/neighbours")


@pytest.mark.usefixtures("program")
def test_a_file_of_nfdumps_is_read_through_the_program(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    read = rows(imported(dataset, FLOWS), "nfdump")
    assert [some(row, "start", "proto", "saddr", "sport", "daddr", "dport", "spkts", "sbytes") for row in read] == [
        (T + 125_000, "ICMP", "10.0.0.1", 8, "10.0.0.2", 0, 1, 36),
        (T + 625_000, "ICMP", "10.0.0.2", 0, "10.0.0.1", 0, 1, 36),
        (T + 1_000_000, "ICMP", "10.0.0.3", 3, "10.0.0.1", 1, 1, 36),
        (T + 2_000_000, "UDP", "10.0.0.1", 40000, "10.0.0.53", 53, 1, 58),
        (T + 2_007_000, "UDP", "10.0.0.53", 53, "10.0.0.1", 40000, 1, 118),
        (T + 4_010_000, "ICMP6", "2001:db8::1", 128, "2001:db8::2", 0, 1, 56),
        (T + 3_001_000, "TCP", "2001:db8::1", 50000, "2001:db8::2", 443, 2, 120),
        (T + 3_009_000, "TCP", "2001:db8::2", 443, "2001:db8::1", 50000, 1, 60),
    ]
    tcp = read[6]
    assert some(tcp, "tool", "dur", "finish", "state") == ("nfdump", 0.009, T + 3_010_000, "...A..SF")
    assert some(tcp, "dpkts", "pkts", "dbytes", "bytes", "smac") == (0, 2, 0, 120, None)
    assert len({row["uid"] for row in read}) == len(read)
    assert all(row["aid"] for row in read)
    assert read[0]["community_id"] == read[1]["community_id"], "an echo and its answer"
    assert aside(dataset) == []


@pytest.mark.usefixtures("program")
def test_a_file_that_is_cut_short_is_refused_and_nothing_of_it_counts(dataset: Dataset, tmp_path: Path) -> None:
    cut = tmp_path / "nfcapd.202311142210"
    cut.write_bytes(FLOWS.read_bytes()[:700])
    with pytest.raises(FlowsError, match="nfdump could not read"):
        imported(dataset, cut)
    assert rows(dataset, "nfdump") == []


@pytest.mark.usefixtures("program")
def test_a_packed_file_is_unpacked_first_and_its_records_are_the_same(dataset: Dataset, tmp_path: Path) -> None:
    packed = tmp_path / "nfcapd.202311142210.gz"
    packed.write_bytes(gzip.compress(FLOWS.read_bytes()))
    uids = [row["uid"] for row in rows(imported(dataset, packed), "nfdump")]
    again = imported(Dataset(tmp_path / "again", memory_mb=200, threads=2), FLOWS)
    assert len(uids) == 8
    assert [row["uid"] for row in rows(again, "nfdump")] == uids


def test_without_the_program_the_remedy_is_said(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FlowsError, match="apt install nfdump"):
        imported(dataset, FLOWS)


def test_the_older_csv_is_read_up_to_its_summary(dataset: Dataset) -> None:
    read = rows(imported(dataset, OLD), "nfdump")
    assert len(read) == 8
    assert some(read[0], "start", "proto", "sport", "dport", "dir") == (T, "ICMP", 8, 0, "0")
    assert some(read[2], "proto", "sport", "dport") == ("ICMP", 3, 1)
    assert some(read[5], "proto", "sport", "dport") == ("ICMP6", 128, 0)
    assert some(read[6], "start", "dur", "proto", "spkts", "sbytes", "state") == (
        T + 3_000_000, 0.009, "TCP", 2, 120, "...A..SF",
    )  # fmt: skip
    with dataset.catalogue() as catalogue:
        (done,) = catalogue.imports()
    assert (done.form, done.lines, done.rows, done.malformed, done.skipped) == ("nfdump csv", 12, 8, 0, 4)


def test_the_older_csv_is_read_without_its_header_too(dataset: Dataset, tmp_path: Path) -> None:
    bare = tmp_path / "bare.csv"
    bare.write_text("".join(OLD.read_text().splitlines(keepends=True)[1:9]))
    with_header = rows(imported(dataset, OLD), "nfdump")
    without = rows(imported(Dataset(tmp_path / "bare", memory_mb=200, threads=2), bare), "nfdump")
    same = [name for name in with_header[0] if name not in ("uid", "place")]
    assert [some(row, *same) for row in without] == [some(row, *same) for row in with_header]


def test_the_newer_csv_is_read_by_the_names_of_its_header(dataset: Dataset) -> None:
    udp, icmp, tcp = rows(imported(dataset, NEW), "nfdump")
    assert some(udp, "start", "dur", "finish", "proto", "sport", "dport", "spkts", "sbytes") == (
        T + 2_000_000, 0.007, T + 2_007_000, "UDP", 40000, 53, 1, 58,
    )  # fmt: skip
    assert some(udp, "dpkts", "dbytes", "pkts", "bytes") == (None, None, 1, 58)
    assert some(icmp, "proto", "sport", "dport") == ("ICMP", 8, 0)
    assert some(tcp, "saddr", "daddr", "start") == ("2001:db8::1", "2001:db8::2", T + 3_001_000)
    assert aside(dataset) == [
        (4, "8 fields, and not 10"),
        (5, "dport is not a port: '99999'"),
        (6, "start is not a time: '0000-00-00 00:00:00.000'"),
    ]


def test_the_fast_csv_has_milliseconds_since_the_epoch(dataset: Dataset) -> None:
    udp, tcp = rows(imported(dataset, FAST), "nfdump")
    assert some(udp, "start", "dur", "finish", "proto") == (T + 2_000_000, 0.007, T + 2_007_000, "UDP")
    assert some(tcp, "start", "dur", "proto", "state") == (T + 3_001_000, 0.009, "TCP", "...A..SF")


def test_times_of_a_csv_are_of_the_zone_that_is_said(dataset: Dataset) -> None:
    udp, *_ = rows(imported(dataset, NEW, zone="Europe/Prague"), "nfdump")
    assert udp["start"] == T + 2_000_000 - 3_600_000_000


@pytest.mark.parametrize(
    "head",
    [b"StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport\n", b"0ca50100", b"\x0c\xa5\x09\x00", b"a,b\n", b""],
)
def test_other_files_are_not_taken_for_nfdumps(head: bytes) -> None:
    assert nfdump.recognise(head) is None


@pytest.mark.skipif(not REAL_FLOWS.exists(), reason="no real logs beside the project")
def test_a_real_file_is_read_whole(dataset: Dataset, program: str) -> None:
    command = [program, "-r", str(REAL_FLOWS), "-o", "csv"]
    listed = subprocess.run(command, capture_output=True, text=True, env={"TZ": "UTC"}, check=True).stdout
    *flows, _, _, totals = listed.splitlines()[1:]
    count, size, packets = (int(number) for number in totals.split(",")[:3])
    read = rows(imported(dataset, REAL_FLOWS), "nfdump")

    assert len(flows) == len(read) == count == 4593
    assert sum(row["bytes"] for row in read) == size
    assert sum(row["pkts"] for row in read) == packets
    for line, row in zip(flows, read, strict=True):
        _, _, _, saddr, daddr, sport, dport, proto, state, *_ = line.split(",")
        assert some(row, "saddr", "daddr", "sport", "dport", "proto", "state") == (
            saddr, daddr, int(sport), int(dport), proto, state,
        )  # fmt: skip
