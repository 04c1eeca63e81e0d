"""The finder has teeth: run against servers that are broken on purpose, it says what they lose."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from loss import broken
from loss.faults import Fault
from loss.rounds import Outcome, Round

KILLS = [Fault(0.5, "kill", 0.1)] * 4


def outcome_of(which: str, folder: Path, faults: Sequence[Fault] = KILLS, script: Sequence[str] = ()) -> Outcome:
    """Four kills under load, or moves alone; the seed only decides what is posted, and where a scripted move goes."""
    program = (sys.executable, "-P", broken.__file__, which)
    traffic_s = 0.3 if faults else 2.0
    one = Round("sqlite", f"teeth {which}", program=program, faults=list(faults), script=script, traffic_s=traffic_s)
    outcome = one.run(folder)
    sys.stdout.write(outcome.text + "\n")
    return outcome


def found(outcome: Outcome, kind: str, what: str = "") -> bool:
    """Whether there is such a finding, of any lane."""
    return any(one.kind.endswith(kind) and what in one.what for one in outcome.findings)


def kinds(outcome: Outcome) -> set[str]:
    return {finding.kind for finding in outcome.findings}


@pytest.mark.loss
@pytest.mark.timeout(900)
def test_a_commit_after_the_answer_is_found_as_loss(tmp_path: Path) -> None:
    outcome = outcome_of("answer_before_commit", tmp_path)

    lost = [finding for finding in outcome.findings if finding.kind == "lost"]
    assert lost, outcome.text
    assert lost[0].numbers
    assert "acknowledged and not in the store" in outcome.text
    assert "run it again: " in outcome.text


@pytest.mark.loss
@pytest.mark.timeout(900)
def test_a_forgotten_cursor_is_found_as_doubled_lines(tmp_path: Path) -> None:
    outcome = outcome_of("cursor_forgotten", tmp_path)

    assert kinds(outcome) & {"idea_log: doubled", "text_log: doubled"}, outcome.text
    assert "lost" not in kinds(outcome)


@pytest.mark.loss
@pytest.mark.timeout(900)
def test_what_is_let_out_shortened_or_never_sent_is_found(tmp_path: Path) -> None:
    breaks = "gate_open,digest_of_one,mail_forgotten,drain_without_disk"
    outcome = outcome_of(breaks, tmp_path, faults=(), script=("hold", "drain", "let go"))

    assert found(outcome, "partner: leaked"), outcome.text
    assert found(outcome, "slack: missing"), outcome.text
    assert found(outcome, "email: missing", "the receiver never took it"), outcome.text
    assert found(outcome, ": missing", "drained into a file"), outcome.text


@pytest.mark.loss
@pytest.mark.timeout(900)
def test_what_silences_pauses_and_replays_swallow_is_found(tmp_path: Path) -> None:
    breaks = "silence_swallows,pause_drops,replay_skips"
    outcome = outcome_of(breaks, tmp_path, faults=(), script=("make silence", "hold", "replay", "let go"))

    assert found(outcome, ": not owed"), outcome.text
    assert found(outcome, ": dropped unasked"), outcome.text
    assert found(outcome, "replay: left out"), outcome.text


@pytest.mark.loss
@pytest.mark.timeout(900)
def test_what_a_person_was_told_and_does_not_hold_is_found(tmp_path: Path) -> None:
    breaks = "pause_forgotten,retry_forgotten"
    outcome = outcome_of(breaks, tmp_path, faults=(), script=("make silence", "retry one", "retry one", "hold"))

    assert found(outcome, ": pause"), outcome.text
    assert found(outcome, "undone"), outcome.text


@pytest.mark.loss
@pytest.mark.timeout(900)
def test_rules_that_nobody_asks_are_found(tmp_path: Path) -> None:
    outcome = outcome_of("rules_forgotten", tmp_path, faults=(), script=("make silence", "make route", "change route"))

    assert found(outcome, ": unsilenced"), outcome.text


@pytest.mark.loss
@pytest.mark.timeout(900)
def test_the_same_kills_on_a_sound_server_find_nothing(tmp_path: Path) -> None:
    outcome = outcome_of("sound", tmp_path)

    assert outcome.findings == [], outcome.text
