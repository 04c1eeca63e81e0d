"""Recalls on the pages: what would be done where, doing it, and what list and way say of it afterwards."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tocsin.app import Hub, build
from tocsin.config import Config
from tocsin.store import Tx
from web.conftest import Caller
from web.person import csrf, signed_in


@pytest.fixture
def hub(engine: str, data: Path) -> Any:
    """A hub whose `files` understands no recall; nothing is sent until a test says so."""
    destinations = {
        "partner": {"type": "dummy"},
        "files": {"type": "text_log", "path": "files.log"},
        **{name: {"type": name, "enabled": False} for name in ("idea_log", "text_log")},
    }
    hub = build(Config.model_validate({"store": {"url": engine}, "destinations": destinations}), data)
    yield hub
    hub.stop()


def settled(hub: Hub, state: str, *lanes: str, kind: str = "alert") -> None:
    """As if the lanes had got so far with all deliveries of a kind."""

    def work(tx: Tx, lane: str) -> None:
        change = "UPDATE delivery SET state = :state, attempt = 1, settled = 1795000000000000"
        tx.run(f"{change} WHERE lane = :lane AND kind = :kind", state=state, lane=lane, kind=kind)

    for lane in lanes:
        hub.store.write(partial(work, lane=lane))


def seen(answer: httpx2.Response) -> str:
    """The page's words, without tags."""
    assert answer.status_code in (200, 422), answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r"</?bdi>", "", answer.text)))


@pytest.fixture
def person(admin: Caller) -> Caller:
    return signed_in(admin)


def post(person: Caller, group: int, **fields: object) -> httpx2.Response:
    token = csrf(person.get(f"/alerts/{group}/recall"))
    return person.post(f"/alerts/{group}/recall", data={"csrf_token": token, "offered": ["partner", "files"], **fields})


def owed(admin: Caller, group: int) -> set[tuple[str, str, str]]:
    records = admin.json(f"/api/v2/alertgroup/{group}/delivery")["records"]
    return {(each["lane"], each["kind"], each["state"]) for each in records}


def test_the_page_says_what_would_be_done_at_each_destination(hub: Hub, admin: Caller, person: Caller) -> None:
    group = admin.post_group()
    settled(hub, "delivered", "files")
    page = person.get(f"/alerts/{group}/recall")

    assert f'href="/alerts/{group}/recall"' in person.get(f"/alerts/{group}").text
    assert "has it, and understands no recall: tell them yourself" in seen(page)
    assert "partner no never got it, and will not" in seen(page)
    assert page.text.count(" checked") == 2
    assert owed(admin, group) == {("partner", "alert", "due"), ("files", "alert", "delivered")}


def test_a_recall_is_owed_and_the_page_says_who_is_told(hub: Hub, admin: Caller, person: Caller) -> None:
    group = admin.post_group()
    settled(hub, "delivered", "files", "partner")
    answer = post(person, group, reason="a <b>test</b> of ours", to=["partner", "files"])

    assert answer.status_code == 303
    page = person.get(answer.headers["location"])
    assert "Recalled: 1 will be told; tell files yourself." in seen(page)
    assert "Recalled by the analyst a &lt;b&gt;test&lt;/b&gt; of ours" in seen(page)
    assert "partner, recall: waiting to be sent" in seen(page)
    assert owed(admin, group) >= {("partner", "recall", "due")}
    settled(hub, "delivered", "partner", kind="recall")
    assert "partner, recall: delivered at the first attempt" in seen(person.get(f"/alerts/{group}"))
    assert "was told before" in seen(person.get(f"/alerts/{group}/recall"))
    assert "Recalled" in seen(person.get(f"/alerts/{group}/recall"))


def test_only_those_that_are_ticked_are_told(hub: Hub, admin: Caller, person: Caller) -> None:
    group = admin.post_group()
    settled(hub, "delivered", "partner")
    post(person, group, reason="named the wrong host", to=["partner"])

    assert owed(admin, group) == {
        ("partner", "alert", "delivered"),
        ("partner", "recall", "due"),
        ("files", "alert", "due"),
    }
    assert "Recalled from partner by the analyst" in seen(person.get(f"/alerts/{group}"))


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"to": ["partner"]}, "Say why: those who have it are told."),
        ({"to": ["partner"], "reason": " \n"}, "Say why: those who have it are told."),
        ({"reason": "x"}, "Choose at least one destination."),
        ({"reason": "x", "to": ["elsewhere"]}, "Choose at least one destination."),
        ({"to": ["partner"], "reason": "y" * 1001}, "at most 1,000 are sent"),
    ],
)
def test_a_form_that_cannot_be_followed_comes_back_as_it_was(
    hub: Hub, admin: Caller, person: Caller, fields: dict[str, object], problem: str
) -> None:
    group = admin.post_group()
    settled(hub, "delivered", "files", "partner")
    answer = post(person, group, **fields)

    assert answer.status_code == 422
    assert problem in seen(answer)
    assert str(fields.get("reason", "")).strip() in answer.text
    assert ("recall", "due") not in {each[1:] for each in owed(admin, group)}


@pytest.mark.parametrize("engine", ["sqlite"])
def test_what_was_owed_to_nobody_has_nothing_to_take_back(hub: Hub, admin: Caller, person: Caller) -> None:
    group = admin.post_group()
    hub.store.write(lambda tx: tx.run("DELETE FROM delivery"))

    assert "there is nothing to take back" in seen(person.get(f"/alerts/{group}/recall"))
    assert f'href="/alerts/{group}/recall"' not in person.get(f"/alerts/{group}").text


@pytest.mark.parametrize("engine", ["sqlite"])
def test_one_who_may_only_look_sees_no_recall(admin: Caller) -> None:
    group = admin.post_group()
    viewer = signed_in(admin, "viewer")

    assert f'href="/alerts/{group}/recall"' not in viewer.get(f"/alerts/{group}").text
    assert viewer.get(f"/alerts/{group}/recall").status_code == 403


def test_the_list_says_who_has_it_and_who_was_told(hub: Hub, admin: Caller, person: Caller) -> None:
    group = admin.post_group()
    settled(hub, "delivered", "files", "partner")
    post(person, group, reason="x", to=["partner", "files"])
    assert "recall: waiting" in person.get("/alerts").text

    settled(hub, "delivered", "partner", kind="recall")
    page = person.get("/alerts").text
    assert 'title="delivered: files"' in page
    assert "recalled, and told so" in page


def test_what_was_skipped_is_told_with_its_reason(hub: Hub, admin: Caller, person: Caller) -> None:
    group = admin.post_group()
    settled(hub, "skipped", "partner")

    assert "partner: nothing was sent" in seen(person.get(f"/alerts/{group}"))
    assert "nothing was sent" in person.get("/alerts").text
