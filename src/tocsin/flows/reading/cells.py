"""What a log says as text -> values of the data set's types, as SQL; and what is wrong with a text that has none.

A line with a field that cannot be read is kept aside: half a flow would pass for a whole one.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.flows.engine import name

PORT, MOMENT = "PORT", "MOMENT"

_ZONE = "coalesce(getvariable('zone'), 'UTC')"
_DATED = r"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
_OFFSET = "(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"

_WRONG = {
    "BIGINT": "is not a count",
    "INTEGER": "is not a count",
    "DOUBLE": "is not a number",
    "BOOLEAN": "is not true or false",
    PORT: "is not a port",
    MOMENT: "is not a time",
}


class Cell(NamedTuple):
    """One column of a row: where its text is found, and which type it has."""

    column: str
    text: str
    """SQL; NULL where the log does not say."""
    type: str = "VARCHAR"
    """A type of DuckDB, PORT (0 to 65535) or MOMENT (`moment`)."""

    @property
    def value(self) -> str:
        """SQL for its value; NULL where the text cannot be read."""
        match self.type:
            case "BIGINT" | "INTEGER":
                return _whole(self.text, self.type)
            case "DOUBLE":
                return f"CASE WHEN isfinite(TRY_CAST({self.text} AS DOUBLE)) THEN TRY_CAST({self.text} AS DOUBLE) END"
            case "BOOLEAN":
                return f"TRY_CAST({self.text} AS BOOLEAN)"
            case "PORT":
                return f"({_whole(self.text, 'USMALLINT')})::INTEGER"
            case "MOMENT":
                return moment(self.text)
            case _:
                return self.text


def selected(cells: Sequence[Cell]) -> str:
    """The columns of a SELECT."""
    return ", ".join(f"{cell.value} AS {name(cell.column)}" for cell in cells)


def complaint(cells: Sequence[Cell], needed: Sequence[str] = (), *, beside: bool = False) -> str:
    """SQL for what is wrong with a line, in words: a text without a value, a needed one missing; else NULL.

    `beside`: the values stand beside the texts, as columns of what is selected from.
    """
    wrong = [f"WHEN {cell.text} IS NULL THEN '{cell.column} is missing'" for cell in cells if cell.column in needed]
    wrong += [
        f"WHEN ({name(cell.column) if beside else cell.value}) IS NULL AND {cell.text} IS NOT NULL"
        f" THEN '{cell.column} {_WRONG[cell.type]}: ''' || left({cell.text}, 80) || ''''"
        for cell in cells
        if cell.type in _WRONG
    ]
    return f"CASE {' '.join(wrong)} END" if wrong else "NULL"


def moment(text: str) -> str:
    """SQL: a date with a time of day, or seconds since the epoch -> microseconds since the epoch; NULL for other texts.

    A time without an offset is one of the connection's variable `zone`, a name of the time zone database, which the
    importer sets: UTC if it is not set, never the machine's.
    """
    plain = f"replace({text}, '/', '-')"
    return (
        f"CASE WHEN regexp_full_match({text}, '{_DATED}')"
        f" THEN epoch_us(TRY_CAST({plain} AS TIMESTAMP) AT TIME ZONE {_ZONE})"
        f" WHEN regexp_full_match({text}, '{_DATED}{_OFFSET}') THEN epoch_us(TRY_CAST({plain} AS TIMESTAMPTZ))"
        rf" WHEN regexp_full_match({text}, '[0-9]{{1,11}}(?:\.[0-9]+)?')"
        f" THEN (TRY_CAST({text} AS DECIMAL(18, 6))::DECIMAL(38, 6) * 1000000)::BIGINT END"
    )


def _whole(text: str, type_: str) -> str:
    return f"CASE WHEN regexp_full_match({text}, '[0-9]+') THEN TRY_CAST({text} AS {type_}) END"


def stable_uid(no: str, text: str) -> str:
    """SQL for the uid of a flow whose sensor gives it none: the same each time the same line is read from its file.

    It is of the line's text and number, so that two flows that look alike stay two.
    """
    return f"left(md5({no} || ':' || {text}), 20)"
