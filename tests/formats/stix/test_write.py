"""Alertgroups as STIX 2.1: valid whatever stands in them, and saying what they say."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats.stix.written import ATTACKER, DETECTIONS, ENTITIES, IDS, RECEIVED, SCAN, TEXT, TIMES, US, group, own
from neighbours import stix_oracles as oracles
from tocsin.formats.stix import MARKINGS, Writer, bundle, corrected, identity
from tocsin.formats.stix.objects import Object, Versioned
from tocsin.formats.stix.observables import MAKERS
from tocsin.model import TLP, Detection, Endpoint, Entity, Severity

WRITER = Writer(US, own, link="https://tocsin.example/")


def shown(objects: tuple[Object, ...] | list[Object]) -> dict[str, list[dict[str, Any]]]:
    """The objects as JSON, by type."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in json.loads(bundle(objects))["objects"]:
        found.setdefault(one["type"], []).append(one)
    return found


def test_a_scan_is_an_indicator_sighted_in_what_was_observed_inside_a_grouping() -> None:
    written = WRITER.write(group(SCAN, tags=("ids",)))
    found = shown(written.objects)

    assert [one.id.partition("--")[0] for one in written.objects] == [
        "marking-definition", "identity", "ipv4-addr", "ipv4-addr", "network-traffic", "observed-data", "indicator",
        "sighting", "relationship", "grouping",
    ]  # fmt: skip
    (indicator,), (sighting,), (observed,) = found["indicator"], found["sighting"], found["observed-data"]
    assert indicator["pattern"] == "[ipv4-addr:value = '192.0.2.7']"
    assert (indicator["name"], indicator["description"]) == ("Scan: 192.0.2.7", "many ports")
    assert (indicator["confidence"], indicator["indicator_types"]) == (90, ["malicious-activity"])
    assert indicator["valid_from"] == "2026-11-21T19:41:27.000000Z"
    assert (sighting["sighting_of_ref"], sighting["observed_data_refs"]) == (indicator["id"], [observed["id"]])
    assert sighting["where_sighted_refs"] == [US.id]
    assert (observed["first_observed"], observed["last_observed"]) == (
        "2026-11-21T19:41:27.000000Z", "2026-11-21T19:41:30.000000Z",
    )  # fmt: skip
    (grouping,) = found["grouping"]
    assert grouping["external_references"] == [
        {"source_name": "tocsin", "url": "https://tocsin.example/alerts/3", "external_id": "group-uid"}
    ]
    assert (grouping["name"], grouping["labels"]) == ("Port scan", ["ids"])
    assert set(grouping["object_refs"]) == {one.id for one in written.objects[2:-1]}


def test_everything_bears_the_tlp_of_its_group_and_the_published_object_comes_along() -> None:
    for tlp, marking in MARKINGS.items():
        marked, *rest = WRITER.write(group(SCAN, tlp=tlp)).objects

        assert marked == marking
        assert {getattr(one, "object_marking_refs", None) for one in rest if one.id != US.id} == {(marking.id,)}
    assert "marking-definition" not in shown(WRITER.write(group(SCAN, tlp=TLP.UNSET)).objects)


def test_what_is_ours_is_seen_but_never_called_bad() -> None:
    urls = ("http://10.0.0.9/x", "http://wiki.corp.example/", "http://evil.example/")
    ours = Endpoint(addresses=("10.0.0.9",), hostnames=("dc.corp.example",), urls=urls, macs=("aa:bb:cc:dd:ee:ff",))

    found = shown(WRITER.write(group(Detection(sources=(ours,)))).objects)

    assert [one["pattern"] for one in found["indicator"]] == ["[url:value = 'http://evil.example/']"]
    assert {"10.0.0.9"} == {one["value"] for one in found["ipv4-addr"]}
    assert {"aa:bb:cc:dd:ee:ff"} == {one["value"] for one in found["mac-addr"]}


@pytest.mark.parametrize(
    ("detection", "indicators"),
    [
        (Detection(sources=(ATTACKER,)), 1),
        (Detection(sources=(ATTACKER,), severity=Severity.INFO), 0),
        (Detection(sources=(ATTACKER,), severity=Severity.LOW), 1),
        (Detection(sources=(ATTACKER,), category="Test"), 0),
        (Detection(targets=(ATTACKER,), severity=Severity.CRITICAL), 0),
        (Detection(), 0),
        (None, 0),
    ],
)
def test_only_an_attacker_in_an_alert_that_means_it_is_bad(detection: Detection | None, indicators: int) -> None:
    written = WRITER.write(group(detection))

    assert written.indicators == indicators
    assert written.asserts_nothing is (indicators == 0)
    assert bool(written.objects) is (detection not in (None, Detection()))


def test_types_of_entities_are_bad_where_that_was_said_and_else_only_seen() -> None:
    entities = {0: [Entity(type="sha256", value="ab" * 32), Entity(type="domain", value="seen.example")]}

    seen = shown(WRITER.write(group(Detection()), entities).objects)
    told = shown(Writer(US, own, asserted=frozenset(("sha256",))).write(group(Detection()), entities).objects)

    assert "indicator" not in seen
    assert [one["value"] for one in seen["domain-name"]] == ["seen.example"]
    assert [one["pattern"] for one in told["indicator"]] == [f"[file:hashes.'SHA-256' = '{'ab' * 32}']"]


def test_many_alerts_of_one_attacker_are_one_indicator_with_a_sighting_each() -> None:
    early = Detection(sources=(ATTACKER,), confidence=0.2, start=RECEIVED - 9_000_000)

    found = shown(WRITER.write(group(SCAN, early, SCAN)).objects)

    (indicator,) = found["indicator"]
    assert (indicator["confidence"], indicator["valid_from"]) == (90, "2026-11-21T19:41:23.000000Z")
    assert len(found["sighting"]) == len(found["relationship"]) == len(found["observed-data"]) == 3


def test_vulnerabilities_and_techniques_are_references_of_the_grouping() -> None:
    entities = {0: [Entity(type="technique", value="T1059.001"), Entity(type="cve", value="CVE-2021-44228")]}
    about = [Entity(type="cve", value="CVE-2021-44228"), Entity(type="ipv4", value="192.0.2.99")]

    found = shown(WRITER.write(group(SCAN), entities, about=about).objects)

    (grouping,) = found["grouping"]
    assert "192.0.2.99" not in {one["value"] for one in found["ipv4-addr"]}

    assert [(one["source_name"], one["external_id"]) for one in grouping["external_references"][1:]] == [
        ("cve", "CVE-2021-44228"), ("mitre-attack", "T1059.001"),
    ]  # fmt: skip


def test_a_group_that_is_not_stored_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="stored"):
        WRITER.write(group(SCAN, uid=""))


def test_the_same_group_makes_the_same_bytes_and_nothing_to_correct() -> None:
    before, after = WRITER.write(group(SCAN)).objects, WRITER.write(group(SCAN), modified=RECEIVED + 1).objects

    assert bundle(before) == bundle(WRITER.write(group(SCAN)).objects)
    assert [one.id for one in before] == [one.id for one in after]
    assert bundle(before) != bundle(after)
    assert corrected(before, after, RECEIVED + 2) == []


def test_a_correction_is_a_later_version_and_what_is_no_longer_said_is_revoked_for_good() -> None:
    before = WRITER.write(group(SCAN)).objects
    after = WRITER.write(
        group(Detection(name="Other", start=SCAN.start, sources=(Endpoint(addresses=("192.0.2.8",)),)))
    ).objects

    sent = corrected(before, after, RECEIVED)
    found = shown(sent)

    assert {one["pattern"]: one.get("revoked", False) for one in found["indicator"]} == {
        "[ipv4-addr:value = '192.0.2.7']": True,
        "[ipv4-addr:value = '192.0.2.8']": False,
    }
    (observed,) = found["observed-data"]
    assert (observed["created"], observed["modified"]) == ("2026-11-21T19:41:32.000000Z", "2026-11-21T19:41:32.000001Z")
    assert "identity" not in found
    assert "marking-definition" not in found
    known = {one.id: one for one in (*before, *sent)}
    assert corrected(known.values(), known.values(), RECEIVED) == []
    again = corrected(known.values(), before, RECEIVED + 9)
    assert not {one.id for one in again} & {
        one.id for one in known.values() if isinstance(one, Versioned) and one.revoked
    }


def test_times_that_cannot_be_are_passed_by() -> None:
    odd = Detection(sources=(ATTACKER,), start=-1, end=10**18, detected=RECEIVED - 1, confidence=float("nan"))

    found = shown(WRITER.write(group(odd, Detection(sources=(ATTACKER,), start=RECEIVED, end=RECEIVED - 9))).objects)

    assert [one["first_observed"] for one in found["observed-data"]] == [
        "2026-11-21T19:41:31.999999Z", "2026-11-21T19:41:32.000000Z",
    ]  # fmt: skip
    assert all(one["first_observed"] <= one["last_observed"] for one in found["observed-data"])
    assert "confidence" not in found["indicator"][0]


EVERYTHING_BAD = frozenset(MAKERS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(DETECTIONS, min_size=1, max_size=2),
    st.lists(ENTITIES | IDS, max_size=4),
    st.sampled_from(TLP),
    TEXT,
    st.lists(TEXT, max_size=2).map(tuple),
    TIMES,
    st.integers(-1, 2**62),
)
def test_whatever_stands_in_a_group_the_bundle_is_valid_by_every_oracle(
    detections: list[Detection],
    entities: list[Entity],
    tlp: TLP,
    text: str,
    tags: tuple[str, ...],
    modified: Any,
    received: int,
) -> None:
    writer = Writer(identity(text or "us"), own, link="https://tocsin.example", asserted=EVERYTHING_BAD)
    made = writer.write(
        group(*detections, tlp=tlp, subject=text, tags=tags, received=received), {0: entities}, modified
    )

    if not made.objects:
        assert made.asserts_nothing
        return
    data = bundle(made.objects)
    assert oracles.complaints(data) == []
    assert {one["id"] for one in oracles.read(data)} == {one.id for one in made.objects}
    known: set[str] = set()
    for one in json.loads(data)["objects"]:
        refs = {ref for key, ref in one.items() if key.endswith("_ref")}
        refs |= {ref for key, listed in one.items() if key.endswith("_refs") for ref in listed}
        assert refs <= known | {one["id"]}
        known.add(one["id"])
        if one["type"] == "indicator":
            assert oracles.wrong(one["pattern"]) == []
