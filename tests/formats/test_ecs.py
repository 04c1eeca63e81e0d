"""Alertgroups as ECS documents: every key is one of ECS or of ours, and of its type."""

import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin import detection
from tocsin.formats.ecs import EcsForm
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Detection, Endpoint, Severity

UID = "11111111-1111-4111-8111-111111111111"
GROUP_UID = "22222222-2222-4222-8222-222222222222"
RECEIVED = 1_795_290_092_000_000
SCAN = Detection(
    name="ET SCAN",
    category="network-scan",
    description="Somebody looks for telnet.",
    severity=Severity.HIGH,
    confidence=0.9,
    detected=1_795_290_000_500_000,
    start=1_795_289_990_000_000,
    sources=(Endpoint(addresses=("192.0.2.7", "192.0.2.8"), ports=(4444,), macs=("00:00:5e:00:53:23",)),),
    targets=(Endpoint(addresses=("2001:db8::9",), hostnames=("a.example",), ports=(23,), urls=("http://a.example/",)),),
    protocols=("tcp", "telnet"),
    flow_uids=("CAbc1",),
)


def said(*meant: Detection, kind: Any = "alert", form: EcsForm | None = None, **rest: Any) -> list[dict[str, Any]]:
    alerts = tuple(Alert(json='{"a":\t1}', uid=f"{UID[:-1]}{n}", detection=each) for n, each in enumerate(meant, 1))
    fields: dict[str, Any] = {"subject": "s", "uid": GROUP_UID, "id": 7, "received": RECEIVED} | rest
    group = Alertgroup(alerts=alerts, **fields)
    delivery = Delivery(id=1, uid="d", alertgroup=group, kind=kind, owed=RECEIVED + 1_000_000, reason="a mistake")
    return [json.loads(text) for text in (form or EcsForm()).documents(delivery)]


def test_an_alert_is_a_document_with_every_field_in_its_place() -> None:
    (document,) = said(
        SCAN, form=EcsForm("https://tocsin.example/"), tlp=TLP.AMBER_STRICT, tags=("scan",), sources=("suricata", "x")
    )

    assert document == {
        "@timestamp": "2026-11-21T19:40:00.500000Z",
        "message": "ET SCAN",
        "ecs": {"version": "8.11.0"},
        "event": {
            "kind": "alert",
            "id": UID,
            "category": ["intrusion_detection", "network"],
            "type": ["info"],
            "module": "tocsin",
            "dataset": "tocsin.alert",
            "provider": "suricata",
            "severity": 73,
            "start": "2026-11-21T19:39:50Z",
            "created": "2026-11-21T19:41:32Z",
            "reason": "Somebody looks for telnet.",
            "url": "https://tocsin.example/alerts/7",
            "original": '{"a":\t1}',
        },
        "rule": {"name": "ET SCAN", "category": "network-scan"},
        "source": {"address": "192.0.2.7", "ip": "192.0.2.7", "port": 4444, "mac": "00-00-5E-00-53-23"},
        "destination": {"address": "2001:db8::9", "ip": "2001:db8::9", "domain": "a.example", "port": 23},
        "network": {"type": "ipv4", "transport": "tcp", "protocol": "telnet"},
        "related": {"ip": ["192.0.2.7", "192.0.2.8", "2001:db8::9"], "hosts": ["a.example"]},
        "url": {"full": "http://a.example/"},
        "tags": ["scan"],
        "labels": {"tlp": "AMBER+STRICT"},
        "tocsin": {
            "alertgroup": {"id": 7, "uid": GROUP_UID, "subject": "s"},
            "sources": ["suricata", "x"],
            "severity": "high",
            "confidence": 0.9,
            "flow_uids": ["CAbc1"],
        },
    }


def test_what_is_not_known_is_left_out_and_nothing_is_invented() -> None:
    (document,) = said(Detection(), form=EcsForm(original=False))

    assert document == {
        "@timestamp": "2026-11-21T19:41:32Z",
        "message": "s",
        "ecs": {"version": "8.11.0"},
        "event": {
            "kind": "alert",
            "id": UID,
            "category": ["intrusion_detection"],
            "type": ["info"],
            "module": "tocsin",
            "dataset": "tocsin.alert",
            "created": "2026-11-21T19:41:32Z",
        },
        "tocsin": {"alertgroup": {"id": 7, "uid": GROUP_UID, "subject": "s"}},
    }


def test_what_is_no_address_never_stands_where_elasticsearch_wants_one() -> None:
    network = Endpoint(addresses=("192.0.2.0/24", "192.0.2.7"))
    (document,) = said(Detection(sources=(network,), protocols=("TCP",), targets=(Endpoint(emails=("a@b.example",)),)))

    assert document["source"] == {"address": "192.0.2.0/24"}
    assert document["related"] == {"ip": ["192.0.2.7"]}
    assert "destination" not in document
    assert said(Detection(protocols=("TCP",)))[0]["network"] == {"transport": "tcp"}
    assert document["email"] == {"to": {"address": ["a@b.example"]}}


@pytest.mark.parametrize(
    ("word", "category"),
    [
        ("Malware.Trojan", "malware"),
        ("brute-force", "authentication"),
        ("spam", "email"),
        ("vulnerable", "vulnerability"),
    ],
)
def test_the_kind_of_an_attack_is_told_in_words_of_ecs(word: str, category: str) -> None:
    assert said(Detection(category=word))[0]["event"]["category"] == ["intrusion_detection", category]


def test_alerts_of_a_group_have_documents_of_their_own_severity_and_id() -> None:
    first, second, third = said(SCAN, Detection(severity=Severity.INFO), SCAN)

    assert [one["event"]["id"][-1] for one in (first, second, third)] == ["1", "2", "3"]
    assert (second["event"]["severity"], second["tocsin"]["severity"]) == (0, "info")
    assert first["tocsin"] == third["tocsin"]


def test_a_recall_is_a_document_under_the_same_id_that_is_no_alert() -> None:
    sent, recalled = said(SCAN)[0], said(SCAN, kind="recall")[0]

    assert recalled["event"]["id"] == sent["event"]["id"]
    assert (recalled["event"]["kind"], recalled["event"]["action"]) == ("event", "recalled")
    assert (recalled["event"]["reason"], recalled["message"]) == ("a mistake", "Recalled: s")
    assert (recalled["@timestamp"], recalled["tocsin"]["recalled"]) == ("2026-11-21T19:41:33Z", True)
    assert not {"source", "destination", "related", "rule"} & set(recalled)


def test_a_bare_recall_has_ids_and_times_alone() -> None:
    (recalled,) = said(Detection(), kind="recall", subject="")

    assert recalled["message"] == "Recalled"
    assert recalled["tocsin"]["alertgroup"] == {"id": 7, "uid": GROUP_UID}


def test_what_we_write_means_to_us_what_it_meant() -> None:
    (document,) = said(SCAN)
    again = detection.read(Alert(json=json.dumps(document)))

    assert (again.name, again.severity, again.detected) == (SCAN.name, SCAN.severity, SCAN.detected)
    assert again.sources[0].addresses == ("192.0.2.7",)
    assert again.targets[0].ports == (23,)


def _date(value: Any) -> bool:
    return datetime.fromisoformat(value).utcoffset() is not None and value.endswith("Z")


def _ip(value: Any) -> bool:
    return bool(ipaddress.ip_address(value)) and "%" not in value


def _keyword(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _long(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63


def _words(*allowed: object) -> Callable[[Any], bool]:
    return lambda value: value in allowed


TYPES: dict[str, Callable[[Any], bool]] = {
    "@timestamp": _date,
    "message": lambda value: isinstance(value, str) and "\n" not in value,
    "ecs.version": lambda value: re.fullmatch(r"8\.\d+\.\d+", value) is not None,
    "event.kind": _words("alert", "event"),
    "event.id": _keyword,
    "event.category[]": _words("intrusion_detection", "network", "malware", "authentication", "vulnerability", "email"),
    "event.type[]": _words("info"),
    "event.module": _keyword,
    "event.dataset": _keyword,
    "event.provider": _keyword,
    "event.action": _keyword,
    "event.severity": _long,
    "event.start": _date,
    "event.end": _date,
    "event.created": _date,
    "event.reason": _keyword,
    "event.original": _keyword,
    "rule.name": _keyword,
    "rule.category": _keyword,
    **{
        f"{side}.{name}": kind
        for side in ("source", "destination")
        for name, kind in {
            "address": _keyword,
            "ip": _ip,
            "port": lambda value: _long(value) and 0 <= value < 65536,
            "domain": _keyword,
            "mac": lambda value: re.fullmatch("[0-9A-F]{2}(-[0-9A-F]{2})+", value) is not None,
        }.items()
    },
    "network.type": _words("ipv4", "ipv6"),
    "network.transport": lambda value: _keyword(value) and value == value.lower(),
    "network.protocol": lambda value: _keyword(value) and value == value.lower(),
    "related.ip[]": _ip,
    "related.hosts[]": _keyword,
    "url.full": _keyword,
    "email.from.address[]": _keyword,
    "email.to.address[]": _keyword,
    "tags[]": _keyword,
    "labels.tlp": _words("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"),
    "tocsin.alertgroup.id": _long,
    "tocsin.alertgroup.uid": _keyword,
    "tocsin.alertgroup.subject": _keyword,
    "tocsin.sources[]": _keyword,
    "tocsin.severity": _words("info", "low", "medium", "high", "critical"),
    "tocsin.confidence": lambda value: isinstance(value, float | int) and 0 <= value <= 1,
    "tocsin.flow_uids[]": _keyword,
    "tocsin.recalled": _words(True),
}
"""Field -> its type, by ECS 8 and by the index template."""


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field with every value of it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path, value


text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
times = st.none() | st.integers(-(2**60), 2**60)
endpoints = st.builds(
    Endpoint,
    addresses=st.lists(st.ip_addresses().map(str) | st.just("192.0.2.0/24") | st.just("[redacted]")).map(tuple),
    hostnames=st.lists(text).map(tuple),
    ports=st.lists(st.integers(0, 65535)).map(tuple),
    macs=st.lists(st.from_regex("([0-9a-f]{2}:){5}[0-9a-f]{2}", fullmatch=True)).map(tuple),
    urls=st.lists(text).map(tuple),
    emails=st.lists(text).map(tuple),
)
detections = st.builds(
    Detection,
    name=st.just("") | text,
    category=st.just("") | text | st.sampled_from(["Malware", "scan", "Attempt.Login"]),
    description=st.just("") | text,
    severity=st.none() | st.sampled_from(Severity),
    confidence=st.none() | st.floats(0, 1),
    detected=times,
    start=times,
    end=times,
    sources=st.lists(endpoints, max_size=3).map(tuple),
    targets=st.lists(endpoints, max_size=3).map(tuple),
    protocols=st.lists(text | st.sampled_from(["TCP", "dns"])).map(tuple),
    flow_uids=st.lists(text).map(tuple),
)


@given(
    meant=st.lists(detections, min_size=1, max_size=3),
    kind=st.sampled_from(["alert", "recall"]),
    tlp=st.sampled_from(TLP),
    tags=st.lists(text).map(tuple),
    subject=text,
    created=times,
)
def test_whatever_is_known_of_an_alert_its_document_is_valid(meant: list[Detection], kind: str, **rest: Any) -> None:
    for document in said(*meant, kind=kind, **rest):
        wrong = [(path, value) for path, value in leaves(document) if not TYPES[path](value)]
        assert wrong == []
        assert document["event"]["id"].startswith(UID[:-1])
