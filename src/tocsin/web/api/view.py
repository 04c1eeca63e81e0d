"""Saved views over the API: one's own, and those that others share."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tocsin.store import Tx, view
from tocsin.store.view import LONGEST_NAME, LONGEST_QUERY, SavedView, Wanted
from tocsin.web.answers import Json
from tocsin.web.api import shapes
from tocsin.web.api.changes import decoded_as
from tocsin.web.api.described import described
from tocsin.web.api.shapes import Id, Listed, seconds
from tocsin.web.notes import now_micros
from tocsin.web.state import answer, body_of, path_id, principal_of, write

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
Query = Annotated[
    str, msgspec.Meta(max_length=LONGEST_QUERY, description="In the query language; empty: every alertgroup.")
]
Sort = Annotated[
    str,
    msgspec.Meta(description=f"One of {', '.join(view.ORDERS)}, with - before it for downwards; empty: newest first."),
]


class ViewRecord(msgspec.Struct, frozen=True):
    """A saved view."""

    id: Id
    name: str
    query: str
    sort: str
    owner: str
    shared: bool
    created: int
    changed: int


class NewView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A view to keep; the names of one owner's views differ."""

    name: Name
    query: Query = ""
    sort: Sort = ""
    shared: bool = False


class ViewChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; the rest stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    query: Query | msgspec.UnsetType = msgspec.UNSET
    sort: Sort | msgspec.UnsetType = msgspec.UNSET
    shared: bool | msgspec.UnsetType = msgspec.UNSET


def _record(known: SavedView) -> ViewRecord:
    named: Mapping[str, Any] = msgspec.structs.asdict(known)
    return ViewRecord(**{**named, "created": seconds(known.created), "changed": seconds(known.changed)})


@described("One's own saved views, then those that others share.", Listed[ViewRecord])
async def list_views(request: Request) -> Response:
    """Private views of others are not among them, whoever asks."""
    who = principal_of(request).name

    def views(tx: Tx) -> Any:
        found = [_record(known) for known in view.listing(tx, who)]
        return shapes.listed(found, len(found))

    return await answer(request, views)


@described("Keep a query under a name.", ViewRecord, body=NewView, errors=(409, 422))
async def post_view(request: Request) -> Response:
    """A query that cannot be read is told where and what to write instead."""
    wanted, who, now = decoded_as(await body_of(request), NewView), principal_of(request).name, now_micros()
    kept = Wanted(name=wanted.name, query=wanted.query, sort=wanted.sort, shared=wanted.shared)
    return Json(_record(await write(request, lambda tx: view.put(tx, who, kept, now))))


@described("A saved view.", ViewRecord)
async def get_view(request: Request) -> Response:
    """One's own, or one that is shared."""
    id, who = path_id(request), principal_of(request).name
    return await answer(request, lambda tx: _record(view.get(tx, id, who)))


@described("Change a saved view; a shared one is changed by its owner or an admin.", ViewRecord, body=ViewChange,
           errors=(409, 422))  # fmt: skip
async def put_view(request: Request) -> Response:
    """What is not named stays as it is."""
    id, who, now = path_id(request), principal_of(request), now_micros()
    change = msgspec.structs.asdict(decoded_as(await body_of(request), ViewChange))
    said = {name: value for name, value in change.items() if value is not msgspec.UNSET}

    def work(tx: Tx) -> SavedView:
        known = view.get(tx, id, who.name)
        before = {name: getattr(known, name) for name in Wanted.__struct_fields__}
        return view.change(tx, id, who.name, Wanted(**{**before, **said}), now, admin=who.role == "admin")

    return Json(_record(await write(request, work)))


@described("Delete a saved view; a shared one is deleted by its owner or an admin.", ViewRecord)
async def delete_view(request: Request) -> Response:
    """The answer is the view as it was."""
    id, who, now = path_id(request), principal_of(request), now_micros()
    return Json(_record(await write(request, lambda tx: view.drop(tx, id, who.name, now, admin=who.role == "admin"))))
