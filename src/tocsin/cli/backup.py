"""`tocsin backup`: everything in one file, while the server goes on."""

import os
from contextlib import suppress
from pathlib import Path
from typing import IO

import click

from tocsin.cli.folder import present, with_folder

EXAMPLE = """\b
Example:
  tocsin backup --data ./var /backup/tocsin-$(date +%F).zip
"""


@click.command(epilog=EXAMPLE)
@with_folder()
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Write over a file that is there already.")
def backup(data: Path, file: Path | None, target: Path, force: bool) -> None:
    """Write everything that is stored into FILE, as it stands at one moment.

    The server need not stop. FILE holds keys (hashed), users and every alert; only its owner may read it. It appears
    under its name once it is complete. Backups of SQLite and of PostgreSQL are of one form. Network flows are not in
    it: copy the folder `flows` of the data folder beside it while the server is stopped (docs/flows.md).
    """
    from tocsin.errors import TocsinError

    if target.exists() and not force:
        raise TocsinError(f"{target} is there already; name another file or use --force")
    half = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        half.touch(mode=0o600, exist_ok=False)
        with half.open("wb") as written:
            write(present(data), file, written)
            written.flush()
            os.fsync(written.fileno())
        half.replace(target)
    finally:
        with suppress(FileNotFoundError):
            half.unlink()
    click.echo(f"wrote {target}, {target.stat().st_size:,} bytes")


def write(data: Path, file: Path | None, written: IO[bytes]) -> None:
    """Write the backup: as the running server streams it, or straight from the store where no server runs."""
    from tocsin.app import build, load_config
    from tocsin.cli.control import running
    from tocsin.cli.door import open_door
    from tocsin.store.backup import write_backup

    if running(data):
        with open_door(data, file) as door:
            door.fetch("POST", "/api/v2/backup", written.write)
        return
    hub = build(load_config(data, file), data)
    try:
        write_backup(hub.store, written)
    finally:
        hub.stop()
