"""IDMEFv2 in both profiles: as Slips writes it, and as draft 08 has it; and read back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.formats.idea.categories import TAXONOMY
from tocsin.formats.idmef import IdmefForm, Profile
from tocsin.formats.idmef.categories import OF_IDEA
from tocsin.formats.idmef.read import Idmef
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint, Severity

UID = "11111111-1111-4111-8111-111111111111"
GROUP_UID = "22222222-2222-4222-8222-222222222222"
RECEIVED = 1_795_290_092_000_000
SLIPS = Detection(
    name="HORIZONTAL_PORT_SCAN",
    category="HORIZONTAL_PORT_SCAN",
    description="Horizontal port scan to port 23/TCP.",
    severity=Severity.CRITICAL,
    confidence=0.9,
    start=1_728_049_530_123_456,
    sources=(Endpoint(addresses=("203.0.113.7",), ports=(4444,)),),
    targets=(Endpoint(addresses=("198.51.100.9",), ports=(23,)),),
    protocols=("tcp",),
    flow_uids=("CAbc1", "CAbc2"),
)
ROW = '{"timewindow": {"number": 1}, "accumulated_threat_level": 15.3}'


def written(profile: Profile, *meant: Detection, row: str = ROW, **rest: Any) -> list[dict[str, Any]]:
    alerts = tuple(Alert(json=row, uid=f"{UID[:-1]}{n}", detection=each) for n, each in enumerate(meant, 1))
    fields: dict[str, Any] = {"subject": "s", "uid": GROUP_UID, "received": RECEIVED} | rest
    delivery = Delivery(id=1, uid="d", alertgroup=Alertgroup(alerts=alerts, **fields))
    return [json.loads(text) for text in IdmefForm(profile).texts(delivery)]


def test_slips_profile_writes_an_evidence_as_slips_does() -> None:
    (event,) = written("slips", SLIPS)

    note = json.loads(event.pop("Note"))
    assert note == {
        "uids": ["CAbc1", "CAbc2"], "accumulated_threat_level": 15.3, "threat_level": "critical", "confidence": "High",
        "timewindow": 1,
    }  # fmt: skip
    assert event == {
        "Version": "2.0.3",
        "Analyzer": {
            "IP": "0.0.0.0",
            "Name": "Tocsin",
            "Category": ["NIDS"],
            "Data": ["Flow", "Network"],
            "Method": ["Heuristic"],
        },
        "Status": "Event",
        "ID": UID,
        "Severity": "High",
        "StartTime": "2024-10-04T13:45:30.123456Z",
        "CreateTime": "2026-11-21T19:41:32Z",
        "Confidence": 0.9,
        "Description": "Horizontal port scan to port 23/TCP.",
        "Source": [{"IP": "203.0.113.7", "Port": [4444], "Protocol": ["TCP"]}],
        "Target": [{"IP": "198.51.100.9", "Port": [23]}],
    }
    assert list(event)[:7] == ["Version", "Analyzer", "Status", "ID", "Severity", "StartTime", "CreateTime"]


def test_slips_profile_writes_an_alertgroup_as_slips_writes_an_alert() -> None:
    *events, incident = written("slips", SLIPS, SLIPS)

    assert list(incident) == [
        "Version", "Analyzer", "Source", "ID", "Status", "StartTime", "CreateTime", "CorrelID", "Note"
    ]  # fmt: skip
    assert incident["CorrelID"] == [event["ID"] for event in events]
    assert (incident["ID"], incident["Status"], incident["Source"]) == (GROUP_UID, "Incident", [{"IP": "203.0.113.7"}])
    assert json.loads(incident["Note"]) == {
        "accumulated_threat_level": 15.3,
        "timewindow": 1,
        "EndTime": "2024-10-04T13:45:30.123456Z",
    }


def test_draft_08_has_lists_categories_and_an_id_for_every_end() -> None:
    (event,) = written("08", SLIPS)

    assert (event["Version"], event["Status"], event["Type"]) == ("2.D.V08", ["Event"], ["Cyber"])
    assert (event["Category"], event["AltCategory"], event["Priority"]) == (
        ["Recon.Network"],
        ["Recon.Scanning"],
        "High",
    )
    assert "Severity" not in event
    assert event["Analyzer"] == {"Name": "Tocsin", "Category": ["SIEM.SIEM"], "Data": ["Alert", "Relay"]}
    assert event["Source"] == [
        {"ID": event["Source"][0]["ID"], "IP": "203.0.113.7", "Port": [4444], "Protocol": ["tcp"]}
    ]
    assert event["Source"][0]["ID"] != event["Target"][0]["ID"]
    assert json.loads(event["Note"])["uids"] == ["CAbc1", "CAbc2"]
    assert written("08", SLIPS) == [event], "ids are the same at every attempt"


def test_every_category_of_idea_has_one_of_the_draft() -> None:
    assert set(OF_IDEA) == TAXONOMY
    assert [words for words, category in OF_IDEA.items() if category == "Other.Test"] == ["Test"]


def test_an_end_with_several_addresses_becomes_several() -> None:
    end = Endpoint(
        addresses=("192.0.2.1", "2001:db8::1"), hostnames=("a.example",), emails=("a@b.example",), ports=(0, 1),
        urls=("http://a.example/",), macs=("00:1b:44:11:3a:b7",),
    )  # fmt: skip

    (event,) = written("slips", Detection(sources=(end,)))

    note = '{"URL": ["http://a.example/"], "MAC": ["00:1b:44:11:3a:b7"]}'
    assert event["Source"] == [
        {"IP": "192.0.2.1", "Hostname": "a.example", "Email": "a@b.example", "Port": [1], "Note": note},
        {"IP": "2001:db8::1", "Port": [1], "Note": note},
    ]


def test_what_is_no_uuid_becomes_one_that_stays() -> None:
    alerts = (Alert(json="{}", uid="a-1", detection=Detection()),)
    group = Alertgroup(subject="s", alerts=alerts, uid="g", received=RECEIVED)
    first, again = [json.loads(IdmefForm().texts(Delivery(id=n, uid="d", alertgroup=group))[0]) for n in (1, 2)]

    assert len(first["ID"]) == 36
    assert first["ID"] == again["ID"]


def test_a_message_of_the_same_version_leaves_whole_and_one_of_another_under_its_id() -> None:
    row = '{"Version":"2.0.3",\n"Analyzer":{"Name":"Slips","IP":"0.0.0.0"},"ID":"' + UID + '","CreateTime":'
    row += '"2026-11-21T19:41:32Z","Status":"Incident","CorrelID":["' + GROUP_UID + '"],"odd":1.50}'

    alert = Alert(json=row, uid="a-1", detection=Idmef(row).detection())
    group = Alertgroup(subject="s", alerts=(alert,), uid="g", received=RECEIVED)
    (same,) = IdmefForm("slips").texts(Delivery(id=1, uid="d", alertgroup=group))
    (other,) = IdmefForm("08").texts(Delivery(id=1, uid="d", alertgroup=group))

    assert same.decode() == row.replace("\n", "")
    event = json.loads(other)
    assert (event["Version"], event["ID"], event["CorrelID"]) == ("2.D.V08", UID, [GROUP_UID])
    assert event["Status"] == ["Incident"]


@pytest.mark.parametrize("profile", ["08", "slips"])
def test_what_is_written_is_read_as_it_was_meant(profile: Profile) -> None:
    (event,) = written(profile, SLIPS)

    found = Idmef(json.dumps(event)).detection()

    assert (found.description, found.confidence, found.start) == (SLIPS.description, 0.9, SLIPS.start)
    assert (found.sources, found.targets) == (SLIPS.sources, SLIPS.targets)
    assert (found.protocols, found.flow_uids) == (SLIPS.protocols, SLIPS.flow_uids)
    assert found.severity is (Severity.CRITICAL if profile == "slips" else Severity.HIGH)
    assert found.category == ("" if profile == "slips" else SLIPS.category)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=10)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["IP", "Port", "Note", "Hostname", "Protocol"]) | TEXTS, inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = ["Status", "Severity", "Priority", "CorrelID", "Source", "Target", "Note", "StartTime", "EndTime", "Confidence"]


@given(st.dictionaries(st.sampled_from([*KEYS, "Category", "Description", "CreateTime"]) | TEXTS, VALUES, max_size=6))
def test_any_message_is_read_and_written_again(came: dict[str, Any]) -> None:
    text = json.dumps(came | {"Version": "2.D.V03", "Analyzer": {"Name": "x"}, "ID": UID})
    message = Idmef(text)

    assert message.is_one
    assert message.subject
    alert = Alert(json=text, uid="a-1", detection=message.detection())
    group = Alertgroup(subject="s", alerts=(alert,), uid="g", received=RECEIVED)
    for profile in ("08", "slips"):
        (line,) = IdmefForm(profile).lines(Delivery(id=1, uid="d", alertgroup=group)).splitlines()
        assert json.loads(line)["ID"] == UID
