"""Objects that clients hand in: they become a message like any other, and the status resource says the truth."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tocsin import registry
from tocsin.app import Hub, build
from tocsin.config import Config
from tocsin.errors import Unreadable
from tocsin.model import Alertgroup, Message
from tocsin.plugin import Parser
from tocsin.store import message
from tocsin.store.message import Selection
from web.conftest import Caller
from web.shelf import MEDIA, object_id

ROOT = "/taxii2/default/"
OBJECTS = f"{ROOT}collections/inbox/objects/"
KIB = 1024


class Broken(Parser):
    """Claims everything and fails, by a fault of its own or because it cannot read it."""

    order: ClassVar[int] = 1
    apart: ClassVar[bool] = False
    fault: str = "its own"

    def claims(self, message: Message) -> bool:
        return True

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        raise RuntimeError("a fault of its own") if self.fault == "its own" else Unreadable("nothing that it knows")


@pytest.fixture
def parsers() -> dict[str, Any]:
    """What stands in [parsers]."""
    return {}


@pytest.fixture
def hub(engine: str, data: Path, parsers: dict[str, Any]) -> Iterator[Hub]:
    inbox = {"accept_writes": True, "writers": ["partner"], "query": "tag:nothing"}
    config = {"store": {"url": engine}, "collections": {"inbox": inbox}, "taxii": {"max_content_mib": 1}}
    found = registry.find(data)
    found.add("parser", "broken", Broken, "tests", "1")
    hub = build(Config.model_validate(config | {"parsers": parsers}), data, found)
    yield hub
    hub.stop()


@pytest.fixture
def partner(admin: Caller) -> Caller:
    key = admin.post("/api/v2/key", json={"name": "partner", "role": "partner"}).json()["key"]
    return admin.anonymous(authorization=f"Bearer {key}", content_type=MEDIA)


def indicator(name: str = "a", **rest: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": object_id("indicator", name),
        "created": "2026-11-21T19:41:32.000Z",
        "modified": "2026-11-21T19:41:32.000Z",
        "name": name,
        "pattern": "[ipv4-addr:value = '192.0.2.7']",
        "pattern_type": "stix",
        "valid_from": "2026-11-21T19:41:32Z",
    } | rest


def handed(caller: Caller, *objects: Any) -> dict[str, Any]:
    answer = caller.post(OBJECTS, json={"objects": objects})
    assert (answer.status_code, answer.headers["content-type"]) == (202, MEDIA), answer.text
    told: dict[str, Any] = answer.json()
    assert told == caller.json(f"{ROOT}status/{told['id']}/")
    return told


def stored(hub: Hub) -> list[message.Kept]:
    return hub.store.read(lambda tx: message.select(tx, Selection(), 0, 100))


def test_what_is_handed_in_is_a_message_of_its_sender(hub: Hub, partner: Caller, admin: Caller) -> None:
    told = handed(partner, indicator())

    assert told == {
        "id": told["id"],
        "status": "complete",
        "request_timestamp": told["request_timestamp"],
        "total_count": 1,
        "success_count": 1,
        "successes": [{"id": indicator()["id"], "version": "2026-11-21T19:41:32.000Z"}],
        "failure_count": 0,
        "pending_count": 0,
    }
    [known] = stored(hub)
    assert (known.source, known.sender, known.media_type, known.parser) == ("taxii-inbox", "partner", MEDIA, "stix")
    [group] = hub.store.read(lambda tx: message.groups_of(tx, known.id))
    assert admin.json(f"/api/v2/alertgroup/{group}")["alert_count"] == 1


def test_the_same_again_is_no_second_message_and_is_told_the_same(hub: Hub, partner: Caller) -> None:
    first, again = handed(partner, indicator()), handed(partner, indicator())
    assert first["successes"] == again["successes"]
    assert first["id"] != again["id"]
    assert len(stored(hub)) == 1
    handed(partner, indicator("b"))
    assert len(stored(hub)) == 2


def test_objects_that_are_none_fail_and_the_others_are_kept(hub: Hub, partner: Caller) -> None:
    wrong = [
        "no object",
        {"type": "indicator"},
        indicator(id="indicator--1"),
        indicator(id=object_id("malware", "a")),
        indicator(spec_version="2.0"),
        {"type": 7, "id": object_id("indicator", "a")},
    ]
    told = handed(partner, *wrong, indicator("good"))

    assert (told["status"], told["total_count"], told["failure_count"], told["success_count"]) == ("complete", 7, 6, 1)
    assert [each["id"] for each in told["successes"]] == [object_id("indicator", "good")]
    assert all(each["message"] for each in told["failures"])
    [known] = stored(hub)
    body = hub.store.read(lambda tx: message.original(tx, known.id))
    assert json.loads(body) == {"objects": [indicator("good")]}


@pytest.mark.parametrize("parsers", [{"broken": {"fault": "unreadable"}}])
def test_what_no_parser_understands_fails_and_is_not_kept(hub: Hub, partner: Caller) -> None:
    told = handed(partner, indicator())
    assert (told["status"], told["failure_count"], told["success_count"]) == ("complete", 1, 0)
    assert "nothing that it knows" in told["failures"][0]["message"]
    assert stored(hub) == []


def test_nothing_good_makes_no_message(hub: Hub, partner: Caller) -> None:
    told = handed(partner, {"type": "indicator"})
    assert (told["status"], told["failure_count"], told["total_count"]) == ("complete", 1, 1)
    assert stored(hub) == []


@pytest.mark.parametrize("parsers", [{"broken": {}}])
def test_what_a_person_has_to_look_at_is_pending_until_then(partner: Caller, admin: Caller) -> None:
    told = handed(partner, indicator())
    assert (told["status"], told["pending_count"], told["success_count"]) == ("pending", 1, 0)
    assert "a person has to look" in told["pendings"][0]["message"]

    [line] = admin.json("/api/v2/quarantine")["records"]
    assert admin.post(f"/api/v2/quarantine/{line['id']}/discard", json={}).status_code == 200
    after = partner.json(f"{ROOT}status/{told['id']}/")
    assert (after["status"], after["failure_count"], after["pending_count"]) == ("complete", 1, 0)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "no JSON"),
        (b"\xff", 400, "no JSON"),
        (b'{"objects": [' + b"[" * 100_000, 400, "no JSON"),
        (b'{"objects": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", 400, "no JSON"),
        (b"[]", 422, "no envelope"),
        (b'{"objects": {}}', 422, "no envelope"),
        (b"{}", 422, "no objects"),
        (b'{"objects": []}', 422, "no objects"),
        (b'{"objects": [' + b" " * 1024 * KIB + b"]}", 413, "larger than"),
    ],
)
def test_an_unusable_body_is_refused_whole(hub: Hub, partner: Caller, body: bytes, status: int, words: str) -> None:
    answer = partner.post(OBJECTS, content=body)
    assert (answer.status_code, words in answer.json()["description"]) == (status, True), answer.text
    assert answer.json()["http_status"] == str(status)
    assert stored(hub) == []


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/taxii+json;version=2.1", 202),
        ("application/taxii+json; version=2.1", 202),
        ("application/taxii+json", 202),
        ("application/taxii+json;version=2.1;charset=utf-8", 202),
        ("application/taxii+json;version=2.0", 415),
        ("application/json", 415),
        ("application/stix+json;version=2.1", 415),
    ],
)
def test_a_body_says_what_it_is(partner: Caller, content_type: str, status: int) -> None:
    answer = partner.post(OBJECTS, json={"objects": [indicator()]}, headers={"content-type": content_type})
    assert answer.status_code == status
    packed = {"content-type": content_type, "content-encoding": "gzip"}
    assert partner.post(OBJECTS, content=b"x", headers=packed).status_code == 415


def test_a_long_body_is_not_read_to_its_end(partner: Caller) -> None:
    sent = 0

    async def pieces() -> Any:
        nonlocal sent
        for _ in range(100):
            sent += 64 * KIB
            yield b" " * 64 * KIB

    assert partner.post(OBJECTS, content=pieces()).status_code == 413
    assert sent <= 100 * 64 * KIB


def test_what_was_refused_is_counted(partner: Caller, admin: Caller) -> None:
    assert partner.post(OBJECTS, content=b"{").status_code == 400
    notes = admin.application.state.web.notes
    admin.runner.run(notes.flush())
    assert admin.json("/api/v2/flow-of-alerts")["all"]["refused"] == 1
