"""How the hub itself fares: health, metrics, live changes, a doctor's look, and the description of this API."""

import asyncio
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from tocsin.errors import StoreError
from tocsin.indexing import OUT_OF_LINE, Indexer
from tocsin.plugin import Destination
from tocsin.store import Tx, access, alertgroup, delivery, message
from tocsin.web.answers import Json, readable, refusal
from tocsin.web.api import flowing, openapi
from tocsin.web.api.described import Parameter, described
from tocsin.web.api.flowing import Check
from tocsin.web.meters import MEDIA_TYPE
from tocsin.web.notes import now_micros
from tocsin.web.pages import files
from tocsin.web.reading import query_of
from tocsin.web.state import read, web_of
from tocsin.web.waiting import committed

CHECK_S = 20.0
DOCS_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class Health(msgspec.Struct, frozen=True):
    """Whether it works; `error_msg` says why not."""

    status: str
    error_msg: str | msgspec.UnsetType = msgspec.UNSET


class Checks(msgspec.Struct, frozen=True):
    """What the running hub sees of itself."""

    checks: list[Check]


@described("Whether the process is alive.", Health)
async def get_healthz(_request: Request) -> Response:
    """It answers, so it is."""
    return Json(Health("ok"))


@described("Whether alerts can be taken and read now, and why not.", Health, more={503: Health})
async def get_readyz(request: Request) -> Response:
    """Asks the store; 503 while it cannot write or be read, or the server is stopping."""
    web = web_of(request)
    reason = "Tocsin is stopping" if web.live.closing else web.hub.store.healthy()
    if not reason:
        try:
            await read(request, alertgroup.max_id)
        except StoreError as error:
            reason = str(error)
    if reason:
        return Json(Health("not ready", readable(reason)), status_code=503, headers={"Retry-After": "2"})
    return Json(Health("ready"))


@described("Metrics in Prometheus' text format.", str, media="text/plain")
async def get_metrics(request: Request) -> Response:
    """Counted by the store, so that a restart forgets nothing."""
    return Response(await run_in_threadpool(web_of(request).meters.text), media_type=MEDIA_TYPE)


LAST_EVENT_ID = Parameter(
    "Last-Event-ID", "The id of the last event heard; what came since is told first.", {"type": "string"}, "header"
)
AFTER = Parameter("after", "The same for one who has heard none yet: what a page was drawn with.", {"type": "string"})


@described(
    "Changes as they are committed, as Server-Sent Events: `alertgroup` with kind and ids, or `reset`: load afresh.",
    str,
    media="text/event-stream",
    parameters=(LAST_EVENT_ID, AFTER),
)
async def get_live(request: Request) -> Response:
    """A stream that ends after a while, or when the server stops; the browser comes back by itself."""
    live = web_of(request).live
    last = request.headers.get("last-event-id", "") or query_of(request).get("after", [""])[-1]
    listener = live.listener(last)
    if listener is None:
        raise refusal(503, "Too many look on at once, or Tocsin is stopping: come back later.", Retry_After="10")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if request.method == "HEAD":
        return Response(media_type="text/event-stream", headers=headers)
    return StreamingResponse(live.events(listener), media_type="text/event-stream", headers=headers)


@described("What the running hub sees of itself: the store, each destination, what waits for a person.", Checks)
async def post_doctor(request: Request) -> Response:
    """Asks every destination whether it can be reached, all at once."""
    web = web_of(request)
    checks = [await _check_store(request)]
    destinations = web.hub.wiring.destinations
    checks += await asyncio.gather(*(_check_destination(name, one) for name, one in destinations.items()))
    if checks[0].ok:
        checks.append(await run_in_threadpool(_check_index, web.hub.indexer))
        checks += await read(request, lambda tx: _check_books(tx, set(destinations)))
    checks += await run_in_threadpool(lambda: list(flowing.checks(web.hub)))
    return Json(Checks(checks))


async def _check_store(request: Request) -> Check:
    store = web_of(request).hub.store
    try:
        await committed(store.submit(lambda tx: access.drop_expired(tx, now_micros())))
        await read(request, alertgroup.max_id)
    except StoreError as error:
        return Check("store", False, readable(str(error)))
    return Check("store", True, f"{store.engine}, schema {store.schema}, writes and reads")


async def _check_destination(name: str, destination: Destination) -> Check:
    asked = asyncio.gather(asyncio.to_thread(destination.check), return_exceptions=True)
    try:
        [said] = await asyncio.wait_for(asked, CHECK_S)
    except TimeoutError:
        return Check(f"destination {name}", False, f"it did not answer within {CHECK_S:.0f} s")
    if isinstance(said, BaseException):
        return Check(f"destination {name}", False, readable(str(said) or type(said).__name__))
    return Check(f"destination {name}", True, readable(said))


def _check_index(indexer: Indexer) -> Check:
    if not indexer.in_line():
        return Check("index", False, OUT_OF_LINE)
    if indexer.failed:
        wrong = f"{indexer.failed:,} alertgroups were indexed without their entities since the start: see the log"
        return Check("index", False, wrong)
    return Check("index", True, "made with the configuration of today")


def _check_books(tx: Tx, configured: set[str]) -> list[Check]:
    checks: list[Check] = []
    for lane in delivery.lanes(tx):
        name, owed = f"lane {lane.name}", lane.due + lane.sending
        if lane.failed:
            checks.append(Check(name, False, f"{lane.failed:,} deliveries are parked: send them again or drop them"))
        elif lane.paused:
            checks.append(Check(name, False, f"it is paused, {owed:,} are owed: resume it when the cause is gone"))
        elif owed and lane.name not in configured:
            checks.append(Check(name, False, f"{owed:,} are owed, but it is not configured: configure it again"))
        else:
            checks.append(Check(name, True, f"{owed:,} owed, {lane.delivered:,} delivered"))
    depth = message.quarantine_depth(tx)
    wrong = f"{depth:,} messages were not understood: look at them on the pages"
    checks.append(Check("quarantine", not depth, wrong if depth else "empty"))
    return checks


@described("This description.", dict[str, Any])
async def get_openapi(request: Request) -> Response:
    """OpenAPI 3.1."""
    return Json(_described(request))


def _described(request: Request) -> dict[str, Any]:
    """Made once: the table never changes while the server runs."""
    state = request.app.state
    if not hasattr(state, "described"):
        state.described = openapi.document(state.routes)
    made: dict[str, Any] = state.described
    return made


@cache
def _templates() -> Environment:
    folder = Path(__file__).parent
    made = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters["ticked"] = _ticked
    return made


def _ticked(text: str) -> Markup:
    """What stands between backticks as code."""
    parts = enumerate(text.split("`"))
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in parts)


@described("This description, for people.", str, media="text/html")
async def get_docs(request: Request) -> Response:
    """No script, nothing from elsewhere."""
    page = _templates().get_template("docs.html.j2").render(api=_described(request), static=files.address)
    headers = {"Content-Security-Policy": DOCS_POLICY, "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(page, headers=headers)
