"""Tables that a detector mails: which of several holds labels, which the results, and the rows of those.

They are known by what is in them, not by their number: a mail that was forwarded has more of them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tocsin.kit.columns import unique
from tocsin.kit.html_table import Row, Table
from tocsin.model import Noun

FORWARDED = re.compile(
    r"^(?:from|sent|date|to|cc|subject|importance|von|gesendet|datum|an|betreff|de|envoyé|à|objet|enviado|para|asunto)$",
    re.IGNORECASE,
)


class Results(Noun, frozen=True, kw_only=True):
    """Rows under their columns; `uneven` when some had more or fewer cells than the header."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    uneven: bool = False


def labels(table: Table) -> Mapping[str, str]:
    """The table's two-celled rows as label and text, labels without their colon."""
    return {_label(row): "\n".join(row[1].values) for row in table if len(row) == 2}


def labelled(tables: Sequence[Table], known: Callable[[str], object]) -> int:
    """Where the first table stands that holds nothing but labels, a known one among them; -1 without one."""
    for place, table in enumerate(tables):
        said = labels(table)
        if len(said) == len(table) and any(map(known, said)) and not any(map(FORWARDED.match, said)):
            return place
    return -1


def results(tables: Sequence[Table]) -> Results | None:
    """The rows of the table of results: one with a header and rows, before one with rows, before a bare header."""
    there = [table for table in tables if table and table[0] and not any(map(FORWARDED.match, labels(table)))]
    headed = [table for table in there if all(cell.header for cell in table[0])]
    wide = [table for table in there if len(table[0]) > 1]
    for choice in (headed, wide):
        full = next((table for table in choice if len(table) > 1), None)
        if full:
            return _rows(full)
    return next((_rows(table) for table in (*headed, *wide)), None)


def _label(row: Row) -> str:
    return row[0].text.strip().removesuffix(":").strip()


def _rows(table: Table) -> Results:
    header = [cell.text for cell in table[0]]
    width = max(map(len, table))
    names = unique(header + [""] * (width - len(header)))
    rows: list[dict[str, Any]] = []
    for row in table[1:]:
        values = [cell.values for cell in row]
        cells = [each[0] if len(each) == 1 else list(each) or "" for each in values]
        rows.append(dict(zip(names, cells, strict=False)))
    return Results(columns=names, rows=tuple(rows), uneven=any(len(row) != len(header) for row in table))
