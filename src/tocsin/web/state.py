"""What every route works with: the hub, and what the door itself keeps while the server runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tocsin.app import Hub
from tocsin.entities import Known
from tocsin.errors import Malformed
from tocsin.store import Tx
from tocsin.web.answers import Json
from tocsin.web.auth import Access, Principal
from tocsin.web.live import Live
from tocsin.web.meters import Meters
from tocsin.web.notes import Notes
from tocsin.web.reading import Load, read_body
from tocsin.web.waiting import committed

T = TypeVar("T")
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Web:
    """The HTTP door of one hub."""

    hub: Hub
    access: Access
    notes: Notes
    live: Live
    meters: Meters
    load: Load


def web_of(request: Request) -> Web:
    """The door this request came through."""
    web: Web = request.app.state.web
    return web


def known_of(request: Request) -> Known:
    """What the hub was told of entities."""
    return web_of(request).hub.known


def principal_of(request: Request) -> Principal:
    """Who is asking; only on routes that need a role."""
    principal: Principal = request.state.principal
    return principal


async def read(request: Request, work: Callable[[Tx], T]) -> T:
    """Ask the store, in a thread, on one snapshot."""
    return await run_in_threadpool(web_of(request).hub.store.read, work)


async def write(request: Request, work: Callable[[Tx], T]) -> T:
    """Change something; on return it is on disk."""
    return await committed(web_of(request).hub.store.submit(work))


async def body_of(request: Request) -> bytes:
    """The body of a change. Raises TooLarge."""
    return await read_body(request, web_of(request).hub.config.http.max_body_mib * 1024 * 1024)


async def answer(request: Request, work: Callable[[Tx], Any]) -> Response:
    """Ask the store and write the JSON of it, both in a thread: a large answer holds nobody up."""
    store = web_of(request).hub.store
    return await run_in_threadpool(lambda: Json(store.read(work)))


def path_id(request: Request, name: str = "id") -> int:
    """A number out of the path. Raises Malformed."""
    text: str = request.path_params[name]
    if text.isascii() and text.isdecimal() and len(text) < 20 and 0 < int(text) <= _LARGEST_ID:
        return int(text)
    raise Malformed(f"Invalid id {text[:40]!r}: an id is a whole number, 1 or more.")
