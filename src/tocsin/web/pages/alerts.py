"""The Alerts page: the list, the chosen alertgroup beside it, and the pieces that keep both current."""

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tocsin.errors import Malformed, StoreError, TooSlow
from tocsin.indexing import freshly
from tocsin.model import Micros
from tocsin.query import Tree, standing
from tocsin.store import Store, alertgroup, delivery, search
from tocsin.store.alertgroup import Summary
from tocsin.store.engine import Tx
from tocsin.web.answers import Json
from tocsin.web.notes import now_micros
from tocsin.web.pages import ranges
from tocsin.web.pages.asked import Asked, read
from tocsin.web.pages.chosen import Chosen, choose, rows_behind
from tocsin.web.pages.drawing import HEADERS, draw, piece, target_of
from tocsin.web.pages.false import tags_of
from tocsin.web.pages.flowing import any_there
from tocsin.web.pages.gathered import badges
from tocsin.web.pages.lines import Line, line_of
from tocsin.web.pages.marking import as_json
from tocsin.web.pages.notices import notice_of
from tocsin.web.pages.trouble import trouble_of
from tocsin.web.pages.views import beside
from tocsin.web.reading import address_of, query_of
from tocsin.web.state import known_of, path_id, principal_of, web_of

PAGE = 50
MOST_COUNTED = 1000
COUNTING_S = 1.0
"""Longer than that nobody waits for a number that is rounded anyway."""
MOST_ROWS = 1000
MOST_NEWS = 200


async def home(_: Request) -> Response:
    """GET /: the alerts are the home."""
    return RedirectResponse("/alerts", 303)


def store_of(request: Request) -> Store:
    """The hub's store."""
    return web_of(request).hub.store


def asked_of(request: Request) -> Asked:
    """What the address bar asks of the list."""
    return read(query_of(request), now_micros())


def number_of(request: Request, name: str) -> int:
    """A number in the query; 0 where there is none. Raises Malformed."""
    text = query_of(request).get(name, [""])[-1] or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise Malformed(f"{name} must be a number.")
    return int(text)


def listed(store: Store, asked: Asked) -> dict[str, Any]:
    """A page of the list: its lines, where it goes on, and how many match, counted no further than a thousand.

    Where the query cannot be read or takes too long, no line but the `trouble` with it.
    """
    empty = {"lines": [], "next_url": "", "page_size": PAGE, "matched": "", "trouble": trouble_of(asked)}
    if asked.tree is None:
        return empty
    tree = standing(asked.tree)

    def page(tx: Tx) -> tuple[list[Line], list[Summary]]:
        found = search.page(tx, tree, asked.order, PAGE + 1, asked.after, asked.now)
        return lines_of(tx, found[:PAGE], asked), found

    try:
        lines, found = store.read(page)
    except (Malformed, TooSlow) as error:
        return {**empty, "trouble": trouble_of(asked, error)}
    more = len(found) > PAGE
    return {
        **empty,
        "lines": lines,
        "next_url": f"/alerts{asked.behind(found[PAGE - 1])}" if more else "",
        "matched": _matched(len(found)) if not more and asked.first_page else _counted(store, tree, asked.now),
    }


def _counted(store: Store, tree: Tree, now: Micros) -> str:
    try:
        return _matched(store.read(lambda tx: search.count_up_to(tx, tree, MOST_COUNTED, now, COUNTING_S)))
    except TooSlow:
        return "more match than can be counted soon"


def _matched(n: int) -> str:
    shown = f"{n:,}+" if n >= MOST_COUNTED else f"{n:,}"
    return f"{shown} alertgroup{' matches' if n == 1 else 's match'}"


def lines_of(tx: Tx, found: list[Summary], asked: Asked) -> list[Line]:
    """Alertgroups as the list shows them."""
    owed = delivery.of_groups(tx, [known.id for known in found])
    told = badges(tx, found)
    return [line_of(known, owed[known.id], asked.suffix, told.get(known.id, "")) for known in found]


def alerts(request: Request) -> Response:
    """GET /alerts, or the part of it that htmx asks for. A form's answer stands at an address that is the query."""
    asked = asked_of(request)
    target = target_of(request)
    address = f"{quote(request.url.path)}{asked.suffix}"
    if asked.form and not target and asked.wrong is None and not asked.problems:
        return RedirectResponse(address, 303)
    parts = listed(store_of(request), asked)
    known = {"curl": curl_of(request), "gathers": _gathers(request)}
    whole = {"here": "alerts", "asked": asked, "chosen": None, **known, **parts}
    if target == "more":
        return piece(request, "more_rows.html", **whole)
    if target == "groups" and parts["trouble"]:
        # The last good list stays, and its address.
        shown = piece(request, "trouble_found.html", **whole)
        shown.headers.update({"HX-Reswap": "none", "HX-Push-Url": "false"})
        return shown
    if target == "groups":
        shown = piece(request, "groups_found.html", **whole)
        shown.headers["HX-Push-Url"] = address
        return shown
    return draw(request, "alerts.html", views=beside(request, asked), **whole)


def one(request: Request) -> Response:
    """GET /alerts/ID: the list with one alertgroup chosen, or only that one for htmx. Counts as a view."""
    group = path_id(request)
    asked = asked_of(request)
    target = target_of(request)
    if target in ("groups", "more"):
        return alerts(request)
    rows, record, known = number_of(request, "rows"), number_of(request, "alert"), known_of(request)

    def work(tx: Tx) -> Chosen:
        return choose(tx, group, asked, rows_after=rows, record=record, entities=known)

    store = store_of(request)
    parts = {"chosen": store.read(work), **({} if target else listed(store, asked))}
    if target != "record":
        _count_view(request, group)
    told: dict[str, Any] = {"notice": notice_of(request, group), "curl": curl_of(request), "gathers": _gathers(request)}
    told |= {"has_flows": any_there(request), "false_tags": tags_of(request)}
    whole = {"here": "alerts", "asked": asked, **told, **parts}
    if target == "record":
        return piece(request, "record.html", **whole)
    if target:
        return piece(request, "chosen_part.html", **whole)
    return draw(request, "alerts.html", views=beside(request, asked), **whole)


def _gathers(request: Request) -> bool:
    """Whether there are rules by which evidence is kept apart."""
    return bool(web_of(request).hub.accumulating)


def _count_view(request: Request, id: int) -> None:
    """Nobody waits for this one, and a store that cannot write now must not take the page away."""
    who, ip, at = principal_of(request).name, address_of(request), now_micros()
    try:
        store_of(request).submit(lambda tx: alertgroup.saw(tx, id, who, ip, at))
    except StoreError:
        return


def now(request: Request) -> Response:
    """GET /alerts/ID/now: what may have changed of the chosen alertgroup, each part in its place."""
    group = path_id(request)
    asked, known = asked_of(request), known_of(request)
    chosen = store_of(request).read(lambda tx: choose(tx, group, asked, entities=known, marks=False))
    parts = ("facts", "labels", "repeats", "evidence", "counts", "way", "why", "entities", "past")
    return piece(request, "changed.html", asked=asked, chosen=chosen, parts=parts, in_list=False, notice=None)


def rows(request: Request) -> Response:
    """GET /alerts/ID/rows?after=ALERT: the rows behind one, for the grid: see `marking.as_json`."""
    group, known = path_id(request), known_of(request)
    after, limit = number_of(request, "after"), number_of(request, "limit") or MOST_ROWS
    found, more = store_of(request).read(lambda tx: rows_behind(tx, group, after, min(limit, MOST_ROWS), known))
    return Json(as_json(found) | {"more": more}, headers=dict(HEADERS))


def news(request: Request) -> Response:
    """GET /alerts/news?ids=…: those of the alertgroups that the query lets through, as lines of the list."""
    asked = asked_of(request)
    ids = ranges.read(query_of(request).get("ids", [""])[-1])[:MOST_NEWS]
    hub, known = web_of(request).hub, known_of(request)

    def work(tx: Tx) -> list[Line]:
        if asked.tree is None:
            return []
        wanted = freshly.matching(tx, standing(asked.tree), ids, asked.now, hub.names, known)
        found = alertgroup.some(tx, sorted(wanted))
        return lines_of(tx, [found[id] for id in sorted(found, reverse=asked.order.descending)], asked)

    lines = store_of(request).read(work)
    return piece(request, "more_rows.html", lines=lines, chosen=None, next_url="", page_size=PAGE)


def curl_of(request: Request) -> str:
    """The line that sends a first alert, ready to be pasted."""
    return (
        f"curl -X POST {request.url.scheme}://{request.headers.get('host', 'localhost')}/scot/api/v2/alertgroup \\\n"
        "  -H 'Authorization: apikey KEY' \\\n"
        '  -d \'{"message_id": "first-1", "subject": "My first alert", "tag": ["try"], "source": ["me"],\n'
        '       "columns": ["host", "what"], "data": [{"host": "192.0.2.7", "what": "hello"}]}\''
    )
