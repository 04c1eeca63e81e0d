"""STIX of others, posted or polled: rows that people can read, and nothing left out."""

import json
from typing import Any

import pytest

from neighbours.mails import DATA, NOW, only
from tocsin.detection.times import moment
from tocsin.entities import in_group
from tocsin.errors import Malformed, TooLarge, Unreadable
from tocsin.intake import Intake
from tocsin.model import TLP, Alertgroup, Endpoint, Message, Severity
from tocsin.parsers.scot import Scot
from tocsin.parsers.stix import Stix
from tocsin.store import Store

TAXII = "application/taxii+json;version=2.1"


def posted(body: bytes | dict[str, Any], media_type: str = "application/json") -> Message:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(source="rest", body=raw, media_type=media_type, received=NOW)


def sample(name: str) -> list[Alertgroup]:
    message = posted((DATA / "stix" / name).read_bytes())
    assert Stix().claims(message)
    return list(Stix().parse(message))


def rows(group: Alertgroup) -> dict[str, dict[str, Any]]:
    return {alert.data["type"]: alert.data for alert in group.alerts}


def test_a_report_becomes_an_alertgroup_of_what_it_refers_to() -> None:
    report = sample("report.json")[0]

    assert (report.subject, report.tlp) == ("Emotet is back", TLP.AMBER)
    assert list(rows(report)) == ["indicator", "malware", "sighting", "observed-data"]
    assert report.tags == ("campaign", "emotet")
    assert report.sources == ("stix",)
    assert report.message_id == "report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3"
    assert report.created == moment("2026-11-20T21:00:00Z")
    assert report.ahrefs[0].link == "https://cert.example/advisories/7"
    assert report.body_plain.startswith("Seen at two members.\n\nreport, by CERT Example")


def test_an_indicator_shows_its_values_its_author_and_what_it_is_related_to() -> None:
    row = rows(sample("report.json")[0])["indicator"]

    assert row["values"] == [
        *("198.51.100.7", "c2.example.net", "backup.example.net"),
        *("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "it's.exe"),
    ]
    assert (row["created_by"], row["tlp"], row["confidence"]) == ("CERT Example", "green", 85)
    assert row["markings"] == ["Copyright CERT Example"]
    assert row["relationships"] == ["indicates malware Emotet"]
    assert row["external_references"] == ["mitre-attack T1071 https://attack.mitre.org/techniques/T1071"]
    assert row["indicator_types"] == ["malicious-activity", "attribution"]
    assert (row["valid_from"], row["valid_until"]) == ("2026-11-20T20:00:00.25Z", "2027-02-20T20:00:00Z")


def test_an_indicator_means_that_its_values_attack() -> None:
    indicator = sample("report.json")[0].alerts[0].detection

    assert indicator is not None
    assert indicator.sources == (
        Endpoint(addresses=("198.51.100.7",), hostnames=("c2.example.net", "backup.example.net")),
    )
    assert (indicator.name, indicator.category) == ("C2 of Emotet", "malicious-activity")
    assert (indicator.confidence, indicator.severity) == (0.85, Severity.HIGH)
    assert indicator.detected == moment("2026-11-20T20:00:00.250000Z")


def test_a_sighting_says_what_was_seen_by_whom_and_from_which_side() -> None:
    report = sample("report.json")[0]
    row, meant = rows(report)["sighting"], report.alerts[2].detection

    assert (row["sighted"], row["where_sighted"], row["count"]) == ("indicator C2 of Emotet", ["CERT Example"], 50)
    assert row["observed"] == ["192.0.2.44:50123 -> 198.51.100.7:8080 tcp http"]
    assert meant is not None
    assert [side.addresses for side in meant.sources] == [("198.51.100.7",)]
    assert meant.targets == (Endpoint(addresses=("192.0.2.44",), ports=(50123,)),)
    assert (meant.start, meant.end) == (moment("2026-11-20T19:00:00Z"), moment("2026-11-20T19:10:00Z"))
    assert (meant.severity, meant.confidence, meant.protocols) == (Severity.HIGH, 0.85, ("tcp", "http"))


def test_what_no_report_refers_to_stands_apart_by_its_marking() -> None:
    _, unmarked, clear = sample("report.json")

    assert (unmarked.tlp, unmarked.subject.split()[:2]) == (TLP.UNSET, ["STIX", "x-acme-finding"])
    assert unmarked.alerts[0].json.endswith('"score":1.10,"where":{"rack": [4, 5]}}')
    assert (clear.tlp, clear.tags) == (TLP.CLEAR, ("revoked",))


def test_what_was_revoked_says_so_and_calls_nobody_bad() -> None:
    clear = sample("report.json")[2]
    (alert,) = clear.alerts

    assert alert.data["revoked"] is True
    assert alert.detection is not None
    assert (alert.detection.sources, alert.detection.severity) == ((), Severity.INFO)


def test_stix_2_0_is_read_with_the_objects_inside_its_observations() -> None:
    group = only(sample("two_point_zero.json"))
    indicator, observed = group.alerts

    assert group.tlp is TLP.RED
    assert indicator.detection is not None
    assert indicator.detection.category == "malicious-activity"
    assert indicator.detection.sources == (Endpoint(urls=("https://drop.example.net/a?b=1",)),)
    assert observed.data["observed"] == [
        *("2001:DB8::1", "203.0.113.9", "203.0.113.9 -> [2001:DB8::1]:53 udp dns"),
        *("a.exe", "MD5: 79054025255fb1a26e4bc422aef54eb4"),
    ]
    assert observed.detection is not None
    assert observed.detection.targets == (Endpoint(addresses=("2001:db8::1",), ports=(53,)),)


def test_an_indicator_of_slips_is_read_into_the_words_of_its_evidence() -> None:
    group = only(sample("slips.json"))
    (alert,) = group.alerts
    row, meant = alert.data, alert.detection

    assert group.sources == ("stix", "slips")
    assert row["evidence_type"] == "VERTICAL_PORT_SCAN"
    assert (row["threat_level"], row["id"]) == ("high", "d5a9d4ab-7f4f-4f83-8d37-8ac0a6a6a9b5")
    assert row["attacker"] == {"value": "198.51.100.23", "direction": "SRC", "TI": "blocklist X"}
    assert (row["victim"], row["profile"]) == ({"value": "192.0.2.9"}, {"ip": "198.51.100.23"})
    assert (row["timewindow"], row["src_port"], row["dst_port"]) == ({"number": 3}, 40001, 443)
    assert row["stix_id"] == "indicator--0a4f64d5-6b0d-4cd9-8f0a-6a52a6f0b8c1"
    assert not [name for name in row if name.startswith("x_slips_")]
    assert meant is not None
    assert meant.sources == (Endpoint(addresses=("198.51.100.23",), ports=(40001,)),)
    assert meant.targets == (Endpoint(addresses=("192.0.2.9",), ports=(443,)),)
    assert (meant.severity, meant.flow_uids[0]) == (Severity.HIGH, "CAtC7u4RqSfYRZS9Wk")
    assert meant.detected == moment("2026-11-21T19:46:28.5Z")


def test_entities_are_found_in_the_rows() -> None:
    report = sample("report.json")[0]
    found = {(one.found.entity.type, one.found.entity.value) for one in in_group(report)}

    assert {("ipv4", "198.51.100.7"), ("domain", "c2.example.net"), ("ipv4", "192.0.2.44")} <= found


def test_stix_is_stored_on_either_engine_whatever_characters_stand_in_it(store: Store) -> None:
    odd = {"type": "malware", "id": "malware--1", "name": "a\0b\N{GRINNING FACE}", "aliases": ["c\0"], "\0": 1}
    report = {"type": "report", "id": "report--\0", "name": "R\0", "object_refs": ["malware--1"], "labels": ["x\0"]}
    intake = Intake(store, {"scot": Scot(), "stix": Stix()}, ())
    try:
        kept = intake.accept(posted({"type": "bundle", "id": "bundle--\0", "objects": [odd, report]}))
    finally:
        intake.close()

    assert (len(kept.alertgroups), kept.quarantined) == (1, "")


@pytest.mark.parametrize(
    ("body", "media_type", "mine"),
    [
        ({"type": "bundle", "id": "bundle--1", "objects": []}, "application/json", True),
        ({"more": False, "objects": [{"type": "indicator", "id": "indicator--1"}]}, "application/json", True),
        ({"subject": "s", "data": [{"objects": 1}]}, "application/json", False),
        ({"objects": [{"n": 1}]}, "application/json", False),
        ({"type": "bundle", "subject": "s", "data": [{"a": 1}]}, "application/json", False),
        ({"anything": 1}, TAXII, True),
        ({"anything": 1}, "application/stix+json; version=2.0", True),
        (b'{"objects": [{"type"', "application/json", False),
        (b'"objects"\xff', "application/json", False),
        ({"type": "bundle", "objects": []}, "message/rfc822", False),
    ],
)
def test_only_stix_is_claimed(body: Any, media_type: str, mine: bool) -> None:
    assert Stix().claims(posted(body, media_type)) is mine


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        (b'{"type":"bundle","id":"bundle--1","objects":[]}', Unreadable, "no object"),
        (b'{"type":"bundle"}', Unreadable, "no object"),
        (b"{}", Unreadable, "no object"),
        (b"nothing", Malformed, "not JSON"),
        (b"[]", Malformed, "neither a STIX bundle nor a TAXII envelope"),
        (b'{"objects":{}}', Malformed, "list of objects"),
        (b'{"objects":[' + b'{"a":' * 90_000 + b"1" + b"}" * 90_000 + b"]}", Malformed, "too deeply"),
        (b'{"objects":[' + b",".join(b'{"n":%d}' % n for n in range(50_001)) + b"]}", TooLarge, "50,001 objects"),
    ],
)
def test_what_cannot_be_read_says_what_was_looked_for(body: bytes, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        list(Stix().parse(posted(body, TAXII)))
