"""Files that grow, handed over in portions of whole lines; what is none is kept with the reason."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from neighbours.desk import Desk
from neighbours.mailbox import NAME, state, until
from tocsin.intake import Intake
from tocsin.intake.fetching import Fetchers
from tocsin.parsers.idea import IdeaParser
from tocsin.parsers.json_lines import JsonLines
from tocsin.parsers.slips import Slips
from tocsin.parsers.suricata import Suricata
from tocsin.sources.follow.source import MOST_GONE, Follow, Following
from tocsin.store import Store, Tx, tally

EVE = Path(__file__).parents[1] / "data" / "suricata" / "eve.json"
EVIDENCE = b'{"evidence_type": "ARP_SCAN", "attacker": {"value": "192.0.2.1"}, "id": "1"}\n'
IDEA = b'{"Format": "IDEA0", "ID": "2b1", "DetectTime": "2026-01-01T00:00:00Z", "Category": ["Recon.Scanning"]}\n'


def followed(path: Path, **options: Any) -> tuple[Following, Desk]:
    desk = Desk()
    return Following(Follow.model_validate({"paths": [path], "begin": "beginning"} | options), desk), desk


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "eve.json"


def test_what_is_there_already_is_left_out_unless_it_is_asked_for(log: Path) -> None:
    log.write_bytes(b'{"n": 1}\n{"n": 2')
    following, desk = followed(log, begin="end")
    following.once()
    with log.open("ab") as file:
        file.write(b'}\n{"n": 3}\n')
    following.once()

    assert desk.bodies == [b'{"n": 2}\n{"n": 3}\n']


def test_a_file_that_appears_later_is_read_from_its_beginning(log: Path) -> None:
    following, desk = followed(log, begin="end")

    assert "there is no file" in following.once()
    log.write_bytes(b'{"n": 1}\n')
    assert following.once() == ""
    assert desk.bodies == [b'{"n": 1}\n']


def test_lines_keep_their_bytes_and_half_a_line_waits(log: Path) -> None:
    following, desk = followed(log)
    log.write_bytes(b'{"n": 1.10, "t": "\xc3\xa9\\u00e9"}\r\n\n{"half": ')
    following.once()
    following.once()

    assert desk.bodies == [b'{"n": 1.10, "t": "\xc3\xa9\\u00e9"}\r\n']


def test_half_a_line_at_the_end_of_a_file_that_was_left_is_kept_in_quarantine(log: Path) -> None:
    following, desk = followed(log)
    log.write_bytes(b'{"n": 1}\n{"half": ')
    following.once()
    log.rename(log.with_name("eve.json.1"))
    log.write_bytes(b'{"n": 2}\n')
    following.once()

    assert desk.bodies == [b'{"n": 1}\n', b'{"n": 2}\n']
    assert desk.refused == [(b'{"half": ', "the line at byte 9 is no JSON object")]


def test_a_line_that_is_no_json_stops_no_other(log: Path) -> None:
    following, desk = followed(log)
    log.write_bytes(b'{"n": 1}\nnonsense\n[1]\n{"n": 2}\n')
    following.once()

    assert desk.bodies == [b'{"n": 1}\n', b'{"n": 2}\n']
    assert [body for body, _ in desk.refused] == [b"nonsense\n", b"[1]\n"]


@pytest.mark.parametrize("size", [1500, 2_500_000], ids=["in one piece", "in many pieces"])
def test_a_line_that_is_too_long_is_kept_whole_in_quarantine(log: Path, size: int) -> None:
    long = b'{"x": "' + b"y" * size + b'"}\n'
    following, desk = followed(log, max_line_kib=1)
    log.write_bytes(b'{"n": 1}\n' + long[:-400])
    following.once()
    with log.open("ab") as file:
        file.write(long[-400:] + b'{"n": 2}\n')
    following.once()

    assert b"".join(body for body, _ in desk.refused) == long
    assert all("longer than max_line_kib = 1" in reason for _, reason in desk.refused)
    assert desk.bodies == [b'{"n": 1}\n', b'{"n": 2}\n']


def test_events_that_are_no_alerts_are_passed_over_and_not_read_again(log: Path) -> None:
    following, desk = followed(log)
    log.write_bytes(b'{"event_type": "flow"}\n{"event_type": "alert", "n": 1}\n{"event_type": "dns"}\n')
    following.once()

    assert desk.bodies == [b'{"event_type": "alert", "n": 1}\n']
    assert json.loads(desk.cursor())["files"][str(log)]["at"]["offset"] == log.stat().st_size


def test_lines_of_different_parsers_go_into_different_messages(log: Path) -> None:
    following, desk = followed(log)
    log.write_bytes(EVIDENCE + EVIDENCE + IDEA + b'{"n": 1}\n')
    following.once()

    assert desk.bodies == [EVIDENCE + EVIDENCE, IDEA, b'{"n": 1}\n']


def test_a_portion_has_no_more_lines_than_it_may(log: Path) -> None:
    following, desk = followed(log, max_lines=2)
    log.write_bytes(b'{"n": 1}\n' * 5)
    following.once()

    assert [body.count(b"\n") for body in desk.bodies] == [2, 2, 1]


def test_a_file_that_was_taken_away_while_nobody_looked_is_told(log: Path) -> None:
    log.write_bytes(b'{"n": 1}\n')
    following, desk = followed(log)
    following.once()
    following.close()
    log.with_name("new").write_bytes(b'{"n": 2}\n')
    log.with_name("new").replace(log)
    again = Following(Follow(paths=[log]), desk)
    again.once()

    assert desk.bodies == [b'{"n": 1}\n', b'{"n": 2}\n']
    ((note, reason),) = desk.refused
    assert b"up to byte 9" in note
    assert "taken away while Tocsin did not look" in reason


def test_a_removed_file_is_finished_and_then_forgotten(log: Path) -> None:
    log.write_bytes(b'{"n": 1}\n')
    following, desk = followed(log)
    following.once()
    with log.open("ab") as file:
        file.write(b'{"n": 2}\n')
    log.unlink()
    following.once()
    log.write_bytes(b'{"n": 3}\n')
    following.once()
    following.once()

    assert desk.bodies == [b'{"n": 1}\n', b'{"n": 2}\n', b'{"n": 3}\n']
    assert desk.refused == []


def test_a_file_renamed_into_what_the_pattern_means_is_not_read_again(log: Path) -> None:
    following, desk = followed(log.with_name("*.json"))
    log.write_bytes(b'{"n": 1}\n')
    following.once()
    log.rename(log.with_name("yesterday.json"))
    log.write_bytes(b'{"n": 2}\n')
    following.once()
    with log.with_name("yesterday.json").open("ab") as file:
        file.write(b'{"n": 3}\n')
    following.once()
    following.once()

    assert sorted(desk.bodies) == [b'{"n": 1}\n', b'{"n": 2}\n', b'{"n": 3}\n']


def test_many_files_that_are_gone_are_forgotten_and_told(tmp_path: Path) -> None:
    for number in range(MOST_GONE + 1):
        (tmp_path / f"{number}.json").write_bytes(b'{"n": %d}\n' % number)
    following, desk = followed(tmp_path / "*.json")
    following.once()
    following.close()
    for path in tmp_path.iterdir():
        path.unlink()
    Following(Follow(paths=[tmp_path / "*.json"]), desk).once()

    assert len(json.loads(desk.cursor())["files"]) == MOST_GONE
    assert len(desk.refused) == 1


def test_what_cannot_be_read_is_told_and_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to("a.json")
    (tmp_path / "b.json").mkdir()
    os.mkfifo(tmp_path / "c.json")
    (tmp_path / "d.json").write_bytes(b'{"n": 1}\n')
    following, desk = followed(tmp_path / "[b-d].json")
    following.once()

    assert desk.bodies == [b'{"n": 1}\n']


def test_followed_lines_become_alertgroups_of_their_parsers(inbox: Store, tmp_path: Path) -> None:
    (tmp_path / "all.json").write_bytes(EVE.read_bytes().strip() + b"\n" + IDEA + EVIDENCE + b'{"n": 1}\n{"n": 2}\n')
    parsers = {"suricata": Suricata(), "idea": IdeaParser(), "slips": Slips(), "json_lines": JsonLines()}
    intake = Intake(inbox, parsers, ())
    fetchers = Fetchers(
        inbox, intake, {NAME: Follow(paths=[tmp_path / "all.json"], begin="beginning", interval_s=0.05)}
    )
    fetchers.start()
    try:
        until(lambda: "all.json: 2 lines" in groups(inbox))
        until(lambda: state(inbox).last_success is not None and not state(inbox).last_error)
    finally:
        fetchers.stop(20)
        intake.close()
    signatures = {
        json.loads(line)["alert"]["signature"] for line in EVE.read_bytes().splitlines() if b'"signature"' in line
    }

    assert signatures
    assert signatures | {"Recon.Scanning", "An ARP scan of the local network", "all.json: 2 lines"} == set(
        groups(inbox)
    )
    assert inbox.read(tally.totals)[0].quarantined == 0


def groups(store: Store) -> dict[str, int]:
    """How many alertgroups there are of each subject."""

    def read(tx: Tx) -> dict[str, int]:
        return dict(tx.rows("SELECT subject, COUNT(*) FROM alertgroup GROUP BY subject"))

    return store.read(read)
