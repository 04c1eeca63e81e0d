"""The finder has teeth: run against servers that are broken on purpose, it says what they lose."""

import sys
from pathlib import Path

import pytest

from loss import broken
from loss.faults import Fault
from loss.rounds import Outcome, Round

KILLS = [Fault(0.5, "kill", 0.1)] * 4


def outcome_of(which: str, folder: Path) -> Outcome:
    """Four kills under load; the seed only decides what is posted."""
    program = (sys.executable, "-P", broken.__file__, which)
    outcome = Round("sqlite", f"teeth {which}", program=program, faults=list(KILLS)).run(folder)
    sys.stdout.write(outcome.text + "\n")
    return outcome


def kinds(outcome: Outcome) -> set[str]:
    return {finding.kind for finding in outcome.findings}


@pytest.mark.loss
@pytest.mark.timeout(300)
def test_a_commit_after_the_answer_is_found_as_loss(tmp_path: Path) -> None:
    outcome = outcome_of("answer_before_commit", tmp_path)

    lost = [finding for finding in outcome.findings if finding.kind == "lost"]
    assert lost, outcome.text
    assert lost[0].numbers
    assert "acknowledged and not in the store" in outcome.text
    assert "run it again: " in outcome.text


@pytest.mark.loss
@pytest.mark.timeout(300)
def test_a_forgotten_cursor_is_found_as_doubled_lines(tmp_path: Path) -> None:
    outcome = outcome_of("cursor_forgotten", tmp_path)

    assert kinds(outcome) & {"idea_log: doubled", "text_log: doubled"}, outcome.text
    assert "lost" not in kinds(outcome)


@pytest.mark.loss
@pytest.mark.timeout(300)
def test_the_same_kills_on_a_sound_server_find_nothing(tmp_path: Path) -> None:
    outcome = outcome_of("sound", tmp_path)

    assert outcome.findings == [], outcome.text
