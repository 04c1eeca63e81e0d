"""`tocsin flows import`, `list` and `malformed`: what logs of sensors become, and what of them could not be read."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tocsin.cli.flows import configured
from tocsin.cli.folder import made, present, with_folder
from tocsin.cli.table import moment, plain, print_table

if TYPE_CHECKING:
    from tocsin.flows.importing import Outcome, Progress

EXAMPLES = """\b
Examples:
  tocsin flows import /opt/zeek/logs/2026-11-22 --data ./var
  tocsin flows import conn.log.labeled eve.json.gz --data ./var
"""
MALFORMED_EXAMPLES = """\b
Examples:
  tocsin flows malformed --data ./var
  tocsin flows malformed 17 --data ./var
"""
MILLION = 1_000_000


@click.command("import", epilog=EXAMPLES)
@with_folder()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--zone", help="Time zone of times that do not say theirs (Argus, nfdump).  [default: as configured, UTC]"
)
def import_(data: Path, file: Path | None, paths: tuple[Path, ...], zone: str | None) -> None:
    """Read flows from files and folders: Zeek, Suricata EVE, Argus, nfdump, pcap.

    What a file is, its content says, not its name; it may be compressed with gzip. A content is read once, under
    whatever name; of one that grew, what is new. Lines that cannot be read are kept aside, and the rest goes on.
    Suricata's alert events become alerts as well. With export_labeled_flows in the configuration, labelled flows are
    written at the end. Exit code 1 when a file could not be read, or no flows were found.
    """
    from tocsin.cli.flows.fresh import after_import
    from tocsin.flows.importing import files_of, import_each

    flows = configured(made(data), file)
    total = sum(one.stat().st_size for one in files_of(paths) if one.is_file())
    with _bar(total) as progress:
        outcomes = list(import_each(flows.dataset(data), paths, progress=progress, zone=zone or flows.zone))
    _say(outcomes)
    for written in after_import(data, file, flows) if any(one.said == "read" for one in outcomes) else ():
        click.echo(f"wrote {plain(written)}, {written.stat().st_size:,} bytes")
    failed = [one for one in outcomes if one.said == "failed"]
    for one in failed:
        click.echo(f"tocsin: {plain(one.note)}", err=True)
    found = any(one.said in ("read", "known") for one in outcomes)
    if not found and not failed:
        click.echo(f"tocsin: no flows in {', '.join(plain(path) for path in paths)}", err=True)
    if failed or not found:
        raise SystemExit(1)


@contextmanager
def _bar(total: int) -> Iterator["Progress"]:
    """A bar over the bytes of all files, on standard error where somebody looks on."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not sys.stderr.isatty())
    task = bar.add_task("reading", total=total)

    def told(path: Path, more: int) -> None:
        bar.update(task, advance=more, description=plain(path.name))

    with bar:
        yield told


def _say(outcomes: list["Outcome"]) -> None:
    """A row for each file with flows; the others by how many of which form."""
    rows = []
    for one in outcomes:
        if one.said not in ("read", "known"):
            continue
        done = one.imported
        counts = (done.id, done.rows, done.malformed, done.skipped) if done else ("", 0, "", "")
        said = "; ".join(filter(None, ("nothing new" if one.said == "known" else "", one.note)))
        rows.append((one.path, one.form, *counts, said))
    if rows:
        print_table(["file", "form", "import", "rows", "malformed", "skipped", ""], rows, "")
    others = Counter(one.form or one.note or "no form that is read" for one in outcomes if one.said in OTHERS)
    for form, count in sorted(others.items()):
        click.echo(f"left out: {count:,} {'file' if count == 1 else 'files'}, {plain(form)}", err=True)


OTHERS = ("ignored", "unknown")


@click.command("list")
@with_folder()
def list_(data: Path, file: Path | None) -> None:
    """List what was imported, each with its rows and the lines kept aside."""
    dataset = configured(present(data), file).dataset(data)
    found = []
    if dataset.exists():
        with dataset.catalogue() as catalogue:
            found = catalogue.imports()
    rows = [
        (one.id, moment(one.at // MILLION), one.path, one.form, one.begin, one.size, one.rows, one.malformed)
        for one in found
    ]
    headings = ["import", "at", "file", "form", "from byte", "to byte", "rows", "malformed"]
    print_table(headings, rows, "Nothing was imported.")


@click.command(epilog=MALFORMED_EXAMPLES)
@with_folder()
@click.argument("importing", metavar="[IMPORT]", type=click.IntRange(min=1), required=False)
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
def malformed(data: Path, file: Path | None, importing: int | None, limit: int) -> None:
    """Show lines that could not be read, of one import or of all: file, line, why, and the line itself."""
    from tocsin.errors import NotFound

    dataset = configured(present(data), file).dataset(data)
    rows: list[tuple[object, ...]] = []
    more = 0
    if dataset.exists():
        with dataset.catalogue() as catalogue:
            imports = [one for one in catalogue.imports() if importing in (None, one.id)]
            if importing and not imports:
                raise NotFound(f"there is no import {importing}; `tocsin flows list` shows them")
            for one in imports:
                kept = catalogue.malformed(one.id, limit - len(rows)) if one.malformed and len(rows) < limit else []
                rows += [(one.id, one.path, line.line, line.reason, line.text) for line in kept]
                more += one.malformed - len(kept)
    elif importing:
        raise NotFound("nothing was imported yet")
    print_table(["import", "file", "line", "why", "text"], rows, "Every line was read.")
    if more:
        click.echo(f"and {more:,} more", err=True)
