"""Who may do what with a collection: every way in, every role, every kind of naming."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tocsin.app import Hub, build, load_config
from tocsin.config import Config, read
from tocsin.errors import ConfigError
from web.conftest import Caller
from web.person import signed_in
from web.shelf import AT, MEDIA, item, object_id, put

ROOT = "/taxii2/default/"
PASSWORD = "correct horse battery"
ENVELOPE: dict[str, Any] = {
    "objects": [{"type": "url", "spec_version": "2.1", "id": object_id("url", "x"), "value": "http://x.example/"}]
}
COLLECTIONS = {
    "viewers": {},
    "everybody": {"readers": ["*"]},
    "named": {"readers": ["partner-a", "ada"]},
    "inbox": {"readers": [], "accept_writes": True, "writers": ["partner-a"]},
    "both": {"readers": ["role:analyst"], "accept_writes": True, "writers": ["role:sender", "partner-b"]},
    "partners": {"readers": ["role:partner"]},
    "nobody": {"readers": []},
}


@pytest.fixture
def hub(engine: str, data: Path) -> Iterator[Hub]:
    hub = build(Config.model_validate({"store": {"url": engine}, "collections": COLLECTIONS}), data)
    yield hub
    hub.stop()


@pytest.fixture
def callers(hub: Hub, admin: Caller) -> dict[str, Caller]:
    """By name: two partners, one key of each other role, an account."""
    for name in COLLECTIONS:
        put(hub, name, [item("url", "there", None)])
    found = {"admin": admin}
    for name, role in (
        ("partner-a", "partner"),
        ("partner-b", "partner"),
        ("sender", "sender"),
        ("viewer", "viewer"),
        ("analyst", "analyst"),
    ):
        key = admin.post("/api/v2/key", json={"name": name, "role": role}).json()["key"]
        found[name] = admin.anonymous(authorization=f"Bearer {key}")
    made = admin.post("/api/v2/user", json={"name": "ada", "role": "viewer", "password": PASSWORD})
    assert made.status_code == 200, made.text
    basic = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()
    found["ada"] = admin.anonymous(authorization=f"Basic {basic}")
    return found


RIGHTS = {
    "admin": {
        "viewers": "r", "everybody": "r", "named": "r", "inbox": "rw", "both": "rw", "partners": "r", "nobody": "r"
    },
    "partner-a": {"everybody": "r", "named": "r", "inbox": "w", "partners": "r"},
    "partner-b": {"everybody": "r", "both": "w", "partners": "r"},
    "sender": {"everybody": "r", "both": "w"},
    "viewer": {"viewers": "r", "everybody": "r"},
    "analyst": {"viewers": "r", "everybody": "r", "both": "r"},
    "ada": {"viewers": "r", "everybody": "r", "named": "r"},
}  # fmt: skip


@pytest.mark.parametrize("who", RIGHTS)
def test_rights_are_what_the_collection_says(callers: dict[str, Caller], who: str) -> None:
    caller, rights = callers[who], RIGHTS[who]
    listed = caller.json(f"{ROOT}collections/").get("collections", [])
    told = {each["alias"]: "r" * each["can_read"] + "w" * each["can_write"] for each in listed}
    assert told == rights
    for name in COLLECTIONS:
        may, base = rights.get(name, ""), f"{ROOT}collections/{name}/"
        assert caller.get(base).status_code == (200 if may else 404)
        expected = 200 if "r" in may else 403 if may else 404
        url = object_id("url", "there")
        for path in ("objects/", "manifest/", f"objects/{url}/", f"objects/{url}/versions/"):
            assert caller.get(base + path).status_code == expected, (name, path)
        answer = caller.post(f"{base}objects/", json=ENVELOPE, headers={"content-type": MEDIA})
        assert answer.status_code == (202 if "w" in may else 403 if may else 404), name


@pytest.mark.parametrize(
    "path", ["/taxii2/", ROOT, f"{ROOT}collections/", f"{ROOT}collections/everybody/objects/", "/taxii2/nowhere/"]
)
def test_nobody_unknown_learns_anything(callers: dict[str, Caller], admin: Caller, path: str) -> None:
    for caller in (admin.anonymous(), admin.anonymous(authorization="Bearer tocsin_wrong")):
        answer = caller.get(path)
        assert (answer.status_code, answer.json()["http_status"]) == (401, "401")
        assert "Basic" in answer.headers["www-authenticate"]


def test_a_key_may_be_given_as_the_password(callers: dict[str, Caller], admin: Caller) -> None:
    key = callers["partner-a"].headers["authorization"].removeprefix("Bearer ")
    for name in ("partner-a", "anything", ""):
        basic = base64.b64encode(f"{name}:{key}".encode()).decode()
        caller = admin.anonymous(authorization=f"Basic {basic}")
        assert caller.get(f"{ROOT}collections/named/objects/").status_code == 200
        assert caller.get(f"{ROOT}collections/viewers/objects/").status_code == 404
    wrong = base64.b64encode(f"ada:{key}x".encode()).decode()
    assert admin.anonymous(authorization=f"Basic {wrong}").get("/taxii2/").status_code == 401


def test_a_partner_may_nothing_else(callers: dict[str, Caller]) -> None:
    for path in ("/api/v2/alertgroup", "/api/v2/alert", "/metrics", "/api/v2/lane"):
        assert callers["partner-a"].get(path).status_code == 403
    assert callers["partner-a"].post("/api/v2/alertgroup", json={"subject": "x", "data": [{}]}).status_code == 403


def test_a_session_of_the_pages_may_read_and_never_write(callers: dict[str, Caller], admin: Caller) -> None:
    person = signed_in(admin, "admin")
    assert person.get(f"{ROOT}collections/both/objects/").status_code == 200
    answer = person.post(f"{ROOT}collections/both/objects/", json=ENVELOPE, headers={"content-type": MEDIA})
    assert answer.status_code == 401


def test_a_status_is_for_who_handed_it_in(callers: dict[str, Caller]) -> None:
    posted = callers["partner-a"].post(
        f"{ROOT}collections/inbox/objects/", json=ENVELOPE, headers={"content-type": MEDIA}
    )
    path = f"{ROOT}status/{posted.json()['id']}/"
    assert callers["partner-a"].json(path) == posted.json()
    assert callers["admin"].get(path).status_code == 200
    for other in ("partner-b", "sender", "viewer", "ada"):
        assert callers[other].get(path).status_code == 404


@pytest.mark.parametrize(
    ("table", "place", "remedy"),
    [
        ({"readers": ["role:boss"]}, "collections.x.readers.0", "partner, sender, viewer"),
        ({"readers": [" "]}, "collections.x.readers.0", "name of a key"),
        ({"writers": ["a"]}, "collections.x", "accept_writes"),
        ({"query": "tag:("}, "collections.x.query", ""),
        ({"clearance": "unset"}, "collections.x.clearance", "clear, green"),
    ],
)
def test_what_is_wrong_with_a_collection_is_said_at_its_place(
    tmp_path: Path, table: dict[str, Any], place: str, remedy: str
) -> None:
    lines = "\n".join(f"{name} = {value!r}".replace("'", '"') for name, value in table.items())
    (tmp_path / "tocsin.toml").write_text(f"[collections.x]\n{lines}\n")
    _, problems = read(tmp_path)
    assert [(each.key, remedy in each.remedy) for each in problems] == [(place, True)]


def test_names_that_clash_or_are_not_there_are_said(tmp_path: Path) -> None:
    (tmp_path / "tocsin.toml").write_text(
        '[collections.x]\napi_root = "defualt"\nredact = "none"\nid = "00000000-0000-4000-8000-000000000001"\n'
        '[collections.y]\nid = "00000000-0000-4000-8000-000000000001"\n'
        '[destinations.taxii-y]\ntype = "idea_log"\n'
        '[[routes]]\nname = "r"\nto = ["taxii-x"]\n'
    )
    with pytest.raises(ConfigError) as wrong:
        load_config(tmp_path)
    said = {each.key: each.remedy for each in wrong.value.problems}
    assert set(said) == {
        "collections.x.api_root",
        "collections.x.redact",
        "collections.y",
        "collections.y.id",
        "routes.0.to",
    }
    assert "did you mean default?" in said["collections.x.api_root"]


def test_dates_of_objects_are_there_in_every_answer(callers: dict[str, Caller], hub: Hub) -> None:
    put(hub, "everybody", [item("url", "later", None)], now=AT + 7)
    answer = callers["viewer"].get(f"{ROOT}collections/everybody/manifest/?limit=1")
    assert answer.headers["x-taxii-date-added-first"] == answer.headers["x-taxii-date-added-last"]
