"""`tocsin mail`: mail out of files, out of mbox files, and from a mail server's pipe."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import click

from tocsin.cli.folder import made, with_folder
from tocsin.cli.table import plain

TRY_AGAIN_LATER = 75
"""EX_TEMPFAIL of sysexits.h: a mail server keeps the mail and brings it again."""
SEPARATOR = re.compile(rb"From \S+.* \d\d:\d\d.*[ +-]\d{4}\s*")
"""The line between the mails of an mbox file (RFC 4155): sender and time."""

EXAMPLES = """\b
Examples:
  tocsin mail --data ./var alert.eml more.mbox
  tocsin mail --data ./var --dry-run alert.eml
\b
From Postfix, in /etc/aliases, with a folder that the user nobody may write:
  alerts: "|/usr/bin/tocsin mail --data /var/lib/tocsin -"
\b
Exit codes: 0 everything is stored or stands in quarantine, 75 something is not and should be brought again,
2 the command line was not understood.
"""


@click.command(epilog=EXAMPLES)
@with_folder()
@click.argument("files", metavar="FILE…|-", nargs=-1, required=True, type=click.File("rb", lazy=True))
@click.option("--source", default="mail", show_default=True, metavar="NAME", help="The name under which it is kept.")
@click.option("--dry-run", is_flag=True, help="Only say what would come of it; nothing is stored.")
def mail(data: Path, file: Path | None, files: tuple[BinaryIO, ...], source: str, dry_run: bool) -> None:
    """Hand over mail: each FILE is a mail as it was sent, or an mbox file of many; - is one mail on standard input.

    What no parser understands stands in quarantine. The same mail handed over again is stored once.
    """
    from tocsin.cli.door import open_door
    from tocsin.errors import TocsinError

    path = f"/api/v2/mail?source={quote(source, safe='')}{'&dry_run=true' if dry_run else ''}"
    try:
        with open_door(made(data), file) as door:
            for opened in files:
                for number, raw in enumerate(mails(opened), 1):
                    name = plain(opened.name) if opened.name != "<stdin>" else "-"
                    say(f"{name}:{number}", door.hand_over(path, raw, "message/rfc822"), dry_run=dry_run)
    except TocsinError as error:
        click.echo(f"tocsin: not everything was taken: {error}", err=True)
        sys.exit(TRY_AGAIN_LATER)
    except OSError as error:
        click.echo(f"tocsin: {error.filename or 'the system'}: {error.strerror or error}", err=True)
        sys.exit(TRY_AGAIN_LATER)


def mails(opened: BinaryIO) -> Iterator[bytes]:
    """The mails of a file: one, unless it is an mbox file. Standard input is one mail in any case.

    A mail server may put the line of an mbox before a mail it pipes, and does not mark lines in it that look like one.
    """
    from tocsin.kit.envelope import without_envelope_line

    first = opened.readline()
    if opened.name == "<stdin>" or not SEPARATOR.fullmatch(first):
        yield without_envelope_line(first + opened.read())
        return
    yield from parted(opened)


def parted(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The mails between the separators that stand after an empty line."""
    held: list[bytes] = []
    empty = False
    for line in lines:
        if empty and SEPARATOR.fullmatch(line):
            yield b"".join(held[:-1])
            held = []
        else:
            held.append(line)
        empty = line in (b"\n", b"\r\n")
    yield b"".join(held[:-1] if empty and len(held) > 1 else held)


def say(name: str, answer: dict[str, Any], *, dry_run: bool) -> None:
    """Print what came of a mail, or would."""
    from tocsin.cli.answers import tell

    if not dry_run:
        before = "was there already: " if answer["repeated"] else ""
        groups = ", ".join(f"alertgroup {number}" for number in answer["alertgroups"])
        became = groups or f"in quarantine as message {answer['message']}: {plain(answer['quarantined'])}"
        click.echo(f"{name}: {before}{became}")
    elif answer["claims"]:
        click.echo(f"{name}: ", nl=False)
        tell([answer])
    else:
        click.echo(f"{name}: would stand in quarantine: {plain(answer['reason'])}")
