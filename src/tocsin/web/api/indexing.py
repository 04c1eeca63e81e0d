"""The index: how far it is behind, and made again."""

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tocsin.web.answers import Json
from tocsin.web.api.described import described
from tocsin.web.api.shapes import seconds
from tocsin.web.state import web_of


class Rebuilding(msgspec.Struct, frozen=True):
    """How many alertgroups are indexed again from now on."""

    alertgroups: int
    status: str = "ok"


class Behind(msgspec.Struct, frozen=True):
    """How many alertgroups wait to be indexed and since when, and how many could be only in part since the start.

    `in_line` is false where some were indexed before the configuration of entities or detections was changed.
    """

    waiting: int
    since: int | None
    failed: int
    in_line: bool


@described("Index all alertgroups again, as after a change of the configuration of entities.", Rebuilding)
async def post_rebuild(request: Request) -> Response:
    """Answers at once; the worker follows, the newest first."""
    return Json(Rebuilding(await run_in_threadpool(web_of(request).hub.indexer.rebuild)))


@described("How far the index is behind.", Behind)
async def get_rebuild(request: Request) -> Response:
    """Searches do not find what waits."""
    indexer = web_of(request).hub.indexer

    def behind() -> Behind:
        lag = indexer.lag(1 << 62)
        return Behind(lag.waiting, seconds(lag.since) if lag.since else None, indexer.failed, indexer.in_line())

    return Json(await run_in_threadpool(behind))
