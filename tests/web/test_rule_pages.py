"""The pages of the rules, with plain forms: made, tried, refused with what was typed, ordered, ended; and why."""

import re
from html import unescape

import pytest

from tocsin.app import Hub
from tocsin.config import Config
from web.conftest import Caller
from web.person import csrf, signed_in

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])
RULES = "/rules"


def sent(person: Caller, path: str, status: int = 303, **fields: object) -> str:
    """Post a form; where it leads, or what it shows."""
    answer = person.post(path, data={"csrf_token": csrf(person.get(RULES)), **fields})
    assert answer.status_code == status, answer.text
    return str(answer.headers.get("location") or unescape(answer.text))


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", "", page)).split())


def routes(person: Caller) -> list[str]:
    return [one["name"] for one in person.json("/api/v2/route")["records"]]


def test_a_route_is_made_ordered_switched_off_changed_and_removed(admin: Caller, engine: str) -> None:
    person = signed_in(admin, "admin")
    first = sent(person, "/rules/routes", do="save", name="first", query="tag:a", to=["idea_log"], every="1h")
    second = sent(person, "/rules/routes", do="save", name="second", query="", to=[], last="yes")
    ids = [int(to.rpartition("-")[2]) for to in (first, second)]

    assert (first, routes(person)) == (f"/rules#route-{ids[0]}", ["first", "second"])
    shown = text_of(person.get(RULES).text)
    assert "tag:a to idea_log every 1h" in shown
    assert "everything to nobody at once, and no later route is asked" in shown
    for what, order in (("up", ["second", "first"]), ("up", ["second", "first"]), ("down", ["first", "second"])):
        assert sent(person, f"/rules/routes/{ids[1]}", do=what) == second
        assert routes(person) == order
    sent(person, f"/rules/routes/{ids[0]}", do="off")
    assert person.json("/api/v2/route")["records"][0]["active"] is False
    to = sent(person, f"/rules/routes/{ids[0]}", do="save", name="renamed", query="tag:b", to=["text_log"])
    page = text_of(person.get(to).text)
    assert "Switched off. Made by the admin" in page
    assert "tag:b to text_log" in page
    assert sent(person, f"/rules/routes/{ids[1]}", do="remove") == RULES
    assert routes(person) == ["renamed"]
    assert sent(person, f"/rules/routes/{ids[0]}", status=404, do="dance")


def test_a_form_that_cannot_be_kept_comes_back_with_what_was_typed_and_why(admin: Caller, engine: str) -> None:
    person = signed_in(admin, "admin")

    page = sent(person, "/rules/routes", 422, do="save", name="<b>", query="sorce:x", to=["idea_log"], last="yes")
    assert "query: " in page
    assert "(character 1): did you mean source?" in page
    assert 'name="name" value="<b>"' in page
    assert re.findall(r'value="(\w+)" checked', page[: page.index("New silence")]) == ["idea_log", "yes"]
    page = sent(person, "/rules/silences", 400, do="save", name="x", query="", ends="teatime")
    assert "ends: 'teatime' is no time: write now+4h" in page
    assert 'name="ends" value="teatime"' in page
    page = sent(person, "/rules/silences", 400, do="save", name="x", query="", recurrence="always")
    assert "recurrence: 'always' is no recurrence" in page
    assert routes(person) == []
    assert person.json("/api/v2/silence?over=1")["records"] == []


def test_a_silence_begins_with_an_alertgroup_and_ends_with_what_it_held(admin: Caller, engine: str) -> None:
    person = signed_in(admin)
    like = admin.post_group(subject='Scan "from" 192.0.2.7', source=["ids", "other"])
    page = unescape(person.get(f"/rules?like={like}").text)
    query = 'source:"ids" and subject:"Scan \\"from\\" 192.0.2.7"'
    assert f'value="{query}"' in page
    assert f'href="/rules?like={like}#new-silence"' in person.get(f"/alerts/{like}").text

    to = sent(person, "/rules/silences", do="save", name="scan", query=query, reason="known", ends="4h", to=[])
    held = [admin.post_group(subject='Scan "from" 192.0.2.7', source=["ids"]) for _ in range(2)]
    shown = text_of(person.get(RULES).text)
    assert "scan standing 3 h 59 min left" in shown
    assert "the analyst: known · 2 held back" in shown
    one = f"/rules/silences/{to.rpartition('-')[2]}"
    page = person.get(one).text
    assert re.findall(r'<td class="num"><a href="/alerts/(\d+)">', page) == [str(held[1]), str(held[0])]
    assert re.findall(r'<td class="num"><a href="/alerts/(\d+)">', person.get(f"{one}?before={held[1]}").text) == [
        str(held[0])
    ]
    assert sent(person, one, do="end") == one
    page = text_of(person.get(one).text)
    assert "Over. the analyst: known." in page
    assert "(ended by hand)" in page
    assert "scan ended" in text_of(person.get(RULES).text)


def test_a_rule_is_tried_before_it_is_saved_and_what_was_typed_stays(admin: Caller, engine: str) -> None:
    person = signed_in(admin, "admin")
    groups = [admin.post_group(tag=["vpn"], subject=f"vpn {n}") for n in range(4)]
    admin.put(f"/api/v2/alertgroup/{groups[0]}", json={"status": "closed"})

    for path in ("/rules/routes", "/rules/silences"):
        page = sent(person, path, 200, do="try", name="", query="tag:vpn", days="30", recurrence="")
        told = "Over the last 30 days it would have meant 4 alertgroups: 3 open, 1 closed and 0 promoted today."
        assert told in text_of(page)
        assert 'href="/alerts?q=%28tag%3Avpn%29+and+received%3E%3Dnow-30d"' in page
        assert re.findall(r"<bdi>(vpn \d)</bdi>", page) == ["vpn 3", "vpn 2", "vpn 1"]
        assert 'name="query" value="tag:vpn"' in page
    assert "promoted today" not in sent(person, "/rules/routes", 422, do="try", query="tag:", name="")
    assert routes(person) == []


def test_folding_is_tried_on_the_page(admin: Caller, engine: str) -> None:
    person = signed_in(admin)
    for n in range(3):
        admin.post_group(subject="same", source=["splunk"], data=[{"run": n}])

    fields = {"do": "try", "label": "splunk", "window_h": "24", "by": ["subject", "rows"]}
    page = text_of(sent(person, "/rules/repeats", 200, **fields, without="run"))
    assert "Of 3 alertgroups of the last 7 days, 2 would have been folded into 1. 0 of them are folded today." in page
    assert "0 would have been folded" in text_of(sent(person, "/rules/repeats", 200, **fields))
    wrong = sent(person, "/rules/repeats", 400, **{**fields, "window_h": "soon"})
    assert "window_h: " in wrong
    assert 'name="window_h" value="soon"' in wrong


def test_the_page_of_an_alertgroup_says_why_and_sends_what_was_silenced(admin: Caller, engine: str) -> None:
    person = signed_in(admin)
    plain = admin.post_group()
    assert "every destination is owed it." in text_of(person.get(f"/alerts/{plain}").text)
    route = {"name": "<all>", "query": "", "to": ["idea_log", "text_log"], "every": "1h"}
    assert admin.post("/api/v2/route", json=route).status_code == 200
    sent(person, "/rules/silences", do="save", name="quiet", query="tag:q", reason="known", to=["text_log"])
    group = admin.post_group(tag=["q"])

    page = text_of(person.get(f"/alerts/{group}").text)
    assert "route <all>: to idea_log, text_log every 1h silence quiet: held back from text_log: known" in page
    assert "Owed to idea_log (due), text_log (silenced)." in page
    assert re.search("text_log: held back by a silence, not sent ?Send now", page)
    held = admin.json(f"/api/v2/alertgroup/{group}/delivery")["records"]
    one = next(each["id"] for each in held if each["state"] == "silenced")
    to = sent(person, f"/deliveries/{one}", do="retry", alertgroup=str(group))
    assert "Owed to idea_log (due), text_log (due)." in text_of(person.get(to).text)


def test_a_configured_route_stands_first_and_names_where_it_is_changed(hub: Hub, admin: Caller, engine: str) -> None:
    admin.post("/api/v2/route", json={"name": "by hand", "query": "", "to": []})
    person = signed_in(admin, "admin")
    tables = {"splunk": {"window_h": 12, "without": ["run_id"]}}
    told = {"name": "by file", "query": "tag:file", "to": ["idea_log", "gone"], "every": "1h"}
    hub.config = Config.model_validate({"routes": [told], "repeats": tables})

    page = person.get(RULES).text
    shown = text_of(page)
    assert "by file tocsin.toml tag:file to idea_log, gone (not configured) every 1h by hand" in shown
    assert "What stands in tocsin.toml is changed there, and is asked first." in shown
    assert "splunk within 12 h, by source, subject, columns, rows, without run_id" in shown
    assert page.count('<form class="acts"') == 1
    refused = sent(person, "/rules/routes", 409, do="save", name="by file", query="")
    assert "there is a route named 'by file' in the configuration already" in refused


def test_a_viewer_sees_the_rules_and_no_form_and_an_analyst_none_of_routes(admin: Caller, engine: str) -> None:
    admin.post("/api/v2/route", json={"name": "r", "query": "tag:a", "to": ["idea_log"]})
    silence = admin.post("/api/v2/silence", json={"name": "s", "query": "tag:b"}).json()["id"]
    route = admin.json("/api/v2/route")["records"][0]["id"]
    viewer, analyst = signed_in(admin, "viewer"), signed_in(admin, "analyst")

    for path in (RULES, f"/rules/routes/{route}", f"/rules/silences/{silence}"):
        page = viewer.get(path).text
        assert 'action="/rules' not in page
        assert 'action="/rules/routes' not in analyst.get(path).text
    assert f'action="/rules/silences/{silence}"' in analyst.get(RULES).text
    refused = viewer.post("/rules/silences", data={"csrf_token": csrf(viewer.get(RULES)), "do": "save", "name": "x"})
    assert refused.status_code == 403
    assert analyst.post(f"/rules/silences/{silence}", data={"do": "end"}).status_code == 403
    assert viewer.get("/rules/silences/999").status_code == 404
