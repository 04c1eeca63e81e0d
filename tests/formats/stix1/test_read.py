"""STIX 1.x packages as alertgroups: what others write, what we wrote, and what is built to harm."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import Unreadable
from tocsin.formats import stix1
from tocsin.formats.stix1.read import micros
from tocsin.model import (
    TLP,
    Alert,
    Alertgroup,
    Delivery,
    Detection,
    Endpoint,
    Entity,
    Severity,
)

DATA = Path(__file__).parent.parent.parent / "data" / "stix1"
FEED = (DATA / "feed.xml").read_bytes()
OPENING = FEED[: FEED.index(b">") + 1]


def rows(group: Alertgroup) -> list[tuple[str, str, str]]:
    return [(alert.data["kind"], alert.data.get("type", ""), alert.data.get("value", "")) for alert in group.alerts]


def test_a_row_stands_for_each_value_of_an_indicator_and_for_what_was_merely_seen() -> None:
    group = stix1.alertgroup(FEED)

    assert rows(group) == [
        ("indicator", "ipv4", "192.0.2.7"),
        ("indicator", "ipv4", "192.0.2.8"),
        ("indicator", "file", "a.exe"),
        ("indicator", "md5", "ab" * 16),
        ("indicator", "ipv4", "192.0.2.7"),
        ("indicator", "ipv4", "192.0.2.8"),
        ("observable", "domain", "Evil.example"),
        ("incident", "", ""),
    ]
    assert (group.subject, group.tlp, group.sources) == ("Botnet C2", TLP.AMBER, ("stix", "Partner CERT"))
    assert group.created == 1_795_287_600_000_000
    first = group.alerts[0]
    assert first.data["title"] == "C2 servers"
    assert first.detection == Detection(
        name="C2 servers",
        confidence=0.5,
        detected=1_795_287_600_000_000,
        sources=(Endpoint(addresses=("192.0.2.7",)),),
    )
    assert group.alerts[-2].detection is None


def test_a_package_is_known_by_its_id_in_full() -> None:
    assert stix1.identifier(FEED) == ("http://partner.example/", "Package-1", "2026-11-21T20:00:00+01:00")


ENDPOINT = Endpoint(
    addresses=("192.0.2.7", "2001:db8::7"),
    hostnames=("evil.example",),
    urls=("http://evil.example/a?b#c",),
    emails=("joe@evil.example",),
)


def test_what_we_write_reads_as_what_was_said() -> None:
    digests = [Entity(type="sha256", value="ab" * 32), Entity(type="registry_key", value="HKEY_USERS\\x\\y")]
    feed = stix1.Feed(
        "CERT", own=lambda *_: False, entities=lambda _: {0: digests}, asserted=frozenset(("sha256", "registry_key"))
    )
    said = Detection(name="Beacon", severity=Severity.HIGH, sources=(ENDPOINT,))
    alert = Alert(json="{}", detection=said)
    group = Alertgroup(subject="s", uid="u", received=1_795_290_092_000_000, tlp=TLP.AMBER_STRICT, alerts=(alert,))
    package = feed.package(Delivery(id=1, uid="d", alertgroup=group, hub="hub"))

    read = stix1.alertgroup(package)

    assert [row[1:] for row in rows(read) if row[0] == "indicator"] == [
        ("ipv4", "192.0.2.7"),
        ("ipv6", "2001:db8::7"),
        ("domain", "evil.example"),
        ("url", "http://evil.example/a?b#c"),
        ("email", "joe@evil.example"),
        ("sha256", "ab" * 32),
        ("registry_key", "HKEY_USERS\\x\\y"),
    ]
    assert (read.subject, read.tlp, read.created) == ("s", TLP.AMBER_STRICT, group.received)
    assert stix1.identifier(package).namespace == stix1.namespace("hub")


def test_a_recall_reads_as_what_it_revokes() -> None:
    feed = stix1.Feed("CERT", own=lambda *_: False, entities=lambda _: {})
    said = Detection(sources=(Endpoint(addresses=("192.0.2.7",)),))
    group = Alertgroup(subject="s", uid="u", alerts=(Alert(json="{}", detection=said),))
    sent = stix1.identifier(feed.package(Delivery(id=1, uid="d", alertgroup=group))).name

    read = stix1.alertgroup(feed.package(Delivery(id=2, uid="e", alertgroup=group, kind="recall")))

    assert f"tocsin:{sent}" in [alert.data.get("revokes") for alert in read.alerts]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<stix", "well-formed"),
        (b"", "well-formed"),
        (b"<a/>", "no STIX_Package"),
        (OPENING + b"</stix:STIX_Package>", "tells nothing"),
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + FEED, "document type"),
        (b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">' + FEED, "document type"),
        (FEED.replace(b"Botnet", b"&e;"), "well-formed"),
        (OPENING + b"<a>" * 100_000, "well-formed"),
    ],
)
def test_what_is_no_package_is_unreadable_and_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        stix1.alertgroup(body)


def test_a_small_package_that_points_at_the_same_over_and_over_grows_only_so_far() -> None:
    address = FEED[FEED.index(b"<cybox:Object>") : FEED.index(b"</cybox:Object>") + len(b"</cybox:Object>")]
    seen = b"".join(b'<cybox:Observable id="ex:o%d">%b</cybox:Observable>' % (n, address) for n in range(400))
    pointed = b"".join(b'<cybox:Observable idref="ex:o%d"/>' % n for n in range(400))
    indicator = b'<stix:Indicator id="ex:i"><indicator:Observable>%b</indicator:Observable></stix:Indicator>' % (
        b'<cybox:Observable_Composition operator="OR">%b</cybox:Observable_Composition>' % pointed
    )
    distinct = seen.replace(b"192.0.2.8", b"%d")
    body = OPENING + b"<stix:Observables>%b</stix:Observables><stix:Indicators>%b</stix:Indicators>" % (
        distinct % tuple(range(400)),
        indicator * 400,
    )
    with pytest.raises(Unreadable, match="more than 100,000 values"):
        stix1.alertgroup(body + b"</stix:STIX_Package>")


@given(st.binary(max_size=200), st.integers(0, len(FEED)), st.integers(0, 50))
def test_no_bytes_break_the_reader(noise: bytes, at: int, gone: int) -> None:
    for body in (noise, FEED[:at] + noise + FEED[at + gone :], OPENING + noise):
        try:
            group = stix1.alertgroup(body)
        except Unreadable:
            continue
        assert group.alerts


@pytest.mark.parametrize(
    "text", ["", "2026-11-21T19:00:00", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "now"]
)
def test_a_time_without_zone_or_sense_is_none(text: str) -> None:
    assert micros(text) is None or text.startswith("0001")
