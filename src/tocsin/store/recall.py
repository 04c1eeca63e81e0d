"""Recalls: a person takes back what was sent, and those who have it are told through the same lanes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec

from tocsin.errors import Malformed, NotFound
from tocsin.model import Micros, Noun
from tocsin.store import kinds
from tocsin.store.engine import Tx, packed
from tocsin.store.history import add

Fate = Literal["told", "cannot be told", "held back", "told before"]
"""What a recall does at a destination: a correction becomes owed; the destination has it and understands none; what was
not sent yet is given up; it knows already, and nothing was sent since."""

_MAYBE = ("delivered", "sending")
_UNTOLD = ("failed", "dropped", "withheld", "skipped")


class Toward(Noun, frozen=True, kw_only=True):
    """What a recall of an alertgroup does at one destination. `sent`: when it was delivered there last."""

    alertgroup: int
    lane: str
    fate: Fate
    sent: Micros | None = None


class Recalled(Noun, frozen=True, kw_only=True):
    """That an alertgroup was taken back; `lanes` empty: from all."""

    id: int
    alertgroup: int
    who: str
    at: Micros
    reason: str
    lanes: list[str]


_STATES = """
SELECT g.id, d.lane, d.kind, d.state, d.attempt, d.settled
FROM {each:ids} JOIN alertgroup g ON g.id = CAST(value ->> 0 AS BIGINT) AND g.deleted IS NULL
LEFT JOIN delivery d ON d.alertgroup = g.id ORDER BY g.id, d.id"""

_HELD = """
UPDATE delivery SET state = 'dropped', settled = :now FROM {each:pairs}
WHERE delivery.alertgroup = CAST(value ->> 0 AS BIGINT) AND delivery.lane = value ->> 1
    AND delivery.kind <> 'recall' AND delivery.state IN ('due', 'failed', 'withheld', 'silenced', 'skipped')"""


def fates(
    tx: Tx, ids: Sequence[int], understood: Mapping[str, Collection[str]], only: Collection[str] = ()
) -> list[Toward]:
    """What a recall would do, in the order of ids and of first deliveries; changes nothing.

    Args:
        tx: where to read.
        ids: of alertgroups.
        understood: by lane, the kinds of deliveries its destination understands; a lane not named has none now.
        only: those to take it back from; none: all.

    Raises NotFound naming alertgroups that are not there.
    """
    found: dict[tuple[int, str], Toward] = {}
    there: set[int] = set()
    for group, lane, kind, state, attempt, settled in tx.rows(_STATES, ids=packed([id] for id in ids)):
        there.add(group)
        if lane is None or (only and lane not in only):
            continue
        known = found.get((group, lane), Toward(alertgroup=group, lane=lane, fate="held back"))
        if kind == "recall" and state not in _UNTOLD:
            known = msgspec.structs.replace(known, fate="told before")
        elif kind == "alert" and (state in _MAYBE or (attempt > 0 and state in ("due", "failed"))):
            can = "recall" in understood.get(lane, ())
            known = msgspec.structs.replace(known, fate="told" if can else "cannot be told")
        if kind == "alert" and state == "delivered":
            known = msgspec.structs.replace(known, sent=settled)
        found[group, lane] = known
    if missing := sorted(set(ids) - there):
        raise NotFound(f"there is no alertgroup {', '.join(map(str, missing))}")
    return list(found.values())


def put(
    tx: Tx,
    ids: Sequence[int],
    reason: str,
    understood: Mapping[str, Collection[str]],
    who: str,
    now: Micros,
    only: Collection[str] = (),
) -> list[Toward]:
    """Take alertgroups back: give up what is not sent yet, and owe a correction to those that may have them.

    Args and errors as in `fates`; raises Malformed where no reason is given.
    """
    if not (said := reason.strip()):
        raise Malformed("reason: say why it is recalled; those who have it are told")
    wanted = fates(tx, list(dict.fromkeys(ids)), understood, only)
    numbers: dict[int, int] = {}
    for group in dict.fromkeys(ids):
        row = tx.row(
            "INSERT INTO recall (alertgroup, who, at, reason, lanes) VALUES (:group, :who, :now, :reason, :lanes)"
            " RETURNING id",
            group=group, who=who, now=now, reason=said[:2000], lanes=msgspec.json.encode(sorted(only)).decode(),
        )  # fmt: skip
        assert row is not None
        numbers[group] = row[0]
        at = ", ".join(sorted(only)) or "everywhere"
        add(tx, group, None, who, now, f"recalled ({at}): {said[:500]}")
    tx.run(_HELD, pairs=packed((each.alertgroup, each.lane) for each in wanted), now=now)
    told = [each for each in wanted if each.fate == "told"]
    kinds.owe(tx, [(each.alertgroup, each.lane, "recall", numbers[each.alertgroup]) for each in told], now, now)
    return wanted


def of_group(tx: Tx, group: int) -> list[Recalled]:
    """Every recall of an alertgroup, oldest first."""
    rows = tx.rows(
        "SELECT id, alertgroup, who, at, reason, lanes FROM recall WHERE alertgroup = :group ORDER BY id", group=group
    )
    return [
        Recalled(id=row[0], alertgroup=row[1], who=row[2], at=row[3], reason=row[4], lanes=msgspec.json.decode(row[5]))
        for row in rows
    ]
