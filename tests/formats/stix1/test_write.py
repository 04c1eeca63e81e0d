"""Alertgroups as STIX 1.2 packages: valid whatever stands in them, and saying what they say."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from neighbours import stix1_oracles as oracles
from tocsin.errors import Skipped
from tocsin.formats.stix1 import Feed, alertgroup, namespace
from tocsin.formats.stix1.cybox import MAKERS
from tocsin.model import (
    TLP,
    Alert,
    Alertgroup,
    Delivery,
    Detection,
    Endpoint,
    Entity,
    Receipt,
    Severity,
)

RECEIVED = 1_795_290_092_000_000
HUB = "6d4b1f0e-hub"
ATTACKER = Endpoint(addresses=("192.0.2.7",))
SCAN = Detection(
    name="Scan",
    description="many ports",
    severity=Severity.HIGH,
    confidence=0.9,
    start=RECEIVED - 5_000_000,
    sources=(ATTACKER,),
    targets=(Endpoint(addresses=("10.0.0.1",)),),
)
NS = {
    "s": "http://stix.mitre.org/stix-1",
    "c": "http://stix.mitre.org/common-1",
    "i": "http://stix.mitre.org/Indicator-2",
    "n": "http://stix.mitre.org/Incident-1",
    "x": "http://cybox.mitre.org/cybox-2",
    "a": "http://cybox.mitre.org/objects#AddressObject-2",
    "t": "http://data-marking.mitre.org/Marking-1",
}


def own(type: str, value: str) -> bool:
    return value.startswith("10.") or value.endswith("corp.example")


def group(*detections: Detection | None, **rest: Any) -> Alertgroup:
    alerts = tuple(Alert(json="{}", detection=one, uid=f"alert-{n}") for n, one in enumerate(detections))
    known: dict[str, Any] = {"subject": "Port scan", "uid": "group-uid", "id": 3, "received": RECEIVED}
    return Alertgroup(alerts=alerts, **(known | {"tlp": TLP.GREEN} | rest))


def delivery(of: Alertgroup, **rest: Any) -> Delivery:
    return Delivery(id=1, uid="delivery-uid", alertgroup=of, hub=HUB, **rest)


def feed(entities: dict[int, list[Entity]] | None = None, **options: Any) -> Feed:
    return Feed("CERT Example", own=own, entities=lambda _: entities or {}, link="https://tocsin.example/", **options)


def written(of: Delivery, by: Feed | None = None) -> etree._Element:
    """The package, found valid by MITRE's schemas."""
    package = (by or feed()).package(of)
    assert oracles.complaints(package) == []
    return etree.fromstring(package)


def texts(root: etree._Element, path: str) -> list[str]:
    found = root.xpath(path, namespaces=NS)
    assert isinstance(found, list)
    return [str(one) for one in found]


def test_the_validator_would_say_what_is_wrong() -> None:
    package = feed().package(delivery(group(SCAN)))
    for right, wrong in (
        (b'version="1.2"', b'version="9"'),
        (b"<indicator:Title>", b"<indicator:Name>x</indicator:Name><indicator:Title>"),
        (b'category="ipv4-addr"', b'category="v4"'),
        (b">Revokes<", b">Unsays<"),
        (b">High<", b">Sure<"),
    ):
        assert right not in package or oracles.complaints(package.replace(right, wrong, 1)), wrong


def test_a_scan_is_an_indicator_with_its_sightings_and_an_incident() -> None:
    root = written(delivery(group(SCAN, SCAN)))

    assert texts(root, "s:STIX_Header/s:Title/text()") == ["Port scan"]
    assert texts(root, "s:STIX_Header/s:Information_Source/c:Identity/c:Name/text()") == ["CERT Example"]
    assert texts(root, "s:STIX_Header/s:Handling//t:Marking_Structure/@color") == ["GREEN"]
    assert texts(root, "//i:Observable//a:Address_Value[@condition='Equals']/text()") == ["192.0.2.7"]
    assert texts(root, "//i:Title/text()") == ["Scan: 192.0.2.7"]
    assert texts(root, "//i:Type/text()") == ["IP Watchlist"]
    assert texts(root, "//i:Start_Time/text()") == ["2026-11-21T19:41:27.000000Z"]
    assert texts(root, "//i:Confidence/c:Value/text()") == ["High"]
    assert texts(root, "//i:Sightings/@sightings_count") == ["2"]
    assert texts(root, "s:Observables//a:Address_Value/text()") == ["192.0.2.7", "10.0.0.1"]
    assert texts(root, "//n:External_ID/text()") == ["group-uid"]
    assert texts(root, "//s:Incident/@URL") == ["https://tocsin.example/alerts/3"]
    assert texts(root, "//n:Related_Indicator/c:Indicator/@idref") == texts(root, "//s:Indicator/@id")
    seen = set(texts(root, "//i:Sighting//c:Observable/@idref"))
    assert seen == set(texts(root, "s:Observables/x:Observable/@id"))


def test_the_same_alertgroup_is_the_same_package_and_another_hub_has_other_ids() -> None:
    first = feed().package(delivery(group(SCAN)))

    assert feed().package(delivery(group(SCAN), attempt=7)) == first
    other = Delivery(id=1, uid="d", alertgroup=group(SCAN), hub="another")
    assert set(texts(etree.fromstring(feed().package(other)), "//@id")).isdisjoint(
        texts(etree.fromstring(first), "//@id")
    )
    assert etree.fromstring(first).nsmap["tocsin"] == namespace(HUB) != namespace("another")


@pytest.mark.parametrize(
    ("tlp", "colours"),
    [
        (TLP.UNSET, []),
        (TLP.CLEAR, ["WHITE"]),
        (TLP.AMBER, ["AMBER"]),
        (TLP.AMBER_STRICT, ["RED"]),
        (TLP.RED, ["RED"]),
    ],
)
def test_a_colour_that_stix_1_does_not_know_is_marked_more_strictly_never_less(tlp: TLP, colours: list[str]) -> None:
    root = written(delivery(group(SCAN, tlp=tlp)))

    assert texts(root, "//t:Marking_Structure/@color") == colours
    assert ("TLP:AMBER+STRICT" in "".join(map(str, root.itertext()))) == (tlp is TLP.AMBER_STRICT)


@pytest.mark.parametrize(
    "detection",
    [
        None,
        Detection(),
        Detection(sources=(Endpoint(addresses=("10.0.0.1",)),)),
        Detection(sources=(ATTACKER,), severity=Severity.INFO),
        Detection(targets=(ATTACKER,), severity=Severity.CRITICAL),
        Detection(sources=(Endpoint(hostnames=("not a name",)),)),
    ],
)
def test_where_nothing_is_bad_there_is_nothing_to_assert(detection: Detection | None) -> None:
    with pytest.raises(Skipped, match="nothing to assert"):
        feed().package(delivery(group(detection)))


def test_a_recall_revokes_the_package_and_its_indicators_and_rejects_the_incident() -> None:
    sent = etree.fromstring(feed().package(delivery(group(SCAN))))
    root = written(delivery(group(SCAN), kind="recall", owed=RECEIVED + 60_000_000, reason="a test \0of ours"))

    assert root.get("timestamp") == "2026-11-21T19:42:32.000000Z"
    assert texts(root, "s:Related_Packages//s:Package/@idref") == [sent.get("id")]
    assert texts(root, "s:Related_Packages//s:Package/@timestamp") == [sent.get("timestamp")]
    assert texts(root, "//i:Related_Indicator/c:Indicator/@idref") == texts(sent, "//s:Indicator/@id")
    assert texts(root, "//c:Relationship/text()") == ["Revokes", "Revokes"]
    assert texts(root, "//s:Incident/@id") == texts(sent, "//s:Incident/@id")
    assert texts(root, "//n:Status/text()") == ["Rejected"]
    assert texts(root, "//s:Description/text() | //n:Description/text()") == ["a test \ufffdof ours"] * 2
    assert not set(texts(root, "//@id")) & set(texts(sent, "//s:Indicator/@id | @id"))
    assert texts(root, "//a:Address_Value") == []


def test_a_recall_of_which_the_text_may_not_go_out_still_revokes_the_package() -> None:
    sent = etree.fromstring(feed().package(delivery(group(SCAN))))
    bare = Alertgroup(subject="", alerts=(), uid="group-uid", id=3, received=RECEIVED)

    root = written(delivery(bare, kind="recall", owed=0, earlier=(Receipt(remote_id="m1"),)))

    assert texts(root, "s:Related_Packages//s:Package/@idref") == [sent.get("id")]
    assert root.get("timestamp") == "2026-11-21T19:41:32.000001Z"
    with pytest.raises(Skipped, match="nothing was sent"):
        feed().package(delivery(bare, kind="recall"))


def test_what_is_asserted_besides_is_an_indicator_too() -> None:
    digest = "AB" * 32
    entities = {0: [Entity(type="sha256", value=digest), Entity(type="file", value="a##comma##b.exe")]}
    root = written(delivery(group(Detection())), feed(entities, asserted=frozenset(("sha256", "file"))))

    assert [one.lower() for one in texts(root, "//i:Observable//*[@condition]/text()")] == [
        digest.lower(),
        "a##comma##b.exe",
    ]
    assert texts(root, "//@delimiter") == ["###comma###"]
    assert set(texts(root, "//i:Type/text()")) == {"File Hash Watchlist"}


def test_what_xml_cannot_hold_is_replaced_in_texts_and_never_in_values() -> None:
    hostile = "\0\x08<x>&\ud800\ufffe]]>"
    said = Detection(name=hostile, description=hostile, sources=(ATTACKER, Endpoint(emails=(f"{hostile}@x.org",))))
    root = written(delivery(group(said, subject=hostile)))

    assert texts(root, "s:STIX_Header/s:Title/text()") == ["\ufffd\ufffd<x>&\ufffd\ufffd]]>"]
    assert texts(root, "s:Observables//a:Address_Value/text()") == ["192.0.2.7"]


ANY = st.text(max_size=20) | st.text("\0\x01\r\n\t<>&'\"]#%: \ud800\ufffe\uffff\U0001f600aé", max_size=12)
ADDRESSES = st.ip_addresses().map(str) | ANY
NAMES = st.sampled_from(["evil.example", "münchen.de", "a_b.example", "10.0.0.1"]) | ANY
URLS = st.builds("http://{}/{}".format, NAMES, ANY) | ANY
ENDPOINTS = st.builds(
    Endpoint,
    addresses=st.lists(ADDRESSES, max_size=2).map(tuple),
    hostnames=st.lists(NAMES, max_size=2).map(tuple),
    urls=st.lists(URLS, max_size=2).map(tuple),
    emails=st.lists(st.builds("{}@{}".format, ANY, NAMES) | ANY, max_size=1).map(tuple),
    macs=st.lists(st.just("AA-BB-CC-DD-EE-FF") | ANY, max_size=1).map(tuple),
)
TIMES = st.none() | st.integers(-(2**62), 2**62) | st.integers(0, 253_402_300_799_999_999)
DETECTIONS = st.builds(
    Detection,
    name=ANY,
    category=ANY,
    description=ANY,
    severity=st.none() | st.sampled_from(Severity),
    confidence=st.none() | st.floats(),
    detected=TIMES,
    start=TIMES,
    end=TIMES,
    sources=st.lists(ENDPOINTS, max_size=2).map(tuple),
    targets=st.lists(ENDPOINTS, max_size=2).map(tuple),
)
HASHES = st.sampled_from(["ab" * 16, "AB" * 20, "0" * 64, "f" * 128])
ENTITIES = st.lists(
    st.builds(Entity, type=st.sampled_from([*MAKERS, "cve", "jarm"]), value=ANY | HASHES | ADDRESSES | URLS | NAMES),
    max_size=3,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.none() | DETECTIONS, ENTITIES), max_size=3),
    ANY,
    ANY,
    st.sampled_from(TLP),
    TIMES,
    st.sampled_from(["alert", "recall"]),
    st.sampled_from(["", "https://tocsin.example", "no link"]),
)
def test_every_package_that_can_be_written_is_valid(
    rows: list[tuple[Detection | None, list[Entity]]],
    subject: str,
    uid: str,
    tlp: TLP,
    received: int | None,
    kind: Any,
    link: str,
) -> None:
    entities = {index: said for index, (_, said) in enumerate(rows)}
    by = Feed("CERT", own=own, entities=lambda _: entities, link=link, asserted=frozenset(MAKERS))
    of = group(*(one for one, _ in rows), subject=subject, uid=uid or "u", tlp=tlp, received=received or 0)
    try:
        package = by.package(delivery(of, kind=kind, reason=subject, owed=received or 0, earlier=(Receipt(),)))
    except Skipped:
        assert kind == "alert"
        return

    assert oracles.complaints(package) == [], json.dumps(package.decode())
    read = alertgroup(package)
    indicators = {alert.data["id"] for alert in read.alerts if alert.data["kind"] == "indicator"}
    assert len(indicators) == package.count(b"<stix:Indicator ")
    assert read.tlp == tlp
