"""`tocsin migrate scot --url`: alertgroups of a small SCOT of ours, with what was decided about them."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neighbours import scot as neighbour
from neighbours.scot import KEY, Scot, group
from neighbours.server import TOCSIN, Server
from tocsin.cli import main
from tocsin.cli.door import open_door

PATIENCE_S = 60


@pytest.fixture
def scot() -> Iterator[Scot]:
    """Three alertgroups: one all open, one of mixed fate, one whose mail SCOT could not read."""
    rows = [{"src": "10.0.0.1", "n": 1}, {"src": "10.0.0.2", "n": 2}, {"src": "10.0.0.3", "n": 3}]
    groups = [
        group(7, rows, ["open", "open", "open"], tag=[], owner="", tlp="unset"),
        group(3, rows, ["closed", "promoted", "open"], status="promoted", tag=["c2", "seen"], tlp="amber"),
        group(12, [], [], status="closed", message_id=" ", source=None, tag="one"),
    ]
    with neighbour.running(Scot(groups)) as running:
        yield running


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "var"
    folder.mkdir()
    return folder


def run(capsys: pytest.CaptureFixture[str], scot: Scot, data: Path, *more: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["migrate", "scot", "--data", str(data), "--url", scot.url, "--key", KEY, *more])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def ask(data: Path, *paths: str) -> list[Any]:
    with open_door(data, None) as door:
        return [door.ask("GET", f"/api/v2/{path}") for path in paths]


def subjects(data: Path) -> list[str]:
    return sorted(each["subject"] for each in ask(data, "alertgroup?limit=0")[0]["records"])


def test_alertgroups_come_with_their_rows_and_what_was_decided(
    scot: Scot, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, scot, data)
    listed, alerts = ask(data, "alertgroup?sort=id", "alertgroup/1/alert")
    first, second, third = listed["records"]

    assert (code, out) == (0, "3 alertgroups are stored; SCOT was read up to alertgroup 12\n")
    assert (first["subject"], first["message_id"], first["created"]) == (
        *("Splunk Alert: beacon 3", "<3@det.example>"),
        1_700_000_003,
    )
    assert (first["status"], first["tlp"], first["tag"], first["owner"]) == (
        *("promoted", "amber", ["c2", "seen"]),
        "scot-admin",
    )
    assert first["source"] == ["splunk", "migrated from scot"]
    assert first["groups"] == {"read": ["wg-scot-ir"], "modify": ["wg-scot-ir"]}
    assert [each["status"] for each in alerts["records"]] == ["closed", "promoted", "open"]
    assert [each["data"] for each in alerts["records"]][1] == {"src": "10.0.0.2", "n": 2}
    assert (second["status"], second["open_count"], second["owner"]) == ("open", 3, "")
    assert (third["status"], third["alert_count"], third["tag"]) == ("closed", 1, ["one"])


def test_a_mail_that_scot_could_not_read_keeps_its_text(
    scot: Scot, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, scot, data)

    assert ask(data, "alertgroup/3/alert")[0]["records"][0]["data"] == {"text": "the mail's text"}


def test_nobodys_view_is_counted_in_scot(scot: Scot, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, scot, data)

    paths = {each.partition("?")[0].removeprefix("/scot/api/v2/") for each in scot.asked}
    assert paths == {"alertgroup", "alertgroup/3/alert", "alertgroup/7/alert", "alertgroup/12/alert"}


def test_a_second_call_takes_only_what_is_new_and_again_doubles_nothing(
    scot: Scot, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, scot, data)
    scot.groups[20] = group(20, [{"src": "10.9.9.9"}], ["closed"])
    more = run(capsys, scot, data)
    with open_door(data, None) as door:
        door.ask("PUT", "/api/v2/alertgroup/2", {"status": "closed"})
    again = run(capsys, scot, data, "--again")

    assert more[1] == "1 alertgroups are stored; SCOT was read up to alertgroup 20\n"
    assert again[:2] == (0, "4 alertgroups are stored; SCOT was read up to alertgroup 20\n")
    assert len(subjects(data)) == 4
    assert ask(data, "alertgroup?id=2")[0]["records"][0]["status"] == "closed"  # decided here since


def test_where_scot_fails_the_next_call_goes_on(scot: Scot, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scot.broken.add("alertgroup/7/alert")
    failed = run(capsys, scot, data)
    half = subjects(data)
    scot.broken.clear()
    scot.asked.clear()
    done = run(capsys, scot, data)

    assert failed[0] == 1
    assert "answered 500" in failed[2]
    assert "SCOT was read up to 3" in failed[2]
    assert half == ["Splunk Alert: beacon 3"]
    assert done[0] == 0
    assert len(subjects(data)) == 3
    assert not any("alertgroup/3/alert" in each for each in scot.asked)


def test_killed_at_any_time_it_takes_each_once(scot: Scot, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scot.held["alertgroup/12/alert"] = threading.Event()
    server = Server(data)
    server.start()
    command = [TOCSIN, "migrate", "scot", "--data", str(data), "--url", scot.url]
    process = subprocess.Popen(command, env={**os.environ, "SCOT_KEY": KEY}, stdin=subprocess.DEVNULL)
    until = time.monotonic() + PATIENCE_S
    while not any("12/alert" in each for each in scot.asked) and time.monotonic() < until:
        time.sleep(0.05)
    process.kill()
    process.wait(PATIENCE_S)
    (data / "migrate-scot.json").unlink()  # as if it had been killed before that was written
    scot.held["alertgroup/12/alert"].set()
    done = server.tocsin("migrate", "scot", "--url", scot.url, "--key", KEY)
    server.stop()

    assert done.stdout == "3 alertgroups are stored; SCOT was read up to alertgroup 12\n"
    assert len(subjects(data)) == 3


def test_nothing_old_is_sent_unless_it_is_asked_for(scot: Scot, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, scot, data)
    (why, silences, over) = ask(data, "alertgroup/1/why", "silence", "silence?over=1")
    scot.groups[20] = group(20, [{"src": "10.9.9.9"}], ["closed"])
    run(capsys, scot, data, "--send")
    sent = ask(data, "alertgroup/4/why")[0]

    assert {each["state"] for each in why["owed"]} == {"silenced"}
    assert silences["records"] == []
    assert [(each["name"], each["state"], each["held"]) for each in over["records"]] == [
        ("Migrated from SCOT", "over", 3)
    ]
    assert {each["state"] for each in sent["owed"]} != {"silenced"}


def test_what_the_door_refuses_stops_it_until_somebody_decides(
    scot: Scot, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "tocsin.toml").write_text("[http]\nmax_rows = 2\n")
    scot.groups[5] = group(5, [{"a": 1}], ["open"])
    refused = run(capsys, scot, data)
    done = run(capsys, scot, data, "--leave-out", "3", "--leave-out", "7")

    assert refused[0] == 1
    assert "alertgroup 3 of SCOT was not taken" in refused[2]
    assert "--leave-out 3 goes on without it" in refused[2]
    assert done[0] == 0
    assert subjects(data) == ["Splunk Alert: beacon 12", "Splunk Alert: beacon 5"]


def test_where_the_door_cuts_each_row_keeps_its_fate(
    scot: Scot, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "tocsin.toml").write_text("[http]\nsplit_rows = 2\n")
    run(capsys, scot, data)

    first, second = ask(data, "alertgroup/1/alert", "alertgroup/2/alert")
    assert [each["status"] for each in first["records"]] == ["closed", "promoted"]
    assert [each["status"] for each in second["records"]] == ["open"]


def test_a_wrong_key_or_address_is_said_in_a_line(scot: Scot, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["migrate", "scot", "--data", str(data), "--url", scot.url, "--key", "wrong"])
    wrong = capsys.readouterr().err
    scot.groups[3]["id"] = "three"
    strange = run(capsys, scot, data)
    scot.url += "/elsewhere"
    elsewhere = run(capsys, scot, data)

    assert "401" in wrong
    assert "check the key" in wrong
    assert "without an id" in strange[2]
    assert "404" in elsewhere[2]


def test_what_is_missing_on_the_command_line_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for arguments in ([], ["--url", "http://x"], ["--url", "http://x", "--data", str(data)]):
        with pytest.raises(SystemExit) as ended:
            main(["migrate", "scot", *arguments])
        assert ended.value.code == 2
        said.append(capsys.readouterr().err)

    assert "Give configuration files" in said[0]
    assert "--url needs --data" in said[1]
    assert "--url needs --key" in said[2]
