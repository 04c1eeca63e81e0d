"""Zeek's fifteen logs, tab-separated and JSON: the same rows of both, whatever their files are called."""

import gzip
import json
from pathlib import Path

import pytest

from neighbours.imported import SAMPLES, Row, aside, counts, imported, rows, some
from tocsin.flows.dataset import Dataset
from tocsin.flows.importing import Outcome, import_each
from tocsin.flows.reading.zeek import SIGNS

TAB, JSON = SAMPLES / "zeek-tab", SAMPLES / "zeek-json"
LINES = {"conn": 3, "dns": 2, "http": 2, "notice": 2, "weird": 2}
SECOND = 1_000_000
START = 1_700_000_000 * SECOND
CONN = ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "conn_state"]
FLOW = ["1700000000.5", "C1", "10.0.0.1", "1", "10.0.0.2", "2", "tcp", "SF"]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """An empty data set."""
    return Dataset(tmp_path / "flows", memory_mb=200, threads=2)


def log(file: Path, fields: list[str], *lines: list[str], also: str = "") -> Path:
    """A tab-separated log of connections."""
    header = f"#separator \\x09\n{also}#path\tconn\n#fields\t" + "\t".join(fields)
    file.write_text("\n".join([header, *("\t".join(line) for line in lines)]) + "\n")
    return file


def outcomes(dataset: Dataset, *paths: Path) -> list[Outcome]:
    return list(import_each(dataset, paths))


def normal(row: Row) -> Row:
    """A row without its place, and with intervals as numbers: JSON has 60.0 where the other has 60.000000."""
    ttls = row.get("TTLs") and [float(ttl) for ttl in row["TTLs"]]
    return {**row, "place": None} | ({"TTLs": ttls} if "TTLs" in row else {})


@pytest.mark.parametrize("kind", SIGNS)
def test_each_log_gives_the_same_rows_in_both_forms(kind: str, tmp_path: Path) -> None:
    tab = rows(imported(Dataset(tmp_path / "tab"), TAB / f"{kind}.log"), kind)
    as_json = rows(imported(Dataset(tmp_path / "json"), JSON / f"{kind}.log"), kind)

    assert len(tab) == LINES.get(kind, 1)
    assert [normal(row) for row in as_json] == [normal(row) for row in tab]


@pytest.mark.parametrize("kind", SIGNS)
@pytest.mark.parametrize("folder", [TAB, JSON], ids=["tab", "json"])
def test_a_log_is_known_by_its_content_whatever_it_is_called(folder: Path, kind: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    content = (folder / f"{kind}.log").read_bytes()
    path = tmp_path / "in" / "x.dat"
    path.write_bytes(content.replace(f"#path\t{kind}".encode(), b"#path\tmine"))

    assert counts(imported(Dataset(tmp_path / "flows"), path)) == {kind: LINES.get(kind, 1)}


def test_every_kept_field_of_a_connection_has_its_type(dataset: Dataset) -> None:
    first, second, third = rows(imported(dataset, TAB / "conn.log"), "conn")
    assert some(first, "tool", "start", "uid", "dur", "finish") == (
        "zeek", START + 1, "CAAAA00000000001", 1.5, START + 1_500_001,
    )  # fmt: skip
    assert some(first, "saddr", "sport", "daddr", "dport") == ("10.0.0.5", 51000, "93.184.216.34", 443)
    assert some(first, "proto", "appproto", "state", "history", "dir") == ("tcp", "ssl", "SF", "ShADadFf", "->")
    assert some(first, "spkts", "dpkts", "pkts", "sbytes", "dbytes", "bytes") == (9, 8, 17, 310, 4096, 4406)
    assert some(first, "smac", "dmac") == ("02:00:00:00:00:01", "02:00:00:00:00:02")
    assert first["aid"] == "2:caHNsYNEDZEcpV54lWBHbFJe3cc="
    assert some(second, "appproto", "dur", "finish", "sbytes", "bytes") == (None, None, None, None, None)
    assert some(third, "proto", "history", "aid") == (None, "", None)


def test_every_kept_field_of_the_other_logs_has_its_type(dataset: Dataset) -> None:
    imported(dataset, TAB)
    dns, http = rows(dataset, "dns")[0], rows(dataset, "http")
    assert some(dns, "query", "rcode_name", "answers", "TTLs") == (
        "www.example.org", "NOERROR", ["web.example.org", "192.0.2.7"], ["60.000000", "5.500000"],
    )  # fmt: skip
    assert some(http[0], "uri", "user_agent", "status_code", "resp_fuids") == (
        "/a?b=c,d\te", "Brows\\er/1.0 (ä)", 200, ["FAAAA1", "FAAAA2"],
    )  # fmt: skip
    assert some(http[1], "uid", "user_agent", "request_body_len", "resp_fuids") == ("CAAAA00000000020", "-", 17, None)
    assert http[0]["community_id"].startswith("1:")  # its protocol is known, though the log does not say it
    assert http[0]["proto"] is None
    ssl, ssh, dhcp = (rows(dataset, kind)[0] for kind in ("ssl", "ssh", "dhcp"))
    assert some(ssl, "cert_chain_fuids", "client_cert_chain_fuids", "established") == (["aa11", "bb22"], [], True)
    assert some(ssh, "version", "auth_success", "auth_attempts") == ("2", True, 3)
    uids = ["CAAAA00000000040", "CAAAA00000000041"]
    assert some(dhcp, "uid", "uids", "saddr", "daddr", "smac") == (
        uids[0], uids, "10.0.0.5", "10.0.0.1", "02:00:00:00:00:01",
    )  # fmt: skip
    notices, files, arp, software = (rows(dataset, kind) for kind in ("notice", "files", "arp", "software"))
    assert some(notices[0], "saddr", "daddr", "scanning_ip", "dst") == ("10.0.0.9", "10.0.0.5", "10.0.0.9", "10.0.0.5")
    assert some(notices[1], "uid", "dport", "scanned_port") == ("CAAAA00000000001", 443, 443)
    assert some(files[0], "uid", "saddr", "daddr", "size") == ("FAAAA1", "192.0.2.7", "10.0.0.5", 1234)
    assert some(arp[0], "saddr", "smac", "src_hw") == ("10.0.0.5", "02:00:00:00:00:01", "02:00:00:00:00:01")
    assert some(software[0], "saddr", "sport", "software", "version_major") == ("10.0.0.9", 22, "SSH::SERVER", 9)
    ftp, login, tunnel, weird = (rows(dataset, kind) for kind in ("ftp", "login", "tunnel", "weird"))
    assert some(ftp[0], "used_port", "dport") == (31337, 21)
    assert some(login[0], "success", "confused", "user", "client_user") == (True, False, "root", None)
    assert some(tunnel[0], "tunnel_type", "action") == ("Tunnel::GRE", "Tunnel::DISCOVER")
    assert some(weird[0], "name", "addl") == ("bad_HTTP_request", "-")


def test_a_file_whose_record_names_the_ends_of_its_connection_has_sender_and_receiver(
    dataset: Dataset, tmp_path: Path
) -> None:
    line = {"ts": 1, "fuid": "F1", "uid": "C1", "id.orig_h": "10.0.0.1", "id.resp_h": "10.0.0.2", "seen_bytes": 1}
    log = tmp_path / "files.log"
    log.write_text(json.dumps({**line, "is_orig": True}) + "\n" + json.dumps({**line, "is_orig": False}) + "\n")

    found = rows(imported(dataset, log), "files")

    assert [some(row, "uid", "saddr", "daddr") for row in found] == [
        ("F1", "10.0.0.1", "10.0.0.2"),
        ("F1", "10.0.0.2", "10.0.0.1"),
    ]


@pytest.mark.parametrize(
    ("ts", "start"),
    [
        (1700000000.5, START + 500_000),
        (1700000000, START),
        (1700000000500, START + 500_000),
        ("2023-11-14T22:13:20.500000Z", START + 500_000),
        ("2023-11-14T23:13:20.5+01:00", START + 500_000),
        ("2023-11-14T22:13:20", START),
        (18.836741, 18_836_741),
        (-0.5, -500_000),
    ],
)
def test_json_times_are_read_however_zeek_was_told_to_write_them(
    ts: object, start: int, dataset: Dataset, tmp_path: Path
) -> None:
    file = tmp_path / "conn.log"
    file.write_text(json.dumps({"ts": ts, "uid": "C1", "conn_state": "SF"}) + "\n")

    assert rows(imported(dataset, file), "conn")[0]["start"] == start


def test_a_fingerprint_is_of_all_decimals_of_a_time(dataset: Dataset, tmp_path: Path) -> None:
    exact, longer = (["1700000000.000001", *FLOW[1:]], ["1700000000.0000012", *FLOW[1:]])

    first, second = rows(imported(dataset, log(tmp_path / "a.log", CONN, exact, longer)), "conn")

    assert first["start"] == second["start"] == START + 1
    assert first["aid"] != second["aid"]
    assert first["community_id"] == second["community_id"]


@pytest.mark.parametrize("gap", ["\t", "   "], ids=["tabs", "three spaces"])
@pytest.mark.parametrize("name", ["detailedlabel", "detailed-label"])
def test_labels_of_a_labelled_log_are_its_ground_truth(gap: str, name: str, dataset: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "conn.log.labeled"
    fields = "\t".join(CONN) + f"\ttunnel_parents{gap}label{gap}{name}"
    flows = [f"(empty){gap}Malicious{gap}C&C-HeartBeat", f"-{gap}Benign{gap}-"]
    lines = ["#separator \\x09", "#path\tconn", f"#fields\t{fields}", *("\t".join([*FLOW, end]) for end in flows)]
    file.write_text("\n".join(lines) + "\n")

    found = rows(imported(dataset, file), "conn")

    assert aside(dataset) == []
    assert [some(row, "ground_truth_label", "detailed_ground_truth_label", "state") for row in found] == [
        ("Malicious", "C&C-HeartBeat", "SF"),
        ("Benign", None, "SF"),
    ]


def test_the_header_says_how_a_log_is_written(dataset: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "dns.log"
    file.write_text(
        "#separator \\x7c\n#set_separator|;\n#empty_field|EMPTY\n#unset_field|NONE\n#path|dns\n"
        "#fields|answers|query|ts|rcode_name\n#types|vector[string]|string|time|string\n"
        "a;b,c;NONE|-|1.5|NONE\nEMPTY|EMPTY|2.5|NOERROR\n"
    )

    found = rows(imported(dataset, file), "dns")

    assert [some(row, "answers", "query", "start", "rcode_name") for row in found] == [
        (["a", "b,c", None], "-", 1_500_000, None),
        ([], "", 2_500_000, "NOERROR"),
    ]


def test_a_new_header_in_the_middle_holds_from_there(dataset: Dataset, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    log(first, CONN, FLOW)
    log(second, CONN[::-1], FLOW[::-1])
    file = tmp_path / "put_together.log"
    file.write_bytes(
        b"".join(part.read_bytes() + b"#close\tx\n" for part in (first, second, first)) + (TAB / "dns.log").read_bytes()
    )

    imported(dataset, file)

    assert aside(dataset) == []
    found = rows(dataset, "conn")
    assert [some(row, "uid", "saddr", "sport", "state") for row in found] == [("C1", "10.0.0.1", 1, "SF")] * 3
    assert len(rows(dataset, "dns")) == LINES["dns"]


def test_a_header_may_stand_behind_white_space(dataset: Dataset, tmp_path: Path) -> None:
    file = log(tmp_path / "conn.log", CONN, FLOW)
    file.write_bytes(b"\xef\xbb\xbf \t" + file.read_bytes())

    (found,) = outcomes(dataset, file)

    assert found.imported is not None
    assert (found.imported.rows, found.imported.malformed, found.imported.skipped) == (1, 0, 3)


def test_compressed_and_rotated_logs_of_a_folder_are_read(dataset: Dataset, tmp_path: Path) -> None:
    day = tmp_path / "logs" / "2023-11-14"
    day.mkdir(parents=True)
    for kind in SIGNS:
        with gzip.open(day / f"{kind}.00:00:00-01:00:00.log.gz", "wb") as out:
            out.write((TAB / f"{kind}.log").read_bytes())

    assert counts(imported(dataset, tmp_path / "logs")) == {kind: LINES.get(kind, 1) for kind in SIGNS}


def test_logs_that_hold_no_flows_are_left_out_and_said(dataset: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "loaded_scripts.log").write_text('{"name":"/usr/share/zeek/base/init-bare.zeek"}\n')
    (folder / "pe.log").write_text('{"ts":1.5,"id":"F1","machine":"I386","is_exe":true}\n')
    (folder / "quic.log").write_text("#separator \\x09\n#path\tquic\n#fields\tts\tuid\n1.5\tC1\n")
    (folder / "README").write_text("These are logs.\n")
    (folder / "empty.log").write_text("")

    found = outcomes(dataset, folder)

    assert [(one.path.name, one.said, one.form) for one in found] == [
        ("README", "unknown", ""),
        ("empty.log", "unknown", ""),
        ("loaded_scripts.log", "ignored", "zeek log"),
        ("pe.log", "ignored", "zeek log"),
        ("quic.log", "ignored", "zeek quic"),
    ]


def test_lines_that_cannot_be_read_are_kept_aside_and_the_others_read(dataset: Dataset, tmp_path: Path) -> None:
    def changed(place: int, to: str) -> list[str]:
        return [*FLOW[:place], to, *FLOW[place + 1 :]]

    wrong = [FLOW[:-1], [*FLOW, "x"], changed(0, "yesterday"), changed(0, "-"), changed(3, "http"), changed(0, "nan")]
    imported(dataset, log(tmp_path / "conn.log", CONN, FLOW, *wrong, [], FLOW))

    assert len(rows(dataset, "conn")) == 2
    assert aside(dataset) == [
        (5, "7 fields instead of 8"),
        (6, "9 fields instead of 8"),
        (7, "ts is not a time: yesterday"),
        (8, "ts is missing"),
        (9, "id.orig_p is not a number: http"),
        (10, "ts is not a time: nan"),
    ]


def test_json_that_cannot_be_read_is_kept_aside_and_the_rest_read(dataset: Dataset, tmp_path: Path) -> None:
    sound = '{"ts":1.5,"uid":"C1","conn_state":"SF","id.orig_p":1}'
    wrong = ['{"ts":1.5,"uid"', "[1]", "5", '{"ts":1.5,"conn_state":"SF","id.orig_p":"http"}', "\x00", '{"uid":"C1"}']
    file = tmp_path / "conn.log"
    file.write_text("\n".join([sound, *wrong, "", sound, sound]))

    imported(dataset, file)

    assert len(rows(dataset, "conn")) == 3
    assert aside(dataset) == [
        (2, "not JSON"),
        (3, "ts is missing"),
        (4, "ts is missing"),
        (5, "id.orig_p is not a number: http"),
        (6, "not JSON"),
        (7, "ts is missing"),
    ]


def test_numbers_beyond_all_bounds_break_nothing(dataset: Dataset, tmp_path: Path) -> None:
    most = str(2**63 - 1)
    fields = [*CONN, "orig_bytes", "resp_bytes", "duration"]
    lines = [
        [*FLOW, most, most, "1e300"],
        [*FLOW, str(2**63), "0", "1"],
        ["1e15", *FLOW[1:], "1", "1", "inf"],
        ["1e300", *FLOW[1:], "1", "1", "1"],
    ]

    found = rows(imported(dataset, log(tmp_path / "conn.log", fields, *lines)), "conn")

    assert [some(row, "sbytes", "bytes", "finish") for row in found] == [(2**63 - 1, None, None), (1, 2, None)]
    assert aside(dataset) == [(5, f"orig_bytes is not a number: {2**63}"), (7, "ts is not a time: 1e300")]
