"""`tocsin plugins`: what sources, parsers and destinations there are, and where each came from."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tocsin.cli.folder import with_folder
from tocsin.cli.table import print_table

if TYPE_CHECKING:
    from tocsin.registry import Found


@click.command(epilog="\b\nExample:\n  tocsin plugins --data ./var")
@with_folder(required=False)
def plugins(data: Path | None, file: Path | None) -> None:
    """List every plug-in with its origin and version, and the names under which it is used.

    A plug-in comes from Tocsin itself, from a file in the folder `plugins` of the data folder, or from an installed
    package with an entry point of the group tocsin.sources, tocsin.parsers or tocsin.destinations. One that cannot be
    loaded is named with the reason. Parsers stand in the order in which they are asked: the lowest number first.
    """
    from tocsin import registry
    from tocsin.config import Config, read

    tree, _ = read(data or Path(), file) if data or file else (Config(), [])
    tables = {"sources": tree.sources, "parsers": tree.parsers, "destinations": tree.destinations}
    found = registry.find(data)
    rows = [
        (*each[:2], order(each), each.origin, each.version, ", ".join(found.names_of(each, tables)) or "-")
        for each in sorted(found.found(), key=lambda each: (each.kind, order(each) or 0, each.name))
    ]
    print_table(["kind", "type", "order", "origin", "version", "in use as"], rows, "There are no plug-ins.")
    for (kind, name), why in sorted(found.broken.items()):
        click.echo(f"tocsin: {kind} {name}: {why}", err=True)


def order(found: "Found") -> int | None:
    """When a parser is asked; None for the other kinds, which have no order."""
    return getattr(found.plugin, "order", None)
