"""`tocsin restore`: an empty hub filled from a backup."""

from pathlib import Path

import click

from tocsin.cli.folder import made, with_folder
from tocsin.cli.table import moment


@click.command(epilog="\b\nExample:\n  tocsin restore --data ./new /backup/tocsin-2025-01-31.zip")
@with_folder()
@click.argument("source", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(data: Path, file: Path | None, source: Path) -> None:
    """Fill an empty data folder from the backup FILE, all of it or nothing.

    The server of this folder must not run, and the store must be empty; a backup of SQLite may be restored into
    PostgreSQL and the other way round. What was delivered after the backup was made is owed again.
    """
    from tocsin.app import build, load_config
    from tocsin.cli.control import running
    from tocsin.errors import TocsinError
    from tocsin.store import backup

    if running(data):
        raise TocsinError(f"a server runs on {data}: stop it first")
    hub = build(load_config(made(data), file), data)
    try:
        manifest = backup.restore(hub.store, source)
    finally:
        hub.stop()
    rows = sum(table.rows for table in manifest.tables)
    click.echo(f"restored {rows:,} rows of {moment(manifest.created // 1_000_000)} into {data}")
