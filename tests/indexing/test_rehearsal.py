"""Rehearsals: folding again says what the intake did; a query is counted within its days; memory stays bounded."""

import random

import msgspec
import pytest

from neighbours.messages import NOW
from tocsin import detection
from tocsin.errors import BadQuery, Malformed
from tocsin.indexing import rehearsal
from tocsin.indexing.rehearsal import Refolded
from tocsin.intake import Intake
from tocsin.model import Message, Status
from tocsin.parsers.scot import Scot
from tocsin.rules.repeats import HOUR, Rule
from tocsin.store import Store, alertgroup

RULES = {"s": Rule(window=2 * HOUR, longest=5 * HOUR), "*": Rule(window=HOUR, longest=HOUR, by=("subject",))}
DAY = 24 * HOUR


def post(intake: Intake, at: int, source: str, subject: str, cells: int = 1) -> int:
    body = {"subject": subject, "source": [source], "data": [{"cell": n} for n in range(cells)]}
    raw = msgspec.json.encode(body)
    return intake.accept(
        Message(source="rest", body=raw, media_type="application/json", received=at, sender="k")
    ).alertgroups[0]


def folded(store: Store, label: str, days: int = 30, now: int = NOW + DAY) -> list[Refolded]:
    return list(rehearsal.refold(store, label, RULES, detection.DEFAULT, days, now))


def test_folding_again_says_what_the_intake_did(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "_SWEPT_FROM", 3)
    monkeypatch.setattr(rehearsal, "_AT_ONCE", 7)
    chance = random.Random(5)
    intake = Intake(store, {"scot": Scot()}, [], folded=RULES)
    at, ids = NOW - DAY, dict[int, str]()
    for _ in range(60):
        at += chance.choice([0, 1, 1, HOUR // 4, HOUR // 2, HOUR, 2 * HOUR + 1])
        source = chance.choice(["s", "s", "t"])
        ids[post(intake, at, source, chance.choice(["beacon", "scan"]))] = source
    closed = min(ids)
    store.write(lambda tx: alertgroup.set_status(tx, closed, Status.CLOSED, "ann", at))
    known = store.read(lambda tx: alertgroup.some(tx, list(ids)))

    for label, source in (("s", "s"), ("*", "t")):
        did = [known[id].folded_into for id, came in ids.items() if came == source]
        last = folded(store, label, now=at)[-1]
        assert (last.alertgroups, last.folded, last.now) == (len(did), *[sum(into is not None for into in did)] * 2)
        assert last.into == len({into for into in did if into is not None})
        often = sorted((known[id].seen for id, came in ids.items() if came == source and known[id].seen > 1))[::-1]
        assert last.samples
        assert [one.times for one in last.samples] == often[:3]
        assert all(known[one.id].seen == one.times for one in last.samples)


def test_each_step_says_how_far_it_is_and_large_ones_are_read_by_themselves(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "_AT_ONCE", 4)
    monkeypatch.setattr(rehearsal, "_ROWS_AT_ONCE", 5)
    intake = Intake(store, {"scot": Scot()}, [])
    for n in range(6):
        post(intake, NOW + n, "s", "wide", cells=4)
    post(intake, NOW - 40 * DAY, "s", "too old")

    steps = folded(store, "s")
    assert [(step.read, step.total) for step in steps] == [(0, 6), (4, 6), (6, 6)]
    assert (steps[-1].folded, steps[-1].into, steps[-1].now) == (5, 1, 0)


def test_a_query_is_asked_of_so_many_days_and_says_what_may_have_changed(store: Store) -> None:
    intake = Intake(store, {"scot": Scot()}, [], folded=RULES)
    old, *new = (post(intake, NOW - days * DAY, "s", f"scan {days}") for days in (9, 3, 1))
    post(intake, NOW - DAY, "s", "scan 1")
    store.write(lambda tx: alertgroup.set_status(tx, new[0], Status.CLOSED, "ann", NOW))

    def asked(query: str, days: int) -> rehearsal.Rehearsed:
        return store.read(lambda tx: rehearsal.rehearse(tx, query, days, NOW))

    week = asked("source:s or status:closed", 7)
    assert (week.matched, week.open, week.closed, week.promoted, week.folded) == (3, 2, 1, 0, 1)
    assert [one.id for one in week.samples] == [new[1] + 1, new[1], new[0]]
    assert week.since_then == ("source", "status")
    assert asked("", 10).matched == 4
    assert asked("subject:nothing", 10).samples == ()
    assert asked("rows>0", 10).since_then == ()
    assert old not in [one.id for one in week.samples]
    with pytest.raises(Malformed, match="from 1 to 366"):
        asked("", 400)
    with pytest.raises(BadQuery, match="did you mean source"):
        asked("sorce:x", 1)
