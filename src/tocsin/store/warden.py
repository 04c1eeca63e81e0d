"""Warden's events: what its clients read, how far each has read, and what each has sent.

Whoever adds events holds the one row of `warden` until the commit, so a reader who has seen one id has seen all before
it, on any number of nodes: nobody who goes on behind the last id of a page misses one.

To SQLite a cross join says in which order to go; left to itself it walks along everything that a client ever sent.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tocsin.model import Micros, Noun
from tocsin.store.engine import Tx, packed

DAY: Micros = 86_400_000_000
WINDOW = 20_000
"""So many ids are filtered by one statement."""
_AT_ONCE = 1000
"""Rows that a sweep removes in one transaction."""


class Item(Noun, frozen=True, kw_only=True, gc=False):
    """An event to be read by clients; `digest` tells apart what else came under the same `event` id."""

    alertgroup: int
    client: str
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    event: str
    digest: str
    json: str


class Asked(Noun, frozen=True, kw_only=True):
    """What a reader wants: any of the words of each kind (none of them: `no…`); empty is everything."""

    cat: tuple[str, ...] = ()
    nocat: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    notag: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    nogroup: tuple[str, ...] = ()


class Page(NamedTuple):
    """Events in the order of their ids, and the id behind which the reader goes on."""

    events: tuple[str, ...]
    last: int


class Sent(NamedTuple):
    """An event as its sender knows it, and the digest of what stands in it."""

    id: str
    digest: str


def newest(tx: Tx) -> int:
    """The newest id that was given out; 1 where there was none."""
    row = tx.row("SELECT last FROM warden WHERE one = 1")
    assert row is not None
    return int(row[0])


_PUT = """
INSERT INTO warden_event (id, added, alertgroup, client, categories, tags, event, digest, json)
SELECT CAST(value ->> 0 AS BIGINT), :now, CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3, value ->> 4,
       value ->> 5, value ->> 6, value ->> 7 FROM {each:rows}"""

_THERE = """
SELECT e.event, e.digest FROM {each:wanted} CROSS JOIN warden_event e
WHERE e.event = value ->> 0 AND e.digest = value ->> 1"""


def put(tx: Tx, items: Iterable[Item], now: Micros) -> set[tuple[str, str]]:
    """Add the events that are not there yet; (event, digest) of those."""
    row = tx.row("SELECT last FROM warden WHERE one = 1 {for_update}")
    assert row is not None
    last = int(row[0])
    wanted = {(item.event, item.digest): item for item in items}
    if not wanted:
        return set()
    there = {(event, digest) for event, digest in tx.rows(_THERE, wanted=packed(wanted))}
    fresh = [item for key, item in wanted.items() if key not in there]
    if fresh:
        rows = [
            (last + n, item.alertgroup, item.client, _words(item.categories), _words(item.tags), item.event,
             item.digest, item.json)
            for n, item in enumerate(fresh, 1)
        ]  # fmt: skip
        tx.run(_PUT, rows=packed(rows), now=now)
        tx.run("UPDATE warden SET last = :last WHERE one = 1", last=last + len(fresh))
    return wanted.keys() - there


def withdraw(tx: Tx, alertgroup: int) -> list[tuple[str, ...]]:
    """Take the events of an alertgroup away from those who have not read them yet; the tags of each."""
    rows = tx.rows("DELETE FROM warden_event WHERE alertgroup = :alertgroup RETURNING tags", alertgroup=alertgroup)
    return [tuple(filter(None, tags.split("|"))) for (tags,) in rows]


_SENDERS = """
SELECT g.id, m.source FROM {each:ids} CROSS JOIN alertgroup g JOIN message m ON m.id = g.message
WHERE g.id = CAST(value ->> 0 AS BIGINT)"""


def senders(tx: Tx, alertgroups: Sequence[int]) -> dict[int, str]:
    """By alertgroup, the label of the source its message came from."""
    rows = tx.rows(_SENDERS, ids=packed([id] for id in dict.fromkeys(alertgroups)))
    return {int(group): str(source) for group, source in rows}


def page(tx: Tx, after: int, limit: int, asked: Asked, seconds: float = 10.0) -> Page:
    """The first `limit` events behind an id that are meant.

    Where there are none, the reader goes on behind the newest id; where looking takes longer than that many seconds,
    behind the last one that was looked at.
    """
    last = newest(tx)
    where, params = _where(asked)
    found: list[tuple[int, str]] = []
    until = time.monotonic() + seconds
    first = tx.row("SELECT min(id) FROM warden_event WHERE id > :after", after=after)
    at = last if first is None or first[0] is None else int(first[0]) - 1
    while at < last and len(found) < limit:
        end = min(at + WINDOW, last) if where else last
        rows = tx.rows(
            "SELECT e.id, e.json FROM (SELECT id FROM warden_event WHERE id > :at AND id <= :end"
            f"{where} ORDER BY id LIMIT :n) AS p CROSS JOIN warden_event e WHERE e.id = p.id",
            at=at, end=end, n=limit - len(found), **params,
        )  # fmt: skip
        found += sorted((int(id), json) for id, json in rows)
        at = end
        if time.monotonic() > until:
            break
    if found:
        return Page(tuple(json for _, json in found), found[-1][0])
    return Page((), max(at, 1))


def _where(asked: Asked) -> tuple[str, dict[str, Any]]:
    """The filters as SQL that begins with AND; words of one kind are alternatives, kinds come together."""
    parts: list[str] = []
    params: dict[str, Any] = {}
    for kind in ("cat", "tag", "group"):
        for no in ("", "no"):
            words: tuple[str, ...] = getattr(asked, no + kind)
            ways = []
            for n, word in enumerate(dict.fromkeys(words)):
                name = f"{no}{kind}{n}"
                if kind == "group":
                    params |= {name: word, f"{name}_below": f"{word}.", f"{name}_long": len(word) + 1}
                    ways.append(f"(client = :{name} OR substr(client, 1, :{name}_long) = :{name}_below)")
                else:
                    params[name] = f"%|{word}|%"
                    ways.append(f"{'categories' if kind == 'cat' else 'tags'} LIKE :{name}")
            if ways:
                parts.append(f" AND {'NOT ' if no else ''}({' OR '.join(ways)})")
    return "".join(parts), params


def _words(words: Sequence[str]) -> str:
    return f"|{'|'.join(dict.fromkeys(words))}|"


def cursor(tx: Tx, client: str) -> int | None:
    """How far a client has read; None before its first time."""
    row = tx.row("SELECT id FROM warden_cursor WHERE client = :client", client=client)
    return None if row is None else int(row[0])


def move(tx: Tx, client: str, id: int, now: Micros) -> None:
    """Remember how far a client has read."""
    tx.run(
        "INSERT INTO warden_cursor (client, id, at) VALUES (:client, :id, :now)"
        " ON CONFLICT (client) DO UPDATE SET id = excluded.id, at = excluded.at",
        client=client, id=id, now=now,
    )  # fmt: skip


_KNOWN = """
SELECT s.id, s.digest FROM {each:wanted} CROSS JOIN warden_sent s
WHERE s.client = :client AND s.id = value ->> 0 AND s.digest = value ->> 1"""


def known(tx: Tx, client: str, events: Iterable[Sent]) -> set[Sent]:
    """Which of these events that client has sent before."""
    rows = tx.rows(_KNOWN, wanted=packed(dict.fromkeys(events)), client=client)
    return {Sent(id, digest) for id, digest in rows}


def remember(tx: Tx, client: str, events: Iterable[Sent], now: Micros) -> None:
    """Write down what a client has sent."""
    tx.run(
        "INSERT INTO warden_sent (client, id, digest, at) SELECT :client, value ->> 0, value ->> 1, :now"
        " FROM {each:rows} WHERE true ON CONFLICT DO NOTHING",
        rows=packed(events), client=client, now=now,
    )  # fmt: skip


def expire(tx: Tx, events: Micros, sent: Micros) -> int:
    """Remove some events of before that moment, and of what is remembered of sent ones; 0 when all are gone."""
    return tx.run(
        "DELETE FROM warden_event WHERE id IN"
        " (SELECT id FROM warden_event WHERE added < :before ORDER BY added LIMIT :most)",
        before=events, most=_AT_ONCE,
    ) + tx.run(
        "DELETE FROM warden_sent WHERE (client, id, digest) IN"
        " (SELECT client, id, digest FROM warden_sent WHERE at < :before ORDER BY at LIMIT :most)",
        before=sent, most=_AT_ONCE,
    )  # fmt: skip
