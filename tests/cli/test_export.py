"""Exports from the command line: with a server running and without one, on either engine."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import Standing
from neighbours import stix_oracles
from neighbours.destinations import owe
from neighbours.indexed import put_all
from neighbours.server import Server
from tocsin.model import TLP
from tocsin.store import open_store

CONFIGURATION = """
[destinations.partner]
type = "stix_bundle"
identity = "CERT Example"
clearance = "green"
"""


@pytest.fixture
def hub(standing: Standing, data: Path) -> Iterator[Server]:
    data.mkdir()
    (data / "tocsin.toml").write_text(f'[store]\nurl = "{standing.url}"\n{CONFIGURATION}')
    store = open_store(standing.url, data)
    for number, tlp in enumerate((TLP.GREEN, TLP.RED, TLP.GREEN), 1):
        owe(store, f"beacon {number}", tlp=tlp)
    put_all(store)
    store.close()
    server = Server(data)
    if standing.state == "running":
        server.start()
    yield server
    if standing.state == "running":
        server.stop()


def test_a_selection_leaves_whole_or_through_a_gate(hub: Server, tmp_path: Path) -> None:
    target = tmp_path / "bundle.json"

    whole = hub.tocsin("export", "--format", "jsonl", "--query", "subject:beacon")
    gated = hub.tocsin("export", "--format", "stix", "--for", "partner", "--to", str(target))
    nothing = hub.tocsin("export", "--format", "jsonl", "--until", "2020-01-01")

    assert [json.loads(line)["subject"] for line in whole.stdout.splitlines()] == ["beacon 1", "beacon 2", "beacon 3"]
    assert whole.stderr == "wrote 3 alertgroups\n"
    assert gated.stderr == "wrote 2 alertgroups; 1 withheld by the gate of partner\n"
    assert stix_oracles.complaints(target.read_bytes()) == []
    assert b"CERT Example" in target.read_bytes()
    assert b"beacon 2" not in target.read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (nothing.stdout, nothing.stderr) == ("", "wrote 0 alertgroups\n")


def test_what_cannot_be_done_is_one_line_and_leaves_nothing(hub: Server, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    there = sorted(tmp_path.iterdir())

    refused = hub.tocsin("export", "--format", "csv", "--to", str(precious), check=False)
    bad = hub.tocsin("export", "--format", "csv", "--query", "severity>=", "--to", str(tmp_path / "x"), check=False)
    nobody = hub.tocsin("export", "--format", "csv", "--for", "nobody", "--to", str(tmp_path / "x"), check=False)

    assert [done.returncode for done in (refused, bad, nobody)] == [1, 1, 1]
    assert all(len(done.stderr.splitlines()) == 1 for done in (refused, bad, nobody))
    assert "there is no destination 'nobody'" in nobody.stderr
    assert (precious.read_text(), sorted(tmp_path.iterdir())) == ("precious", there)
    hub.tocsin("export", "--format", "csv", "--to", str(precious), "--force")
    assert precious.read_bytes().startswith(b"alertgroup,uid,")
