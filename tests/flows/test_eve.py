"""Suricata's EVE log: every event that is kept, with its types; odd lines; alerts that go to the analysts."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from neighbours.imported import REAL, SAMPLES, aside, counts, imported, rows, some
from tocsin.flows import alerts
from tocsin.flows.dataset import Dataset
from tocsin.flows.reading import eve
from tocsin.model import Message
from tocsin.parsers.suricata import Suricata

EVE = SAMPLES / "eve.json"
REAL_EVE = REAL / "suricata" / "eve.json"
TEN = 1_772_359_200_000_000
"""2026-03-01 10:00 UTC."""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """An empty data set."""
    return Dataset(tmp_path / "flows", memory_mb=200, threads=2)


def lines(*events: object) -> str:
    """A log of those events."""
    return "".join(json.dumps(event) + "\n" for event in events)


def alert(number: int, **also: object) -> dict[str, object]:
    """An alert event."""
    stamp = f"2026-03-01T10:00:00.{number:06}+0000"
    return {"timestamp": stamp, "flow_id": number, "event_type": "alert", "alert": {"signature": "one"}, **also}


def test_a_flow_has_its_own_times_and_a_duration(dataset: Dataset) -> None:
    ping, web = rows(imported(dataset, EVE), "conn")
    assert some(web, "tool", "uid", "start", "finish", "dur") == (
        "suricata", "2208907765932313", TEN + 250_000, TEN + 3_000_000, 2.75,
    )  # fmt: skip
    assert some(web, "saddr", "sport", "daddr", "dport", "proto", "appproto") == (
        "2001:db8::1", 50000, "2001:db8::2", 443, "TCP", "tls",
    )  # fmt: skip
    assert some(web, "spkts", "dpkts", "pkts", "sbytes", "dbytes", "bytes", "state") == (
        7, 5, 12, 1000, 2000, 3000, "closed",
    )  # fmt: skip
    assert some(web, "smac", "dmac") == ("02:00:00:00:00:01", "02:00:00:00:00:02")
    # Half past four in UTC, as its own offset says.
    assert some(ping, "start", "dur") == (TEN - 5 * 3_600_000_000 - 30 * 60_000_000 + 1, 1.5)


def test_a_flow_without_ports_has_type_and_code_and_a_fingerprint(dataset: Dataset) -> None:
    ping, web = rows(imported(dataset, EVE), "conn")
    assert some(ping, "proto", "sport", "dport") == ("ICMP", 8, 0)
    assert ping["community_id"] == "1:" + ping["community_id"][2:] != "1:"
    assert ping["aid"].startswith("2:")
    assert web["aid"].startswith("2:")


def test_dns_is_read_in_all_its_versions(dataset: Dataset) -> None:
    said = [
        some(row, "query", "qtype_name", "rcode_name", "answers", "TTLs") for row in rows(imported(dataset, EVE), "dns")
    ]
    assert said == [
        ("www.example.org", "A", None, None, None),
        ("www.example.org", "A", "NOERROR", ["192.0.2.80"], ["60"]),
        ("www.example.org", "A", "NOERROR", ["web.example.org", "192.0.2.80"], ["300", "60"]),
        ("six.example.org", "AAAA", "NXDOMAIN", ["web.example.org", "2001:db8::80"], None),
    ]


def test_transactions_of_one_connection_stay_several(dataset: Dataset) -> None:
    first, second = rows(imported(dataset, EVE), "http")
    assert first["uid"] == second["uid"] == "31"
    assert some(first, "method", "host", "uri", "version", "user_agent", "status_code") == (
        "GET", "www.example.org", '/a?b="c"\té', "HTTP/1.1", "x/1", 404,
    )  # fmt: skip
    assert some(first, "request_body_len", "response_body_len", "resp_mime_types") == (None, 47, ["text/html"])
    assert some(second, "method", "request_body_len", "response_body_len", "status_code") == ("POST", 12, 0, None)


def test_what_else_was_seen_in_a_connection_has_real_types(dataset: Dataset) -> None:
    imported(dataset, EVE)
    ((tls,), (ssh,), (file,)) = (rows(dataset, kind) for kind in ("ssl", "ssh", "files"))
    assert some(tls, "version", "subject", "issuer", "server_name", "resumed", "notbefore", "notafter") == (
        "TLS 1.2", "CN=www.example.org", "CN=Example CA", "www.example.org", True,
        "2025-01-01T00:00:00", "2027-01-01T00:00:00",
    )  # fmt: skip
    assert some(tls, "ja3", "ja3s", "cert_chain_fuids") == (
        "b7202231ff2db28363c109cedc6d1642", "ad90cab724fafab2660fbf61673c91a9", ["2d:d1"],
    )  # fmt: skip
    assert some(ssh, "version", "client", "server") == ("2.0", "OpenSSH_9.2", "libssh_0.9")
    assert some(file, "uid", "tx_hosts", "rx_hosts", "source", "size", "md5") == (
        "31", ["192.0.2.80"], ["10.0.0.1"], "http", 1 << 32, "0cc175b9c0f1b6a831c399e269772661",
    )  # fmt: skip


def test_an_alert_says_of_its_flow_what_it_is_and_keeps_its_line(dataset: Dataset) -> None:
    one, bare = rows(imported(dataset, EVE), "alert")
    assert some(one, "signature", "signature_id", "category", "severity", "action") == (
        "ET TEST one", 2403388, "Misc Attack", 2, "allowed",
    )  # fmt: skip
    assert one["event"] in EVE.read_text().splitlines()
    assert some(bare, "uid", "saddr", "sport", "proto", "start") == (None, None, None, None, TEN + 900_000)


def test_broken_lines_are_kept_aside_and_other_events_are_left(dataset: Dataset) -> None:
    imported(dataset, EVE)
    with dataset.catalogue() as catalogue:
        (done,) = catalogue.imports()
        kept = catalogue.malformed(done.id)
    assert (done.form, done.lines, done.rows, done.malformed, done.skipped) == ("suricata eve", 23, 13, 7, 3)
    assert aside(dataset) == [
        (17, "sport is not a port: '70000'"),
        (18, "start is not a time: 'yesterday'"),
        (19, "spkts is not a count: '1.5'"),
        (20, "start is missing"),
        (21, "not JSON"),
        (22, "no event_type"),
        (23, "no event_type"),
    ]
    assert [each.text for each in kept] == EVE.read_text().splitlines()[16:]


@pytest.mark.parametrize(
    "head",
    [
        b'{"ts": 1.5, "uid": "C1", "event_type": 5}\n',
        b'{"event_type": "flow"}\n',
        b'["event_type", "timestamp"]\n',
        b'{"timestamp": "event_type": 1}\n',
        b"",
        b"\xff\xfe",
    ],
)
def test_other_files_are_not_taken_for_eve(head: bytes) -> None:
    assert eve.recognise(head) is None


def test_a_log_that_begins_with_a_torn_line_or_another_event_is_recognised() -> None:
    stats = b'{"timestamp":"2026-03-01T10:00:01.000000+0000","event_type":"stats","stats":{"uptime":8}}\n'
    assert eve.recognise(stats)
    assert eve.recognise(b'ow_id":1,"event_type":"dns"}\n' + stats)
    assert eve.recognise(stats.replace(b"8}}", b"1" * 70_000)[:65_536]), "cut off where the first bytes end"


def test_a_time_of_day_without_an_offset_is_of_the_zone_that_is_said(dataset: Dataset, tmp_path: Path) -> None:
    log = tmp_path / "eve.json"
    log.write_text(lines({"timestamp": "2026-03-01T10:00:00", "event_type": "http", "http": {}}))
    (row,) = rows(imported(dataset, log, zone="Europe/Prague"), "http")
    assert row["start"] == TEN - 3_600_000_000


def test_every_alert_is_offered_once_and_understood_by_the_parser(dataset: Dataset) -> None:
    imported(dataset, EVE)
    (events,) = alerts.due(dataset)
    alerts.handed_over(dataset, events)

    groups = list(Suricata().parse(Message(source="", body=events.body, media_type="application/x-ndjson", received=0)))
    assert [group.subject for group in groups] == ["ET TEST one", "SURICATA IPv4 truncated packet"]
    assert events.lines == 2
    assert list(alerts.due(dataset)) == []


def test_what_was_offered_and_not_noted_comes_again_under_the_same_key(dataset: Dataset, tmp_path: Path) -> None:
    log, later = tmp_path / "eve.json", tmp_path / "later.json"
    log.write_text(lines(*(alert(n) for n in range(alerts.MOST + 3))))
    imported(dataset, log)
    first, second = alerts.due(dataset)
    assert (first.lines, second.lines) == (alerts.MOST, 3)

    alerts.handed_over(dataset, first)
    later.write_text(lines(*(alert(n) for n in range(900, 902))))
    imported(dataset, later)
    again, new = alerts.due(dataset)
    assert again == second
    assert [json.loads(line)["flow_id"] for line in new.body.splitlines()] == [900, 901]

    alerts.handed_over(dataset, new)
    alerts.handed_over(dataset, first)
    assert list(alerts.due(dataset)) == [], "an older note does not undo a newer one"


def test_a_portion_is_bounded_in_bytes_and_a_long_event_is_one(dataset: Dataset, tmp_path: Path) -> None:
    log = tmp_path / "eve.json"
    sizes = (700_000, 700_000, 10, alerts.MOST_BYTES + 10, 10)
    events = [alert(n, payload="x" * size) for n, size in enumerate(sizes)]
    log.write_text(lines(*events))
    portions = list(alerts.due(imported(dataset, log)))
    assert [each.lines for each in portions] == [1, 2, 1, 1]
    assert [json.loads(line) for each in portions for line in each.body.splitlines()] == events


def test_nothing_is_due_where_nothing_was_ever_imported(dataset: Dataset) -> None:
    assert list(alerts.due(dataset)) == []
    assert not dataset.exists()


@pytest.mark.skipif(not REAL_EVE.exists(), reason="no real logs beside the project")
def test_a_real_log_is_read_whole(dataset: Dataset) -> None:
    events = [json.loads(line) for line in REAL_EVE.read_text().splitlines()]
    types = Counter(event["event_type"] for event in events)
    imported(dataset, REAL_EVE)

    assert counts(dataset) == {eve.KINDS[type_]: count for type_, count in types.items() if type_ in eve.KINDS}
    with dataset.catalogue() as catalogue:
        (done,) = catalogue.imports()
    assert (done.lines, done.malformed, done.skipped) == (1500, 0, types["anomaly"])
    flows = [event for event in events if event["event_type"] == "flow"]
    for flow, row in zip(flows, rows(dataset, "conn"), strict=True):
        begin, end = (datetime.fromisoformat(flow["flow"][key]) for key in ("start", "end"))
        assert some(row, "uid", "saddr", "sport", "spkts", "sbytes", "state") == (
            str(flow["flow_id"]), flow["src_ip"], flow["src_port"], flow["flow"]["pkts_toserver"],
            flow["flow"]["bytes_toserver"], flow["flow"]["state"],
        )  # fmt: skip
        assert row["start"] / 1e6 == begin.timestamp()
        assert row["dur"] == pytest.approx((end - begin).total_seconds(), abs=1e-6)
    offered = [json.loads(line) for each in alerts.due(dataset) for line in each.body.splitlines()]
    assert offered == [event for event in events if event["event_type"] == "alert"]
    queried = [event["dns"]["rrname"] for event in events if event["event_type"] == "dns"]
    assert [row["query"] for row in rows(dataset, "dns")] == queried
