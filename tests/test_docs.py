"""What the documentation says of files, commands and targets is true."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOLD_TO_READERS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", TOLD_TO_READERS, ids=name)
def test_every_link_into_the_project_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    inside = [link.partition("#")[0] for link in links if not re.match(r"https?:|mailto:|#", link)]
    broken = [link for link in inside if not (page.parent / link).exists()]

    assert not broken, broken


@pytest.mark.parametrize("page", TOLD_TO_READERS, ids=name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE))

    assert named <= targets, named - targets


def test_every_command_in_the_readme_is_one() -> None:
    named = set(re.findall(r"\btocsin ((?:[a-z]+ ?){1,2})(?=[\s`-])", (ROOT / "README.md").read_text()))
    tocsin = Path(sys.executable).parent / "tocsin"
    assert named, "the README names no command"
    for command in sorted(named):
        words = command.split()
        done = subprocess.run([tocsin, *words, "--help"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"tocsin {command}: {done.stderr}"


def test_the_configuration_in_the_readme_is_a_good_one(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found is not None
    secret = tmp_path / "soc-url"
    secret.write_text("http://127.0.0.1:9/alerts\n")
    (tmp_path / "tocsin.toml").write_text(found[1].replace("/run/secrets/soc-url", str(secret)))
    done = subprocess.run(
        [Path(sys.executable).parent / "tocsin", "config", "check", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TOCSIN_DATABASE": "postgresql://tocsin@127.0.0.1/tocsin"},
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_decision_stands_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    pages = sorted(folder.glob("[0-9]*.md"))

    assert pages
    assert [page.name for page in pages if page.name not in index] == []
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]


def test_the_story_of_an_alert_passes_through_every_room() -> None:
    story = (ROOT / "docs" / "path-of-an-alert.md").read_text()
    rooms = {path.stem for path in (ROOT / "src" / "tocsin").iterdir() if not path.name.startswith(("_", "."))}
    outside = {"py", "py.typed", "plugin", "sources"}  # the contract itself, and what fetches: no part of a POST's path
    untold = {room for room in rooms - outside if not re.search(rf"\b{room}\b", story)}

    assert untold == set()
