"""The sections of the configuration: every field says its bounds, has its unit in its name and is told in a line."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from pydantic import model_validator as after_all

from tocsin import detection
from tocsin import query as query_language
from tocsin.entities import PRIVATE, SUFFIXES, told
from tocsin.errors import BadQuery, Malformed
from tocsin.kit.paths import DataPath
from tocsin.kit.problems import nearest
from tocsin.kit.secrets import Secret
from tocsin.model import TLP, Route
from tocsin.rules import repeats, spans
from tocsin.sharing.profile import Profile

SHORTEST_KEY = 16
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def _name(text: str) -> str:
    if NAME.fullmatch(text):
        return text
    raise ValueError("a name has letters, digits, '_', '-' and '.' only, and at most 64 of them")


def _query(text: str) -> str:
    try:
        query_language.parse(text)
    except BadQuery as error:
        raise ValueError(str(error)) from None
    return text


Name = Annotated[str, AfterValidator(_name)]
Query = Annotated[str, AfterValidator(_query)]
Tables = dict[Name, dict[str, Any]]


class Section(BaseModel):
    """A table of the file: frozen, and nothing unknown in it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True, allow_inf_nan=False
    )


class HttpSection(Section):
    """The HTTP door: where it listens and what it lets in."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address or host name to listen on.")
    port: int = Field(default=8417, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    max_body_mib: int = Field(default=64, ge=1, le=1024, description="A larger request body is refused with 413.")
    max_rows: int = Field(
        default=10_000, ge=1, le=1_000_000, description="An alertgroup with more rows is refused with 413."
    )
    split_rows: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Cut a posted alertgroup into groups of so many rows and answer with a list, "
        "as SCOT does with 100; 0 never cuts.",
    )
    session_hours: float = Field(default=12, gt=0, le=24 * 365, description="A sign-in to the pages lasts so long.")
    trusted_proxies: list[str] = Field(
        default=["127.0.0.1", "::1"],
        description="Addresses or networks of reverse proxies whose X-Forwarded-For and -Proto are believed.",
    )
    tls_certificate: DataPath | None = Field(
        default=None, description="PEM file with the certificate chain; with it the door speaks HTTPS."
    )
    tls_key: DataPath | None = Field(default=None, description="PEM file with the certificate's private key.")

    @after_all(mode="after")
    def _certificate_and_key_come_together(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("give both tls_certificate and tls_key, or neither")
        return self


class StoreSection(Section):
    """Where everything is kept."""

    url: Secret = Field(
        default=Secret("sqlite"),
        description='"sqlite" keeps it in the data folder; "postgresql://user:password@host/name" in PostgreSQL.',
    )

    shared: bool = Field(
        default=False,
        description="Say true where several Tocsins work on one PostgreSQL; then a killed one's deliveries "
        "come back when their lease ends, not at once.",
    )

    @field_validator("url")
    @classmethod
    def _known_engine(cls, url: Secret) -> Secret:
        if url.get_secret_value() == "sqlite" or url.get_secret_value().startswith(("postgresql://", "postgres://")):
            return url
        raise ValueError('must be "sqlite" or begin with postgresql://')


class DeliverySection(Section):
    """How hard a lane tries."""

    first_wait_s: float = Field(default=2, gt=0, le=3600, description="Wait after the first failure; doubles.")
    longest_wait_s: float = Field(default=3600, gt=0, le=7 * 86400, description="No wait is longer.")
    lease_s: float = Field(default=60, ge=1, le=86400, description="A worker silent this long is taken for dead.")
    max_attempts: int = Field(
        default=0, ge=0, description="A delivery that failed so often is parked as failed; 0 sets no limit."
    )
    give_up_after_h: float = Field(
        default=72, ge=0, description="A delivery still not made after so long is parked as failed; 0 never gives up."
    )
    stop_wait_s: float = Field(
        default=10, ge=0, le=600, description="When stopping, wait so long for attempts under way."
    )

    @after_all(mode="after")
    def _waits_are_in_order(self) -> Self:
        if self.longest_wait_s < self.first_wait_s:
            raise ValueError("longest_wait_s must not be shorter than first_wait_s")
        return self


class RetentionSection(Section):
    """How long things are kept. 0 keeps them for ever; nothing that is still owed is ever removed."""

    originals_days: float = Field(default=0, ge=0, description="Remove a message's original bytes after so long.")
    alerts_days: float = Field(default=0, ge=0, description="Remove alertgroups and their alerts after so long.")
    receipts_days: float = Field(default=0, ge=0, description="Remove receipts of settled deliveries after so long.")


def _field(text: str) -> str:
    if text in detection.FIELDS:
        return text
    raise ValueError(f"there is no such field of a detection; {nearest(text, detection.FIELDS)}")


def _column(text: str) -> str:
    if any(letter.isalnum() for letter in text):
        return text
    raise ValueError("a column's name has a letter or a digit")


class DetectionSection(Section):
    """How rows are read for what they mean."""

    names: dict[Annotated[str, AfterValidator(_field)], list[Annotated[str, AfterValidator(_column)]]] = Field(
        default={},
        description="More column names by field of the detection, asked before the built-in ones, such as "
        f'`src = ["client address"]`. Fields are {", ".join(detection.FIELDS)}.',
    )


class SharingSection(Section):
    """The gate: what alertgroups without a TLP count as, and what partners are not to see."""

    unmarked: TLP = Field(
        default=TLP.AMBER, description="The traffic light (TLP) that an alertgroup counts as that nobody marked."
    )
    by_source: dict[str, TLP] = Field(
        default={}, description='The same by a label of its source, such as `splunk = "green"`.'
    )
    profiles: dict[Annotated[str, AfterValidator(_name)], Profile] = Field(
        default={}, description="Redaction profiles by name, for `redact` of destinations."
    )
    key: Secret | None = Field(
        default=None,
        description="What pseudonyms are made with: another key, other pseudonyms. "
        "Without it, one is made once and kept in the data folder as sharing.key.",
    )

    @field_validator("unmarked", "by_source")
    @classmethod
    def _says_something(cls, given: TLP | dict[str, TLP]) -> TLP | dict[str, TLP]:
        if TLP.UNSET in (given.values() if isinstance(given, dict) else (given,)):
            raise ValueError("must be clear, green, amber, amber+strict or red")
        return given

    @field_validator("key")
    @classmethod
    def _is_long_enough(cls, key: Secret | None) -> Secret | None:
        if key is not None and len(key.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"must have {SHORTEST_KEY} characters or more")
        return key


class PatternTable(Section):
    """What matches is an entity of that type."""

    type: str = Field(min_length=1, description="A word of letters, digits, - and _.")
    pattern: str = Field(min_length=1, description="An RE2 pattern; a match is 1,024 characters at most.")


class EntitiesSection(Section):
    """What you tell Tocsin of your networks, names and words ([what is found without](../entities.md)).

    What was stored before a change is brought in line by `tocsin entities rebuild`.
    """

    own_networks: list[str] = Field(
        default=list(PRIVATE), description="Addresses and networks that are yours; what lies in them is marked as own."
    )
    own_domains: list[str] = Field(default=[], description="The same for names, and all that is below them.")
    suffixes: list[str] = Field(
        default=list(SUFFIXES), description="Endings that make a name of a host beside the public ones: corp.local."
    )
    strings: dict[str, str] = Field(
        default={}, description='Words and phrases by type, such as `"Fancy Bear" = "actor"`; case does not count.'
    )
    string_files: dict[str, DataPath] = Field(
        default={}, description='The same from files, one a line, such as `actor = "actors.txt"`; the key is the type.'
    )
    patterns: list[PatternTable] = Field(default=[], description="Your own; each reads every text once more.")

    @field_validator("*")
    @classmethod
    def _can_be_used(cls, given: Any, info: Any) -> Any:
        if why := told.fault({info.field_name: given}):
            raise ValueError(why)
        return given

    def known(self) -> dict[str, Any]:
        """The same as `entities.Known` takes it, files read. Raises OSError where one was taken away since."""
        return told.told(dict(self))


def _counting(text: str) -> str:
    if text in repeats.PARTS or (text.startswith("data.") and len(text) > len("data.")):
        return text
    raise ValueError(f"must be data.NAME (a column) or one of {', '.join(repeats.PARTS)}")


def _label(text: str) -> str:
    if text.strip():
        return text
    raise ValueError('must be a label of a source, or "*" for every source without a table of its own')


class RepeatsTable(Section):
    """Repeats folded into the first alertgroup of their kind ([how that works](../repeats.md)).

    `LABEL` is a label of the alertgroup's source, or `"*"` for every source that has no table of its own. Without a
    table nothing is folded; `[repeats.splunk]` with nothing but `window_h = 24` is enough.
    """

    window_h: float = Field(
        default=24,
        ge=0,
        le=10 * 366 * 24,
        description="A repeat is folded if the newest of its kind was received so few hours ago; 0 folds nothing.",
    )
    longest_h: float | None = Field(
        default=None,
        gt=0,
        le=10 * 366 * 24,
        description="So long after the first one a new one begins, even if the repeats never paused. "
        "Without it a week, or the window if that is longer; the same as window_h makes the window a fixed one.",
    )
    by: list[Annotated[str, AfterValidator(_counting)]] = Field(
        default=list(repeats.BY),
        min_length=1,
        description=f"What must be equal, beside TLP and status: {', '.join(repeats.PARTS)}, or data.NAME for the "
        "cells of one column. Of rows, cells that are times never count.",
    )
    without: list[Annotated[str, AfterValidator(_column)]] = Field(
        default=[], description="Columns that do not count among columns and rows, such as a running number."
    )
    subject_numbers: bool = Field(
        default=True, description="Whether numbers in the subject count; false takes 5 failures and 6 for the same."
    )
    reopen: bool = Field(
        default=False, description="Whether a repeat opens a closed alertgroup again; else it is only counted there."
    )

    @after_all(mode="after")
    def _longest_is_no_shorter(self) -> Self:
        if self.longest_h is not None and self.longest_h < self.window_h:
            raise ValueError("longest_h must not be shorter than window_h")
        return self

    def rule(self) -> repeats.Rule:
        """The same as the rules take it."""
        longest = max(repeats.WEEK_H, self.window_h) if self.longest_h is None else self.longest_h
        return repeats.Rule(
            window=round(self.window_h * repeats.HOUR),
            longest=round(longest * repeats.HOUR),
            by=tuple(self.by),
            without=tuple(self.without),
            numbers=self.subject_numbers,
            reopen=self.reopen,
        )


RepeatsTables = dict[Annotated[str, AfterValidator(_label)], RepeatsTable]


class RouteSection(Section):
    """What a query means goes to some destinations ([how that works](../rules.md)).

    Without any route, every destination is owed everything.
    """

    name: str = Field(min_length=1, max_length=100, description="What it is called on the pages.")
    query: Query = Field(default="", description="Which alertgroups, in the query language; empty is every one.")
    to: list[str] = Field(description="The destinations, by the names of their tables; an empty list is nobody.")
    every: str = Field(
        default="", description="Send what came together every so often, such as 15m, 1h or 1d; empty sends at once."
    )
    last: bool = Field(default=False, description="Ask no later route about an alertgroup that this one means.")

    @field_validator("every")
    @classmethod
    def _is_a_span(cls, every: str) -> str:
        try:
            spans.duration(every or "1d")
        except Malformed as error:
            raise ValueError(str(error)) from None
        return every

    @property
    def noun(self) -> Route:
        """The same as the rules know it."""
        every = spans.duration(self.every) if self.every else 0
        return Route(name=self.name, query=self.query, to=tuple(self.to), every=every, last=self.last)


class LogSection(Section):
    """What the server writes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Say nothing less grave.")
    format: Literal["auto", "json", "text"] = Field(
        default="auto", description="JSON lines or text for people; auto writes text to a terminal and JSON elsewhere."
    )
