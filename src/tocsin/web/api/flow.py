"""Flows over the API: found by a query, one of them, those that an alertgroup names, and how many there are."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed, NotInstalled
from tocsin.flows import engine
from tocsin.flows.labelling.said import rows
from tocsin.flows.searching import counting, paging
from tocsin.flows.searching.asked import Asked, Order, asked
from tocsin.flows.searching.paging import MOST, Flow
from tocsin.flows.searching.warm import Said, Warm
from tocsin.query import dates
from tocsin.store import Tx, detected
from tocsin.web.answers import Json
from tocsin.web.api import shapes
from tocsin.web.api.alertgroup import standing
from tocsin.web.api.described import Parameter, described
from tocsin.web.api.parameters import only_known
from tocsin.web.api.shapes import Count, Id, Listed, seconds
from tocsin.web.notes import now_micros
from tocsin.web.reading import query_of
from tocsin.web.state import path_id, read, web_of

COUNTED = 10_000
"""So many flows are counted; where there are more, it is said that there are."""
_TEXT = {"type": "string"}
_WHOLE = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
_QUERY = (
    Parameter("query", "In the query language: src:10.0.0.0/8 and label:malicious. Empty for all.", _TEXT),
    Parameter("since", "Those that begin from then on: now-7d, 2026-05-04T12:00Z.", _TEXT),
    Parameter("until", "Those that begin before then.", _TEXT),
)
_PAGE = (
    *_QUERY,
    Parameter("order", "By their start; newest first if nothing is said.", {"enum": ["newest", "oldest"]}),
    Parameter("limit", f"At most so many, 50 if nothing is said, {MOST} at most.", _WHOLE),
    Parameter("after", "The `after` of the page before.", _TEXT),
)


class FlowRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A flow, or what was seen inside one. `flow` has its columns, times in microseconds since 1970.

    `id` is a text, for it is larger than what every reader of JSON takes for a whole number. A benign flow has neither
    alertgroup, alert nor category.
    """

    id: Annotated[str, msgspec.Meta(pattern="^[0-9]+$")]
    kind: str
    start: int | None
    label: str
    alertgroup: Id | None
    alert: Id | None
    category: str | None
    flow: dict[str, Any]


class Flows(msgspec.Struct, frozen=True, rename="camel"):
    """A page of flows. `totalRecordCount` is told with the first page, and counted up to a bound: `more` says so.

    `after` leads to the next page; it is empty on the last.
    """

    records: list[FlowRecord]
    query_record_count: Count
    total_record_count: Count | None
    more: bool
    after: str


class FlowBucket(msgspec.Struct, frozen=True):
    """What began in a stretch of time; `labelled` are those that an alert names."""

    start: int
    flows: Count
    labelled: Count


class FlowTimeline(msgspec.Struct, frozen=True):
    """Flows over time, in stretches of `step` seconds."""

    step: Annotated[int, msgspec.Meta(ge=1)]
    buckets: list[FlowBucket]


class FlowHost(msgspec.Struct, frozen=True, kw_only=True):
    """An address: flows it sent and was sent, bytes both ways, those that an alert names, and when."""

    address: str
    sent: Count
    received: Count
    bytes: int
    labelled: Count
    first_seen: int | None
    last_seen: int | None


def record(flow: Flow) -> FlowRecord:
    """A flow as the API tells it; of an alert's original line nothing, for that is a message."""
    start = flow.cells.get("start")
    return FlowRecord(
        id=str(flow.place),
        kind=flow.kind,
        start=None if start is None else seconds(start),
        label=flow.label,
        alertgroup=flow.alertgroup,
        alert=flow.alert,
        category=flow.category,
        flow={name: value for name, value in flow.cells.items() if name not in ("place", "event")},
    )


async def _told(request: Request, work: Callable[[Warm], Any]) -> Response:
    """Ask the flows, in a thread. Raises NotInstalled before anything else, for nothing can be told without."""
    if not engine.installed():
        raise NotInstalled(engine.MISSING)
    warm = web_of(request).hub.flows
    return await run_in_threadpool(lambda: Json(work(warm)))


@described("Flows that a query means, newest first, with their labels.", Flows, parameters=_PAGE, errors=(422, 501))
async def list_flows(request: Request) -> Response:
    """A page of them; none where none were imported."""
    wish = _Wish(query_of(request))
    return await _told(request, lambda warm: wish.page(warm, None))


@described("One flow with its label.", FlowRecord, errors=(422, 501))
async def get_flow(request: Request) -> Response:
    """By the `id` of its record."""
    id = path_id(request)
    only_known(query_of(request))
    return await _told(request, lambda warm: record(paging.flow(warm, id)))


@described(
    "Flows that an alertgroup names, as it stands now, also if it was closed as false.",
    Flows,
    parameters=_PAGE,
    errors=(422, 501),
)
async def get_of_alertgroup(request: Request) -> Response:
    """From what its alerts say, whether labels were brought up to date since or not."""
    id, wish = path_id(request), _Wish(query_of(request))
    names = web_of(request).hub.names

    def says(tx: Tx) -> Said:
        standing(tx, id)
        return Said(id, tuple(rows(detected.one(tx, id), names, frozenset())))

    said = await read(request, says)
    return await _told(request, lambda warm: wish.page(warm, said))


@described(
    "How many flows began when, all and labelled ones.",
    FlowTimeline,
    parameters=(*_QUERY, Parameter("buckets", "At most so many stretches of time, 100 if nothing is said.", _WHOLE)),
    errors=(422, 501),
)
async def get_timeline(request: Request) -> Response:
    """Over the span that the query asks for, as far as there are flows."""
    wish = _Wish(query_of(request), "buckets")
    most = wish.number("buckets", 100)

    def work(warm: Warm) -> FlowTimeline:
        found = counting.timeline(warm, wish.asked, buckets=most)
        buckets = [FlowBucket(seconds(each.start), each.flows, each.labelled) for each in found.buckets]
        return FlowTimeline(found.step // counting.SECOND, buckets)

    return await _told(request, work)


@described(
    "The addresses of flows: those with the most labelled flows first, then those with the most flows.",
    Listed[FlowHost],
    parameters=(*_QUERY, _PAGE[-2]),
    errors=(422, 501),
)
async def list_hosts(request: Request) -> Response:
    """What was seen inside a connection counts as well: alternative:no leaves it out."""
    wish = _Wish(query_of(request), "limit")

    def work(warm: Warm) -> Any:
        found = [
            FlowHost(
                address=one.address,
                sent=one.sent,
                received=one.received,
                bytes=one.bytes,
                labelled=one.labelled,
                first_seen=None if one.first is None else seconds(one.first),
                last_seen=None if one.last is None else seconds(one.last),
            )
            for one in counting.hosts(warm, wish.asked, limit=min(wish.number("limit", 50), MOST))
        ]
        return shapes.listed(found, len(found))

    return await _told(request, work)


class _Wish:
    """What a request asks for. Raises Malformed, BadQuery."""

    def __init__(self, query: Mapping[str, list[str]], *more: str) -> None:
        only_known(query, "query", "since", "until", *(more or ("order", "limit", "after")))
        self._said = {name: values[-1] for name, values in query.items()}
        self._now = now_micros()
        self.asked: Asked = asked(
            self._said.get("query", ""), self._now, since=self._time("since"), until=self._time("until")
        )

    def page(self, warm: Warm, said: Said | None) -> Flows:
        """A page, and with the first one how many there are."""
        after = self._said.get("after", "")
        page = paging.search(
            warm, self.asked, limit=self.number("limit", 50), after=after, order=self._order, said=said
        )
        total, more = (None if after else len(page.flows)), False
        if page.after and not after:
            count = counting.count(warm, self.asked, COUNTED, said=said)
            total, more = max(count.number, len(page.flows)), count.more
        return Flows(list(map(record, page.flows)), len(page.flows), total, more, page.after)

    def number(self, name: str, otherwise: int) -> int:
        """A whole number of the query."""
        text = self._said.get(name, str(otherwise))
        if text.isascii() and text.isdecimal() and len(text) <= 18 and int(text):
            return int(text)
        raise Malformed(f"{name} must be a whole number, 1 or more.")

    @property
    def _order(self) -> Order:
        said = self._said.get("order", "newest")
        orders: Mapping[str, Literal["newest", "oldest"]] = {"newest": "newest", "oldest": "oldest"}
        if said not in orders:
            raise Malformed("order must be newest or oldest.")
        return orders[said]

    def _time(self, name: str) -> int | None:
        said = self._said.get(name, "")
        if not said.strip():
            return None
        date = dates.canonical(said)
        if date is None:
            raise Malformed(f"{name} must be a date, as in now-7d or 2026-05-04T12:00Z.")
        return dates.bounds(date, self._now)[0]
