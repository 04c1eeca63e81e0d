"""Replays over the API: begin one, look at what it would do first, follow it, stop it, let it go on."""

from typing import Annotated, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tocsin.delivery import replaying
from tocsin.model import Micros
from tocsin.store import Tx, replay
from tocsin.store.replay import Replay, State, Wish
from tocsin.web import ruling
from tocsin.web.answers import Json
from tocsin.web.api import shapes
from tocsin.web.api.changes import decoded_as
from tocsin.web.api.described import described
from tocsin.web.api.ledger import PAGE, page_of
from tocsin.web.api.shapes import Count, Id, Listed, seconds
from tocsin.web.notes import now_micros
from tocsin.web.state import answer, body_of, path_id, principal_of, web_of, write

Time = Annotated[
    str, msgspec.Meta(max_length=100, description="As in a query: now-7d, 2026-05-04, 2026-05-04T12:00Z; empty: none.")
]
RATE = "At most so many: 50/s, 100/min or 1000/h; 0 is as fast as the lane sends; empty is 50/s."


class NewReplay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """What to send where: of what is stored now, what the query means and was received from `from` to before `until`.

    What the destination was delivered already is left out unless `again`, repeats that are folded unless `folded`.
    """

    to: Annotated[str, msgspec.Meta(description="The name of a destination.")]
    query: Annotated[str, msgspec.Meta(max_length=ruling.LONGEST_QUERY)] = ""
    start: Time = ""
    until: Time = ""
    rate: Annotated[str, msgspec.Meta(max_length=40, description=RATE)] = ""
    again: bool = False
    folded: bool = False


class ReplayLine(msgspec.Struct, frozen=True):
    """What was done to a replay, by whom and when."""

    who: str
    when: int
    what: str


class ReplayRecord(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from"}):
    """A replay. `cursor` is the last alertgroup it has looked at, `upto` the last one it will look at.

    `owed` were handed to the destination's lane, `delivered` left out since they were delivered already, `under_way`
    since they are being sent. `note` says why it is paused, `waits` what a running one waits for at the moment.
    """

    id: Id
    who: str
    to: str
    query: str
    start: int | None
    until: int | None
    rate: str
    again: bool
    folded: bool
    state: State
    note: str
    waits: str
    cursor: Count
    upto: Count
    owed: Count
    delivered: Count
    under_way: Count
    created: int
    updated: int
    history: list[ReplayLine] = []


class SampleRecord(msgspec.Struct, frozen=True):
    """An alertgroup that would be sent or withheld, and which of the two."""

    id: Id
    when: int
    subject: str
    fate: str


class TriedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay would do now; nothing was made.

    `withheld` is what the gate would not let out as it stands. `more`: it was counted no further. `waiting`: some
    alertgroups wait to be indexed and are not counted; a replay waits for them.
    """

    to: str
    matched: Count
    sent: Count
    withheld: Count
    delivered: Count
    under_way: Count
    more: bool
    waiting: bool
    samples: list[SampleRecord]


def _maybe(at: Micros | None) -> int | None:
    return None if at is None else seconds(at)


def _record(request: Request, tx: Tx, known: Replay) -> ReplayRecord:
    wish = known.wish
    waits = web_of(request).hub.replayer.waits.get(known.id, "") if known.state == "running" else ""
    return ReplayRecord(
        **{name: getattr(known, name) for name in ("id", "who", "state", "note", "cursor", "upto", "owed")},
        **{name: getattr(known, name) for name in ("delivered", "under_way")},
        **{name: getattr(wish, name) for name in ("query", "rate", "again", "folded")},
        to=wish.lane,
        start=_maybe(wish.starts),
        until=_maybe(wish.ends),
        waits=waits,
        created=seconds(known.created),
        updated=seconds(known.changed),
        history=[ReplayLine(line.who, seconds(line.at), line.what) for line in replay.past(tx, known.id)],
    )


async def _wished(request: Request) -> Wish:
    said, now = decoded_as(await body_of(request), NewReplay), now_micros()
    wish = Wish(
        lane=said.to,
        query=said.query,
        starts=replaying.moment("from", said.start, now),
        ends=replaying.moment("until", said.until, now),
        rate=said.rate,
        again=said.again,
        folded=said.folded,
    )
    return replaying.wanted(web_of(request).hub.wiring.destinations, wish)


@described("All replays, newest first.", Listed[ReplayRecord], parameters=PAGE)
async def list_replays(request: Request) -> Response:
    """Those that are over too."""
    limit, before = page_of(request)

    def replays(tx: Tx) -> Any:
        found = [_record(request, tx, known) for known in replay.listing(tx, limit, before)]
        return shapes.listed(found, replay.count(tx))

    return await answer(request, replays)


@described("Send stored alertgroups again, or for the first time.", ReplayRecord, body=NewReplay, errors=(422,))
async def post_replay(request: Request) -> Response:
    """Answers at once; the server works on it from then on, and goes on with it when it starts again."""
    wish, hub = await _wished(request), web_of(request).hub
    id = await run_in_threadpool(replaying.begin, hub.store, wish, principal_of(request).name, now_micros())
    return await _awake(request, id)


@described("What a replay would do: how many, and three samples.", TriedRecord, body=NewReplay, errors=(422,))
async def post_try(request: Request) -> Response:
    """Nothing is changed by it."""
    wish, hub = await _wished(request), web_of(request).hub

    def tried(tx: Tx) -> TriedRecord:
        found = replaying.rehearse(tx, wish, hub.gate, now_micros())._asdict()
        found["samples"] = [
            SampleRecord(one.id, seconds(one.received), one.subject, one.fate) for one in found["samples"]
        ]
        return TriedRecord(to=wish.lane, **found)

    return await answer(request, tried)


@described("One replay, and how far it is.", ReplayRecord)
async def get_replay(request: Request) -> Response:
    """With what was done to it."""
    id = path_id(request)
    return await answer(request, lambda tx: _record(request, tx, replay.get(tx, id)))


@described("Stop a replay: nothing more is owed by it. What is due already is sent.", ReplayRecord)
async def post_stop(request: Request) -> Response:
    """It can be resumed."""
    id, who = path_id(request), principal_of(request).name
    await write(request, lambda tx: replay.stop(tx, id, who, now_micros()))
    return await _awake(request, id)


@described("Let a replay that was stopped or paused go on where it was.", ReplayRecord)
async def post_resume(request: Request) -> Response:
    """What it has looked at, it does not look at again."""
    id, who = path_id(request), principal_of(request).name
    await write(request, lambda tx: replay.resume(tx, id, who, now_micros()))
    return await _awake(request, id)


async def _awake(request: Request, id: int) -> Response:
    web_of(request).hub.replayer.wake()
    found = await run_in_threadpool(web_of(request).hub.store.read, lambda tx: _record(request, tx, replay.get(tx, id)))
    return Json(found)
