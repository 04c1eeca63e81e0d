"""`tocsin reparse`: stored originals, read again."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import click

from tocsin.cli.folder import present, with_folder
from tocsin.cli.table import plain

EXAMPLES = """\b
Examples:
  tocsin reparse --data ./var --source soc-mailbox --from 2026-05-01 --dry-run
  tocsin reparse --data ./var --parser generic --with splunk
"""
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]
MOMENT = click.DateTime(FORMATS)


@click.command(epilog=EXAMPLES)
@with_folder()
@click.option("--from", "start", type=MOMENT, help="Only what was received from then on, UTC.")
@click.option("--to", type=MOMENT, help="Only what was received before then, UTC.")
@click.option("--source", default="", help="Only what came from this source.")
@click.option("--parser", default="", help="Only what this parser read.")
@click.option(
    "--with", "reader", default="", help="Read all of it with this parser.  [default: the one that claims it]"
)
@click.option("--send", is_flag=True, help="Send what changed once more, to every destination.")
@click.option("--dry-run", is_flag=True, help="Show the difference and write nothing.")
def reparse(
    data: Path,
    file: Path | None,
    start: datetime | None,
    to: datetime | None,
    source: str,
    parser: str,
    reader: str,
    send: bool,
    dry_run: bool,
) -> None:
    """Read stored originals again, after a parser was mended, and show what is different.

    A changed reading becomes a new version of the same alertgroup: the old one is kept, alerts keep what was decided
    about them, and nothing is sent again unless --send is given. Asks nothing: look first with --dry-run.
    """
    from tocsin.cli.door import open_door
    from tocsin.errors import TocsinError

    wish: dict[str, Any] = {"source": source, "parser": parser, "with": reader, "send": send, "dry_run": dry_run}
    wish |= {name: int(at.replace(tzinfo=UTC).timestamp()) for name, at in (("from", start), ("to", to)) if at}
    with open_door(present(data), file) as door, _Telling(dry_run=dry_run) as telling:
        door.fetch("POST", "/api/v2/reparse", telling.take, wish)
    if telling.failed or not telling.finished:
        raise TocsinError(telling.failed or "the running server broke off; what was written stays, call again")


class _Telling:
    """Prints the lines of the answer as they come, under a bar where somebody looks on."""

    def __init__(self, *, dry_run: bool) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._rest = b""
        self._dry_run = dry_run
        self._counts: dict[str, int] = {}
        self.failed = ""
        self.finished = False
        console = Console(stderr=True)
        self._bar = Progress(console=console, transient=True, disable=not sys.stderr.isatty())
        self._task = self._bar.add_task("reading", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def take(self, piece: bytes) -> None:
        """Some bytes of the answer."""
        import msgspec

        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            for kind, value in msgspec.json.decode(line).items():
                told: dict[str, Callable[[Any], None]] = {
                    "difference": self._difference,
                    "progress": self._progress,
                    "done": self._done,
                    "error_msg": self._failure,
                }
                told[kind](value)

    def _failure(self, why: str) -> None:
        self.failed = why

    def _progress(self, at: dict[str, int]) -> None:
        self._bar.update(self._task, total=at["messages"], completed=at["read"])

    def _done(self, at: dict[str, int] | None) -> None:
        self.finished = True
        self._bar.stop()
        at = at or {"read": 0, "same": 0}
        words = [f"{at['read']:,} {'message' if at['read'] == 1 else 'messages'} read", f"{at['same']:,} the same"]
        words += [f"{n:,} {what}" for what, n in self._counts.items()]
        click.echo(", ".join(words) + ("; nothing was written" if self._dry_run else ""))

    def _difference(self, found: dict[str, Any]) -> None:
        what = found["what"]
        self._counts[what] = self._counts.get(what, 0) + 1
        group = f", alertgroup {found['alertgroup']}" if found["alertgroup"] else ""
        note = f" ({found['note']})" if found["note"] else ""
        self._say(f"message {found['message']}{group}: {what}{note}")
        if what not in ("changed", "new"):
            return
        if found["subject_before"] != found["subject_after"]:
            self._say(f"    subject: {found['subject_before']!r} -> {found['subject_after']!r}")
        if found["rows_before"] != found["rows_after"]:
            self._say(f"    alerts: {found['rows_before']} -> {found['rows_after']}")
        for sign, columns in (("+", found["columns_added"]), ("-", found["columns_removed"])):
            if columns:
                self._say(f"    columns: {' '.join(sign + column for column in columns)}")
        if found["cells_changed"]:
            self._say(f"    cells changed: {found['cells_changed']}")
        for one in found["samples"]:
            self._say(f"        alert {one['row']}, {one['column']}: {one['before']!r} -> {one['after']!r}")

    def _say(self, line: str) -> None:
        click.echo(plain(line))
