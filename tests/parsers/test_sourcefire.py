"""Rule hits as Sourcefire and Snort mail them."""

from typing import Any

import pytest

from neighbours.mails import a_mail, mail_from, only
from tocsin import detection
from tocsin.errors import Unreadable
from tocsin.model import Severity
from tocsin.parsers.sourcefire import COLUMNS, Sourcefire


def hit(line: str) -> dict[str, Any]:
    (alert,) = only(Sourcefire().parse(a_mail(subject="auto generated email", text=line))).alerts
    return alert.data


def test_reads_three_hits_from_one_mail_also_where_lines_were_broken() -> None:
    message = mail_from("sourcefire/three_hits.eml")
    group = only(Sourcefire().parse(message))

    assert Sourcefire().claims(message)
    assert group.columns == (*COLUMNS, "impact", "sensor", "interface", "timestamp")
    assert [alert.data for alert in group.alerts] == [
        {
            "sid": "1:9100020:4",
            "rule": "SAMPLE SMB login with blank password",
            "class": "Attempted User Privilege Gain",
            "priority": 1,
            "proto": "tcp",
            "src": "192.0.2.133",
            "sport": 49877,
            "dst": "192.0.2.5",
            "dport": 445,
            "impact": "Vulnerable",
            "sensor": "sensor-core-2",
            "interface": "eth1",
            "timestamp": "2026-03-02T08:00:01Z",
        },
        {
            "sid": "1:9100021:1",
            "rule": "SAMPLE [beta] file created",
            "class": "A suspicious filename was detected",
            "priority": 2,
            "proto": "udp",
            "src": "2001:db8::133",
            "sport": 49878,
            "dst": "2001:db8::5",
            "dport": 445,
            "impact": "Unknown Target",
            "sensor": "sensor-core-2",
            "interface": "eth2",
            "timestamp": "2026-03-02T08:00:02Z",
        },
        {
            "sid": "1:9100077:2",
            "rule": "SAMPLE ICMP echo with unusual payload",
            "class": "Misc activity",
            "priority": 3,
            "proto": "icmp",
            "src": "192.0.2.133",
            "sport": None,
            "dst": "203.0.113.200",
            "dport": None,
            "impact": "Unknown",
            "sensor": "sensor-core-2",
            "timestamp": "Mon Mar 2 09:00:03 2026 CET",
        },
    ]
    assert (group.subject, group.sources, group.tags) == ("auto generated email", ("email", "sourcefire"), ())
    assert (group.message_id, group.created) == ("<hits@sourcefire.example.com>", 1_772_438_460_000_000)


def test_reads_snorts_fast_alerts_and_syslog_lines_from_html() -> None:
    group = only(Sourcefire().parse(mail_from("sourcefire/snort_fast.eml")))

    assert [[alert.data[name] for name in COLUMNS[:5]] for alert in group.alerts] == [
        ["1:9100020:4", "SAMPLE SMB login", "Attempted User Privilege Gain", 1, "tcp"],
        ["119:31:1", "(http_inspect) UNKNOWN METHOD", "Unknown Traffic", 3, "udp"],
        ["1:9100077:2", "SAMPLE ICMP echo", "Misc activity", 3, "icmp"],
    ]
    assert [[alert.data[name] for name in COLUMNS[5:]] for alert in group.alerts] == [
        ["192.0.2.133", 49877, "192.0.2.5", 445],
        ["2001:0db8:0bad:0000:0000:0000:0000:0017", 54096, "2001:0db8:0000:0000:0000:0000:0000:0053", 53],
        ["fe80::1", None, "fe80::2", None],
    ]
    assert [alert.data.get("action") for alert in group.alerts] == [None, "Drop", None]
    assert group.alerts[0].data["timestamp"] == "03/02-08:00:00.123456"


def test_a_row_is_understood_as_a_detection() -> None:
    meaning = detection.read(only(Sourcefire().parse(mail_from("sourcefire/three_hits.eml"))).alerts[0])

    assert (meaning.name, meaning.category) == ("SAMPLE SMB login with blank password", "Attempted User Privilege Gain")
    assert (meaning.severity, meaning.protocols) == (Severity.HIGH, ("tcp",))
    assert (meaning.sources[0].addresses, meaning.sources[0].ports) == (("192.0.2.133",), (49877,))
    assert (meaning.targets[0].addresses, meaning.targets[0].ports) == (("192.0.2.5",), (445,))
    assert meaning.detected == 1_772_438_401_000_000


@pytest.mark.parametrize(
    ("flow", "ends"),
    [
        ("{TCP} 192.0.2.1:5->192.0.2.2:6", ("192.0.2.1", 5, "192.0.2.2", 6)),
        ("{tcp} 192.0.2.1 -> 192.0.2.2", ("192.0.2.1", None, "192.0.2.2", None)),
        ("{tcp} 2001:db8::1 -> 2001:db8::2", ("2001:db8::1", None, "2001:db8::2", None)),
        ("{tcp} 2001:db8::1:1024 -> 2001:db8::2:80", ("2001:db8::1", 1024, "2001:db8::2", 80)),
        ("{tcp} [2001:db8::1]:1024 -> [2001:db8::2]:80", ("2001:db8::1", 1024, "2001:db8::2", 80)),
        (
            "{udp} 2001:db8:1:2:3:4:5:6 -> 2001:db8:1:2:3:4:5:7",
            ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2:3:4:5:7", None),
        ),
        ("{icmp} fe80::1:2 -> fe80::3", ("fe80::1:2", None, "fe80::3", None)),
        ("{tcp} 999.0.2.1:5 -> 192.0.2.2:6", ("999.0.2.1:5", None, "192.0.2.2", 6)),
    ],
)
def test_ends_are_read_with_and_without_ports(flow: str, ends: tuple[object, ...]) -> None:
    row = hit(f'[1:2:3] "x" [Priority: 2] {flow}')

    assert tuple(row[name] for name in ("src", "sport", "dst", "dport")) == ends


def test_what_is_not_said_is_empty() -> None:
    row = hit("[1:2:3] some rule {tcp} 192.0.2.1:5 -> 192.0.2.2:6 [Blocked]")

    assert (row["rule"], row["class"], row["priority"]) == ("some rule", "", None)


def test_a_mail_without_a_hit_says_what_was_looked_for() -> None:
    with pytest.raises(Unreadable, match="gid:sid:rev"):
        list(Sourcefire().parse(a_mail(subject="auto generated email", text="no hits today")))
