"""The cells of a stored row, in column order, as the exact text that was received."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from tocsin.web.pages.shown import Cell

_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder()


def cells_of(row: str, columns: Sequence[str]) -> list[Cell]:
    """The row's cells under the columns; 0 where the row has none of that name."""
    cells = _decoded(row)
    return [cells.get(column, 0) for column in columns]


def fields_of(row: str, columns: Sequence[str]) -> list[tuple[str, Cell]]:
    """Every cell of the row with its name: the columns first, then what stands outside them."""
    cells = _decoded(row)
    first = {column: cells[column] for column in columns if column in cells}
    return list((first | cells).items())


def _decoded(row: str) -> dict[str, Cell]:
    try:
        return {name: _cell(bytes(raw)) for name, raw in _RAW.decode(row).items()}
    except (msgspec.DecodeError, UnicodeError):
        # Lone surrogates and the like: Python's own reader takes them, at the price of the numbers' spelling.
        found = json.loads(row)
        return {name: _shape(value, json.dumps(value)) for name, value in found.items()}


def _cell(raw: bytes) -> Cell:
    """Strings as they read, everything else as it was written."""
    first = raw.lstrip()[:1]
    if first == b'"' or first == b"[":
        return _shape(_ANY.decode(raw), raw.decode())
    return None if raw.strip() == b"null" else raw.decode()


def _shape(value: Any, written: str) -> Cell:
    match value:
        case str():
            return value
        case None:
            return None
        case list() if all(isinstance(part, str) for part in value):
            return value
    return written
