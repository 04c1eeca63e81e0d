"""The profile that reads as Slips' own feed."""

import json
from typing import Any

import pytest

from neighbours import stix_oracles as oracles
from tocsin.formats.stix import ENCODER, slips
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Severity

SEEN = 1_728_049_530_123_456
EVIDENCE = {
    "evidence_type": "HORIZONTAL_PORT_SCAN",
    "description": "a scan",
    "attacker": {"direction": "SRC", "ioc_type": "IP", "value": "203.0.113.7", "TI": "feedX"},
    "victim": {"direction": "DST", "ioc_type": "IP", "value": "198.51.100.9"},
    "threat_level": "HIGH",
    "profile": {"ip": "10.0.0.5"},
    "timewindow": {"number": 1, "start_time": "", "end_time": ""},
    "src_port": 4444,
    "dst_port": 23,
    "id": "11111111-1111-4111-8111-111111111111",
}
SCAN = Detection(
    name="Scan",
    severity=Severity.HIGH,
    detected=SEEN,
    flow_uids=("CAbc2", "CAbc1"),
    sources=(Endpoint(addresses=("203.0.113.7",), ports=(4444,)),),
    targets=(Endpoint(addresses=("198.51.100.9",), ports=(23,)),),
)


def group(row: dict[str, Any], detection: Detection | None) -> Alertgroup:
    alert = Alert(json=json.dumps(row), detection=detection, uid="alert-uid")
    return Alertgroup(subject="s", alerts=(alert,), uid="group-uid", received=SEEN + 5_000_000)


def written(row: dict[str, Any], detection: Detection | None = None, **rest: Any) -> dict[str, Any]:
    one = slips.indicator(group(row, detection), 0, **rest)
    return json.loads(ENCODER.encode(one)) if one else {}


def test_an_evidence_is_written_word_for_word_as_slips_writes_it() -> None:
    made = written(EVIDENCE, SCAN)

    assert list(made.items()) == [
        ("type", "indicator"),
        ("spec_version", "2.1"),
        ("id", made["id"]),
        ("created", "2024-10-04T13:45:35.123456Z"),
        ("modified", "2024-10-04T13:45:35.123456Z"),
        ("name", "HORIZONTAL_PORT_SCAN"),
        ("description", "a scan"),
        ("pattern", "[ipv4-addr:value = '203.0.113.7']"),
        ("pattern_type", "stix"),
        ("pattern_version", "2.1"),
        ("valid_from", "2024-10-04T13:45:30.123456Z"),
        ("labels", ["horizontal_port_scan", "high"]),
        ("date_added", "2024-10-04T13:45:30.123456+00:00"),
        ("x_slips_attacker_direction", "SRC"),
        ("x_slips_attacker_ti", "feedX"),
        ("x_slips_dst_port", 23),
        ("x_slips_evidence_id", "11111111-1111-4111-8111-111111111111"),
        ("x_slips_flow_uids", ["CAbc1", "CAbc2"]),
        ("x_slips_profile_ip", "10.0.0.5"),
        ("x_slips_src_port", 4444),
        ("x_slips_threat_level", "HIGH"),
        ("x_slips_timewindow", 1),
        ("x_slips_victim", "198.51.100.9"),
    ]
    assert oracles.stix2.parse(made, version="2.1", allow_custom=True).pattern == made["pattern"]


def test_any_other_alert_is_written_by_what_its_detection_says() -> None:
    made = written({"a": "b"}, SCAN)

    assert (made["name"], made["x_slips_evidence_id"], made["x_slips_profile_ip"]) == (
        "Scan",
        "alert-uid",
        "203.0.113.7",
    )
    assert (made["x_slips_src_port"], made["x_slips_dst_port"], made["x_slips_victim"]) == (4444, 23, "198.51.100.9")


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("2001:db8::1", "[ipv6-addr:value = '2001:db8::1']"),
        ("192.0.2.0/24", "[ipv4-addr:value = '192.0.2.0/24']"),
        ("evil.example.com", "[domain-name:value = 'evil.example.com']"),
        ("http://evil.example.com/it's", r"[url:value = 'http://evil.example.com/it\'s']"),
    ],
)
def test_patterns_are_slips_own_and_escaped(value: str, pattern: str) -> None:
    assert written({"evidence_type": "X", "attacker": {"value": value}})["pattern"] == pattern
    assert oracles.wrong(pattern) == []


@pytest.mark.parametrize("value", ["AA:BB:CC:DD:EE:FF", "d41d8cd98f00b204e9800998ecf8427e", "", "no name", "AS15169"])
def test_what_slips_asserts_nothing_of_is_not_written(value: str) -> None:
    assert slips.indicator(group({"attacker": {"value": value}}, None), 0) is None


@pytest.mark.parametrize(
    "value", ["10.0.0.5", "http://10.0.0.5/x", "http://[fd00::1]/", "dc.corp.example", "10.0.0.0/24"]
)
def test_what_is_ours_is_never_called_bad(value: str) -> None:
    def own(type: str, value: str) -> bool:
        return value.startswith(("10.", "fd00")) or value.endswith("corp.example")

    assert slips.indicator(group({"attacker": {"value": value}}, None), 0, own) is None
    assert slips.indicator(group({"attacker": {"value": value}}, None), 0) is not None


def test_cells_of_other_kinds_than_slips_writes_are_passed_by() -> None:
    row = {key: [1] for key in EVIDENCE} | {"attacker": {"value": 5, "TI": {}}, "timewindow": True, "src_port": 0}

    made = written(row, SCAN)

    assert (made["name"], made["x_slips_src_port"], made["x_slips_threat_level"]) == ("Scan", 4444, "HIGH")
    assert "x_slips_timewindow" not in made


def test_the_same_alert_is_the_same_indicator_and_a_change_is_a_later_version() -> None:
    first, again, later = written(EVIDENCE), written(EVIDENCE), written(EVIDENCE, modified=SEEN + 9_000_000)

    assert first == again
    assert first["id"] == later["id"]
    assert first["modified"] < later["modified"]
