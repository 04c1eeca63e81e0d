"""The HTTP door: SCOT's API, the pages, and live updates."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path

from tocsin.app import Hub
from tocsin.web import flow_meters
from tocsin.web.answers import SENTENCES, Failure, error_json, failure_of
from tocsin.web.auth import Access
from tocsin.web.door import Door
from tocsin.web.live import Live
from tocsin.web.meters import Meters
from tocsin.web.notes import Notes
from tocsin.web.pages import show_failure
from tocsin.web.reading import Load
from tocsin.web.routes import API, PAGES, SCOT, by_path, is_api
from tocsin.web.state import Web
from tocsin.web.taxii import TAXII, is_taxii
from tocsin.web.taxii import show_failure as show_error_resource
from tocsin.web.warden import WARDEN, Turns, is_warden
from tocsin.web.warden import show_failure as show_error_object

log = structlog.get_logger()

BODIES_AT_ONCE = 4
"""So many bodies of the largest size may be held in memory together; more senders are asked to come again."""


def create(hub: Hub, control: str = "") -> Starlette:
    """The door of a hub, as an ASGI application. `control` is the token of this machine's command line.

    A server that is about to stop calls `application.state.web.live.close()`, so that open streams end at once.
    """
    http = hub.config.http
    notes = Notes(hub.store)
    web = Web(
        hub=hub,
        access=Access(hub.store, notes, control, http.session_hours),
        notes=notes,
        live=Live(),
        meters=Meters(hub.store, hub.lanes.activity, partial(flow_meters.collected, hub)),
        load=Load(BODIES_AT_ONCE * http.max_body_mib * 1024 * 1024),
    )
    hub.store.on_commit(web.live.told)
    application = Starlette(
        routes=_paths(web.access),
        exception_handlers={HTTPException: _no_route, Exception: _broken},
        lifespan=_lifespan,
    )
    application.router.redirect_slashes = False
    application.state.hub = hub
    application.state.web = web
    application.state.routes = API
    application.state.warden_turns = Turns()
    return application


def _paths(access: Access) -> list[Path]:
    doors: list[tuple[str, Door]] = []
    for path, rows in by_path(API).items():
        door = Door(path, rows, access)
        doors += [(SCOT + path, door), (path, door)]
    doors += [(path, Door(path, rows, access, show_error_resource)) for path, rows in by_path(TAXII).items()]
    doors += [(path, Door(path, rows, access, show_error_object)) for path, rows in by_path(WARDEN).items()]
    doors += [(path, Door(path, rows, access, show_failure)) for path, rows in by_path(PAGES).items()]
    return [Path(path, door, name=path) for path, door in doors]


@asynccontextmanager
async def _lifespan(application: Starlette) -> AsyncIterator[None]:
    web: Web = application.state.web
    yield
    web.live.close()
    await web.notes.close()
    web.access.checker.close()


def _shown(request: Request, failure: Failure) -> Response:
    if is_taxii(request.scope["path"]):
        return show_error_resource(request, failure)
    if is_warden(request.scope["path"]):
        return show_error_object(request, failure)
    return error_json(failure) if is_api(request.scope["path"]) else show_failure(request, failure)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _shown(request, failure_of(error))


async def _broken(request: Request, error: Exception) -> Response:
    """The last resort: a plain sentence for the reader. The server logs the error itself, with its trace."""
    log.error("a route failed", method=request.method, path=request.scope["path"], error=type(error).__name__)
    return _shown(request, Failure(500, SENTENCES[500]))
