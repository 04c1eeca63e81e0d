"""Alerts: the rows of alertgroups."""

from collections.abc import Sequence
from typing import Any

import msgspec

from tocsin.errors import NotFound
from tocsin.model import Micros, Noun, Status
from tocsin.store import alertgroup, filters, history, index
from tocsin.store.engine import Change, Tx
from tocsin.store.filters import Clause


class Row(Noun, frozen=True, kw_only=True):
    """One alert as stored: `json` is the row's text as received."""

    id: int
    alertgroup: int
    status: Status
    json: str
    tags: list[str]
    updated: Micros


_FIELDS = "a.id, a.alertgroup, a.status, a.data, a.tags, a.updated"
_STRINGS = msgspec.json.Decoder(list[str])


def _row(cells: Sequence[Any]) -> Row:
    return Row(
        id=cells[0],
        alertgroup=cells[1],
        status=Status(cells[2]),
        json=cells[3],
        tags=_STRINGS.decode(cells[4]) if cells[4] else [],
        updated=cells[5],
    )


def of_group(tx: Tx, group: int, limit: int | None = None, after: int = 0) -> list[Row]:
    """The alerts of a group in the order they came, behind the id `after`."""
    rows = tx.rows(
        f"SELECT {_FIELDS} FROM alert a WHERE a.alertgroup = :group AND a.id > :after ORDER BY a.id LIMIT :limit",
        group=group,
        after=after,
        limit=1 << 62 if limit is None else limit,
    )
    return [_row(row) for row in rows]


def get(tx: Tx, id: int) -> Row:
    """One alert. Raises NotFound; an alert of a deleted group is not found."""
    row = tx.row(
        f"SELECT {_FIELDS} FROM alert a JOIN alertgroup g ON g.id = a.alertgroup"
        " WHERE a.id = :id AND g.deleted IS NULL",
        id=id,
    )
    if row is None:
        raise NotFound(f"there is no alert {id}")
    return _row(row)


def listing(
    tx: Tx, clauses: Sequence[Clause], sort: Sequence[tuple[str, bool]], limit: int, offset: int
) -> tuple[list[Row], int]:
    """The API's list: `limit` 0 is all. The second value is how many match, whatever the limit."""
    condition, params = filters.of_alerts(clauses, tx.engine)
    order = filters.order_of_alerts(sort or [("id", True)])
    tables = "alert a JOIN alertgroup g ON g.id = a.alertgroup"
    rows = tx.rows(
        f"SELECT {_FIELDS} FROM {tables} WHERE {condition} ORDER BY {order} LIMIT :limit OFFSET :offset",
        limit=limit or 1 << 62,
        offset=offset,
        **params,
    )
    counted = (
        tx.row(f"SELECT count(*) FROM {tables} WHERE {condition}", **params)
        if clauses
        else tx.row("SELECT coalesce(sum(alert_count), 0) FROM alertgroup WHERE deleted IS NULL")
    )
    return [_row(row) for row in rows], int(counted[0]) if counted else 0


def set_status(tx: Tx, ids: Sequence[int], status: Status, who: str, now: Micros) -> None:
    """Open, close or promote alerts, whichever groups they are in. Raises NotFound naming those that are not there."""
    found = tx.rows(
        "SELECT a.id, a.alertgroup FROM alert a JOIN alertgroup g ON g.id = a.alertgroup WHERE g.deleted IS NULL"
        " AND a.id IN (SELECT CAST(value ->> 0 AS BIGINT) FROM {each:wanted})",
        wanted=[[each] for each in ids],
    )
    if missing := sorted(set(ids) - {row[0] for row in found}):
        raise NotFound(f"there is no alert {', '.join(map(str, missing))}")
    groups: dict[int, list[int]] = {}
    for found_id, group in found:
        groups.setdefault(group, []).append(found_id)
    for group, members in groups.items():
        alertgroup.set_alerts(tx, group, sorted(members), status, who, now)


def set_tags(tx: Tx, id: int, tags: Sequence[str], who: str, now: Micros) -> None:
    """Replace the tags of one alert. Raises NotFound."""
    _set(tx, id, "tags", msgspec.json.encode(list(dict.fromkeys(tags))).decode(), now)
    _noted(tx, id, who, now, f"tags set to {', '.join(tags) or 'none'}")


def set_data(tx: Tx, id: int, json: str, who: str, now: Micros) -> None:
    """Replace the row of one alert; the original message keeps what was received. Raises NotFound."""
    _set(tx, id, "data", json, now)
    index.wait(tx, [get(tx, id).alertgroup], now)
    _noted(tx, id, who, now, "row replaced")


def _set(tx: Tx, id: int, column: str, value: str, now: Micros) -> None:
    get(tx, id)
    tx.run(f"UPDATE alert SET {column} = :value, updated = :now WHERE id = :id", value=value, now=now, id=id)


def _noted(tx: Tx, id: int, who: str, now: Micros, what: str) -> None:
    group = get(tx, id).alertgroup
    tx.run("UPDATE alertgroup SET updated = :now WHERE id = :group", now=now, group=group)
    history.add(tx, group, id, who, now, what)
    tx.changes.append(Change("updated", (group,)))
