"""`tocsin lane`: the queues of the destinations."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from tocsin.cli.folder import present, with_folder
from tocsin.cli.table import moment, plain, print_table

ADDRESS = "/api/v2/lane"
RETRY_EXAMPLES = """\b
Examples:
  tocsin lane retry soc_chat 17 18 --data ./var
  tocsin lane retry soc_chat --all --data ./var
"""
DRAIN_EXAMPLES = """\b
Examples:
  tocsin lane drain soc_chat --to owed.jsonl --data ./var
  tocsin lane drain soc_chat --to parked.jsonl --parked --data ./var

The lines are first written to a file in the data folder, and each delivery is settled once its line is on disk there.
That file is then copied to FILE and removed. Whatever breaks off in between, the same command goes on where it ended;
nothing is lost, and a line may stand twice.
"""

name_argument = click.argument("name")


@click.group()
def lane() -> None:
    """See how each destination fares, and do something about it.

    Every destination has a lane, a queue of its own. What cannot be sent waits in it and is tried again; what the
    destination refuses is parked, for a person to send again, drop or drain to a file.
    """


@lane.command("list")
@with_folder()
def list_lanes(data: Path, file: Path | None) -> None:
    """List the lanes: state, how many wait and are parked, last success and last error."""
    from tocsin.cli.door import open_door

    with open_door(present(data), file) as door:
        found = door.ask("GET", ADDRESS)["records"]
        live = door.live
    rows = [
        (
            *(one["name"], _state(one, live), one["due"] + one["sending"], moment(one["oldest"])),
            *(one["failed"], one["delivered"], moment(one["last_success"]), one["last_error"]),
        )
        for one in found
    ]
    headings = ["lane", "state", "waiting", "oldest", "parked", "delivered", "last success", "last error"]
    print_table(headings, rows, "No destination is configured.")


def _state(one: dict[str, Any], live: bool) -> str:
    if not live and not one["paused"] and one["configured"]:
        return "no server runs"
    words = {"resting": "until", "hung": "since"}.get(one["state"])
    return f"{one['state']} {words} {moment(one['until'])}" if words else str(one["state"])


@lane.command()
@with_folder()
@name_argument
def pause(data: Path, file: Path | None, name: str) -> None:
    """Hold a lane. What it is owed waits, also across restarts, until you resume it."""
    _hold(data, file, name, paused=True)


@lane.command()
@with_folder()
@name_argument
def resume(data: Path, file: Path | None, name: str) -> None:
    """Let a paused lane go on."""
    _hold(data, file, name, paused=False)


def _hold(data: Path, file: Path | None, name: str, *, paused: bool) -> None:
    from tocsin.cli.door import open_door

    with open_door(present(data), file) as door:
        done = door.ask("PUT", _at(name), {"paused": paused})
    waiting = done["due"] + done["sending"]
    click.echo(f"{plain(name)} is {'paused' if done['paused'] else 'not paused'}, {waiting:,} wait")


@lane.command()
@with_folder()
@name_argument
@click.option(
    "--timeout", type=click.FloatRange(1, 50), default=20, show_default=True, help="Seconds to wait for the answer."
)
def test(data: Path, file: Path | None, name: str, timeout: float) -> None:
    """Send a marked test alertgroup, past everything that waits, and print the destination's answer.

    Its subject begins "Tocsin test", it is TLP CLEAR and about nobody. It passes the gate like any other; the ledger
    does not know of it. Exit code 1 when it did not arrive.
    """
    from tocsin.cli.door import open_door

    with open_door(present(data), file) as door:
        said = door.ask("POST", f"{_at(name)}/test", {"timeout_s": timeout})
    remote = f" (its id there: {plain(said['remote_id'])})" if said["remote_id"] else ""
    click.echo(f"{said['outcome']}, {said['took_ms']:.0f} ms: {plain(said['detail']) or 'no further words'}{remote}")
    if said["outcome"] != "delivered":
        raise SystemExit(1)


def _decision(what: str, words: str, epilog: str) -> click.Command:
    @with_folder()
    @name_argument
    @click.argument("numbers", metavar="[N]...", type=click.IntRange(min=1), nargs=-1)
    @click.option("--all", "everything", is_flag=True, help="All that are parked in the lane.")
    def decide(data: Path, file: Path | None, name: str, numbers: tuple[int, ...], everything: bool) -> None:
        from tocsin.cli.door import open_door

        if bool(numbers) == everything:
            raise click.UsageError("Give numbers of deliveries, or --all.")
        with open_door(present(data), file) as door:
            if everything:
                done = door.ask("POST", f"{_at(name)}/{what}", {})
            else:
                door.ask("GET", _at(name))
                done = door.ask("POST", f"/api/v2/delivery/{what}", {"ids": list(numbers)})
        click.echo(f"{done['changed']:,} {'sent again' if what == 'retry' else 'dropped'}")

    return lane.command(what, help=words, epilog=epilog)(decide)


retry = _decision("retry", "Send parked deliveries again, by number or all of the lane.", RETRY_EXAMPLES)
drop = _decision(
    "drop",
    "Give up parked deliveries, by number or all of the lane. They stay in the ledger as dropped.",
    RETRY_EXAMPLES.replace("retry", "drop"),
)


@lane.command()
@with_folder()
@name_argument
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many.")
def parked(data: Path, file: Path | None, name: str, limit: int) -> None:
    """List what is parked in a lane, newest first, each with the last answer."""
    from tocsin.cli.door import open_door

    with open_door(present(data), file) as door:
        found = door.ask("GET", f"{_at(name)}/failed?limit={limit}")
    rows = [
        (one["id"], one["alertgroup"], one["attempt"], moment(one["settled"]), (one["receipts"] or [{}])[-1]["detail"])
        for one in found["records"]
    ]
    print_table(["delivery", "alertgroup", "attempts", "parked", "last answer"], rows, "Nothing is parked.")
    if (more := found["totalRecordCount"] - len(rows)) > 0:
        click.echo(f"and {more:,} older ones", err=True)


@lane.command(epilog=DRAIN_EXAMPLES)
@with_folder()
@name_argument
@click.option(
    "--to", "target", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file; not yet there."
)
@click.option("--parked", "parked_only", is_flag=True, help="What is parked, instead of what waits to be sent.")
def drain(data: Path, file: Path | None, name: str, target: Path, parked_only: bool) -> None:
    """Empty a lane into a file of JSON lines.

    What the destination would have been given is written, behind the gate: withheld alertgroups are not in the file.
    Each line's delivery is settled as delivered, with a receipt that says where it went.
    """
    from tocsin.cli.door import open_door

    if target.exists():
        raise click.UsageError(f"{target} is there already: choose another file.")
    withheld = 0
    with open_door(present(data), file) as door:
        more = True
        while more:
            done = door.ask("POST", f"{_at(name)}/drain", {"parked": parked_only})
            more, withheld = done["more"], withheld + done["withheld"]
        if not done["size"]:
            click.echo("There was nothing to drain.")
            return
        part = target.with_name(f"{target.name}.part")
        lines = 0
        with part.open("wb") as out:

            def take(piece: bytes) -> None:
                nonlocal lines
                lines += piece.count(b"\n")
                out.write(piece)

            door.fetch("GET", f"{_at(name)}/drained", take)
            out.flush()
            os.fsync(out.fileno())
            size = out.tell()
        part.rename(target)
        _synced(target.absolute().parent)
        door.ask("DELETE", f"{_at(name)}/drained?size={size}")
    click.echo(f"{lines:,} {'line' if lines == 1 else 'lines'} in {target}")
    if withheld:
        click.echo(f"{withheld:,} withheld by the gate", err=True)


def _synced(folder: Path) -> None:
    """See a new name in the folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _at(name: str) -> str:
    return f"{ADDRESS}/{quote(name, safe='')}"
