"""`tocsin doctor`: what is wrong, and what to do about it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from tocsin.cli.folder import with_folder
from tocsin.cli.table import plain

ENOUGH_FREE = 2**30
GIB = 2**30
STARTING = ("configuration", "plug-ins")
"""What must be well for a hub to be built."""


class Finding(NamedTuple):
    """One thing looked at: whether it is well, and in a sentence what was seen or is to be mended."""

    well: bool
    what: str
    says: str


@click.command(epilog="\b\nExample:\n  tocsin doctor --data ./var")
@with_folder()
def doctor(data: Path, file: Path | None) -> None:
    """Look at everything that may be wrong and say what to mend.

    Looks at the configuration, the data folder, free disk space, plug-ins, the store and its schema, and asks every
    destination whether it can be reached. Exit code 1 if anything is wrong.
    """
    ill = 0
    for finding in findings(data, file):
        mark = click.style("ok   ", fg="green") if finding.well else click.style("WRONG", fg="red", bold=True)
        click.echo(f"{mark} {plain(finding.what)}: {plain(finding.says)}")
        ill += not finding.well
    if ill:
        click.echo(f"{ill} to mend" if ill > 1 else "1 thing to mend", err=True)
        raise SystemExit(1)


def findings(data: Path, file: Path | None) -> Iterator[Finding]:
    """Everything looked at, in the order in which it can be mended."""
    if not data.is_dir():
        yield Finding(False, "data folder", f"there is no {data}; `tocsin serve --data {data}` makes it")
        return
    yield from folder(data)
    configured = list(configuration(data, file))
    yield from configured
    startable = all(finding.well for finding in configured if finding.what in STARTING)
    yield from hub(data, file, startable=startable)


def folder(data: Path) -> Iterator[Finding]:
    """The data folder: ours, private, writable, and with room."""
    mode = data.stat().st_mode & 0o777
    if mode & 0o007:
        yield Finding(False, "data folder", f"everybody on this machine may enter it (mode {mode:o}): chmod o= {data}")
    elif not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(False, "data folder", f"it cannot be written by user id {os.geteuid()}: chown or chmod {data}")
    else:
        yield Finding(True, "data folder", f"{data.resolve()}, mode {mode:o}")
    space = shutil.disk_usage(data)
    seen = f"{space.free / GIB:.1f} GiB free of {space.total / GIB:.1f} GiB"
    if space.free < ENOUGH_FREE:
        yield Finding(False, "disk", f"{seen}: make room, or shorten the retention")
    else:
        yield Finding(True, "disk", seen)


def configuration(data: Path, file: Path | None) -> Iterator[Finding]:
    """The configuration and the plug-ins it uses."""
    from tocsin import registry
    from tocsin.app import wired
    from tocsin.config import read
    from tocsin.errors import ConfigError

    tree, problems = read(data, file)
    try:
        found = registry.find(data)
    except ConfigError as error:
        yield from (Finding(False, "plug-ins", str(problem)) for problem in error.problems)
        return
    wiring, more = wired(tree, data, found)
    yield from (Finding(False, "configuration", str(problem)) for problem in [*problems, *more.problems])
    if not problems and not more.problems:
        used = (len(wiring.sources), len(wiring.parsers), len(wiring.destinations))
        yield Finding(True, "configuration", "{} sources, {} parsers, {} destinations".format(*used))
    for (kind, name), why in sorted(found.broken.items()):
        yield Finding(False, f"{kind} {name}", why)


def hub(data: Path, file: Path | None, *, startable: bool) -> Iterator[Finding]:
    """The store and the destinations, as the running server sees them or as this process does."""
    from tocsin.cli.control import running
    from tocsin.cli.door import open_door
    from tocsin.errors import TocsinError

    control = running(data)
    if control is None and not startable:
        yield Finding(False, "server", "does not run and cannot be started; store and destinations were not looked at")
        return
    yield Finding(True, "server", f"runs at {control.url}" if control else "does not run; looked at without it")
    try:
        with open_door(data, file) as door:
            checks = door.ask("POST", "/api/v2/doctor")["checks"]
    except TocsinError as error:
        yield Finding(False, "store", str(error))
        return
    for check in checks:
        yield Finding(check["ok"], check["name"], check["detail"])
