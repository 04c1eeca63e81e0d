"""A person who has signed in with a form, as a browser does."""

import re

import httpx2

from web.conftest import Caller

PASSWORD = "correct horse battery staple"


def signed_in(admin: Caller, role: str = "analyst") -> Caller:
    """A caller with the session of a new account, `the analyst` or `the viewer`."""
    made = admin.post("/api/v2/user", json={"name": f"the {role}", "password": PASSWORD, "role": role})
    assert made.status_code == 200, made.text
    answer = admin.anonymous().post("/sign-in", data={"name": f"the {role}", "password": PASSWORD, "next": "/flow"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/flow"), answer.text
    return admin.anonymous(cookie=answer.headers["set-cookie"].partition(";")[0])


def csrf(page: httpx2.Response) -> str:
    """The token that the forms of a page carry."""
    found = re.search(r'name="csrf_token" value="(\w+)"', page.text)
    assert found, page.text
    return found[1]
