"""Everything indexed again: by the running server or without it, and known to be due when the configuration changed."""

import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from neighbours.server import Server
from tocsin.app import Hub, build, load_config
from tocsin.indexing import OUT_OF_LINE
from tocsin.store import index

OWN = '\n[entities]\nstrings = { "fancy bear" = "actor" }\nown_networks = ["192.0.2.0/24"]\n'


def posted(server: Server, count: int = 3) -> None:
    with server.client() as client:
        for number in range(count):
            group = {"subject": f"Fancy Bear {number}", "data": [{"src": "192.0.2.7"}]}
            assert client.post("/api/v2/alertgroup", json=group).is_success


def indexed(server: Server) -> None:
    """Wait until nothing waits."""
    with server.client("viewer") as client:
        until = time.monotonic() + 60
        while client.get("/api/v2/entities/rebuild").json()["waiting"]:
            assert time.monotonic() < until, server.last_words()
            time.sleep(0.05)


def actors(server: Server) -> list[tuple[str, int]]:
    """What is stored of the own string; no server may run."""
    hub = build(load_config(server.data), server.data)
    try:
        return [
            (row[0], row[1])
            for row in hub.store.read(lambda tx: tx.rows("SELECT value, alertgroups FROM entity WHERE type = 'actor'"))
        ]
    finally:
        hub.stop()


def test_metrics_tell_how_many_wait(server: Server) -> None:
    posted(server)
    indexed(server)
    with server.client("viewer") as client:
        lines = client.get("/metrics").text.splitlines()

    assert {"tocsin_index_waiting 0.0", "tocsin_index_oldest_seconds 0.0"} <= set(lines)


@pytest.mark.parametrize("running", [True, False])
def test_a_changed_configuration_is_told_and_the_rebuild_brings_all_in_line(server: Server, running: bool) -> None:
    posted(server)
    indexed(server)
    server.stop()
    assert actors(server) == []
    with (server.data / "tocsin.toml").open("a") as file:
        file.write(OWN)
    if running:
        server.start()
    told = server.tocsin("doctor", check=False)
    assert OUT_OF_LINE in told.stdout
    done = server.tocsin("entities", "rebuild")
    assert done.stdout == "3 alertgroups indexed\n"
    assert OUT_OF_LINE not in server.tocsin("doctor", check=False).stdout
    if running:
        assert OUT_OF_LINE in server.last_words()
        server.stop()

    assert actors(server) == [("fancy bear", 3)]


def test_another_configuration_is_remembered_until_all_is_indexed_anew(tmp_path: Path) -> None:
    for text in ("", OWN, ""):
        (tmp_path / "tocsin.toml").write_text(text)
        hub = build(load_config(tmp_path), tmp_path)
        with capture_logs():
            hub.indexer.start()
            settled(hub)
        in_line = hub.indexer.in_line()
        hub.stop()
    assert not in_line

    hub = build(load_config(tmp_path), tmp_path)
    assert hub.indexer.rebuild() == 0
    assert hub.indexer.in_line()
    hub.stop()


def settled(hub: Hub) -> None:
    """Wait until the worker has looked at the configuration."""
    until = time.monotonic() + 60
    while time.monotonic() < until and not hub.store.read(lambda tx: tx.row("SELECT 1 FROM indexing")):
        time.sleep(0.02)


def test_the_hub_knows_what_it_was_told(tmp_path: Path) -> None:
    (tmp_path / "actors.txt").write_text("Fancy Bear\n\nCosy Bear\n")
    (tmp_path / "tocsin.toml").write_text('[entities]\nstring_files = { actor = "actors.txt" }\n')
    hub = build(load_config(tmp_path), tmp_path)
    hub.stop()

    assert [type for type, _, _, _ in hub.known.strings("the cosy bear")] == ["actor"]


def test_the_lag_is_counted_no_further_than_asked(server: Server) -> None:
    server.stop()
    hub = build(load_config(server.data), server.data)
    hub.store.write(lambda tx: index.wait(tx, range(1, 31), 5))
    assert (hub.indexer.lag(10).waiting, hub.indexer.behind(), hub.indexer.lag(10).since) == (10, 30, 5)
    hub.stop()
