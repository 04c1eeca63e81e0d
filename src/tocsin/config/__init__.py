"""The configuration: one typed tree, read from `tocsin.toml`.

This room is the only reader of configuration files and environment variables. Every field says its bounds, has its
unit in its name and one sentence of description; the reference page is made of them.
"""

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, ValidationError

from tocsin.config.accumulate import AccumulateTable, AccumulateTables
from tocsin.config.collections import CollectionTable, CollectionTables, TaxiiSection, lane_of, route_of
from tocsin.config.flows import FlowsSection
from tocsin.config.sections import (
    DeliverySection,
    DetectionSection,
    EntitiesSection,
    HttpSection,
    LogSection,
    RepeatsTable,
    RepeatsTables,
    RetentionSection,
    RouteSection,
    Section,
    SharingSection,
    StoreSection,
    Tables,
)
from tocsin.config.warden import WardenClientTable, WardenSection
from tocsin.config.warden import route_of as readers_route
from tocsin.errors import Problem
from tocsin.kit.paths import DATA
from tocsin.kit.problems import problems_of
from tocsin.kit.secrets import READ
from tocsin.kit.stix_options import IDENTITIES, OURS, TOLD
from tocsin.model import Route
from tocsin.rules.accumulate import Rule

__all__ = [
    "FILE",
    "FILE_NAME",
    "AccumulateTable",
    "AccumulateTables",
    "CollectionTable",
    "CollectionTables",
    "Config",
    "DeliverySection",
    "DetectionSection",
    "EntitiesSection",
    "FlowsSection",
    "HttpSection",
    "LogSection",
    "RepeatsTable",
    "RepeatsTables",
    "RetentionSection",
    "RouteSection",
    "Section",
    "SharingSection",
    "StoreSection",
    "Surroundings",
    "Tables",
    "TaxiiSection",
    "WardenClientTable",
    "WardenSection",
    "lane_of",
    "read",
]

FILE_NAME = "tocsin.toml"
FILE = "file"
"""The key of the validation context under which the configuration's file is named, for problems."""


class Config(Section):
    """The whole file."""

    http: HttpSection = Field(default=HttpSection(), description="The HTTP door.")
    store: StoreSection = Field(default=StoreSection(), description="Where everything is kept.")
    delivery: DeliverySection = Field(default=DeliverySection(), description="How hard a lane tries.")
    retention: RetentionSection = Field(default=RetentionSection(), description="How long things are kept.")
    detection: DetectionSection = Field(default=DetectionSection(), description="How rows are read.")
    entities: EntitiesSection = Field(default=EntitiesSection(), description="What is yours, and words to look for.")
    repeats: RepeatsTables = Field(default={}, description="Where repeats are folded, one table a label of a source.")
    accumulate: AccumulateTables = Field(
        default={}, description="What is gathered as evidence, one table a rule, asked in this order."
    )
    sharing: SharingSection = Field(default=SharingSection(), description="The gate.")
    log: LogSection = Field(default=LogSection(), description="What the server writes to standard error.")
    sources: Tables = Field(default={}, description="What is fetched, one table a source.")
    parsers: Tables = Field(default={}, description="How messages are understood, one table a parser.")
    destinations: Tables = Field(default={}, description="Where alertgroups go, one table a destination.")

    taxii: TaxiiSection = Field(default=TaxiiSection(), description="The TAXII server.")
    collections: CollectionTables = Field(
        default={}, description="What the TAXII server serves, one table a collection."
    )

    warden: WardenSection | None = Field(default=None, description="The Warden server.")

    flows: FlowsSection = Field(default=FlowsSection(), description="Network flows.")

    routes: list[RouteSection] = Field(
        default=[], description="Who gets what, asked in this order; then the routes made on the page Rules."
    )

    _file: str = PrivateAttr(default=FILE_NAME)

    def model_post_init(self, context: Any) -> None:
        """Remember the name of the file, for problems found later."""
        if context:
            self._file = context.get(FILE, FILE_NAME)

    def routing(self) -> list[Route]:
        """The routes as the rules know them."""
        return [route.noun for route in self.routes]

    def accumulating(self) -> list[Rule]:
        """The accumulate rules that are asked, in their order."""
        return [table.rule(name) for name, table in self.accumulate.items() if table.enabled]

    def gathering(self) -> list[Route]:
        """The collections' own routes, each to the lane of its collection."""
        return [route_of(name, table) for name, table in self.collections.items() if table.enabled]

    def serving(self) -> list[Route]:
        """The routes to all that is served: the collections, and what Warden's readers get."""
        readers = [readers_route(self.warden)] if self.warden is not None and self.warden.enabled else []
        return [*self.gathering(), *readers]

    def context(self, data: Path) -> dict[str, Any]:
        """What the options of plug-ins are validated with.

        The reader of secrets, the data folder, this file's name, what is our own, and in whose name STIX is written.
        """
        told = {TOLD: self.entities.known, IDENTITIES: self._identities()}
        return {READ: Surroundings(data), DATA: data, FILE: self._file, **told}

    def _identities(self) -> frozenset[str]:
        """What the destinations and collections call themselves in STIX, those that are not enabled too."""
        said = [table.get("identity") for table in self.destinations.values()]
        return frozenset((*filter(None, map(_text, said)), *(one.identity for one in self.collections.values()), OURS))


def _text(value: object) -> str:
    """A text as it stands in the file; what is none is told of elsewhere."""
    return value if isinstance(value, str) else ""


class Surroundings:
    """Reads what a secret's table names: the environment, and files relative to the data folder."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def env(self, name: str) -> str:
        """The value of an environment variable. Raises KeyError when it is not set."""
        return os.environ[name]

    def file(self, name: str) -> str:
        """The text of a file, without the line end that closes it. Raises OSError or ValueError (not UTF-8)."""
        return (self._data / name).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")


def read(data: Path, file: Path | None = None) -> tuple[Config, list[Problem]]:
    """The configuration of the data folder, from `file` or else its `tocsin.toml`, and all that is wrong with it.

    What is wrong is left out of the returned tree, so that plug-ins can be checked too before anything is said.
    A missing `tocsin.toml` means defaults; a missing `file` is a problem.
    """
    path = file or data / FILE_NAME
    given, problems = _parsed(path, optional=file is None)
    context = {READ: Surroundings(data), DATA: data, FILE: str(path)}
    while True:
        try:
            config = Config.model_validate(given, context=context)
        except ValidationError as error:
            problems += problems_of(error, Config, given, str(path), "")
            for place in {found["loc"][:2] for found in error.errors(include_url=False, include_input=False)}:
                _leave_out(given, place)
        else:
            return config, problems


def _parsed(path: Path, optional: bool) -> tuple[dict[str, Any], list[Problem]]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig")), []
    except FileNotFoundError:
        return {}, [] if optional else [Problem(str(path), "(file)", "", "there is no such file")]
    except OSError as error:
        return {}, [Problem(str(path), "(file)", "", f"make it readable ({error.strerror})")]
    except UnicodeDecodeError as error:
        return {}, [Problem(str(path), f"(byte {error.start})", "", "save the file as UTF-8")]
    except tomllib.TOMLDecodeError as error:
        return {}, [Problem(str(path), "(syntax)", "", f"is no TOML: {error}")]


def _leave_out(given: dict[str, Any], place: tuple[int | str, ...]) -> None:
    """Takes a bad value out of the tree: its key where it stands in a section, else the section."""
    section = given.get(str(place[0]))
    if len(place) > 1 and isinstance(section, dict) and place[1] in section:
        del section[place[1]]
    else:
        given.pop(str(place[0]), None)
