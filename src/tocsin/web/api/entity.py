"""Entities over the API: those of an alertgroup and of an alert in SCOT's form, and what is known of one."""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tocsin import entities
from tocsin.entities import Known, scot
from tocsin.errors import Malformed, NotFound
from tocsin.model import Alert, Entity, Status
from tocsin.store import Tx, alert, alertgroup, entity
from tocsin.web.api import shapes
from tocsin.web.api.alertgroup import standing
from tocsin.web.api.described import Parameter, described
from tocsin.web.api.parameters import only_known
from tocsin.web.api.shapes import AlertgroupRecord, Count, Id, Listed, seconds
from tocsin.web.pages.marking import is_own
from tocsin.web.reading import query_of
from tocsin.web.state import answer, known_of, path_id

NEWEST = 20
MOST = 1000
_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}


class ScotEntity(msgspec.Struct, frozen=True, kw_only=True):
    """An entity as SCOT tells of it. `count` is at how many places it stands in all alertgroups.

    `id` is 0 while it is not indexed. What has no meaning here keeps SCOT's default.
    """

    id: Count
    count: Count
    entry: int = 0
    type: str
    classes: list[str] = []
    data: dict[str, Any] = {}
    status: str = "tracked"
    entries: list[Any] = []


class ScotEntities(msgspec.Struct, frozen=True, rename="camel"):
    """SCOT's envelope around entities: by value, in SCOT's spelling. Of two types with one value, `VALUE (TYPE)`."""

    records: dict[str, ScotEntity]
    query_record_count: Count
    total_record_count: Count


class StandsIn(msgspec.Struct, frozen=True):
    """An alertgroup in which an entity stands, at `count` places."""

    id: Id
    subject: str
    status: Status
    when: int
    count: Count


class EntityRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An entity: in how many alertgroups it stands, at how many places, when those were received; the newest of them.

    An entity that stands nowhere is not `known`, and has neither id nor times. `scot_type` is SCOT's word for the type.
    """

    id: Annotated[int, msgspec.Meta(ge=1)] | None
    type: str
    scot_type: str
    value: str
    own: bool
    known: bool
    alertgroup_count: Count
    sighting_count: Count
    first_seen: int | None
    last_seen: int | None
    alertgroups: list[StandsIn]


Counts = dict[tuple[str, str], int]


def _in_texts(group: Any, known: Known) -> Counts:
    counts: Counts = {}
    for one in entities.in_group(group, known):
        pair = (one.found.entity.type, one.found.entity.value)
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def _in_row(row: alert.Row, known: Known) -> Counts:
    counts: Counts = {}
    for column, cell in Alert(json=row.json).data.items():
        if column != "columns":
            for _, _, found in entities.in_cell(cell, column, known):
                pair = (found.entity.type, found.entity.value)
                counts[pair] = counts.get(pair, 0) + 1
    return counts


def _scots(tx: Tx, group: int, counts: Counts) -> ScotEntities:
    """Entities found in a text, counted over all alertgroups as far as those are indexed."""
    seen = entity.seen(tx, group, counts)
    return _enveloped(
        (type, value, one.id if one else 0, one.sightings if one else n)
        for (type, value), n in counts.items()
        for one in (seen.get((type, value)),)
    )


def _enveloped(found: Iterable[tuple[str, str, int, int]]) -> ScotEntities:
    records: dict[str, ScotEntity] = {}
    for type, value, id, count in found:
        word, spelled = scot(Entity(type=type, value=value))
        name = spelled if spelled not in records else f"{spelled} ({word})"
        records[name] = ScotEntity(id=id, count=count, type=word)
    return ScotEntities(records, len(records), len(records))


@described("The entities of an alertgroup, by value, as SCOT tells them.", ScotEntities)
async def get_of_alertgroup(request: Request) -> Response:
    """From the index; an alertgroup that is not in it yet is read for it."""
    id, known = path_id(request), known_of(request)
    only_known(query_of(request))

    def found(tx: Tx) -> Any:
        standing(tx, id)
        if entity.is_indexed(tx, id):
            return _enveloped((one.type, one.value, one.id, one.sightings) for one in entity.of_group(tx, id))
        return _scots(tx, id, _in_texts(alertgroup.load(tx, [id])[id], known))

    return await answer(request, found)


@described("The entities of one alert, by value, as SCOT tells them.", ScotEntities)
async def get_of_alert(request: Request) -> Response:
    """Those of its row."""
    id, known = path_id(request), known_of(request)
    only_known(query_of(request))

    def found(tx: Tx) -> Any:
        row = alert.get(tx, id)
        return _scots(tx, row.alertgroup, _in_row(row, known))

    return await answer(request, found)


VALUE = (
    Parameter("value", "The entity in any spelling, or a text that names some.", _TEXT),
    Parameter("type", "Only of this type, in our word for it or SCOT's.", _TEXT),
)


@described("What is known of an entity, by any spelling of it.", Listed[EntityRecord], parameters=VALUE)
async def list_entities(request: Request) -> Response:
    """Every entity that the text names; those that no alert holds are not `known`."""
    query, known = query_of(request), known_of(request)
    only_known(query, "value", "type")
    value, type = query.get("value", [""])[-1], query.get("type", [""])[-1]
    if not value.strip():
        raise Malformed("Say which entity: ?value=192.0.2.7, in any spelling.")

    def found(tx: Tx) -> Any:
        there = entity.find(tx, value, type, known)
        named = {(one.type, one.value) for one in there}
        strange = [pair for pair in entity.asked(value, type, known) if pair not in named]
        records = [_record(tx, one, known) for one in there]
        records += [_unknown(Entity(type=type, value=normal), known) for type, normal in strange]
        return shapes.listed(records, len(records))

    return await answer(request, found)


def _record(tx: Tx, one: entity.Known, known: Known) -> EntityRecord:
    return EntityRecord(
        id=one.id,
        type=one.type,
        scot_type=scot(Entity(type=one.type, value=one.value))[0],
        value=one.value,
        own=is_own(known, one),
        known=True,
        alertgroup_count=one.alertgroups,
        sighting_count=one.sightings,
        first_seen=seconds(one.first_seen),
        last_seen=seconds(one.last_seen),
        alertgroups=[
            StandsIn(group.id, group.subject, group.status, seconds(group.received), group.n)
            for group in entity.groups_of(tx, one.id, NEWEST)
        ],
    )


def _unknown(one: Entity, known: Known) -> EntityRecord:
    return EntityRecord(
        id=None,
        type=one.type,
        scot_type=scot(one)[0],
        value=one.value,
        own=is_own(known, one),
        known=False,
        alertgroup_count=0,
        sighting_count=0,
        first_seen=None,
        last_seen=None,
        alertgroups=[],
    )


PAGING = (
    Parameter("limit", f"At most so many records, 50 if nothing is said, {MOST} at most.", _NUMBER),
    Parameter("after", "The id of the last alertgroup of the page before.", _NUMBER),
)


@described("The alertgroups an entity stands in, newest first.", Listed[AlertgroupRecord], parameters=PAGING)
async def get_alertgroups(request: Request) -> Response:
    """A page of them; `totalRecordCount` counts all."""
    id, query = path_id(request), query_of(request)
    only_known(query, "limit", "after")
    limit, after = _number(query.get("limit", ["50"])[-1], "limit"), query.get("after")
    behind = _number(after[-1], "after") if after else None

    def found(tx: Tx) -> Any:
        one = entity.by_id(tx, id)
        if one is None:
            raise NotFound(f"There is no entity {id}.")
        page = entity.groups_of(tx, id, min(limit, MOST), behind)
        groups = alertgroup.some(tx, [each.id for each in page])
        return shapes.listed([shapes.alertgroup_record(groups[each.id]) for each in page], one.alertgroups)

    return await answer(request, found)


def _number(text: str, name: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= 18 and int(text):
        return int(text)
    raise Malformed(f"{name} must be a whole number, 1 or more.")
