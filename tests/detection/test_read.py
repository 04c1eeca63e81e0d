"""Rows of many detectors mean what they say, and no more."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.rows import CASES
from tocsin import detection
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Severity

EVE = Path(__file__).parents[2].parent / "shared/data/suricata/eve.json"


def read(row: dict[str, Any]) -> Detection:
    return detection.read(Alert.of(row))


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
