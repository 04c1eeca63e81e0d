"""`tocsin migrate scot`: SCOT's mail settings as sources, and its alertgroups with what was decided about them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from tocsin.cli.folder import made, with_folder
from tocsin.cli.table import plain
from tocsin.errors import Malformed, TocsinError

if TYPE_CHECKING:
    from tocsin.cli.door import Door
    from tocsin.cli.migrate.scot_api import Scot
    from tocsin.cli.migrate.scot_take import Place

LARGEST = 1024 * 1024
"""Bytes of a configuration file."""

EXAMPLES = """\b
Examples:
  tocsin migrate scot /opt/scot/etc/alert.cfg.pl --to ./var/tocsin.toml
  tocsin migrate scot --data ./var --url https://scot.example --key-file scot.key
"""


@click.command(epilog=EXAMPLES)
@click.argument("files", metavar="[FILE.cfg.pl]…", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@with_folder(required=False)
@click.option(
    "--to", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="A new file.  [default: print it]"
)
@click.option("--url", metavar="URL", help="SCOT's address; its alertgroups are carried over.")
@click.option("--key", metavar="KEY", envvar="SCOT_KEY", show_envvar=True, help="An active API key of SCOT.")
@click.option("--key-file", type=click.File("r"), help="A file that holds it, so that nobody sees it in a list.")
@click.option("--ca-file", type=click.Path(dir_okay=False, path_type=Path), help="Certificates to trust (PEM).")
@click.option("--send", is_flag=True, help="Send what is carried over to destinations, as if it came new.")
@click.option("--again", is_flag=True, help="From the first one on, not from where the last call came to.")
@click.option("--leave-out", metavar="N", type=click.IntRange(min=1), multiple=True, help="Not this one of SCOT's.")
def scot(
    files: tuple[Path, ...],
    data: Path | None,
    file: Path | None,
    to: Path | None,
    url: str | None,
    key: str | None,
    key_file: TextIO | None,
    ca_file: Path | None,
    send: bool,
    again: bool,
    leave_out: tuple[int, ...],
) -> None:
    """Take over from SCOT 3: its mailboxes, its alertgroups, or both.

    FILE is alert.cfg.pl or inbox.cfg.pl. Its mail settings become sources in a tocsin.toml, every key in a comment with
    what became of it. The Perl in it is read and never run.

    With --url every alertgroup that the key may see is handed in, by id, with its rows, message id, time, traffic light
    and sources; then status, tags and owner are set. Nobody's view is counted there. Nothing of it is sent unless
    --send is given: a silence holds it back. Interrupted, the next call goes on; what is there already is known again.
    """
    if not files and not url:
        raise click.UsageError("Give configuration files of SCOT, --url, or both.")
    if url and data is None:
        raise click.UsageError("--url needs --data, where to.")
    given = (key_file.read() if key_file else key or "").strip()
    if url and not given:
        raise click.UsageError("--url needs --key or --key-file.")
    if files:
        _mailboxes(files, to)
    if url and data is not None:
        _alertgroups(data, file, url, given, ca_file, leave_out, send=send, again=again)


def _mailboxes(files: Sequence[Path], to: Path | None) -> None:
    from tocsin.cli.migrate.written import written

    text = sources_of(files, to)
    if to is None:
        click.echo(text, nl=False)
        return
    written(text, to)
    click.echo(f"{to} is written; `tocsin config check --config {to}` looks at it again")


def sources_of(files: Sequence[Path], to: Path | None) -> str:
    """The text of the `tocsin.toml`. Raises Malformed, naming file and line; OSError."""
    from tocsin.cli.migrate.perl import hashes
    from tocsin.cli.migrate.scot_mail import Mailboxes, says_of_mail
    from tocsin.cli.migrate.written import checked, text_of

    boxes = Mailboxes()
    for path in files:
        with path.open("rb") as opened:
            body = opened.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise Malformed(f"{path} is larger than 1 MiB: that is no configuration of SCOT")
        try:
            found = list(hashes(body.decode("utf-8", "replace")))
        except Malformed as error:
            raise Malformed(f"{path}, {error}") from None
        if not found:
            raise Malformed(f"{path} holds no hash: is it the alert.cfg.pl or inbox.cfg.pl of SCOT?")
        boxes.read(next((each for each in found if says_of_mail(each)), found[0]))
    tables = checked(boxes.tables, (to or Path("tocsin.toml")).resolve().parent)
    head = [f"Made of {' and '.join(plain(path) for path in files)} by `tocsin migrate scot`.", ""]
    head += ["Environment variables (scot_app_mail_…) that went before these files in SCOT are not known here."]
    return text_of(head, boxes.became, tables)


def _alertgroups(
    data: Path,
    file: Path | None,
    url: str,
    key: str,
    ca_file: Path | None,
    leave_out: Sequence[int],
    *,
    send: bool,
    again: bool,
) -> None:
    from tocsin.cli.door import open_door
    from tocsin.cli.migrate.scot_api import Scot
    from tocsin.cli.migrate.scot_take import Place, heard, silenced

    scot = Scot(url, key, ca_file)
    place = Place(made(data), scot.url)
    if again:
        place.keep(0)
    try:
        with open_door(data, file) as door:
            silence = 0 if send else silenced(door)
            _carried(door, scot, place, leave_out)
            if silence:
                heard(door, silence)
    finally:
        scot.close()


def _carried(door: "Door", scot: "Scot", place: "Place", leave_out: Sequence[int]) -> None:
    """All that is left, under a bar where somebody looks on."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    from tocsin.cli.migrate.scot_take import Taken, carry

    counts = {"stored": 0, "in quarantine": 0}
    columns = [*Progress.get_default_columns(), MofNCompleteColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("carrying over", total=scot.count(place.last))

        def tell(taken: Taken) -> None:
            counts["in quarantine" if taken.quarantined else "stored"] += 1
            if taken.quarantined:
                click.echo(f"alertgroup {taken.scot} of SCOT is in quarantine: {plain(taken.quarantined)}")
            bar.advance(task)

        try:
            carry(door, scot, place, leave_out, tell)
        except KeyboardInterrupt:
            click.echo(f"stopped behind alertgroup {place.last} of SCOT: call again to go on", err=True)
            raise
        except TocsinError:
            click.echo(f"{counts['stored']:,} alertgroups are stored; SCOT was read up to {place.last}", err=True)
            raise
    more = f", {counts['in quarantine']:,} in quarantine" if counts["in quarantine"] else ""
    click.echo(f"{counts['stored']:,} alertgroups are stored{more}; SCOT was read up to alertgroup {place.last}")
