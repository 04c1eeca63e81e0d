"""Saved views over the API and on their page: kept, refused, shared, changed, deleted and brought back, counted."""

import re
from html import unescape

import pytest

from tocsin.store import view
from tocsin.web.pages.asked import COLUMNS
from tocsin.web.pages.views import SORTS, address
from web.conftest import Caller, with_role
from web.person import csrf, signed_in

VIEW = "/api/v2/view"


def made(caller: Caller, **fields: object) -> int:
    answer = caller.post(VIEW, json={"name": "Mine", "query": "status:open"} | fields)
    assert answer.status_code == 200, answer.text
    id: int = answer.json()["id"]
    return id


def names(caller: Caller) -> list[str]:
    return [one["name"] for one in caller.json(VIEW)["records"]]


def saved(person: Caller, token: str, **fields: str) -> str:
    """Post the form; where it leads."""
    answer = person.post("/views", data={"csrf_token": token, **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_a_view_is_kept_listed_changed_and_deleted_over_the_api(viewer: Caller) -> None:
    id = made(viewer, name="Last hour", query="received>now-1h", sort="-views")

    whole = viewer.json(f"/scot{VIEW}/{id}")
    assert (whole["name"], whole["query"], whole["sort"], whole["shared"]) == (
        "Last hour", "received>now-1h", "-views", False,
    )  # fmt: skip
    assert whole["owner"] == "test viewer"
    changed = viewer.put(f"{VIEW}/{id}", json={"shared": True}).json()
    assert {**whole, "shared": True, "changed": changed["changed"]} == changed
    assert viewer.json(VIEW)["records"] == [changed]
    assert viewer.delete(f"{VIEW}/{id}").json() == changed
    assert names(viewer) == []
    assert viewer.get(f"{VIEW}/{id}").status_code == 404


def test_what_cannot_be_kept_is_told_with_its_place_and_the_remedy(viewer: Caller) -> None:
    id = made(viewer, name="There")

    wrong = {"query": "status:open and sorce:splunk"}
    for answer in (viewer.post(VIEW, json={"name": "x", **wrong}), viewer.put(f"{VIEW}/{id}", json=wrong)):
        assert answer.status_code == 422
        assert "(character 17): did you mean source?" in answer.json()["error_msg"]
    assert viewer.post(VIEW, json={"name": "There"}).status_code == 409
    assert viewer.post(VIEW, json={"name": "x", "sort": "colour"}).status_code == 400
    assert viewer.post(VIEW, json={"name": "x", "owner": "me"}).status_code == 400
    assert names(viewer) == ["There"]


def test_others_see_what_is_shared_and_only_owner_and_admin_change_it(admin: Caller, viewer: Caller) -> None:
    analyst = with_role(admin, "analyst")
    made(viewer, name="Private")
    id = made(viewer, name="Shared", shared=True)

    assert names(analyst) == ["Shared"]
    assert names(viewer) == ["Private", "Shared"]
    refused = analyst.put(f"{VIEW}/{id}", json={"name": "Taken over"})
    assert (refused.status_code, "test viewer" in refused.json()["error_msg"]) == (403, True)
    assert analyst.delete(f"{VIEW}/{id}").status_code == 403
    assert admin.put(f"{VIEW}/{id}", json={"name": "Ours"}).json()["owner"] == "test viewer"
    assert names(viewer) == ["Ours", "Private"]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_query_is_saved_from_a_form_that_leads_back_to_where_one_was(admin: Caller, engine: str) -> None:
    person = signed_in(admin, "viewer")
    page = person.get("/views")
    token = csrf(page)
    here = "/alerts/7?q=tag%3Avpn&sort=-views"

    assert saved(person, token, name="VPN", query="tag:vpn", sort="-views", next=here) == here
    assert saved(person, token, name="Away", query="tag:x", next="https://evil.example/") == "/alerts"
    assert saved(person, token, name="Newest", query="", sort="-received") == "/alerts"
    shown = person.get("/views").text
    assert re.findall(r'<a class="name" href="([^"]*)">', shown) == ["/alerts?q=tag%3Ax", "/alerts",
        "/alerts?q=tag%3Avpn&amp;sort=-views"]  # fmt: skip
    assert person.post("/views", data={"name": "no token", "query": ""}).status_code == 403


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_form_that_cannot_be_kept_comes_back_with_what_was_typed_and_why(admin: Caller, engine: str) -> None:
    person = signed_in(admin, "viewer")
    token = csrf(person.get("/views"))
    saved(person, token, name="There", query="")

    wrong = person.post("/views", data={"csrf_token": token, "name": "New", "query": 'tag:"<b>', "shared": "yes"})
    assert wrong.status_code == 422
    assert "close it with" in unescape(wrong.text)
    assert 'value="tag:&#34;&lt;b&gt;"' in wrong.text
    assert wrong.text.count(" checked") == 1
    taken = person.post("/views", data={"csrf_token": token, "name": "There", "query": "tag:a"})
    assert (taken.status_code, "There is a view" in taken.text) == (409, True)
    id = person.json(VIEW)["records"][0]["id"]
    change = {"csrf_token": token, "do": "change", "name": "There", "query": "sorce:x"}
    assert "did you mean source?" in person.post(f"/views/{id}", data=change).text
    assert person.json(f"{VIEW}/{id}")["query"] == ""


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_view_is_renamed_shared_deleted_and_brought_back_with_forms(admin: Caller, engine: str) -> None:
    person, other = signed_in(admin, "viewer"), signed_in(admin, "analyst")
    token = csrf(person.get("/views"))
    saved(person, token, name="Old", query="tag:a")
    id = person.json(VIEW)["records"][0]["id"]
    fields = {"csrf_token": token, "do": "change", "name": "New", "query": "tag:b", "sort": "views", "shared": "yes"}

    changed = person.post(f"/views/{id}", data=fields)
    assert (changed.status_code, changed.headers["location"]) == (303, f"/views#view-{id}")
    assert other.json(f"{VIEW}/{id}") | {"created": 0, "changed": 0} == {"id": id, "name": "New", "query": "tag:b",
        "sort": "views", "owner": "the viewer", "shared": True, "created": 0, "changed": 0}  # fmt: skip
    page = other.get("/views")
    assert "the viewer" in page.text
    assert f'action="/views/{id}"' not in page.text
    assert other.post(f"/views/{id}", data={"csrf_token": csrf(page), "do": "delete"}).status_code == 403

    gone = person.post(f"/views/{id}", data={"csrf_token": token, "do": "delete"})
    assert gone.headers["location"] == f"/views?deleted={id}"
    assert "Undo" in person.get(gone.headers["location"]).text
    assert "Undo" not in other.get(gone.headers["location"]).text
    assert names(person) == []
    person.post(f"/views/{id}", data={"csrf_token": token, "do": "restore"})
    assert names(person) == ["New"]
    assert person.post(f"/views/{id}", data={"csrf_token": token, "do": "explode"}).status_code == 404


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_strangers_name_and_query_are_text_and_nothing_else(admin: Caller, viewer: Caller, engine: str) -> None:
    made(viewer, name="<b>\u202eevil", query='"<script>"', shared=True)

    page = admin.get("/views").text
    assert "<script>&#34;" not in page
    assert "<b>\u202e" not in page
    assert 'data-c="202E"' in page


def test_counts_are_told_for_the_views_one_may_see(admin: Caller, viewer: Caller) -> None:
    for n in range(3):
        admin.post_group(subject=f"group {n}")
    every, one = made(viewer, name="Every", query=""), made(viewer, name="One", query="id:2")
    private = made(admin, name="Private", query="")

    told = viewer.json(f"/views/counts?ids={every},{one},{private},9999")
    assert told == {
        "counts": {str(every): {"text": "3", "words": ""}, str(one): {"text": "1", "words": ""}},
        "again": False,
    }
    assert viewer.json("/views/counts") == {"counts": {}, "again": False}
    assert f'data-count="{every}">3</b>' in viewer.get("/views").text


@pytest.mark.parametrize("engine", ["sqlite"])
def test_beside_the_box_the_view_that_is_looked_at_stands_out_and_the_rest_is_one_click_away(
    admin: Caller, viewer: Caller, engine: str
) -> None:
    for n in range(7):
        made(viewer, name=f"view {n}", query=f"tag:a{n}")
    page = viewer.get("/alerts?q=tag:a6&done=Said&undo=&mark=x").text

    assert re.findall(r'aria-current="true"><span class="name"><bdi>(.*?)</bdi>', page) == ["view 6"]
    pills, others = page.split('<details class="menu">')[:2]
    assert re.findall(r"<bdi>(view \d)</bdi>", pills) == ["view 0", "view 1", "view 2", "view 6"]
    assert re.findall(r"<bdi>(view \d)</bdi>", others) == ["view 3", "view 4", "view 5"]
    assert 'name="next" value="/alerts?q=tag%3Aa6"' in page


def test_the_orders_of_views_are_those_of_the_list_each_with_its_words() -> None:
    assert set(view.ORDERS) == set(COLUMNS)
    both = {f"{sign}{name}" for name in view.ORDERS for sign in ("", "-")}
    assert {name or "-received" for name in SORTS} == both
    assert address("", "-received") == "/alerts"
    assert address("a b", "id") == "/alerts?q=a+b&sort=id"
