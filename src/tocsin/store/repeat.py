"""Repeats: an alertgroup that came before is folded into the first of its kind, counted there, and can be taken out.

Nothing is left out of the store for it: a folded alertgroup has its message, its original and its alerts as ever. It
only stands in no list, is owed to no destination that the first one was owed to, and names the first one. The totals
count what is not folded.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tocsin.errors import Malformed, NotFound
from tocsin.model import Micros, Noun
from tocsin.store import history, kinds
from tocsin.store.engine import Change, Tx, packed

FOLDED = "folded into alertgroup"
"""How the line of history begins."""
HUB = "tocsin"
_IDS = "(SELECT CAST(value ->> 0 AS BIGINT) FROM {each:ids})"


class Fold(Noun, frozen=True, kw_only=True):
    """What an alertgroup is known by, and when it is a repeat: see `rules.repeats`. Times in microseconds."""

    fingerprint: str
    window: Micros
    longest: Micros
    reopen: bool = False


class Repeated(Noun, frozen=True, kw_only=True):
    """How an alertgroup stands to its kind. `folded`: how many of its repeats are kept; `apart`: none are folded.

    `fingerprint` is empty where repeats were off when it came.
    """

    fingerprint: str = ""
    folded: int = 0
    apart: bool = False


class Member(Noun, frozen=True, kw_only=True):
    """A folded alertgroup as the first one's page lists it; `lanes` are those it would be owed to."""

    id: int
    subject: str
    received: Micros
    alert_count: int
    message_id: str
    deleted: Micros | None
    lanes: list[str]


class _First(msgspec.Struct):
    """What stands for a fingerprint; `message` 0: nothing does, or it was deleted."""

    group: int
    begun: Micros
    last: Micros
    lanes: list[str]
    apart: bool
    message: int
    status: str = "open"
    more: int = 0
    reopened: bool = False


class Folding:
    """The repeats of one batch: asked for each new alertgroup in turn, then written."""

    def __init__(self, tx: Tx, folds: Iterable[Fold]) -> None:
        wanted = {fold.fingerprint for fold in folds}
        self._firsts: dict[str, _First] = {}
        self._changed: set[str] = set()
        self._came: list[tuple[int, str, str]] = []
        self._past: list[tuple[int, Micros, str]] = []
        if not wanted:
            return
        for fingerprint, group, begun, last, lanes, apart, message, status in tx.rows(
            "SELECT f.fingerprint, f.first, f.begun, f.last, f.lanes, f.apart, coalesce(g.message, 0), g.status"
            " FROM {each:wanted} JOIN fold f ON f.fingerprint = value ->> 0 LEFT JOIN alertgroup g ON g.id = f.first"
            " AND g.deleted IS NULL AND g.folded_into IS NULL",
            wanted=[[one] for one in sorted(wanted)],
        ):
            self._firsts[fingerprint] = _First(
                group, begun, last, msgspec.json.decode(lanes), bool(apart), message, status or "open"
            )

    def place(
        self, fold: Fold, group: int, message: int, received: Micros, lanes: Sequence[str]
    ) -> tuple[int | None, Sequence[str]]:
        """What a new alertgroup is folded into, and the lanes that it is owed to."""
        first = self._firsts.get(fold.fingerprint)
        if first is not None and (first.apart or first.message == message):
            # Two alertgroups of one message are no repeats of each other.
            self._came.append((group, fold.fingerprint, "[]"))
            return None, lanes
        self._changed.add(fold.fingerprint)
        if first is None or not first.message or not _within(fold, first, received):
            self._came.append((group, fold.fingerprint, "[]"))
            self._firsts[fold.fingerprint] = _First(group, received, received, list(lanes), False, message)
            return None, lanes
        owed = [lane for lane in lanes if lane not in first.lanes]
        held = [lane for lane in lanes if lane in first.lanes]
        first.lanes += owed
        first.last = max(first.last, received)
        first.more += 1
        first.reopened |= fold.reopen
        self._came.append((group, fold.fingerprint, _json(held)))
        said = f": not sent again to {', '.join(held)}" if held else ""
        self._past.append((group, received, f"{FOLDED} {first.group} as its repeat{said}"))
        return first.group, owed

    def insert(self, tx: Tx) -> None:
        """Write what was decided, once the alertgroups themselves stand: as many statements for one as for many."""
        if not self._came:
            return
        tx.run(
            "INSERT INTO repeat (alertgroup, fingerprint, lanes)"
            " SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2 FROM {each:rows}",
            rows=packed(self._came),
        )
        changed = [(name, self._firsts[name]) for name in sorted(self._changed)]
        if not changed:
            return
        tx.run(
            "INSERT INTO fold (fingerprint, first, begun, last, lanes)"
            " SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT),"
            " CAST(value ->> 3 AS BIGINT), value ->> 4 FROM {each:rows} WHERE true"
            " ON CONFLICT (fingerprint) DO UPDATE SET first = excluded.first, begun = excluded.begun,"
            " last = excluded.last, lanes = excluded.lanes",
            rows=packed((name, one.group, one.begun, one.last, _json(one.lanes)) for name, one in changed),
        )
        counted = [(one.group, one.more, one.last) for _, one in changed if one.more]
        if not counted:
            return
        _count(tx, counted)
        _write_down(tx, HUB, self._past)
        _reopen(tx, [(one.group, one.last) for _, one in changed if one.reopened and one.status == "closed"])
        kinds.follow(tx, [row[0] for row in counted], max(row[2] for row in counted))
        tx.changes.append(Change("updated", tuple(row[0] for row in counted)))


def _within(fold: Fold, first: _First, received: Micros) -> bool:
    since_last, since_first = received - first.last, received - first.begun
    return -fold.window <= since_first <= fold.longest and since_last <= fold.window


def _count(tx: Tx, counted: Sequence[tuple[int, int, Micros]]) -> None:
    tx.run(
        "UPDATE alertgroup SET seen = seen + c.n, last_seen = c.last,"
        " updated = CASE WHEN updated < c.last THEN c.last ELSE updated END"
        " FROM (SELECT CAST(value ->> 0 AS BIGINT) AS id, CAST(value ->> 1 AS BIGINT) AS n,"
        " CAST(value ->> 2 AS BIGINT) AS last FROM {each:rows}) AS c WHERE alertgroup.id = c.id",
        rows=packed(counted),
    )


def _reopen(tx: Tx, firsts: Sequence[tuple[int, Micros]]) -> None:
    """Open what is closed, all its alerts, as its rule says."""
    if not firsts:
        return
    opened = tx.rows(
        "UPDATE alertgroup SET status = 'open', open_count = alert_count, closed_count = 0"
        " FROM (SELECT CAST(value ->> 0 AS BIGINT) AS id FROM {each:ids}) AS c"
        " WHERE alertgroup.id = c.id AND status = 'closed' RETURNING alertgroup.id, alertgroup.updated",
        ids=_each(group for group, _ in firsts),
    )
    tx.run(
        "UPDATE alert SET status = 'open', updated = c.at FROM (SELECT CAST(value ->> 0 AS BIGINT) AS id,"
        " CAST(value ->> 1 AS BIGINT) AS at FROM {each:rows}) AS c WHERE alert.alertgroup = c.id",
        rows=packed(opened),
    )
    _total(tx, {"closed": -len(opened), "open": len(opened)})
    _write_down(tx, HUB, [(group, at, "opened again, since it came again") for group, at in opened])


def of_group(tx: Tx, group: int) -> Repeated:
    """How an alertgroup stands to its kind."""
    row = tx.row(
        "SELECT r.fingerprint, coalesce(f.apart, 0) FROM repeat r LEFT JOIN fold f ON f.fingerprint = r.fingerprint"
        " WHERE r.alertgroup = :group",
        group=group,
    )
    counted = tx.row("SELECT count(*) FROM alertgroup WHERE folded_into = :group", group=group)
    assert counted is not None
    fingerprint, apart = row or ("", 0)
    return Repeated(fingerprint=fingerprint, folded=int(counted[0]), apart=bool(apart))


def members(tx: Tx, group: int, limit: int, before: int | None = None) -> list[Member]:
    """What is folded into an alertgroup, the newest first; `before` is the last id of the page before."""
    return [
        Member(
            id=row[0],
            subject=row[1],
            received=row[2],
            alert_count=row[3],
            message_id=row[4],
            deleted=row[5],
            lanes=msgspec.json.decode(row[6] or "[]"),
        )
        for row in tx.rows(
            "SELECT g.id, g.subject, g.received, g.alert_count, g.message_id, g.deleted, r.lanes FROM alertgroup g"
            " LEFT JOIN repeat r ON r.alertgroup = g.id WHERE g.folded_into = :group AND g.id < :before"
            " ORDER BY g.id DESC LIMIT :limit",
            group=group, limit=limit, before=2**63 - 1 if before is None else before,
        )
    ]  # fmt: skip


def unfold(tx: Tx, group: int, who: str, now: Micros) -> list[int]:
    """Take a folded alertgroup out, or all that is folded into a first one: they stand by themselves and are owed.

    The ids of those taken out. Raises NotFound; Malformed where nothing is folded.
    """
    hold(tx)
    known = tx.row("SELECT folded_into FROM alertgroup WHERE id = :group", group=group)
    if known is None:
        raise NotFound(f"there is no alertgroup {group}")
    first = group if known[0] is None else int(known[0])
    taken = tx.rows(
        "UPDATE alertgroup SET folded_into = NULL, updated = :now WHERE folded_into = :first"
        " AND (id = :group OR :group = :first) RETURNING id, status, deleted IS NULL AND gathered IS NULL",
        first=first,
        group=group,
        now=now,
    )
    if not taken:
        raise Malformed(f"alertgroup {group} is not folded, and nothing is folded into it")
    ids = sorted(row[0] for row in taken)
    held = {
        row[0]: msgspec.json.decode(row[1], type=list[str])
        for row in tx.rows(f"SELECT alertgroup, lanes FROM repeat WHERE alertgroup IN {_IDS}", ids=_each(ids))
    }
    tx.run(f"UPDATE repeat SET lanes = '[]' WHERE alertgroup IN {_IDS}", ids=_each(ids))
    _settle(tx, first, -len(ids), now)
    _total(tx, Counter(row[1] for row in taken if row[2]))
    lanes = _owe(tx, [(one, lane) for one in ids for lane in held.get(one, [])], now)
    past = [(one, now, f"taken out of alertgroup {first}{_to(held.get(one, []))}") for one in ids]
    some = ", ".join(map(str, ids[:20])) + (f" and {len(ids) - 20} more" if len(ids) > 20 else "")
    _write_down(tx, who, [*past, (first, now, f"repeat {some} taken out")])
    tx.changes.append(Change("updated", (first, *ids), lanes))
    return ids


def set_apart(tx: Tx, group: int, apart: bool, who: str, now: Micros) -> None:
    """Fold no more repeats of an alertgroup's kind, or do so again. Raises NotFound; Malformed if repeats were off."""
    hold(tx)
    if tx.row("SELECT 1 FROM alertgroup WHERE id = :group", group=group) is None:
        raise NotFound(f"there is no alertgroup {group}")
    changed = tx.run(
        "INSERT INTO fold (fingerprint, first, begun, last, lanes, apart)"
        " SELECT r.fingerprint, g.id, g.received, g.received, '[]', :apart FROM repeat r"
        " JOIN alertgroup g ON g.id = r.alertgroup WHERE r.alertgroup = :group"
        " ON CONFLICT (fingerprint) DO UPDATE SET apart = excluded.apart",
        group=group,
        apart=int(apart),
    )
    if not changed:
        raise Malformed(f"repeats of alertgroup {group} are not folded: none were when it came")
    said = "repeats of it are not folded any more" if apart else "repeats of it are folded again"
    history.add(tx, group, None, who, now, said)
    tx.changes.append(Change("updated", (group,)))


def hold(tx: Tx) -> None:
    """Said before alertgroups are locked: intake takes its locks in this order, and on several nodes at once."""
    tx.row("SELECT one FROM counter {for_update}")


def hand_over(tx: Tx, group: int, who: str, now: Micros) -> None:
    """An alertgroup is deleted: the next of those folded into it stands for the others."""
    heirs = tx.rows(
        "UPDATE alertgroup SET folded_into = NULL, updated = :now WHERE id = (SELECT min(id) FROM alertgroup"
        " WHERE folded_into = :group AND deleted IS NULL) RETURNING id, status, received, gathered IS NULL",
        group=group,
        now=now,
    )
    tx.run("UPDATE alertgroup SET seen = 1, last_seen = NULL WHERE id = :group AND seen > 1", group=group)
    if not heirs:
        tx.run("UPDATE alertgroup SET folded_into = NULL WHERE folded_into = :group", group=group)
        return
    heir, status, received, listed = heirs[0]
    rest = tx.run(
        "UPDATE alertgroup SET folded_into = :heir, updated = :now WHERE folded_into = :group",
        heir=heir,
        group=group,
        now=now,
    )
    _settle(tx, heir, rest, now)
    tx.run("UPDATE repeat SET lanes = '[]' WHERE alertgroup = :heir", heir=heir)
    tx.run(
        "UPDATE fold SET first = :heir, begun = :received WHERE first = :group",
        heir=heir,
        group=group,
        received=received,
    )
    _total(tx, {status: 1} if listed else {})
    said = f" with {rest} more" if rest else ""
    past = [
        (heir, now, f"stands for its repeats, since alertgroup {group} was deleted"),
        (group, now, f"its repeats stand in alertgroup {heir}{said}"),
    ]
    _write_down(tx, who, past)
    tx.changes.append(Change("updated", (heir,)))


def drop(tx: Tx, groups: Sequence[int]) -> None:
    """Alertgroups are removed for good; what a person said about their kind stays."""
    tx.run(f"DELETE FROM repeat WHERE alertgroup IN {_IDS}", ids=_each(groups))
    tx.run(f"DELETE FROM fold WHERE apart = 0 AND first IN {_IDS}", ids=_each(groups))


def _each(ids: Iterable[int]) -> list[list[int]]:
    return [[one] for one in ids]


def _settle(tx: Tx, first: int, more: int, now: Micros) -> None:
    """The count changes, and the last time is that of the newest that is left."""
    tx.run(
        "UPDATE alertgroup SET seen = seen + :more, updated = :now, last_seen ="
        " (SELECT max(m.received) FROM alertgroup m WHERE m.folded_into = :first) WHERE id = :first",
        first=first,
        more=more,
        now=now,
    )


def _owe(tx: Tx, owed: Sequence[tuple[int, str]], now: Micros) -> tuple[str, ...]:
    if not owed:
        return ()
    last = tx.row("UPDATE counter SET delivery = delivery + :n RETURNING delivery", n=len(owed))
    assert last is not None
    first = int(last[0]) - len(owed) + 1
    tx.run(
        "INSERT INTO delivery (id, alertgroup, lane, state, attempt, due, lease, created)"
        " SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, 'due', 0, :now, 0, :now"
        " FROM {each:rows}",
        rows=packed((first + n, group, lane) for n, (group, lane) in enumerate(owed)),
        now=now,
    )
    return tuple(sorted({lane for _, lane in owed}))


def _total(tx: Tx, changes: dict[str, int]) -> None:
    for status, n in changes.items():
        tx.run("UPDATE total SET n = n + :n WHERE status = :status", n=n, status=status)


def _write_down(tx: Tx, who: str, lines: Sequence[tuple[int, Micros, str]]) -> None:
    tx.run(
        "INSERT INTO history (alertgroup, who, at, what)"
        " SELECT CAST(value ->> 0 AS BIGINT), :who, CAST(value ->> 1 AS BIGINT), value ->> 2 FROM {each:rows}",
        rows=packed(lines),
        who=who,
    )


def _to(lanes: Sequence[str]) -> str:
    return f": to be sent to {', '.join(lanes)}" if lanes else ""


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
