"""Entities: what is known of them, by any spelling, and the alertgroups they stand in. Deleted ones do not count.

Everything here reads the index (`index.py`), so an alertgroup that still waits for it has no entities yet.
"""

import heapq
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from tocsin import entities
from tocsin.entities import DEFAULT, SCOT_TYPES
from tocsin.model import Micros, Noun, Status
from tocsin.store.engine import Tx
from tocsin.store.index import key_of

LONGEST_ASKED = 10_000
"""Characters of a pasted text that are looked at."""
_MOST_KEYS = 500
_OURS = {scot: ours for ours, scot in SCOT_TYPES.items()} | {"uuid1": "guid"}
_FIELDS = "e.id, e.type, e.value, e.alertgroups, e.sightings, e.first_seen, e.last_seen"
_ENTITIES = msgspec.json.Decoder(list[tuple[int, int]])

Place = tuple[int | None, str, int, int, str | None, list[str | int], bool]
"""Alert or None, column, start, end, as written or None, path inside the cell, whether in its last key."""
_PLACES = msgspec.json.Decoder(list[Place])


class Known(Noun, frozen=True, kw_only=True):
    """An entity: in how many alertgroups and at how many places it stands, and when those were received."""

    id: int
    type: str
    value: str
    alertgroups: int
    sightings: int
    first_seen: Micros
    last_seen: Micros


class Seen(Known, frozen=True, kw_only=True):
    """The same, seen from one alertgroup: `n` places are in it, `elsewhere` are the other alertgroups.

    `places` are the first thousand of the `n`, if asked for.
    """

    n: int
    elsewhere: int
    places: list[Place] = msgspec.field(default_factory=list)


class Standing(Noun, frozen=True, kw_only=True):
    """An alertgroup in which an entity stands, at `n` places."""

    id: int
    subject: str
    status: Status
    received: Micros
    n: int


def is_indexed(tx: Tx, group: int) -> bool:
    """Whether the entities of an alertgroup are known, all of them and as it stands."""
    row = tx.row(
        "SELECT 1 FROM indexed WHERE alertgroup = :group AND NOT EXISTS"
        " (SELECT 1 FROM unindexed WHERE alertgroup = :group) LIMIT 1",
        group=group,
    )
    return row is not None


def counts(tx: Tx, group: int) -> dict[int, int]:
    """The ids of the entities of an alertgroup, and at how many places each stands in it."""
    counted: dict[int, int] = {}
    for (part,) in tx.rows("SELECT entities FROM indexed WHERE alertgroup = :group", group=group):
        counted |= _ENTITIES.decode(part)
    return counted


def of_group(
    tx: Tx, group: int, *, counted: dict[int, int] | None = None, most: int | None = None, places: bool = False
) -> list[Seen]:
    """The entities of an alertgroup, by type, those that stand there most often first; no more than `most` of them.

    `counted` are its `counts`, from one who has asked for them before.
    """
    counted = counts(tx, group) if counted is None else counted
    if most is not None and len(counted) > most:
        counted = dict(heapq.nlargest(most, counted.items(), key=itemgetter(1)))
    found = [
        _seen(cells, counted[cells[0]])
        for cells in tx.rows(
            f"SELECT {_FIELDS} FROM entity e WHERE e.id IN (SELECT CAST(value ->> 0 AS BIGINT) FROM {{each:wanted}})",
            wanted=[[id] for id in counted],
        )
    ]
    if places:
        at = _places(tx, group, [one.id for one in found])
        found = [msgspec.structs.replace(one, places=at.get(one.id, [])) for one in found]
    return sorted(found, key=lambda one: (one.type, -one.n, one.value))


def _places(tx: Tx, group: int, ids: Sequence[int]) -> dict[int, list[Place]]:
    rows = tx.rows(
        "SELECT entity, places FROM sighting WHERE alertgroup = :group AND entity IN"
        " (SELECT CAST(value ->> 0 AS BIGINT) FROM {each:wanted})",
        group=group,
        wanted=[[id] for id in ids],
    )
    return {entity: _PLACES.decode(places) for entity, places in rows}


def seen(tx: Tx, group: int, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Seen]:
    """What is known of some entities, by type and value, seen from one alertgroup; those never indexed are left out."""
    wanted = {(type, key_of(value)): (type, value) for type, value in pairs}
    rows = tx.rows(
        f"SELECT {_FIELDS}, coalesce(s.n, 0), e.key FROM (SELECT value ->> 0 AS type, value ->> 1 AS key"
        " FROM {each:wanted}) AS w JOIN entity e ON e.type = w.type AND e.key = w.key"
        " LEFT JOIN sighting s ON s.entity = e.id AND s.alertgroup = :group",
        wanted=list(wanted),
        group=group,
    )
    return {wanted[cells[1], cells[8]]: _seen(cells, cells[7]) for cells in rows}


def elsewhere(tx: Tx, group: int, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """In how many other alertgroups some entities stand, by type and value; those never indexed are left out."""
    wanted = {(type, key_of(value)): (type, value) for type, value in pairs}
    rows = tx.rows(
        "SELECT e.type, e.key, e.alertgroups - CASE WHEN EXISTS (SELECT 1 FROM sighting s WHERE s.entity = e.id"
        " AND s.alertgroup = :group) THEN 1 ELSE 0 END FROM (SELECT value ->> 0 AS type, value ->> 1 AS key"
        " FROM {each:wanted}) AS w JOIN entity e ON e.type = w.type AND e.key = w.key",
        wanted=list(wanted),
        group=group,
    )
    return {wanted[type, key]: max(0, n) for type, key, n in rows}


def _known(cells: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(Known.__struct_fields__, cells, strict=False))


def _seen(cells: Sequence[Any], n: int) -> Seen:
    return Seen(**_known(cells), n=n, elsewhere=max(0, cells[3] - (1 if n else 0)))


def get(tx: Tx, type: str, value: str) -> Known | None:
    """One entity by its type and normal form; None if it stands nowhere."""
    row = tx.row(f"SELECT {_FIELDS} FROM entity e WHERE e.type = :type AND e.key = :key", type=type, key=key_of(value))
    return Known(**_known(row)) if row else None


def by_id(tx: Tx, id: int) -> Known | None:
    """One entity by its id; None if it stands nowhere any more."""
    row = tx.row(f"SELECT {_FIELDS} FROM entity e WHERE e.id = :id", id=id)
    return Known(**_known(row)) if row else None


def asked(value: str, type: str = "", known: entities.Known = DEFAULT) -> list[tuple[str, str]]:
    """Type and normal form of every entity that a pasted text names, the outer before the inner.

    `type` is ours or SCOT's; empty for any.
    """
    found = entities.find(value[:LONGEST_ASKED], known)
    pairs = dict.fromkeys((one.entity.type, one.entity.value) for one in found)
    return [pair for pair in pairs if pair[0] == ours(type) or not type]


def ours(type: str) -> str:
    """Our word for a type of ours or of SCOT."""
    return _OURS.get(type, type)


def find(tx: Tx, value: str, type: str = "", known: entities.Known = DEFAULT) -> list[Known]:
    """The known entities that a text names in any spelling; what the text is as a whole stands first."""
    text = value[:LONGEST_ASKED].strip()
    whole = [text, text.lower()]
    pairs = asked(text, type, known)
    keys = list(dict.fromkeys(map(key_of, [*whole, *(value for _, value in pairs)])))[:_MOST_KEYS]
    order = {(type, key_of(value)): at for at, (type, value) in enumerate(pairs)}
    found: list[tuple[int, int, Known]] = []
    for cells in tx.rows(
        f"SELECT {_FIELDS}, e.key FROM entity e WHERE e.key IN (SELECT value ->> 0 FROM {{each:keys}})",
        keys=[[key] for key in keys],
    ):
        at = order.get((cells[1], cells[7]), -1 if cells[2] in whole else None)
        if at is not None and (not type or cells[1] == ours(type)):
            found.append((at, -cells[3], Known(**_known(cells))))
    return [one for *_, one in sorted(found, key=lambda one: one[:2])]


def groups_of(tx: Tx, entity: int, limit: int, after: int | None = None, beside: int = 0) -> list[Standing]:
    """The alertgroups an entity stands in, newest first, behind the id `after`, without `beside`."""
    rows = tx.rows(
        "SELECT g.id, g.subject, g.status, g.received, s.n FROM sighting s JOIN alertgroup g ON g.id = s.alertgroup"
        " WHERE s.entity = :entity AND s.alertgroup < :after AND s.alertgroup <> :beside AND g.deleted IS NULL"
        " ORDER BY s.alertgroup DESC LIMIT :limit",
        entity=entity,
        after=(1 << 63) - 1 if after is None else after,
        beside=beside,
        limit=limit,
    )
    return [
        Standing(id=id, subject=subject, status=Status(status), received=received, n=n)
        for id, subject, status, received, n in rows
    ]
