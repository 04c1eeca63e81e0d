"""Flows exported from the command line: to a file, to a pipe, cut off by Ctrl-C."""

import json
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from neighbours.imported import SAMPLES
from neighbours.parts import T, lay_many, read_json, read_tsv
from neighbours.server import TOCSIN, Server
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting.portions import FILES

MANY = 300_000


@pytest.fixture
def here(tmp_path: Path) -> Server:
    """A data folder with our own samples of Zeek's logs; no server runs."""
    server = Server(tmp_path / "var")
    server.tocsin("flows", "import", str(SAMPLES / "zeek-tab"))
    return server


def test_flows_leave_as_slips_writes_them(here: Server, tmp_path: Path) -> None:
    tsv, parquet = tmp_path / "labeled_flows.tsv", tmp_path / "flows.parquet"

    alone = here.tocsin("flows", "export", "--format", "json")
    whole = here.tocsin("flows", "export", "--format", "tsv", "--altflows", "--to", str(tsv))
    asked = here.tocsin("flows", "export", "--format", "json", "--altflows", "--query", "kind:dns")
    later = here.tocsin("flows", "export", "--format", "json", "--since", "2100-01-01")
    here.tocsin("flows", "export", "--format", "parquet", "--profile", "flat", "--to", str(parquet))

    flows = [json.loads(line) for line in alone.stdout.splitlines()]
    lines = read_tsv(tsv)
    assert list(flows[0]) == ["uid", "flow", "label", "profileid", "twid", "aid"]
    assert {row["flow"]["type_"] for row in flows} == {"conn"}
    assert list(lines[0]) == [*flows[0], "flow_type"]
    assert whole.stderr == f"wrote {len(lines):,} flows\n"
    assert [row["uid"] for row in lines[: len(flows)]] == [row["uid"] for row in flows]
    assert len({row["flow_type"] for row in lines}) == 15
    assert {json.loads(line)["flow_type"] for line in asked.stdout.splitlines()} == {"dns"}
    assert (later.stdout, later.stderr) == ("", "wrote 0 flows\n")
    assert stat.S_IMODE(tsv.stat().st_mode) == 0o600
    assert parquet.read_bytes()[:4] == b"PAR1"


def test_what_cannot_be_done_is_one_line_and_leaves_the_file(here: Server, tmp_path: Path) -> None:
    file = tmp_path / "old.json"
    file.write_text("old")

    there = here.tocsin("flows", "export", "--format", "json", "--to", str(file), check=False)
    wrong = here.tocsin("flows", "export", "--format", "json", "--query", "dport:", check=False)
    nowhere = here.tocsin("flows", "export", "--format", "parquet", check=False)
    untimely = here.tocsin("flows", "export", "--format", "json", "--since", "soon", check=False)

    assert (there.returncode, there.stderr) == (
        1,
        f"tocsin: {file} is there already; name another file or use --force\n",
    )
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "character 7" in wrong.stderr
    assert nowhere.returncode == 2
    assert "name it with --to" in nowhere.stderr
    assert untimely.stderr.startswith("tocsin: since: 'soon' is no time")
    assert file.read_text() == "old"


def test_a_reader_that_has_enough_ends_it_quietly(here: Server) -> None:
    lay_many(Dataset(here.data / "flows"), "conn", f"'C' || i AS uid, {T} + i AS start", 50_000)

    with subprocess.Popen(
        [TOCSIN, "flows", "export", "--format", "json", "--data", here.data],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=here.environment,
    ) as exporting:
        assert exporting.stdout
        assert exporting.stderr
        first = json.loads(exporting.stdout.readline())
        exporting.stdout.close()
        said = exporting.stderr.read()
        code = exporting.wait(timeout=60)

    assert first["flow"]["type_"] == "conn"
    assert (code, said) == (1, b"")


def test_ctrl_c_leaves_the_old_file_and_the_next_one_goes_on(here: Server, tmp_path: Path) -> None:
    file = tmp_path / "flows.json"
    file.write_text("old")
    dataset = Dataset(here.data / "flows")
    for _ in range(FILES):
        lay_many(dataset, "conn", "'C' || i AS uid", 10)
    lay_many(dataset, "conn", "'D' || i AS uid", MANY, row_group=20_480)
    words = ("flows", "export", "--format", "json", "--force", "--to", str(file))

    with subprocess.Popen(
        [TOCSIN, *words, "--data", here.data], stderr=subprocess.PIPE, env=here.environment
    ) as stopping:
        state, patience = tmp_path / "flows.json.partial" / "state.json", time.monotonic() + 60
        while not (state.exists() and json.loads(state.read_text())["portions"]):
            assert time.monotonic() < patience
            time.sleep(0.01)
        stopping.send_signal(signal.SIGINT)
        said = stopping.stderr.read() if stopping.stderr else b""
        code = stopping.wait(timeout=60)
    between = file.read_text()
    again = here.tocsin(*words)

    assert (code, said.strip()) == (130, b"tocsin: stopped")
    assert between == "old"
    assert "were there from an export that was cut off" in again.stderr
    assert sum(row["uid"][0] == "D" for row in read_json(file)) == MANY
