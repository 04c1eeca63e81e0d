"""The TAXII server's part of the configuration: its API roots, and what its collections hold for whom."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic import model_validator as after_all

from tocsin.config.sections import Name, Query, Section
from tocsin.errors import Problem
from tocsin.kit.problems import nearest
from tocsin.kit.stix_options import StixOptions
from tocsin.model import TLP, Route
from tocsin.sharing.profile import Clearance, Profile

if TYPE_CHECKING:
    from tocsin.config import Config

LANE = "taxii-"
"""Before a collection's name: the name of its lane."""
EVERYBODY = "*"
OF_ROLE = re.compile(r"role:(partner|sender|viewer|analyst|admin)")


def _who(text: str) -> str:
    if text.startswith("role:") and not OF_ROLE.fullmatch(text):
        raise ValueError("after role: stands partner, sender, viewer, analyst or admin")
    if text.strip():
        return text
    raise ValueError('must be the name of a key or an account, "role:ROLE" or "*"')


Who = Annotated[str, AfterValidator(_who)]


class ApiRootTable(Section):
    """A group of collections, at `/taxii2/NAME/`."""

    title: str = Field(default="", description="What clients call it; its name, if empty.")
    description: str = Field(default="", description="What stands in it, in a sentence.")


class TaxiiSection(Section):
    """The TAXII 2.1 server at `/taxii2/` ([how that works](../collections.md)). Without collections it is empty."""

    title: str = Field(default="Tocsin", min_length=1, description="What clients call this server.")
    description: str = Field(default="", description="Whose it is, in a sentence.")
    contact: str = Field(default="", description="Whom to ask, such as an address of mail.")
    api_roots: dict[Name, ApiRootTable] = Field(
        default={},
        description="The API roots, one table each with a title and a description; the first is the default one. "
        "Without any there is one, named default.",
    )
    page_objects: int = Field(
        default=1000, ge=1, le=20_000, description="No page holds more objects than this, whatever a client asks for."
    )
    max_content_mib: int = Field(
        default=10, ge=1, le=1024, description="What clients hand in is refused with 413 where it is larger."
    )

    @property
    def roots(self) -> dict[str, ApiRootTable]:
        """The API roots, of which there is always one."""
        return self.api_roots or {"default": ApiRootTable(title=self.title)}


class CollectionTable(Section, StixOptions):
    """What a query means, as STIX 2.1 for the clients of a TAXII server ([how that works](../collections.md)).

    It is a lane named `taxii-NAME`: it can be paused, replayed and silenced, and its ledger says what stands in it.
    """

    enabled: bool = Field(default=True, description="Whether it is filled and served.")
    title: str = Field(default="", description="What clients call it; its name, if empty.")
    description: str = Field(default="", description="What stands in it, in a sentence.")
    id: UUID | None = Field(
        default=None, description="Its id for clients; without it one is made of its name, the same for ever."
    )
    api_root: Name | None = Field(default=None, description="Where it stands; none: the first of `[taxii.api_roots]`.")
    query: Query = Field(default="", description="Which alertgroups, in the query language; empty is every one.")
    clearance: Clearance = Field(
        default=TLP.AMBER,
        description="The most restricted traffic light (TLP) that may stand in it; red is everything.",
    )
    redact: str | Profile | None = Field(
        default=None,
        description="What is taken out of all that stands in it: the name of a profile of `[sharing.profiles]`, or a "
        "table with the options of one.",
    )
    readers: list[Who] = Field(
        default=["role:viewer"],
        description='Who may read it: names of keys and accounts, "role:ROLE" (and who may do more), or "*" for '
        "everybody who has a key or an account. Admins always may.",
    )
    accept_writes: bool = Field(
        default=False, description="Whether clients may hand in objects, which become messages like any other."
    )
    writers: list[Who] = Field(default=["role:sender"], description="Who may, in the same words.")

    @after_all(mode="after")
    def _writers_can_write(self) -> Self:
        if not self.accept_writes and "writers" in self.model_fields_set and self.writers:
            raise ValueError("writers are named, but accept_writes is not true")
        return self


CollectionTables = dict[Name, CollectionTable]


def lane_of(name: str) -> str:
    """The name of a collection's lane."""
    return LANE + name


def route_of(name: str, table: CollectionTable) -> Route:
    """What owes a collection its alertgroups: a route of its own that stands beside all others."""
    return Route(name=name, query=table.query, to=(lane_of(name),))


def faults(config: "Config", destinations: Mapping[str, object], file: str) -> list[Problem]:
    """What is wrong with the collections in the company they keep: names, API roots, profiles, ids."""
    problems: list[Problem] = []
    roots, seen = config.taxii.roots, dict[UUID, str]()
    for name, table in config.collections.items():
        place, lane = f"collections.{name}", lane_of(name)
        if lane in destinations or lane in config.sources:
            problems.append(Problem(file, place, "", f"its lane is {lane}: there is a table of that name; rename one"))
        if table.api_root is not None and table.api_root not in roots:
            problems.append(Problem(file, f"{place}.api_root", f'"{table.api_root}"', nearest(table.api_root, roots)))
        if isinstance(table.redact, str) and table.redact not in config.sharing.profiles:
            profiles = config.sharing.profiles
            offer = nearest(table.redact, profiles) if profiles else "there are none"
            remedy = f"there is no such table in [sharing.profiles]; {offer}"
            problems.append(Problem(file, f"{place}.redact", f'"{table.redact}"', remedy))
        if table.id is not None and seen.setdefault(table.id, name) != name:
            problems.append(Problem(file, f"{place}.id", str(table.id), f"{seen[table.id]} has it already"))
    return problems
