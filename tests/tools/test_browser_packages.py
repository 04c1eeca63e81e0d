"""How the files we serve to browsers get into `static/vendor/`; npm is played by a script."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parent.parent.parent / "tools" / "browser_packages.py"

NPM = """#!/bin/sh
echo "$@" >> {said}
mkdir -p node_modules/grid/dist && printf 'grid' > node_modules/grid/dist/grid.min.js
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    npm = tmp_path / "bin" / "npm"
    npm.write_text(NPM.format(said=tmp_path / "said"))
    npm.chmod(0o755)
    (tmp_path / "package-lock.json").write_text("{}")
    (tmp_path / "package.json").write_text(json.dumps({"tocsin": {"vendor": {"grid/dist/grid.min.js": "grid.js"}}}))
    return tmp_path


def fetch(project: Path, options: str = "") -> subprocess.CompletedProcess[str]:
    program = (
        "import importlib.util, sys, pathlib;"
        f"spec = importlib.util.spec_from_file_location('tool', {str(TOOL)!r});"
        "tool = importlib.util.module_from_spec(spec); spec.loader.exec_module(tool);"
        f"print(tool.browser_packages(pathlib.Path({str(project)!r}){options}))"
    )
    environment = {"PATH": f"{project / 'bin'}:/usr/bin:/bin"}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def vendor(project: Path) -> Path:
    return project / "src" / "tocsin" / "web" / "static" / "vendor"


def test_takes_the_named_files_and_runs_no_package_scripts(project: Path) -> None:
    done = fetch(project)

    assert done.stdout == "fetched grid.js for the pages\n", done.stderr
    assert (vendor(project) / "grid.js").read_text() == "grid"
    assert "ci --omit=dev --ignore-scripts" in (project / "said").read_text()
    assert not (project / "node_modules").exists()


def test_fetches_again_only_when_the_lock_changed_or_a_file_is_gone(project: Path) -> None:
    fetch(project)
    quiet = fetch(project)
    (vendor(project) / "grid.js").unlink()
    mended = fetch(project)
    (project / "package-lock.json").write_text('{"lockfileVersion": 3}')
    renewed = fetch(project)

    assert quiet.stdout == "\n"
    assert mended.stdout == renewed.stdout == "fetched grid.js for the pages\n"
    assert len((project / "said").read_text().splitlines()) == 3


def test_development_keeps_the_packages_that_only_tests_need(project: Path) -> None:
    fetch(project)
    done = fetch(project, ", development=True")
    again = fetch(project, ", development=True")

    assert done.stdout == "fetched grid.js for the pages\n", done.stderr
    assert "--include=dev" in (project / "said").read_text().splitlines()[1]
    assert (project / "node_modules" / "grid").is_dir()
    assert again.stdout == "\n"


def test_a_file_that_is_not_in_its_package_is_named(project: Path) -> None:
    (project / "package.json").write_text(json.dumps({"tocsin": {"vendor": {"grid/dist/gird.js": "grid.js"}}}))
    done = fetch(project)

    assert done.returncode == 1
    assert "grid/dist/gird.js: no such file in its package" in done.stderr
    assert not vendor(project).exists()


def test_a_failing_npm_is_quoted(project: Path) -> None:
    (project / "bin" / "npm").write_text("#!/bin/sh\necho 'no route to registry' >&2; exit 7\n")
    done = fetch(project)

    assert done.returncode == 1
    assert "no route to registry" in done.stderr
