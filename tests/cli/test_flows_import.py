"""Flows from the command line: what came of each file, what was kept aside, and clear words for what cannot be."""

import re
import sys
from pathlib import Path

import pytest

from neighbours.imported import SAMPLES
from tocsin.cli import main

BROKEN = "#separator \\x09\n#path\tweird\n#fields\tts\tuid\tname\tnotice\n1.5\tC1\ta\tF\n1.5\tC2\nx\x1b[2J\tC3\ta\tF\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[object, str, str]:
    """Exit code, standard output and standard error of `tocsin flows …`; runs of spaces are one."""
    with pytest.raises(SystemExit) as left:
        main(["flows", *map(str, arguments)])
    out, err = capsys.readouterr()
    return left.value.code, re.sub(" +", " ", out), err


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with a log, one with broken lines, one of another kind, and a text."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "conn.log").write_bytes((SAMPLES / "zeek-tab" / "conn.log").read_bytes())
    (folder / "weird.log").write_text(BROKEN)
    (folder / "x509.log").write_text("#separator \\x09\n#path\tx509\n#fields\tts\tid\n1.5\tF1\n")
    (folder / "notes").write_text("notes\n")
    return folder


def test_an_import_says_what_came_of_each_file(capsys: pytest.CaptureFixture[str], logs: Path, data: Path) -> None:
    code, out, err = run(capsys, "import", logs, "--data", data)

    assert code == 0
    assert f"{logs}/conn.log zeek conn 1 3 0 9" in out
    assert f"{logs}/weird.log zeek weird 2 1 2 3" in out
    assert err.splitlines() == ["left out: 1 file, no form that is read", "left out: 1 file, zeek x509"]

    again, out, _ = run(capsys, "import", logs, "--data", data)
    assert again == 0
    assert out.count("nothing new") == 2


def test_what_was_imported_and_what_was_kept_aside_is_listed(
    capsys: pytest.CaptureFixture[str], logs: Path, data: Path
) -> None:
    data.mkdir()
    assert run(capsys, "list", "--data", data)[1] == "Nothing was imported.\n"
    assert run(capsys, "malformed", "--data", data)[1] == "Every line was read.\n"
    run(capsys, "import", logs, "--data", data)

    _, listed, _ = run(capsys, "list", "--data", data)
    assert f"{logs}/conn.log zeek conn 0 {(logs / 'conn.log').stat().st_size} 3 0" in listed
    for arguments in ((), (2,)):
        _, aside, more = run(capsys, "malformed", *arguments, "--data", data)
        assert f"2 {logs}/weird.log 5 2 fields instead of 4 1.5�C2" in aside
        assert f"2 {logs}/weird.log 6 ts is not a time: x�[2J x�[2J�C3�a�F" in aside
        assert more == ""
    assert run(capsys, "malformed", "--limit", 1, "--data", data)[2] == "and 1 more\n"
    assert run(capsys, "malformed", 1, "--data", data)[1] == "Every line was read.\n"
    code, _, err = run(capsys, "malformed", 7, "--data", data)
    assert (code, err) == (1, "tocsin: there is no import 7; `tocsin flows list` shows them\n")


def test_what_cannot_be_imported_is_said_in_a_line(
    capsys: pytest.CaptureFixture[str], logs: Path, data: Path, tmp_path: Path
) -> None:
    code, _, err = run(capsys, "import", logs / "notes", "--data", data)
    assert code == 1
    assert err.endswith(f"tocsin: no flows in {logs}/notes\n")

    code, _, err = run(capsys, "import", tmp_path / "nowhere", "--data", data)
    assert code == 2
    assert "does not exist" in err

    torn = tmp_path / "conn.log.gz"
    torn.write_bytes(b"\x1f\x8b\x08")
    code, out, err = run(capsys, "import", torn, logs, "--data", data)
    assert code == 1
    assert f"tocsin: {torn} is broken, or not written to its end" in err
    assert f"{logs}/conn.log zeek conn 1 3" in out

    code, _, err = run(capsys, "import", logs, "--zone", "Mars/Olympus", "--data", data)
    assert (code, err) == (1, "tocsin: there is no time zone 'Mars/Olympus'; write one like Europe/Prague\n")


def test_without_the_extra_a_command_names_it(
    capsys: pytest.CaptureFixture[str], logs: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)

    code, _, err = run(capsys, "import", logs, "--data", data)

    assert (code, err) == (1, "tocsin: flows need DuckDB: pip install 'tocsin[flows]'\n")


def test_a_configuration_that_is_wrong_is_said(capsys: pytest.CaptureFixture[str], logs: Path, data: Path) -> None:
    data.mkdir()
    (data / "tocsin.toml").write_text('[flows]\nzone = "Mars/Olympus"\n')

    code, _, err = run(capsys, "import", logs, "--data", data)

    assert code == 1
    assert "must be the name of a time zone" in err
