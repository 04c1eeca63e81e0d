"""The page that tells how to write a parser, followed word for word."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parent.parent / "docs" / "write-a-parser.md"
PROGRAMS = Path(sys.executable).parent


class Block(NamedTuple):
    """A block of the page: what it is, the file it is to be saved as, and its text."""

    what: str
    file: str
    text: str


def blocks() -> list[Block]:
    found = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return [Block(*each) for each in found]


def test_every_step_of_the_page_works_as_it_says(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "NO_COLOR": "1"}
    printed = ""
    done = {"sh": 0, "text": 0, "python": 0, "eml": 0}
    for block in blocks():
        if block.what == "toml":
            continue
        done[block.what] += 1
        if block.file:
            (tmp_path / block.file).write_text(block.text)
        elif block.what == "text":
            assert printed.endswith(block.text), f"the page says:\n{block.text}\nprinted was:\n{printed}"
        else:
            run = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block.text],
                cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            printed = run.stdout
            assert run.returncode == 0, f"{block.text}\n{run.stdout}{run.stderr}"

    assert min(done.values()) >= 1, done
    assert done["text"] == 3


def test_the_tests_on_the_page_can_fail(tmp_path: Path) -> None:
    for block in blocks():
        if block.file:
            (tmp_path / Path(block.file).name).write_text(block.text.replace("quarantined\n", "\n"))
    run = subprocess.run(
        [PROGRAMS / "pytest", "-q", tmp_path], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert run.returncode == 1, run.stdout
    assert "1 failed, 2 passed" in run.stdout
