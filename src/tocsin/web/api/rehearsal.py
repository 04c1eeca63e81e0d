"""Rehearsals over the API: what a query or a way of folding would have done, before it is switched on."""

import time
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tocsin.errors import TocsinError
from tocsin.indexing import rehearsal
from tocsin.indexing.regathering import Heap, Regathered, regather
from tocsin.indexing.rehearsal import LONGEST_DAYS, Refolded, Rehearsed, Sample
from tocsin.rules.accumulate import ONE
from tocsin.web import ruling
from tocsin.web.answers import readable
from tocsin.web.api.changes import decoded_as
from tocsin.web.api.described import described
from tocsin.web.api.shapes import Count, Id, seconds
from tocsin.web.notes import now_micros
from tocsin.web.state import answer, body_of, web_of

Days = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_DAYS)]
TELL_EVERY_S = 0.2


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query to try over the last days."""

    query: Annotated[str, msgspec.Meta(max_length=ruling.LONGEST_QUERY)]
    days: Days = 7


class FoldTrial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way of folding to try: a label of a source and the options of `[repeats.LABEL]`."""

    label: str
    options: dict[str, Any] = {}
    days: Days = 7


class GatherTrial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way of gathering to try: options of `[accumulate.NAME]`, over those that the rule has, if there is one."""

    name: str = ""
    options: dict[str, Any] = {}
    days: Days = 7


class SampleRecord(msgspec.Struct, frozen=True):
    """One that is meant; `times` is how often it would have come, where folding was tried."""

    id: Id
    when: int
    subject: str
    status: str
    times: int = 1


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a query would have meant, by what became of it until today; the newest as samples.

    `more`: no more than 100,000 of a status were counted. `since_then` names what the query asks for and may have been
    different when the alertgroups came.
    """

    query: str
    days: int
    matched: Count
    open: Count
    closed: Count
    promoted: Count
    folded: Count
    more: bool
    samples: list[SampleRecord]
    since_then: list[str]


@described(
    "What a route's or silence's query would have meant over the last days.", TrialRecord, body=Trial, errors=(422,)
)
async def post_try(request: Request) -> Response:
    """Nothing is changed by it."""
    wanted, now = decoded_as(await body_of(request), Trial), now_micros()
    return await answer(request, lambda tx: _record(rehearsal.rehearse(tx, wanted.query, wanted.days, now)))


@described(
    "What folding would have done over the last days; JSON lines tell how far it is.",
    str,
    media="application/x-ndjson",
    body=FoldTrial,
)
async def post_fold(request: Request) -> Response:
    """Each line is an object under `progress`, or at the end `done` or `error_msg`."""
    wanted, now, hub = decoded_as(await body_of(request), FoldTrial), now_micros(), web_of(request).hub
    rules = ruling.folding(hub, wanted.label, wanted.options)
    steps = rehearsal.refold(hub.store, wanted.label, rules, hub.names, wanted.days, now)
    return StreamingResponse(_lines(steps), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})


@described(
    "What accumulating evidence would have raised over the last days; JSON lines tell how far it is.",
    str,
    media="application/x-ndjson",
    body=GatherTrial,
)
async def post_accumulate(request: Request) -> Response:
    """Each line is an object under `progress`, or at the end `done` or `error_msg`."""
    wanted, now, hub = decoded_as(await body_of(request), GatherTrial), now_micros(), web_of(request).hub
    rule = ruling.accumulating(hub, wanted.name, wanted.options)
    steps = regather(hub.store, rule, hub.names, wanted.days, now)
    return StreamingResponse(_lines(steps), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})


def _lines(steps: Iterator[Refolded] | Iterator[Regathered]) -> Iterator[bytes]:
    told = 0.0
    last: Refolded | Regathered | None = None
    try:
        for last in steps:
            if time.monotonic() - told > TELL_EVERY_S:
                told = time.monotonic()
                yield _line("progress", last)
    except TocsinError as error:
        yield msgspec.json.encode({"error_msg": readable(str(error))}) + b"\n"
    else:
        yield _line("done", last)


def _line(kind: str, step: Refolded | Regathered | None) -> bytes:
    told: dict[str, Any] | None = None
    if isinstance(step, Refolded):
        told = msgspec.structs.asdict(step) | {"samples": _samples(step.samples)}
    elif step is not None:
        told = _regathered(step)
    return msgspec.json.encode({kind: told}) + b"\n"


def _regathered(step: Regathered) -> dict[str, Any]:
    return msgspec.structs.asdict(step) | {
        "threshold": step.threshold / ONE,
        "samples": [_heap(one) for one in step.samples],
        "fullest": [_heap(one) for one in step.fullest],
    }


def _heap(one: Heap) -> dict[str, Any]:
    times = {"begun": seconds(one.begun), "ended": seconds(one.ended)}
    return msgspec.structs.asdict(one) | times | {"weight": one.weight / ONE}


def _record(found: Rehearsed) -> TrialRecord:
    told = msgspec.structs.asdict(found)
    return TrialRecord(**told | {"samples": _samples(found.samples), "since_then": list(found.since_then)})


def _samples(samples: tuple[Sample, ...]) -> list[SampleRecord]:
    return [SampleRecord(one.id, seconds(one.received), one.subject, one.status, one.times) for one in samples]
