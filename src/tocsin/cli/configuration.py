"""`tocsin config`: the configuration, checked without starting anything."""

from pathlib import Path

import click

from tocsin.cli.folder import present, with_folder


@click.group()
def config() -> None:
    """Look at the configuration."""


@config.command(epilog="\b\nExample:\n  tocsin config check --data ./var")
@with_folder()
def check(data: Path, file: Path | None) -> None:
    """Check the configuration and say everything that is wrong with it.

    Every problem is one line: file, key, value and what to do. Nothing is started and no destination is asked; for
    that see `tocsin doctor`.
    """
    from tocsin import registry
    from tocsin.app import wired
    from tocsin.config import FILE_NAME, read
    from tocsin.errors import ConfigError

    tree, problems = read(present(data), file)
    wiring, more = wired(tree, data, registry.find(data))
    if problems or more.problems:
        raise ConfigError([*problems, *more.problems])
    path = file or data / FILE_NAME
    what = f"{path} is good" if path.exists() else f"there is no {path}; the defaults are good"
    click.echo(
        f"{what}: {len(wiring.sources)} sources, {len(wiring.parsers)} parsers, "
        f"{len(wiring.destinations)} destinations ({', '.join(wiring.destinations) or 'none'})"
    )
