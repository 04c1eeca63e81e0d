"""`tocsin entities`: what alertgroups are found by, made again."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from tocsin.cli.folder import present, with_folder

if TYPE_CHECKING:
    from tocsin.cli.door import Door
    from tocsin.indexing import Indexer

PATH = "/api/v2/entities/rebuild"
EXAMPLE = """\b
Example:
  tocsin entities rebuild --data ./var
"""
LOOK_S = 0.5
TELL_S = 5.0


class Way(Protocol):
    """To the index of a running server, or of this process."""

    def begin(self) -> int:
        """Have all indexed again; how many there are."""

    def behind(self) -> tuple[int, int]:
        """How many wait, and how many could be indexed only in part so far."""


@click.group()
def entities() -> None:
    """Addresses, names, hashes and words that stand in alerts."""


@entities.command(epilog=EXAMPLE)
@with_folder()
def rebuild(data: Path, file: Path | None) -> None:
    """Index every alertgroup again: entities, words and what its rows mean.

    Needed after [entities] or [detection] was changed, for what was stored before. The newest come first; alerts come
    in meanwhile, and searches go on. Interrupted, a running server goes on by itself, and so does the next start.
    """
    with _way(present(data), file) as way:
        _, failed = way.behind()
        total = way.begin()
        _watch(way, total)
        failed = way.behind()[1] - failed
    groups = "alertgroup" if total == 1 else "alertgroups"
    partly = f", {failed:,} of them without their entities: the log says why" if failed else ""
    click.echo(f"{total:,} {groups} indexed{partly}")


def _watch(way: Way, total: int) -> None:
    """Until nothing waits: a bar where somebody looks on, a line now and then where not."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = [*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn()]
    shown = sys.stderr.isatty()
    told = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as bar:
        task = bar.add_task("indexing", total=total)
        while waiting := way.behind()[0]:
            done = max(0, total - waiting)
            bar.update(task, completed=done)
            if not shown and time.monotonic() - told > TELL_S:
                told = time.monotonic()
                click.echo(f"{done:,} of {total:,} indexed", err=True)
            time.sleep(LOOK_S)


@contextmanager
def _way(data: Path, file: Path | None) -> Iterator[Way]:
    from tocsin.cli.control import running
    from tocsin.cli.door import open_door

    if running(data):
        with open_door(data, file) as door:
            yield _Server(door)
        return
    from tocsin.app import build, load_config
    from tocsin.cli.logs import set_up

    config = load_config(data, file)
    set_up(config.log)
    hub = build(config, data)
    try:
        yield _Own(hub.indexer)
    finally:
        hub.stop()


class _Server:
    def __init__(self, door: "Door") -> None:
        self._door = door

    def begin(self) -> int:
        return int(self._door.ask("POST", PATH)["alertgroups"])

    def behind(self) -> tuple[int, int]:
        said = self._door.ask("GET", PATH)
        return int(said["waiting"]), int(said["failed"])


class _Own:
    def __init__(self, indexer: "Indexer") -> None:
        self._indexer = indexer

    def begin(self) -> int:
        total = self._indexer.rebuild()
        self._indexer.start()
        return total

    def behind(self) -> tuple[int, int]:
        return self._indexer.lag(1 << 62).waiting, self._indexer.failed
