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
  tocsin rules try --data ./var --days 30 --accumulate slips threshold=10 weights=low:0.3,medium:0.6
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
@click.option(
    "--accumulate", "name", default=None, metavar="NAME", help="Try to gather evidence by a rule, or by a new one."
)
def try_rule(
    data: Path, file: Path | None, words: tuple[str, ...], days: int, label: str | None, name: str | None
) -> None:
    """Say what the query of a route or a silence would have meant, and change nothing.

    With --fold, say what folding repeats would have done; options are those of [repeats.LABEL] in the configuration.
    With --accumulate, say what gathering evidence would have raised; options are those of [accumulate.NAME], and stand
    in the place of its own.
    """
    from tocsin.cli.door import open_door

    if label is not None and name is not None:
        raise click.UsageError("--fold and --accumulate are two things to try: give one of them.")
    options = None if label is None and name is None else _options(words, "--fold" if name is None else "--accumulate")
    with open_door(present(data), file) as door:
        if options is not None and name is not None:
            _gather(door, {"name": name, "options": options, "days": days})
        elif options is not None:
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
    found = _told(door, "/api/v2/rule/fold", wanted)
    click.echo(
        f"Over the last {_many(found['days'], 'day')}: {_many(found['alertgroups'], 'alertgroup')} of the source"
    )
    click.echo(
        f"  {found['folded']:,} would have been folded into {found['into']:,}; {found['now']:,} are folded today"
    )
    _samples(found["samples"], times=True)


def _gather(door: "Door", wanted: dict[str, Any]) -> None:
    found = _told(door, "/api/v2/rule/accumulate", wanted)
    click.echo(f"Over the last {_many(found['days'], 'day')}: {_many(found['evidence'], 'alertgroup')} of evidence")
    pieces = _many(found["pieces"], "alert")
    click.echo(f"  {pieces} in it weigh something; {found['threshold']:g} against one address in a window is enough")
    if found["unknown"]:
        click.echo(
            f"  {_many(found['unknown'], 'alertgroup')} more would not be gathered: no source address or severity"
        )
    click.echo(f"  {_many(found['raised'], 'alertgroup')} would have been raised")
    _heaps("Raised, the newest first:", found["samples"])
    _heaps("Not enough, the fullest first:", found["fullest"])


def _heaps(heading: str, heaps: Sequence[dict[str, Any]]) -> None:
    if not heaps:
        return
    click.echo(f"\n{heading}")
    rows = [
        (one["source"], moment(one["begun"]), moment(one["ended"]), f"{one['weight']:.6g}", one["pieces"],
         f"{one['first']}-{one['last']}")
        for one in heaps
    ]  # fmt: skip
    print_table(("source", "from", "until", "weight", "alerts", "alertgroups"), rows, "")


def _told(door: "Door", path: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """What comes of a rehearsal, with a bar where somebody looks on."""
    from tocsin.errors import TocsinError

    told = _Trying()
    with told.bar:
        door.fetch("POST", path, told.take, wanted)
    if told.failed or told.done is None:
        raise TocsinError(told.failed or "the running server broke off: call again")
    return told.done


class _Trying:
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


def _options(words: Sequence[str], flag: str) -> dict[str, Any]:
    """`window_h=24 by=source,subject weights=low:0.3` as the configuration has it. Raises click.UsageError."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"with {flag}, write options as NAME=VALUE, such as window_h=24; got {word!r}")
        if name == "weights":
            found[name] = dict(part.split(":", 1) for part in value.split(",") if ":" in part)
        elif name in LISTED and flag == "--fold":
            found[name] = [part.strip() for part in value.split(",") if part.strip()]
        else:
            found[name] = FLAGS.get(value.lower(), value)
    return found


def _many(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
