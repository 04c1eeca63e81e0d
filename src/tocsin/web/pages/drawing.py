"""From a template and what it shows to an answer: Jinja with autoescape always on, and the headers every page wears."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tocsin.errors import StoreError
from tocsin.web.auth import MAY, Principal
from tocsin.web.pages import files, shown
from tocsin.web.pages.head import Head, head_of
from tocsin.web.reading import read_form
from tocsin.web.state import web_of

TEMPLATES = Path(__file__).parent.parent / "templates"
THEME = "tocsin_theme"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Cookie, HX-Target",
}
KEYS: Sequence[tuple[Sequence[str], str]] = (
    (("j", "k"), "next, previous alertgroup; with the rows focused: next, previous alert"),
    (("Enter",), "go into the rows; on a row: show the alert in full"),
    (("←", "→"), "along the entities of the row; Enter shows what is known of one"),
    (("Esc",), "let the selection go; back to the list"),
    (("x",), "select the alert, or let it go; Ctrl and click does the same"),
    (("Shift", "↑", "↓"), "select from here to there; Shift and click does the same"),
    (("Ctrl", "a"), "select all alerts"),
    (("c",), "close the selected alerts, or all"),
    (("f",), "close all alerts as false"),
    (("o",), "open the selected alerts, or all"),
    (("z",), "undo the last closing or opening"),
    (("n",), "show the new alertgroups that wait at the top"),
    (("/",), "search; ↓ and Tab take what is offered, Enter searches"),
    (("Alt",), "and a click on a tag, source or status: search for it too; with Shift, leave it out"),
    (("?",), "this list"),
)
Form = dict[str, list[str]]
Parts = Mapping[str, Any]


@cache
def environment() -> Environment:
    """The templates and the words they may use."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "text": shown.text,
        "plain": shown.plain,
        "cell": shown.cell,
        "words": shown.words,
        "clock": shown.clock,
        "clock_ms": shown.exactly,
        "ago": shown.ago,
        "since": shown.since,
        "number": shown.number,
        "brief": shown.brief,
        "ascii": json.dumps,
    }
    made.globals |= {"static": files.address, "present": files.has, "key_help": KEYS}
    return made


def draw(request: Request, template: str, status: int = 200, **parts: Any) -> Response:
    """A whole page. Whoever is signed in stands in its head, and the balance."""
    principal: Principal | None = getattr(request.state, "principal", None)
    theme = request.cookies.get(THEME)
    return piece(
        request,
        template,
        status,
        principal=principal,
        theme=theme if theme in ("light", "dark") else "",
        head=_head(request) if principal else None,
        here_url=address_of_page(request),
        heard=getattr(request.state, "heard", ""),
        **{"here": "", **parts},
    )


def piece(request: Request, template: str, status: int = 200, **parts: Any) -> Response:
    """A part of a page, or with the parts of `draw` a whole one."""
    principal: Principal | None = getattr(request.state, "principal", None)
    known = {
        "csrf": principal.csrf if principal else "",
        "may_change": principal is not None and principal.role in MAY["analyst"],
    }
    text = environment().get_template(template).render(**known, **parts)
    return HTMLResponse(text.encode("utf-8", "replace"), status_code=status, headers=dict(HEADERS))


def _head(request: Request) -> Head | None:
    """The head's numbers; None while the store cannot be read, which no page may fail for."""
    try:
        return head_of(web_of(request).hub.store)
    except StoreError:
        return None


def address_of_page(request: Request) -> str:
    """Path and query of the request, to come back to."""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"], safe="/") + (f"?{query}" if query else "")


def target_of(request: Request) -> str:
    """The id of the element that htmx will put the answer in; empty for a whole page."""
    return request.headers.get("hx-target", "").partition("#")[2]


Handle = Callable[[Request], Awaitable[Response]]


def reading(work: Callable[[Request], Response]) -> Handle:
    """A page that reads and draws, in a thread: the event loop belongs to those who send alerts.

    Its script listens to what changes from before it was read, so that nothing falls in between.
    """

    async def handle(request: Request) -> Response:
        request.state.heard = web_of(request).live.mark
        return await run_in_threadpool(work, request)

    return handle


def posting(work: Callable[[Request, Form], Response]) -> Handle:
    """The same for a form that was posted."""

    async def handle(request: Request) -> Response:
        form = await read_form(request)
        request.state.heard = web_of(request).live.mark
        return await run_in_threadpool(work, request, form)

    return handle
