"""Alerts: the list, one of them, its history, and what analysts change."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tocsin.store import Tx, alert, alertgroup, history
from tocsin.store.filters import check
from tocsin.web.answers import Json
from tocsin.web.api import filters, shapes
from tocsin.web.api.changes import KEPT_OF_ALERT, AlertChange, labels_of, read_change
from tocsin.web.api.described import described
from tocsin.web.api.parameters import COLUMNS, FLAIR, LISTING, only_known, with_flair
from tocsin.web.api.shapes import AlertRecord, Changed, HistoryLine, Label, Listed
from tocsin.web.notes import now_micros
from tocsin.web.reading import query_of
from tocsin.web.state import answer, body_of, known_of, path_id, principal_of, write


@described("List alerts, newest first.", Listed[AlertRecord], parameters=LISTING)
async def list_alerts(request: Request) -> Response:
    """SCOT's envelope around the alerts that were asked for."""
    asked = filters.asked(query_of(request), filters.ALERTS, AlertRecord.__struct_fields__)
    known = known_of(request) if with_flair({}, asked.columns) else None

    def listing(tx: Tx) -> Any:
        check(tx, asked.clauses)
        found, total = alert.listing(tx, asked.clauses, asked.sort, asked.limit, asked.offset)
        groups = _groups(tx, {row.alertgroup for row in found})
        records = [shapes.alert_record(row, groups[row.alertgroup], known) for row in found]
        return shapes.listed(records, total, asked.columns)

    return await answer(request, listing)


def _groups(tx: Tx, ids: set[int]) -> dict[int, alertgroup.Summary]:
    return alertgroup.some(tx, sorted(ids))


@described("One alert.", AlertRecord, parameters=(*COLUMNS, *FLAIR))
async def get_alert(request: Request) -> Response:
    """The alert, with what its alertgroup says of it."""
    id, query = path_id(request), query_of(request)
    only_known(query, "columns", "flair")
    columns = filters.restricted(query, AlertRecord.__struct_fields__)
    known = known_of(request) if with_flair(query, columns) else None

    def one(tx: Tx) -> Any:
        row = alert.get(tx, id)
        record = shapes.alert_record(row, alertgroup.get(tx, row.alertgroup), known)
        return shapes.only(record, columns) if columns else record

    return await answer(request, one)


def _part(request: Request, records: Callable[[Tx, alert.Row], list[Any]]) -> Callable[[Tx], Any]:
    id = path_id(request)

    def part(tx: Tx) -> Any:
        found = records(tx, alert.get(tx, id))
        return shapes.listed(found, len(found))

    return part


@described("The tags of an alert.", Listed[Label])
async def get_tags(request: Request) -> Response:
    """Its own tags, not those of its alertgroup."""
    return await answer(request, _part(request, lambda _, row: [Label(tag) for tag in row.tags]))


@described("What was done to an alert, oldest first.", Listed[HistoryLine])
async def get_history(request: Request) -> Response:
    """Its own history; what was done to all alerts at once stands in that of the alertgroup."""

    def lines(tx: Tx, row: alert.Row) -> list[HistoryLine]:
        return [shapes.history_line(line) for line in history.of_group(tx, row.alertgroup) if line.alert == row.id]

    return await answer(request, _part(request, lines))


@described("SCOT's entries of an alert; there are none.", Listed[Label])
async def get_entries(request: Request) -> Response:
    """An empty list, for clients that ask."""
    return await answer(request, _part(request, lambda _tx, _row: []))


@described("Change an alert: its status, its tags, or its whole row.", Changed, body=AlertChange)
async def put_alert(request: Request) -> Response:
    """All of the change in one transaction, or nothing of it."""
    id, who, now = path_id(request), principal_of(request).name, now_micros()
    body = await body_of(request)
    change, ignored = read_change(body, AlertChange, KEPT_OF_ALERT)
    tags = labels_of(change.tag, change.tags)

    def work(tx: Tx) -> None:
        alert.get(tx, id)
        if not isinstance(change.status, msgspec.UnsetType):
            alert.set_status(tx, [id], change.status, who, now)
        if tags is not None:
            alert.set_tags(tx, id, tags, who, now)
        if not isinstance(change.data, msgspec.UnsetType):
            alert.set_data(tx, id, _row_text(body), who, now)

    await write(request, work)
    return Json(Changed(id, ignored=ignored or msgspec.UNSET))


class _Data(msgspec.Struct, frozen=True):
    data: msgspec.Raw


def _row_text(body: bytes) -> str:
    """The row's own text, so that numbers stay as they were written."""
    return bytes(msgspec.json.decode(body, type=_Data).data).decode()
