"""`tocsin quarantine`: what was kept but not understood."""

from pathlib import Path
from typing import Any

import click

from tocsin.cli.folder import present, with_folder
from tocsin.cli.table import moment, plain, print_table

ADDRESS = "/api/v2/quarantine"
LONGEST_TEXT = 4000
READ_EXAMPLES = """\b
Examples:
  tocsin quarantine read 17 --data ./var
  tocsin quarantine read 17 18 19 --data ./var --parser splunk
"""

numbers = click.argument("numbers", metavar="N...", type=click.IntRange(min=1), nargs=-1, required=True)


@click.group()
def quarantine() -> None:
    """Look at messages that were not understood, and decide about them.

    A message stands in quarantine when no parser claims it, or the one that does cannot read it. Its bytes are kept.
    """


@quarantine.command("list")
@with_folder()
@click.option("--discarded", is_flag=True, help="List what was discarded instead.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many.")
def list_quarantine(data: Path, file: Path | None, discarded: bool, limit: int) -> None:
    """List the messages in quarantine, newest first, each with the reason."""
    from tocsin.cli.door import open_door

    state = "discarded" if discarded else "quarantined"
    with open_door(present(data), file) as door:
        found = door.ask("GET", f"{ADDRESS}?limit={limit}&state={state}")
    rows = [
        (each["id"], moment(each["when"]), f"{each['source']} {each['sender']}".strip(), each["size"], each["reason"])
        for each in found["records"]
    ]
    empty = "Nothing was discarded." if discarded else "Nothing stands in quarantine."
    print_table(["id", "received", "from", "bytes", "why"], rows, empty)
    if (more := found["totalRecordCount"] - len(rows)) > 0:
        click.echo(f"and {more} older ones", err=True)


@quarantine.command()
@with_folder()
@click.argument("number", metavar="N", type=click.IntRange(min=1))
def show(data: Path, file: Path | None, number: int) -> None:
    """Show a message: why it was not understood, what is in it, and what each parser makes of it."""
    from tocsin.cli.answers import tell
    from tocsin.cli.door import open_door

    with open_door(present(data), file) as door:
        found = door.ask("GET", f"{ADDRESS}/{number}")
    click.echo(f"message {number}, {found['state']}: {plain(found['reason'])}")
    click.echo(f"received {moment(found['when'])} from {plain(found['source'])} {plain(found['sender'])}".rstrip())
    if not found["kept"]:
        click.echo("its bytes are no longer kept: retention removed them")
    if found["preview"]:
        _show_mail(found["preview"])
    for line in found["history"]:
        click.echo(f"{moment(line['when'])} {plain(line['who'])}: {plain(line['what'])}")
    tell(found["answers"])


@quarantine.command(epilog=READ_EXAMPLES)
@with_folder()
@numbers
@click.option("--parser", default="", help="The parser that is to read it.  [default: the one that claims it]")
def read(data: Path, file: Path | None, numbers: tuple[int, ...], parser: str) -> None:
    """Read messages again, after a parser was mended or with one of your choice.

    What is understood becomes alertgroups and is sent on; what is not stays, with the new reason.
    """
    _each(data, file, numbers, "read", {"parser": parser})


@quarantine.command()
@with_folder()
@numbers
def accept(data: Path, file: Path | None, numbers: tuple[int, ...]) -> None:
    """Accept messages as the generic parser reads them; those that even it cannot read as one alert with the text."""
    _each(data, file, numbers, "accept", None)


@quarantine.command(epilog='\b\nExample:\n  tocsin quarantine discard 17 --data ./var --note "an advertisement"')
@with_folder()
@numbers
@click.option("--note", required=True, help="Why; it stays with the message.")
def discard(data: Path, file: Path | None, numbers: tuple[int, ...], note: str) -> None:
    """Take messages out of quarantine for good. The bytes stay, and `tocsin quarantine restore` puts them back."""
    _each(data, file, numbers, "discard", {"note": note})


@quarantine.command()
@with_folder()
@numbers
def restore(data: Path, file: Path | None, numbers: tuple[int, ...]) -> None:
    """Put discarded messages back into quarantine."""
    _each(data, file, numbers, "restore", None)


def _each(data: Path, file: Path | None, numbers: tuple[int, ...], what: str, body: dict[str, str] | None) -> None:
    """Do it for each; exit 1 when any of them still stands in quarantine after being read."""
    from tocsin.cli.door import open_door

    left = 0
    with open_door(present(data), file) as door:
        for number in numbers:
            done = door.ask("POST", f"{ADDRESS}/{number}/{what}", body)
            if done.get("reason"):
                left += 1
                click.echo(f"message {number} stays: {plain(done['reason'])}", err=True)
            elif "alertgroups" in done:
                groups = ", ".join(map(str, done["alertgroups"]))
                click.echo(f"message {number}: alertgroup {groups}, read by {plain(done['parser'])}")
            else:
                click.echo(f"message {number}: {done['state']}")
    if left:
        raise SystemExit(1)


def _show_mail(mail: dict[str, Any]) -> None:
    if mail["reason"]:
        click.echo(f"the mail cannot be opened: {plain(mail['reason'])}")
    for header in mail["headers"]:
        if header["name"].lower() in ("from", "to", "subject", "date", "message-id"):
            click.echo(f"{plain(header['name'])}: {plain(header['value'])}")
    for one in mail["attachments"]:
        click.echo(
            f"attachment {one['number']}: {plain(one['name'])}, {plain(one['media_type'])}, {one['size']:,} bytes"
        )
    if text := mail["text"].strip():
        click.echo()
        for line in text[:LONGEST_TEXT].splitlines():
            click.echo(f"  {plain(line)}")
        click.echo()
