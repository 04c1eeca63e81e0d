"""One row of each kind of detector, and what it means."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin.model import Detection, Endpoint, Severity


def micros(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


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
