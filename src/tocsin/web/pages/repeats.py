"""Repeats on the pages: how often an alertgroup came, what is folded into it, and taking it out again."""

from collections.abc import Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed
from tocsin.store import alertgroup, repeat
from tocsin.store.alertgroup import Summary
from tocsin.store.engine import Tx
from tocsin.store.repeat import Member
from tocsin.web.notes import now_micros
from tocsin.web.pages.alerts import number_of, store_of
from tocsin.web.pages.changes import done, one_id
from tocsin.web.pages.drawing import Form, draw
from tocsin.web.pages.notices import Notice
from tocsin.web.pages.repeated import Repeats, repeats_of
from tocsin.web.state import path_id, principal_of

PAGE = 100


class Listing(NamedTuple):
    """A page of what is folded into an alertgroup; `older` is the id behind which the next one begins, or 0."""

    known: Summary
    repeats: Repeats
    members: Sequence[Member]
    older: int


def listing(request: Request) -> Response:
    """GET /alerts/ID/repeats: everything that is folded into an alertgroup, the newest first."""
    group, before = path_id(request), number_of(request, "before") or None

    def work(tx: Tx) -> Listing:
        known = alertgroup.get(tx, group)
        found = repeat.members(tx, group, PAGE + 1, before)
        return Listing(known, repeats_of(tx, known), found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else 0)

    return draw(request, "repeats_page.html", here="alerts", listing=store_of(request).read(work))


def act(request: Request, form: Form) -> Response:
    """POST /alerts/ID/repeats: `do` unfold, apart or together; what is shown then is the alertgroup `page`."""
    group, who, now = path_id(request), principal_of(request).name, now_micros()
    what, page = form.get("do", [""])[-1], one_id(form.get("page", [str(group)])[-1])
    if what not in ("unfold", "apart", "together"):
        raise Malformed("do must be one of: unfold, apart, together.")

    def work(tx: Tx) -> Notice:
        if what == "unfold":
            return Notice(_said(repeat.unfold(tx, group, who, now)))
        repeat.set_apart(tx, group, what == "apart", who, now)
        if what == "apart":
            return Notice("No more of these are folded: each stands by itself from now on.")
        return Notice("These are folded again from now on.")

    return done(request, page, work)


def _said(ids: Sequence[int]) -> str:
    if len(ids) == 1:
        return f"Alertgroup {ids[0]} stands in the list by itself now, and is sent to its destinations."
    return f"{len(ids):,} alertgroups stand in the list by themselves now, and are sent to their destinations."
