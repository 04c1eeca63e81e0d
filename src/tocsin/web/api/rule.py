"""Routes and silences over the API, what a silence held back, and what was done to them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tocsin.app import Hub
from tocsin.errors import Malformed
from tocsin.model import Micros, Route, Silence
from tocsin.rules import spans
from tocsin.rules.routes import active
from tocsin.store import Tx, alertgroup, rule
from tocsin.store.rule import Line, RouteLine, SilenceLine
from tocsin.web import ruling
from tocsin.web.answers import Json
from tocsin.web.api import shapes
from tocsin.web.api.changes import AnyId, decoded_as
from tocsin.web.api.described import Parameter, described
from tocsin.web.api.ledger import PAGE, page_of
from tocsin.web.api.parameters import only_known
from tocsin.web.api.shapes import AlertgroupRecord, Id, Listed, seconds
from tocsin.web.notes import now_micros
from tocsin.web.reading import query_of
from tocsin.web.state import answer, body_of, path_id, principal_of, web_of, write

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=ruling.LONGEST_NAME)]
Query = Annotated[
    str, msgspec.Meta(max_length=ruling.LONGEST_QUERY, description="In the query language; empty: every alertgroup.")
]
To = Annotated[list[str], msgspec.Meta(max_length=1000, description="Names of destinations.")]
Every = Annotated[str, msgspec.Meta(description="A digest every so often: 15m, 1h or 1d; empty sends at once.")]
Time = Annotated[
    int | str | None, msgspec.Meta(description="Seconds since 1970, or a date as in a query: now+4h, 2026-05-04T12:00.")
]
Again = Annotated[
    str, msgspec.Meta(description="Certain hours alone: mon-fri 22:00-06:00 Europe/Prague; empty: always.")
]
Reason = Annotated[str, msgspec.Meta(max_length=ruling.LONGEST_TEXT)]
ALL = Parameter("over", "With 1, those that are over too.", {"type": "integer", "enum": [0, 1]})


class RouteRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A route, asked in the order of the list. One that is `configured` stands in tocsin.toml and has no id."""

    id: int | None
    name: str
    query: str
    to: list[str]
    every: str
    last: bool
    active: bool
    configured: bool
    owner: str
    created: int | None


class NewRoute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A route, asked after all others. `last`: no later route is asked about what this one means."""

    name: Name
    query: Query = ""
    to: To
    every: Every = ""
    last: bool = False
    active: bool = True


class RouteChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; the rest stays. `before`: the id of the route that is to be asked next; 0 makes it the last."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    query: Query | msgspec.UnsetType = msgspec.UNSET
    to: To | msgspec.UnsetType = msgspec.UNSET
    every: Every | msgspec.UnsetType = msgspec.UNSET
    last: bool | msgspec.UnsetType = msgspec.UNSET
    active: bool | msgspec.UnsetType = msgspec.UNSET
    before: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | msgspec.UnsetType = msgspec.UNSET


class SilenceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A silence. `state` is standing, coming or over; `holding`: whether it holds back at this very moment.

    `to` is empty for every destination; `held` counts the alertgroups it held back.
    """

    id: Id
    name: str
    query: str
    to: list[str]
    owner: str
    reason: str
    starts: int
    ends: int | None
    recurrence: str
    state: Literal["standing", "coming", "over"]
    holding: bool
    created: int
    ended: int | None
    held: int
    last_held: int | None


class NewSilence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A silence. Without `starts` it holds at once, without `ends` until somebody ends it; `owner` is who makes it."""

    name: Name
    query: Query
    to: To = []
    owner: Annotated[str, msgspec.Meta(max_length=ruling.LONGEST_NAME)] = ""
    reason: Reason = ""
    starts: Time = None
    ends: Time = None
    recurrence: Again = ""


class SilenceChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; the rest stays. `ends` null: until somebody ends it."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    query: Query | msgspec.UnsetType = msgspec.UNSET
    to: To | msgspec.UnsetType = msgspec.UNSET
    owner: Annotated[str, msgspec.Meta(max_length=ruling.LONGEST_NAME)] | msgspec.UnsetType = msgspec.UNSET
    reason: Reason | msgspec.UnsetType = msgspec.UNSET
    starts: Time | msgspec.UnsetType = msgspec.UNSET
    ends: Time | msgspec.UnsetType = msgspec.UNSET
    recurrence: Again | msgspec.UnsetType = msgspec.UNSET


class DeedRecord(msgspec.Struct, frozen=True):
    """What was done to a rule, by whom and when."""

    who: str
    when: int
    what: str


class Removed(msgspec.Struct, frozen=True):
    """What is gone; its history stays."""

    id: AnyId
    status: str = "ok"


def _made(line: RouteLine) -> RouteRecord:
    return _route(line.route, id=line.id, active=line.active, owner=line.owner, created=seconds(line.created))


def _route(
    route: Route, *, id: int | None = None, active: bool = True, owner: str = "", created: int | None = None
) -> RouteRecord:
    return RouteRecord(
        id=id,
        name=route.name,
        query=route.query,
        to=list(route.to),
        every=spans.written(route.every),
        last=route.last,
        active=active,
        configured=id is None,
        owner=owner,
        created=created,
    )


def _silence(line: SilenceLine, now: Micros) -> SilenceRecord:
    known = line.silence
    over = line.over(now)
    return SilenceRecord(
        **{name: getattr(known, name) for name in ("id", "name", "query", "owner", "reason", "recurrence")},
        to=list(known.to),
        starts=seconds(known.starts),
        ends=None if known.ends is None else seconds(known.ends),
        state="over" if over else "coming" if known.starts > now else "standing",
        holding=not over and active(known, spans.recurrence(known.recurrence), now),
        created=seconds(line.created),
        ended=None if line.ended is None else seconds(line.ended),
        held=line.held,
        last_held=None if line.last_held is None else seconds(line.last_held),
    )


@described("All routes in the order in which they are asked; those of the configuration first.", Listed[RouteRecord])
async def list_routes(request: Request) -> Response:
    """Without any, every destination is owed everything."""
    configured = [_route(one) for one in _hub(request).config.routing()]

    def routes(tx: Tx) -> Any:
        found = [*configured, *map(_made, rule.routes(tx))]
        return shapes.listed(found, len(found))

    return await answer(request, routes)


@described("Make a route, asked after all others.", RouteRecord, body=NewRoute, errors=(409, 422))
async def post_route(request: Request) -> Response:
    """It decides about what comes from now on."""
    wanted, who, now = decoded_as(await body_of(request), NewRoute), principal_of(request).name, now_micros()
    every = ruling.often(wanted.every)
    route = Route(name=wanted.name, query=wanted.query, to=tuple(wanted.to), every=every, last=wanted.last)
    kept = ruling.route_of(_hub(request), route)

    def work(tx: Tx) -> RouteLine:
        return rule.route(tx, rule.put_route(tx, kept, who, now, active=wanted.active))

    return Json(_made(await write(request, work)))


@described("Change a route, its place in the order, or whether it is asked.", RouteRecord, body=RouteChange,
           errors=(409, 422))  # fmt: skip
async def put_route(request: Request) -> Response:
    """What is not named stays as it is."""
    id, who, now, hub = path_id(request), principal_of(request).name, now_micros(), _hub(request)
    said = _said(decoded_as(await body_of(request), RouteChange))
    before, on = said.pop("before", None), said.pop("active", None)
    if "every" in said:
        said["every"] = ruling.often(said["every"])
    if "to" in said:
        said["to"] = tuple(said["to"])

    def work(tx: Tx) -> RouteLine:
        known = rule.route(tx, id)
        if said:
            kept = ruling.route_of(hub, msgspec.structs.replace(known.route, **said))
            rule.put_route(tx, kept, who, now, id, active=known.active)
        if on is not None and on != known.active:
            rule.switch_route(tx, id, on, who, now)
        if before is not None:
            if before:
                rule.route(tx, before)
            rule.move_route(tx, id, before, who, now)
        return rule.route(tx, id)

    return Json(_made(await write(request, work)))


@described("Remove a route; what it sent stays sent.", Removed)
async def delete_route(request: Request) -> Response:
    """Its history stays."""
    id, who, now = path_id(request), principal_of(request).name, now_micros()
    await write(request, lambda tx: rule.drop_route(tx, id, who, now))
    return Json(Removed(id))


@described("What was done to a route, oldest first.", Listed[DeedRecord])
async def get_route_history(request: Request) -> Response:
    """Also to one that was removed."""
    return await _history(request, "route")


@described("Silences that hold or will hold, newest first.", Listed[SilenceRecord], parameters=(ALL,))
async def list_silences(request: Request) -> Response:
    """With `over=1`, those that are over too."""
    query, now = query_of(request), now_micros()
    only_known(query, "over")
    over = query.get("over", ["0"])[-1]
    if over not in ("0", "1"):
        raise Malformed(f"over={over[:40]} cannot be read: write 1 for those that are over too, or leave it out.")

    def silences(tx: Tx) -> Any:
        found = [_silence(line, now) for line in rule.silences(tx, now, over=over == "1")]
        return shapes.listed(found, len(found))

    return await answer(request, silences)


@described("Silence what a query means.", SilenceRecord, body=NewSilence, errors=(422,))
async def post_silence(request: Request) -> Response:
    """What it holds back stands in the ledger as silenced."""
    wanted, who, now = decoded_as(await body_of(request), NewSilence), principal_of(request).name, now_micros()
    starts = ruling.moment("starts", wanted.starts, now)
    silence = Silence(
        id=0,
        **{name: getattr(wanted, name) for name in ("name", "query", "reason", "recurrence")},
        to=tuple(wanted.to),
        owner=wanted.owner or who,
        starts=now if starts is None else starts,
        ends=ruling.moment("ends", wanted.ends, now),
    )
    kept = ruling.silence_of(_hub(request), silence, now)
    return Json(_silence(await write(request, lambda tx: rule.silence(tx, rule.put_silence(tx, kept, who, now))), now))


@described("Change a silence.", SilenceRecord, body=SilenceChange, errors=(422,))
async def put_silence(request: Request) -> Response:
    """What is not named stays as it is."""
    id, who, now, hub = path_id(request), principal_of(request).name, now_micros(), _hub(request)
    said = _said(decoded_as(await body_of(request), SilenceChange))
    if "to" in said:
        said["to"] = tuple(said["to"])
    if "ends" in said:
        said["ends"] = ruling.moment("ends", said["ends"], now)
    if "starts" in said:
        starts = ruling.moment("starts", said["starts"], now)
        said["starts"] = now if starts is None else starts

    def work(tx: Tx) -> SilenceLine:
        known = rule.silence(tx, id)
        kept = ruling.silence_of(hub, msgspec.structs.replace(known.silence, **said), now)
        return rule.silence(tx, rule.put_silence(tx, kept, who, now))

    return Json(_silence(await write(request, work), now))


@described("End a silence before its time.", SilenceRecord)
async def post_end(request: Request) -> Response:
    """What it held back stays silenced, unless somebody sends it."""
    id, who, now = path_id(request), principal_of(request).name, now_micros()

    def work(tx: Tx) -> SilenceLine:
        rule.end_silence(tx, id, who, now)
        return rule.silence(tx, id)

    return Json(_silence(await write(request, work), now))


@described("The alertgroups that a silence held back, newest first.", Listed[AlertgroupRecord], parameters=PAGE)
async def get_held(request: Request) -> Response:
    """A page of them; deleted ones are left out, though counted."""
    id, (limit, before) = path_id(request), page_of(request)

    def held(tx: Tx) -> Any:
        known = rule.silence(tx, id)
        ids = rule.held_by(tx, id, limit, before)
        found = alertgroup.some(tx, ids)
        return shapes.listed([shapes.alertgroup_record(found[one]) for one in ids if one in found], known.held)

    return await answer(request, held)


@described("What was done to a silence, oldest first.", Listed[DeedRecord])
async def get_silence_history(request: Request) -> Response:
    """Made, changed, ended."""
    return await _history(request, "silence")


async def _history(request: Request, kind: str) -> Response:
    id = path_id(request)

    def past(tx: Tx) -> Any:
        found = [_deed(line) for line in rule.past(tx, kind, id)]
        return shapes.listed(found, len(found))

    return await answer(request, past)


def _deed(line: Line) -> DeedRecord:
    return DeedRecord(line.who, seconds(line.at), line.what)


def _said(change: msgspec.Struct) -> dict[str, Any]:
    told: Mapping[str, Any] = msgspec.structs.asdict(change)
    return {name: value for name, value in told.items() if value is not msgspec.UNSET}


def _hub(request: Request) -> Hub:
    return web_of(request).hub
