"""A `tocsin.toml` that was made of something else: tables, each with its reason, under a list of what became of what.

A table that would not pass `tocsin config check` as it stands is switched off, and says why.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tocsin import registry
from tocsin.cli.table import plain
from tocsin.config import Config
from tocsin.errors import Taken

LONGEST_SHOWN = 120
"""Of a value in a comment."""


class Table(NamedTuple):
    """`[kind.name]` with its options in their order; `off` says why it cannot be used yet, empty if it can."""

    kind: str
    name: str
    options: Mapping[str, Any]
    why: str
    off: str = ""


class Became(NamedTuple):
    """A key as it was named there, the value that it had, in words, and what became of it."""

    key: str
    value: str
    what: str


def shown(value: object) -> str:
    """A value for a comment: on one line, cut where it is long, and only that it is there for a table."""
    if isinstance(value, Mapping):
        return "(a table)"
    if isinstance(value, list):
        inner = ["(a list)" if isinstance(each, list) else shown(each) for each in value[:20]]
        text = f"[{', '.join(inner)}{', …' if len(value) > 20 else ''}]"
    else:
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool | int | float) else str(value)
    text = plain(text)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def value_of(value: object) -> str:
    """A value as TOML (v1.0.0) writes it: texts, numbers, booleans, lists and inline tables of them."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(name)} = {value_of(each)}' for name, each in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(value_of(each) for each in value)}]"
    if isinstance(value, str):
        whole = value.encode("utf-8", "replace").decode()  # a lone surrogate is no text in TOML
        return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def checked(tables: Sequence[Table], folder: Path) -> list[Table]:
    """The same, with those off that have something wrong with them, as seen from a data folder."""
    known, context = registry.find(), Config().context(folder)
    found = []
    for table in tables:
        wrong = []
        if not table.off:
            built = known.wire({table.kind: {table.name: table.options}}, context)[1]
            wrong = [f"{problem.key.rpartition('.')[2]}: {problem.remedy}" for problem in built]
        found.append(table._replace(off="; ".join(wrong)) if wrong else table)
    return found


def text_of(head: Sequence[str], became: Sequence[Became], tables: Sequence[Table], rest: Sequence[str] = ()) -> str:
    """The whole file; `rest` are lines of TOML behind the tables."""
    lines = [f"# {line}".rstrip() for line in head]
    lines += ["#", "# What became of each key:"]
    lines += [f"#   {plain(one.key)} = {one.value} -> {plain(one.what)}" for one in became]
    for table in tables:
        lines += ["", *(f"# {plain(line)}" for line in table.why.splitlines())]
        if table.off:
            lines += ["# Switched off, because it cannot be used as it is:", f"#   {plain(table.off)}"]
        lines.append(f"[{table.kind}.{table.name}]")
        lines += ["enabled = false"] * bool(table.off)
        lines += [f"{_key(name)} = {value_of(value)}" for name, value in table.options.items()]
    return "\n".join([*lines, *rest, ""])


def written(text: str, to: Path) -> None:
    """Put it into a new file that only its owner can read: it may hold passwords. Raises Taken, OSError."""
    try:
        with open(to, "x", encoding="utf-8", opener=_for_its_owner) as file:  # Path.open takes no opener
            file.write(text)
    except FileExistsError:
        raise Taken(f"{to} is there already and stays as it is: name another file") from None


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else json.dumps(name, ensure_ascii=False)
