"""Lanes from the command line, with the server running and without it, on either engine."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import Standing
from neighbours.server import Server, running_server
from tocsin.model import TLP, Alertgroup, Message
from tocsin.store import Part, entry, open_store, sending
from tocsin.store.sending import Settled
from tocsin.web.notes import now_micros

TABLES = """
[destinations.idea_log]
enabled = false

[destinations.text_log]
enabled = false

[destinations.chat]
type = "dummy"
clearance = "green"
"""


@pytest.fixture
def hub(standing: Standing, data: Path) -> Iterator[Server]:
    """A paused lane that owes three alertgroups, one of them above its clearance, and has parked two."""
    state, url = standing
    with running_server(data, url, TABLES) as server:
        server.stop()
        store, now = open_store(url, data), now_micros()
        for number in range(5):
            tlp = "red" if number == 4 else "green"
            group = Alertgroup.of_rows(f"number {number}", [{"n": number}], tlp=TLP(tlp))
            message = Message(source="rest", body=b"{}", media_type="application/json", received=now)
            store.append(entry(message, [Part(group=group, severity=None, lanes=("chat",))], "generic", "1")).result()
        claimed = store.write(lambda tx: sending.claim(tx, "chat", 2, now + 1, now + 60_000_000))
        settled = [
            Settled(id=one.id, attempt=one.attempt, outcome="failed", at=now, detail="no such room") for one in claimed
        ]
        store.write(lambda tx: sending.settle(tx, "chat", settled, None))
        store.close()
        server.tocsin("lane", "pause", "chat")
        if state == "running":
            server.start()
        yield server


def test_lanes_are_listed_tested_decided_about_and_resumed(hub: Server) -> None:
    listed = hub.tocsin("lane", "list").stdout.splitlines()
    assert listed[1].split()[:3] == ["chat", "paused", "3"]
    assert "no such room" in listed[1]
    parked = hub.tocsin("lane", "parked", "chat").stdout.splitlines()
    ids = [line.split()[0] for line in parked[1:]]
    assert len(ids) == 2
    assert hub.tocsin("lane", "test", "chat").stdout.startswith("delivered, ")
    assert hub.tocsin("lane", "drop", "chat", ids[0]).stdout == "1 dropped\n"
    assert hub.tocsin("lane", "retry", "chat", "--all").stdout == "1 sent again\n"
    both = hub.tocsin("lane", "retry", "chat", check=False)
    assert (both.returncode, "Give numbers of deliveries, or --all." in both.stderr) == (2, True)
    assert hub.tocsin("lane", "parked", "chat").stdout == "Nothing is parked.\n"

    assert hub.tocsin("lane", "pause", "chat").stdout == "chat is paused, 4 wait\n"
    assert hub.tocsin("lane", "resume", "chat").stdout.startswith("chat is not paused, ")
    wrong = hub.tocsin("lane", "pause", "cat", check=False)
    assert (wrong.returncode, wrong.stderr) == (1, "tocsin: There is no lane 'cat'.\n")


def test_a_lane_is_drained_to_a_file_and_owes_nothing_then(hub: Server, tmp_path: Path) -> None:
    owed, parked = tmp_path / "owed.jsonl", tmp_path / "parked.jsonl"
    first = hub.tocsin("lane", "drain", "chat", "--to", str(owed))
    second = hub.tocsin("lane", "drain", "chat", "--to", str(parked), "--parked")

    assert (first.stdout, first.stderr) == (f"2 lines in {owed}\n", "1 withheld by the gate\n")
    assert [json.loads(line)["subject"] for line in owed.read_text().splitlines()] == ["number 2", "number 3"]
    assert second.stdout == f"2 lines in {parked}\n"
    assert [json.loads(line)["subject"] for line in parked.read_text().splitlines()] == ["number 0", "number 1"]
    line = hub.tocsin("lane", "list").stdout.splitlines()[1].split()
    assert line[:5] == ["chat", "paused", "0", "0", "4"]
    assert hub.tocsin("lane", "drain", "chat", "--to", str(owed), check=False).returncode == 2
    third = hub.tocsin("lane", "drain", "chat", "--to", str(tmp_path / "more.jsonl"))
    assert third.stdout == "There was nothing to drain.\n"
