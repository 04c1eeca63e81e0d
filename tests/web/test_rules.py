"""Routes and silences over the API: made, refused with the remedy, ordered, ended; rehearsals; and why."""

import json

import pytest

from tocsin.app import Hub
from tocsin.config import Config
from tocsin.web import create
from tocsin.web.ruling import alike, left, moment
from web.conftest import CONTROL, Caller

ROUTE, SILENCE = "/api/v2/route", "/api/v2/silence"
HOUR = 3_600_000_000


def a_route(admin: Caller, **fields: object) -> int:
    answer = admin.post(ROUTE, json={"name": "vpn", "query": "tag:vpn", "to": ["idea_log"]} | fields)
    assert answer.status_code == 200, answer.text
    id: int = answer.json()["id"]
    return id


def a_silence(caller: Caller, **fields: object) -> int:
    answer = caller.post(SILENCE, json={"name": "scan", "query": "tag:scan", "reason": "the yearly scan"} | fields)
    assert answer.status_code == 200, answer.text
    id: int = answer.json()["id"]
    return id


def states(caller: Caller, group: int) -> dict[str, str]:
    return {one["lane"]: one["state"] for one in caller.json(f"/api/v2/alertgroup/{group}/why")["owed"]}


def names(caller: Caller, path: str = ROUTE) -> list[str]:
    return [one["name"] for one in caller.json(path)["records"]]


def test_a_route_is_made_changed_switched_off_and_removed(admin: Caller) -> None:
    id = a_route(admin, every="15m", last=True)

    whole = admin.json(ROUTE)["records"][0]
    assert (whole["every"], whole["last"], whole["active"], whole["configured"]) == ("15m", True, True, False)
    assert list(states(admin, admin.post_group(tag=["vpn"]))) == ["idea_log"]
    changed = admin.put(f"{ROUTE}/{id}", json={"to": ["text_log"], "every": ""}).json()
    assert changed == {**whole, "to": ["text_log"], "every": ""}
    assert states(admin, admin.post_group(tag=["vpn"])) == {"text_log": "due"}
    assert admin.put(f"{ROUTE}/{id}", json={"active": False}).json()["active"] is False
    assert set(states(admin, admin.post_group(tag=["vpn"]))) == {"idea_log", "text_log"}
    assert admin.delete(f"{ROUTE}/{id}").json() == {"id": id, "status": "ok"}
    assert names(admin) == []
    past = admin.json(f"{ROUTE}/{id}/history")["records"]
    assert [one["what"] for one in past] == ["tag:vpn to idea_log", "tag:vpn to text_log", "switched off", "removed"]


def test_routes_are_asked_in_an_order_that_can_be_changed(admin: Caller) -> None:
    first, second = a_route(admin, name="first"), a_route(admin, name="second")

    assert names(admin) == ["first", "second"]
    assert admin.put(f"{ROUTE}/{second}", json={"before": first}).status_code == 200
    assert names(admin) == ["second", "first"]
    assert admin.put(f"{ROUTE}/{second}", json={"before": 0}).status_code == 200
    assert names(admin) == ["first", "second"]
    assert admin.put(f"{ROUTE}/{second}", json={"before": 99}).status_code == 404


def test_what_cannot_be_a_route_is_refused_with_its_place_and_the_remedy(admin: Caller, viewer: Caller) -> None:
    id = a_route(admin)
    wrong: list[tuple[dict[str, object], int, str]] = [
        ({"query": "sorce:x"}, 422, "(character 1): did you mean source?"),
        ({"to": ["idea_lok"]}, 400, "to: there is no destination 'idea_lok': did you mean idea_log?"),
        ({"every": "often"}, 400, "every: 'often' is no span of time: write 90s, 15m"),
        ({"name": " "}, 400, "name: give it one"),
        ({"colour": "red"}, 400, "colour"),
    ]
    for fields, status, words in wrong:
        for answer in (
            admin.post(ROUTE, json={"name": "new", "query": "", "to": [], **fields}),
            admin.put(f"{ROUTE}/{id}", json=fields),
        ):
            assert (answer.status_code, words in answer.json()["error_msg"]) == (status, True), answer.text
    assert admin.post(ROUTE, json={"name": "vpn", "to": []}).status_code == 409
    assert viewer.post(ROUTE, json={"name": "mine", "to": []}).status_code == 403
    assert names(viewer) == ["vpn"]


def test_a_silence_holds_back_until_it_is_ended_and_says_what_it_held(admin: Caller, analyst: Caller) -> None:
    id = a_silence(analyst, ends="now+4h")

    held = [admin.post_group(tag=["scan"], subject=f"scan {n}") for n in range(3)]
    one = analyst.json(SILENCE)["records"][0]
    assert (one["state"], one["holding"], one["held"], one["owner"]) == ("standing", True, 3, "test analyst")
    assert one["ends"] - one["starts"] == 4 * 3600
    assert states(analyst, held[0]) == {"idea_log": "silenced", "text_log": "silenced"}
    found = analyst.json("/api/v2/alertgroup?q=delivery.idea_log:silenced")["records"]
    assert [each["id"] for each in found] == held[::-1]
    page = analyst.json(f"{SILENCE}/{id}/held?limit=2")
    assert ([each["id"] for each in page["records"]], page["totalRecordCount"]) == ([held[2], held[1]], 3)
    older = analyst.json(f"{SILENCE}/{id}/held?before={held[1]}")
    assert [each["id"] for each in older["records"]] == [held[0]]

    ended = analyst.post(f"{SILENCE}/{id}/end").json()
    assert (ended["state"], ended["holding"]) == ("over", False)
    assert states(analyst, admin.post_group(tag=["scan"])) == {"idea_log": "due", "text_log": "due"}
    assert (names(analyst, SILENCE), names(analyst, f"{SILENCE}?over=1")) == ([], ["scan"])
    assert [each["what"] for each in analyst.json(f"{SILENCE}/{id}/history")["records"]][-1] == "ended"


def test_a_silence_is_changed_and_can_be_one_that_comes_or_rests(analyst: Caller) -> None:
    id = a_silence(analyst, starts="now+1d", ends="now+2d", to=["text_log"], owner="the network team")

    coming = analyst.json(SILENCE)["records"][0]
    assert (coming["state"], coming["holding"], coming["owner"]) == ("coming", False, "the network team")
    changed = analyst.put(f"{SILENCE}/{id}", json={"starts": None, "ends": None, "to": []}).json()
    assert (changed["state"], changed["ends"], changed["to"]) == ("standing", None, [])
    never = {"recurrence": "mon 0:00-0:01", "starts": 1_700_000_000}
    assert analyst.put(f"{SILENCE}/{id}", json=never).json()["starts"] == 1_700_000_000


def test_what_cannot_be_a_silence_is_refused_with_its_place_and_the_remedy(analyst: Caller, viewer: Caller) -> None:
    id = a_silence(analyst)
    wrong: list[tuple[dict[str, object], int, str]] = [
        ({"query": "tag:"}, 422, "(character "),
        ({"to": ["nowhere"]}, 400, "to: there is no destination 'nowhere'"),
        ({"ends": "teatime"}, 400, "ends: 'teatime' is no time: write now+4h"),
        ({"ends": "now-1h"}, 400, "ends: it would end before"),
        ({"recurrence": "mon 8-9"}, 400, "recurrence: 'mon 8-9' is no recurrence: write days, hours"),
        ({"reason": "a\u202eb"}, 400, "reason: it holds a character"),
    ]
    for fields, status, words in wrong:
        for answer in (
            analyst.post(SILENCE, json={"name": "new", "query": "", **fields}),
            analyst.put(f"{SILENCE}/{id}", json=fields),
        ):
            assert (answer.status_code, words in answer.json()["error_msg"]) == (status, True), answer.text
    assert viewer.post(SILENCE, json={"name": "mine", "query": ""}).status_code == 403
    assert viewer.post(f"{SILENCE}/{id}/end").status_code == 403
    assert len(viewer.json(SILENCE)["records"]) == 1


def test_why_tells_the_rules_in_order_and_what_was_silenced_and_sent_after_all(admin: Caller) -> None:
    a_route(admin, name="all of it", query="", to=["idea_log", "text_log"])
    silence = a_silence(admin, to=["text_log"])
    group = admin.post_group(tag=["scan"])

    why = admin.json(f"/api/v2/alertgroup/{group}/why")
    assert [(one["kind"], one["name"], one["id"]) for one in why["rules"]] == [
        ("route", "all of it", None),
        ("silence", "scan", silence),
    ]
    assert why["rules"][1]["said"] == "held back from text_log: the yearly scan"
    assert (why["silences"], why["folded_into"]) == ([silence], None)
    assert states(admin, group) == {"idea_log": "due", "text_log": "silenced"}
    held = next(one["delivery"] for one in why["owed"] if one["state"] == "silenced")
    assert admin.post("/api/v2/delivery/retry", json={"ids": [held]}).json()["changed"] == 1
    assert states(admin, group) == {"idea_log": "due", "text_log": "due"}
    assert admin.get("/api/v2/alertgroup/999/why").status_code == 404


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_configured_route_is_listed_first_and_cannot_be_changed(hub: Hub, admin: Caller) -> None:
    told = {"name": "by file", "query": "tag:file", "to": ["idea_log"], "every": "1h"}
    hub.config = Config.model_validate({"routes": [told]})
    configured = Caller(create(hub, control=CONTROL), admin.runner, **admin.headers)
    a_route(configured, name="by hand")

    records = configured.json(ROUTE)["records"]
    assert [(one["name"], one["configured"], one["id"] is None) for one in records] == [
        ("by file", True, True),
        ("by hand", False, False),
    ]
    assert records[0]["every"] == "1h"
    assert configured.post(ROUTE, json={"name": "by file", "to": []}).status_code == 409


def test_a_rehearsal_says_what_a_query_would_have_meant_and_changes_nothing(admin: Caller, viewer: Caller) -> None:
    groups = [admin.post_group(tag=["vpn"], subject=f"vpn {n}") for n in range(4)]
    admin.post_group(tag=["other"])
    admin.put(f"/api/v2/alertgroup/{groups[0]}", json={"status": "closed"})
    admin.put(f"/api/v2/alertgroup/{groups[1]}", json={"status": "promoted"})

    found = viewer.post("/api/v2/rule/try", json={"query": "tag:vpn", "days": 2}).json()
    counts = [found[name] for name in ("matched", "open", "closed", "promoted", "folded", "more")]
    assert counts == [4, 2, 1, 1, 0, False]
    assert [one["id"] for one in found["samples"]] == groups[:0:-1]
    assert found["samples"][2] | {"when": 0} == {
        "id": groups[1], "when": 0, "subject": "vpn 1", "status": "promoted", "times": 1,
    }  # fmt: skip
    assert found["since_then"] == ["tag"]
    assert viewer.post("/api/v2/rule/try", json={"query": "sorce:x"}).status_code == 422
    assert viewer.post("/api/v2/rule/try", json={"query": "", "days": 0}).status_code == 400
    assert (names(viewer), names(viewer, SILENCE)) == ([], [])


def folded(caller: Caller, **fields: object) -> dict[str, object]:
    """The last line that a rehearsal of folding says."""
    answer = caller.post("/api/v2/rule/fold", json=fields)
    assert answer.status_code == 200, answer.text
    last: dict[str, object] = json.loads(answer.text.splitlines()[-1])["done"]
    return last


def test_folding_is_rehearsed_by_source_and_options(admin: Caller, analyst: Caller) -> None:
    for n in range(6):
        admin.post_group(subject=f"{n} failures", source=["splunk"], data=[{"user": "root", "run": n}])
    first = admin.post_group(subject="same", source=["splunk"], data=[{"user": "root"}])
    for _ in range(2):
        admin.post_group(subject="same", source=["splunk"], data=[{"user": "root"}])
    admin.post_group(subject="same", source=["zeek"], data=[{"user": "root"}])
    admin.put(f"/api/v2/alertgroup/{first}", json={"status": "closed"})

    plain = folded(analyst, label="splunk")
    assert [plain[name] for name in ("total", "read", "alertgroups", "folded", "into", "now")] == [9, 9, 9, 2, 1, 0]
    assert [(one["id"], one["times"]) for one in plain["samples"]] == [(first, 3)]  # type: ignore[attr-defined]  # JSON
    wider = folded(analyst, label="splunk", options={"without": ["run"], "subject_numbers": False})
    assert [wider[name] for name in ("folded", "into")] == [7, 2]
    every = folded(analyst, label="*", options={"by": ["subject"]})
    assert [every[name] for name in ("alertgroups", "folded", "into")] == [10, 3, 1]


def test_options_of_folding_that_cannot_be_used_are_named(analyst: Caller) -> None:
    for options, words in (
        ({"by": ["colour"]}, "by.0: must be data.NAME"),
        ({"window_h": 0}, "window_h: 0 folds nothing"),
        ({"window": 1}, "window: "),
        ({"longest_h": 1}, "longest_h must not be shorter"),
    ):
        answer = analyst.post("/api/v2/rule/fold", json={"label": "splunk", "options": options})
        assert (answer.status_code, words in answer.json()["error_msg"]) == (400, True), answer.text
    assert analyst.post("/api/v2/rule/fold", json={"label": " "}).status_code == 400


def test_times_are_read_as_in_a_query_and_what_is_left_is_told_in_words() -> None:
    now = 1_700_000_000_000_000

    assert [moment("ends", said, now) for said in ("4h", "now+4h", "+4h")] == [now + 4 * HOUR] * 3
    assert moment("ends", 1_700_003_600, now) == moment("ends", "2023-11-14T23:13:20Z", now) == now + HOUR
    assert (moment("ends", "", now), moment("ends", None, now)) == (None, None)
    assert [left(now + n * HOUR // 60, now) for n in (0, 5, 125, 24 * 60 + 1, 50 * 60)] == [
        "less than a minute", "5 min", "2 h 5 min", "1 d 1 min", "2 d 2 h",
    ]  # fmt: skip
    assert alike('a "b"', ["splunk", "x"]) == 'source:"splunk" and subject:"a \\"b\\""'
    assert alike("…", []) == ""
