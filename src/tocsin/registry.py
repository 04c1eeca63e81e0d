"""Finds plug-ins: the modules of our three folders, entry points, and files in `DIR/plugins`, by the same door.

Makes plug-ins of the tables of the configuration. What stands in such a table beside the plug-in's own options
(`type`, `enabled`, and for a destination what `DestinationOptions` names) is read here and never seen by the plug-in.
"""

import enum
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tocsin import __version__
from tocsin.errors import ConfigError, Problem
from tocsin.kit.own_modules import modules_in
from tocsin.kit.problems import nearest, problems_of
from tocsin.model import TLP
from tocsin.plugin import Destination, Parser, Plugin, Source
from tocsin.sharing.profile import Clearance, Profile

OURS = "tocsin"
PLUGINS = "plugins"
"""The folder of the data folder into which users put plug-ins of their own, one file each."""
FILE = "file"
"""The key of the validation context under which the configuration's file is named."""

ON_BY_DEFAULT = ("idea_log", "text_log")
"""Destinations that need no table in the configuration; so are parsers, built-in ones and those in `DIR/plugins`."""

BREAKAGE = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError),
    *(OSError, RuntimeError, SyntaxError, TypeError, ValueError),
)
"""What a stranger's module may raise while it is imported."""


class Kind(enum.StrEnum):
    """The three kinds of plug-in."""

    SOURCE = "source"
    PARSER = "parser"
    DESTINATION = "destination"

    @property
    def table(self) -> str:
        """The folder, the configuration's table and the last word of the entry point group."""
        return f"{self.value}s"


CLASSES: dict[Kind, type[Plugin]] = {Kind.SOURCE: Source, Kind.PARSER: Parser, Kind.DESTINATION: Destination}


class TableOptions(BaseModel):
    """What every plug-in's table may say."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    enabled: bool = Field(default=True, description="Whether it is used.")


class DestinationOptions(TableOptions):
    """What every destination's table may say."""

    clearance: Clearance = Field(
        default=TLP.RED, description="The most restricted traffic light (TLP) that may be sent; red is everything."
    )

    redact: str | Profile | None = Field(
        default=None,
        description="What is taken out of all that is sent: the name of a profile of `[sharing.profiles]`, "
        "or a table with the options of one.",
    )

    rate_per_s: float = Field(
        default=0, ge=0, le=100_000, description="No more deliveries a second than this; 0 sets no limit."
    )
    batch_size: int | None = Field(
        default=None, ge=1, description="How many one call may carry; none: as many as the type takes."
    )
    concurrency: int = Field(
        default=1,
        ge=1,
        le=32,
        description="How many calls may be under way at once, for types that take one delivery in a call; the rate is "
        "shared among them.",
    )
    ordered: bool = Field(
        default=False,
        description="Whether a delivery that must wait for another attempt holds back all later ones.",
    )
    push_delay: float = Field(
        default=0,
        ge=0,
        le=86400,
        description="Seconds from one call to the next, while deliveries gather; what has gathered is also sent at the "
        "end. 0: at once.",
    )
    updates: bool = Field(
        default=True,
        description="Whether the destination hears of changes of what it was sent (status, repeats), if it can.",
    )
    first_wait_s: float | None = Field(default=None, gt=0, le=3600, description="Instead of `[delivery]`'s.")
    longest_wait_s: float | None = Field(default=None, gt=0, le=7 * 86400, description="Instead of `[delivery]`'s.")
    max_attempts: int | None = Field(default=None, ge=0, description="Instead of `[delivery]`'s.")
    give_up_after_h: float | None = Field(default=None, ge=0, description="Instead of `[delivery]`'s.")


class Found(NamedTuple):
    """A plug-in type: its name, its class, and the package it came from with that package's version."""

    kind: Kind
    name: str
    plugin: type[Plugin]
    origin: str
    version: str


@dataclass(frozen=True)
class Wiring:
    """The plug-ins in use, by the names of their tables. `clearances` has one entry per destination."""

    sources: Mapping[str, Source] = field(default_factory=dict)
    parsers: Mapping[str, Parser] = field(default_factory=dict)
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    clearances: Mapping[str, TLP] = field(default_factory=dict)
    redactions: Mapping[str, str | Profile] = field(default_factory=dict)
    """By destination, the redaction profile or its name."""
    options: Mapping[str, DestinationOptions] = field(default_factory=dict)
    """By destination, what its table says beside the plug-in's own options."""


class Registry:
    """The plug-in types there are. `broken` says by kind and type which could not be loaded, and why."""

    def __init__(self) -> None:
        self.broken: dict[tuple[Kind, str], str] = {}
        self._found: dict[tuple[Kind, str], Found] = {}

    def add(self, kind: str, type: str, cls: object, origin: str, version: str) -> None:
        """Take in a plug-in type.

        Raises:
            ConfigError: it is no plug-in of that kind, or another one has its name.
        """
        kind = Kind(kind)
        wanted = CLASSES[kind]
        if not (inspect.isclass(cls) and issubclass(cls, wanted)) or inspect.isabstract(cls):
            shown = getattr(cls, "__qualname__", None) or getattr(cls, "__name__", cls)
            remedy = f"{shown} must be one complete subclass of tocsin.plugin.{wanted.__name__}"
            raise ConfigError([Problem(origin, f"{kind} {type}", "", remedy)])
        there = self._found.get((kind, type))
        if there is not None:
            remedy = f"two packages offer it, {there.origin} {there.version} and {origin} {version}; uninstall one"
            if origin.startswith(f"{PLUGINS}/"):
                remedy = f"there is one of that name from {there.origin} {there.version}; rename {origin}"
            raise ConfigError([Problem(origin, f"{kind} {type}", "", remedy)])
        self._found[kind, type] = Found(kind, type, cls, origin, version)

    def found(self) -> list[Found]:
        """Every type, sorted by kind and name."""
        return [self._found[key] for key in sorted(self._found)]

    def build(
        self, kind: str, name: str, options: Mapping[str, Any], context: Mapping[str, Any]
    ) -> Plugin | list[Problem]:
        """The plug-in of the table `[kind.name]`, or all that is wrong with its options."""
        kind = Kind(kind)
        file, table = str(context.get(FILE, "")), f"{kind.table}.{name}"
        own = {
            key: value
            for key, value in options.items()
            if key not in _table_options(kind).model_fields and key != "type"
        }
        type_name = options.get("type", name)
        there = self._found.get((kind, type_name)) if isinstance(type_name, str) else None
        if there is None:
            return [self._unknown(kind, type_name, "type" in options, file, table)]
        try:
            return there.plugin.model_validate(own, context=dict(context))
        except ValidationError as error:
            return problems_of(error, there.plugin, own, file, table)

    def wire(
        self, tables: Mapping[str, Mapping[str, Mapping[str, Any]]], context: Mapping[str, Any]
    ) -> tuple[Wiring, list[Problem]]:
        """Everything the configuration asks for, with what is on by default, and all that is wrong with it.

        `tables` has the configuration's tables under "sources", "parsers" and "destinations".
        """
        problems: list[Problem] = []
        clearances: dict[str, TLP] = {}
        redactions: dict[str, str | Profile] = {}
        said: dict[str, DestinationOptions] = {}
        made: dict[Kind, dict[str, Plugin]] = {kind: {} for kind in Kind}
        for kind in Kind:
            for name, options in self._asked(kind, tables).items():
                shared = self._checked_table(kind, name, options, context, problems)
                if shared is not None and not shared.enabled:
                    continue
                built = self.build(kind, name, options, context)
                if isinstance(built, list):
                    problems += built
                    continue
                made[kind][name] = built
                if isinstance(shared, DestinationOptions):
                    clearances[name], said[name] = shared.clearance, shared
                    problems += _paces(name, shared, built, context)
                    if shared.redact is not None:
                        redactions[name] = shared.redact
        wiring = Wiring(
            sources={name: made_ for name, made_ in made[Kind.SOURCE].items() if isinstance(made_, Source)},
            parsers={name: made_ for name, made_ in made[Kind.PARSER].items() if isinstance(made_, Parser)},
            destinations={
                name: made_ for name, made_ in made[Kind.DESTINATION].items() if isinstance(made_, Destination)
            },
            clearances=clearances,
            redactions=redactions,
            options=said,
        )
        return wiring, problems

    def names_of(self, found: Found, tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
        """The names under which a type is used, by the configuration's tables and by default."""
        asked = self._asked(found.kind, tables).items()
        return [
            name
            for name, options in asked
            if options.get("type", name) == found.name and options.get("enabled", True) is not False
        ]

    def _asked(self, kind: Kind, tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
        """The tables of a kind, after those there are without a configuration."""
        ours = [there.name for there in self.found() if there.kind is kind and there.origin == OURS]
        dropped = [
            there.name
            for there in self.found()
            if there.kind is kind and there.origin.startswith(f"{PLUGINS}/") and not _needs_options(there.plugin)
        ]
        on = {
            Kind.SOURCE: [],
            Kind.PARSER: ours + dropped,
            Kind.DESTINATION: [name for name in ours if name in ON_BY_DEFAULT],
        }
        return {name: {} for name in on[kind]} | dict(tables.get(kind.table, {}))

    def _checked_table(
        self, kind: Kind, name: str, options: Mapping[str, Any], context: Mapping[str, Any], problems: list[Problem]
    ) -> TableOptions | None:
        try:
            return _table_options(kind).model_validate(options)
        except ValidationError as error:
            problems += problems_of(
                error, _table_options(kind), options, str(context.get(FILE, "")), f"{kind.table}.{name}"
            )
            return None

    def _unknown(self, kind: Kind, type_name: object, said: bool, file: str, table: str) -> Problem:
        broken = self.broken.get((kind, str(type_name)))
        if broken is not None:
            return Problem(file, f"{table}.type", f'"{type_name}"', broken)
        types = [there.name for there in self.found() if there.kind is kind]
        offer = nearest(str(type_name), types)
        if not said:
            return Problem(file, f"{table}.type", "", f"is required: the type of {kind}; {offer}")
        return Problem(file, f"{table}.type", f'"{type_name}"', f"there is no such type of {kind}; {offer}")


def _paces(name: str, said: DestinationOptions, built: Plugin, context: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with batches and calls at once: more than the type takes."""
    file, table = str(context.get(FILE, "")), f"{Kind.DESTINATION.table}.{name}"
    most = built.batch if isinstance(built, Destination) else 1
    found = []
    if said.batch_size is not None and said.batch_size > most:
        remedy = f"must be at most {most} for this type"
        found.append(Problem(file, f"{table}.batch_size", str(said.batch_size), remedy))
    if said.concurrency > 1 and (most > 1 or said.ordered or (isinstance(built, Destination) and built.ordered)):
        why = "this type takes many deliveries in one call" if most > 1 else "the lane keeps its order"
        found.append(Problem(file, f"{table}.concurrency", str(said.concurrency), f"must be 1: {why}"))
    return found


def find(data: Path | None = None) -> Registry:
    """Every plug-in that is installed: ours first, then those of entry points, then the files in `data`/plugins.

    An entry point or a file that cannot be loaded is remembered in `Registry.broken`.

    Raises:
        ConfigError: two plug-ins of one kind have the same name.
    """
    registry = Registry()
    problems: list[Problem] = []
    for kind in Kind:
        folder = importlib.import_module(f"{OURS}.{kind.table}")
        for module in sorted(pkgutil.iter_modules(folder.__path__), key=lambda each: each.name):
            cls = _only_plugin_of(importlib.import_module(f"{folder.__name__}.{module.name}"), kind)
            _take_in(registry, kind, module.name, cls, OURS, __version__, problems)
    for kind in Kind:
        for point in sorted(metadata.entry_points(group=f"{OURS}.{kind.table}"), key=lambda each: each.name):
            origin = point.dist.name if point.dist else point.value
            version = point.dist.version if point.dist else ""
            try:
                loaded = point.load()
            except BREAKAGE as error:
                why = f"{type(error).__name__}: {error}"
                registry.broken[kind, point.name] = f"mend or uninstall {origin} {version}; it does not load ({why})"
            else:
                _take_in(registry, kind, point.name, loaded, origin, version, problems)
    if data is not None:
        _take_in_files(registry, data / PLUGINS, problems)
    if problems:
        raise ConfigError(problems)
    return registry


def _take_in_files(registry: Registry, folder: Path, problems: list[Problem]) -> None:
    for path, module, why in modules_in(folder, (*BREAKAGE, SystemExit)):
        origin = f"{PLUGINS}/{path.name}"
        if module is None:
            registry.broken[Kind.PARSER, path.stem] = f"{origin}: {why}"
            continue
        classes = {kind: _plugins_of(module, kind) for kind in Kind}
        if not any(classes.values()):
            remedy = f"{origin} holds no complete subclass of tocsin.plugin.Parser; a file that is none begins with _"
            registry.broken[Kind.PARSER, path.stem] = remedy
        for kind, found in classes.items():
            if len(found) > 1:
                named = ", ".join(each.__name__ for each in found)
                registry.broken[kind, path.stem] = f"{origin} holds several ({named}): give each a file of its own"
            elif found:
                _take_in(registry, kind, path.stem, found[0], origin, found[0].version, problems)


def options_of(kind: str) -> type[TableOptions]:
    """The options that every table of a kind may hold beside the plug-in's own."""
    return _table_options(Kind(kind))


def _take_in(
    registry: Registry, kind: Kind, name: str, cls: object, origin: str, version: str, problems: list[Problem]
) -> None:
    try:
        registry.add(kind, name, cls, origin, version)
    except ConfigError as error:
        problems += error.problems


def _only_plugin_of(module: Any, kind: Kind) -> object:
    """The one class of that kind that is defined in the module (or, in a package, below it)."""
    here = [
        cls
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, CLASSES[kind])
        and not name.startswith("_")
        and f"{cls.__module__}.".startswith(f"{module.__name__}.")
    ]
    return here[0] if len(here) == 1 else module


def _plugins_of(module: ModuleType, kind: Kind) -> list[type[Plugin]]:
    """The complete classes of that kind that are defined in a user's file."""
    return [
        cls
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, CLASSES[kind])
        and cls.__module__ == module.__name__
        and not name.startswith("_")
        and not inspect.isabstract(cls)
    ]


def _needs_options(plugin: type[Plugin]) -> bool:
    return any(option.is_required() for option in plugin.model_fields.values())


def _table_options(kind: Kind) -> type[TableOptions]:
    return DestinationOptions if kind is Kind.DESTINATION else TableOptions
