"""Tables on standard output: ruled on a terminal, aligned and uncut anywhere else."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

UNCUT = 10_000


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print rows under headings, or the sentence `empty` when there are none."""
    lines = [[plain(cell) for cell in row] for row in rows]
    terminal = sys.stdout.isatty()
    console = Console(highlight=False, width=None if terminal else UNCUT, soft_wrap=not terminal)
    if not lines:
        console.print(Text(empty))
        return
    table = Table(box=box.SIMPLE_HEAD if terminal else None, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(Text(heading), overflow="fold")
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    console.print(table)


def plain(cell: object) -> str:
    """A cell as text that cannot steer a terminal; None is empty."""
    text = "" if cell is None else str(cell)
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def moment(seconds: int | None) -> str:
    """A time, in seconds since 1970, as UTC; empty for none."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
