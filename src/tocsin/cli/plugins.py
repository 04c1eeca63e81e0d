"""`tocsin plugins`: what sources, parsers and destinations there are, and where each came from."""

from pathlib import Path

import click

from tocsin.cli.folder import with_folder
from tocsin.cli.table import print_table


@click.command(epilog="\b\nExample:\n  tocsin plugins --data ./var")
@with_folder(required=False)
def plugins(data: Path | None, file: Path | None) -> None:
    """List every plug-in with its origin and version, and the names under which it is used.

    A plug-in comes from Tocsin itself or from an installed package with an entry point of the group
    tocsin.sources, tocsin.parsers or tocsin.destinations. One that cannot be loaded is listed with the reason.
    """
    from tocsin import registry
    from tocsin.config import Config, read

    tree, _ = read(data or Path(), file) if data or file else (Config(), [])
    tables = {"sources": tree.sources, "parsers": tree.parsers, "destinations": tree.destinations}
    found = registry.find()
    rows = [
        (each.kind, each.name, each.origin, each.version, ", ".join(found.names_of(each, tables)) or "-")
        for each in found.found()
    ]
    print_table(["kind", "type", "origin", "version", "in use as"], rows, "There are no plug-ins.")
    for (kind, name), why in sorted(found.broken.items()):
        click.echo(f"tocsin: {kind} {name}: {why}", err=True)
