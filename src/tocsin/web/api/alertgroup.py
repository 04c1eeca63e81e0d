"""Alertgroups: the list, one with everything in it, its parts, and what analysts change."""

from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed, NotFound, StoreUnavailable
from tocsin.model import Status
from tocsin.query import parse
from tocsin.query.scot import tree_of
from tocsin.query.tree import both
from tocsin.store import Tx, again, alert, alertgroup, history
from tocsin.store.filters import check
from tocsin.store.search import listing as ordered
from tocsin.web.answers import Json
from tocsin.web.api import filters, shapes
from tocsin.web.api.changes import (
    KEPT_OF_ALERTGROUP,
    AlertgroupChange,
    Undelete,
    by_status,
    decoded_as,
    labels_of,
    read_change,
    sayable,
    tlp_of,
)
from tocsin.web.api.described import described
from tocsin.web.api.parameters import COLUMNS, FLAIR, LISTING, QUERY, REPEATS, only_known, with_flair
from tocsin.web.api.shapes import (
    Alertgroup,
    AlertgroupRecord,
    AlertRecord,
    Changed,
    Created,
    HistoryLine,
    Label,
    Listed,
    ReadingRecord,
)
from tocsin.web.notes import now_micros
from tocsin.web.reading import address_of, query_of
from tocsin.web.state import answer, body_of, known_of, path_id, principal_of, read, write

log = structlog.get_logger()


@described(
    "List alertgroups, newest first, without their bodies.",
    Listed[AlertgroupRecord],
    parameters=(*QUERY, *LISTING, *REPEATS),
    errors=(422,),
)
async def list_alertgroups(request: Request) -> Response:
    """SCOT's envelope around the alertgroups that were asked for."""
    query, now = query_of(request), now_micros()
    asked = filters.asked(query, filters.ALERTGROUPS, AlertgroupRecord.__struct_fields__, ("q",))
    tree = both([*map(parse, query.get("q", [])), tree_of(asked.clauses)])

    def listing(tx: Tx) -> Any:
        check(tx, asked.clauses)
        found, total = ordered.listing(tx, tree, asked.sort, asked.limit, asked.offset, now)
        return shapes.listed([shapes.alertgroup_record(group) for group in found], total, asked.columns)

    return await answer(request, listing)


class Newest(msgspec.Struct, frozen=True):
    """The highest id given so far."""

    max_id: int
    collection: str = "alertgroup"


@described("One alertgroup with its alerts; counts as a view.", Alertgroup, parameters=(*COLUMNS, *FLAIR))
async def get_alertgroup(request: Request) -> Response:
    """The alertgroup; `maxid` in the place of the id asks for the highest."""
    query = query_of(request)
    only_known(query, "columns", "flair")
    if request.path_params["id"] == "maxid":
        return Json(Newest(await read(request, alertgroup.max_id)))
    columns = filters.restricted(query, Alertgroup.__struct_fields__)
    known = known_of(request) if with_flair(query, columns) else None
    id = path_id(request)
    if request.method == "GET":
        await _count_view(request, id)

    def whole(tx: Tx) -> Any:
        group = standing(tx, id)
        record = shapes.whole_alertgroup(
            group, alertgroup.texts(tx, id), alertgroup.viewers(tx, id), alert.of_group(tx, id), known
        )
        return shapes.only(record, columns) if columns else record

    return await answer(request, whole)


async def _count_view(request: Request, id: int) -> None:
    who, address = principal_of(request).name, address_of(request)

    def seen(tx: Tx) -> None:
        standing(tx, id)
        alertgroup.saw(tx, id, who, address, now_micros())

    try:
        await write(request, seen)
    except StoreUnavailable as error:  # who reads should not wait for a full disk
        log.warning("a view was not counted", alertgroup=id, reason=str(error))


def standing(tx: Tx, id: int) -> alertgroup.Summary:
    """The alertgroup, if it is there and not deleted. Raises NotFound."""
    group = alertgroup.get(tx, id)
    if group.deleted is not None:
        raise NotFound(f"Alertgroup {id} was deleted.")
    return group


def _part(request: Request, records: Callable[[Tx, alertgroup.Summary], list[Any]]) -> Callable[[Tx], Any]:
    id = path_id(request)

    def part(tx: Tx) -> Any:
        found = records(tx, standing(tx, id))
        return shapes.listed(found, len(found))

    return part


@described("The alerts of an alertgroup, all of them.", Listed[AlertRecord], parameters=FLAIR)
async def get_alerts(request: Request) -> Response:
    """Its rows, in the order they came."""
    known = known_of(request) if with_flair(query_of(request)) else None

    def records(tx: Tx, group: alertgroup.Summary) -> list[AlertRecord]:
        return [shapes.alert_record(row, group, known) for row in alert.of_group(tx, group.id)]

    return await answer(request, _part(request, records))


@described("The tags of an alertgroup.", Listed[Label])
async def get_tags(request: Request) -> Response:
    """Its tags."""
    return await answer(request, _part(request, lambda _, group: [Label(tag) for tag in group.tags]))


@described("The sources of an alertgroup.", Listed[Label])
async def get_sources(request: Request) -> Response:
    """Its sources."""
    return await answer(request, _part(request, lambda _, group: [Label(source) for source in group.sources]))


@described("What was done to an alertgroup and its alerts, oldest first.", Listed[HistoryLine])
async def get_history(request: Request) -> Response:
    """Its history."""
    return await answer(
        request,
        _part(request, lambda tx, group: [shapes.history_line(line) for line in history.of_group(tx, group.id)]),
    )


@described("What an alertgroup was before it was read again, newest first.", Listed[ReadingRecord])
async def get_readings(request: Request) -> Response:
    """Its older readings, each with all its rows."""
    return await answer(
        request,
        _part(request, lambda tx, group: [shapes.reading_record(each) for each in again.older(tx, group.id)]),
    )


@described("SCOT's entries of an alertgroup; there are none.", Listed[Label])
async def get_entries(request: Request) -> Response:
    """An empty list, for clients that ask."""
    return await answer(request, _part(request, lambda _tx, _group: []))


@described(
    "Change an alertgroup: its status, that of some alerts, tags, sources, TLP, owner; or bring it back.",
    Changed | Created,
    body=AlertgroupChange,
)
async def put_alertgroup(request: Request) -> Response:
    """All of the change in one transaction, or nothing of it."""
    id, who, now = path_id(request), principal_of(request).name, now_micros()
    change, ignored = read_change(await body_of(request), AlertgroupChange, KEPT_OF_ALERTGROUP)
    if change.status == "undelete":
        await write(request, lambda tx: alertgroup.undelete(tx, id, who, now))
        return Json(Created(id))
    work = _change(id, change, who, now)
    await write(request, work)
    return Json(Changed(id, ignored=ignored or msgspec.UNSET))


def _change(id: int, change: AlertgroupChange, who: str, now: int) -> Callable[[Tx], None]:
    """Everything is checked here, before the first statement."""
    statuses = by_status(change)
    labels = {"tag": labels_of(change.tag, change.tags), "source": labels_of(change.source, change.sources)}
    fields: dict[str, str] = {}
    if not isinstance(change.tlp, msgspec.UnsetType):
        fields["tlp"] = tlp_of(change.tlp).value
    if not isinstance(change.owner, msgspec.UnsetType):
        fields["owner"] = sayable(change.owner, "`$.owner`")

    def work(tx: Tx) -> None:
        standing(tx, id)
        if not isinstance(change.status, msgspec.UnsetType):
            alertgroup.set_status(tx, id, Status(change.status), who, now)
        for status, alerts in statuses.items():
            try:
                alertgroup.set_alerts(tx, id, alerts, status, who, now)
            except NotFound as error:
                raise Malformed(f"{error} - at `$.alerts`; nothing was changed.") from None
        for kind, values in labels.items():
            if values is not None:
                alertgroup.set_labels(tx, id, kind, values, who, now)
        if fields:
            alertgroup.set_fields(tx, id, fields, who, now)

    return work


@described("Delete an alertgroup; it can be brought back.", Changed)
async def delete_alertgroup(request: Request) -> Response:
    """Take it out of every list."""
    id, who, now = path_id(request), principal_of(request).name, now_micros()
    await write(request, lambda tx: alertgroup.delete(tx, id, who, now))
    return Json(Changed(id))


@described("Bring a deleted alertgroup back under its old id.", Created, body=Undelete)
async def put_deleted(request: Request) -> Response:
    """SCOT's way to say it."""
    id, who, now = path_id(request), principal_of(request).name, now_micros()
    decoded_as(await body_of(request), Undelete)
    await write(request, lambda tx: alertgroup.undelete(tx, id, who, now))
    return Json(Created(id))
