"""Drift: a detector that changes its mails is noticed before its alerts are missed.

For each source and parser the last hundred messages are remembered: how many were understood, how many rows they had,
and, by subject, which columns. A message that its parser claims but cannot read, though it usually can, or that has
columns that none of the last hundred had, or lacks some that all of them had, is marked and raises one alertgroup about
the source. All this follows the commit in a thread of its own; the intake knows nothing of it.
"""

import re
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
import structlog

from tocsin.errors import StoreError
from tocsin.intake import Intake
from tocsin.intake.again import now
from tocsin.model import Message
from tocsin.plugin import Parser
from tocsin.store import Change, Store, again, habit, history
from tocsin.store.engine import Tx
from tocsin.store.habit import Came, Habit, Key, Look

log = structlog.get_logger()

HUB = "tocsin"
SENDER = "habits"
LAST = 100
ENOUGH = 10
"""So many messages make a habit."""
USUALLY = 0.9
"""A parser that understood this share of the last messages usually understands them."""
MOST_KINDS = 20
LONGEST_CELL = 500
LONGEST_SUBJECT = 200
AT_ONCE = 200
FAR = 20_000
"""Further behind than this, what lies between is left out: habits are no reason to be busy."""
PAUSE_S = 0.5
WAIT_S = 10.0
"""While the store cannot be used."""

_NUMBERS = re.compile(r"\d+")


class Drift(NamedTuple):
    """What is unusual about a message, in a sentence, and the usual and the new side by side."""

    came: Came
    key: Key
    what: str
    rows: list[dict[str, str]]


class Habits:
    """Follows what is stored, and says when it is unlike before."""

    def __init__(self, store: Store, intake: Intake, parsers: Mapping[str, Parser]) -> None:
        self._store, self._intake = store, intake
        # What is posted as data says itself what it holds; habits are for what is read out of strangers' texts.
        self._parsers = sorted(name for name, parser in parsers.items() if parser.apart)
        self._mark = 0
        self._news, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._follow, name="tocsin-habits", daemon=True)

    def start(self) -> None:
        """Begin with what came since the last time."""
        self._store.on_commit(self._told)
        self._news.set()
        self._thread.start()

    def stop(self) -> None:
        """End after the step under way."""
        self._ended.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> bool:
        """Take in the next messages; whether there may be more. Raises StoreError."""
        mark, until = self._store.read(lambda tx: (max(habit.mark(tx), self._mark), habit.newest(tx)))
        if until - mark > FAR:
            mark = until - FAR
        found = self._store.read(partial(habit.came, parsers=self._parsers, behind=mark, until=until, limit=AT_ONCE))
        if not found:
            self._mark = until
            return False
        more = len({each.message for each in found}) == AT_ONCE
        target = found[-1].message if more else until
        try:
            self._take_in(found, target)
        except StoreError:
            raise
        except Exception:
            # What cannot be compared must not end the comparing: these messages are left out, the next are looked at.
            log.exception("habits left messages out", first=found[0].message, last=found[-1].message)
        self._mark = target
        return more

    def _told(self, change: Change) -> None:
        if change.kind in ("created", "quarantined"):
            self._news.set()

    def _follow(self) -> None:
        while self._news.wait() and not self._ended.is_set():
            self._news.clear()
            try:
                while not self._ended.is_set() and self.look():
                    pass
            except StoreError as error:
                log.warning("habits wait", reason=str(error))
                self._news.set()
                self._ended.wait(WAIT_S)
            self._ended.wait(PAUSE_S)

    def _take_in(self, found: Sequence[Came], until: int) -> None:
        habits = self._store.read(lambda tx: habit.known(tx, [key for each in found for key in _keys(each)]))
        seen: dict[Key, tuple[int, Habit]] = {}
        drifts: list[Drift] = []
        for each in found:
            row = self._store.read(partial(habit.first_row, group=each.group)) if each.group else msgspec.Raw(b"{}")
            for key in _keys(each):
                before = habits.get(key, Habit())
                drift = None if before.unusual else unusual(before, key, each, row)
                habits[key] = remembered(before, key, each, row, is_unusual=is_unusual(before, key, each))
                seen[key] = (each.received, habits[key])
                if drift:
                    drifts.append(drift)
        # First the alertgroups: after a crash in between they are raised again, and known by their id.
        for drift in drifts:
            self._intake.accept(_message(drift))
        self._store.write(partial(_keep, seen=seen, drifts=drifts, until=until))


def folded(subject: str) -> str:
    """A subject with its numbers folded, so that counters and dates do not make it another one."""
    return _NUMBERS.sub("#", subject)[:LONGEST_SUBJECT]


def is_unusual(known: Habit, key: Key, came: Came) -> bool:
    """Whether a message is unlike those before it. Until there were enough of them, nothing is."""
    if len(known.looks) < ENOUGH:
        return False
    if not key[2]:
        understood = sum(look.understood for look in known.looks)
        return not came.group and understood >= USUALLY * len(known.looks)
    new, missing = _against(known, came.columns)
    return bool(new or missing)


def unusual(known: Habit, key: Key, came: Came, row: msgspec.Raw) -> Drift | None:
    """What is unlike before, or None."""
    if not is_unusual(known, key, came):
        return None
    if not key[2]:
        understood = sum(look.understood for look in known.looks)
        usual = f"{understood} of the last {len(known.looks)} were understood"
        rows = [
            {"what": "understood", "usual": usual, "now": f"not understood: {came.reason}"},
            {"what": "message", "usual": str(known.message), "now": str(came.message)},
        ]
        return Drift(came, key, f"not understood, though {usual}: {came.reason}", rows)
    new, missing = _against(known, came.columns)
    said = [f"new columns {', '.join(new)}"] * bool(new) + [f"missing columns {', '.join(missing)}"] * bool(missing)
    before, after = _cells(known.sample), _cells(row)
    rows = [
        {"what": f"column {column}", "usual": before.get(column, ""), "now": after.get(column, "")}
        for column in dict.fromkeys([*before, *missing, *after, *new])
    ]
    looks = known.looks
    rows += [
        {
            "what": "rows",
            "usual": f"{sum(look.rows for look in looks) / len(looks):.1f} a message",
            "now": str(came.rows),
        },
        {"what": "message", "usual": str(known.message), "now": str(came.message)},
    ]
    return Drift(came, key, "; ".join(said), rows)


def remembered(known: Habit, key: Key, came: Came, row: msgspec.Raw, *, is_unusual: bool) -> Habit:
    """The habit with one more look at it, of which the last hundred are kept."""
    kinds = known.kinds
    kind = -1
    if key[2]:
        if came.columns not in kinds:
            kinds = (*kinds, came.columns)
        kind = kinds.index(came.columns)
    looks = (*known.looks, Look(understood=bool(came.group), rows=came.rows, kind=kind))[-LAST:]
    if len(kinds) > MOST_KINDS:
        kinds, looks = _renumbered(kinds, looks)
    keeps = is_unusual or not came.group
    return Habit(
        looks=looks,
        kinds=kinds,
        sample=known.sample if keeps else msgspec.Raw(msgspec.json.encode(_cells(row))),
        message=known.message if keeps else came.message,
        unusual=is_unusual,
    )


def _renumbered(
    kinds: tuple[tuple[str, ...], ...], looks: tuple[Look, ...]
) -> tuple[tuple[tuple[str, ...], ...], tuple[Look, ...]]:
    """Only the kinds that were seen lately, numbered anew; of a subject whose columns never settle, the last few."""
    used = sorted({look.kind for look in looks if look.kind >= 0})[-MOST_KINDS:]
    places = {old: place for place, old in enumerate(used)}
    kept = tuple(msgspec.structs.replace(look, kind=places[look.kind]) for look in looks if look.kind in places)
    return tuple(kinds[old] for old in used), kept


def _against(known: Habit, columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """The columns that none of the last messages had, and those that all of them had and this one lacks."""
    sets = [frozenset(known.kinds[kind]) for kind in {look.kind for look in known.looks if look.kind >= 0}]
    if not sets:
        return [], []
    ever, always = frozenset.union(*sets), frozenset.intersection(*sets)
    usual = dict.fromkeys(column for kind in known.kinds for column in kind)
    return [each for each in columns if each not in ever], [
        each for each in usual if each in always and each not in columns
    ]


def _keys(came: Came) -> list[Key]:
    every = (came.source, came.parser, "")
    return [every, (came.source, came.parser, folded(came.subject) or "(none)")] if came.group else [every]


def _cells(row: msgspec.Raw) -> dict[str, str]:
    """A row as short texts."""
    cells: dict[str, Any] = msgspec.json.decode(row)
    return {
        name: (value if isinstance(value, str) else msgspec.json.encode(value).decode())[:LONGEST_CELL]
        for name, value in list(cells.items())[:200]
    }


def _message(drift: Drift) -> Message:
    came = drift.came
    of = f" {came.subject!r:.200}" if drift.key[2] else ""
    body = {
        "subject": f"Drift: {came.parser} reads mail of {came.source} differently{of}",
        "message_id": f"drift-{came.message}-{drift.key[2]}",
        "source": [HUB],
        "tag": ["drift"],
        "columns": ["what", "usual", "now"],
        "data": drift.rows,
        "body_plain": f"Message {came.message} of {came.source}: {drift.what}",
    }
    return Message(
        source=HUB,
        sender=SENDER,
        body=msgspec.json.encode(body),
        media_type="application/json",
        received=now(),
        message_id=f"drift-{came.message}-{drift.key[2]}",
    )


def _keep(tx: Tx, seen: dict[Key, tuple[int, Habit]], drifts: Sequence[Drift], until: int) -> None:
    habit.keep(tx, seen, until)
    for drift in drifts:
        came, what = drift.came, f"unlike the messages before: {drift.what}"[:1000]
        if came.group:
            history.add(tx, came.group, None, HUB, now(), what)
        else:
            again.remark(tx, came.message, HUB, now(), what)
