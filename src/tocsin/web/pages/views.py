"""Saved views: beside the search box of the Alerts page, and on a page of their own where they are changed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tocsin.errors import BadQuery, Malformed, NotFound, Refused, Taken, TocsinError
from tocsin.store import Store, view
from tocsin.store.engine import Tx
from tocsin.store.view import SavedView, Wanted
from tocsin.web.answers import Json, failure_of
from tocsin.web.notes import now_micros
from tocsin.web.pages import ranges
from tocsin.web.pages.asked import NEWEST, Asked
from tocsin.web.pages.counting import Count, counts_of
from tocsin.web.pages.drawing import HEADERS, Form, draw
from tocsin.web.pages.entry import inside
from tocsin.web.reading import query_of
from tocsin.web.state import path_id, principal_of, web_of

MOST_PILLS = 4
"""So many stand beside the search box; the others are one click away."""
MOST_AT_ONCE = 60
"""Counts for one page."""
SORTS: Mapping[str, str] = {
    "": "newest first",
    "received": "oldest first",
    "subject": "subject, A to Z",
    "-subject": "subject, Z to A",
    "status": "status, closed first",
    "-status": "status, promoted first",
    "-views": "most views first",
    "views": "fewest views first",
    "-alert_count": "most rows first",
    "alert_count": "fewest rows first",
    "-updated": "last changed first",
    "updated": "longest unchanged first",
    "-created": "last sent first",
    "created": "first sent first",
    "-id": "highest id first",
    "id": "lowest id first",
}


class Shown(NamedTuple):
    """A view as pages show it; `counted` is what was counted last, if ever."""

    known: SavedView
    url: str
    mine: bool
    changeable: bool
    counted: Count | None
    current: bool = False

    @property
    def sorted(self) -> str:
        """The order in words."""
        return SORTS.get(self.known.sort, self.known.sort)


class Beside(NamedTuple):
    """The views beside the search box, the others behind a click, and where saving leads back to."""

    pills: Sequence[Shown]
    others: Sequence[Shown]
    back: str


class Tried(NamedTuple):
    """What somebody wrote that could not be kept, and why; `id` is 0 for a new view."""

    id: int
    wanted: Wanted
    problem: str


def address(query: str, sort: str) -> str:
    """Where a view leads."""
    pairs = [("q", query)] if query else []
    if sort and sort != NEWEST:
        pairs.append(("sort", sort))
    return f"/alerts?{urlencode(pairs)}" if pairs else "/alerts"


def beside(request: Request, asked: Asked) -> Beside:
    """The reader's views for the Alerts page. Raises StoreUnavailable."""
    shown = [one._replace(current=_asks(asked, one.known)) for one in _listing(request)]
    pills = shown[:MOST_PILLS]
    # The one that is looked at stands among the first, wherever its name would put it.
    if current := next((one for one in shown[MOST_PILLS:] if one.current), None):
        pills[-1] = current
    return Beside(pills, [one for one in shown if one not in pills], f"{quote(request.scope['path'])}{asked.suffix}")


def views(request: Request) -> Response:
    """GET /views: one's own views and those that others share. `deleted` names one that can be brought back."""
    deleted = ranges.read(query_of(request).get("deleted", [""])[-1])
    return _page(request, deleted=deleted[0] if deleted else 0)


def counts(request: Request) -> Response:
    """GET /views/counts?ids=…: how many alertgroups those views mean; `again` when some are still to be counted."""
    ids = ranges.read(query_of(request).get("ids", [""])[-1])[:MOST_AT_ONCE]
    store, who = _store(request), principal_of(request).name
    known = {one.id: one.query for one in store.read(lambda tx: view.listing(tx, who)) if one.id in ids}
    told = counts_of(store).counted(store, known.values())
    found = {str(id): told.counts[query]._asdict() for id, query in known.items() if query in told.counts}
    return Json({"counts": found, "again": not told.whole}, headers=dict(HEADERS))


def save(request: Request, form: Form) -> Response:
    """POST /views: keep a query under a name, and go back to `next`."""
    wanted, who, now = _wanted(form), principal_of(request).name, now_micros()
    try:
        _store(request).write(lambda tx: view.put(tx, who, wanted, now))
    except (Malformed, BadQuery, Taken, Refused) as error:
        return _tried(request, 0, wanted, error)
    return RedirectResponse(inside(form.get("next", [""])[-1] or address(wanted.query, wanted.sort)), 303)


def act(request: Request, form: Form) -> Response:
    """POST /views/ID: `do` change, delete or restore."""
    id, who, now = path_id(request), principal_of(request), now_micros()
    admin = who.role == "admin"
    what, wanted = form.get("do", [""])[-1], _wanted(form)
    to = f"/views#view-{id}"

    def work(tx: Tx) -> None:
        match what:
            case "change":
                view.change(tx, id, who.name, wanted, now, admin=admin)
            case "delete":
                view.drop(tx, id, who.name, now, admin=admin)
            case "restore":
                view.restore(tx, id, who.name, admin=admin)
            case _:
                raise NotFound("There is no such thing to do with a view: change, delete or restore it.")

    try:
        _store(request).write(work)
    except (Malformed, BadQuery, Taken, Refused) as error:
        return _tried(request, id, wanted, error)
    return RedirectResponse(f"/views?deleted={id}" if what == "delete" else to, 303)


def _tried(request: Request, id: int, wanted: Wanted, error: TocsinError) -> Response:
    """The page again, with what was typed and what is wrong with it."""
    return _page(request, failure_of(error).status, tried=Tried(id, wanted, str(error)))


def _page(request: Request, status: int = 200, *, deleted: int = 0, tried: Tried | None = None) -> Response:
    shown = _listing(request)
    parts: dict[str, Any] = {
        "mine": [one for one in shown if one.mine],
        "others": [one for one in shown if not one.mine],
        "gone": _gone(request, deleted) if deleted else None,
        "tried": tried,
        "sorts": SORTS,
    }
    return draw(request, "saved_views.html", status, here="views", **parts)


def _gone(request: Request, id: int) -> SavedView | None:
    """A view that was just deleted, if it still can be brought back."""
    who = principal_of(request)
    try:
        found = _store(request).read(lambda tx: view.dropped(tx, id, who.name))
    except NotFound:
        return None
    return found if found.owner == who.name or who.role == "admin" else None


def _listing(request: Request) -> list[Shown]:
    store, who = _store(request), principal_of(request)
    return list(_shown(store, store.read(lambda tx: view.listing(tx, who.name)), who.name, admin=who.role == "admin"))


def _shown(store: Store, found: Iterable[SavedView], who: str, *, admin: bool) -> Iterable[Shown]:
    counts = counts_of(store)
    for one in found:
        mine = one.owner == who
        yield Shown(one, address(one.query, one.sort), mine, mine or admin, counts.known(one.query))


def _asks(asked: Asked, known: SavedView) -> bool:
    return (asked.query, asked.sort) == (known.query, known.sort or NEWEST)


def _wanted(form: Form) -> Wanted:
    name, query, sort, shared = (form.get(field, [""])[-1] for field in ("name", "query", "sort", "shared"))
    return Wanted(name=name, query=query, sort="" if sort == NEWEST else sort, shared=bool(shared))


def _store(request: Request) -> Store:
    return web_of(request).hub.store
