"""What the parsers say to a message, on standard output."""

from collections.abc import Sequence
from typing import Any

import click
import msgspec

from tocsin.cli.table import plain

LONGEST_CELL = 60


def tell(answers: Sequence[dict[str, Any]]) -> None:
    """Print each answer in its order: whether the parser claims the message, and what it makes of it."""
    for said in answers:
        claims = "claims it" if said["claims"] else "does not claim it"
        click.echo(f"{plain(said['parser'])} {claims}")
        if said["reason"]:
            click.echo(f"    {plain(said['reason'])}")
        for group in said["alertgroups"]:
            rows = f"{group['rows']:,} {'alert' if group['rows'] == 1 else 'alerts'}"
            click.echo(f"    {plain(group['subject'])}: {rows}, columns {plain(', '.join(group['columns']))}")
            for row in group["examples"]:
                click.echo(f"        {plain(', '.join(f'{name}={_cell(value)}' for name, value in row.items()))}")


def _cell(value: object) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"
