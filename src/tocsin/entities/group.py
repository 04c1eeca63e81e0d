"""What stands in an alertgroup, and where: subject, body, and every cell of every alert.

Columns have names, and some names say what the cell is: a message id, a scan's id, an attachment's file name.
"""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from tocsin.entities.find import Found, find
from tocsin.entities.known import DEFAULT, Known
from tocsin.model import Alertgroup, Entity

DEEPEST = 64
"""Cells nested deeper are not looked into."""
LONGEST_WHOLE = 1000
_NO_NAME = frozenset('<>"|')
_NOT_LOOKED_INTO = frozenset(("columns",))
"""SCOT's clients repeat the list of columns in every row."""


class Sighting(NamedTuple):
    """An entity and its place in an alertgroup."""

    alert: int | None
    """The alert's index in the group; None for the group's own texts."""
    column: str
    """The column, or `subject`, `body`, `body_plain`."""
    path: tuple[str | int, ...]
    """Inside the cell: keys of objects and indices of lists."""
    in_key: bool
    """Whether it stands in the last key of the path rather than in the value under it."""
    found: Found


def in_group(group: Alertgroup, known: Known = DEFAULT) -> Iterator[Sighting]:
    """Every sighting of an alertgroup: the subject's first, then the body's, then the alerts' in order."""
    for column, text in (("subject", group.subject), ("body", group.body), ("body_plain", group.body_plain)):
        for found in find(text, known):
            yield Sighting(None, column, (), False, found)
    for index, alert in enumerate(group.alerts):
        for column, cell in alert.data.items():
            if column in _NOT_LOOKED_INTO:
                continue
            if isinstance(cell, str):  # nearly all of them
                for found in in_text(cell, column, known):
                    yield Sighting(index, column, (), False, found)
            elif isinstance(cell, list | dict):
                for path, in_key, found in in_cell(cell, column, known):
                    yield Sighting(index, column, path, in_key, found)


def by_alert(group: Alertgroup, known: Known = DEFAULT) -> dict[int, list[Entity]]:
    """What stands in each alert, each entity once, by the alert's index; alerts that hold none are left out."""
    found: dict[int, dict[Entity, None]] = {}
    for sighting in in_group(msgspec.structs.replace(group, subject="", body="", body_plain=""), known):
        if sighting.alert is not None:
            found.setdefault(sighting.alert, {})[sighting.found.entity] = None
    return {index: list(entities) for index, entities in found.items()}


def in_cell(cell: Any, column: str = "", known: Known = DEFAULT) -> Iterator[tuple[tuple[str | int, ...], bool, Found]]:
    """Every entity in a cell: the path inside it, whether it stands in a key, and what was found there."""
    for path, in_key, text in _texts(cell):
        for found in find(text, known) if in_key else in_text(text, column, known):
            yield path, in_key, found


def in_text(text: str, column: str = "", known: Known = DEFAULT) -> list[Found]:
    """As `find`, for one text of a column; what the column's name says of the whole text stands outside the rest."""
    found = find(text, known)
    whole = _whole(text, column)
    if whole is None:
        return found
    inner = [] if whole.entity.type == "message_id" else found
    return [whole, *(one for one in inner if one.entity != whole.entity)]


def _whole(text: str, column: str) -> Found | None:
    """The entity that a text is as a whole, by SCOT's names of columns."""
    type = _said_by(column)
    if not type:
        return None
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    value = text[start:end]
    if not value or len(value) > LONGEST_WHOLE or "\n" in value:
        return None
    if type == "message_id" and "@" in value and " " not in value:
        return Found(Entity(type=type, value=value), start, end, value)
    if type == "file" and "." in value and _NO_NAME.isdisjoint(value):
        return Found(Entity(type=type, value=value.replace("\\", "/").rpartition("/")[2].lower()), start, end, value)
    return None


@functools.lru_cache(1024)
def _said_by(column: str) -> str:
    """The type of what stands in a column of this name, or ""."""
    name = column.lower().replace("-", "_")
    if "message_id" in name:
        return "message_id"
    return "file" if name.startswith("attachment_name") or name == "attachments" else ""


def _texts(cell: Any) -> Iterator[tuple[tuple[str | int, ...], bool, str]]:
    """Every text of a cell in order, with its path; without recursion, as a cell may be nested deep."""
    waiting: list[tuple[tuple[str | int, ...], bool, Any]] = [((), False, cell)]
    while waiting:
        path, in_key, value = waiting.pop()
        if isinstance(value, str):
            yield path, in_key, value
        elif len(path) < DEEPEST and isinstance(value, list):
            waiting += [((*path, index), False, item) for index, item in reversed(list(enumerate(value)))]
        elif len(path) < DEEPEST and isinstance(value, dict):
            for key, item in reversed(value.items()):
                waiting.append(((*path, key), False, item))
                waiting.append(((*path, key), True, key))
