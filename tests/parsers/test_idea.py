"""IDEA0 that is posted: events become alertgroups, an incident gathers its evidence, nothing of a row is changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from tocsin.errors import Malformed
from tocsin.formats import idea
from tocsin.model import TLP, Alert, Alertgroup, Detection, Endpoint, Message, Severity
from tocsin.parsers.idea import IdeaParser

DATA = Path(__file__).parent.parent / "data" / "idea"
EVENT = {"Format": "IDEA0", "ID": "a", "DetectTime": "2026-11-21T19:46:28Z", "Category": ["Test"]}


def posted(body: bytes | object) -> Message:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(source="rest", body=raw, media_type="application/json", received=0)


def read(body: bytes | object) -> list[Alertgroup]:
    assert IdeaParser().claims(posted(body))
    return list(IdeaParser().parse(posted(body)))


def meant(**changes: Any) -> Detection:
    """What the one event with these keys says."""
    ((alert,),) = [group.alerts for group in read(EVENT | changes)]
    assert alert.detection is not None
    return alert.detection


def test_an_incident_gathers_the_events_it_names_and_others_stand_alone() -> None:
    body = (DATA / "incident.json").read_bytes()

    incident, alone = read(body)

    assert [alert.data["ID"] for alert in incident.alerts] == ["incident-1", "e2", "e1"]
    assert (incident.subject, incident.message_id) == ("Passwords are being guessed", "incident-1")
    assert incident.sources == ("idea", "cz.example.correlator", "Kippo", "cz.example.kippo")
    assert incident.tlp is TLP.AMBER
    assert incident.created == 1_795_290_600_000_000
    assert incident.columns[:3] == ("Format", "ID", "CorrelID")
    assert [alert.data["ID"] for alert in alone.alerts] == ["alone"]
    assert alone.subject == "Recon.Scanning from 192.0.2.8"
    assert incident.alerts[0].json in body.decode(), "the row is the event as it was received, spaces included"


def test_an_event_is_read_into_a_detection() -> None:
    incident, _ = read((DATA / "incident.json").read_bytes())

    assert incident.alerts[0].detection == Detection(
        name="Passwords are being guessed",
        category="Attempt.Login",
        description="From one address on many machines.",
        severity=Severity.HIGH,
        confidence=0.75,
        detected=1_795_290_540_000_000,
        start=1_795_290_000_000_000,
        end=1_795_290_600_000_000,
        sources=(Endpoint(addresses=("192.0.2.7", "2001:db8::1"), hostnames=("evil.example",)),),
        targets=(Endpoint(ports=(22,)),),
    )


def test_lines_of_slips_are_read_evidence_and_alert() -> None:
    first, second, alert = read((DATA / "slips-1.1.1.jsonl").read_bytes())

    detection = first.alerts[0].detection
    assert detection is not None
    assert first.subject == "Horizontal port scan to port 23/TCP. Threat level: high."
    assert (detection.category, detection.flow_uids) == ("Recon.Scanning", ("CAbc1", "CAbc2"))
    assert detection.targets == (Endpoint(addresses=("198.51.100.9",), ports=(23,)),), "a port as text is a port"
    assert '"accumulated_threat_level": 7.20' in first.alerts[0].json
    assert second.alerts[0].data["timewindow"] == 1
    assert alert.alerts[0].data["Category"] == "Alert"


@pytest.mark.parametrize(
    ("time", "micros"),
    [
        ("2026-11-21t19:46:28z", 1_795_290_388_000_000),
        ("2026-11-21 20:46:28.5+01:00", 1_795_290_388_500_000),
        ("2026-11-21T14:16:28-0530", 1_795_290_388_000_000),
        ("2026-11-21T19:46:28.123456789Z", 1_795_290_388_123_456),
        (1_795_290_388, 1_795_290_388_000_000),
        ("2026-11-21T19:46:28", None),
        ("2026-13-21T19:46:28Z", None),
        ("2026-02-30T19:46:28Z", None),
        (None, None),
        ([], None),
        (True, None),
    ],
)
def test_times_are_read_in_any_spelling_with_a_zone_and_never_guessed(time: object, micros: int | None) -> None:
    assert meant(DetectTime=time).detected == micros


def test_what_others_write_loosely_is_read_where_it_is_certain() -> None:
    end = {
        "IP4": "192.0.2.7/32",
        "ip6": ["x"],
        "MAC": ["00-1B-44-11-3A-B7"],
        "Port": ["80", 443.0, "x", 70000, -1, True],
    }
    detection = meant(category="Attempt.Login", Category=None, confidence="0.5", source=end, Confidence="high")

    assert detection.category == ""
    assert detection.confidence is None
    assert detection.sources == (Endpoint(addresses=("192.0.2.7",), macs=("00:1b:44:11:3a:b7",), ports=(80, 443)),)
    lower = {name.lower(): value for name, value in (EVENT | {"Source": end}).items()} | {"Format": "IDEA0"}
    del lower["format"]
    ((alert,),) = [group.alerts for group in read(lower)]
    assert alert.detection is not None
    assert (alert.detection.category, len(alert.detection.sources)) == ("Test", 1)


@pytest.mark.parametrize(
    ("word", "tlp"), [("AMBER-STRICT", TLP.AMBER_STRICT), ("white", TLP.CLEAR), ("secret", TLP.RED), (None, TLP.UNSET)]
)
def test_the_tlp_that_mentat_reads_is_read_and_an_unknown_one_is_the_most_guarded(word: object, tlp: TLP) -> None:
    assert read(EVENT | ({"TLP": word} if word else {}))[0].tlp is tlp


def test_what_tocsin_wrote_is_read_as_it_was_meant() -> None:
    detection = Detection(
        name="ET SCAN something", category="odd-scan", description="Somebody looks.", severity=Severity.LOW,
        confidence=0.25, detected=1_795_290_388_000_000, start=1_795_290_387_000_000, end=1_795_290_389_000_000,
        sources=(Endpoint(addresses=("192.0.2.7", "2001:db8::1"), ports=(1,), emails=("a@b.example",)),),
        targets=(Endpoint(hostnames=("a.example",), urls=("http://a.example/",), macs=("00:1b:44:11:3a:b7",)),),
        protocols=("tcp", "ssh"), flow_uids=("C1",),
    )  # fmt: skip
    alert = Alert(json="{}", uid="a-1", detection=detection)
    line = idea.lines(Alertgroup(subject="s", alerts=(alert,), uid="g", received=10**15))

    assert read(line)[0].alerts[0].detection == detection


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'[{"Format":"IDEA0","ID":"a"},{"ID":"b"}]', "object 2 of 2 is no event of IDEA0"),
        (b'{"Format":"IDEA0","ID":"a"}\nnonsense', "line 2 is not JSON"),
        (b'{"Format":"IDEA0","ID":"a"}\n[1]', "line 2 is no JSON object"),
        (b'[{"Format":"IDEA0"},3]', "item 2 is no JSON object"),
        (b'[{"Format":"IDEA0"}', "no JSON array"),
        (b'{"Format":"IDEA0","x":' + b"[" * 100_000, "not JSON"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(body: bytes, said: str) -> None:
    assert IdeaParser().claims(posted(body)) in (True, False)
    with pytest.raises(Malformed, match=said):
        list(IdeaParser().parse(posted(body)))


@pytest.mark.parametrize(
    "body", [{"subject": "IDEA0", "data": [EVENT]}, [1], "IDEA0", {"format": "IDEA0"}, [], {"Format": {"x": "IDEA0"}}]
)
def test_other_json_is_not_claimed_though_it_speaks_of_idea(body: object) -> None:
    assert not IdeaParser().claims(posted(body))


def test_mails_are_left_to_others() -> None:
    mail = Message(source="box", body=json.dumps(EVENT).encode(), media_type="message/rfc822", received=0)

    assert not IdeaParser().claims(mail)
