"""What goes out of a delivery: the same bytes at every attempt, all of it revoked by a recall."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats.stix.written import ATTACKER, DETECTIONS, ENTITIES, IDS, RECEIVED, SCAN, TEXT, TIMES, group, own
from neighbours import stix_oracles as oracles
from tocsin.errors import Skipped
from tocsin.formats.stix import MARKINGS, bundle
from tocsin.formats.stix.feed import Feed, identity_id
from tocsin.formats.stix.markings import MARKINGS as ALL_MARKINGS
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Detection, Endpoint, Entity, Kind

HUB = "6f3ad0d0-0000-4000-8000-000000000001"
OWED = RECEIVED + 60_000_000
BARE = Alertgroup(subject="", alerts=(Alert(json="{}", uid="alert-0"),), uid="group-uid", received=RECEIVED)


def nothing(group: Alertgroup) -> dict[int, Sequence[Entity]]:
    return {}


def feed(**rest: Any) -> Feed:
    return Feed("CERT Example", own=own, entities=nothing, **rest)


def delivery(of: Alertgroup, kind: Kind = "alert", owed: int = OWED, hub: str = HUB, attempt: int = 1) -> Delivery:
    return Delivery(id=1, uid="d", alertgroup=of, kind=kind, owed=owed, hub=hub, attempt=attempt)


def said(found: Sequence[bytes]) -> list[dict[str, Any]]:
    return [json.loads(one) for one in found]


def types(found: Sequence[bytes]) -> list[str]:
    return [one["type"] for one in said(found)]


def test_an_alert_is_the_same_bytes_at_every_attempt_whenever_it_became_owed() -> None:
    first = feed().encoded(delivery(group(SCAN)))

    assert first == feed().encoded(delivery(group(SCAN), owed=OWED + 9, attempt=7))
    assert types(first)[:2] == ["marking-definition", "identity"]
    assert said(first)[1]["id"] == identity_id(HUB, "CERT Example")


def test_two_hubs_that_say_the_same_share_observables_and_markings_alone() -> None:
    ours = {one["id"] for one in said(feed().encoded(delivery(group(SCAN))))}
    theirs = {one["id"] for one in said(feed().encoded(delivery(group(SCAN), hub="another")))}

    assert {id.partition("--")[0] for id in ours & theirs} == {"marking-definition", "ipv4-addr", "network-traffic"}
    assert identity_id(HUB, "CERT Example") != identity_id("another", "CERT Example")


def test_a_feed_that_hears_of_two_hubs_speaks_for_each() -> None:
    one = feed()

    for hub in ("a", "b", "a"):
        assert said(one.encoded(delivery(group(SCAN), hub=hub)))[1]["id"] == identity_id(hub, "CERT Example")


def test_a_recall_revokes_everything_that_has_versions_and_nothing_else() -> None:
    before = {one["id"]: one for one in said(feed().encoded(delivery(group(SCAN))))}
    after = said(feed().encoded(delivery(group(SCAN), kind="recall")))

    assert [one["type"] for one in after] == [
        "marking-definition", "identity", "observed-data", "indicator", "sighting", "relationship", "grouping",
    ]  # fmt: skip
    assert after[:2] == [before[one["id"]] for one in after[:2]]
    for one in after[2:]:
        assert one == before[one["id"]] | {"revoked": True, "modified": "2026-11-21T19:42:32.000000Z"}


def test_a_recall_is_never_older_than_what_it_recalls() -> None:
    (*_, grouping) = said(feed().encoded(delivery(group(SCAN), kind="recall", owed=RECEIVED - 5)))

    assert (grouping["created"], grouping["modified"]) == ("2026-11-21T19:41:32.000000Z", "2026-11-21T19:41:32.000001Z")


@pytest.mark.parametrize("profile", ["stix", "slips"])
def test_of_a_recall_without_its_text_what_ids_there_are_is_revoked(profile: Any) -> None:
    one = feed(profile=profile)
    known = {each["id"]: each for each in said(one.encoded(delivery(group(SCAN))))}

    found = one.encoded(delivery(BARE, kind="recall"))

    revoked = [each for each in said(found) if each.get("revoked")]
    assert [each["type"] for each in revoked] == ["grouping" if profile == "stix" else "indicator"]
    for each in revoked:
        assert each["modified"] == "2026-11-21T19:42:32.000000Z"
        assert each["created"] == known[each["id"]]["created"]
    assert b"192.0.2.7" not in b"".join(found)
    wire = b'{"type":"bundle","id":"bundle--5828f0bb-3aa6-4767-a0e6-bf90eec11e10","objects":[%s]}' % b",".join(found)
    if profile == "stix":
        assert oracles.complaints(wire) == []
    else:
        assert oracles.wrong(revoked[0]["pattern"]) == []


@pytest.mark.parametrize("profile", ["stix", "slips"])
@pytest.mark.parametrize("detection", [None, Detection(), Detection(name="only words")])
def test_where_there_is_nothing_to_say_nothing_is(profile: Any, detection: Detection | None) -> None:
    with pytest.raises(Skipped, match="nothing to assert"):
        feed(profile=profile).encoded(delivery(group(detection)))


def test_with_observables_and_no_indicator_it_still_says_what_was_seen() -> None:
    seen = Detection(targets=(ATTACKER,))

    assert types(feed().encoded(delivery(group(seen)))) == [
        "marking-definition", "identity", "ipv4-addr", "observed-data", "grouping",
    ]  # fmt: skip


def test_of_our_own_attackers_slips_profile_says_nothing() -> None:
    with pytest.raises(Skipped):
        feed(profile="slips").encoded(delivery(group(Detection(sources=(Endpoint(addresses=("10.0.0.1",)),)))))


@pytest.mark.parametrize(
    "value",
    [
        "0.0.0.0", "127.0.0.1", "224.0.0.251", "255.255.255.255", "240.1.2.3", "0.0.0.0/0",
        "::", "::1", "ff02::fb", "4000::1",
    ],
)  # fmt: skip
def test_an_address_that_nobody_can_have_is_never_called_bad(value: str) -> None:
    bad = Detection(sources=(Endpoint(addresses=(value,)),))

    assert "indicator" not in types(feed().encoded(delivery(group(bad))))
    with pytest.raises(Skipped):
        feed(profile="slips").encoded(delivery(group(bad)))


def test_nor_is_a_name_nor_a_url_of_nobodys() -> None:
    names = ("x.redacted.invalid", "printer.local", "localhost")
    urls = tuple(f"http://{name}/" for name in (*names, "[::1]", "127.0.0.1:8080", "10.0.0.1"))
    emails = ("who@x.redacted.invalid", "bad@evillocalhost.example")
    bad = Detection(sources=(Endpoint(hostnames=names, urls=urls, emails=emails),))

    found = said(feed().encoded(delivery(group(bad))))

    assert [one["pattern"] for one in found if one["type"] == "indicator"] == [
        "[email-addr:value = 'bad@evillocalhost.example']"
    ]


def test_ports_and_user_agents_are_bad_where_that_was_asked_for() -> None:
    row = json.dumps({"http.user-agent": "evil/1 (it's)", "agent": "curl", "UserAgent": 5})
    one = Alertgroup(subject="s", uid="g", received=RECEIVED, alerts=(Alert(json=row, detection=SCAN, uid="a"),))
    asked = feed(asserted=frozenset(("port", "user_agent")))

    found = [each["pattern"] for each in said(asked.encoded(delivery(one))) if each["type"] == "indicator"]

    assert found == [
        "[ipv4-addr:value = '192.0.2.7']",
        "[network-traffic:dst_port = 23 AND network-traffic:protocols[*] = 'tcp']",
        r"[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'evil/1 (it\'s)']",
    ]
    assert [pattern for pattern in found if oracles.wrong(pattern)] == []
    assert len([one for one in types(feed().encoded(delivery(one))) if one == "indicator"]) == 1


def test_a_feed_begins_with_who_says_so_and_every_marking() -> None:
    first, *markings = feed().introduction(HUB)

    assert first.id == identity_id(HUB, "CERT Example")
    assert markings == list(ALL_MARKINGS.values()) == list(MARKINGS.values())
    assert feed(profile="slips").introduction(HUB) == ()


EVERY_TYPE = frozenset(
    ("ipv4", "ipv6", "cidr", "domain", "url", "email", "mac", "file", "md5", "sha1", "sha256", "sha512", "asn",
     "registry_key", "port", "user_agent")
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(DETECTIONS, min_size=1, max_size=2),
    st.lists(ENTITIES | IDS, max_size=4),
    st.sampled_from(TLP),
    TEXT,
    st.dictionaries(st.sampled_from(["user_agent", "HTTP User-Agent", "x"]), TEXT | st.integers(), max_size=2),
    TIMES,
)
def test_whatever_goes_out_or_is_taken_back_every_oracle_accepts(
    detections: list[Detection], entities: list[Entity], tlp: TLP, text: str, row: dict[str, Any], owed: Any
) -> None:
    one = group(*detections, tlp=tlp, subject=text)
    alerts = tuple(Alert(json=json.dumps(row), detection=each.detection, uid=each.uid) for each in one.alerts)
    one = msgspec.structs.replace(one, alerts=alerts)
    writing = Feed(text or "us", own=own, entities=lambda _: {0: entities}, asserted=EVERY_TYPE)
    owed = min(owed or 0, 2**55)
    try:
        told = writing.objects(delivery(one))
        taken = writing.objects(delivery(one, kind="recall", owed=owed))
    except Skipped:
        return
    for objects in (told, taken):
        data = bundle(objects)
        assert oracles.complaints(data) == []
        assert {each["id"] for each in oracles.read(data)} == {each.id for each in objects}
        for each in json.loads(data)["objects"]:
            if each["type"] == "indicator":
                assert oracles.wrong(each["pattern"]) == []
