"""Replays: stored alertgroups that a person has sent to a destination again, or for the first time.

A replay walks from the oldest alertgroup to the newest that there was when it was made. Its cursor moves in the
transaction that makes the deliveries, so it goes on exactly where it was, whatever ends the process.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from tocsin.errors import Malformed, NotFound
from tocsin.model import Micros, Noun
from tocsin.store.engine import Change, Row, Tx, packed

State = Literal["running", "paused", "done", "stopped"]
Fate = Literal["new", "again", "delivered", "under way"]
"""What a replay does with an alertgroup: owed for the first time or once more; left out because its destination has it
already, or because it is being sent."""

MOST_DUE = 100
"""Of a lane's deliveries that can be sent or were tried in vain: with so many, replays wait. What comes meanwhile
stands behind them."""
BURST: Micros = 1_000_000
"""What was not owed in time is caught up with for so long and no longer."""


class Wish(Noun, frozen=True, kw_only=True):
    """What to send where. `starts` and `ends` bound when it was received; `every` is the time between two, 0 for none.

    `again`: also what was delivered already. `folded`: also repeats that are folded into another alertgroup.
    """

    lane: str
    query: str = ""
    starts: Micros | None = None
    ends: Micros | None = None
    rate: str = ""
    every: Micros = 0
    again: bool = False
    folded: bool = False


class Replay(Noun, frozen=True, kw_only=True):
    """A replay and how far it is; it has looked at everything up to `cursor`, and ends at `upto`.

    `owed` were made due, `delivered` and `under_way` were left out. `note` is why it is paused.
    """

    id: int
    who: str
    wish: Wish
    state: State
    note: str
    cursor: int
    upto: int
    next_at: Micros
    owed: int
    delivered: int
    under_way: int
    created: Micros
    changed: Micros


class Line(Noun, frozen=True, kw_only=True):
    """What was done to a replay, by whom and when."""

    who: str
    at: Micros
    what: str


_FIELDS = (
    "id, who, lane, query, starts, ends, rate, every, again, folded, state, note, cursor, upto, next_at, owed,"
    " delivered, under_way, created, changed"
)


def _replay(row: Row) -> Replay:
    wish = Wish(
        lane=row[2], query=row[3], starts=row[4], ends=row[5], rate=row[6], every=row[7], again=bool(row[8]),
        folded=bool(row[9]),
    )  # fmt: skip
    return Replay(
        id=row[0], who=row[1], wish=wish, state=row[10], note=row[11], cursor=row[12], upto=row[13], next_at=row[14],
        owed=row[15], delivered=row[16], under_way=row[17], created=row[18], changed=row[19],
    )  # fmt: skip


def put(tx: Tx, wish: Wish, upto: int, who: str, now: Micros) -> int:
    """Begin a replay of what is stored up to the alertgroup `upto`; its id."""
    row = tx.row(
        "INSERT INTO replay (who, lane, query, starts, ends, rate, every, again, folded, state, upto, next_at, created,"
        " changed) VALUES (:who, :lane, :query, :starts, :ends, :rate, :every, :again, :folded, 'running', :upto, :now,"
        " :now, :now) RETURNING id",
        who=who, lane=wish.lane, query=wish.query, starts=wish.starts, ends=wish.ends, rate=wish.rate,
        every=wish.every, again=int(wish.again), folded=int(wish.folded), upto=upto, now=now,
    )  # fmt: skip
    assert row is not None
    _note(tx, row[0], who, now, "begun")
    return int(row[0])


def get(tx: Tx, id: int) -> Replay:
    """One replay. Raises NotFound."""
    row = tx.row(f"SELECT {_FIELDS} FROM replay WHERE id = :id", id=id)
    if row is None:
        raise NotFound(f"there is no replay {id}")
    return _replay(row)


def listing(tx: Tx, limit: int, before: int | None = None, lane: str = "") -> list[Replay]:
    """Replays, newest first; `before` is the last id of the page before. Only to `lane`, if it is named."""
    only, named = (" AND lane = :lane", {"lane": lane}) if lane else ("", {})
    rows = tx.rows(
        f"SELECT {_FIELDS} FROM replay WHERE id < :before{only} ORDER BY id DESC LIMIT :limit",
        before=2**63 - 1 if before is None else before,
        limit=limit,
        **named,
    )
    return [_replay(row) for row in rows]


def count(tx: Tx) -> int:
    """How many there were ever."""
    row = tx.row("SELECT count(*) FROM replay")
    return int(row[0]) if row else 0


def running(tx: Tx) -> list[Replay]:
    """Those that are to go on, the oldest first."""
    return [_replay(row) for row in tx.rows(f"SELECT {_FIELDS} FROM replay WHERE state = 'running' ORDER BY id")]


def past(tx: Tx, id: int) -> list[Line]:
    """What was done to a replay, oldest first."""
    rows = tx.rows("SELECT who, at, what FROM replay_history WHERE replay = :id ORDER BY id", id=id)
    return [Line(who=row[0], at=row[1], what=row[2]) for row in rows]


def stop(tx: Tx, id: int, who: str, now: Micros) -> None:
    """Owe no more of it; what is due already is sent. Raises NotFound; Malformed where it is over."""
    _to(tx, id, "stopped", ("running", "paused"), who, now, "stopped")


def resume(tx: Tx, id: int, who: str, now: Micros) -> None:
    """Let it go on where it was; one that runs is left as it is. Raises NotFound; Malformed where it is done."""
    if get(tx, id).state != "running":
        _to(tx, id, "running", ("stopped", "paused"), who, now, "resumed")


def pause(tx: Tx, id: int, note: str, now: Micros) -> None:
    """It cannot go on, for that reason, until somebody resumes it. One that does not run is left as it is."""
    if tx.run(
        "UPDATE replay SET state = 'paused', note = :note, changed = :now WHERE id = :id AND state = 'running'",
        id=id, note=note, now=now,
    ):  # fmt: skip
        _note(tx, id, "tocsin", now, f"paused: {note}")


def _to(tx: Tx, id: int, state: State, states: Sequence[State], who: str, now: Micros, what: str) -> None:
    known = get(tx, id)
    changed = tx.run(
        "UPDATE replay SET state = :state, note = '', next_at = :now, changed = :now"
        f" WHERE id = :id AND state IN ({', '.join(map(repr, states))})",
        id=id, state=state, now=now,
    )  # fmt: skip
    if not changed:
        raise Malformed(f"replay {id} is {known.state}: it cannot be {what}")
    _note(tx, id, who, now, what)


def _note(tx: Tx, id: int, who: str, now: Micros, what: str) -> None:
    tx.run(
        "INSERT INTO replay_history (replay, who, at, what) VALUES (:id, :who, :now, :what)",
        id=id, who=who, now=now, what=what,
    )  # fmt: skip


_STATES = """
SELECT g.id, d.id, d.state FROM {each:ids} JOIN alertgroup g ON g.id = CAST(value ->> 0 AS BIGINT) AND g.deleted IS NULL
LEFT JOIN delivery d ON d.alertgroup = g.id AND d.lane = :lane AND d.kind = 'alert' ORDER BY g.id, d.id"""


def fates(tx: Tx, lane: str, ids: Iterable[int], *, again: bool) -> dict[int, tuple[Fate, int | None]]:
    """What becomes of alertgroups, in the order of their ids; deleted ones are left out.

    With it the delivery that was not delivered in the end and is made due once more, under its own id, so that a peer
    that has it after all knows it; None where another is made.
    """
    states: dict[int, list[tuple[int, str]]] = {}
    for group, delivery, state in tx.rows(_STATES, lane=lane, ids=packed([id] for id in ids)):
        known = states.setdefault(group, [])
        if delivery is not None:
            known.append((delivery, state))
    return {group: _fate(known, again=again) for group, known in states.items()}


def _fate(states: Sequence[tuple[int, str]], *, again: bool) -> tuple[Fate, int | None]:
    if any(state in ("due", "sending") for _, state in states):
        return "under way", None
    if not again and any(state == "delivered" for _, state in states):
        return "delivered", None
    if not states:
        return "new", None
    delivery, state = states[-1]
    return "again", None if state == "delivered" else delivery


def waiting(tx: Tx, after: int) -> int | None:
    """The first alertgroup behind `after` that waits to be indexed, so that a query may not find it yet."""
    row = tx.row("SELECT min(alertgroup) FROM unindexed WHERE alertgroup > :after", after=after)
    return None if row is None or row[0] is None else int(row[0])


def advance(tx: Tx, known: Replay, ids: Sequence[int], end: int, now: Micros) -> int | None:
    """Go on from where `known` was: owe of `ids`, which are ascending, as many as rate and lane allow.

    When all of `ids` were looked at, the replay stands at `end`, and is done if that is the end of it. How many are
    owed now; None if the replay was moved or stopped by somebody else since, and nothing is changed.
    """
    row = tx.row("SELECT cursor, state, next_at FROM replay WHERE id = :id {for_update}", id=known.id)
    if row is None or row[:2] != (known.cursor, "running"):
        return None
    wish = known.wish
    since = max(int(row[2]), now - BURST)
    paced = max(0, (now - since) // wish.every + 1) if wish.every else MOST_DUE
    most, cursor, counts = min(room(tx, wish.lane, now), paced), end, {"delivered": 0, "under way": 0}
    made: list[tuple[int, Fate, int | None]] = []
    for group, (fate, delivery) in fates(tx, wish.lane, ids, again=wish.again).items():
        if fate == "delivered" or fate == "under way":
            counts[fate] += 1
        elif len(made) < most:
            made.append((group, fate, delivery))
        else:
            cursor = group - 1
            break
    if made:
        _owe(tx, known, made, now)
    tx.run(
        "UPDATE replay SET cursor = :cursor, next_at = :next_at, state = :state, owed = owed + :owed,"
        " delivered = delivered + :delivered, under_way = under_way + :under_way, changed = :now WHERE id = :id",
        id=known.id, cursor=cursor, next_at=since + len(made) * wish.every, owed=len(made),
        delivered=counts["delivered"], under_way=counts["under way"], now=now,
        state="done" if cursor >= known.upto else "running",
    )  # fmt: skip
    if cursor >= known.upto:
        _note(tx, known.id, "tocsin", now, "done")
    return len(made)


def room(tx: Tx, lane: str, now: Micros) -> int:
    """How many more a replay may give the lane. Digests whose hour has not come do not count."""
    left = MOST_DUE
    for state in ("state = 'sending'", "state = 'due' AND due <= :now", "state = 'due' AND due > :now AND attempt > 0"):
        row = tx.row(
            f"SELECT count(*) FROM (SELECT 1 AS one FROM delivery WHERE lane = :lane AND {state} LIMIT :most) AS n",
            lane=lane, most=left, **({"now": now} if ":now" in state else {}),
        )  # fmt: skip
        left -= int(row[0]) if row else 0
    return left


def _owe(tx: Tx, known: Replay, made: Sequence[tuple[int, Fate, int | None]], now: Micros) -> None:
    lane = known.wish.lane
    tx.run(
        "UPDATE delivery SET state = 'due', due = :now, settled = NULL FROM {each:ids}"
        " WHERE delivery.id = CAST(value ->> 0 AS BIGINT)",
        ids=packed([delivery] for _, _, delivery in made if delivery is not None),
        now=now,
    )
    fresh = [group for group, _, delivery in made if delivery is None]
    last = tx.row("UPDATE counter SET delivery = delivery + :n RETURNING delivery", n=len(fresh))
    assert last is not None
    tx.run(
        "INSERT INTO delivery (id, alertgroup, lane, state, attempt, due, lease, created)"
        " SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), :lane, 'due', 0, :now, 0, :now"
        " FROM {each:rows}",
        lane=lane,
        now=now,
        rows=packed((int(last[0]) - len(fresh) + 1 + place, group) for place, group in enumerate(fresh)),
    )
    said: Mapping[Fate, str] = {"new": "sent", "again": "sent again"}
    tx.run(
        "INSERT INTO history (alertgroup, who, at, what)"
        " SELECT CAST(value ->> 0 AS BIGINT), :who, :now, value ->> 1 FROM {each:rows}",
        rows=packed((group, f"{said[fate]} to {lane} by replay {known.id} of {known.who}") for group, fate, _ in made),
        who=known.who,
        now=now,
    )
    tx.changes.append(Change("delivery", tuple(group for group, _, _ in made), (lane,)))
