"""Warden's clients as the server sees them: who is let in, what is taken of what they send, what they are answered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tocsin.app import Hub, build
from tocsin.config import Config
from tocsin.store import alertgroup
from web.conftest import Caller

SECRET = {name: f"secret-of-{name}" for name in ("hub", "writer", "tester", "reader", "nothing", "gone")}


def clients() -> dict[str, Any]:
    """One of each kind; the names stand below cz.example."""
    rights: dict[str, dict[str, Any]] = {
        "hub": {"write": True},
        "writer": {"write": True, "read": False, "test": False},
        "tester": {"read": False},
        "reader": {"test": False},
        "nothing": {"read": False, "test": False},
        "gone": {"write": True, "enabled": False},
    }
    return {f"cz.example.{name}": {"secret": SECRET[name]} | table for name, table in rights.items()}


@pytest.fixture
def warden() -> dict[str, Any]:
    """What stands in [warden]."""
    return {"clients": clients(), "send_events_limit": 4, "get_events_limit": 7, "description": "A hub of tests"}


@pytest.fixture
def hub(engine: str, data: Path, warden: dict[str, Any]) -> Iterator[Hub]:
    config = {"store": {"url": engine}, "warden": warden, "http": {"max_body_mib": 8}}
    hub = build(Config.model_validate(config), data)
    yield hub
    hub.stop()


def event(id: str, name: str = "hub", **rest: Any) -> dict[str, Any]:
    return {
        "Format": "IDEA0",
        "ID": id,
        "DetectTime": "2026-11-21T19:46:28Z",
        "Category": ["Recon.Scanning"],
        "Source": [{"IP4": ["198.51.100.7"]}],
        "Node": [{"Name": f"cz.example.{name}", "Type": ["Network"]}],
    } | rest


def send(caller: Caller, name: str, *events: Any, body: bytes | None = None) -> httpx2.Response:
    content = json.dumps(events).encode() if body is None else body
    return caller.post(f"/warden3/sendEvents?secret={SECRET[name]}", content=content)


def errors(answer: httpx2.Response, status: int) -> list[dict[str, Any]]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert said.keys() == {"method", "req_id", "errors"}
    assert 0 <= said["req_id"] < 2**32
    for one in said["errors"]:
        assert len(one.get("events", [])) == len(one.get("events_id", []))
    found: list[dict[str, Any]] = said["errors"]
    return found


def stored(hub: Hub) -> int:
    rows = hub.store.read(lambda tx: tx.rows("SELECT count(*) FROM alertgroup"))
    return int(rows[0][0])


def test_info_tells_the_limits_to_whoever_may_do_anything(nobody: Caller) -> None:
    for name in ("hub", "writer", "tester", "reader"):
        for verb in ("GET", "POST"):
            answer = nobody.request(verb, f"/warden3/getInfo?secret={SECRET[name]}&self=1&what=ever")
            assert answer.status_code == 200, answer.text
            told = answer.json()
            assert told.pop("version").startswith("3.0")
            assert told == {"send_events_limit": 4, "get_events_limit": 7, "description": "A hub of tests"}


@pytest.mark.parametrize(
    ("name", "method", "status"),
    [
        ("hub", "getEvents", 200),
        ("hub", "sendEvents", 200),
        ("writer", "getEvents", 403),
        ("writer", "sendEvents", 200),
        ("tester", "getEvents", 403),
        ("tester", "sendEvents", 200),
        ("reader", "getEvents", 200),
        ("reader", "sendEvents", 403),
        ("nothing", "getInfo", 403),
        ("nothing", "getEvents", 403),
        ("nothing", "sendEvents", 403),
        ("gone", "getInfo", 403),
        ("gone", "sendEvents", 403),
    ],
)
def test_each_client_may_do_what_its_table_says_and_nothing_else(
    nobody: Caller, name: str, method: str, status: int
) -> None:
    answer = nobody.post(f"/warden3/{method}?secret={SECRET[name]}", content=b"[]")
    assert answer.status_code == status, answer.text
    if status == 403:
        [error] = errors(answer, 403)
        assert error.get("client") == (None if name == "gone" else f"cz.example.{name}")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("secret=secret-of-hub&client=CZ.Example.HUB", 200),
        ("secret=secret-of-hub&client=cz.example.reader", 403),
        ("client=cz.example.hub", 403),
        ("client=cz.example.hub&secret=", 403),
        ("secret=secret-of-hu", 403),
        ("", 403),
    ],
)
def test_name_and_secret_have_to_be_those_of_one_client(nobody: Caller, query: str, status: int) -> None:
    assert nobody.get(f"/warden3/getInfo?{query}").status_code == status


def test_what_is_no_method_is_not_found_before_anybody_is_asked_who_they_are(nobody: Caller) -> None:
    for path in ("/warden3/getDebug", "/warden3/getinfo", "/warden3/x", "/warden3", "/warden3/", "/warden3/a/b"):
        [error] = errors(nobody.get(path), 404)
        assert error["error"] == 404
    errors(nobody.put("/warden3/getInfo"), 405)


def test_what_was_sent_is_an_alertgroup_of_its_client(nobody: Caller, hub: Hub) -> None:
    answer = send(nobody, "hub", event("one"), event("two", Description="Odd things"))
    assert (answer.status_code, answer.json()) == (200, {"saved": 2})

    groups = hub.store.read(lambda tx: [alertgroup.get(tx, id) for id in (1, 2)])
    assert [(group.message_id, group.subject) for group in groups] == [
        ("one", "Recon.Scanning from 198.51.100.7"),
        ("two", "Odd things"),
    ]
    rows = hub.store.read(lambda tx: tx.rows("SELECT source, sender, parser FROM message"))
    assert rows == [("cz.example.hub", "cz.example.hub", "idea")]


def test_good_events_are_saved_beside_bad_ones_which_are_named_by_index(nobody: Caller, hub: Hub) -> None:
    no_time = event("b")
    del no_time["DetectTime"]
    listed = errors(send(nobody, "hub", event("a"), no_time, event("c", name="other"), event("d")), 400)
    assert [(one["error"], one["events"], one["events_id"]) for one in listed] == [(460, [1], ["b"]), (422, [2], ["c"])]
    assert stored(hub) == 2

    [error] = errors(send(nobody, "hub", "no object", event("e")), 460)
    assert (error["events"], error["events_id"]) == ([0], [None])
    assert stored(hub) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"Format": "IDEA1"},
        {"ID": "{braces}"},
        {"ID": "x" * 201},
        {"DetectTime": "2026-13-21T19:46:28Z"},
        {"DetectTime": "2026-11-21T19:46:28"},
        {"DetectTime": 1795290092},
        {"Category": "Recon"},
        {"Category": []},
        {"Source": [{"Port": ["80"]}]},
        {"Source": [{"IP4": ["somewhere"]}]},
        {"Source": [{"IP4": [5]}]},
        {"Source": "198.51.100.7"},
        {"Node": [{"Type": ["Network"]}]},
        {"Confidence": 2},
    ],
)
def test_what_the_schema_refuses_is_460_with_the_key(nobody: Caller, hub: Hub, wrong: dict[str, Any]) -> None:
    [error] = errors(send(nobody, "hub", event("a") | wrong), 460)
    assert (error["error"], error["key"], error["events"]) == (460, next(iter(wrong)), [0])
    assert stored(hub) == 0


@pytest.mark.parametrize(
    "odd",
    [
        {"DetectTime": "2026-11-21 19:46:28+01:00"},
        {"Source": [{"IP4": ["198.51.100.7/32", "198.51.100.9-198.51.100.8"], "Port": [80], "Unknown": {"a": 1}}]},
        {"Node": [{"Name": "CZ.Example.Hub"}, {"Name": "other-node", "SW": ["x"]}]},
        {"_private": {"a": [1, 2]}, "Category": ["Odd.Thing"]},
    ],
)
def test_what_other_servers_take_is_taken_here(nobody: Caller, hub: Hub, odd: dict[str, Any]) -> None:
    assert send(nobody, "hub", event("a") | odd).json() == {"saved": 1}
    assert stored(hub) == 1


def test_the_first_node_has_to_be_the_client_itself(nobody: Caller) -> None:
    others = [{"Name": "cz.example.other"}, {"Name": "cz.example.hub"}]
    for node in (others, [], None):
        given = event("a")
        given["Node"] = node
        if node is None:
            del given["Node"]
        [error] = errors(send(nobody, "hub", given), 422)
        assert error["events"] == [0]


def test_a_test_client_may_send_events_of_the_category_test_alone(nobody: Caller, hub: Hub) -> None:
    events = (event(id, "tester", Category=words) for id, words in (("a", ["Test", "Recon"]), ("b", ["Testing"])))
    [error] = errors(send(nobody, "tester", *events), 422)
    assert (error["events"], error["categories"]) == ([1], ["Testing"])
    assert stored(hub) == 1


def test_more_events_than_the_limit_are_507_and_the_first_are_saved(nobody: Caller, hub: Hub) -> None:
    events = [event(f"e{n}") for n in range(6)]
    [error] = errors(send(nobody, "hub", *events), 507)
    assert (error["events"], error["events_id"], error["send_events_limit"]) == ([4, 5], ["e4", "e5"], 4)
    assert stored(hub) == 4

    events[0]["Category"] = []
    assert {one["error"] for one in errors(send(nobody, "hub", *events), 500)} == {460, 507}


def test_an_event_that_is_too_large_is_413(nobody: Caller, hub: Hub) -> None:
    large = event("large", Note="x" * (5 * 2**20))
    [error] = errors(send(nobody, "hub", large, event("small")), 413)
    assert (error["events"], error["events_id"]) == ([0], ["large"])
    assert stored(hub) == 1
    errors(send(nobody, "hub", body=b"[" + b" " * (8 * 2**20) + b"]"), 413)


@pytest.mark.parametrize("body", [b"{}", b"{", b"[1,", b'"x"', b"\xff", b"[" * 100_000])
def test_what_is_no_array_is_400_for_all(nobody: Caller, hub: Hub, body: bytes) -> None:
    [error] = errors(send(nobody, "hub", body=body), 400)
    assert (error["error"], "events" in error) == (400, False)
    assert stored(hub) == 0


def test_nothing_sent_is_nothing_saved(nobody: Caller) -> None:
    for body in (b"", b"[]", b" [ ] "):
        assert send(nobody, "hub", body=body).json() == {"saved": 0}


def test_events_nested_beyond_reason_are_refused_each_for_itself(nobody: Caller, hub: Hub) -> None:
    deep = json.dumps(event("deep"))[:-1].encode() + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}"
    answer = send(nobody, "hub", body=b"[" + deep + b"," + json.dumps(event("fine")).encode() + b"]")
    codes = {one["error"] for one in errors(answer, answer.status_code)}
    assert codes <= {400, 460}
    assert stored(hub) in (0, 1)
    assert send(nobody, "hub", event("fine")).json() == {"saved": 1}
    assert stored(hub) == 1


def test_what_is_sent_again_in_whatever_company_is_stored_once(nobody: Caller, hub: Hub) -> None:
    a, b, c = event("a"), event("b"), event("c")
    assert send(nobody, "hub", a, b).json() == {"saved": 2}
    assert send(nobody, "hub", a, b).json() == {"saved": 2}
    assert send(nobody, "hub", b, c).json() == {"saved": 2}
    assert send(nobody, "hub", dict(reversed(a.items())), c, c).json() == {"saved": 3}
    assert stored(hub) == 3

    [error] = errors(send(nobody, "hub", a, event("d", name="other"), event("e")), 422)
    assert error["events"] == [1]
    assert stored(hub) == 4


def test_the_same_id_with_something_else_in_it_or_of_another_client_is_another_event(nobody: Caller, hub: Hub) -> None:
    assert send(nobody, "hub", event("a")).json() == {"saved": 1}
    assert send(nobody, "hub", event("a", Description="more is known")).json() == {"saved": 1}
    assert send(nobody, "writer", event("a", "writer")).json() == {"saved": 1}
    assert stored(hub) == 3


def test_without_the_table_there_is_no_server(data: Path, runner: Any) -> None:
    from tocsin.web import create

    hub = build(Config.model_validate({}), data)
    try:
        errors(Caller(create(hub), runner).get("/warden3/getInfo"), 404)
    finally:
        hub.stop()
