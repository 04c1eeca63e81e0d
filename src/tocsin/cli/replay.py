"""`tocsin replay`: stored alertgroups sent again, or for the first time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import click

from tocsin.cli.folder import present, with_folder
from tocsin.cli.table import moment, plain, print_table

if TYPE_CHECKING:
    from tocsin.app import Hub
    from tocsin.cli.door import Door

PATH = "/api/v2/replay"
EXAMPLES = """\b
Examples:
  tocsin replay --data ./var --to partner --from now-30d --query "severity>=high" --dry-run
  tocsin replay --data ./var --to partner --from now-30d --query "severity>=high" --rate 10/s
  tocsin replay list --data ./var
"""
LOOK_S = 0.5
TELL_S = 5.0

number = click.argument("number", metavar="N", type=click.IntRange(min=1))


class Seen(NamedTuple):
    """A replay as it stands, and how much its lane has to send now and after another attempt."""

    id: int
    to: str
    state: str
    note: str
    waits: str
    cursor: int
    upto: int
    owed: int
    delivered: int
    under_way: int
    to_send: int


class Way(Protocol):
    """To the replay of a running server, or of this process."""

    def look(self) -> Seen:
        """How far it is."""

    def over(self, seen: Seen) -> bool:
        """Whether there is nothing more to follow."""


@click.group(invoke_without_command=True, epilog=EXAMPLES)
@with_folder(required=False)
@click.option("--to", metavar="DEST", help="The destination, by its name in the configuration.")
@click.option("--from", "start", default="", metavar="TIME", help="Received from then on: now-7d, 2026-05-04T12:00Z.")
@click.option("--until", default="", metavar="TIME", help="Received before then.")
@click.option("--query", default="", help="Only what this query means.  [default: everything]")
@click.option("--rate", default="", metavar="N/s", help="At most so many: 50/s, 100/min, 1000/h; 0: no bound.  [50/s]")
@click.option("--again", is_flag=True, help="Also what DEST was delivered already.")
@click.option("--folded", is_flag=True, help="Also repeats that are folded into another alertgroup.")
@click.option("--dry-run", is_flag=True, help="Show how many and three samples, and make nothing.")
@click.pass_context
def replay(
    context: click.Context,
    data: Path | None,
    file: Path | None,
    to: str | None,
    start: str,
    until: str,
    query: str,
    rate: str,
    again: bool,
    folded: bool,
    dry_run: bool,
) -> None:
    """Send stored alertgroups to a destination again, or for the first time.

    Through the gate and into the ledger, as everything that is sent; silences do not hold it back. What DEST has
    already, or is being sent, is left out. The server works on it and goes on after a restart; where none runs, this
    command sends by itself. Interrupted, the server's goes on, and so does the other with the next start of one.
    """
    if context.invoked_subcommand is not None:
        return
    if data is None or not to:
        missing = "--data" if data is None else "--to"
        raise click.UsageError(f"Missing option '{missing}'.", context)
    from tocsin.cli.door import open_door

    wish = {"to": to, "from": start, "until": until, "query": query, "rate": rate, "again": again, "folded": folded}
    with open_door(present(data), file) as door:
        if dry_run:
            _tell(door.ask("POST", f"{PATH}/try", wish))
            return
        id = door.ask("POST", PATH, wish)["id"]
    _follow(data, file, id)


@replay.command("list")
@with_folder()
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
def list_replays(data: Path, file: Path | None, limit: int) -> None:
    """List the replays, newest first."""
    from tocsin.cli.door import open_door

    with open_door(present(data), file) as door:
        found = door.ask("GET", f"{PATH}?limit={limit}")["records"]
    rows = [
        (
            *(each["id"], moment(each["created"]), each["who"], each["to"], each["query"], each["state"]),
            f"{each['cursor']} of {each['upto']}",
            *(each["owed"], each["delivered"] + each["under_way"], each["note"] or each["waits"]),
        )
        for each in found
    ]
    headings = ["id", "begun", "by", "to", "query", "state", "at alertgroup", "owed", "left out", "why"]
    print_table(headings, rows, "Nothing was ever replayed.")


@replay.command()
@with_folder()
@number
def stop(data: Path, file: Path | None, number: int) -> None:
    """Stop a replay. What it has handed to the lane already is sent."""
    from tocsin.cli.door import open_door

    with open_door(present(data), file) as door:
        door.ask("POST", f"{PATH}/{number}/stop")
    click.echo(f"replay {number} is stopped; `tocsin replay resume {number}` lets it go on")


@replay.command()
@with_folder()
@number
def resume(data: Path, file: Path | None, number: int) -> None:
    """Let a replay go on where it was, or follow one that runs."""
    from tocsin.cli.door import open_door

    with open_door(present(data), file) as door:
        door.ask("POST", f"{PATH}/{number}/resume")
    _follow(data, file, number)


def _tell(found: dict[str, Any]) -> None:
    to, more = plain(found["to"]), "at least " if found["more"] else ""
    click.echo(f"{more}{found['matched']:,} {'matches' if found['matched'] == 1 else 'match'}; to {to} would be")
    for kind, what in (("sent", "sent"), ("withheld", "withheld by the gate")):
        click.echo(f"{found[kind]:>9,} {what}")
    click.echo(f"{found['delivered']:>9,} left out: delivered already")
    click.echo(f"{found['under_way']:>9,} left out: on their way")
    for one in found["samples"]:
        click.echo(f"  {one['id']} {moment(one['when'])} {plain(one['subject'])[:80]} ({plain(one['fate'])})")
    if found["waiting"]:
        click.echo("the index is behind: what it has not reached is not counted, and would be waited for", err=True)
    click.echo("nothing was made")


def _follow(data: Path, file: Path | None, id: int) -> None:
    from tocsin.cli.control import running
    from tocsin.errors import TocsinError

    live = running(data) is not None
    try:
        click.echo(f"replay {id} runs in {'the server' if live else 'this command: no server runs'}", err=True)
        with _way(data, file, id, live=live) as way:
            seen = _watch(way)
    except KeyboardInterrupt:
        where = "in the server" if live else "with the next start of the server"
        click.echo(f"replay {id} goes on {where}; `tocsin replay stop {id}` stops it", err=True)
        raise
    if seen.state == "paused":
        raise TocsinError(f"replay {id} is paused: {seen.note}; `tocsin replay resume {id}` lets it go on")
    if seen.state == "stopped":
        raise TocsinError(f"replay {id} was stopped; `tocsin replay resume {id}` lets it go on")
    click.echo(f"replay {id} is done: {_counts(seen)}")
    if seen.to_send:
        click.echo(f"{plain(seen.to)} still has {seen.to_send:,} to send" + ("" if live else ": a server will"))


def _counts(seen: Seen) -> str:
    out = f"{seen.delivered:,} delivered already and {seen.under_way:,} on their way were left out"
    return f"{seen.owed:,} handed to {plain(seen.to)}, {out}"


def _watch(way: Way) -> Seen:
    """Until it is over: a bar where somebody looks on, a line now and then where not."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    shown = sys.stderr.isatty()
    columns = [*Progress.get_default_columns()[:3], TextColumn("{task.fields[said]}", markup=False)]
    told = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as bar:
        task = bar.add_task("replaying", total=None, said="")
        while True:
            seen = way.look()
            if way.over(seen):
                return seen
            said = f"{seen.owed:,} owed, {seen.delivered + seen.under_way:,} left out"
            said += f"; {plain(seen.waits)}" if seen.waits else ""
            bar.update(task, total=seen.upto, completed=seen.cursor, said=said)
            if not shown and time.monotonic() - told > TELL_S:
                told = time.monotonic()
                click.echo(f"replay {seen.id} at alertgroup {seen.cursor:,} of {seen.upto:,}: {said}", err=True)
            time.sleep(LOOK_S)


@contextmanager
def _way(data: Path, file: Path | None, id: int, *, live: bool) -> Iterator[Way]:
    from tocsin.cli.door import open_door

    if live:
        with open_door(data, file) as door:
            yield _Server(door, id)
        return
    from tocsin.app import build, load_config
    from tocsin.cli.logs import set_up

    config = load_config(data, file)
    set_up(config.log)
    hub = build(config, data)
    try:
        yield _Own(hub, id)
    finally:
        hub.stop()


class _Server:
    def __init__(self, door: "Door", id: int) -> None:
        self._door, self._id = door, id

    def look(self) -> Seen:
        found = self._door.ask("GET", f"{PATH}/{self._id}")
        lane = self._door.ask("GET", "/api/v2/lane")["records"]
        to_send = sum(each["due"] + each["sending"] for each in lane if each["name"] == found["to"])
        return Seen(**{name: found[name] for name in Seen._fields if name != "to_send"}, to_send=to_send)

    def over(self, seen: Seen) -> bool:
        return seen.state != "running"


class _Own:
    """Sends by itself, to the replay's destination alone, until nothing is due there."""

    def __init__(self, hub: "Hub", id: int) -> None:
        from tocsin.store import replay as replays

        self._hub, self._id, self._replays = hub, id, replays
        self._lane = hub.store.read(lambda tx: replays.get(tx, id)).wish.lane
        hub.send_alone(self._lane)

    def look(self) -> Seen:
        from tocsin.store import delivery

        known = self._hub.store.read(lambda tx: self._replays.get(tx, self._id))
        lanes = self._hub.store.read(delivery.lanes)
        to_send = sum(each.due + each.sending for each in lanes if each.name == self._lane)
        waits = self._hub.replayer.waits.get(self._id, "")
        said = {name: getattr(known, name) for name in ("id", "state", "note", "cursor", "upto", "owed")}
        left = {"delivered": known.delivered, "under_way": known.under_way}
        return Seen(**said, **left, to=self._lane, waits=waits, to_send=to_send)

    def over(self, seen: Seen) -> bool:
        return seen.state != "running" and not self._hub.busy(self._lane)
