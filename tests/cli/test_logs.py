"""The log names what went wrong, and never the values at hand: those may be secrets."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import structlog
from tocsin.cli.logs import set_up
from tocsin.config import LogSection
set_up(LogSection(format={format!r}))
def fails(password):
    raise ValueError("it broke")
try:
    fails("hunter2-secret")
except ValueError:
    structlog.get_logger().exception("a thing failed", source="rest")
"""


@pytest.mark.parametrize("kind", ["json", "text"])
def test_a_trace_names_the_place_and_no_value(kind: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(format=kind)], capture_output=True, text=True, check=True, timeout=60
    )

    assert "it broke" in ran.stderr
    assert "fails" in ran.stderr
    assert '"hunter2' not in ran.stderr.replace('fails("hunter2-secret")', "")


def test_a_line_is_json_where_no_terminal_is() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(format="auto")], capture_output=True, text=True, check=True, timeout=60
    )

    line = json.loads(ran.stderr.splitlines()[0])
    assert (line["event"], line["source"], line["level"]) == ("a thing failed", "rest", "error")
    assert "hunter2" not in ran.stderr
