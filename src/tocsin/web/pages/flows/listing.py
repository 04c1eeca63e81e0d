"""The Network flows page: a search, and what it finds; and the flows that one alertgroup names."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tocsin.errors import FlowsError, Malformed, NotFound, TooSlow
from tocsin.flows.labelling.said import rows
from tocsin.flows.searching import counting, paging
from tocsin.flows.searching.asked import Asked
from tocsin.flows.searching.warm import Said, Warm
from tocsin.store import alertgroup, detected
from tocsin.store.engine import Tx
from tocsin.web.notes import now_micros
from tocsin.web.pages import false
from tocsin.web.pages.alerts import store_of
from tocsin.web.pages.drawing import draw, piece, target_of
from tocsin.web.pages.flowing import lacking
from tocsin.web.pages.flows.lines import line_of
from tocsin.web.pages.flows.wish import SPANS, Wish, read
from tocsin.web.pages.trouble import about
from tocsin.web.reading import query_of
from tocsin.web.state import path_id, web_of

PAGE = 50
FEW = 20
"""Flows on the page of an alertgroup."""
MOST_COUNTED = 10_000


def wish_of(request: Request) -> Wish:
    """What the address bar asks for."""
    return read(query_of(request), now_micros())


def flows(request: Request) -> Response:
    """GET /flows, or the next lines of it for htmx. A button's span stands in the address as it is meant."""
    wish = wish_of(request)
    if "last" in query_of(request):
        return RedirectResponse(f"/flows{wish.suffix}", 303)
    if missing := lacking(request):
        return draw(request, "flows/none.html", here="flows", missing=missing)
    parts = {
        "wish": wish,
        "path": "/flows",
        "group": None,
        "as_false": False,
        **listed(web_of(request).hub.flows, wish, "/flows"),
    }
    if target_of(request) == "more":
        return piece(request, "flows/rows.html", **parts)
    return draw(request, "flows/page.html", here="flows", spans=SPANS, **parts)


def of_alertgroup(request: Request) -> Response:
    """GET /alerts/ID/flows: those that its alerts name as they stand now, also if it was closed as false."""
    id, wish, target = path_id(request), wish_of(request), target_of(request)
    path, names = f"/alerts/{id}/flows", web_of(request).hub.names
    if "last" in query_of(request):
        return RedirectResponse(f"{path}{wish.suffix}", 303)
    missing = lacking(request)

    def work(tx: Tx) -> tuple[alertgroup.Summary, Said]:
        known = alertgroup.get(tx, id)
        if known.deleted is not None:
            raise NotFound(f"Alertgroup {id} was deleted.")
        return known, Said(id, () if missing else tuple(rows(detected.one(tx, id), names, frozenset())))

    group, said = store_of(request).read(work)
    if missing and target != "flows":
        return draw(request, "flows/none.html", here="alerts", missing=missing)
    warm = web_of(request).hub.flows
    few = FEW if target == "flows" else PAGE
    found = nothing() if missing else listed(warm, wish, path, said=said, limit=few)
    parts = {
        "wish": wish,
        "path": path,
        "group": group,
        "as_false": false.is_false(group, false.tags_of(request)),
        **found,
    }
    if target == "flows":
        return piece(request, "flows/beside.html", **parts)
    if target == "more":
        return piece(request, "flows/rows.html", **parts)
    return draw(request, "flows/page.html", here="alerts", spans=SPANS, **parts)


def nothing() -> dict[str, Any]:
    """A page without flows."""
    return {"lines": [], "next_url": "", "matched": "", "trouble": None, "page_size": PAGE}


def listed(warm: Warm, wish: Wish, path: str, *, said: Said | None = None, limit: int = PAGE) -> dict[str, Any]:
    """A page of flows: its lines, where it goes on and how many there are; or no line but the `trouble` with it."""
    empty = {**nothing(), "trouble": wish.trouble}
    if wish.asked is None:
        return empty
    try:
        page = paging.search(warm, wish.asked, limit=limit, after=wish.after, said=said)
        known = len(page.flows) if not page.after and not wish.after else None
        matched = "" if wish.after else _matched(warm, wish.asked, known, said)
    except (Malformed, TooSlow, FlowsError) as error:
        return {**empty, "trouble": about(str(error))}
    return {
        **empty,
        "lines": [line_of(flow) for flow in page.flows],
        "next_url": f"{path}{wish.behind(page.after)}" if page.after else "",
        "matched": matched,
    }


def _matched(warm: Warm, asked: Asked, known: int | None, said: Said | None) -> str:
    if known is not None:
        return counted(known)
    try:
        found = counting.count(warm, asked, MOST_COUNTED, said=said)
    except TooSlow:
        return "more flows than can be counted soon"
    return f"more than {counted(found.number)}" if found.more else counted(found.number)


def counted(number: int) -> str:
    """A number of flows in words."""
    return f"{number:,} flow{'' if number == 1 else 's'}"
