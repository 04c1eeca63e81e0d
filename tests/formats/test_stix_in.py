"""STIX of others -> rows: no object is lost, whatever it is; and what we write ourselves is read back."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neighbours.mails import DATA
from tocsin.entities import by_alert
from tocsin.formats import stix_in
from tocsin.formats.stix.feed import Feed, identity_id
from tocsin.formats.stix.ids import ours
from tocsin.formats.stix_in import observed, rows
from tocsin.formats.stix_in.marks import definition
from tocsin.formats.stix_in.own import Own
from tocsin.formats.stix_in.pattern import values
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Detection, Endpoint, Severity

MAY_BE_TOLD = (
    *("identity", "marking-definition", "grouping", "report"),
    *("ipv4-addr", "domain-name", "file", "network-traffic", "email-message"),
)
"""Beside relationships: what needs no row of its own where another object's row or an alertgroup says it."""
SLIPS = {"x_slips_evidence_id": "id", "x_slips_threat_level": "threat_level", "x_slips_flow_uids": "uid"}
"""What of Slips' indicator stands under another name in its row."""
RECEIVED = 1_795_290_092_000_000
HUB = "018f0000-0000-7000-8000-000000000001"


def read(*objects: Any, **outer: Any) -> list[Alertgroup]:
    return stix_in.read(json.dumps({"type": "bundle", "id": "bundle--1", "objects": list(objects)} | outer).encode())


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from texts_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_in(one)
    elif isinstance(value, str):
        yield value


def is_told(one: Any, all_rows: list[dict[str, Any]], told: str) -> bool:
    """Whether an object is a row, every property of it; or stands in another's row or in the text of an alertgroup."""
    for row in all_rows:
        if row.get("object") == one and type(row.get("object")) is type(one):
            return True
        spread = isinstance(one, dict) and one.items()
        if spread and all(name == "external_references" or value in _under(row, name) for name, value in spread):
            return True
    if not isinstance(one, dict):
        return False
    if one.get("type") == "relationship":
        return one["relationship_type"] in told
    if one.get("type") not in MAY_BE_TOLD:
        return False
    return any(isinstance(one.get(name), str) and one[name] in told for name in ("id", "value"))


def _under(row: dict[str, Any], name: str) -> list[Any]:
    """What stands in a row under a property's name, or under the name it has where that one is taken."""
    of_slips = SLIPS.get(name, name) if "evidence_type" in row else name
    return [row[known] for known in (name, of_slips, f"stix_{name}", f"stix.{name}") if known in row]


def check(objects: list[Any], groups: list[Alertgroup]) -> None:
    all_rows = [alert.data for group in groups for alert in group.alerts]
    bodies = [text for group in groups for text in (group.body_plain, group.message_id, group.subject)]
    told = "\n".join((*texts_in(all_rows), *bodies))
    lost = [one for one in objects if not is_told(one, all_rows, told)]
    assert lost == []
    assert all(group.alerts and group.subject for group in groups)
    assert all(set(alert.data) <= set(group.columns) for group in groups for alert in group.alerts)


NUMBERS = st.integers(0, 6).map(str)
TYPES = st.sampled_from(
    ["indicator", "sighting", "observed-data", "identity", "malware", "report", "grouping", "relationship", "ipv4-addr",
     "network-traffic", "marking-definition", "file", "note", "x-acme", "domain-name", "email-message"]
)  # fmt: skip
IDS = st.builds("{}--{}".format, TYPES, NUMBERS)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
REFS = st.lists(IDS, max_size=4)
TIMES = st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.1234567Z", "2026-02-30T00:00:00Z", "then"])
PATTERNS = st.sampled_from(
    [
        "[ipv4-addr:value = '198.51.100.7']",
        "[file:name = 'a' AND",
        "'",
        "[a:b IN ('x', 'y')]",
        "[url:value = 'http://a/']",
    ]
)
TEXTS = st.text(max_size=8)
PROPERTIES: dict[str, st.SearchStrategy[Any]] = {
    "name": TEXTS, "value": TEXTS, "pattern": PATTERNS, "object_refs": REFS, "src_ref": IDS, "dst_ref": IDS,
    "created_by_ref": IDS, "sighting_of_ref": IDS, "observed_data_refs": REFS, "where_sighted_refs": REFS,
    "object_marking_refs": REFS, "modified": TIMES, "valid_from": TIMES, "revoked": st.booleans(),
    "labels": st.lists(TEXTS), "protocols": st.lists(TEXTS), "hashes": st.dictionaries(TEXTS, TEXTS, max_size=2),
    "confidence": st.integers(-5, 200), "x_slips_evidence_id": TEXTS,
    "x_slips_threat_level": st.sampled_from(["high", ""]), "x_slips_flow_uids": st.lists(TEXTS, max_size=2),
    "values": TEXTS, "tlp": TEXTS,
    "definition": st.dictionaries(TEXTS, TEXTS, max_size=1),
    "external_references": st.lists(st.fixed_dictionaries({"source_name": TEXTS}), max_size=2),
}  # fmt: skip
SENSIBLE = st.fixed_dictionaries(
    {"type": TYPES, "id": IDS}, optional={name: one | JUNK for name, one in PROPERTIES.items()}
)
RELATIONSHIPS = st.fixed_dictionaries(
    {"type": st.just("relationship"), "id": IDS, "relationship_type": st.sampled_from(["uses", "indicates"]),
     "source_ref": IDS, "target_ref": IDS}
)  # fmt: skip
OBJECTS = st.lists(SENSIBLE.map(lambda one: one | {"relationship_type": "uses"}) | RELATIONSHIPS | JUNK, min_size=1)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(OBJECTS)
def test_of_any_bundle_no_object_is_lost(objects: list[Any]) -> None:
    groups = read(*objects)

    check(objects, groups)
    sent = msgspec.msgpack.decode(msgspec.msgpack.encode(groups), type=list[Alertgroup])
    assert [alert.json for group in sent for alert in group.alerts] == [
        alert.json for group in groups for alert in group.alerts
    ]


@pytest.mark.parametrize("name", ["report.json", "two_point_zero.json", "slips.json"])
def test_no_object_of_a_sample_is_lost(name: str) -> None:
    body = (DATA / "stix" / name).read_bytes()
    objects = json.loads(body)["objects"]
    groups = stix_in.read(body)

    assert groups
    check([one for one in objects if "x_slips_evidence_id" not in one], groups)


def star(count: int) -> list[Any]:
    return [
        {"type": "x", "id": "x--0"},
        *(
            {"type": "relationship", "id": f"relationship--{n}", "relationship_type": "uses",
             "source_ref": "x--0", "target_ref": f"y--{n}"}
            for n in range(count)
        ),
    ]  # fmt: skip


HOSTILE: dict[str, list[Any]] = {
    "many values, many sightings": [
        {"type": "indicator", "id": "indicator--1", "pattern": "".join(f"[url:value = 'u{n}']" for n in range(3000))},
        *({"type": "sighting", "id": f"sighting--{n}", "sighting_of_ref": "indicator--1"} for n in range(3000)),
    ],
    "many observed, many sightings": [
        *({"type": "ipv4-addr", "id": f"ipv4-addr--{n}", "value": "192.0.2.1"} for n in range(3000)),
        {"type": "observed-data", "id": "observed-data--1", "object_refs": [f"ipv4-addr--{n}" for n in range(3000)]},
        *({"type": "sighting", "id": f"s--{n}", "observed_data_refs": ["observed-data--1"]} for n in range(3000)),
    ],
    "groupings of the same": [
        *({"type": "x", "id": f"x--{n}", "text": "y" * 500} for n in range(500)),
        *({"type": "report", "id": f"report--{m}", "object_refs": [f"x--{n}" for n in range(500)]} for m in range(100)),
    ],
    "a star": star(3000),
    "a long name": [
        {"type": "identity", "id": "identity--1", "name": "n" * 100_000},
        *({"type": "x", "id": f"x--{n}", "created_by_ref": "identity--1"} for n in range(3000)),
    ],
    "many columns": [{f"p{n}.{m}": 1 for m in range(100)} for n in range(300)],
    "many properties": [{f"p{n}": n for n in range(10_000)}],
    "patterns without end": [{"type": "indicator", "pattern": text * 3000} for text in ("'\\", "a1", "a:b'x'", "a:")],
    "deep": [json.loads('{"a":' * 500 + "1" + "}" * 500)],
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_built_to_grow_does_not(name: str) -> None:
    size = len(json.dumps(HOSTILE[name]))
    groups = read(*HOSTILE[name])
    made = sum(len(alert.json) for group in groups for alert in group.alerts)

    assert made <= 6 * size + 2 * rows.MOST_CHARACTERS
    assert all(len(group.columns) <= rows.MOST_COLUMNS + 200 for group in groups)


def test_a_pattern_tells_what_is_there_and_not_what_is_excluded() -> None:
    pattern = (
        "[ipv4-addr:value ISSUBSET '198.51.100.0/24' AND domain-name:value NOT = 'good.example'] FOLLOWEDBY "
        "([network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 4444] OR [NOT url:value = 'u'] "
        "OR [file:hashes.'SHA-256' IN ('aa', 'bb')] OR [file:size > 5] OR [file:name LIKE '%.exe'] "
        "OR [process:command_line = 'a \\'b\\' \\\\c' AND EXISTS file:name]) "
        "START t'2026-01-01T00:00:00Z' STOP t'2027-01-01T00:00:00Z'"
    )

    assert [value.value for value in values(pattern)] == [
        *("198.51.100.0/24", "192.0.2.1", "4444", "aa", "bb", "a 'b' \\c"),
    ]
    assert observed.endpoint(values(pattern)) == Endpoint(addresses=("192.0.2.1",))


@pytest.mark.parametrize(
    ("marking", "tlp"),
    [
        ({"id": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"}, TLP.AMBER),
        ({"id": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"}, TLP.AMBER_STRICT),
        ({"definition_type": "tlp", "definition": {"tlp": "white"}}, TLP.CLEAR),
        ({"definition_type": "tlp", "definition": {"tlp": "purple"}}, TLP.RED),
        ({"definition_type": "tlp"}, TLP.RED),
        ({"definition_type": "statement", "definition": {"statement": "ours"}}, TLP.UNSET),
    ],
)
def test_a_marking_that_speaks_of_tlp_guards(marking: dict[str, Any], tlp: TLP) -> None:
    assert definition(marking) is tlp


def test_a_part_that_is_guarded_guards_its_row_and_the_row_its_group() -> None:
    red = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
    part = {"type": "malware", "id": "malware--1", "granular_markings": [{"marking_ref": red, "selectors": ["name"]}]}
    report = {"type": "report", "id": "report--1", "name": "R", "object_refs": ["malware--1", "x--1"]}

    (group,) = read(part, {"type": "x", "id": "x--1"}, report)

    assert (group.subject, group.tlp, len(group.alerts)) == ("R", TLP.RED, 2)


def test_of_several_versions_the_last_stands_in_the_report_and_the_others_apart() -> None:
    old, new = ({"type": "malware", "id": "malware--1", "modified": f"2026-01-0{day}T00:00:00Z"} for day in (1, 2))
    report = {"type": "report", "id": "report--1", "name": "R", "object_refs": ["malware--1", "malware--2"]}

    inside, apart = read(new, old, report)

    assert [alert.data["type"] for alert in inside.alerts] == ["malware", "report"]  # it refers to what is elsewhere
    assert inside.alerts[0].data["modified"] == "2026-01-02T00:00:00Z"
    assert [alert.data["modified"] for alert in apart.alerts] == ["2026-01-01T00:00:00Z"]


def a_delivery(profile: Any, *detections: Detection, row: dict[str, Any] | None = None) -> tuple[Delivery, list[bytes]]:
    alerts = tuple(Alert.of(row or {}, one) for one in detections)
    alerts = tuple(msgspec.structs.replace(one, uid=f"alert-{n}") for n, one in enumerate(alerts))
    group = Alertgroup(
        subject="Port scan",
        alerts=alerts,
        uid="group-uid",
        id=3,
        received=RECEIVED,
        tlp=TLP.AMBER_STRICT,
        tags=("ids",),
    )
    delivery = Delivery(id=1, uid="d", alertgroup=group, hub=HUB, owed=RECEIVED)
    feed = Feed("SOC", own=lambda type, value: value.startswith("10."), entities=by_alert, profile=profile)
    return delivery, feed.encoded(delivery)


SCAN = Detection(
    name="Scan",
    description="many ports",
    severity=Severity.HIGH,
    confidence=0.9,
    start=RECEIVED - 5_000_000,
    end=RECEIVED - 2_000_000,
    sources=(Endpoint(addresses=("192.0.2.7",), ports=(4444,)),),
    targets=(Endpoint(addresses=("10.0.0.1",), ports=(23,)),),
    protocols=("tcp",),
)


def test_what_we_write_is_read_back() -> None:
    delivery, objects = a_delivery("stix", SCAN)
    (group,) = stix_in.read(b'{"objects":[' + b",".join(objects) + b"]}")
    meant = {alert.data["type"]: alert.detection for alert in group.alerts}
    sighting, indicator = meant["sighting"], meant["indicator"]

    assert list(meant) == ["observed-data", "indicator", "sighting"]
    assert (group.subject, group.tlp) == ("Port scan", TLP.AMBER_STRICT)
    assert set(group.tags) >= {"ids"}
    assert sighting is not None
    assert indicator is not None
    assert indicator.sources == (Endpoint(addresses=("192.0.2.7",)),)
    assert (sighting.start, sighting.end, sighting.confidence) == (SCAN.start, SCAN.end, 0.9)
    assert (sighting.targets, sighting.protocols) == (SCAN.targets, SCAN.protocols)
    assert group.alerts[0].data["created_by"] == "SOC"
    check([json.loads(one) for one in objects if b'"identity"' not in one], [group])
    assert delivery.alertgroup.tlp is group.tlp


def test_what_we_write_for_readers_of_slips_is_the_same_once_it_was_read_and_written_again() -> None:
    _, (first,) = a_delivery("slips", SCAN)
    (group,) = stix_in.read(b'{"objects":[' + first + b"]}")
    (alert,) = group.alerts
    assert alert.detection is not None
    _, (second,) = a_delivery("slips", alert.detection, row=alert.data)

    assert json.loads(second) == json.loads(first)


def test_our_own_objects_are_known_and_what_only_they_refer_to() -> None:
    _, objects = a_delivery("stix", SCAN)
    _, (slips,) = a_delivery("slips", SCAN)
    shared = next(one for one in objects if b'"192.0.2.7"' in one and b'"ipv4-addr"' in one)
    theirs = json.dumps({"type": "x", "id": "x--1", "seen_ref": json.loads(shared)["id"]}).encode()
    own = Own(HUB, ["SOC"])

    assert own.others([*objects, slips]) == []
    assert own.others([*objects, theirs, slips]) == [objects[0], shared, theirs]  # with the marking that it bears
    assert Own("another hub", ["SOC"]).others(objects) == objects
    assert Own(HUB, ["Tocsin"]).others(objects) == objects
    assert identity_id(HUB, "SOC") == ours("identity", HUB, "SOC")
