"""The finder's judgement, on made-up evidence: one fault at a time, each found, and none found where there is none."""

import dataclasses
import json
from typing import Any

import pytest

from loss.deeds import LANES
from loss.evidence import Balance, Evidence, Got, Line, Owed, StoredGroup, Told
from loss.ledger import HOOKS, REJECTED_FOR_EVER
from loss.numbered import Attempt, Numbered, mark
from loss.verdict import judge

NUMBERS = (1, 2, 3)


def sound() -> Evidence:
    """Three messages of two rows that went the whole way."""
    evidence = Evidence(balance=Balance(received=3, stored=3, quarantined=0, refused=0))
    for number in NUMBERS:
        rows = [{"signature": f"x {mark(number, row)}"} for row in range(2)]
        sent = Numbered(number, 1, rows, message_id=f"<{number}>", tag="lab", tlp="green")
        sent.attempts.append(Attempt(at=0, took=0, status=200, alertgroup=number))
        evidence.sent[number] = sent
        evidence.stored.append(StoredGroup(number, f"loss N{number:07d} of", "open", 2, 2, tuple(rows)))
        for row in range(2):
            event = json.dumps({"ID": f"{number}-{row}", "Description": mark(number, row)})
            evidence.lines.append(Line("idea_log", "alerts.json", len(evidence.lines), event.encode()))
            evidence.lines.append(Line("text_log", "alerts.log", len(evidence.lines), mark(number, row).encode()))
        for lane in HOOKS:
            evidence.got.append(Got(0, f"key-{lane}-{number}", 200, f"{mark(number, 0)} {mark(number, 1)}", lane))
        for lane in ("slack", "email"):
            evidence.got.append(Got(0, "", 200, f"loss N{number:07d} of sender 1", lane))
        evidence.owed += [Owed(number, lane, "delivered", 10 * number + place) for place, lane in enumerate(LANES)]
    return evidence


def kinds(evidence: Evidence) -> set[str]:
    return {finding.kind for finding in judge(evidence)}


def settled(evidence: Evidence, lane: str, **changes: Any) -> Owed:
    """The last delivery of a lane, changed."""
    place = max(place for place, owed in enumerate(evidence.owed) if owed.lane == lane)
    evidence.owed[place] = dataclasses.replace(evidence.owed[place], **changes)
    return evidence.owed[place]


def line(evidence: Evidence, lane: str, number: int, row: int) -> Line:
    wanted = mark(number, row).encode()
    return next(line for line in evidence.lines if line.lane == lane and wanted in line.text)


def test_sound_evidence_has_no_findings() -> None:
    assert judge(sound()) == []


def test_an_acknowledged_number_that_is_not_stored_is_lost() -> None:
    evidence = sound()
    gone = evidence.stored.pop()

    lost = [finding for finding in judge(evidence) if finding.kind == "lost"]

    assert [finding.numbers for finding in lost] == [(gone.id,)]


def test_an_unanswered_number_may_be_stored_or_not() -> None:
    for stored in (True, False):
        evidence = sound()
        evidence.sent[3].attempts[:] = [Attempt(at=0, took=1, error="timed out")]
        if not stored:
            evidence.stored = [group for group in evidence.stored if group.id != 3]
            evidence.lines = [held for held in evidence.lines if b"N0000003" not in held.text]
            evidence.got = [got for got in evidence.got if "N0000003" not in got.text]
            evidence.owed = [owed for owed in evidence.owed if owed.alertgroup != 3]
            evidence.balance = Balance(2, 2, 0, 0)

        assert kinds(evidence) == set()


def test_a_number_that_every_answer_refused_must_not_be_stored() -> None:
    evidence = sound()
    evidence.sent[3].attempts[:] = [Attempt(at=0, took=1, status=503)]

    assert kinds(evidence) == {"refused"}

    evidence.refusals_bind = False
    assert kinds(evidence) == set()


def test_a_number_stored_twice_is_doubled() -> None:
    evidence = sound()
    evidence.stored.append(dataclasses.replace(evidence.stored[0], id=9))

    assert "doubled" in kinds(evidence)


def test_rows_that_changed_in_the_store_are_found() -> None:
    evidence = sound()
    evidence.stored[0] = dataclasses.replace(evidence.stored[0], rows=tuple(reversed(evidence.stored[0].rows)))

    assert kinds(evidence) == {"changed"}


def test_a_group_nobody_sent_is_invented() -> None:
    for subject in ("loss N0000077 of", "something else"):
        evidence = sound()
        evidence.stored.append(StoredGroup(77, subject, "open", 0, 0, ()))

        assert "invented" in kinds(evidence)


def test_one_message_told_two_ids_is_found() -> None:
    evidence = sound()
    evidence.sent[1].attempts.append(Attempt(at=0, took=0, status=200, alertgroup=44))

    assert kinds(evidence) == {"answer", "moved"}


def test_a_good_message_answered_with_500_is_found() -> None:
    evidence = sound()
    evidence.sent[1].attempts.insert(0, Attempt(at=0, took=0, status=500))

    assert kinds(evidence) == {"answer"}


def test_wrong_counts_are_found() -> None:
    evidence = sound()
    evidence.stored[0] = dataclasses.replace(evidence.stored[0], open_count=1)

    assert kinds(evidence) == {"counts"}


@pytest.mark.parametrize("lane", ["idea_log", "text_log"])
class TestFiles:
    def test_a_missing_line_is_found(self, lane: str) -> None:
        evidence = sound()
        evidence.lines.remove(line(evidence, lane, 2, 1))

        assert kinds(evidence) == {f"{lane}: missing"}

    def test_a_line_that_stands_twice_is_found_also_in_another_piece(self, lane: str) -> None:
        evidence = sound()
        evidence.lines.append(dataclasses.replace(line(evidence, lane, 2, 1), piece="rotated.1"))

        assert kinds(evidence) == {f"{lane}: doubled"}

    def test_a_line_of_something_not_stored_is_found(self, lane: str) -> None:
        evidence = sound()
        text = line(evidence, lane, 2, 1).text.replace(b"N0000002", b"N0000078").replace(b"2-1", b"78-1")
        evidence.lines.append(Line(lane, "x", 1, text))

        assert kinds(evidence) == {f"{lane}: invented"}

    def test_a_line_without_an_end_is_torn(self, lane: str) -> None:
        evidence = sound()
        old = line(evidence, lane, 2, 1)
        evidence.lines[evidence.lines.index(old)] = dataclasses.replace(old, whole=False)

        assert kinds(evidence) == {"torn"}

    def test_the_unsettled_end_of_a_paused_lane_is_not_torn(self, lane: str) -> None:
        evidence = sound()
        settled(evidence, lane, state="due")
        evidence.lanes[lane] = Told(paused=True, due=1)
        evidence.deeds.paused[lane] = True
        old = line(evidence, lane, 3, 1)
        evidence.lines[evidence.lines.index(old)] = dataclasses.replace(old, whole=False)

        assert kinds(evidence) == set()

    def test_two_ends_of_a_paused_lane_and_the_end_of_another_delivery_are_torn(self, lane: str) -> None:
        for numbers in ((3, 3), (2,)):
            evidence = sound()
            settled(evidence, lane, state="due")
            evidence.deeds.paused[lane] = True
            for row, number in enumerate(numbers):
                old = line(evidence, lane, number, row)
                evidence.lines[evidence.lines.index(old)] = dataclasses.replace(old, whole=False)

            assert kinds(evidence) == {"torn"}

    def test_two_lines_run_together_are_torn(self, lane: str) -> None:
        evidence = sound()
        first, second = line(evidence, lane, 2, 0), line(evidence, lane, 2, 1)
        evidence.lines.remove(second)
        evidence.lines[evidence.lines.index(first)] = dataclasses.replace(first, text=first.text + second.text)

        assert "torn" in kinds(evidence)

    def test_half_a_line_is_torn(self, lane: str) -> None:
        evidence = sound()
        evidence.lines.append(Line(lane, "alerts", 99, b'{"ID": "5", "Desc'))

        assert kinds(evidence) == {"torn"}

    def test_a_failed_file_delivery_is_found(self, lane: str) -> None:
        evidence = sound()
        evidence.owed = [Owed(o.alertgroup, o.lane, "failed") if o.lane == lane else o for o in evidence.owed]

        assert kinds(evidence) == {f"{lane}: given up", f"{lane}: hidden"}


def test_one_idea_id_on_two_alerts_is_found() -> None:
    evidence = sound()
    old = line(evidence, "idea_log", 2, 1)
    new = dataclasses.replace(old, text=old.text.replace(b'"2-1"', b'"2-0"'))
    evidence.lines[evidence.lines.index(old)] = new

    assert kinds(evidence) == {"idea id"}


def test_a_delivery_still_due_in_the_end_is_stuck() -> None:
    evidence = sound()
    settled(evidence, "hook", state="sending")

    assert kinds(evidence) == {"hook: stuck"}


def test_an_alertgroup_nobody_owes_to_a_lane_is_found() -> None:
    evidence = sound()
    evidence.owed.remove(settled(evidence, "hook"))

    assert kinds(evidence) == {"hook: not owed", "hook: untold"}


def test_called_delivered_but_never_taken_is_found() -> None:
    evidence = sound()
    evidence.got[0] = dataclasses.replace(evidence.got[0], status=500)

    assert kinds(evidence) == {"hook: missing"}


def test_failed_is_well_where_the_receiver_rejected_and_a_fault_where_it_did_not() -> None:
    evidence = sound()
    settled(evidence, "hook", state="failed")
    evidence.parked["hook"] = {3}
    assert kinds(evidence) == {"hook: given up"}

    place = next(p for p, got in enumerate(evidence.got) if got.key == "key-hook-3")
    evidence.got[place] = dataclasses.replace(evidence.got[place], status=REJECTED_FOR_EVER)
    assert kinds(evidence) == set()

    evidence.parked.clear()
    assert kinds(evidence) == {"hook: hidden"}


def test_the_receiver_may_get_a_delivery_twice_but_under_one_key() -> None:
    evidence = sound()
    evidence.got.append(evidence.got[0])
    assert kinds(evidence) == set()

    evidence.got.append(dataclasses.replace(evidence.got[0], key="another"))
    assert kinds(evidence) == {"hook: key"}


def test_a_key_shared_by_two_alertgroups_is_found() -> None:
    evidence = sound()
    evidence.got[0] = dataclasses.replace(evidence.got[0], key="key-hook-2")

    assert kinds(evidence) == {"hook: key"}


def test_a_posted_alertgroup_without_all_of_its_rows_is_found() -> None:
    evidence = sound()
    evidence.got[0] = dataclasses.replace(evidence.got[0], text=mark(1, 0))

    assert kinds(evidence) == {"hook: changed"}


@pytest.mark.parametrize(
    "balance",
    [Balance(4, 3, 0, 0), Balance(4, 4, 0, 0), Balance(2, 2, 0, 0), Balance(4, 3, 1, 0), Balance(4, 3, 0, 1)],
)
def test_a_balance_that_does_not_balance_is_found(balance: Balance) -> None:
    evidence = sound()
    evidence.balance = balance

    assert kinds(evidence) == {"balance"}


def test_what_the_round_itself_saw_is_a_finding() -> None:
    evidence = sound()
    evidence.problems.append("the server was dead")

    assert kinds(evidence) == {"round"}
