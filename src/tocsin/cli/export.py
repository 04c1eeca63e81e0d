"""`tocsin export`: what is stored, in a format of the world."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlencode

import click

from tocsin.cli.folder import present, with_folder
from tocsin.cli.table import plain

if TYPE_CHECKING:
    from tocsin.delivery.exporting import Portion

EXAMPLES = """\b
Formats:
  stix   a STIX 2.1 bundle
  stix1  STIX 1.2 packages in a package
  idea   IDEA0, an event a line
  csv    a line for each alert
  jsonl  everything, an alertgroup a line

\b
Examples:
  tocsin export --data ./var --format stix --from now-30d --query "severity>=high" --to high.json
  tocsin export --data ./var --format csv --query "src:192.0.2.0/24" > alerts.csv
  tocsin export --data ./var --format idea --for partner --to partner.idea
"""
FORMATS = ("stix", "stix1", "idea", "csv", "jsonl")
TELL_S = 5.0


@click.command(epilog=EXAMPLES)
@with_folder()
@click.option("--format", type=click.Choice(FORMATS), required=True, help="What to write.")
@click.option("--query", default="", help="Only what this query means.  [default: everything]")
@click.option("--from", "start", default="", metavar="TIME", help="Received from then on: now-7d, 2026-05-04T12:00Z.")
@click.option("--until", default="", metavar="TIME", help="Received before then.")
@click.option("--for", "lane", default="", metavar="DEST", help="As it may go to this destination: through its gate.")
@click.option("--folded", is_flag=True, help="Also repeats that are folded into another alertgroup.")
@click.option("--to", "target", default="-", metavar="FILE|-", help="Where to; - is standard output.  [default: -]")
@click.option("--force", is_flag=True, help="Write over a file that is there already.")
def export(
    data: Path,
    file: Path | None,
    format: str,
    query: str,
    start: str,
    until: str,
    lane: str,
    folded: bool,
    target: str,
    force: bool,
) -> None:
    """Write what is stored in a format of the world, whether the server runs or not.

    Without --for everything but passwords and positions is written: unredacted, whatever its TLP. With --for DEST it
    passes the gate of that destination, as what is sent there does, and STIX is written with its options. A file
    appears under its name once it is complete; only its owner may read it.
    """
    from tocsin.errors import TocsinError

    wish = {"format": format, "query": query, "from": start, "until": until, "for": lane, "folded": "01"[folded]}
    with _written(target, force) as out, _shown() as tell:
        sink = _Sink(out, tell)
        _copy(present(data), file, wish, sink)
        end = sink.end
    said = [f"wrote {end.written:,} {'alertgroup' if end.written == 1 else 'alertgroups'}"]
    said += [f"{end.withheld:,} withheld by the gate of {plain(lane)}"] if end.withheld else []
    said += [f"{end.empty:,} of which {format} has nothing to say"] if end.empty else []
    click.echo("; ".join(said), err=True)
    if end.behind:
        click.echo("the index was behind: what it had not reached is not in it", err=True)
    if end.unreadable:
        raise TocsinError(f"{end.unreadable:,} could not be written: the log says which and why")


class _Sink:
    """Takes portions one after the other."""

    def __init__(self, out: IO[bytes], tell: Callable[["Portion"], None]) -> None:
        self._out, self._tell = out, tell
        self._last: Portion | None = None

    def take(self, portion: "Portion") -> None:
        self._out.write(portion.text)
        self._tell(portion)
        self._last = portion

    @property
    def end(self) -> "Portion":
        """The last portion there was. Raises StoreUnavailable: it is not the end."""
        from tocsin.errors import StoreUnavailable

        if self._last is None or not self._last.last:
            raise StoreUnavailable("the running server broke off in the middle")
        return self._last


def _copy(data: Path, file: Path | None, wish: dict[str, str], sink: _Sink) -> None:
    """From the running server, or straight from the store where none runs."""
    from tocsin.app import build, load_config
    from tocsin.cli.control import running
    from tocsin.cli.door import open_door
    from tocsin.cli.logs import set_up
    from tocsin.delivery.exporting import Exporter, Unframed, selection
    from tocsin.delivery.lanes import now

    if running(data):
        frames = Unframed()

        def take(piece: bytes) -> None:
            for portion in frames.take(piece):
                sink.take(portion)

        with open_door(data, file) as door:
            door.fetch("GET", f"/api/v2/export?{urlencode(wish | {'portions': '1'})}", take)
        return
    config = load_config(data, file)
    set_up(config.log)
    hub = build(config, data)
    try:
        exporter = Exporter(hub.store, hub.gate, hub.names, hub.known, hub.wiring.destinations)
        for portion in exporter.portions(selection(wish, now()), now()):
            sink.take(portion)
    finally:
        hub.stop()


@contextmanager
def _written(target: str, force: bool) -> Iterator[IO[bytes]]:
    """Standard output, or a file that appears once it is complete."""
    from tocsin.errors import TocsinError

    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    if path.exists() and not force:
        raise TocsinError(f"{path} is there already; name another file or use --force")
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        half.touch(mode=0o600, exist_ok=False)
        with half.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        half.replace(path)
    finally:
        with suppress(FileNotFoundError):
            half.unlink()


@contextmanager
def _shown() -> Iterator[Callable[["Portion"], None]]:
    """How far it is, on standard error: a bar where somebody looks on, a line now and then where not."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    looked_at, told = sys.stderr.isatty(), time.monotonic()
    columns = [*Progress.get_default_columns()[:3], TextColumn("{task.fields[said]}", markup=False)]
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not looked_at) as bar:
        task = bar.add_task("exporting", total=None, said="")

        def tell(portion: "Portion") -> None:
            nonlocal told
            said = f"{portion.written:,} written"
            bar.update(task, total=portion.upto, completed=portion.at, said=said)
            if not looked_at and time.monotonic() - told > TELL_S:
                told = time.monotonic()
                click.echo(f"at alertgroup {portion.at:,} of {portion.upto:,}: {said}", err=True)

        yield tell
