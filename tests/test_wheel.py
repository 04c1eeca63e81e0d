"""What somebody gets who installs a wheel: everything that runs, and nothing that must be fetched afterwards."""

import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("dist")
    command = [os.environ.get("UV", "uv"), "build", "--quiet", "--wheel", "--out-dir", str(out), str(ROOT)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_a_wheel_carries_the_browser_packages(inside: set[str]) -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["tocsin"]["vendor"].values()

    assert {f"tocsin/web/static/vendor/{name}" for name in wanted} <= inside


def test_a_wheel_carries_every_file_of_the_package_and_no_other(inside: set[str]) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "src/tocsin"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    ours = {name.removeprefix("src/") for name in tracked if (ROOT / name).exists()}
    strangers = {name for name in inside - ours if "/vendor/" not in name and ".dist-info/" not in name}

    assert ours <= inside
    assert {name for name in strangers if (ROOT / "src" / name).suffix == ".pyc" or "__pycache__" in name} == set()
    assert {name.partition("/")[0] for name in inside} == {
        "tocsin",
        next(n for n in inside if "dist-info" in n).partition("/")[0],
    }
