"""Deliveries that come after an earlier one: updates of what a destination was sent, and recalls of it."""

from collections.abc import Sequence

from tocsin.model import Micros, Noun, Receipt
from tocsin.store.engine import Change, Tx, packed
from tocsin.store.sending import Claimed

AFTER: Micros = 5_000_000
"""An update waits that long, so that a burst of changes is one update."""


class Before(Noun, frozen=True, kw_only=True):
    """What there is to know of a claimed delivery from those before it.

    `recalled`: the alertgroup was taken back after this delivery became owed. `busy`: an earlier delivery of it is
    being sent. `earlier`: what the destination answered to those that arrived, oldest first; `seen` counts repeats.
    """

    recalled: bool = False
    busy: bool = False
    earlier: tuple[Receipt, ...] = ()
    seen: int = 1
    reason: str = ""


_NOTHING = Before()

_RECALLED = """
SELECT DISTINCT d.id FROM {each:ids} JOIN delivery d ON d.id = CAST(value ->> 0 AS BIGINT)
JOIN delivery r ON r.alertgroup = d.alertgroup AND r.lane = d.lane AND r.kind = 'recall' AND r.id > d.id"""

_EARLIER = """
SELECT d.id, r.remote_id, r.detail FROM {each:ids} JOIN delivery d ON d.id = CAST(value ->> 0 AS BIGINT)
JOIN delivery e ON e.alertgroup = d.alertgroup AND e.lane = d.lane AND e.id < d.id
JOIN receipt r ON r.delivery = e.id AND r.outcome = 'delivered' ORDER BY r.id"""

_BUSY = """
SELECT DISTINCT d.id FROM {each:ids} JOIN delivery d ON d.id = CAST(value ->> 0 AS BIGINT)
JOIN delivery e ON e.alertgroup = d.alertgroup AND e.lane = d.lane AND e.id < d.id AND e.state = 'sending'"""

_SEEN = """
SELECT d.id, g.seen, coalesce(r.reason, '') FROM {each:ids} JOIN delivery d ON d.id = CAST(value ->> 0 AS BIGINT)
JOIN alertgroup g ON g.id = d.alertgroup LEFT JOIN recall r ON r.id = d.recall"""


def before(tx: Tx, claimed: Sequence[Claimed]) -> dict[int, Before]:
    """What is to be known of each before it is sent, by its id."""
    recalled = {row[0] for row in tx.rows(_RECALLED, ids=packed([each.id] for each in claimed))}
    found = {each.id: Before(recalled=True) if each.id in recalled else _NOTHING for each in claimed}
    after = packed([each.id] for each in claimed if each.kind != "alert" and each.id not in recalled)
    if after == packed([]):
        return found
    busy = {row[0] for row in tx.rows(_BUSY, ids=after)}
    earlier: dict[int, list[Receipt]] = {}
    for id, remote, detail in tx.rows(_EARLIER, ids=after):
        earlier.setdefault(id, []).append(Receipt(remote_id=remote, status=detail))
    for id, seen, reason in tx.rows(_SEEN, ids=after):
        known = tuple(earlier.get(id, ()))
        found[id] = Before(busy=id in busy, earlier=known, seen=seen, reason=reason)
    return found


_FOLLOWED = """
SELECT DISTINCT d.alertgroup, d.lane FROM {each:ids}
JOIN delivery d ON d.alertgroup = CAST(value ->> 0 AS BIGINT)
JOIN lane l ON l.name = d.lane AND l.follows = 1
WHERE d.kind = 'alert' AND d.state IN ('delivered', 'sending')
    AND NOT EXISTS (SELECT 1 FROM delivery u WHERE u.alertgroup = d.alertgroup AND u.lane = d.lane
                    AND (u.kind = 'update' AND u.state = 'due' OR u.kind = 'recall' AND u.id > d.id))"""


def follow(tx: Tx, groups: Sequence[int], now: Micros) -> int:
    """Owe an update of alertgroups that changed to those destinations which have them and hear of changes; how many.

    One that waits already says what stands when it is sent, so no second one is made.
    """
    if not groups or tx.row("SELECT 1 FROM lane WHERE follows = 1 LIMIT 1") is None:
        return 0
    pairs = tx.rows(_FOLLOWED, ids=packed([group] for group in groups))
    owe(tx, [(group, lane, "update", None) for group, lane in pairs], now, now + AFTER)
    return len(pairs)


def owe(tx: Tx, wanted: Sequence[tuple[int, str, str, int | None]], now: Micros, due: Micros) -> None:
    """Make deliveries of (alertgroup, lane, kind, recall)."""
    if not wanted:
        return
    last = tx.row("UPDATE counter SET delivery = delivery + :n RETURNING delivery", n=len(wanted))
    assert last is not None
    first = int(last[0]) - len(wanted) + 1
    tx.run(
        "INSERT INTO delivery (id, alertgroup, lane, kind, recall, state, attempt, due, lease, created)"
        " SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3,"
        " CAST(value ->> 4 AS BIGINT), 'due', 0, :due, 0, :now FROM {each:rows}",
        rows=packed((first + place, *each) for place, each in enumerate(wanted)), now=now, due=due,
    )  # fmt: skip
    groups, lanes = tuple(dict.fromkeys(each[0] for each in wanted)), tuple(dict.fromkeys(each[1] for each in wanted))
    tx.changes.append(Change("delivery", groups, lanes))
