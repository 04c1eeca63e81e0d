"""Alertgroups as their rows stand, for those who work out what they are found by in another process."""

from collections.abc import Sequence

from tocsin.model import Micros, Noun
from tocsin.store.engine import Tx
from tocsin.store.index import Waiting

_IDS = "(SELECT CAST(value ->> 0 AS BIGINT) FROM {each:ids})"


class Unread(Noun, frozen=True, kw_only=True, array_like=True):
    """What is to be read of an alertgroup. A row is its alert's id, its cells and its parser's detection, as JSON."""

    group: int
    since: int
    received: Micros = 0
    subject: str = ""
    body: str = ""
    body_plain: str = ""
    rows: list[tuple[int, str, str | None]]


def load(tx: Tx, waiting: Sequence[Waiting], most: int) -> list[Unread]:
    """The first of those that wait, together about `most` bytes or one that is larger; gone ones have no rows."""
    since = {each.group: each.since for each in _first(tx, waiting, most)}
    ids = [[group] for group in since]
    rows: dict[int, list[tuple[int, str, str | None]]] = {group: [] for group in since}
    for group, *row in tx.rows(
        f"SELECT alertgroup, id, data, detection FROM alert WHERE alertgroup IN {_IDS} ORDER BY alertgroup, id", ids=ids
    ):
        rows[group].append((row[0], row[1], row[2]))
    found = {
        row[0]: Unread(
            group=row[0], since=since[row[0]], received=row[1], subject=row[2], body=row[3] or "",
            body_plain=row[4] or "", rows=rows[row[0]],
        )
        for row in tx.rows(
            "SELECT g.id, g.received, g.subject, t.body, t.body_plain FROM alertgroup g"
            f" LEFT JOIN alertgroup_text t ON t.alertgroup = g.id WHERE g.id IN {_IDS}",
            ids=ids,
        )
    }  # fmt: skip
    return [found.get(group) or Unread(group=group, since=at, rows=[]) for group, at in since.items()]


def _first(tx: Tx, waiting: Sequence[Waiting], most: int) -> Sequence[Waiting]:
    sizes: dict[int, int] = dict(
        tx.rows(
            f"SELECT alertgroup, sum(octet_length(data)) FROM alert WHERE alertgroup IN {_IDS} GROUP BY alertgroup",
            ids=[[each.group] for each in waiting],
        )
    )
    size = 0
    for number, each in enumerate(waiting):
        size += sizes.get(each.group, 0)
        if number and size > most:
            return waiting[:number]
    return waiting
