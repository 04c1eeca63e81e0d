"""Keys, people, plug-ins, backups and the doctor, as the command line asks for them."""

import io
import json
import zipfile
from typing import Any
from urllib.parse import quote

import pytest

from tocsin.app import Hub
from tocsin.errors import Unavailable
from web.conftest import Caller

PASSWORD = "correct horse battery"


def add_user(admin: Caller, name: str, role: str) -> int:
    return admin.post("/api/v2/user", json={"name": name, "role": role, "password": PASSWORD}).status_code


def test_keys_are_made_listed_and_revoked_by_id_or_name(admin: Caller) -> None:
    first = admin.post("/api/v2/key", json={"name": "a/b c", "role": "sender", "expires_days": 0.5}).json()
    second = admin.post("/api/v2/key", json={"name": "second", "role": "admin"}).json()

    assert admin.delete(f"/api/v2/key/{quote('a/b c', safe='')}").json()["id"] == first["id"]
    assert admin.delete(f"/api/v2/key/{second['id']}").json()["name"] == "second"
    listed = admin.json("/api/v2/key")
    assert listed["totalRecordCount"] == 2
    assert [(key["name"], key["role"], key["created_by"]) for key in listed["records"]] == [
        ("a/b c", "sender", "operator"),
        ("second", "admin", "operator"),
    ]
    assert all(key["revoked"] for key in listed["records"])
    assert listed["records"][0]["expires"] - listed["records"][0]["created"] == 43_200
    assert admin.delete("/api/v2/key/third").status_code == 404


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"name": "", "role": "sender"}, 400),
        ({"name": "1234", "role": "sender"}, 400),
        ({"name": "a\nb", "role": "sender"}, 400),
        ({"name": "a", "role": "god"}, 400),
        ({"name": "a"}, 400),
        ({"name": "a", "role": "sender", "expires_days": 0}, 400),
        ({"name": "a", "role": "sender", "key": "mine"}, 400),
        ({"name": "there", "role": "sender"}, 409),
        ([], 400),
    ],
)
def test_a_key_that_cannot_be_made_is_told_why(admin: Caller, wanted: Any, status: int) -> None:
    admin.post("/api/v2/key", json={"name": "there", "role": "sender"})
    answer = admin.post("/api/v2/key", json=wanted)

    assert answer.status_code == status
    assert answer.json()["error_msg"]


def test_people_are_let_in_changed_and_shut_out(admin: Caller) -> None:
    assert add_user(admin, "root", "admin") == add_user(admin, "ki/m", "viewer") == 200
    assert add_user(admin, "root", "admin") == 409

    assert admin.put("/api/v2/user/ki%2Fm", json={"role": "analyst", "active": False}).status_code == 200
    users = {user["name"]: user for user in admin.json("/api/v2/user")["records"]}
    assert (users["ki/m"]["role"], users["ki/m"]["active"], users["root"]["active"]) == ("analyst", False, True)
    assert admin.put("/api/v2/user/nobody", json={"active": False}).status_code == 404
    assert "argon2" not in admin.get("/api/v2/user").text


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "a", "role": "viewer", "password": "short"},
        {"name": "a", "role": "viewer", "password": "x" * 1025},
        {"name": "a", "role": "sender", "password": PASSWORD},
        {"name": "a:b", "role": "viewer", "password": PASSWORD},
        {"name": "", "role": "viewer", "password": PASSWORD},
        {"name": "operator", "role": "viewer", "password": PASSWORD},
        {"name": "a", "role": "viewer"},
    ],
)
def test_a_person_who_cannot_be_let_in_is_told_why(admin: Caller, wanted: dict[str, str]) -> None:
    answer = admin.post("/api/v2/user", json=wanted)

    assert answer.status_code == 400
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("change", [{"active": False}, {"role": "viewer"}])
def test_the_last_admin_cannot_be_taken_away(admin: Caller, change: dict[str, Any]) -> None:
    add_user(admin, "root", "admin")

    assert admin.put("/api/v2/user/root", json=change).status_code == 409
    assert admin.json("/api/v2/user")["records"][0] | {"created": 0} == {
        "name": "root", "role": "admin", "active": True, "created": 0, "last_login": None,
    }  # fmt: skip
    add_user(admin, "second", "admin")
    assert admin.put("/api/v2/user/root", json=change).status_code == 200


def test_plug_ins_say_where_they_come_from_and_never_what_they_are_set_to(admin: Caller) -> None:
    plugins = {(one["kind"], one["type"]): one for one in admin.json("/api/v2/plugin")["records"]}

    assert plugins["parser", "scot"]["origin"] == "tocsin"
    assert plugins["parser", "scot"]["used_as"] == ["scot"]
    assert plugins["destination", "idea_log"]["used_as"] == ["idea_log"]
    assert plugins["destination", "idea_log"]["options"]


def test_a_backup_streams_a_whole_archive(admin: Caller, sender: Caller) -> None:
    sender.post_group()
    answer = admin.post("/api/v2/backup")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
    assert {table["name"]: table["rows"] for table in manifest["tables"]}["alertgroup"] == 1


def test_the_doctor_looks_at_the_store_and_at_every_destination(
    admin: Caller, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, destination = next(iter(hub.wiring.destinations.items()))

    def gone(_self: object) -> str:
        raise Unavailable("nobody answers at 192.0.2.1: is it switched on?")

    monkeypatch.setattr(type(destination), "check", gone)
    checks = {check["name"]: check for check in admin.post("/api/v2/doctor").json()["checks"]}

    assert checks["store"]["ok"]
    assert checks[f"destination {name}"] == {
        "name": f"destination {name}", "ok": False, "detail": "nobody answers at 192.0.2.1: is it switched on?",
    }  # fmt: skip
    assert all(check["ok"] for check in checks.values() if check["name"] != f"destination {name}")


def test_who_is_asking(sender: Caller, nobody: Caller) -> None:
    assert sender.json("/scot/api/v2/whoami")["user"] == "test sender"
    assert nobody.get("/scot/api/v2/whoami").status_code == 401
