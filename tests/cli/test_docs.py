"""The reference page is made from the code and current."""

from pathlib import Path

import pytest

from tocsin.cli import main
from tocsin.cli.reference import page
from tocsin.config import Config, Section
from tocsin.registry import OURS, find

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def reference(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main(["docs", "reference", *arguments])
    return ended.value.code


def test_the_page_in_the_documentation_is_current() -> None:
    assert reference("--check", "--out", str(PAGE)) == 0


def test_a_page_that_is_not_current_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = tmp_path / "old.md"
    old.write_text("# Configuration\n")

    assert reference("--check", "--out", str(old)) == 1
    assert "is not current; make it so" in capsys.readouterr().err
    assert reference("--out", str(old)) == 0
    assert reference("--check", "--out", str(old)) == 0


def test_every_option_of_every_section_and_plug_in_has_its_line() -> None:
    shown = page()

    for name, section in Config.model_fields.items():
        if isinstance(section.annotation, type) and issubclass(section.annotation, Section):
            assert f"## `[{name}]`" in shown
            assert not [option for option in section.annotation.model_fields if f"| `{option}` |" not in shown]
    for found in find().found():
        if found.origin == OURS:
            kind = shown.partition(f"\n## {found.kind.table.title()}\n")[2].partition("\n## ")[0]
            part = kind.partition(f'### `type = "{found.name}"`')[2].partition("\n### ")[0]
            assert part, f"{found.kind} {found.name} has no part of its own"
            assert not [option for option in found.plugin.model_fields if f"| `{option}` |" not in part]


def test_types_defaults_and_bounds_are_told() -> None:
    shown = page()

    assert "| `port` | whole number | `8417` | at least 0, at most 65535 | Port to listen on" in shown
    assert '| `url` | secret | `"sqlite"` |' in shown
    assert '| `level` | `"debug"`, `"info"`, `"warning"`, `"error"` | `"info"` |' in shown
    assert "| `url` | secret | **required** |" in shown
