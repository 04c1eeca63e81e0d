"""What came as IDEA0 leaves as IDEA0: strictly valid, with every key it came with, and our node in front."""

import importlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.formats import idea
from tocsin.formats.idea.schema import check
from tocsin.kit.json_objects import objects
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Message
from tocsin.parsers.idea import IdeaParser
from tocsin.sharing import Profile, Redaction

valid = importlib.import_module("idea.valid")
DATA = Path(__file__).parent.parent / "data" / "idea"
NODE = {"Name": "tocsin", "Type": ["Relay"], "SW": ["Tocsin"]}
MINIMAL = {"Format": "IDEA0", "ID": "e-1", "DetectTime": "2026-11-21T19:46:28Z", "Category": ["Recon.Scanning"]}


def group_of(*events: dict[str, Any] | str, **rest: Any) -> Alertgroup:
    texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
    alerts = tuple(Alert(json=text, uid=f"a-{number}") for number, text in enumerate(texts))
    return Alertgroup(subject="s", alerts=alerts, uid="g", received=10**15, **rest)


def relayed(*events: dict[str, Any] | str, **rest: Any) -> list[dict[str, Any]]:
    lines = idea.lines(group_of(*events, **rest)).splitlines()
    for line in lines:
        check(line)
        valid.Idea(json.loads(line)).checkRequired()
    return [json.loads(line) for line in lines]


def test_a_valid_event_leaves_with_every_key_as_it_came() -> None:
    event = MINIMAL | {
        "AltNames": ["RT 17"], "AggrID": ["x"], "PredID": ["y"], "RelID": ["z"],
        "CreateTime": "2026-11-21T20:46:28+01:00",
        "ConnCount": 1, "FlowCount": 2, "PacketCount": 3, "ByteCount": 4, "Ref": ["cve:CVE-2020-1"], "Confidence": 1,
        "Source": [{"IP4": ["192.0.2.0/24"], "Hostname": [], "Spoofed": True, "ASN": [1], "Router": ["r"], "x": 1}],
        "Attach": [{"Handle": "a", "Hash": ["sha1:00"], "Size": 0, "ExternalURI": ["http://a.example/"], "y": {}}],
        "Node": [{"Name": "cz.example.kippo", "AggrWin": "5D10:00:00", "Note": "n", "z": None}],
        "_CESNET": {"EventSeverity": "low"}, "anything": {"at": [1.50, None, "ž"]},
    }  # fmt: skip

    (sent,) = relayed(event)

    extra = sent.pop("_Tocsin")
    assert list(sent) == list(event)
    assert sent == event | {
        "Node": [NODE, {"Name": "cz.example.kippo", "AggrWin": "5D10:00:00", "Note": "n", "z": None}]
    }
    assert extra == {"AlertgroupUID": "g", "AlertUID": "a-0"}


def test_numbers_and_texts_keep_their_spelling_on_one_line() -> None:
    text = '{"Format":"IDEA0",\n "ID":"e-1","DetectTime":"2026-11-21T19:46:28Z","Category":["Test"],\n'
    text += ' "n":1.50e3,"big":123456789012345678901234567890,\r\n "deep":{"a":[1,\n2.0]},"s":"\\u017e\u2028\\/"}'

    (line,) = idea.lines(group_of(text)).decode().splitlines()

    for part in (
        '"n":1.50e3',
        '"big":123456789012345678901234567890',
        '"deep":{"a":[1,2.0]}',
        '"s":"\\u017e\\u2028\\/"',
    ):
        assert part in line


@pytest.mark.parametrize(
    ("key", "came", "left"),
    [
        ("DetectTime", "2026-11-21 19:46:28.5Z", "2026-11-21T19:46:28.500000Z"),
        ("DetectTime", "2026-13-21T19:46:28Z", "2001-09-09T01:46:40Z"),
        ("ID", "{e 1}", "a-0"),
        ("Category", "Recon.Scanning", ["Recon.Scanning"]),
        ("Category", ["Recon Scanning"], ["Recon-Scanning"]),
        ("Category", None, ["Other"]),
        ("ConnCount", "7", 7),
        ("Confidence", 2, None),
        ("RelID", ["hash:1", "b"], ["b"]),
        ("Ref", ["CVE-2020-1", "cve:CVE-2020-1"], ["cve:CVE-2020-1"]),
        ("Source", {"IP4": ["192.0.2.9-192.0.2.1"]}, [{"IP4": ["192.0.2.1-192.0.2.9"]}]),
        ("Source", [{"IP4": ["0.0.0.0/0", "192.0.2.1/32"]}], [{"IP4": ["0.0.0.0-255.255.255.255", "192.0.2.1"]}]),
        ("Source", [{"Port": ["80", "x"], "odd": 1}], [{"Port": [80], "odd": 1}]),
        ("Target", [{"MAC": ["00-1b-44-11-3a-b7"], "Proto": ["6", "TLS 1.2"]}],
         [{"MAC": ["00:1b:44:11:3a:b7"], "Proto": ["tls-1-2"]}]),
        ("Target", [{"ASN": ["AS64496"]}], [{"ASN": [64496]}]),
        ("Attach", [{"Content": {"a": 1}, "ContentType": "text/plain; charset=x"}],
         [{"Content": '{"a":1}', "ContentType": "text/plain"}]),
        ("Attach", [{"Hash": ["d41d8cd98f00b204e9800998ecf8427e"], "Size": 1}], [{"Size": 1}]),
        ("Description", ["a", "b"], "a\nb"),
        ("CeaseTime", "yesterday", None),
    ],
)  # fmt: skip
def test_what_is_not_strict_leaves_mended_and_as_it_came_besides(key: str, came: Any, left: Any) -> None:
    (sent,) = relayed(MINIMAL | {key: came})

    assert sent.get(key) == left
    assert sent["_Tocsin"]["Received"] == {key: came}


def test_a_foreign_nodes_name_becomes_one_that_idea_allows() -> None:
    (sent,) = relayed(MINIMAL | {"Node": [{"Name": "Org.Example-1.2nd", "SW": "x"}]})

    assert sent["Node"] == [NODE, {"Name": "org.example_1._2nd", "SW": ["x"]}]
    assert sent["_Tocsin"]["Received"] == {"Node": [{"Name": "Org.Example-1.2nd", "SW": "x"}]}


def test_our_tlp_counts_and_the_private_key_of_another_tocsin_is_kept_apart() -> None:
    (sent,) = relayed(MINIMAL | {"TLP": "GREEN", "_Tocsin": {"Alertgroup": 3}}, tlp=TLP.RED)

    assert sent["TLP"] == "RED"
    assert sent["_Tocsin"]["Received"] == {"_Tocsin": {"Alertgroup": 3}}


def test_an_incident_that_names_its_evidence_gets_no_second_line() -> None:
    body = (DATA / "incident.json").read_bytes()
    message = Message(source="rest", body=body, media_type="application/json", received=0)
    incident, _ = IdeaParser().parse(message)
    alerts = tuple(msgspec.structs.replace(alert, uid=f"a-{n}") for n, alert in enumerate(incident.alerts))

    lines = idea.lines(msgspec.structs.replace(incident, alerts=alerts, uid="g", received=10**15)).splitlines()

    assert [json.loads(line)["ID"] for line in lines] == ["incident-1", "e2", "e1"]
    assert [event["ID"] for event in relayed(MINIMAL, MINIMAL | {"ID": "e-2"})] == ["e-1", "e-2", "g"]


def test_a_recall_names_the_ids_under_which_events_were_relayed() -> None:
    group = group_of(MINIMAL, MINIMAL | {"ID": "e-2"})
    recall = Delivery(id=1, uid="d-1", alertgroup=group, kind="recall", owed=10**15)

    assert json.loads(idea.IdeaForm().delivered(recall))["PredID"] == ["e-1", "e-2", "g"]


@pytest.mark.parametrize("way", ["pseudonym", "drop"])
def test_what_the_gate_took_out_is_in_no_key(way: Any) -> None:
    redaction = Redaction(Profile(networks=["10.0.0.0/8"], domains=["corp.example"], way=way), b"a key")
    event = MINIMAL | {
        "Source": [{"IP4": ["10.1.2.3", "10.1.0.0/16", "192.0.2.1"], "Hostname": ["pc.corp.example"]}],
        "Target": [{"IP4": ["10.1.2.3"]}],
        "Note": "10.1.2.3 is pc.corp.example",
        "_own": {"ip": "10.1.2.3"},
    }

    line = idea.lines(redaction.applied(group_of(event)))

    check(line)
    assert b"10.1." not in line
    assert b"corp.example" not in line
    sent = json.loads(line)
    assert (sent["Source"][0]["Anonymised"], sent["Target"][0]["Anonymised"]) == (True, True)
    assert "192.0.2.1" in sent["Source"][0]["IP4"]


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
PARTS = st.sampled_from(["IP4", "IP6", "Port", "MAC", "Name", "Hash", "Size", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
    | st.sampled_from(["192.0.2.1", "192.0.2.9-192.0.2.1", "2001:db8::/32", "80", "2026-02-30T00:00:00Z", "a:b"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(PARTS | TEXTS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
KEYS = st.sampled_from(
    [
        *MINIMAL,
        "CorrelID",
        "RelID",
        "EventTime",
        "ConnCount",
        "Confidence",
        "Source",
        "Target",
        "Attach",
        "Node",
        "Note",
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(KEYS | TEXTS, VALUES, max_size=8))
def test_whatever_came_leaves_strictly_valid_and_nothing_of_it_is_lost(came: dict[str, Any]) -> None:
    event = came | {"Format": "IDEA0"}
    (text,) = objects(json.dumps(event).encode())

    (line,) = idea.lines(group_of(text.decode())).splitlines()

    check(line)
    valid.Idea(json.loads(line)).checkRequired()
    sent = msgspec.json.decode(line)
    received = sent["_Tocsin"].get("Received", {})
    for key, value in msgspec.json.decode(text).items():
        ours = sent.get(key)[1:] if key == "Node" else sent.get(key)
        assert received.get(key, ours) == value or (key in received and received[key] == value), key


@given(st.dictionaries(KEYS | TEXTS, VALUES, max_size=8))
def test_whatever_is_posted_as_idea_is_read_or_refused_in_words(came: dict[str, Any]) -> None:
    body = json.dumps(came | {"Format": "IDEA0"}).encode()
    message = Message(source="rest", body=body, media_type="application/json", received=0)

    (group,) = IdeaParser().parse(message)

    assert group.subject
    assert json.loads(group.alerts[0].json) == json.loads(body)
