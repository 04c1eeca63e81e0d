"""The judgement of deliveries against what a person did, on made-up evidence."""

import dataclasses
from typing import Any

import pytest

from loss.deeds import Change, Decision, ReplayDeed, RouteRule, Rules, SilenceRule
from loss.evidence import Evidence, Owed, ReplayTold, Told
from loss.numbered import mark
from loss.test_verdict import kinds, settled, sound

QUIET = Rules(silences=(SilenceRule("rule 1", "lab", ("hook",)),))
TO_HOOK = Rules(routes=(RouteRule("rule 1", "lab", ("hook",)),))
TO_OTHERS = Rules(routes=(RouteRule("rule 1", "", ("idea_log", "text_log", "partner", "slack", "email")),))


def ruled(rules: Rules, asked: float = -0.5, known: float = -0.4) -> Evidence:
    """Sound evidence, but for rules that were made before all or in between."""
    evidence = sound()
    evidence.deeds.changes.append(Change(asked, known, rules))
    return evidence


def unsent(evidence: Evidence, lane: str, number: int = 3) -> None:
    """The receiver of a lane never got a number."""
    evidence.got = [got for got in evidence.got if got.lane != lane or f"N{number:07d}" not in got.text]


def settled_unsent(evidence: Evidence, lane: str, state: str) -> Owed:
    unsent(evidence, lane)
    return settled(evidence, lane, state=state)


@pytest.mark.parametrize("lane", ["hook", "partner", "slack", "email"])
def test_delivered_and_never_taken_is_missing_whatever_the_lane(lane: str) -> None:
    evidence = sound()
    unsent(evidence, lane)

    assert kinds(evidence) == {f"{lane}: missing"}


def test_due_is_well_in_a_paused_lane_alone() -> None:
    evidence = sound()
    settled_unsent(evidence, "hook", "due")
    assert kinds(evidence) == {"hook: stuck"}

    evidence.deeds.paused["hook"] = True
    assert kinds(evidence) == set()


def test_silenced_is_well_where_a_silence_stood_and_shows_it() -> None:
    evidence = sound()
    settled_unsent(evidence, "hook", "silenced")
    evidence.held = {3}
    assert kinds(evidence) == {"hook: silenced unasked"}

    evidence.deeds.changes.append(Change(-0.1, 0.1, QUIET))  # while the messages came: either may be
    assert kinds(evidence) == set()

    evidence.held.clear()
    assert kinds(evidence) == {"hook: hidden"}


def test_a_silence_that_stood_all_the_time_and_held_nothing_back_is_found() -> None:
    evidence = ruled(QUIET)
    assert kinds(evidence) == {"hook: unsilenced"}

    evidence.deeds.maybe_replayed.add("hook")
    assert kinds(evidence) == set()


def test_a_route_that_stood_all_the_time_is_held_to() -> None:
    evidence = ruled(TO_OTHERS)
    assert kinds(evidence) == {"hook: unasked"}

    evidence = ruled(TO_OTHERS, asked=-0.1, known=0.1)
    evidence.owed = [owed for owed in evidence.owed if owed.lane != "hook"]
    evidence.got = [got for got in evidence.got if got.lane != "hook"]
    assert kinds(evidence) == set()

    evidence = ruled(TO_HOOK)
    evidence.owed = [owed for owed in evidence.owed if owed.lane == "email"]
    assert "hook: not owed" in kinds(evidence)


def test_a_second_delivery_is_well_after_a_replay_of_what_was_delivered() -> None:
    evidence = sound()
    evidence.owed.append(Owed(3, "slack", "delivered", 99))
    assert kinds(evidence) == {"slack: owed twice"}

    evidence.deeds.maybe_again.add("slack")
    assert kinds(evidence) == set()


def test_withheld_is_well_above_the_clearance_and_sent_all_the_same_is_a_leak() -> None:
    evidence = sound()
    row = settled_unsent(evidence, "partner", "withheld")
    assert kinds(evidence) == {"partner: withheld unasked"}

    evidence.sent[3].tlp = "red"
    assert kinds(evidence) == set()

    evidence = sound()
    evidence.sent[3].tlp = "red"
    assert kinds(evidence) == {"partner: leaked"}
    evidence.deeds.tlps[row.alertgroup] = {"clear"}
    assert kinds(evidence) == set()

    unsent(evidence, "partner")
    evidence.deeds.tlps.clear()
    evidence.drained["partner"] = [f'"{mark(3, 0)} {mark(3, 1)}"'.encode()]
    settled(evidence, "partner", drained=True)
    assert kinds(evidence) == {"partner: leaked"}


def test_dropped_is_well_where_a_person_dropped_it() -> None:
    evidence = sound()
    row = settled_unsent(evidence, "email", "dropped")
    assert kinds(evidence) == {"email: dropped unasked"}

    evidence.deeds.dropped.add(row.id)
    assert kinds(evidence) == set()

    evidence.deeds.dropped.clear()
    evidence.deeds.swept.add("email")
    assert kinds(evidence) == set()


@pytest.mark.parametrize(("what", "state", "others"), [("drop", "dropped", "failed"), ("retry", "failed", "silenced")])
def test_a_decision_that_was_told_done_and_is_undone_is_found(what: Any, state: str, others: str) -> None:
    evidence = ruled(QUIET, asked=-0.1, known=0.1)
    evidence.held, evidence.parked = {3}, {"hook": {3}}
    row = settled_unsent(evidence, "hook", state)
    evidence.got.append(dataclasses.replace(evidence.got[0], key="k", status=422, text=f"{mark(3, 0)} {mark(3, 1)}"))
    (evidence.deeds.dropped if what == "drop" else evidence.deeds.touched).add(row.id)
    evidence.deeds.decisions.append(Decision(0.2, what, row.id, "hook"))
    assert kinds(evidence) == set()

    settled(evidence, "hook", state=others)
    assert kinds(evidence) == {"undone"}


def test_what_was_drained_stands_whole_in_the_file() -> None:
    evidence = sound()
    unsent(evidence, "slack")
    settled(evidence, "slack", drained=True)
    assert kinds(evidence) == {"slack: missing"}

    evidence.drained["slack"] = [f'"{mark(3, 0)} {mark(3, 1)}"'.encode()]
    assert kinds(evidence) == set()

    evidence.drained["slack"] = [f'"{mark(3, 0)}"'.encode()]
    assert kinds(evidence) == {"slack: changed"}

    evidence.drained["slack"] = [f'"{mark(3, 0)} {mark(3, 1)}'.encode()]
    assert kinds(evidence) == {"torn"}


def test_lanes_and_rules_stand_as_people_left_them() -> None:
    evidence = sound()
    evidence.lanes["hook"] = Told(paused=True)
    evidence.rules = QUIET
    assert kinds(evidence) == {"hook: pause", "rules"}

    evidence.deeds.paused["hook"] = True
    evidence.rules = None
    settled_unsent(evidence, "hook", "due")
    assert kinds(evidence) == {"hook: hidden"}

    evidence.lanes["hook"] = Told(paused=True, due=1)
    assert kinds(evidence) == set()


def test_a_replay_that_is_done_owed_all_that_it_means() -> None:
    evidence = sound()
    evidence.deeds.replays[1] = ReplayDeed(1, "hook", "lab", again=False)
    evidence.deeds.maybe_replayed.add("hook")
    assert kinds(evidence) == {"replay: lost"}

    evidence.replays = [ReplayTold(1, "done", upto=3, owed=0, delivered=3, under_way=0)]
    assert kinds(evidence) == set()

    evidence.replays = [ReplayTold(1, "done", upto=3, owed=0, delivered=2, under_way=0)]
    assert kinds(evidence) == {"replay: left out"}

    evidence.replays = [ReplayTold(1, "done", upto=3, owed=1, delivered=2, under_way=0)]
    assert kinds(evidence) == {"replay: untold"}
    evidence.replayed = {1: [3]}
    assert kinds(evidence) == set()

    evidence.held = {3}
    evidence.deeds.changes.append(Change(-0.1, 0.1, QUIET))
    settled_unsent(evidence, "hook", "silenced")
    assert kinds(evidence) == {"replay: left out"}


@pytest.mark.parametrize(("state", "found"), [("running", "stuck"), ("paused", "stuck"), ("stopped", "stopped")])
def test_a_replay_that_does_not_go_on_is_found(state: str, found: str) -> None:
    evidence = sound()
    evidence.deeds.replays[1] = ReplayDeed(1, "hook", "", again=False)
    evidence.replays = [ReplayTold(1, state, upto=3, owed=0, delivered=0, under_way=0)]
    assert kinds(evidence) == {f"replay: {found}"}
