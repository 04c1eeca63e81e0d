"""Lanes for programs: how each fares, pause and resume, test, decide about what is parked, drain."""

from typing import Annotated, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed
from tocsin.store import Tx, delivery
from tocsin.web.answers import Json
from tocsin.web.api import shapes
from tocsin.web.api.changes import decoded_as
from tocsin.web.api.described import Parameter, described
from tocsin.web.api.ledger import PAGE, Decided, DeliveryRecord, owed_record, page_of, seconds_or_none
from tocsin.web.api.parameters import only_known
from tocsin.web.api.shapes import Listed
from tocsin.web.lanes import Lane, decide_all, drained, lane_of, lanes_of
from tocsin.web.notes import now_micros
from tocsin.web.reading import query_of
from tocsin.web.state import answer, body_of, principal_of, read, web_of, write

MOST_S = 20.0
"""A request drains for so long; what is left is for the next."""
HISTORY = 100


class LaneRecord(msgspec.Struct, frozen=True):
    """A destination's queue. `failed` stand parked now; `failures` counts all that were ever parked.

    `oldest` is when the oldest that is still owed became so. A lane that is not `configured` sends no more. `state` is
    paused, hung, resting, failing, parked (holds failed deliveries), flowing, at rest or not configured; `until` is
    when a rest ends, or since when a call hangs. `per_minute` were delivered in the last minute by this server. Of
    what was `skipped` there was nothing to send. `drained` is the size in bytes of the file the lane was drained into.
    """

    name: str
    configured: bool
    paused: bool
    state: str
    until: int | None
    due: int
    sending: int
    failed: int
    delivered: int
    withheld: int
    skipped: int
    failures: int
    per_minute: int
    oldest: int | None
    last_success: int | None
    last_error: str
    last_error_at: int | None
    drained: int


class LaneChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold a lane, or let it go on."""

    paused: bool


class Test(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long to wait for the answer."""

    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=50)] = 20.0


class Tested(msgspec.Struct, frozen=True):
    """What came of a test: delivered, failed (refused), retry (unreachable), withheld or unanswered; and in words."""

    outcome: str
    detail: str
    remote_id: str
    took_ms: float


class Drain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is taken out of the lane: what it owes, or what is parked in it."""

    parked: bool = False


class DrainedRecord(msgspec.Struct, frozen=True):
    """What a request drained; `more` says to ask again. `size` is that of the whole file, in bytes."""

    written: int
    withheld: int
    failed: int
    more: bool
    size: int


class LaneHistory(msgspec.Struct, frozen=True):
    """What a person did to a lane."""

    when: int
    who: str
    what: str


class Removed(msgspec.Struct, frozen=True):
    """The file is gone."""

    status: str = "ok"


def _record(request: Request, lane: Lane) -> LaneRecord:
    known, activity = lane.known, lane.activity
    return LaneRecord(
        name=known.name,
        configured=activity is not None,
        paused=known.paused,
        state=lane.state,
        until=seconds_or_none(lane.until),
        due=known.due,
        sending=known.sending,
        failed=known.failed,
        delivered=known.delivered,
        withheld=known.withheld,
        skipped=known.skipped,
        failures=known.failures,
        per_minute=0 if activity is None else activity.per_minute,
        oldest=seconds_or_none(known.oldest),
        last_success=seconds_or_none(known.last_success),
        last_error=known.last_error,
        last_error_at=seconds_or_none(known.last_error_at),
        drained=web_of(request).hub.drains.size(known.name),
    )


def _name(request: Request) -> str:
    name: str = request.path_params["name"]
    return name


def _one(request: Request, tx: Tx) -> LaneRecord:
    return _record(request, lane_of(web_of(request).hub, tx, _name(request)))


@described("Every lane: depth, age, rate, state, last success and last error.", Listed[LaneRecord])
async def list_lanes(request: Request) -> Response:
    """How each destination fares."""

    def lanes(tx: Tx) -> Any:
        found = [_record(request, lane) for lane in lanes_of(web_of(request).hub, tx).values()]
        return shapes.listed(found, len(found))

    return await answer(request, lanes)


@described("One lane.", LaneRecord)
async def get_lane(request: Request) -> Response:
    """How one destination fares."""
    return await answer(request, lambda tx: _one(request, tx))


@described("Pause or resume a lane; what it is owed stays due.", LaneRecord, body=LaneChange)
async def put_lane(request: Request) -> Response:
    """Hold it, or let it go on."""
    name, who, now = _name(request), principal_of(request).name, now_micros()
    change = decoded_as(await body_of(request), LaneChange)
    await read(request, lambda tx: _one(request, tx))
    await write(request, lambda tx: delivery.hold(tx, name, change.paused, who, now))
    return await answer(request, lambda tx: _one(request, tx))


@described("What people did to a lane, newest first, 100 at most.", Listed[LaneHistory])
async def get_history(request: Request) -> Response:
    """Who paused it, and when."""

    def past(tx: Tx) -> Any:
        _one(request, tx)
        lines = delivery.past(tx, _name(request), HISTORY)
        return shapes.listed([LaneHistory(line.at // 1_000_000, line.who, line.what) for line in lines], len(lines))

    return await answer(request, past)


@described("The deliveries of a lane that are parked as failed, newest first.", Listed[DeliveryRecord], parameters=PAGE)
async def list_parked(request: Request) -> Response:
    """What a person has to look at."""
    name, (limit, before) = _name(request), page_of(request)

    def parked(tx: Tx) -> Any:
        lane = _one(request, tx)
        return shapes.listed([owed_record(one) for one in delivery.parked(tx, name, limit, before)], lane.failed)

    return await answer(request, parked)


@described("Make all parked deliveries of a lane due at once.", Decided)
async def retry_parked(request: Request) -> Response:
    """Try all again."""
    return await _all(request, "retry")


@described("Give up all parked deliveries of a lane; they stay in the ledger as dropped.", Decided)
async def drop_parked(request: Request) -> Response:
    """Let all go."""
    return await _all(request, "drop")


async def _all(request: Request, what: str) -> Response:
    name, who, hub = _name(request), principal_of(request).name, web_of(request).hub
    await read(request, lambda tx: _one(request, tx))
    return Json(Decided(await run_in_threadpool(decide_all, hub, name, what, who)))


@described("Send a marked test alertgroup (TLP CLEAR) past the queue; nothing is stored of it.", Tested, body=Test)
async def post_test(request: Request) -> Response:
    """What the destination says to it."""
    asked = decoded_as(await body_of(request) or b"{}", Test)
    name, who, hub, now = _name(request), principal_of(request).name, web_of(request).hub, now_micros()
    told = await run_in_threadpool(hub.lanes.test, name, asked.timeout_s)
    await write(request, lambda tx: delivery.note(tx, name, who, now, f"sent a test: {told.outcome}, {told.words}"))
    return Json(Tested(told.outcome, told.words, told.remote_id, told.took / 1000))


@described(
    "Write what a lane owes, or what is parked in it, as JSON lines into a file of the data folder, through the gate, "
    "and settle each line as delivered once it is on disk. Works for 20 seconds; ask again while `more` is true.",
    DrainedRecord,
    body=Drain,
    errors=[503],
)
async def post_drain(request: Request) -> Response:
    """Empty it."""
    asked = decoded_as(await body_of(request) or b"{}", Drain)
    name, who, hub = _name(request), principal_of(request).name, web_of(request).hub
    await read(request, lambda tx: _one(request, tx))
    done = await run_in_threadpool(hub.drains.run, name, asked.parked, who, MOST_S)
    return Json(DrainedRecord(done.written, done.withheld, done.failed, done.more, hub.drains.size(name)))


@described("The file that a lane was drained into: a JSON object a line.", bytes, media="application/x-ndjson")
async def get_drained(request: Request) -> Response:
    """What was drained."""
    return await run_in_threadpool(drained, web_of(request).hub, _name(request))


@described(
    "Remove the file that a lane was drained into, once you have it: `size` is how many bytes you have.",
    Removed,
    parameters=[Parameter("size", "Bytes of the file as downloaded.", {"type": "integer", "minimum": 0})],
    errors=[409],
)
async def delete_drained(request: Request) -> Response:
    """It grew meanwhile: 409."""
    query = query_of(request)
    only_known(query, "size")
    text = query.get("size", [""])[-1]
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Malformed("size is a whole number: how many bytes you have.")
    hub, who = web_of(request).hub, principal_of(request).name
    await run_in_threadpool(hub.drains.remove, _name(request), int(text), who)
    return Json(Removed())
