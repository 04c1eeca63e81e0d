"""Collections: STIX objects as TAXII clients read them, each version in its place for ever.

The place of a version in its collection is when it was added, in microseconds, and no two have the same. Whoever adds
holds the collection's row until the commit, so a reader who has seen one place has seen all before it, on any number of
nodes: pages neither repeat nor skip while more is added.

An object is looked up by its id with `{plus}collection` beside it: to SQLite, which takes every collection for a small
one, the plus says that the walk along the whole collection is not the way.
"""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from tocsin.model import Micros, Noun
from tocsin.store.engine import Tx, packed

DAY: Micros = 86_400_000_000
_AT_ONCE = 500
"""Objects that a sweep removes in one transaction."""

Which = Literal["last", "first", "all"]


class Item(Noun, frozen=True, kw_only=True, gc=False):
    """A version of an object; `version` is its own time, None for one that has no versions."""

    id: str
    type: str
    version: Micros | None
    json: str


class Known(Noun, frozen=True, kw_only=True):
    """A collection: by which query it was filled last (None: not in the configuration then), and by which replay."""

    id: int
    name: str
    query: str | None
    replay: int | None
    objects: int


class Asked(Noun, frozen=True, kw_only=True):
    """What of a collection is meant: behind `after`, of some types, of some ids, and which versions; empty is any."""

    after: Micros = 0
    types: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    which: frozenset[Which] = frozenset(("last",))
    versions: tuple[Micros, ...] = ()


class Line(NamedTuple):
    """A version of an object in its place."""

    added: Micros
    id: str
    version: Micros
    json: str


def known(tx: Tx) -> dict[str, Known]:
    """All collections that there ever were, by name."""
    rows = tx.rows("SELECT id, name, query, replay, objects FROM collection ORDER BY name")
    return {row[1]: Known(id=row[0], name=row[1], query=row[2], replay=row[3], objects=row[4]) for row in rows}


def held(tx: Tx, name: str) -> tuple[int, int]:
    """The number of a collection and of the versions in it; zeros where nothing was ever added."""
    row = tx.row("SELECT id, objects FROM collection WHERE name = :name", name=name)
    return (int(row[0]), int(row[1])) if row else (0, 0)


def filled(tx: Tx, name: str, query: str | None, replay: int | None, now: Micros) -> None:
    """Remember by which query and which replay a collection is filled."""
    tx.run(
        "INSERT INTO collection (name, query, replay, created) VALUES (:name, :query, :replay, :now)"
        " ON CONFLICT (name) DO UPDATE SET query = excluded.query, replay = excluded.replay",
        name=name, query=query, replay=replay, now=now,
    )  # fmt: skip


_OPEN = "INSERT INTO collection (name, created) VALUES (:name, :now) ON CONFLICT (name) DO NOTHING"

_PUT = """
INSERT INTO collected (collection, added, id, type, version, newest, seen, json)
SELECT :collection, CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, CAST(value ->> 3 AS BIGINT),
       CAST(value ->> 4 AS SMALLINT), :now, value ->> 5 FROM {each:rows}"""

_OUTDATED = """
UPDATE collected SET newest = 0 FROM {each:ids}
WHERE collected.id = value ->> 0 AND {plus}collected.collection = :collection AND +collected.newest = 1"""

_SEEN = """
UPDATE collected SET seen = :now FROM {each:ids}
WHERE collected.id = value ->> 0 AND {plus}collected.collection = :collection AND +collected.newest = 1
    AND collected.seen < :before"""


def put(tx: Tx, name: str, items: Iterable[Item], now: Micros) -> list[Item]:
    """Add what is not there yet: an id with that version, or an id at all where it has none. What was added."""
    tx.run(_OPEN, name=name, now=now)
    row = tx.row("SELECT id, last FROM collection WHERE name = :name {for_update}", name=name)
    assert row is not None
    collection, last = row
    items = list(items)
    ids = packed([id] for id in dict.fromkeys(item.id for item in items))
    versions = _versions(tx, collection, ids)
    before = {id: max(found) for id, found in versions.items()}
    fresh: list[tuple[Item, Micros, Micros]] = []
    added = max(last, now - 1)
    for item in items:
        there = versions.setdefault(item.id, set())
        if item.version in there or (item.version is None and there):
            continue
        added += 1
        version = added if item.version is None else item.version
        there.add(version)
        fresh.append((item, added, version))
    tx.run(_SEEN, collection=collection, ids=ids, now=now, before=now - DAY)
    if not fresh:
        return []
    outdated = {item.id for item, _, version in fresh if version > before.get(item.id, version)}
    if outdated:
        tx.run(_OUTDATED, collection=collection, ids=packed([id] for id in outdated))
    tx.run(
        _PUT,
        collection=collection,
        now=now,
        rows=packed(
            (at, item.id, item.type, version, int(version == max(versions[item.id])), item.json)
            for item, at, version in fresh
        ),
    )
    tx.run(
        "UPDATE collection SET last = :last, objects = objects + :n WHERE id = :collection",
        last=added, n=len(fresh), collection=collection,
    )  # fmt: skip
    return [item for item, _, _ in fresh]


_KNOWN = """
SELECT c.id, c.version FROM {each:ids} JOIN collected c ON c.id = value ->> 0 AND {plus}c.collection = :collection"""


def _versions(tx: Tx, collection: int, ids: str) -> dict[str, set[Micros]]:
    found: dict[str, set[Micros]] = {}
    for id, version in tx.rows(_KNOWN, collection=collection, ids=ids):
        found.setdefault(id, set()).add(version)
    return found


def page(tx: Tx, collection: int, asked: Asked, limit: int, *, bare: bool = False) -> list[Line]:
    """The first `limit` of what is meant, in the order in which it was added; `bare` is without the objects.

    Their places are found first, by the indexes alone: an object is only read when it is on the page. (To SQLite, a
    cross join says in which order to go; PostgreSQL sees for itself.)
    """
    places, params = _places(asked)
    fields = "c.added, c.id, c.version, " + ("''" if bare else "c.json")
    rows = tx.rows(
        f"SELECT {fields} FROM ({places}) AS p CROSS JOIN collected c"
        " WHERE c.collection = :collection AND c.added = p.added",
        collection=collection, after=asked.after, limit=limit, **params,
    )  # fmt: skip
    return sorted(map(Line._make, rows))  # nearly in order already; to sort rows with their objects there costs more


_NAMED = """WITH named AS MATERIALIZED (
    SELECT c.collection, c.added, c.id, c.type, c.version, c.newest
    FROM {each:ids} CROSS JOIN collected c WHERE c.id = value ->> 0 AND {plus}c.collection = :collection)"""


def _places(asked: Asked) -> tuple[str, dict[str, Any]]:
    """Where the first of what is meant stand, as SQL with its parameters."""
    versions, params = _of_versions(asked)
    where, end = f"c.collection = :collection AND c.added > :after{versions}", "ORDER BY c.added LIMIT :limit"
    if asked.ids:
        params["ids"] = packed([id] for id in dict.fromkeys(asked.ids))
        if asked.types:
            where += " AND c.type IN (SELECT value ->> 0 FROM {each:types})"
            params["types"] = packed([type] for type in asked.types)
        return f"{_NAMED} SELECT c.added FROM named c WHERE {where} {end}", params
    if not asked.types:
        return f"SELECT c.added FROM collected c WHERE {where} {end}", params
    # Each type by itself: then the index gives them in their order, however rare a type is.
    parts: list[str] = []
    for n, type in enumerate(dict.fromkeys(asked.types)):
        params[f"type{n}"] = type
        part = f"SELECT c.added FROM collected c WHERE {where} AND c.type = :type{n} {end}"
        parts.append(f"SELECT * FROM ({part}) AS t{n}")
    return f"SELECT added FROM ({' UNION ALL '.join(parts)}) AS u ORDER BY added LIMIT :limit", params


_FIRST = "(SELECT min(v.version) FROM collected v WHERE v.id = c.id AND {plus}v.collection = c.collection)"


def _of_versions(asked: Asked) -> tuple[str, dict[str, Any]]:
    """Which versions, as SQL with its parameters."""
    params: dict[str, Any] = {f"version{n}": version for n, version in enumerate(asked.versions)}
    if "all" in asked.which:
        return "", {}
    ways = [f"c.version = :{name}" for name in params]
    ways += ["c.newest = 1"] if "last" in asked.which else []
    ways += [f"c.version = {_FIRST}"] if "first" in asked.which else []
    return f" AND ({' OR '.join(ways)})", params


def there(tx: Tx, collection: int, id: str) -> bool:
    """Whether any version of an object is in a collection."""
    sql = "SELECT 1 FROM collected WHERE id = :id AND {plus}collection = :collection LIMIT 1"
    return tx.row(sql, collection=collection, id=id) is not None


def expire(tx: Tx, before: Micros) -> int:
    """Remove some objects that nobody handed in since; how many versions went, 0 when all are gone."""
    gone = 0
    for one in known(tx).values():
        ids = tx.rows(
            "SELECT id FROM collected WHERE collection = :collection AND newest = 1 AND added < :before"
            " AND seen < :before ORDER BY added LIMIT :most",
            collection=one.id, before=before, most=_AT_ONCE,
        )  # fmt: skip
        if not ids:
            continue
        tx.row("SELECT id FROM collection WHERE id = :id {for_update}", id=one.id)
        went = tx.run(
            "DELETE FROM collected WHERE {plus}collection = :collection AND id IN (SELECT value ->> 0 FROM {each:ids})",
            collection=one.id, ids=packed(ids),
        )  # fmt: skip
        tx.run("UPDATE collection SET objects = objects - :n WHERE id = :id", n=went, id=one.id)
        gone += went
    return gone
