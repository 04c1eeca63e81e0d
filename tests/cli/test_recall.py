"""`tocsin recall`, with the server running and without."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neighbours.destinations import owe
from neighbours.server import Server
from tocsin.store import delivery, open_store

CONFIGURATION = """
[destinations.idea_log]
enabled = false
[destinations.text_log]
enabled = false
[destinations.partner]
type = "webhook"
url = "http://127.0.0.1:9/"
"""


@pytest.fixture
def hub(data: Path) -> Iterator[Server]:
    """A data folder whose one alertgroup was delivered to `partner`; its server does not run yet."""
    data.mkdir()
    (data / "tocsin.toml").write_text(CONFIGURATION)
    store = open_store("sqlite", data)
    owe(store, "beacon", "partner")
    store.write(lambda tx: tx.run("UPDATE delivery SET state = 'delivered', attempt = 1, settled = created"))
    store.close()
    server = Server(data)
    yield server
    server.stop()


def kinds(data: Path) -> list[tuple[str, str]]:
    store = open_store("sqlite", data)
    try:
        found = store.read(lambda tx: delivery.of_groups(tx, [1]))[1]
    finally:
        store.close()
    return [(each.lane, each.kind) for each in found]


def test_a_recall_is_rehearsed_and_made_while_the_server_runs(hub: Server, data: Path) -> None:
    hub.start()

    tried = hub.tocsin("recall", "1", "--dry-run")
    done = hub.tocsin("recall", "1", "--reason", "our own test")
    until = time.monotonic() + 60
    while "cannot be reached" not in (said := hub.tocsin("lane", "list").stdout) and time.monotonic() < until:
        time.sleep(0.2)
    hub.stop()

    assert "a correction is sent" in tried.stdout
    assert "nothing was done" in tried.stderr
    assert "a correction is sent" in done.stdout
    assert "cannot be reached" in said
    assert kinds(data) == [("partner", "alert"), ("partner", "recall")]


def test_a_recall_needs_no_running_server_and_is_sent_with_its_next_start(hub: Server, data: Path) -> None:
    hub.start()
    hub.stop()

    done = hub.tocsin("recall", "1", "--reason", "our own test", "--to", "partner")

    assert "a correction is sent" in done.stdout
    assert kinds(data)[-1] == ("partner", "recall")


def test_without_a_reason_it_is_a_mistake_of_the_command_line(hub: Server, data: Path) -> None:
    refused = hub.tocsin("recall", "1", check=False)
    nowhere = hub.tocsin("recall", "7", "--reason", "wrong", check=False)

    assert (refused.returncode, nowhere.returncode) == (2, 1)
    assert "--reason" in refused.stderr
    assert "there is no alertgroup 7" in nowhere.stderr
    assert kinds(data) == [("partner", "alert")]
