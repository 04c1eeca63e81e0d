"""`tocsin rules`: routes and silences listed, and tried over what is stored before they are switched on."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tocsin.cli.folder import present, with_folder
from tocsin.cli.table import moment, plain, print_table

if TYPE_CHECKING:
    from tocsin.cli.door import Door

EXAMPLES = """\b
Examples:
  tocsin rules try --data ./var 'source:splunk and severity>=high'
  tocsin rules try --data ./var --days 30 tag:scan
  tocsin rules try --data ./var --fold splunk window_h=24 without=run_id,count subject_numbers=false
"""
LISTED = ("by", "without")
FLAGS = {"true": True, "false": False}


@click.group()
def rules() -> None:
    """Which destination gets what, what is silenced, and what either would have meant."""


@rules.command("list")
@with_folder()
@click.option("--over", is_flag=True, help="Also the silences that are over.")
def list_rules(data: Path, file: Path | None, over: bool) -> None:
    """List the routes in the order in which they are asked, then the silences."""
    from tocsin.cli.door import open_door

    with open_door(present(data), file) as door:
        routes = door.ask("GET", "/api/v2/route")["records"]
        silences = door.ask("GET", f"/api/v2/silence{'?over=1' * over}")["records"]
    nothing = "No routes: every destination is owed everything."
    print_table(("id", "route", "query", "to", "every", "last", "state"), map(_route, routes), nothing)
    click.echo()
    headings = ("id", "silence", "query", "to", "from", "until", "again", "state", "held", "owner", "reason")
    print_table(headings, map(_silence, silences), "No silences.")


@rules.command("try", epilog=EXAMPLES)
@with_folder()
@click.argument("words", nargs=-1, metavar="[QUERY | OPTION=VALUE...]")
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="Over the last so many days.")
@click.option(
    "--fold", "label", default=None, metavar="LABEL", help="Try to fold what a source sends again; * is every source."
)
def try_rule(data: Path, file: Path | None, words: tuple[str, ...], days: int, label: str | None) -> None:
    """Say what the query of a route or a silence would have meant, and change nothing.

    With --fold, say what folding repeats would have done; options are those of [repeats.LABEL] in the configuration.
    """
    from tocsin.cli.door import open_door

    options = None if label is None else _options(words)
    with open_door(present(data), file) as door:
        if options is not None:
            _fold(door, {"label": label, "options": options, "days": days})
        else:
            _tell(door.ask("POST", "/api/v2/rule/try", {"query": " ".join(words), "days": days}))


def _route(one: dict[str, Any]) -> Sequence[object]:
    state = "configured" if one["configured"] else "on" if one["active"] else "off"
    to = ", ".join(one["to"]) or "nobody"
    return one["id"], one["name"], one["query"] or "*", to, one["every"] or "at once", "yes" * one["last"], state


def _silence(one: dict[str, Any]) -> Sequence[object]:
    until = moment(one["ends"] if one["ended"] is None else one["ended"])
    return (
        *(one["id"], one["name"], one["query"] or "*", ", ".join(one["to"]) or "all", moment(one["starts"])),
        *(until or "ended by hand", one["recurrence"], one["state"], one["held"], one["owner"], one["reason"]),
    )


def _tell(found: dict[str, Any]) -> None:
    least = "at least " * found["more"]
    click.echo(f"Over the last {_many(found['days'], 'day')}: {least}{_many(found['matched'], 'alertgroup')}")
    counts = f"{found['open']:,} open, {found['closed']:,} closed, {found['promoted']:,} promoted today"
    click.echo(f"  {counts}; {found['folded']:,} folded into others as repeats")
    if found["since_then"]:
        asked = ", ".join(found["since_then"])
        click.echo(f"  as they stand today; when they came, this may have been different: {plain(asked)}")
    _samples(found["samples"], times=False)


def _fold(door: "Door", wanted: dict[str, Any]) -> None:
    from tocsin.errors import TocsinError

    told = _Folding()
    with told.bar:
        door.fetch("POST", "/api/v2/rule/fold", told.take, wanted)
    if told.failed or told.done is None:
        raise TocsinError(told.failed or "the running server broke off: call again")
    found = told.done
    click.echo(
        f"Over the last {_many(found['days'], 'day')}: {_many(found['alertgroups'], 'alertgroup')} of the source"
    )
    click.echo(
        f"  {found['folded']:,} would have been folded into {found['into']:,}; {found['now']:,} are folded today"
    )
    _samples(found["samples"], times=True)


class _Folding:
    """What the server says line by line, and the bar that shows it where somebody looks on."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import MofNCompleteColumn, Progress

        columns = [*Progress.get_default_columns()[:2], MofNCompleteColumn()]
        shown = sys.stderr.isatty()
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown)
        self._task = self.bar.add_task("reading", total=None)
        self._rest = b""
        self.done: dict[str, Any] | None = None
        self.failed = ""

    def take(self, piece: bytes) -> None:
        """Some bytes of the answer."""
        import msgspec

        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            told = msgspec.json.decode(line)
            if at := told.get("progress"):
                self.bar.update(self._task, total=at["total"], completed=at["read"])
            self.done = told.get("done", self.done)
            self.failed = told.get("error_msg", self.failed)


def _samples(samples: Sequence[dict[str, Any]], *, times: bool) -> None:
    if not samples:
        return
    click.echo()
    rows = [
        (one["id"], moment(one["when"]), one["times"] if times else one["status"], one["subject"]) for one in samples
    ]
    print_table(("id", "received", "times" if times else "status", "subject"), rows, "")


def _options(words: Sequence[str]) -> dict[str, Any]:
    """`window_h=24 by=source,subject` as the configuration has it. Raises click.UsageError."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"with --fold, write options as NAME=VALUE, such as window_h=24; got {word!r}")
        if name in LISTED:
            found[name] = [part.strip() for part in value.split(",") if part.strip()]
        else:
            found[name] = FLAGS.get(value.lower(), value)
    return found


def _many(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
