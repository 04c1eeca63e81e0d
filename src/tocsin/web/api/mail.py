"""Mail handed over as it is: from a mail server's pipe, from files, from `tocsin mail`."""

import re
from typing import NamedTuple

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed, Refused, TocsinError
from tocsin.intake.reading import Answer, Reading
from tocsin.kit.envelope import as_message
from tocsin.model import Message
from tocsin.web.answers import Json, refusal
from tocsin.web.api.changes import AnyId
from tocsin.web.api.described import Parameter, described
from tocsin.web.api.quarantine import AnswerRecord, answer_record
from tocsin.web.notes import now_micros
from tocsin.web.reading import query_of
from tocsin.web.state import Web, principal_of, web_of
from tocsin.web.waiting import committed

MAIL = "mail"
"""The name under which mail comes in unless its sender gives another."""
NAME = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
TAKEN = ("rest", "tocsin")
"""Names under which other things come in."""

SOURCE = Parameter(
    "source",
    'The name under which it is kept, "mail" without it. A key of the role sender may not use a configured source.',
    {"type": "string", "pattern": NAME},
)
DRY_RUN = Parameter("dry_run", "true: only say what would come of it; nothing is stored.", {"type": "boolean"})


class Mailed(msgspec.Struct, frozen=True):
    """The mail is on disk as this message. `quarantined`: why it was not understood, and stands in quarantine.

    `repeated` says that it was there already; `alertgroups` are then those it got the first time.
    """

    message: AnyId
    alertgroups: list[AnyId]
    quarantined: str
    repeated: bool
    action: str = "post"
    thing: str = "message"
    status: str = "ok"


class _Body(NamedTuple):
    raw: bytes
    size: int


@described(
    "Hand over a mail, its bytes as they are; once answered it is on disk, understood or in quarantine.",
    Mailed | AnswerRecord,
    body=bytes,
    parameters=(SOURCE, DRY_RUN),
    errors=(415,),
)
async def post_mail(request: Request) -> Response:
    """Keep it, or say what would come of it."""
    web = web_of(request)
    try:
        return await _taken(request, web)
    except (TocsinError, HTTPException):
        web.notes.refused(MAIL)
        raise


async def _taken(request: Request, web: Web) -> Response:
    source, dry_run = _wish(request, web)
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise refusal(415, f"The body is packed with {encoding[:40]}: send the mail as it is.")
    limit = web.hub.config.http.max_body_mib * 1024 * 1024
    body = await _read(request, limit, web)
    try:
        message = as_message(body.raw, now_micros(), source)
        reason = ""
        if body.size > limit:
            reason = (
                f"the mail has {body.size:,} bytes, more than max_body_mib = {web.hub.config.http.max_body_mib} of "
                f"[http]: its first {limit:,} bytes are kept here"
            )
        if dry_run:
            said = Reading(reason=reason) if reason else await run_in_threadpool(_reading, web, message)
            return Json(answer_record(Answer(parser=said.parser, claims=bool(said.parser), reading=said)))
        return await _stored(web, message, reason)
    finally:
        web.load.give(len(body.raw))


async def _stored(web: Web, message: Message, reason: str) -> Response:
    # Mail is always read in a child process; a thread waits for it, and others are answered meanwhile.
    future = await run_in_threadpool(web.hub.intake.submit, message, answerable=False, refused=reason)
    stored = await committed(future)
    return Json(Mailed(stored.message, list(stored.alertgroups), stored.quarantined, stored.repeated))


def _reading(web: Web, message: Message) -> Reading:
    reading = web.hub.again.reread(message)
    if not reading.reason:
        try:
            web.hub.intake.parts(reading.groups, message, reading.parser)
        except Refused as error:
            return msgspec.structs.replace(reading, groups=(), reason=str(error))
    return reading


def _wish(request: Request, web: Web) -> tuple[str, bool]:
    """The query's source and dry_run. Raises Malformed."""
    query = query_of(request)
    source = query.get("source", [MAIL])[0]
    if not re.fullmatch(NAME, source):
        raise Malformed("source: a name has letters, digits, '_', '-' and '.' only, and at most 64 of them.")
    foreign = principal_of(request).role == "sender" and source in web.hub.wiring.sources
    if source in TAKEN or foreign:
        raise Malformed(f"source: {source} is the name of something else: choose another.")
    dry_run = query.get("dry_run", ["false"])[0]
    if dry_run not in ("true", "false"):
        raise Malformed("dry_run is true or false.")
    return source, dry_run == "true"


async def _read(request: Request, limit: int, web: Web) -> _Body:
    """The body up to the limit, and how long it is. What is read adds to the load; the caller gives it back."""
    pieces: list[bytes] = []
    kept = size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            part = piece[: limit - kept]
            if part:
                web.load.take(len(part))
                kept += len(part)
                pieces.append(part)
    except BaseException:
        web.load.give(kept)
        raise
    return _Body(b"".join(pieces), size)
