"""Slips' evidence and alerts in the JSON form of its dataclasses."""

import json
from pathlib import Path

import pytest

from tocsin.errors import Malformed
from tocsin.formats import idea, log_line
from tocsin.model import Alertgroup, Endpoint, Message, Severity
from tocsin.parsers.slips import Slips

EVIDENCE = (Path(__file__).parent.parent / "data" / "slips" / "evidence.jsonl").read_bytes()
ALERT = {
    "profile": {"ip": "203.0.113.7"},
    "timewindow": {"number": 1, "start_time": "2024-10-04T15:00:00+02:00", "end_time": "2024-10-04T16:00:00+02:00"},
    "last_evidence": {}, "accumulated_threat_level": 15.3, "id": "33333333-3333-4333-8333-333333333333",
    "correl_id": ["11111111-1111-4111-8111-111111111111"], "last_flow_datetime": "2024-10-04T15:46:30+02:00",
    "threat_level": "CRITICAL", "confidence": 0.4953,
}  # fmt: skip


def posted(body: bytes) -> Message:
    return Message(source="rest", body=body, media_type="application/json", received=0)


def read(body: bytes) -> list[Alertgroup]:
    assert Slips().claims(posted(body))
    return list(Slips().parse(posted(body)))


def test_an_evidence_is_an_alertgroup_with_its_type_as_category() -> None:
    first, second = read(EVIDENCE)

    scan = first.alerts[0].detection
    assert scan is not None
    assert (first.subject, first.message_id[:4], first.sources) == ("a horizontal scan", "1111", ("slips",))
    assert (scan.category, scan.severity, scan.confidence) == ("HORIZONTAL_PORT_SCAN", Severity.HIGH, 0.9)
    assert scan.detected == 1_728_049_530_123_456
    assert scan.sources == (Endpoint(addresses=("203.0.113.7",), ports=(4444,)),)
    assert scan.targets == (Endpoint(addresses=("198.51.100.9",), ports=(23,)),)
    assert scan.flow_uids == ("CAbc1", "CAbc2")
    assert json.loads(idea.lines(first).splitlines()[0])["Category"] == ["Recon.Scanning"]
    tor = second.alerts[0].detection
    assert tor is not None
    assert (tor.description, tor.severity) == ("A connection with an exit node of Tor", Severity.MEDIUM)
    assert tor.sources == (Endpoint(addresses=("203.0.113.8",), ports=(443,)),), "the attacker is the flow's target"


def test_an_alert_gathers_the_evidence_that_it_names() -> None:
    alert, other = read(EVIDENCE + json.dumps(ALERT).encode())

    assert [one.data["id"][:4] for one in alert.alerts] == ["3333", "1111"]
    assert alert.subject == "Enough evidence against 203.0.113.7 in time window 1"
    meant = alert.alerts[0].detection
    assert meant is not None
    assert (meant.severity, meant.sources) == (Severity.CRITICAL, (Endpoint(addresses=("203.0.113.7",)),))
    assert (meant.start, meant.end) == (1_728_046_800_000_000, 1_728_050_400_000_000)
    assert len(other.alerts) == 1


def test_its_line_in_alerts_log_is_slips_with_what_is_known_of_the_addresses() -> None:
    first, _ = read(EVIDENCE)

    assert log_line.lines(first, "slips").decode() == (
        "2024-10-04T13:45:30.123456+00:00 (TW 1): Src IP 203.0.113.7               . Detected a horizontal scan "
        "Threat level: high. IP 203.0.113.7: b.example, AS: AS64496 Example, rDNS: a.example, \n"
    )


@pytest.mark.parametrize(
    "body", [b'{"evidence_type": 1, "attacker": {}}', b'{"evidence_type": "X", "attacker": ', b"[]"]
)
def test_other_json_is_not_claimed_though_it_has_the_words(body: bytes) -> None:
    assert not Slips().claims(posted(body))


def test_what_is_neither_is_told_with_its_place() -> None:
    with pytest.raises(Malformed, match="object 3 of 3 is neither"):
        list(Slips().parse(posted(EVIDENCE + b'{"a": 1}')))
