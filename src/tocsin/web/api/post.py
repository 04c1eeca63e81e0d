"""The hot way in: a posted alertgroup becomes a message, and the answer waits until it is on disk."""

import time
from typing import Annotated, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed, TocsinError
from tocsin.model import TLP, Link, Message, Status
from tocsin.web.answers import Json, refusal
from tocsin.web.api.changes import AnyId
from tocsin.web.api.described import Parameter, described
from tocsin.web.api.shapes import Created
from tocsin.web.notes import now_micros
from tocsin.web.reading import read_body
from tocsin.web.state import Web, web_of
from tocsin.web.waiting import committed

SOURCE = "rest"
LARGE = 256 * 1024
"""Bodies above this are read for meaning in a thread, so that others are answered meanwhile."""


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """SCOT's alertgroup as it is posted; each object of `data` becomes an alert.

    Unknown fields are kept with the original message. Without `columns` they are the rows' names in order of first
    appearance. The same `message_id` with the same body is the same message and gets the first answer again.
    """

    subject: str
    data: Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1)]
    message_id: str | None = None
    columns: list[str] = []
    tag: list[str] = []
    tags: list[str] = []
    source: list[str] = []
    sources: list[str] = []
    body: str | None = None
    body_plain: str | None = None
    ahrefs: list[Link] = []
    tlp: TLP | None = None
    groups: dict[str, list[str]] = {}
    created: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)] | None = None
    owner: str | None = None
    status: Status = Status.OPEN


class Quarantined(msgspec.Struct, frozen=True):
    """The message is kept but was not understood; a person has to look. Do not send it again."""

    message: AnyId
    error_msg: str
    action: str = "post"
    thing: str = "message"
    status: str = "quarantined"


IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "Two posts under one key with the same body are one; for senders whose messages have no id.",
    {"type": "string", "maxLength": 255},
    "header",
)


@described(
    "Hand over an alertgroup; once answered it is on disk.",
    Created | list[Created],
    body=Posted,
    parameters=(IDEMPOTENCY_KEY,),
    more={202: Quarantined},
    errors=(415,),
)
async def post_alertgroup(request: Request) -> Response:
    """Store it, or say why not; either way it is counted."""
    web = web_of(request)
    begun = time.perf_counter()
    try:
        response = await _posted(request, web)
    except (TocsinError, HTTPException):
        web.notes.refused(SOURCE)
        raise
    web.meters.intake_s.observe(time.perf_counter() - begun)
    return response


async def _posted(request: Request, web: Web) -> Response:
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise refusal(415, f"The body is packed with {encoding[:40]}: send it as plain JSON.")
    key = request.headers.get("idempotency-key", "")
    if len(key) > 255:
        raise Malformed("The Idempotency-Key is longer than 255 characters: send a shorter one.")
    limit = web.hub.config.http.max_body_mib * 1024 * 1024
    body = await read_body(request, limit, web.load)
    try:
        message = Message(
            source=SOURCE,
            sender=request.state.principal.name,
            body=body,
            media_type="application/json",
            received=now_micros(),
            idempotency_key=key,
        )
        return await _stored(web, message)
    finally:
        web.load.give(len(body))


async def _stored(web: Web, message: Message) -> Response:
    if len(message.body) > LARGE:
        future = await run_in_threadpool(web.hub.intake.submit, message, answerable=True)
    else:
        future = web.hub.intake.submit(message, answerable=True)
    stored = await committed(future)
    if stored.quarantined:
        return Json(Quarantined(stored.message, stored.quarantined), status_code=202)
    created = [Created(id) for id in stored.alertgroups]
    return Json(created[0] if len(created) == 1 else created)
