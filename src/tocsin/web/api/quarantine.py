"""What was kept but not understood: looked at, read again, accepted, discarded; and stored originals read again."""

import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tocsin.errors import Malformed, NotFound, StoreUnavailable, TocsinError
from tocsin.intake.again import Outcome
from tocsin.intake.preview import Preview
from tocsin.intake.reading import Answer
from tocsin.intake.reparse import Difference, Progress, Reparse, Wish
from tocsin.model import Micros
from tocsin.store import Tx, again, message
from tocsin.store.message import Selection
from tocsin.web.answers import Json, download, readable
from tocsin.web.api import shapes
from tocsin.web.api.changes import decoded_as
from tocsin.web.api.described import Parameter, described
from tocsin.web.api.ledger import PAGE, MessageRecord, message_record, page_of
from tocsin.web.api.shapes import Listed, seconds
from tocsin.web.reading import query_of
from tocsin.web.state import answer, body_of, path_id, principal_of, web_of

STATE = Parameter(
    "state",
    "quarantined, which is what is listed without it, or discarded: those a person took out.",
    {"type": "string", "enum": ["quarantined", "discarded"]},
)
EXAMPLES = 3
"""So many rows of each alertgroup are shown with a parser's answer."""
TELL_EVERY_S = 0.5


class Header(msgspec.Struct, frozen=True):
    """A header of a mail, decoded."""

    name: str
    value: str


class LinkSeen(msgspec.Struct, frozen=True):
    """Where a link of a mail leads; it was not followed."""

    text: str
    address: str


class AttachmentRecord(msgspec.Struct, frozen=True):
    """An attachment; its bytes are at `/api/v2/message/N/attachment/number`, numbers count from 0."""

    number: int
    name: str
    media_type: str
    size: int


class PreviewRecord(msgspec.Struct, frozen=True):
    """A mail opened. `html` is harmless: it holds no links, pictures, styles or scripts. `reason`: why it is empty."""

    headers: list[Header]
    text: str
    html: str
    links: list[LinkSeen]
    attachments: list[AttachmentRecord]
    notes: list[str]
    cut: bool
    reason: str


class GroupSeen(msgspec.Struct, frozen=True):
    """An alertgroup as a parser would make it, with its first rows."""

    subject: str
    columns: list[str]
    rows: int
    examples: list[dict[str, Any]]


class AnswerRecord(msgspec.Struct, frozen=True):
    """What a parser says to a message: whether it claims it, and what it makes of it, or the reason why nothing."""

    parser: str
    version: str
    claims: bool
    alertgroups: list[GroupSeen]
    reason: str


class Deed(msgspec.Struct, frozen=True):
    """What was done to a message, by whom and when."""

    who: str
    when: int
    what: str


class QuarantinedRecord(MessageRecord, frozen=True, kw_only=True):
    """A message in quarantine: why, what it shows (null unless it is a mail), and what each parser says to it.

    `kept` is whether its original bytes are still there.
    """

    kept: bool
    preview: PreviewRecord | None
    answers: list[AnswerRecord]
    history: list[Deed]


class ReadRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which parser is to read it; without one, the first that claims it."""

    parser: Annotated[str, msgspec.Meta(max_length=200)] = ""


class DiscardRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is discarded."""

    note: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class OutcomeRecord(msgspec.Struct, frozen=True):
    """What came of it: the alertgroups made, or the reason why it stays in quarantine."""

    message: int
    parser: str
    alertgroups: list[int]
    reason: str
    status: Literal["ok", "quarantined"]


class Moved(msgspec.Struct, frozen=True):
    """Where a message stands now."""

    message: int
    state: str
    status: str = "ok"


Second = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]


class ReparseRequest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "reader": "with"}
):
    """Which stored messages are read again: received from `from` on and before `to`, of a source, read by a parser.

    `with` names the parser that is to read them. A `dry_run` writes nothing; `send` sends what changed once more.
    """

    start: Second | None = None
    to: Second | None = None
    source: Annotated[str, msgspec.Meta(max_length=500)] = ""
    parser: Annotated[str, msgspec.Meta(max_length=200)] = ""
    reader: Annotated[str, msgspec.Meta(max_length=200)] = ""
    dry_run: bool = True
    send: bool = False


@described(
    "The messages in quarantine, or discarded from it, newest first.", Listed[MessageRecord], parameters=(*PAGE, STATE)
)
async def list_quarantine(request: Request) -> Response:
    """Kept, but not understood."""
    limit, before = page_of(request, "state")
    state = query_of(request).get("state", [again.QUARANTINED])[-1]
    if state not in (again.QUARANTINED, again.DISCARDED):
        raise Malformed(f"state={state[:40]} is not known: write quarantined or discarded.")

    def quarantine(tx: Tx) -> Any:
        found = [message_record(kept) for kept in message.quarantined(tx, limit, before, state)]
        return shapes.listed(found, message.quarantine_depth(tx, state))

    return await answer(request, quarantine)


@described("One message in quarantine: why, what is in it, and what each parser says.", QuarantinedRecord)
async def get_quarantined(request: Request) -> Response:
    """Opened and read in child processes; nothing in it is followed or fetched."""
    id, hub = path_id(request), web_of(request).hub

    def look() -> Response:
        kept = hub.store.read(lambda tx: message.get(tx, id))
        if kept.state not in (again.QUARANTINED, again.DISCARDED):
            raise NotFound(f"Message {id} does not stand in quarantine: it is {kept.state}.")
        past = hub.store.read(lambda tx: again.past(tx, id))
        try:
            original = hub.again.message(id)
        except NotFound:
            original = None
        seen = None if original is None else hub.again.preview(original)
        said = [] if original is None else hub.again.answers(original)
        return Json(
            QuarantinedRecord(
                **msgspec.structs.asdict(message_record(kept, [])),
                kept=original is not None,
                preview=None if seen is None else _preview(seen),
                answers=[answer_record(one) for one in said],
                history=[Deed(line.who, seconds(line.at), line.what) for line in past],
            )
        )

    return await run_in_threadpool(look)


@described("Read a message in quarantine again, with the parser that is named or the one that claims it.",
           OutcomeRecord, body=ReadRequest)  # fmt: skip
async def post_read(request: Request) -> Response:
    """It becomes alertgroups, which are sent on; or it stays, with the new reason."""
    id, wanted = path_id(request), decoded_as(await body_of(request), ReadRequest)
    hub, who = web_of(request).hub, principal_of(request).name
    return Json(_outcome(await run_in_threadpool(hub.again.read_again, id, who, wanted.parser)))


@described("Accept a message in quarantine: as the generic parser reads it, else as its text.", OutcomeRecord)
async def post_accept(request: Request) -> Response:
    """It leaves quarantine whatever it holds."""
    id, hub, who = path_id(request), web_of(request).hub, principal_of(request).name
    return Json(_outcome(await run_in_threadpool(hub.again.accept, id, who)))


@described("Take a message out of quarantine, with a note; it can be put back.", Moved, body=DiscardRequest)
async def post_discard(request: Request) -> Response:
    """Its original stays."""
    id, wanted = path_id(request), decoded_as(await body_of(request), DiscardRequest)
    hub, who = web_of(request).hub, principal_of(request).name
    await run_in_threadpool(hub.again.discard, id, who, wanted.note)
    return Json(Moved(id, again.DISCARDED))


@described("Put a discarded message back into quarantine.", Moved)
async def post_restore(request: Request) -> Response:
    """As if it had not been discarded; both are remembered."""
    id, hub, who = path_id(request), web_of(request).hub, principal_of(request).name
    await run_in_threadpool(hub.again.restore, id, who)
    return Json(Moved(id, again.QUARANTINED))


@described("An attachment of a mail, for download; numbers count from 0.", bytes, media="application/octet-stream")
async def get_attachment(request: Request) -> Response:
    """A stranger's bytes: never shown, never run."""
    id, text, hub = path_id(request), request.path_params["number"], web_of(request).hub
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise Malformed(f"{text[:40]!r} is no number of an attachment: they count from 0.")
    found = await run_in_threadpool(lambda: hub.again.enclosed(hub.again.message(id), int(text)))
    return download(found.name, found.body)


@described(
    "Read stored messages again; JSON lines tell each difference and how far it is.",
    str,
    media="application/x-ndjson",
    body=ReparseRequest,
)
async def post_reparse(request: Request) -> Response:
    """Each line is an object under `difference`, `progress`, or at the end `done` or `error_msg`."""
    wanted = decoded_as(await body_of(request), ReparseRequest)
    hub = web_of(request).hub
    if wanted.reader and wanted.reader not in [name for name, _ in hub.again.parsers]:
        raise Malformed(f"There is no parser {wanted.reader[:60]!r}: GET /api/v2/plugin lists them.")
    chosen = Selection(start=_micros(wanted.start), end=_micros(wanted.to), source=wanted.source, parser=wanted.parser)
    if "\0" in wanted.source + wanted.parser:
        raise Malformed("A name holds no NUL character.")
    wish = Wish(chosen=chosen, parser=wanted.reader, dry_run=wanted.dry_run, send=wanted.send)
    steps = Reparse(hub.store, hub.intake, hub.again, wish, principal_of(request).name).run()
    return StreamingResponse(_lines(steps), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})


def _lines(steps: Iterator[Difference | Progress]) -> Iterator[bytes]:
    told = 0.0
    last: Progress | None = None
    try:
        for step in steps:
            if isinstance(step, Difference):
                yield msgspec.json.encode({"difference": step}) + b"\n"
                continue
            last = step
            if time.monotonic() - told > TELL_EVERY_S:
                told = time.monotonic()
                yield msgspec.json.encode({"progress": step}) + b"\n"
    except StoreUnavailable as error:
        yield msgspec.json.encode({"error_msg": f"{error}; what was written stays, call again"}) + b"\n"
    except TocsinError as error:
        yield msgspec.json.encode({"error_msg": readable(str(error))}) + b"\n"
    else:
        yield msgspec.json.encode({"done": last}) + b"\n"


def _micros(at: int | None) -> Micros | None:
    return None if at is None else at * 1_000_000


def _outcome(outcome: Outcome) -> OutcomeRecord:
    status: Literal["ok", "quarantined"] = "quarantined" if outcome.reason else "ok"
    return OutcomeRecord(outcome.message, outcome.parser, list(outcome.alertgroups), readable(outcome.reason), status)


def _preview(seen: Preview) -> PreviewRecord:
    return PreviewRecord(
        headers=[Header(name, readable(value)) for name, value in seen.headers],
        text=readable(seen.text),
        html=readable(seen.html),
        links=[LinkSeen(link.subject, link.link) for link in seen.links],
        attachments=[
            AttachmentRecord(number, readable(one.name), one.media_type, one.size)
            for number, one in enumerate(seen.enclosed)
        ],
        notes=list(seen.notes),
        cut=seen.cut,
        reason=seen.reason,
    )


def answer_record(said: Answer) -> AnswerRecord:
    """A parser's answer as the API tells it."""
    groups = [
        GroupSeen(group.subject, list(group.columns), len(group.alerts), [row.data for row in group.alerts[:EXAMPLES]])
        for group in said.reading.groups
    ]
    return AnswerRecord(said.parser, said.reading.version, said.claims, groups, said.reading.reason)
