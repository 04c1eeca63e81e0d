"""Recalls over the API: take back what was sent, or see first what that would do."""

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tocsin.store import Tx, recall
from tocsin.store.recall import Fate, Toward
from tocsin.web import recalling
from tocsin.web.answers import Json
from tocsin.web.api import shapes
from tocsin.web.api.alertgroup import standing
from tocsin.web.api.changes import AnyId, decoded_as
from tocsin.web.api.described import described
from tocsin.web.api.ledger import seconds_or_none
from tocsin.web.api.shapes import Id, Listed, seconds
from tocsin.web.notes import now_micros
from tocsin.web.state import answer, body_of, path_id, principal_of, read, web_of, write

Reason = Annotated[str, msgspec.Meta(max_length=recalling.LONGEST_REASON, description="Those who have it read this.")]
To = Annotated[list[str], msgspec.Meta(description="The names of destinations; none: all.")]


class NewRecall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an alertgroup is taken back, and from whom; with `dry_run` nothing is changed."""

    reason: Reason = ""
    to: To = []
    dry_run: bool = False


class NewRecalls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same for several alertgroups."""

    alertgroups: Annotated[list[AnyId], msgspec.Meta(min_length=1, max_length=1000)]
    reason: Reason = ""
    to: To = []
    dry_run: bool = False


class TowardRecord(msgspec.Struct, frozen=True):
    """What a recall does at one destination; `sent` is when the alertgroup was delivered there last.

    `told`: a correction is owed to it. `cannot be told`: it has the alertgroup and understands no correction, so a
    person has to say it. `held back`: nothing was sent there, and nothing will be. `told before`: it knows already.
    """

    alertgroup: Id
    to: str
    fate: Fate
    sent: int | None


class RecallRecord(msgspec.Struct, frozen=True):
    """That an alertgroup was taken back; `to` empty: from all."""

    id: Id
    alertgroup: Id
    who: str
    when: int
    reason: str
    to: list[str]


class Done(msgspec.Struct, frozen=True):
    """What was done, or would be."""

    records: list[TowardRecord]
    dry_run: bool
    status: str = "ok"


@described("Take an alertgroup back from those who have it.", Done, body=NewRecall, errors=(422,))
async def post_of_group(request: Request) -> Response:
    """Through the same lanes; what is not sent yet is not sent."""
    said = decoded_as(await body_of(request), NewRecall)
    return await _done(
        request, NewRecalls(alertgroups=[path_id(request)], reason=said.reason, to=said.to, dry_run=said.dry_run)
    )


@described("Take alertgroups back from those who have them.", Done, body=NewRecalls, errors=(404, 422))
async def post_recall(request: Request) -> Response:
    """All of them or, where one is not there, none."""
    return await _done(request, decoded_as(await body_of(request), NewRecalls))


@described("How often an alertgroup was taken back, and why; oldest first.", Listed[RecallRecord])
async def get_of_group(request: Request) -> Response:
    """Empty for nearly all."""
    id = path_id(request)

    def recalls(tx: Tx) -> object:
        standing(tx, id)
        found = [
            RecallRecord(one.id, one.alertgroup, one.who, seconds(one.at), one.reason, one.lanes)
            for one in recall.of_group(tx, id)
        ]
        return shapes.listed(found, len(found))

    return await answer(request, recalls)


async def _done(request: Request, said: NewRecalls) -> Response:
    hub, who, now = web_of(request).hub, principal_of(request).name, now_micros()
    if said.dry_run:
        found = await read(request, lambda tx: recalling.rehearsed(tx, hub, said.alertgroups, said.to))
    else:
        found = await write(
            request, lambda tx: recalling.recalled(tx, hub, said.alertgroups, said.reason, said.to, who, now)
        )
    return Json(Done([_record(one) for one in found], said.dry_run))


def _record(one: Toward) -> TowardRecord:
    return TowardRecord(one.alertgroup, one.lane, one.fate, seconds_or_none(one.sent))
