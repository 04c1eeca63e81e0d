"""What alerts say and what analysts say of them, followed from a stamp on: for the labels of flows.

New alertgroups are found by their ids, which are handed out in the order of commits. Changes are found by `updated`,
which a writer reads off its clock a while before it commits: what lies that little back is looked at again.
"""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from tocsin.errors import NotFound
from tocsin.model import Alert, Detection, Judged, Micros, News, Noun, Since, Status, Triaged
from tocsin.store.engine import Tx
from tocsin.store.heap import BELOW, RAISED

if TYPE_CHECKING:
    from tocsin.store.store import Store

LATE = 60_000_000
"""A change is stored at most so many microseconds after the time it bears; clocks of several nodes differ by less."""
LOOK = 1000
GROUPS, BYTES = 500, 8 * 2**20
"""A portion has at most so many alertgroups and bytes of their alerts, or one alertgroup that has more."""

_IDS = "(SELECT CAST(value ->> 0 AS BIGINT) FROM {each:ids})"
_STRINGS = msgspec.json.Decoder(tuple[str, ...])
_DETECTION = msgspec.json.Decoder(Detection)


class _Stood(Noun, frozen=True, kw_only=True, array_like=True):
    """An alertgroup as it stood when it was looked at."""

    id: int
    updated: Micros
    rest: str
    """Status, whether it is deleted, and what it follows: two changes may bear one time."""

    @property
    def seen(self) -> tuple[Micros, str]:
        """What tells that it changed."""
        return self.updated, self.rest


def changed(store: "Store", since: Since) -> Iterator[News]:
    """Alertgroups that are new or changed since then, in portions, each with the stamp to go on from; none for none.

    Deleted alertgroups and evidence of which there is not enough come as `gone`. What retention removed for good is
    not told of. An alertgroup may come more than once, as it stands each time. Raises StoreUnavailable.
    """
    now = time.time_ns() // 1000
    start, anew = store.read(partial(_start, hub=store.uid, since=since, now=now))
    since = start
    while news := store.read(partial(_new, since=since)):
        yield msgspec.structs.replace(news, anew=anew)
        since, anew = news.since, False
    if anew:
        yield News(groups=(), since=since, anew=True)
    yield from _changes(store, since, now, told=start.id != since.id)


def one(tx: Tx, id: int) -> Triaged:
    """An alertgroup as it stands now. Raises NotFound."""
    found = _load(tx, [id])
    if not found:
        raise NotFound(f"There is no alertgroup {id}.")
    return found[0]


def _changes(store: "Store", since: Since, now: Micros, *, told: bool) -> Iterator[News]:
    """`told`: whether somebody will keep the stamp anyway."""
    cursor, begun = (since.updated - LATE, 0), since
    while looked := store.read(partial(_look, after=cursor, upto=since.id)):
        cursor = (looked[-1].updated, looked[-1].id)
        fresh = [each for each in looked if since.seen.get(each.id) != each.seen]
        while fresh:
            groups, taken = store.read(partial(_portion, stood=fresh))
            since, fresh = _further(since, fresh[:taken], min(fresh[0].updated, now)), fresh[taken:]
            yield News(groups=groups, since=since)
            told = True
        since = _further(since, (), min(looked[-1].updated, now))
    if told and since is not begun:
        yield News(groups=(), since=since)


def _start(tx: Tx, hub: str, since: Since, now: Micros) -> tuple[Since, bool]:
    """The stamp itself, or the very beginning where it is of another hub, or the store was set back before it.

    A stamp is never ahead of the clock: what is changed after that was put right bears a time before it.
    """
    row = tx.row("SELECT alertgroup, (SELECT max(updated) FROM alertgroup) FROM counter")
    assert row is not None
    if since.hub == hub and since.id <= row[0]:
        return (since if since.updated <= now else msgspec.structs.replace(since, updated=now)), False
    return Since(hub=hub, updated=min(row[1] or 0, now)), True


def _new(tx: Tx, since: Since) -> News | None:
    stood = _stood(tx, "id > :after ORDER BY id", after=since.id, limit=GROUPS)
    if not stood:
        return None
    groups, taken = _portion(tx, stood)
    last = stood[taken - 1].id
    return News(groups=groups, since=msgspec.structs.replace(_further(since, stood[:taken], 0), id=last))


def _look(tx: Tx, after: tuple[Micros, int], upto: int) -> list[_Stood]:
    where = "(updated, id) > (:updated, :id) AND id <= :upto ORDER BY updated, id"
    return _stood(tx, where, updated=after[0], id=after[1], upto=upto, limit=LOOK)


def _stood(tx: Tx, where: str, **params: int) -> list[_Stood]:
    columns = "id, updated, status, deleted, folded_into, gathered"
    rows = tx.rows(f"SELECT {columns} FROM alertgroup WHERE {where} LIMIT :limit", **params)
    return [_Stood(id=row[0], updated=row[1], rest=" ".join(map(str, row[2:]))) for row in rows]


def _further(since: Since, stood: Sequence[_Stood], updated: Micros) -> Since:
    """The stamp after these, with all changes before `updated` told."""
    updated = max(since.updated, updated)
    if not stood and updated == since.updated:
        return since
    seen = {**since.seen, **{each.id: each.seen for each in stood}}
    if updated > since.updated or len(seen) > 2 * len(since.seen):
        seen = {id: at for id, at in seen.items() if at[0] >= updated - LATE}
    return Since(hub=since.hub, id=since.id, updated=updated, seen=seen)


def _portion(tx: Tx, stood: Sequence[_Stood]) -> tuple[tuple[Triaged, ...], int]:
    """The first of them, as they stand now, and how many those are."""
    sizes: dict[int, int] = dict(
        tx.rows(
            f"SELECT alertgroup, sum(octet_length(data)) FROM alert WHERE alertgroup IN {_IDS} GROUP BY alertgroup",
            ids=[[each.id] for each in stood],
        )
    )
    size, taken = 0, 0
    for each in stood[:GROUPS]:
        size += sizes.get(each.id, 0)
        if taken and size > BYTES:
            break
        taken += 1
    return _load(tx, [each.id for each in stood[:taken]]), taken


def _load(tx: Tx, wanted: Sequence[int]) -> tuple[Triaged, ...]:
    ids = [[each] for each in wanted]
    rows = tx.rows(
        "SELECT g.id, g.status, g.tags, g.deleted IS NOT NULL OR coalesce(g.gathered, '') = :below, g.gathered,"
        f" g.folded_into FROM alertgroup g WHERE g.id IN {_IDS} ORDER BY g.id",
        ids=ids,
        below=BELOW,
    )
    standing = {row[0]: (row[4], row[5]) for row in rows if not row[3]}
    alerts: dict[int, list[Judged]] = {}
    # The cells are read where no parser said what they mean.
    for id, group, status, tags, data, detection, raised in tx.rows(
        "SELECT a.id, a.alertgroup, a.status, a.tags, CASE WHEN a.detection IS NULL THEN a.data ELSE '{}' END,"
        " a.detection, p.raised_into FROM alert a LEFT JOIN pile p ON p.alert = a.id"
        f" WHERE a.alertgroup IN {_IDS} ORDER BY a.alertgroup, a.id",
        ids=[[each] for each in standing],
    ):
        gathered, folded = standing[group]
        if gathered == RAISED and raised is None:
            continue
        alert = Alert(
            json=data,
            detection=None if detection is None else _DETECTION.decode(detection),
            id=id,
            status=Status(status),
        )
        follows = (raised if gathered == RAISED else folded) or 0
        alerts.setdefault(group, []).append(Judged(alert, _STRINGS.decode(tags) if tags else (), follows))
    return tuple(
        Triaged(
            id=row[0],
            status=Status(row[1]),
            tags=_STRINGS.decode(row[2]),
            gone=bool(row[3]),
            alerts=tuple(alerts.get(row[0], ())),
        )
        for row in rows
    )
