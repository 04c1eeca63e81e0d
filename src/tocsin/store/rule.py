"""Routes and silences that people made, and what the rules decided about each alertgroup."""

from collections.abc import Sequence

import msgspec

from tocsin.errors import NotFound, Taken
from tocsin.model import Micros, Noun, Route, Silence, Why
from tocsin.store.engine import Change, Row, Tx, packed

_NAMES = msgspec.json.Decoder(tuple[str, ...])
_WHY = msgspec.json.Decoder(list[Why])


class Ruled(Noun, frozen=True, kw_only=True):
    """What the rules decided about an alertgroup that is about to be stored; `held`: lane -> silence."""

    due: dict[str, Micros]
    held: dict[str, int]
    why: tuple[Why, ...]


class RouteLine(Noun, frozen=True, kw_only=True):
    """A route made on the page."""

    id: int
    route: Route
    place: int
    active: bool
    owner: str
    created: Micros


class SilenceLine(Noun, frozen=True, kw_only=True):
    """A silence; `ended` is when somebody ended it before its time, `held` how many alertgroups it held back."""

    silence: Silence
    created: Micros
    ended: Micros | None
    held: int
    last_held: Micros | None

    def over(self, now: Micros) -> bool:
        """Whether it will never hold again."""
        return self.ended is not None or (self.silence.ends is not None and self.silence.ends <= now)


class Line(Noun, frozen=True, kw_only=True):
    """What was done to a rule."""

    who: str
    at: Micros
    what: str


_ROUTE = "id, name, query, lanes, every, last, place, active, owner, created"
_SILENCE = "id, name, query, lanes, owner, reason, starts, ends, recurrence, created, ended, held, last_held"


def routes(tx: Tx) -> list[RouteLine]:
    """All routes made on the page, in the order in which they are asked."""
    return [_route(row) for row in tx.rows(f"SELECT {_ROUTE} FROM route ORDER BY place, id")]


def route(tx: Tx, id: int) -> RouteLine:
    """One of them. Raises NotFound."""
    row = tx.row(f"SELECT {_ROUTE} FROM route WHERE id = :id", id=id)
    if row is None:
        raise NotFound(f"there is no route {id}")
    return _route(row)


def _route(row: Row) -> RouteLine:
    return RouteLine(
        id=row[0],
        route=Route(name=row[1], query=row[2], to=_NAMES.decode(row[3]), every=row[4], last=bool(row[5])),
        place=row[6],
        active=bool(row[7]),
        owner=row[8],
        created=row[9],
    )


def put_route(tx: Tx, route: Route, who: str, now: Micros, id: int = 0, *, active: bool = True) -> int:
    """Make a route, the last to be asked, or change the one with that id; its id. Raises NotFound, Taken."""
    standing = tx.row("SELECT id FROM route WHERE name = :name", name=route.name)
    if standing is not None and standing[0] != id:
        raise Taken(f"there is a route named {route.name!r} already")
    values = {
        "name": route.name,
        "query": route.query,
        "lanes": msgspec.json.encode(route.to).decode(),
        "every": route.every,
        "last": int(route.last),
        "active": int(active),
    }
    if id:
        changes = ", ".join(f"{name} = :{name}" for name in values)
        if not tx.run(f"UPDATE route SET {changes} WHERE id = :id", id=id, **values):
            raise NotFound(f"there is no route {id}")
    else:
        row = tx.row(
            "INSERT INTO route (name, query, lanes, every, last, active, place, owner, created)"
            " SELECT :name, :query, :lanes, :every, :last, :active, coalesce(max(place), 0) + 1, :who, :now FROM route"
            " RETURNING id",
            who=who,
            now=now,
            **values,
        )
        assert row is not None
        id = int(row[0])
    _changed(tx, "route", id, who, now, f"{route.query or 'everything'} to {', '.join(route.to) or 'nobody'}")
    return id


def move_route(tx: Tx, id: int, before: int, who: str, now: Micros) -> None:
    """Have a route asked before another; 0: after all others. Raises NotFound."""
    order = [line.id for line in routes(tx) if line.id != id]
    if not tx.row("SELECT 1 FROM route WHERE id = :id", id=id):
        raise NotFound(f"there is no route {id}")
    order.insert(order.index(before) if before in order else len(order), id)
    tx.run(
        "UPDATE route SET place = c.place FROM (SELECT CAST(value ->> 0 AS BIGINT) AS id,"
        " CAST(value ->> 1 AS BIGINT) AS place FROM {each:rows}) AS c WHERE route.id = c.id",
        rows=[(one, place) for place, one in enumerate(order, 1)],
    )
    _changed(tx, "route", id, who, now, "moved")


def switch_route(tx: Tx, id: int, active: bool, who: str, now: Micros) -> None:
    """Have a route asked, or no longer; it keeps its place. Raises NotFound."""
    if not tx.run("UPDATE route SET active = :active WHERE id = :id", id=id, active=int(active)):
        raise NotFound(f"there is no route {id}")
    _changed(tx, "route", id, who, now, "switched on" if active else "switched off")


def drop_route(tx: Tx, id: int, who: str, now: Micros) -> None:
    """Remove a route; its history stays. Raises NotFound."""
    if not tx.run("DELETE FROM route WHERE id = :id", id=id):
        raise NotFound(f"there is no route {id}")
    _changed(tx, "route", id, who, now, "removed")


def silences(tx: Tx, now: Micros, *, over: bool = False) -> list[SilenceLine]:
    """Silences that hold or will hold, the newest first; with `over`, those that are over too."""
    rows = tx.rows(f"SELECT {_SILENCE} FROM silence ORDER BY id DESC")
    found = [_silence(row) for row in rows]
    return [line for line in found if over or not line.over(now)]


def silence(tx: Tx, id: int) -> SilenceLine:
    """One of them. Raises NotFound."""
    row = tx.row(f"SELECT {_SILENCE} FROM silence WHERE id = :id", id=id)
    if row is None:
        raise NotFound(f"there is no silence {id}")
    return _silence(row)


def _silence(row: Sequence[object]) -> SilenceLine:
    id, name, query, lanes, owner, reason, starts, ends, recurrence, created, ended, held, last_held = row
    return msgspec.convert(
        {
            "silence": {
                "id": id, "name": name, "query": query, "to": _NAMES.decode(str(lanes)), "owner": owner,
                "reason": reason, "starts": starts, "ends": ends, "recurrence": recurrence,
            },
            "created": created, "ended": ended, "held": held, "last_held": last_held,
        },
        SilenceLine,
    )  # fmt: skip


def put_silence(tx: Tx, wanted: Silence, who: str, now: Micros) -> int:
    """Make a silence, or change the one with its id; the id. Raises NotFound."""
    values = {
        "name": wanted.name,
        "query": wanted.query,
        "lanes": msgspec.json.encode(wanted.to).decode(),
        "owner": wanted.owner,
        "reason": wanted.reason,
        "starts": wanted.starts,
        "ends": wanted.ends,
        "recurrence": wanted.recurrence,
    }
    id = wanted.id
    if id:
        changes = ", ".join(f"{name} = :{name}" for name in values)
        if not tx.run(f"UPDATE silence SET {changes} WHERE id = :id", id=id, **values):
            raise NotFound(f"there is no silence {id}")
    else:
        names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
        row = tx.row(f"INSERT INTO silence ({names}, created) VALUES ({places}, :now) RETURNING id", now=now, **values)
        assert row is not None
        id = int(row[0])
    _changed(tx, "silence", id, who, now, f"{wanted.query or 'everything'}: {wanted.reason or 'no reason given'}")
    return id


def end_silence(tx: Tx, id: int, who: str, now: Micros) -> None:
    """End a silence before its time; what it held back stays silenced. Raises NotFound."""
    if not tx.run("UPDATE silence SET ended = coalesce(ended, :now) WHERE id = :id", id=id, now=now):
        raise NotFound(f"there is no silence {id}")
    _changed(tx, "silence", id, who, now, "ended")


def of_group(tx: Tx, group: int) -> list[int]:
    """The silences that held an alertgroup back."""
    return [
        int(row[0])
        for row in tx.rows("SELECT silence FROM held WHERE alertgroup = :group ORDER BY silence", group=group)
    ]


def held_by(tx: Tx, id: int, limit: int, before: int | None = None) -> list[int]:
    """The alertgroups that a silence held back, newest first."""
    rows = tx.rows(
        "SELECT alertgroup FROM held WHERE silence = :id AND alertgroup < :before"
        " ORDER BY alertgroup DESC LIMIT :limit",
        id=id,
        before=2**62 if before is None else before,
        limit=limit,
    )
    return [int(row[0]) for row in rows]


def why(tx: Tx, group: int) -> list[Why]:
    """Which rules meant the alertgroup, in their order; nothing for one stored before there were rules."""
    row = tx.row("SELECT why FROM decision WHERE alertgroup = :group", group=group)
    return _WHY.decode(row[0]) if row else []


def past(tx: Tx, kind: str, id: int) -> list[Line]:
    """What was done to a rule, oldest first; `kind` is route or silence."""
    rows = tx.rows(
        "SELECT who, at, what FROM rule_history WHERE kind = :kind AND rule = :id ORDER BY id", kind=kind, id=id
    )
    return [Line(who=row[0], at=row[1], what=row[2]) for row in rows]


def insert(tx: Tx, decided: Sequence[tuple[int, Ruled]], received: Micros) -> None:
    """Write down what was decided about new alertgroups: three statements at most, whatever their number."""
    told = [(group, msgspec.json.encode(ruled.why).decode()) for group, ruled in decided if ruled.why]
    if told:
        tx.run(
            "INSERT INTO decision (alertgroup, why) SELECT CAST(value ->> 0 AS BIGINT), value ->> 1 FROM {each:rows}"
            " WHERE true ON CONFLICT (alertgroup) DO UPDATE SET why = excluded.why",
            rows=packed(told),
        )
    held = sorted({(silence, group) for group, ruled in decided for silence in ruled.held.values()})
    if not held:
        return
    tx.run(
        "INSERT INTO held (silence, alertgroup) SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT)"
        " FROM {each:rows} WHERE true ON CONFLICT DO NOTHING",
        rows=packed(held),
    )
    tx.run(
        "UPDATE silence SET held = held + c.n, last_held = :received FROM (SELECT CAST(value ->> 0 AS BIGINT) AS id,"
        " count(*) AS n FROM {each:rows} GROUP BY value ->> 0) AS c WHERE silence.id = c.id",
        rows=packed(held),
        received=received,
    )


def _changed(tx: Tx, kind: str, id: int, who: str, now: Micros, what: str) -> None:
    tx.run(
        "INSERT INTO rule_history (kind, rule, who, at, what) VALUES (:kind, :id, :who, :now, :what)",
        kind=kind,
        id=id,
        who=who,
        now=now,
        what=what[:1000],
    )
    tx.changes.append(Change("rules"))
