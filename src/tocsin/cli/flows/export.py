"""`tocsin flows export`: labelled flows as Slips writes them, or with a column for each field."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tocsin.cli.flows import configured
from tocsin.cli.folder import present, with_folder

if TYPE_CHECKING:
    from tocsin.flows.exporting.export import Exported, Tell
    from tocsin.flows.exporting.plan import Form, Profile

EXAMPLES = """\b
Profiles:
  slips  uid flow label profileid twid aid, and flow_type with --altflows
  flat   a column for each field, then label, alertgroup, alert, category

\b
Examples:
  tocsin flows export --data ./var --format tsv --altflows --to labeled_flows.tsv
  tocsin flows export --data ./var --format json --query "label:malicious" --since now-7d | head
  tocsin flows export --data ./var --format parquet --profile flat --to flows.parquet
  tocsin flows export --data ./var --format json --altflows --engine spark --to labeled_flows.json
"""


@click.command(epilog=EXAMPLES)
@with_folder()
@click.option("--format", "form", type=click.Choice(["tsv", "json", "parquet"]), required=True, help="What to write.")
@click.option("--altflows", is_flag=True, help="Also what was seen inside the flows, behind them.")
@click.option(
    "--profile", type=click.Choice(["slips", "flat"]), default="slips", show_default=True, help="In which shape."
)
@click.option("--query", default="", help="Only what this query means.  [default: everything]")
@click.option("--since", default="", metavar="TIME", help="Begun from then on: now-7d, 2026-05-04T12:00Z.")
@click.option("--until", default="", metavar="TIME", help="Begun before then.")
@click.option("--to", "target", default="-", metavar="FILE|-", help="Where to; - is standard output.  [default: -]")
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    help="What runs it; Spark on the cluster of [flows] spark_master.  [default: [flows] engine]",
)
@click.option("--force", is_flag=True, help="Write over a file that is there already.")
def export(
    data: Path,
    file: Path | None,
    form: "Form",
    altflows: bool,
    profile: "Profile",
    query: str,
    since: str,
    until: str,
    target: str,
    engine: str | None,
    force: bool,
) -> None:
    """Write flows, each labelled by what the alerts say of it now, in the order in which they were read.

    A file appears under its name once it is complete; only its owner may read it. One that was cut off goes on where
    it was when it is called again in the same words, and neither flows nor labels have changed. Spark begins anew each
    time, takes no --query, and writes a folder where Parquet is asked for.
    """
    from tocsin.cli.flows.fresh import fresh
    from tocsin.delivery.replaying import moment
    from tocsin.errors import TocsinError
    from tocsin.flows import cluster
    from tocsin.flows.exporting.export import Exported, export_file, export_stream
    from tocsin.flows.exporting.plan import Wish

    flows = configured(present(data), file)
    to = None if target == "-" else Path(target)
    if form == "parquet" and to is None:
        raise click.UsageError("Parquet is written to a file: name it with --to.")
    by_spark = (engine or flows.engine) == "spark"
    if by_spark and to is None:
        raise click.UsageError("Spark writes to a file: name it with --to, or use --engine duckdb.")
    if to is not None and to.exists() and not force:
        raise TocsinError(f"{to} is there already; name another file or use --force")
    fresh(data, file)
    now = time.time_ns() // 1000
    wish = Wish(
        form=form,
        profile=profile,
        alternative=altflows,
        query=query,
        since=moment("since", since, now),
        until=moment("until", until, now),
        options=flows.options(),
        timewindow_s=flows.timewindow_s,
    )
    with _shown() as tell:
        if to is None:
            done = export_stream(flows.dataset(data), wish, sys.stdout.buffer.write, now=now, tell=tell)
            sys.stdout.buffer.flush()
        elif by_spark:
            done = Exported(
                cluster.export(flows.dataset(data), wish, to, now=now, master=flows.spark_master, tell=tell)
            )
        else:
            done = export_file(flows.dataset(data), wish, to, now=now, tell=tell)
    _say(done)


def _say(done: "Exported") -> None:
    said = f"wrote {done.rows:,} {'flow' if done.rows == 1 else 'flows'}"
    if done.before:
        said += f"; {done.before:,} were there from an export that was cut off"
    if done.anew:
        said += "; what was there from one that was cut off was of other flows, labels or words"
    click.echo(said, err=True)


@contextmanager
def _shown() -> Iterator["Tell | None"]:
    """A bar over the rows, on standard error where somebody looks on."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("exporting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("exporting", total=None)

        def tell(done: int, whole: int) -> None:
            bar.update(task, completed=done, total=whole)

        yield tell
