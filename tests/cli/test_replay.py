"""Replays from the command line, with the server running, killed and started again, and without one."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from neighbours.destinations import START, owe
from neighbours.server import PATIENCE_S, TOCSIN, Server
from tocsin.model import TLP
from tocsin.store import delivery, open_store, replay

STORED = 40
CONFIGURATION = """
[destinations.idea_log]
enabled = false
[destinations.text_log]
path = "alerts.log"
[destinations.partner]
type = "dummy"
path = "partner.txt"
clearance = "green"
"""


@pytest.fixture
def hub(engine: str, data: Path) -> Iterator[Server]:
    """A data folder with alertgroups that `partner` was never owed; its server does not run yet."""
    data.mkdir()
    (data / "tocsin.toml").write_text(f'[store]\nurl = "{engine}"\n{CONFIGURATION}')
    store = open_store(engine, data)
    for number in range(STORED):
        owe(store, f"beacon {number}", "text_log" if number == 0 else "", tlp=TLP.GREEN if number else TLP.RED)
    store.write(lambda tx: tx.run("DELETE FROM delivery WHERE lane = ''"))
    store.close()
    server = Server(data)
    yield server
    server.stop()


def ask(hub: Server, path: str) -> Any:
    """What the running server says to its operator."""
    headers = {"Authorization": f"Bearer {hub.control['token']}"}
    answer = httpx2.get(f"{hub.base_url}/api/v2/{path}", headers=headers, trust_env=False, timeout=PATIENCE_S)
    assert answer.is_success, answer.text
    return answer.json()


def wait_for(hub: Server, id: int, wanted: Any) -> Any:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if wanted(found := ask(hub, f"replay/{id}")):
            return found
        time.sleep(0.05)
    raise AssertionError(f"the replay stands at {found}")


def ledger(engine: str, data: Path) -> dict[int, list[str]]:
    """The states of what `partner` is owed, by alertgroup."""
    store = open_store(engine, data)
    try:
        found = store.read(lambda tx: delivery.of_groups(tx, range(1, STORED + 1)))
    finally:
        store.close()
    return {group: [each.state for each in owed if each.lane == "partner"] for group, owed in found.items()}


def test_a_killed_server_goes_on_where_it_was_and_owes_nothing_twice(hub: Server, engine: str, data: Path) -> None:
    hub.start()
    begun = subprocess.Popen(
        [TOCSIN, "replay", "--data", str(data), "--to", "partner", "--rate", "10/s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    for most in (8, 20):
        while not ask(hub, "replay")["records"]:
            time.sleep(0.05)
        wait_for(hub, 1, lambda found, most=most: found["owed"] >= most)
        hub.kill()
        hub.start()
    begun.communicate()
    done = wait_for(hub, 1, lambda found: found["state"] == "done")
    hub.stop()

    assert (done["owed"], done["delivered"], done["under_way"], done["cursor"]) == (STORED, 0, 0, STORED)
    states = ledger(engine, data)
    assert {group: len(owed) for group, owed in states.items()} == dict.fromkeys(range(1, STORED + 1), 1)
    taken = (data / "partner.txt").read_text().split()
    assert len(set(taken)) >= STORED - 1 - sum(owed == ["due"] for owed in states.values())


def test_without_a_server_the_command_sends_by_itself(hub: Server, engine: str, data: Path) -> None:
    tried = hub.tocsin("replay", "--to", "partner", "--dry-run").stdout
    first = hub.tocsin("replay", "--to", "partner", "--rate", "0").stdout
    second = hub.tocsin("replay", "--to", "partner", "--query", "beacon", "--rate", "0").stdout

    assert f"{STORED} match; to partner would be\n       39 sent\n        1 withheld by the gate\n" in tried
    assert "1 2026-" in tried
    assert "(withheld: TLP: the alertgroup is RED, partner is cleared up to GREEN)" in tried
    assert tried.endswith("nothing was made\n")
    assert first == (
        f"replay 1 is done: {STORED} handed to partner, 0 delivered already and 0 on their way were left out\n"
    )
    assert second.startswith("replay 2 is done: 1 handed to partner, 39 delivered already")
    assert ledger(engine, data) == {1: ["withheld"]} | {group: ["delivered"] for group in range(2, STORED + 1)}
    assert len((data / "partner.txt").read_text().split()) == STORED - 1
    assert not (data / "alerts.log").exists() or not (data / "alerts.log").read_text(), "it sent more than was asked"


@pytest.mark.parametrize("engine", ["sqlite"])
def test_interrupting_the_command_leaves_the_servers_replay_running(hub: Server, engine: str, data: Path) -> None:
    hub.start()
    # Whoever started the tests may ignore Ctrl-C, and a child would inherit that.
    command = [TOCSIN, "replay", "--data", str(data), "--to", "partner", "--rate", "1/min"]
    following = subprocess.Popen(
        ["env", "--default-signal=INT", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert following.stderr is not None
    assert following.stderr.readline() == "replay 1 runs in the server\n"

    following.send_signal(signal.SIGINT)
    _, said = following.communicate(timeout=60)

    assert following.returncode == 130, said
    assert "replay 1 goes on in the server; `tocsin replay stop 1` stops it" in said
    assert ask(hub, "replay/1")["state"] == "running"
    assert hub.tocsin("replay", "stop", "1").stdout.startswith("replay 1 is stopped")
    listed = hub.tocsin("replay", "list").stdout
    assert "partner" in listed
    assert "stopped" in listed


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_stopped_replay_is_resumed_without_a_server(hub: Server, engine: str, data: Path) -> None:
    store = open_store(engine, data)
    wish = replay.Wish(lane="partner", rate="0")
    store.write(lambda tx: replay.put(tx, wish, STORED, "ann", START))
    store.close()
    hub.tocsin("replay", "stop", "1")

    resumed = hub.tocsin("replay", "resume", "1")

    assert resumed.stdout.startswith(f"replay 1 is done: {STORED} handed to partner")
    assert all(owed in (["delivered"], ["withheld"]) for owed in ledger(engine, data).values())
    assert "replay 1 is done" in hub.tocsin("replay", "resume", "1", check=False).stderr


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--to", "partnr"], "there is no destination 'partnr': did you mean partner?"),
        (["--to", "partner", "--query", "nosuch:1"], "nosuch"),
        (["--to", "partner", "--from", "soon"], "from: 'soon' is no time: write now-7d"),
        (["--to", "partner", "--rate", "quick"], "rate: 'quick' is no rate: write 50/s"),
        (["resume", "7"], "there is no replay 7"),
        (["stop", "7"], "there is no replay 7"),
        ([], "Missing option '--to'"),
    ],
)
def test_what_is_wrong_is_told_with_the_remedy(hub: Server, engine: str, arguments: list[str], told: str) -> None:
    done = hub.tocsin("replay", *arguments, check=False)

    assert done.returncode == (2 if not arguments else 1)
    assert told in done.stderr
    assert "Nothing was ever replayed." in hub.tocsin("replay", "list").stdout
