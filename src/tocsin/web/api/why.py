"""Why an alertgroup went where it went."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tocsin.store import Tx, delivery, rule
from tocsin.web.api.alertgroup import standing
from tocsin.web.api.described import described
from tocsin.web.api.shapes import Id, seconds
from tocsin.web.state import answer, path_id


class ReasonRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that meant the alertgroup, and what it did; `kind` is route, collection, silence, accumulate or default.

    `id` is that of a silence.
    """

    kind: str
    name: str
    said: str
    id: int | None


class OwedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A destination and how its delivery stands."""

    lane: str
    delivery: int
    state: str
    due: int


class WhyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Which rules meant an alertgroup, in the order in which they were asked, and who is owed it.

    `rules` is empty for one that came before there were any. `silences` held it back from a destination.
    """

    id: Id
    rules: list[ReasonRecord]
    owed: list[OwedRecord]
    silences: list[int]
    folded_into: int | None


@described("Why an alertgroup went where it went: the rules that meant it, in order.", WhyRecord)
async def get_why(request: Request) -> Response:
    """As it was decided when it came; the deliveries as they stand now."""
    id = path_id(request)

    def why(tx: Tx) -> WhyRecord:
        known = standing(tx, id)
        return WhyRecord(
            id=id,
            rules=[
                ReasonRecord(kind=one.kind, name=one.name, said=one.said, id=one.id or None) for one in rule.why(tx, id)
            ],
            owed=[
                OwedRecord(lane=one.lane, delivery=one.id, state=one.state, due=seconds(one.due))
                for one in delivery.of_groups(tx, [id])[id]
                if one.kind == "alert"
            ],
            silences=rule.of_group(tx, id),
            folded_into=known.folded_into,
        )

    return await answer(request, why)
