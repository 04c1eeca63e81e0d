"""Without the extra all else works, nothing loads it by the way, and what needs it says what to install."""

import subprocess
import sys
from pathlib import Path

import pytest

from neighbours.server import Server

HEAVY = ("duckdb", "pyarrow", "polars", "ibis", "pyspark")
REMEDY = "pip install 'tocsin[flows]'"


def python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def hidden(tmp_path: Path) -> dict[str, str]:
    """An environment in which DuckDB and its company cannot be imported."""
    blind = tmp_path / "blind"
    blind.mkdir()
    (blind / "sitecustomize.py").write_text(
        "from importlib.machinery import PathFinder\n"
        "seen = PathFinder.find_spec\n"
        "def find_spec(cls, name, *rest):\n"
        f"    return None if name.partition('.')[0] in {HEAVY} else seen(name, *rest)\n"
        "PathFinder.find_spec = classmethod(find_spec)\n"
    )
    return {"PYTHONPATH": str(blind)}


def test_nothing_of_the_extra_is_loaded_by_a_start(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tocsin.app import build, load_config\n"
        "from tocsin.web import create\n"
        "import tocsin.cli.serve, tocsin.cli.flows, tocsin.cli.flows.importing, tocsin.cli.doctor\n"
        "data = Path(sys.argv[1])\n"
        "hub = build(load_config(data), data)\n"
        "create(hub)\n"
        "hub.start()\n"
        "hub.stop()\n"
        f"print(sorted({{name.partition('.')[0] for name in sys.modules}} & set({HEAVY})))\n"
    )
    done = python(program, str(tmp_path))

    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_server_without_the_extra_works_and_its_commands_on_flows_say_what_to_install(
    data: Path, tmp_path: Path, hidden: dict[str, str]
) -> None:
    data.mkdir(mode=0o700)
    log = tmp_path / "conn.log"
    log.write_text('{"ts": 1790000000.0, "uid": "C1"}\n')
    server = Server(data, environment=hidden)
    try:
        server.start()
        looked = server.tocsin("doctor")
        done = server.tocsin("flows", "import", str(log), check=False)
    finally:
        server.stop()

    assert "flows" not in looked.stdout
    assert done.returncode == 1
    assert REMEDY in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("asked", ['follow = ["/var/log/zeek"]', "export_labeled_flows = true"])
def test_a_configuration_that_asks_for_flows_is_refused_at_the_start(
    data: Path, hidden: dict[str, str], asked: str
) -> None:
    data.mkdir(mode=0o700)
    (data / "tocsin.toml").write_text(f"[flows]\n{asked}\n")

    done = Server(data, environment=hidden).tocsin("config", "check", check=False)

    assert done.returncode == 1
    assert REMEDY in done.stderr


def test_a_configuration_that_only_words_things_needs_no_extra(data: Path, hidden: dict[str, str]) -> None:
    data.mkdir(mode=0o700)
    (data / "tocsin.toml").write_text('[flows]\nbenign = "normal"\n')

    assert "is good" in Server(data, environment=hidden).tocsin("config", "check").stdout
