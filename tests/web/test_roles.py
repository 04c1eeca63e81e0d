"""Every route with every role: who may and who may not, from the one table."""

import re

import pytest

from tocsin.web.auth import MAY
from tocsin.web.routes import API, PAGES, SCOT
from web.conftest import CONTROL, Caller, with_role

ROLES = ("partner", "sender", "viewer", "analyst", "admin")
NOTHING_OF_ITS_OWN = "99"
EXPECTED = {
    "none": {*ROLES, "nobody"},
    "sender": {"sender", "admin"},
    "viewer": {"viewer", "analyst", "admin"},
    "analyst": {"analyst", "admin"},
    "admin": {"admin"},
}
"""Said again here, so that a slip in the code's own table is seen."""


def test_the_roles_contain_each_other_as_promised() -> None:
    assert {need: set(roles) for need, roles in MAY.items()} == {
        need: roles for need, roles in EXPECTED.items() if need != "none"
    }


@pytest.mark.parametrize("engine", ["sqlite"])
def test_every_route_lets_in_whom_its_row_says_and_nobody_else(admin: Caller, engine: str) -> None:
    callers = {role: with_role(admin, role) for role in ROLES} | {"nobody": admin.anonymous()}
    wrong = []
    for row in [*API, *PAGES]:
        path = re.sub(r"\{\w+(:path)?\}", NOTHING_OF_ITS_OWN, row.path)
        for prefix in ("", SCOT) if row in API else ("",):
            for method in row.methods:
                if path.endswith("/live"):
                    continue  # its stream does not end; test_live asks who may listen
                for role, caller in callers.items():
                    answer = caller.request(method, prefix + path)
                    shown_out = "/sign-in?" in answer.headers.get("location", "")
                    allowed = answer.status_code not in (401, 403) and not shown_out
                    if path.endswith("/whoami") or (path == "/sign-in" and method == "POST"):
                        allowed = True  # they say themselves that nobody is signed in
                    if allowed != (role in EXPECTED[row.role]):
                        wrong.append(f"{method} {prefix}{path} as {role}: {answer.status_code}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_route_that_is_not_in_the_table_is_a_404_in_json_and_another_method_a_405(admin: Caller, engine: str) -> None:
    for path in ("/api", "/api/v2", "/api/v2/nothing", "/scot/api/v2/nothing", "/scot", "/api/v3/alertgroup"):
        answer = admin.get(path)
        assert (answer.status_code, set(answer.json())) == (404, {"error_msg"})
    for row in API:
        path = re.sub(r"\{\w+(:path)?\}", NOTHING_OF_ITS_OWN, row.path)
        answer = admin.request("PATCH", path)
        assert answer.status_code == 405
        assert row.methods[0] in answer.headers["allow"]
        assert answer.json()["error_msg"]
        assert admin.request("OPTIONS", path).status_code == 204


@pytest.mark.parametrize("engine", ["sqlite"])
def test_every_route_of_scot_stands_under_both_prefixes(nobody: Caller, engine: str) -> None:
    for path in ("/api/v2/alertgroup", "/scot/api/v2/alertgroup"):
        answer = nobody.post(path, content="{}")
        assert answer.status_code == 401
        assert answer.json()["error"] == "Authentication Required"
    assert CONTROL not in nobody.get("/api/v2/key").text
