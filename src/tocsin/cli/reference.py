"""The reference page of the configuration, made from the fields of its sections and of every plug-in of ours."""

import enum
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from tocsin.config import Config, Section
from tocsin.registry import OURS, Found, Kind, find, options_of

HEAD = """\
# Configuration

<!-- Made from the code by `tocsin docs reference`; changes here are lost. -->

Tocsin reads `tocsin.toml` in its data folder, or the file given by `--config`. Without a file everything has the
default written below. `tocsin config check` names everything that is wrong in a file: key, value and what to do.

**Secrets** are given as text, as `{ env = "NAME" }` (an environment variable) or as `{ file = "path" }` (a file;
its last line end does not count). They are never printed. **Paths** that are not absolute stand in the data folder.
"""

PLUGINS = """\
## Plug-ins

A table `[sources.NAME]`, `[parsers.NAME]` or `[destinations.NAME]` sets up one plug-in under a name of your choice.
`type` says which one; where it is left out, the name is the type. Without any table every built-in parser is on under
its own name, and so are the destinations `idea_log` and `text_log`; `enabled = false` turns one off. A file in the
folder `plugins` of the data folder is a plug-in, too; a parser there is on by itself unless it needs options
([how to write one](../write-a-parser.md)).

```toml
[destinations.idea_log]
enabled = false

[destinations.soc_chat]
type = "webhook"
url = { env = "SOC_CHAT_URL" }
clearance = "green"
```
"""

WORDS: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}
BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
LENGTHS = {"min_length": "at least", "max_length": "at most"}


def page() -> str:
    """The whole page, as Markdown."""
    parts = [HEAD]
    for name, field in Config.model_fields.items():
        if (section := _section_of(field.annotation)) is not None:
            parts.append(f"## `[{name}]`\n\n{_told(section)}\n\n{_table(section)}")
            for inner, inner_field in section.model_fields.items():
                if (table := _table_of(inner_field.annotation)) and get_origin(inner_field.annotation) is dict:
                    parts.append(f"`[{name}.{inner}.NAME]` is a table:\n\n{_told(table)}\n\n{_table(table)}")
        elif field.annotation is not None and (table := _table_of(field.annotation)):
            title = f"[[{name}]]" if get_origin(field.annotation) is list else f"[{name}.LABEL]"
            parts.append(f"## `{title}`\n\n{_told(table)}\n\n{_table(table)}")
    parts.append(PLUGINS)
    registry = find()
    for kind in Kind:
        parts.append(
            f"## {kind.table.capitalize()}\n\nOptions of every {kind}, beside its own:\n\n{_table(options_of(kind))}"
        )
        for found in registry.found():
            if found.kind is kind and found.origin == OURS:
                own = _table(found.plugin) if found.plugin.model_fields else "No options of its own.\n"
                parts.append(f'### `type = "{found.name}"`\n\n{_told(found.plugin)}\n\n{own}')
                parts += [
                    f"`{name}` is a table:\n\n{_told(table)}\n\n{_table(table)}" for name, table in _tables(found)
                ]
    return "\n".join(parts)


def _section_of(annotation: Any) -> type[Section] | None:
    """The section itself, or one that may be left out."""
    for each in (annotation, *(get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ())):
        if isinstance(each, type) and issubclass(each, Section):
            return each
    return None


def _table_of(annotation: Any) -> type[Section] | None:
    """The section of which there is one for each name, or a list."""
    held = get_args(annotation)[-1] if get_origin(annotation) in (dict, list) else None
    return held if isinstance(held, type) and issubclass(held, Section) else None


def _tables(found: Found) -> Iterator[tuple[str, type[BaseModel]]]:
    """The options of a plug-in that are tables themselves."""
    for name, field in found.plugin.model_fields.items():
        for each in (field.annotation, *get_args(field.annotation)):
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield name, each


def _told(model: type[BaseModel]) -> str:
    """A class's docstring as Markdown."""
    return inspect.getdoc(model) or ""


def _table(model: type[BaseModel]) -> str:
    lines = ["| option | type | default | bounds | description |", "|---|---|---|---|---|"]
    for name, field in model.model_fields.items():
        cells = [f"`{name}`", _type(field.annotation), _default(field), _bounds(field), field.description or ""]
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(_type(each) for each in arguments if each is not NoneType)
    if origin is Literal:
        return ", ".join(f'`"{each}"`' for each in arguments)
    if origin in (list, tuple, set, frozenset):
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"table of {_type(arguments[1])}"
    if origin is not None:
        return _type(arguments[0])
    if isinstance(annotation, type):
        if issubclass(annotation, SecretStr):
            return "secret"
        if issubclass(annotation, BaseModel):
            return "table"
        if issubclass(annotation, enum.Enum):
            return ", ".join(f"`{_toml(each.value)}`" for each in annotation)
    return WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "none"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()  # a default stands in the code for everybody to read
    return f"`{_toml(value)}`" if value != "" else "empty"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | Path):
        return f'"{value}"'
    if isinstance(value, list | tuple | set | frozenset):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }" if value else "{}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _bounds(field: FieldInfo) -> str:
    return ", ".join(_said(field))


def _said(field: FieldInfo) -> Iterator[str]:
    for rule in field.metadata:
        for name, words in BOUNDS.items():
            if getattr(rule, name, None) is not None:
                yield f"{words} {getattr(rule, name)}"
        for name, words in LENGTHS.items():
            if getattr(rule, name, None) is not None:
                yield f"{words} {getattr(rule, name)} long"
        if getattr(rule, "pattern", None):
            yield f"of the form `{rule.pattern}`"
