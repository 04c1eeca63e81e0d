"""Names of columns as strangers give them: repeated, empty, missing; and nested values under dotted names."""

from collections.abc import Container, Iterable, Mapping
from typing import Any

import msgspec

DEEPEST = 20

_LEVEL = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder()
_NULL = msgspec.Raw(b"null")

Cells = dict[str, Any]


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in place: the second `src` is `src_2`, the third column without a name is `c3`."""
    found = [name.strip() or f"c{place}" for place, name in enumerate(names, 1)]
    taken = set(found)
    seen: set[str] = set()
    numbers: dict[str, int] = {}
    for place, name in enumerate(found):
        if name in seen:
            number = numbers.get(name, 2)
            while f"{name}_{number}" in taken:
                number += 1
            numbers[name] = number + 1
            found[place] = f"{name}_{number}"
            taken.add(found[place])
        seen.add(found[place])
    return tuple(found)


def free(name: str, taken: Container[str]) -> str:
    """The name, or the name with the first number behind it that is not taken."""
    number, found = 2, name
    while found in taken:
        found = f"{name}_{number}"
        number += 1
    return found


def flat(text: bytes | str, *, spread: bool = False) -> Cells:
    """A JSON object as one level of dotted names, every value in its own spelling.

    An empty object stays, as it says something too; so do lists. With `spread`, a list of objects becomes a column
    for each of their names, holding a list of the values in order (null where an object has none).

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: it is no JSON object.
    """
    _ANY.decode(text)  # all of it is JSON; what follows looks at one level after the other
    row: Cells = {}
    _flatten(_LEVEL.decode(text), "", row, spread, 0)
    return row


def _flatten(level: Mapping[str, msgspec.Raw], prefix: str, row: Cells, spread: bool, depth: int) -> None:
    for name, raw in level.items():
        value = bytes(raw).strip()
        path = f"{prefix}{name}"
        inner = _LEVEL.decode(value) if value[:1] == b"{" and depth < DEEPEST else None
        if inner:
            _flatten(inner, f"{path}.", row, spread, depth + 1)
        elif spread and value[:1] == b"[" and depth < DEEPEST and (columns := _spread(value, depth + 1)):
            for below, cells in columns.items():
                row[free(f"{path}.{below}", row)] = cells
        else:
            row[free(path, row)] = msgspec.Raw(value)


def _spread(text: bytes, depth: int) -> Cells:
    """The columns of a list of objects; nothing when it is a list of something else."""
    items = [bytes(raw).strip() for raw in _LIST.decode(text)]
    if not items or any(item[:1] != b"{" for item in items):
        return {}
    rows: list[Cells] = []
    for item in items:
        rows.append({})
        _flatten(_LEVEL.decode(item), "", rows[-1], True, depth)
    if len(rows) == 1:
        return rows[0]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name, _NULL) for row in rows] for name in names}
