"""IDMEFv2 that is posted, as Slips writes it since 1.1.2: an incident gathers its evidence, whatever came first."""

import json
from pathlib import Path

import pytest

from tocsin.errors import Malformed
from tocsin.formats import log_line
from tocsin.model import Alertgroup, Detection, Endpoint, Message, Severity
from tocsin.parsers.idmef import IdmefParser

SLIPS = (Path(__file__).parent.parent / "data" / "idmef" / "slips-alerts.jsonl").read_bytes()
MINIMAL = {"Version": "2.D.V08", "ID": "a", "CreateTime": "2026-11-21T19:46:28Z", "Analyzer": {"Name": "x"}}


def posted(body: bytes | object) -> Message:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(source="rest", body=raw, media_type="application/json", received=0)


def read(body: bytes | object) -> list[Alertgroup]:
    assert IdmefParser().claims(posted(body))
    return list(IdmefParser().parse(posted(body)))


def test_an_alert_of_slips_gathers_its_evidence_in_the_order_it_names_it() -> None:
    (group,) = read(SLIPS)

    assert [alert.data["ID"][:4] for alert in group.alerts] == ["3333", "2222", "1111"]
    assert group.subject == "Incident of 203.0.113.7 in time window 1"
    assert (group.sources, group.message_id[:4]) == (("idmef", "Slips"), "3333")
    assert group.created == 1_728_049_592_000_000
    assert group.alerts[2].json in SLIPS.decode()


def test_evidence_of_slips_is_read_whatever_the_version_calls_its_severity() -> None:
    (group,) = read(SLIPS)
    incident, newer, older = [alert.detection for alert in group.alerts]

    assert older == Detection(
        description="Horizontal port scan to port 23/TCP. Threat level: critical.",
        severity=Severity.CRITICAL,
        confidence=0.9,
        detected=1_728_049_530_123_456,
        start=1_728_049_530_123_456,
        sources=(Endpoint(addresses=("203.0.113.7",), ports=(4444,)),),
        targets=(Endpoint(addresses=("198.51.100.9",), ports=(23,)),),
        protocols=("tcp",),
        flow_uids=("CAbc1", "CAbc2"),
    )
    assert newer is not None
    assert (newer.severity, newer.targets) == (Severity.LOW, (Endpoint(hostnames=("mirror.example",), ports=(443,)),))
    assert incident is not None
    assert (incident.end, incident.severity) == (1_728_050_400_000_000, None)


def test_its_lines_in_alerts_log_are_those_that_slips_wrote() -> None:
    (group,) = read(SLIPS)

    first, second, alert = log_line.lines(group, "slips").decode().splitlines()

    assert second == (
        "2024-10-04T13:45:30.123456+00:00 (TW 1): Src IP 203.0.113.7               . "
        "Detected Horizontal port scan to port 23/TCP. Threat level: critical. "
    )
    assert first.endswith(" (TW 1): Src IP 203.0.113.7               . Detected New server. Threat level: low. ")
    assert alert == (
        "2024-10-04T13:46:30+00:00: Src IP 203.0.113.7               . "
        "Generated an alert given enough evidence on timewindow 1. (real time 1970/01/01 00:00:00.000000+0000)"
    )


def test_messages_that_nobody_names_stand_alone() -> None:
    groups = read([MINIMAL, MINIMAL | {"ID": "b", "CorrelID": ["elsewhere"], "Description": "an\nincident"}])

    assert [group.subject for group in groups] == ["Message of x", "an"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([MINIMAL, MINIMAL | {"Analyzer": "x"}], "object 2 of 2 is no message of IDMEFv2"),
        (json.dumps(MINIMAL).encode() + b"\n{", "line 2 is not JSON"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(body: bytes | object, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        list(IdmefParser().parse(posted(body)))


@pytest.mark.parametrize(
    "body",
    [
        {"subject": "Analyzer Version", "data": [MINIMAL]},
        {"Version": "1.0", "ID": "a", "Analyzer": {"Name": "x"}},
        {"Version": 2, "ID": "a", "Analyzer": {"Name": "x"}},
        [],
        b'{"Version": "2.D.V08", "Analyzer"',
    ],
)
def test_other_json_is_not_claimed(body: bytes | object) -> None:
    assert not IdmefParser().claims(posted(body))
