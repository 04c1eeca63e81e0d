"""The command line as a whole: help worth reading, exit codes, no trace for operators, quick to start."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from neighbours.server import TOCSIN
from tocsin import __version__
from tocsin.cli.group import tocsin


def every_command(command: click.Command = tocsin, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from every_command(below, (*path, name))


def run(*arguments: str, code: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with `code` run before it if there is any."""
    command = [TOCSIN, *arguments]
    if code:
        command = [sys.executable, "-c", f"{code}\nfrom tocsin.cli import main; main()", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**clean, **environment},
    )


def test_there_are_the_commands_that_are_promised() -> None:
    promised = {
        *("serve", "key create", "key list", "key revoke", "user add", "user passwd", "user list", "user disable"),
        *("plugins", "doctor", "backup", "restore", "config check", "docs reference", "completion"),
    }

    assert promised <= {" ".join(path) for path in every_command()}


@pytest.mark.parametrize("path", list(every_command()), ids=" ".join)
def test_every_command_explains_itself_and_its_options(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(tocsin, [*path, "--help"])

    assert shown.exit_code == 0
    command: click.Command = tocsin
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    assert command.help
    silent = [option.name for option in command.params if isinstance(option, click.Option) and not option.help]
    assert not silent


def test_every_command_that_works_on_data_takes_the_folder_from_the_environment() -> None:
    without = {("docs", "reference"), ("completion",), ("migrate", "slips")}
    for path in every_command():
        shown = CliRunner().invoke(tocsin, [*path, "--help"]).output
        if path and path not in without and "Commands:" not in shown:
            assert "TOCSIN_DATA" in shown, path


def test_the_version_is_told() -> None:
    assert run("--version").stdout == f"tocsin {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["key", "create"],
        ["key", "create", "--data", "d", "--name", "n", "--role", "king"],
        ["key", "create", "--data", "d", "--name", "n", "--role", "sender", "--expires", "-1"],
        ["serve", "--data", "d", "--port", "70000"],
        ["user", "add", "kim", "--data", "d", "--role", "viewer", "--password", "in sight of everybody"],
        ["doctor"],
    ],
)
def test_what_is_not_understood_exits_2(arguments: list[str]) -> None:
    done = run(*arguments)

    assert done.returncode == 2
    assert "Usage: tocsin" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_cannot_be_done_is_one_line_and_exits_1(tmp_path: Path) -> None:
    done = run("key", "list", "--data", str(tmp_path / "nowhere"))

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("tocsin: there is no data folder ")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "nowhere").exists()


def test_what_the_system_refuses_is_one_line_and_exits_1() -> None:
    done = run("serve", "--data", "/proc/nowhere")

    assert done.returncode == 1
    assert done.stderr.startswith("tocsin: /proc/nowhere: ")
    assert len(done.stderr.splitlines()) == 1


def test_what_nobody_foresaw_is_one_line_that_names_a_file_with_the_trace(tmp_path: Path) -> None:
    code = "import tocsin.config\ndef read(*a): raise ZeroDivisionError('oh')\ntocsin.config.read = read"

    done = run("config", "check", "--data", str(tmp_path), code=code)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "something unforeseen happened (ZeroDivisionError)" in done.stderr
    [crash] = tmp_path.glob("crash-*.txt")
    assert str(crash) in done.stderr
    assert "in read\nZeroDivisionError: oh" in crash.read_text()
    assert stat.S_IMODE(crash.stat().st_mode) == 0o600


def test_an_interrupted_command_leaves_no_trace_on_the_screen(tmp_path: Path) -> None:
    code = "import tocsin.config\ndef read(*a): raise KeyboardInterrupt\ntocsin.config.read = read"

    done = run("config", "check", "--data", str(tmp_path), code=code)

    assert (done.returncode, done.stderr.strip()) == (130, "tocsin: stopped")


def test_help_and_version_load_neither_the_server_nor_the_store() -> None:
    code = "import atexit, sys; atexit.register(lambda: print(sorted(sys.modules)))"

    loaded = run("--help", code=code).stdout

    assert "'tocsin.cli.serve'" in loaded
    assert not [name for name in ("uvicorn", "starlette", "apsw", "psycopg", "httpx2") if f"'{name}'" in loaded]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_a_completion_script(shell: str) -> None:
    assert "_TOCSIN_COMPLETE" in run("completion", shell).stdout


def test_completion_completes_commands() -> None:
    done = run("key", "", _TOCSIN_COMPLETE="bash_complete", COMP_WORDS="tocsin key cr", COMP_CWORD="2")

    assert "create" in done.stdout
