"""`tocsin migrate`: what stood in the systems that Tocsin takes over from. One file a system."""

import click

from tocsin.cli.group import LazyGroup

HERE = "tocsin.cli.migrate"


@click.group(cls=LazyGroup, lazy={"slips": f"{HERE}.slips:slips", "scot": f"{HERE}.scot:scot"})
def migrate() -> None:
    """Take over from another system: its configuration, and what it keeps."""
