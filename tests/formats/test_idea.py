"""IDEA0 events are strictly valid, say what the detection says, and are the same at every attempt."""

import importlib
import ipaddress
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin import detection
from tocsin.formats import idea
from tocsin.formats.idea import IdeaForm, schema
from tocsin.formats.idea.categories import DEFAULT as CATEGORIES
from tocsin.formats.idea.categories import TAXONOMY, Categories
from tocsin.formats.idea.schema import check
from tocsin.formats.slips import EVIDENCE
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Detection, Endpoint, Severity

valid, lite = importlib.import_module("idea.valid"), importlib.import_module("idea.lite")
"""CESNET's own library, which has no types."""
jsonschema = importlib.import_module("jsonschema")
"""Which has none either."""

EVE = Path(__file__).parents[2].parent / "shared/data/suricata/eve.json"
UID = "6f1c1a3e-3c7e-5b7e-9d8e-0a1b2c3d4e5f"
RECEIVED = 1_795_290_092_000_000

TAG = re.compile(r"[A-Za-z0-9_-]+")
SHAPES: dict[str, re.Pattern[str]] = {
    "ID": re.compile(r"[A-Za-z0-9._-]+"),
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", re.ASCII),
    "category": re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)?"),
    "node": re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*"),
    "proto": re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]+(-[A-Za-z0-9]+)*"),
    "mac": re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}"),
}
FORMATS = jsonschema.FormatChecker(())
for _name, _fits in schema.FORMATS.items():
    FORMATS.checks(_name)(lambda value, fits=_fits: not isinstance(value, str) or fits(value))
SCHEMA = jsonschema.Draft202012Validator(schema.schema(), format_checker=FORMATS)
TOP = {
    "Format", "ID", "CreateTime", "DetectTime", "EventTime", "CeaseTime", "Category", "Confidence", "Description",
    "Note", "Source", "Target", "Node", "TLP", "uids", "_Tocsin",
}  # fmt: skip
ENDS = {"IP4", "IP6", "Hostname", "MAC", "Port", "Proto", "URL", "Email", "Anonymised"}


def strictly_valid(event: dict[str, Any]) -> None:
    """The strict schema, and what it leaves out: dates that exist, addresses that are, no empty lists, known words."""
    assert set(event) <= TOP
    assert event["Format"] == "IDEA0"
    assert SHAPES["ID"].fullmatch(event["ID"])
    assert "DetectTime" in event
    for name in ("CreateTime", "DetectTime", "EventTime", "CeaseTime"):
        if name in event:
            assert SHAPES["time"].fullmatch(event[name])
            datetime.fromisoformat(event[name])
    assert event["Category"]
    for category in event["Category"]:
        assert SHAPES["category"].fullmatch(category)
        assert category in TAXONOMY
    if "Confidence" in event:
        assert type(event["Confidence"]) in (int, float)
        assert 0 <= event["Confidence"] <= 1
    for name in ("Description", "Note"):
        assert event.get(name, "x"), "an empty text is left out"
    for end in (*event.get("Source", []), *event.get("Target", [])):
        strictly_valid_end(end)
    assert [set(node) for node in event["Node"]] == [{"Name", "Type", "SW"}]
    assert SHAPES["node"].fullmatch(event["Node"][0]["Name"])
    assert all(TAG.fullmatch(tag) for tag in event["Node"][0]["Type"])


def strictly_valid_end(end: dict[str, Any]) -> None:
    assert set(end) <= ENDS
    assert end.get("Anonymised", True) is True
    assert all(type(values) is list and values for name, values in end.items() if name != "Anonymised")
    for text in end.get("IP4", []):
        assert str(ipaddress.IPv4Address(text)) == text
    for text in end.get("IP6", []):
        ipaddress.IPv6Address(text)
    for port in end.get("Port", []):
        assert type(port) is int
        assert 0 <= port <= 65535
    assert all(SHAPES["proto"].fullmatch(name) for name in end.get("Proto", []))
    assert all(SHAPES["mac"].fullmatch(text) for text in end.get("MAC", []))
    assert all(type(text) is str for name in ("Hostname", "URL", "Email") for text in end.get(name, []))


def of_our_schema(line: bytes | str) -> dict[str, Any]:
    """The event of a line that our schema and our check take."""
    check(line)
    event: dict[str, Any] = json.loads(line)
    SCHEMA.validate(event)
    return event


def second_opinion(event: dict[str, Any]) -> None:
    """As far as it goes: it knows the types but not what is mandatory in parts."""
    valid.Idea(event).checkRequired()
    lite.Idea(event).checkRequired()


def group_of(*detections: Detection, **rest: Any) -> Alertgroup:
    alerts = tuple(Alert(json="{}", uid=f"{UID}-{n}", id=n, detection=each) for n, each in enumerate(detections, 1))
    fields: dict[str, Any] = {"subject": "a subject", "received": RECEIVED, "id": 7, "uid": "g", **rest}
    return Alertgroup(alerts=alerts, **fields)


def only(meant: Detection, **rest: Any) -> dict[str, Any]:
    """The event of a group with this one detection, checked."""
    (line,) = idea.lines(group_of(meant, **rest)).splitlines()
    event = of_our_schema(line)
    strictly_valid(event)
    second_opinion(event)
    return event


FULL = Detection(
    name="ET SCAN something",
    category="Detection of a Network Scan",
    description="Somebody looks at every door.",
    severity=Severity.HIGH,
    confidence=0.9,
    detected=1_728_049_530_123_456,
    start=1_728_049_529_000_000,
    end=1_728_049_531_500_000,
    sources=(
        Endpoint(
            addresses=("203.0.113.7", "2001:db8::1"),
            hostnames=("evil.example",),
            ports=(4444,),
            macs=("00:1b:44:11:3a:b7",),
            urls=("http://evil.example/x",),
            emails=("eve@evil.example",),
        ),
    ),
    targets=(Endpoint(addresses=("198.51.100.9",), ports=(22, 23)), Endpoint(hostnames=("b.example",))),
    protocols=("tcp", "ssh"),
    flow_uids=("CAbc1", "CAbc2"),
)


def test_everything_a_detection_says_stands_in_the_event() -> None:
    event = only(FULL, sources=("suricata",), tlp=TLP.AMBER_STRICT, created=RECEIVED - 5_000_000)

    assert event == {
        "Format": "IDEA0",
        "ID": f"{UID}-1",
        "CreateTime": "2026-11-21T19:41:32Z",
        "DetectTime": "2024-10-04T13:45:30.123456Z",
        "EventTime": "2024-10-04T13:45:29Z",
        "CeaseTime": "2024-10-04T13:45:31.500000Z",
        "Category": ["Recon.Scanning"],
        "Confidence": 0.9,
        "Description": "ET SCAN something",
        "Note": "Somebody looks at every door.",
        "Source": [
            {
                "IP4": ["203.0.113.7"],
                "IP6": ["2001:db8::1"],
                "Hostname": ["evil.example"],
                "MAC": ["00:1b:44:11:3a:b7"],
                "Port": [4444],
                "Proto": ["tcp", "ssh"],
                "URL": ["http://evil.example/x"],
                "Email": ["eve@evil.example"],
            }
        ],
        "Target": [
            {"IP4": ["198.51.100.9"], "Port": [22, 23], "Proto": ["tcp", "ssh"]},
            {"Hostname": ["b.example"], "Proto": ["tcp", "ssh"]},
        ],
        "Node": [{"Name": "tocsin", "Type": ["Relay"], "SW": ["Tocsin"]}],
        "TLP": "AMBER-STRICT",
        "uids": ["CAbc1", "CAbc2"],
        "_Tocsin": {
            "Alertgroup": 7,
            "AlertgroupUID": "g",
            "Subject": "a subject",
            "Sources": ["suricata"],
            "Category": "Detection of a Network Scan",
            "Severity": "high",
        },
    }


def test_a_detection_that_says_nothing_is_still_a_valid_event() -> None:
    event = only(Detection())

    assert event == {
        "Format": "IDEA0",
        "ID": f"{UID}-1",
        "CreateTime": "2026-11-21T19:41:32Z",
        "DetectTime": "2026-11-21T19:41:32Z",
        "Category": ["Other"],
        "Description": "a subject",
        "Node": [{"Name": "tocsin", "Type": ["Relay"], "SW": ["Tocsin"]}],
        "_Tocsin": {"Alertgroup": 7, "AlertgroupUID": "g"},
    }


def test_detect_time_falls_back_to_when_the_group_was_made_and_impossible_times_are_left_out() -> None:
    assert only(Detection(), created=RECEIVED - 1_000_000)["DetectTime"] == "2026-11-21T19:41:31Z"
    event = only(Detection(detected=10**18, start=-5, end=10**17), created=-1)
    assert event["DetectTime"] == "2026-11-21T19:41:32Z"
    assert "EventTime" not in event
    assert event["CeaseTime"] == "5138-11-16T09:46:40Z"


def test_protocols_are_written_as_names_that_idea_allows() -> None:
    event = only(Detection(sources=(Endpoint(addresses=("203.0.113.7",)),), protocols=("udp", "6", "tls1.2")))

    assert event["Source"] == [{"IP4": ["203.0.113.7"], "Proto": ["udp", "tls1-2"]}]


def test_the_same_group_gives_the_same_bytes() -> None:
    group = group_of(FULL, Detection(), FULL)

    assert idea.lines(group) == idea.lines(group)
    assert idea.lines(group).count(b"\n") == 4


def test_no_text_can_end_a_line() -> None:
    nasty = "a\nb\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029c"

    text = idea.lines(group_of(Detection(name=nasty, category=nasty), subject=nasty)).decode()

    assert len(text.splitlines()) == 1
    assert json.loads(text)["Description"] == nasty


def test_an_alertgroup_of_several_alerts_has_a_line_that_names_theirs() -> None:
    group = group_of(FULL, Detection(category="Test", start=1_700_000_000_000_000), tlp=TLP.GREEN)

    first, second, together = map(of_our_schema, idea.lines(group).splitlines())

    assert "CorrelID" not in first
    assert together == {
        "Format": "IDEA0",
        "ID": "g",
        "CorrelID": [first["ID"], second["ID"]],
        "CreateTime": "2026-11-21T19:41:32Z",
        "DetectTime": "2026-11-21T19:41:32Z",
        "EventTime": "2023-11-14T22:13:20Z",
        "CeaseTime": "2024-10-04T13:45:31.500000Z",
        "Category": ["Recon.Scanning", "Test"],
        "Description": "a subject",
        "Source": [{"IP4": ["203.0.113.7"], "IP6": ["2001:db8::1"], "Hostname": ["evil.example"]}],
        "Node": [{"Name": "tocsin", "Type": ["Relay", "Correlation"], "SW": ["Tocsin"]}],
        "TLP": "GREEN",
        "_Tocsin": {"Alertgroup": 7, "AlertgroupUID": "g", "Severity": "high"},
    }
    assert IdeaForm(alertgroups=False).lines(group).count(b"\n") == 2


def test_pseudonyms_are_said_to_be_such() -> None:
    ends = [(("240.1.2.3",), True), (("4001::7",), True), (("192.0.2.7", "255.1.2.3"), True), (("4::1",), None)]
    ends += [(("255.255.255.255",), None), (("192.0.2.7", "2001:db8::1", "24.0.0.1"), None)]
    for addresses, hidden in ends:
        event = only(Detection(sources=(Endpoint(addresses=addresses),)))
        assert event["Source"][0].get("Anonymised") is hidden, addresses


def test_a_recall_replaces_what_was_sent_and_accuses_nobody() -> None:
    group = group_of(FULL, FULL)
    sent = [json.loads(line)["ID"] for line in idea.lines(group).splitlines()]
    recall = Delivery(
        id=9, uid="d-9", alertgroup=group, kind="recall", owed=RECEIVED + 60_000_000, reason="our own scanner"
    )

    (line,) = IdeaForm().delivered(recall).splitlines()

    event = of_our_schema(line)
    second_opinion(event)
    assert event == {
        "Format": "IDEA0",
        "ID": "d-9",
        "PredID": sent,
        "CreateTime": "2026-11-21T19:42:32Z",
        "DetectTime": "2026-11-21T19:42:32Z",
        "Category": ["Recon.Scanning"],
        "Confidence": 0.0,
        "Description": "Recalled: a subject",
        "Note": "our own scanner",
        "Node": [{"Name": "tocsin", "Type": ["Relay"], "SW": ["Tocsin"]}],
        "_Tocsin": {"Alertgroup": 7, "AlertgroupUID": "g", "Recalled": True},
    }
    bare = Alertgroup(subject="", alerts=tuple(Alert(json="{}", uid=each.uid) for each in group.alerts), uid="g")
    event = of_our_schema(IdeaForm().delivered(msgspec.structs.replace(recall, alertgroup=bare)))
    assert (event["PredID"], event["Category"], event["Description"]) == (sent, ["Other"], "Recalled")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"DetectTime": "2026-13-01T00:00:00Z"}, "DetectTime"),
        ({"DetectTime": "2026-02-30T00:00:00Z"}, "no such time"),
        ({"DetectTime": "2026-02-03T00:00:00"}, "DetectTime"),
        ({"DetectTime": "2026-02-03 00:00:00Z"}, "DetectTime"),
        ({"CreateTime": None}, "CreateTime"),
        ({"ID": "a b"}, "ID"),
        ({"ID": "a\n"}, "ID"),
        ({"Category": []}, "Category"),
        ({"Category": "Test"}, "Category"),
        ({"Confidence": 2}, "Confidence"),
        ({"ConnCount": "3"}, "ConnCount"),
        ({"RelID": ["hash:1"]}, "RelID"),
        ({"Ref": ["CVE-2020-1"]}, "Ref"),
        ({"Source": [{"Port": ["80"]}]}, "Port"),
        ({"Source": [{"Port": [80.5]}]}, "Port"),
        ({"Source": [{"Port": [65536]}]}, "Port"),
        ({"Source": [{"IP4": ["192.0.2.300"]}]}, "no IPv4"),
        ({"Source": [{"IP4": ["192.0.2.9-192.0.2.1"]}]}, "no IPv4"),
        ({"Target": [{"IP4": ["192.0.2.0/33"]}]}, "IP4"),
        ({"Target": [{"IP6": ["2001:db8::9-2001:db8::1"]}]}, "no IPv6"),
        ({"Target": [{"IP6": ["192.0.2.1"]}]}, "no IPv6"),
        ({"Source": [{"MAC": ["00-1b-44-11-3a-b7"]}]}, "MAC"),
        ({"Source": [{"Proto": ["6"]}]}, "Proto"),
        ({"Attach": [{"ContentEncoding": "gzip"}]}, "ContentEncoding"),
        ({"Node": [{"Name": "Org.Example"}]}, "Name"),
        ({"Node": [{"SW": ["x"]}]}, "Name"),
        ({"Node": [{"Name": "org.example", "AggrWin": "5 minutes"}]}, "AggrWin"),
    ],
)
def test_what_is_not_strictly_valid_is_refused_with_its_place(change: dict[str, Any], what: str) -> None:
    event = {"Format": "IDEA0", "ID": "a", "DetectTime": "2026-02-03T00:00:00.5+01:00", "Category": ["Test"]}
    of_our_schema(json.dumps(event))

    with pytest.raises(ValueError, match=what):
        check(json.dumps(event | change))
    assert not SCHEMA.is_valid(event | change)


@pytest.mark.parametrize("name", ["", "Upper", "a-b", "1a", "a..b", "a.", "a b", "a\n"])
def test_a_node_name_that_idea_does_not_allow_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no node name"):
        IdeaForm(name)


@pytest.mark.parametrize(
    ("word", "category"),
    [
        ("attempted-recon", "Recon"),
        ("Attempted Information Leak", "Recon"),
        ("A Network Trojan was detected", "Malware.Trojan"),
        ("A Network Trojan was Detected", "Malware.Trojan"),
        ("Misc Attack", "Attempt"),
        ("Malware Command and Control Activity Detected", "Intrusion.Botnet"),
        ("HORIZONTAL_PORT_SCAN", "Recon.Scanning"),
        ("PASSWORD_GUESSING", "Attempt.Login"),
        ("COMMAND_AND_CONTROL_CHANNEL", "Intrusion.Botnet"),
        ("Scan::Port_Scan", "Recon.Scanning"),
        ("Availability.DDoS", "Availability.DDoS"),
        ("recon.scanning", "Recon.Scanning"),
        ("Test", "Test"),
        ("test", "Other"),
        ("", "Other"),
        ("something new", "Other"),
    ],
)
def test_a_detectors_word_finds_its_category(word: str, category: str) -> None:
    assert CATEGORIES.of(word) == (category,)


def test_every_category_of_the_tables_is_in_the_taxonomy() -> None:
    assert {category for found in CATEGORIES._table.values() for category in found} <= TAXONOMY
    assert {each.category for each in EVIDENCE.values()} <= TAXONOMY - {"Test"}
    assert len(TAXONOMY) == 12 + 41


def test_words_of_users_are_asked_first_and_must_be_of_the_taxonomy() -> None:
    categories = Categories({"Odd Login": ["Attempt.Login", "Anomaly.Behaviour"], "misc-attack": ["Other"]})

    assert categories.of("odd login") == ("Attempt.Login", "Anomaly.Behaviour")
    assert categories.of("Misc Attack") == ("Other",)
    for wrong in (["Alert"], []):
        with pytest.raises(ValueError, match="give categories of IDEA0"):
            Categories({"x": wrong})


words = st.text(max_size=20)
times = st.none() | st.integers(-(10**18), 10**18)
endpoints = st.builds(
    Endpoint,
    addresses=st.lists(st.ip_addresses().map(str), max_size=2).map(tuple),
    hostnames=st.lists(words, max_size=2).map(tuple),
    ports=st.lists(st.integers(0, 65535), max_size=2).map(tuple),
)
detections = st.builds(
    Detection,
    name=words,
    category=words | st.sampled_from(sorted(TAXONOMY)),
    description=words,
    severity=st.none() | st.sampled_from(Severity),
    confidence=st.none() | st.floats(0, 1),
    detected=times,
    start=times,
    end=times,
    sources=st.lists(endpoints.filter(lambda end: end != Endpoint()), max_size=2).map(tuple),
    targets=st.lists(endpoints.filter(lambda end: end != Endpoint()), max_size=2).map(tuple),
    protocols=st.lists(words, max_size=2).map(tuple),
)


@given(st.lists(detections, max_size=3), st.text(min_size=1, max_size=10), times)
def test_every_detection_gives_a_strictly_valid_event(
    meant: list[Detection], subject: str, created: int | None
) -> None:
    group = group_of(*meant, subject=subject, created=created)

    lines = idea.lines(group).decode().splitlines()

    together = lines.pop() if len(meant) > 1 else ""
    assert len(lines) == len(meant)
    for line in lines:
        strictly_valid(of_our_schema(line))
        second_opinion(json.loads(line))
    if together:
        second_opinion(of_our_schema(together))
        assert json.loads(together)["CorrelID"] == [json.loads(line)["ID"] for line in lines]


@pytest.mark.skipif(not EVE.exists(), reason="the shared real logs are not here")
def test_all_alerts_of_a_real_eve_file_stand_in_their_events() -> None:
    texts = [line for line in EVE.read_text().splitlines() if json.loads(line)["event_type"] == "alert"]
    alerts = tuple(
        Alert(json=text, uid=f"{UID}-{number}", detection=detection.read(Alert(json=text)))
        for number, text in enumerate(texts)
    )

    lines = idea.lines(Alertgroup(subject="eve", alerts=alerts, received=RECEIVED, uid="g")).splitlines()

    assert json.loads(lines.pop())["CorrelID"] == [alert.uid for alert in alerts]
    assert len(lines) == 686
    expected = {"Misc Attack": "Attempt", "Potentially Bad Traffic": "Anomaly.Traffic"}
    for line, text in zip(lines, texts, strict=True):
        event, row = json.loads(line), json.loads(text)
        strictly_valid(event)
        second_opinion(event)
        seen = datetime.strptime(row["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)
        assert datetime.fromisoformat(event["DetectTime"]) == seen
        assert event["Source"] == [{"IP4": [row["src_ip"]], "Port": [row["src_port"]], "Proto": ["tcp"]}]
        assert event["Target"] == [{"IP4": [row["dest_ip"]], "Port": [row["dest_port"]], "Proto": ["tcp"]}]
        assert event["Category"] == [expected.get(row["alert"]["category"], "Recon")]
        assert event["Description"] == row["alert"]["signature"]
