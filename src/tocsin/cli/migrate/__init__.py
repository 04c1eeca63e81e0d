"""`tocsin migrate`: what stood in the systems that Tocsin takes over from. One file a system."""

import click

from tocsin.cli.group import LazyGroup


@click.group(cls=LazyGroup, lazy={"slips": "tocsin.cli.migrate.slips:slips"})
def migrate() -> None:
    """Take over from another system: its configuration, and what it keeps."""
