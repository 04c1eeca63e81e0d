"""Who comes in: keys, passwords, sessions, the command line's token; and who does not."""

import base64
from typing import Any

import pytest

from tocsin.app import Hub
from tocsin.store import access
from tocsin.web.auth import COOKIE, digest_of
from tocsin.web.notes import now_micros
from tocsin.web.state import Web
from web.conftest import CONTROL, Caller

WHO = "/api/v2/whoami"
LIST = "/api/v2/alertgroup"
PASSWORD = "correct horse battery"


def make_key(admin: Caller, **fields: Any) -> str:
    made = admin.post("/api/v2/key", json={"name": "k", "role": "viewer"} | fields)
    assert made.status_code == 200, made.text
    key: str = made.json()["key"]
    return key


def make_user(admin: Caller, name: str = "kim", role: str = "analyst") -> None:
    made = admin.post("/api/v2/user", json={"name": name, "role": role, "password": PASSWORD})
    assert made.status_code == 200, made.text


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def web_of(caller: Caller) -> Web:
    web: Web = caller.application.state.web
    return web


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("scheme", ["apikey", "APIKEY", "ApiKey", "Bearer", "bearer"])
def test_a_key_comes_in_under_either_scheme(admin: Caller, scheme: str) -> None:
    caller = admin.anonymous(authorization=f"{scheme} {make_key(admin)}")

    assert caller.json(WHO) == {
        "user": "k",
        "data": {"role": "viewer", "kind": "key", "is_admin": 0, "sensitivity": ""},
    }


def test_a_stranger_gets_scots_own_words(nobody: Caller) -> None:
    answer = nobody.get(LIST)

    assert answer.status_code == 401
    assert answer.json()["error"] == "Authentication Required"
    assert len(answer.json()["csrf"]) == 40
    assert "www-authenticate" in answer.headers


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    "header",
    [
        "", "apikey", "apikey ", "apikey nonsense", "Basic", "Basic !!!", "Basic a2lt", "Basic //8=", "Digest x",
        "apikey tocsin_" + "A" * 43, "apikey tocsin_" + "A" * 100_000, "apikey \xff\xfe", "Bearer " + CONTROL[:-1],
        "Negotiate " + CONTROL,
    ],
)  # fmt: skip
def test_a_header_that_says_nothing_known_is_a_401(nobody: Caller, header: str) -> None:
    caller = nobody.anonymous()
    answer = caller.get(LIST, headers=[(b"authorization", header.encode("latin-1"))])

    assert answer.status_code == 401


def test_a_name_in_a_header_is_never_believed(nobody: Caller) -> None:
    for header in ("Remote-User", "X-Remote-User", "X-Forwarded-User"):
        assert nobody.get(LIST, headers={header: "admin"}).status_code == 401


def test_a_revoked_key_is_refused_at_once(admin: Caller) -> None:
    caller = admin.anonymous(authorization=f"apikey {make_key(admin)}")
    assert caller.get(LIST).status_code == 200

    assert admin.delete("/api/v2/key/k").status_code == 200
    assert caller.get(LIST).status_code == 401


def test_an_expired_key_is_refused_also_while_it_is_remembered(admin: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = admin.anonymous(authorization=f"apikey {make_key(admin, expires_days=1)}")
    assert caller.get(LIST).status_code == 200

    tomorrow = now_micros() + 2 * 86_400_000_000
    monkeypatch.setattr("tocsin.web.auth.now_micros", lambda: tomorrow)
    assert caller.get(LIST).status_code == 401
    web_of(admin).access.forget()
    assert caller.get(LIST).status_code == 401


def test_only_the_digest_of_a_key_is_kept(admin: Caller, hub: Hub) -> None:
    key = make_key(admin)

    assert hub.store.read(lambda tx: access.key_by_digest(tx, digest_of(key.encode()))) is not None
    assert key.startswith("tocsin_")
    assert key not in admin.get("/api/v2/key").text


def test_when_a_key_was_last_used_is_noted(admin: Caller) -> None:
    key = make_key(admin)
    assert admin.json("/api/v2/key")["records"][0]["last_used"] is None

    admin.anonymous(authorization=f"apikey {key}").get(LIST)
    assert admin.json("/api/v2/key")["records"][0]["last_used"] > 1_600_000_000


def test_a_person_comes_in_with_name_and_password(admin: Caller) -> None:
    make_user(admin)
    caller = admin.anonymous(authorization=basic("kim", PASSWORD))

    assert caller.json(WHO)["user"] == "kim"
    assert caller.get("/api/v2/key").status_code == 403
    assert admin.anonymous(authorization=basic("kim", "wrong")).get(LIST).status_code == 401
    assert admin.anonymous(authorization=basic("nobody", PASSWORD)).get(LIST).status_code == 401


def test_a_new_password_ends_the_old_one_at_once(admin: Caller) -> None:
    make_user(admin)
    caller = admin.anonymous(authorization=basic("kim", PASSWORD))
    assert caller.get(LIST).status_code == 200

    assert admin.put("/api/v2/user/kim", json={"password": "another long one"}).status_code == 200
    assert caller.get(LIST).status_code == 401
    assert admin.anonymous(authorization=basic("kim", "another long one")).get(LIST).status_code == 200


@pytest.mark.parametrize("engine", ["sqlite"])
def test_guessing_a_password_has_to_wait(admin: Caller) -> None:
    make_user(admin)
    statuses = [admin.anonymous(authorization=basic("kim", f"guess {n}")).get(LIST).status_code for n in range(8)]

    assert statuses[0] == 401
    assert statuses[-1] == 429
    waiting = admin.anonymous(authorization=basic("kim", PASSWORD)).get(LIST)
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) > 0
    assert admin.get(LIST).status_code == 200


class Browser:
    """Signs in as the pages do, and keeps the cookie."""

    def __init__(self, admin: Caller, name: str = "kim") -> None:
        signed_in = admin.anonymous().post("/sign-in", data={"name": name, "password": PASSWORD})
        assert signed_in.status_code == 303, signed_in.text
        self.cookie = signed_in.headers["set-cookie"]
        self.token = signed_in.cookies[COOKIE]
        self.caller = admin.anonymous(cookie=f"{COOKIE}={self.token}")
        self.hub: Hub = admin.application.state.hub
        found = self.hub.store.read(lambda tx: access.session(tx, digest_of(self.token.encode())))
        assert found is not None
        self.csrf = found.csrf


def test_a_session_comes_in_by_its_cookie_that_no_script_may_read(admin: Caller) -> None:
    make_user(admin)
    browser = Browser(admin)

    assert browser.caller.json(WHO)["data"]["kind"] == "session"
    assert "HttpOnly" in browser.cookie
    assert "samesite=lax" in browser.cookie.lower()
    assert browser.token not in str(browser.hub.store.read(lambda tx: tx.rows("SELECT * FROM session")))


def test_whatever_a_cookie_changes_needs_its_token(admin: Caller, sender: Caller) -> None:
    make_user(admin)
    id, browser = sender.post_group(), Browser(admin)
    change = {"json": {"status": "closed"}}

    def put(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return browser.caller.put(f"{LIST}/{id}", **change, headers=named).status_code

    assert put() == 403
    assert put(x_csrf_token="wrong") == 403
    assert put(x_csrf_token=browser.csrf, origin="https://evil.example") == 403
    assert put(x_csrf_token=browser.csrf, origin="null") == 403
    assert put(x_csrf_token=browser.csrf, sec_fetch_site="cross-site") == 403
    assert put(x_csrf_token=browser.csrf, sec_fetch_site="same-site") == 403
    assert put(x_csrf_token=browser.csrf, sec_fetch_site="same-origin", origin="http://tocsin.test") == 200


def test_a_key_needs_no_csrf_token_and_overrides_a_cookie(admin: Caller, sender: Caller) -> None:
    make_user(admin)
    browser = Browser(admin)
    both = admin.anonymous(cookie=f"{COOKIE}={browser.token}", authorization="apikey wrong")

    assert both.get(LIST).status_code == 401


def test_another_site_cannot_sign_anybody_in(admin: Caller) -> None:
    make_user(admin)
    answer = admin.anonymous(origin="https://evil.example").post("/sign-in", data={"name": "kim", "password": PASSWORD})

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_signing_out_ends_the_session_itself(admin: Caller) -> None:
    make_user(admin)
    browser = Browser(admin)
    assert browser.caller.get(LIST).status_code == 200

    out = browser.caller.post("/sign-out", data={"csrf_token": browser.csrf})
    assert out.status_code == 303
    assert browser.caller.get(LIST).status_code == 401


def test_a_session_ends_when_its_time_is_over_or_its_person_is_shut_out(
    admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(admin, "root", "admin")
    make_user(admin)
    browser = Browser(admin)

    with monkeypatch.context() as later:
        later.setattr("tocsin.web.auth.now_micros", lambda: now_micros() + 13 * 3_600_000_000)
        assert browser.caller.get(LIST).status_code == 401
    assert browser.caller.get(LIST).status_code == 200
    assert admin.put("/api/v2/user/kim", json={"active": False}).status_code == 200
    assert browser.caller.get(LIST).status_code == 401


def test_a_role_that_is_taken_away_is_gone_at_once(admin: Caller, sender: Caller) -> None:
    make_user(admin)
    id, caller = sender.post_group(), admin.anonymous(authorization=basic("kim", PASSWORD))
    assert caller.put(f"{LIST}/{id}", json={"status": "closed"}).status_code == 200

    admin.put("/api/v2/user/kim", json={"role": "viewer"})
    assert caller.put(f"{LIST}/{id}", json={"status": "open"}).status_code == 403


def test_refused_posts_and_uses_of_keys_do_not_commit_one_by_one(
    admin: Caller, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = admin.anonymous(authorization=f"apikey {make_key(admin)}")
    committed: list[object] = []
    web_of(admin).notes.every_s = 3600
    monkeypatch.setattr(hub.store, "submit", committed.append)
    for _ in range(50):
        assert caller.get(LIST).status_code == 200

    assert committed == []
