"""Rows of many detectors mean what they say, and no more."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin import detection
from tocsin.detection import DEFAULT, FIELDS, Names, cells
from tocsin.detection.times import moment
from tocsin.errors import ConfigError
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Severity

EVE = Path(__file__).parents[1].parent / "shared/data/suricata/eve.json"


def micros(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def read(row: dict[str, Any], names: Names = DEFAULT) -> Detection:
    return detection.read(Alert.of(row), names)


def end(*addresses: str, **rest: Any) -> tuple[Endpoint, ...]:
    return (Endpoint(addresses=addresses, **rest),)


def nested(row: dict[str, Any]) -> dict[str, Any]:
    """`{"a.b": 1}` as `{"a": {"b": 1}}`."""
    made: dict[str, Any] = {}
    for column, cell in row.items():
        *path, last = column.split(".")
        inner = made
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = cell
    return made


SURICATA = {
    "timestamp": "2024-10-04T15:45:30.123456+0200",
    "flow_id": 1374195536821504,
    "event_type": "alert",
    "src_ip": "203.0.113.7",
    "src_port": 51698,
    "dest_ip": "198.51.100.9",
    "dest_port": 445,
    "proto": "TCP",
    "app_proto": "smb",
    "alert.signature_id": 2403388,
    "alert.signature": "ET EXPLOIT something",
    "alert.category": "Attempted Administrator Privilege Gain",
    "alert.severity": 1,
    "flow.start": "2024-10-04T15:45:29.000000+0200",
    "host": "sensor.example",
}
SURICATA_MEANS = Detection(
    name="ET EXPLOIT something",
    category="Attempted Administrator Privilege Gain",
    severity=Severity.HIGH,
    detected=micros("2024-10-04T13:45:30.123456Z"),
    start=micros("2024-10-04T13:45:29Z"),
    sources=end("203.0.113.7", ports=(51698,)),
    targets=end("198.51.100.9", ports=(445,)),
    protocols=("tcp", "smb"),
    flow_uids=("1374195536821504",),
)

ECS = {
    "@timestamp": "2024-10-04T13:45:30.123Z",
    "event.kind": "alert",
    "event.category": ["intrusion_detection"],
    "event.severity": 73,
    "event.start": "2024-10-04T13:45:29Z",
    "event.end": "2024-10-04T13:45:31Z",
    "rule.name": "Lateral movement",
    "rule.category": "lateral-movement",
    "message": "A host talked to another",
    "source.ip": "2001:DB8:0:0:0:0:0:1",
    "source.port": 4444,
    "source.mac": "00-1B-44-11-3A-B7",
    "destination.address": "db.Example.com",
    "destination.ip": "10.0.0.9",
    "destination.port": 5432,
    "network.transport": "tcp",
    "network.protocol": "postgresql",
    "url.full": "https://db.example.com/x?y",
    "host.name": "elastic-agent",
}

CASES: dict[str, tuple[dict[str, Any], Detection]] = {
    "suricata_dotted": (SURICATA, SURICATA_MEANS),
    "suricata_nested": (nested(SURICATA), SURICATA_MEANS),
    "suricata_through_scot_mail": ({k.replace(".", "-"): [v] for k, v in SURICATA.items()}, SURICATA_MEANS),
    "suricata_text": ({k: str(v) for k, v in SURICATA.items()}, SURICATA_MEANS),
    "suricata_hoisted": (
        {"signature": "x y", "signature_id": 1, "severity": 3, "category": "Misc activity"},
        Detection(name="x y", severity=Severity.LOW, category="Misc activity"),
    ),
    "ecs_nested": (
        nested(ECS),
        Detection(
            name="Lateral movement",
            category="lateral-movement",
            description="A host talked to another",
            severity=Severity.HIGH,
            detected=micros("2024-10-04T13:45:30.123Z"),
            start=micros("2024-10-04T13:45:29Z"),
            end=micros("2024-10-04T13:45:31Z"),
            sources=end("2001:db8::1", ports=(4444,), macs=("00:1b:44:11:3a:b7",)),
            targets=end("10.0.0.9", hostnames=("db.example.com",), ports=(5432,), urls=("https://db.example.com/x?y",)),
            protocols=("tcp", "postgresql"),
        ),
    ),
    "ecs_of_filebeat_suricata": (
        nested(
            {
                "event.severity": 1,
                "suricata.eve.alert.signature_id": 2,
                "suricata.eve.alert.signature": "sig nature",
                "suricata.eve.alert.category": "Misc Attack",
                "suricata.eve.flow_id": "77",
            }
        ),
        Detection(name="sig nature", category="Misc Attack", severity=Severity.HIGH, flow_uids=("77",)),
    ),
    "splunk_cim": (
        {
            "_time": "1728049530.123",
            "_raw": "severity=low src=1.1.1.1",
            "host": "indexer",
            "source": "/var/log/ids.log",
            "sourcetype": "ids",
            "signature": "SQL injection",
            "category": "web-attack",
            "severity": "critical",
            "severity_id": "3",
            "src": ["10.0.0.1", "10.0.0.2"],
            "src_host": "Alice-PC",
            "src_port": "1025",
            "src_mac": "001b.4411.3ab7",
            "dest": "WEB.example.com.",
            "dest_ip": "10.0.0.9",
            "dest_port": ["80", "443"],
            "transport": "TCP",
            "app": "http",
            "url": "http://web.example.com/?id=1",
            "user": "alice",
        },
        Detection(
            name="SQL injection",
            category="web-attack",
            severity=Severity.CRITICAL,
            detected=micros("2024-10-04T13:45:30.123Z"),
            sources=end("10.0.0.1", "10.0.0.2", hostnames=("alice-pc",), ports=(1025,), macs=("00:1b:44:11:3a:b7",)),
            targets=end(
                "10.0.0.9",
                hostnames=("web.example.com",),
                ports=(80, 443),
                urls=("http://web.example.com/?id=1",),
            ),
            protocols=("tcp", "http"),
        ),
    ),
    "splunk_mail": (
        {"sender": "Eve <eve@EVIL.example>", "recipient": ["a@x.example\nb@x.example"], "subject": "hi"},
        Detection(
            sources=(Endpoint(emails=("eve@evil.example",)),),
            targets=(Endpoint(emails=("a@x.example", "b@x.example")),),
        ),
    ),
    "zeek_notice": (
        {
            "ts": 1680807896.789,
            "uid": "CAbc12",
            "id.orig_h": "192.168.1.1",
            "id.orig_p": 12345,
            "id.resp_h": "192.168.1.2",
            "id.resp_p": 80,
            "proto": "tcp",
            "note": "Scan::Port_Scan",
            "msg": "192.168.1.1 scanned at least 15 ports",
            "sub": "remote",
            "src": "192.168.1.1",
            "dst": "192.168.1.2",
            "p": 80,
        },
        Detection(
            name="Scan::Port_Scan",
            category="Scan::Port_Scan",
            description="192.168.1.1 scanned at least 15 ports",
            detected=1680807896789000,
            sources=end("192.168.1.1", ports=(12345,)),
            targets=end("192.168.1.2", ports=(80,)),
            protocols=("tcp",),
            flow_uids=("CAbc12",),
        ),
    ),
    "zeek_ssl_of_a_tab_log": (
        {
            "ts": "1680807896.789000",
            "uid": "CAbc12",
            "id.orig_h": "fe80::1%eth0",
            "id.orig_p": "4444",
            "id.resp_h": "-",
            "id.resp_p": "(empty)",
            "server_name": "Evil.Example",
            "service": "ssl,http",
            "proto": "unknown_transport",
        },
        Detection(
            detected=1680807896789000,
            sources=end("fe80::1", ports=(4444,)),
            targets=(Endpoint(hostnames=("evil.example",)),),
            protocols=("ssl", "http"),
            flow_uids=("CAbc12",),
        ),
    ),
    "zeek_icmp_has_no_ports": (
        {"id.orig_h": "10.0.0.1", "id.orig_p": 8, "id.resp_h": "10.0.0.2", "id.resp_p": 0, "proto": "icmp"},
        Detection(sources=end("10.0.0.1"), targets=end("10.0.0.2"), protocols=("icmp",)),
    ),
    "snort3_json": (
        {
            "seconds": 1728049530,
            "timestamp": "10/04-13:45:30.123456",
            "action": "allow",
            "class": "Attempted Denial of Service",
            "msg": "DOS attack",
            "priority": 2,
            "proto": "UDP",
            "rule": "1:2003:1",
            "sid": 2003,
            "src_ap": "203.0.113.7:5353",
            "dst_ap": "[2001:db8::9]:53",
            "eth_src": "00:1B:44:11:3A:B7",
        },
        Detection(
            name="DOS attack",
            category="Attempted Denial of Service",
            severity=Severity.MEDIUM,
            detected=micros("2024-10-04T13:45:30Z"),
            sources=end("203.0.113.7", ports=(5353,), macs=("00:1b:44:11:3a:b7",)),
            targets=end("2001:db8::9", ports=(53,)),
            protocols=("udp",),
        ),
    ),
    "sourcefire_mail": (
        {
            "sid": "1:254:16",
            "rule": "DNS SPOOF query response",
            "class": "Potentially Bad Traffic",
            "priority": "3",
            "proto": "17",
            "srcip": "192.0.2.7",
            "srcport": "0x0035",
            "dstip": "192.0.2.9",
            "dstport": "53",
        },
        Detection(
            name="DNS SPOOF query response",
            category="Potentially Bad Traffic",
            severity=Severity.LOW,
            sources=end("192.0.2.7", ports=(53,)),
            targets=end("192.0.2.9", ports=(53,)),
            protocols=("udp",),
        ),
    ),
    "firepower_syslog": (
        {
            "SrcIP": "10.1.1.1",
            "DstIP": "10.1.1.2",
            "SrcPort": 1,
            "DstPort": 2,
            "Protocol": "tcp",
            "Classification": "Web Application Attack",
            "Priority": 1,
            "Message": "SERVER-WEBAPP attempt",
        },
        Detection(
            category="Web Application Attack",
            description="SERVER-WEBAPP attempt",
            severity=Severity.HIGH,
            sources=end("10.1.1.1", ports=(1,)),
            targets=end("10.1.1.2", ports=(2,)),
            protocols=("tcp",),
        ),
    ),
    "slips_evidence": (
        {
            "evidence_type": "HORIZONTAL_PORT_SCAN",
            "description": "Horizontal port scan to port 23/TCP",
            "attacker": {
                "direction": "SRC",
                "ioc_type": "IP",
                "value": "203.0.113.7",
                "profile": {"ip": "203.0.113.7"},
            },
            "victim": {"direction": "DST", "ioc_type": "IP", "value": "198.51.100.9"},
            "threat_level": "HIGH",
            "profile": {"ip": "10.0.0.5"},
            "timewindow": {"number": 1, "start_time": "", "end_time": ""},
            "uid": ["CAbc1", "CAbc2"],
            "timestamp": "2024/10/04 15:45:30.123456+0200",
            "proto": "TCP",
            "src_port": 4444,
            "dst_port": 23,
            "id": "11111111-1111-4111-8111-111111111111",
            "confidence": 0.9,
        },
        Detection(
            name="HORIZONTAL_PORT_SCAN",
            category="HORIZONTAL_PORT_SCAN",
            description="Horizontal port scan to port 23/TCP",
            severity=Severity.HIGH,
            confidence=0.9,
            detected=micros("2024-10-04T13:45:30.123456Z"),
            sources=end("203.0.113.7", ports=(4444,)),
            targets=end("198.51.100.9", ports=(23,)),
            protocols=("tcp",),
            flow_uids=("CAbc1", "CAbc2"),
        ),
    ),
    "slips_attacker_at_the_far_end": (
        {
            "attacker": {"direction": "DST", "value": "evil.example"},
            "victim": False,
            "proto": False,
            "src_port": 51000,
            "dst_port": 443,
            "timestamp": 1728049530.5,
            "threat_level": 0.2,
        },
        Detection(
            severity=Severity.LOW,
            detected=micros("2024-10-04T13:45:30.5Z"),
            sources=(Endpoint(hostnames=("evil.example",), ports=(443,)),),
            targets=(Endpoint(ports=(51000,)),),
        ),
    ),
    "slips_idmef_line": (
        {
            "Severity": "Medium",
            "StartTime": "2024-10-04T15:45:30+02:00",
            "CreateTime": "2024-10-04T15:50:00+02:00",
            "Confidence": 0.8,
            "Description": "text of it",
            "Source": [{"IP": "203.0.113.7", "Port": [4444], "Protocol": ["TCP"]}],
            "Target": [{"IP": "198.51.100.9", "Port": [23]}, {"Hostname": "b.example"}],
        },
        Detection(
            description="text of it",
            severity=Severity.MEDIUM,
            confidence=0.8,
            detected=micros("2024-10-04T13:45:30Z"),
            start=micros("2024-10-04T13:45:30Z"),
            sources=end("203.0.113.7", ports=(4444,)),
            targets=end("198.51.100.9", hostnames=("b.example",), ports=(23,)),
            protocols=("tcp",),
        ),
    ),
    "idea0": (
        {
            "Format": "IDEA0",
            "DetectTime": "2024-10-04T13:45:30Z",
            "EventTime": "2024-10-04T13:45:29Z",
            "CeaseTime": "2024-10-04T13:45:31Z",
            "Category": ["Recon.Scanning"],
            "Source": [{"IP4": ["203.0.113.7"], "IP6": ["2001:db8::1"], "Port": [4444], "Proto": ["tcp"]}],
            "Target": [{"IP4": ["198.51.100.9"], "Port": [23], "Proto": ["tcp", "telnet"]}],
        },
        Detection(
            category="Recon.Scanning",
            detected=micros("2024-10-04T13:45:30Z"),
            start=micros("2024-10-04T13:45:29Z"),
            end=micros("2024-10-04T13:45:31Z"),
            sources=end("203.0.113.7", "2001:db8::1", ports=(4444,)),
            targets=end("198.51.100.9", ports=(23,)),
            protocols=("tcp", "telnet"),
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_vendors_row_is_read_whole(case: str) -> None:
    row, meant = CASES[case]

    assert read(row) == meant


@pytest.mark.parametrize("case", CASES)
def test_the_quick_severity_is_the_one_that_reading_finds(case: str) -> None:
    row, meant = CASES[case]

    assert detection.severity(Alert.of(row)) == meant.severity


def test_what_a_parser_said_counts() -> None:
    said = Detection(name="said", severity=Severity.INFO)
    alert = Alert.of({"signature": "other", "severity": "high"}, said)

    assert detection.read(alert) is said
    assert detection.severity(alert) is Severity.INFO


def test_a_whole_group_can_be_given_its_detections() -> None:
    said = Detection(name="said")
    group = Alertgroup(subject="s", alerts=(Alert.of({"signature": "read"}), Alert.of({"signature": "x"}, said)))

    known = detection.known(group)

    assert [alert.detection for alert in known.alerts] == [Detection(name="read"), said]
    assert detection.known(known) is known


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"text": "src=10.0.0.1 severity=high", "anything": [1, {"src": "10.0.0.1"}]},
        {"src": None, "dest": "", "severity": "unknown", "timestamp": "N/A", "proto": "-", "uid": "1000"},
        {"src": "999.1.1.1", "dest": "10.1.1", "src_port": "99999", "dest_port": -1, "src_mac": "0:1"},
        {"src": "192.0.2.0/24", "dest": True, "src_port": False, "dest_port": 1.5},
        {"src": "Smith, John", "dest": "two words", "url": "/index.html", "recipient": "nobody"},
        {"src": "d41d8cd98f00b204e9800998ecf8427e", "host": "sensor", "source": "udp:514", "destination": "x"},
        {"timestamp": "2024-10-04 13:45:30", "start_time": "13:45", "end_time": 18.8, "ts": "0"},
        {"timestamp": "2024-13-04T13:45:30Z", "ts": "1970-01-01T00:00:00.000000+0000", "time": "99999999999999999999"},
        {"severity": 1, "threat_level": 12.5, "priority": 9, "confidence": 85, "cvss": -1},
        {"severity": {"deep": {"er": "high"}}, "alert": "text", "source": [], "target": [[]]},
        {"": {"": {"": "x"}}, "...": 1},
    ],
)
def test_what_cannot_be_read_is_absent(row: dict[str, Any]) -> None:
    assert read(row) == Detection()


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("2021-06-06T15:59:46.457984+0200", "2021-06-06T13:59:46.457984Z"),
        ("2021-06-06T13:59:46Z", "2021-06-06T13:59:46Z"),
        ("2021-06-06 13:59:46.5 UTC", "2021-06-06T13:59:46.5Z"),
        ("2021-06-06 13:59 GMT", "2021-06-06T13:59:00Z"),
        ("2021/06/06 15:59:46.457984+02:00", "2021-06-06T13:59:46.457984Z"),
        ("2021-06-06T13:59:46.4579849999Z", "2021-06-06T13:59:46.457984Z"),
        ("2021-06-06T08:29:46-05:30", "2021-06-06T13:59:46Z"),
        (1622987986, "2021-06-06T13:59:46Z"),
        (1622987986.457984, "2021-06-06T13:59:46.457984Z"),
        ("1622987986.457984", "2021-06-06T13:59:46.457984Z"),
        ("1622987986.4579841234", "2021-06-06T13:59:46.457984Z"),
        (1622987986457, "2021-06-06T13:59:46.457Z"),
        ("1622987986457984", "2021-06-06T13:59:46.457984Z"),
        (1622987986457984123, "2021-06-06T13:59:46.457984Z"),
        (1.622987986457984e18, "2021-06-06T13:59:46.457984Z"),
        (True, None),
        (18.836741, None),
        (0, None),
        ("2021-06-06", None),
        ("2021-06-06T13:59:46", None),
        ("2021-06-06T13:59:46 CEST", None),
        ("2021-06-06T25:59:46Z", None),
        ("2150-06-06T13:59:46Z", None),
        ("9999-12-31T23:59:59-23:59", None),
        (float("nan"), None),
        (10**30, None),
        ("٢٠٢١-٠٦-٠٦T١٣:٥٩:٤٦Z", None),
    ],
)
def test_a_time_is_read_exactly_or_not_at_all(value: object, meant: str | None) -> None:
    assert moment(value) == (None if meant is None else micros(meant))


@pytest.mark.parametrize(
    ("row", "meant"),
    [
        ({"severity": "Informational"}, Severity.INFO),
        ({"severity": "VERY HIGH"}, Severity.HIGH),
        ({"severity": ["", "low"]}, Severity.LOW),
        ({"severity": "2"}, None),
        ({"severity": "2", "signature_id": 9}, Severity.MEDIUM),
        ({"severity": 4, "sid": "9"}, Severity.INFO),
        ({"alert": {"severity": 4}}, Severity.INFO),
        ({"alert_severity": "9"}, None),
        ({"threat_level": 0}, Severity.INFO),
        ({"threat_level": "0.5"}, Severity.MEDIUM),
        ({"threat_level": 0.8}, Severity.HIGH),
        ({"threat_level": 1}, Severity.CRITICAL),
        ({"event": {"severity": 2}}, None),
        ({"event.severity": 21}, Severity.LOW),
        ({"event.severity": 47}, Severity.MEDIUM),
        ({"event.severity": 99}, Severity.CRITICAL),
        ({"event.severity": 101}, None),
        ({"kibana.alert.risk_score": 0}, Severity.INFO),
        ({"cvss": "9.8"}, Severity.CRITICAL),
        ({"vulnerability.score.base": 3.9}, Severity.LOW),
        ({"cvss_score": 0}, Severity.INFO),
        ({"priority": 1, "severity": "low"}, Severity.LOW),
        ({"priority": "High"}, Severity.HIGH),
        ({"severity": "inf"}, None),
        ({"cvss": "nan"}, None),
    ],
)
def test_severity_is_read_on_the_scale_of_its_column(row: dict[str, Any], meant: Severity | None) -> None:
    assert read(row).severity == meant
    assert detection.severity(Alert.of(row)) == meant


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2001:DB8:0000::0001", "2001:db8::1"),
        ("::FFFF:192.0.2.7", "::ffff:192.0.2.7"),
        ("::ffff:c000:207", "::ffff:192.0.2.7"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.07", ""),
        ("1.2.3", ""),
        ("::g", ""),
    ],
)
def test_addresses_are_canonical(text: str, canonical: str) -> None:
    assert cells.address(text) == canonical


def test_column_names_are_known_in_any_spelling() -> None:
    for column in ("src_ip", "SrcIP", "Src IP", "src.ip", "src-ip", "SRC_IP"):
        assert read({column: "192.0.2.7"}).sources == end("192.0.2.7"), column


def test_columns_of_users_are_asked_first() -> None:
    names = DEFAULT.with_users({"src": ["My Client"], "name": ["what.happened"], "severity": ["grade"]})

    meant = read({"my_client": "192.0.2.7", "signature": "s", "what": {"happened": "w"}, "Grade": "low"}, names)

    assert (meant.sources, meant.name, meant.severity) == (end("192.0.2.7"), "w", Severity.LOW)
    assert detection.severity(Alert.of({"grade": "low", "severity": "high"}), names) is Severity.LOW
    assert read({"my_client": "192.0.2.7"}) == Detection(), "the built-in table is as it was"


def test_every_wrong_name_of_users_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        DEFAULT.with_users({"source_ip": ["x"], "src": ["---"], "dest": ["ok"]})

    assert [problem.key for problem in caught.value.problems] == ["detection.names.source_ip", "detection.names.src"]
    assert "src_port" in caught.value.problems[0].remedy


@pytest.mark.parametrize("field", FIELDS)
def test_users_may_add_columns_to_every_field(field: str) -> None:
    cell = {
        "severity": "low", "confidence": 0.5, "detected": 1622987986, "start": 1622987986, "end": 1622987986,
        "src_port": 1, "dest_port": 1, "src_mac": "00:1b:44:11:3a:b7", "dest_mac": "00:1b:44:11:3a:b7",
        "src_url": "ftp://x.example/", "dest_url": "ftp://x.example/", "src_email": "a@b.c", "dest_email": "a@b.c",
    }.get(field, "word")  # fmt: skip

    assert read({"mine": cell}, DEFAULT.with_users({field: ["mine"]})) != Detection()


def test_rows_of_ever_new_shapes_do_not_fill_the_memory() -> None:
    names = Names()
    for number in range(3000):
        read({f"column {number}": 1, "src": "192.0.2.7"}, names)

    assert len(names._all._shapes) <= 1024
    assert read({"column 99999": 1, "src": "192.0.2.7"}, names).sources == end("192.0.2.7")


@given(
    st.dictionaries(
        st.sampled_from(["src", "dest", "alert", "severity", "timestamp", "proto", "src_port", "confidence", "flow"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["severity", "ip", "port", "start", ""]), inner, max_size=3)
            ),
            max_leaves=8,
        ),
    )
)
def test_no_cell_can_make_reading_fail(row: dict[str, Any]) -> None:
    alert = Alert(json=json.dumps(row))

    assert detection.severity(alert) == detection.read(alert).severity


@pytest.mark.skipif(not EVE.exists(), reason="the shared real logs are not here")
def test_all_alerts_of_a_real_eve_file_are_read_as_they_stand() -> None:
    events = [event for line in EVE.read_text().splitlines() if (event := json.loads(line))["event_type"] == "alert"]
    assert len(events) == 686

    for event in events:
        meant = read(event)
        time = datetime.strptime(event["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z")
        assert meant.detected is not None
        assert datetime.fromtimestamp(meant.detected // 10**6, UTC).replace(microsecond=meant.detected % 10**6) == time
        assert meant.sources == (Endpoint(addresses=(event["src_ip"],), ports=(event["src_port"],)),)
        assert meant.targets == (Endpoint(addresses=(event["dest_ip"],), ports=(event["dest_port"],)),)
        assert meant.protocols == (event["proto"].lower(),)
        assert meant.name == event["alert"]["signature"]
        assert meant.category == event["alert"]["category"]
        assert meant.severity == {1: 3, 2: 2, 3: 1}[event["alert"]["severity"]]
        assert meant.flow_uids == (str(event["flow_id"]),)
        assert detection.severity(Alert.of(event)) == meant.severity
