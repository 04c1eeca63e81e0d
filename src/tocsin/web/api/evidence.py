"""Evidence: how much of it there is with an alertgroup, what was raised from it, and sending one after all."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tocsin.rules.accumulate import ONE
from tocsin.store import Tx, heap
from tocsin.store.heap import Standing
from tocsin.web.answers import Json
from tocsin.web.api.alertgroup import standing
from tocsin.web.api.described import described
from tocsin.web.api.shapes import Count, Id, seconds
from tocsin.web.notes import now_micros
from tocsin.web.state import answer, path_id, principal_of, write

MOST = 10_000


class PieceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence in an alertgroup that was raised: the alert that it is a copy of, and what that weighed."""

    alert: Id
    alertgroup: Id
    weight: float


class EvidenceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How an alertgroup stands as evidence, and what it was raised from.

    `gathered` is below, raised or null. Of evidence, `weight` of `threshold` lies in the fullest heap that it is in,
    against `source` from `begun` to `ended`; `into` are the alertgroups that it was raised to. `made_of` counts the
    pieces that this alertgroup was raised from itself, the first 10,000 of which stand in `pieces`.
    """

    id: Id
    gathered: str | None
    rule: str
    source: str
    begun: int | None
    ended: int | None
    weight: float
    threshold: float
    into: list[Id]
    made_of: Count
    pieces: list[PieceRecord]


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """The destinations that it is owed to now."""

    id: Id
    lanes: list[str]
    status: str = "ok"


@described("How much evidence there is with an alertgroup, and what it was raised from.", EvidenceRecord)
async def get_evidence(request: Request) -> Response:
    """As it stands now."""
    id = path_id(request)

    def work(tx: Tx) -> EvidenceRecord:
        known = standing(tx, id)
        one = heap.of_groups(tx, [id]).get(id, Standing())
        pieces, count = heap.pieces(tx, id, MOST)
        return EvidenceRecord(
            id=id,
            gathered=known.gathered,
            rule=one.rule,
            source=one.source,
            begun=seconds(one.begun) if one.threshold else None,
            ended=seconds(one.begun + one.width) if one.threshold else None,
            weight=one.weight / ONE,
            threshold=one.threshold / ONE,
            into=list(one.into),
            made_of=count,
            pieces=[PieceRecord(alert=p.alert, alertgroup=p.alertgroup, weight=p.weight / ONE) for p in pieces],
        )

    return await answer(request, work)


@described("Send a piece of evidence of which there is not enough; it is listed from then on.", Sent)
async def post_send(request: Request) -> Response:
    """To the destinations that the routes chose when it came. It goes on counting as evidence."""
    id, who, now = path_id(request), principal_of(request).name, now_micros()
    return Json(Sent(id=id, lanes=await write(request, lambda tx: heap.send(tx, id, who, now))))
