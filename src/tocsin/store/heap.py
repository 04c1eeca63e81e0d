"""Heaps of evidence as they stand: what is in them, what is shown of them, and what is taken out or sent after all.

An alertgroup that an accumulate rule gathered is stored whole. It stands in no list and no total and is owed to nobody,
until a person has it sent; once its heap was enough, the alertgroup made of the heap is listed and owed in its place.
"""

from collections.abc import Iterable, Sequence

import msgspec

from tocsin.errors import Malformed, NotFound
from tocsin.model import Micros, Noun
from tocsin.store import history, kinds, repeat
from tocsin.store.engine import Change, Tx, packed

BELOW, RAISED = "below", "raised"
"""What an alertgroup's `gathered` says."""

_IDS = "(SELECT CAST(value ->> 0 AS BIGINT) FROM {each:ids})"
_SAME = "h.rule = p.rule AND h.width = p.width AND h.source = p.source AND h.begun = p.begun"
_NAMES = msgspec.json.Decoder(list[str])


class Standing(Noun, frozen=True, kw_only=True):
    """How much lies in the fullest heap that an alertgroup is in: weights in millionths, 0 of 0 where it adds nothing.

    `into` are the alertgroups that its heaps were raised to, oldest first.
    """

    rule: str = ""
    source: str = ""
    begun: Micros = 0
    width: Micros = 0
    weight: int = 0
    threshold: int = 0
    into: tuple[int, ...] = ()


class Piece(Noun, frozen=True, kw_only=True):
    """A piece of evidence in a raised alertgroup: the alert it is a copy of, and what that weighed, in millionths."""

    alert: int
    alertgroup: int
    weight: int


def of_groups(tx: Tx, ids: Sequence[int]) -> dict[int, Standing]:
    """How the alertgroups that are evidence stand; others are left out."""
    found = {
        group: Standing(rule=rule)
        for group, rule in tx.rows(f"SELECT alertgroup, rule FROM evidence WHERE alertgroup IN {_IDS}", ids=_each(ids))
    }
    if not found:
        return found
    into: dict[int, dict[int, None]] = {}
    for group, rule, source, begun, width, weight, threshold, raised in tx.rows(
        "SELECT DISTINCT p.alertgroup, p.rule, p.source, p.begun, p.width, h.weight, h.threshold, p.raised_into"
        f" FROM pile p JOIN heap h ON {_SAME} WHERE p.alertgroup IN {_IDS} ORDER BY p.alertgroup, p.raised_into",
        ids=_each(found),
    ):
        if raised is not None:
            into.setdefault(group, {})[raised] = None
            continue
        before = found[group]
        if not before.threshold or weight * before.threshold > before.weight * threshold:
            found[group] = Standing(
                rule=rule, source=source, begun=begun, width=width, weight=weight, threshold=threshold
            )
    return {
        group: msgspec.structs.replace(one, into=tuple(into[group])) if group in into else one
        for group, one in found.items()
    }


def pieces(tx: Tx, group: int, limit: int) -> tuple[list[Piece], int]:
    """What an alertgroup was raised from, in the order in which it came, and how many there are in all."""
    rows = tx.rows(
        "SELECT alert, alertgroup, weight FROM pile WHERE raised_into = :group ORDER BY alert LIMIT :limit",
        group=group,
        limit=limit,
    )
    counted = tx.row("SELECT count(*) FROM pile WHERE raised_into = :group", group=group)
    assert counted is not None
    return [Piece(alert=row[0], alertgroup=row[1], weight=row[2]) for row in rows], int(counted[0])


def send(tx: Tx, group: int, who: str, now: Micros) -> list[str]:
    """Owe an alertgroup below the threshold to the lanes that the routes chose when it came; it is listed from then on.

    It goes on counting in its heap. The lanes. Raises NotFound; Malformed where it is not below a threshold.
    """
    repeat.hold(tx)
    taken = tx.rows(
        "UPDATE alertgroup SET gathered = NULL, updated = :now WHERE id = :group AND gathered = 'below'"
        " RETURNING status, deleted, folded_into",
        group=group,
        now=now,
    )
    if not taken:
        if tx.row("SELECT 1 FROM alertgroup WHERE id = :group", group=group) is None:
            raise NotFound(f"there is no alertgroup {group}")
        raise Malformed(f"alertgroup {group} is not evidence below a threshold")
    status, deleted, folded = taken[0]
    if deleted is None and folded is None:
        tx.run("UPDATE total SET n = n + 1 WHERE status = :status", status=status)
    row = tx.row("SELECT lanes FROM evidence WHERE alertgroup = :group", group=group)
    lanes = _NAMES.decode(row[0]) if row else []
    kinds.owe(tx, [(group, lane, "alert", None) for lane in lanes], now, now)
    whom = f"to be sent to {', '.join(lanes)}" if lanes else "no route means it, so it is sent to nobody"
    history.add(tx, group, None, who, now, f"sent, though there was not enough evidence with it: {whom}")
    tx.changes.append(Change("updated", (group,), tuple(lanes)))
    return lanes


def recount(tx: Tx, groups: Sequence[int]) -> None:
    """Bring the heaps in line in which these alertgroups lie: what was deleted does not count, what is back does.

    None is raised by that; the next evidence does it.
    """
    among = f"p.alertgroup IN {_IDS} AND p.raised_into IS NULL"
    heaps = tx.rows(f"SELECT DISTINCT p.rule, p.width, p.source, p.begun FROM pile p WHERE {among}", ids=_each(groups))
    if not heaps:
        return
    tx.run(
        f"UPDATE pile SET turn = (SELECT h.raised FROM heap h WHERE {_SAME.replace('p.', 'pile.')})"
        f" WHERE alertgroup IN {_IDS} AND raised_into IS NULL",
        ids=_each(groups),
    )
    _weigh(tx, heaps)


def forget(tx: Tx, groups: Sequence[int]) -> None:
    """Take these alertgroups out of their heaps for good, but for what was raised already."""
    heaps = tx.rows(
        f"DELETE FROM pile WHERE alertgroup IN {_IDS} AND raised_into IS NULL RETURNING rule, width, source, begun",
        ids=_each(groups),
    )
    _weigh(tx, sorted(set(heaps)))


def drop(tx: Tx, groups: Sequence[int]) -> None:
    """Alertgroups are removed for good."""
    forget(tx, groups)
    tx.run(f"DELETE FROM pile WHERE alertgroup IN {_IDS}", ids=_each(groups))
    tx.run(f"DELETE FROM evidence WHERE alertgroup IN {_IDS}", ids=_each(groups))


def drop_empty(tx: Tx, before: Micros) -> int:
    """Remove the heaps of which nothing is left, and to which nothing came since; how many."""
    return tx.run(
        "DELETE FROM heap WHERE touched < :before AND NOT EXISTS (SELECT 1 FROM pile p WHERE"
        f" {_SAME.replace('h.', 'heap.')})",
        before=before,
    )


def _weigh(tx: Tx, heaps: Sequence[Sequence[object]]) -> None:
    if not heaps:
        return
    tx.run(
        "UPDATE heap SET weight = coalesce((SELECT sum(p.weight) FROM pile p JOIN alertgroup g ON g.id = p.alertgroup"
        f" WHERE {_SAME.replace('h.', 'heap.')} AND p.turn = heap.raised AND g.deleted IS NULL), 0)"
        " FROM (SELECT value ->> 0 AS rule, CAST(value ->> 1 AS BIGINT) AS width, value ->> 2 AS source,"
        " CAST(value ->> 3 AS BIGINT) AS begun FROM {each:rows}) AS c"
        " WHERE heap.rule = c.rule AND heap.width = c.width AND heap.source = c.source AND heap.begun = c.begun",
        rows=packed(heaps),
    )


def _each(ids: Iterable[int]) -> list[list[int]]:
    return [[one] for one in ids]
