"""Everything that can go wrong, in one tree.

    TocsinError
    ├── Refused                 the message breaks a rule of the door; nothing was stored, the sender is told
    │   ├── TooLarge            … a limit of size or rows
    │   └── Malformed           … its form; names the place and the remedy
    ├── Unreadable              a parser cannot make an alertgroup of these bytes; the message itself is kept
    ├── StoreError
    │   ├── StoreUnavailable    disk full, database gone: nothing was stored, the same call may succeed later
    │   ├── TooSlow             a search that would take too long; says how to narrow it
    │   ├── StoreLocked         another process owns the data folder
    │   └── SchemaTooNew        written by a newer Tocsin
    ├── NotFound                no such alertgroup, alert, key, user …
    ├── NotYours                it belongs to somebody else, who alone may change it
    ├── Taken                   there is one of that name already
    ├── BadQuery                a search that cannot be read; points at the character and says what to write instead
    ├── DeliveryError
    │   ├── Skipped             nothing to send of it there: no fault
    │   ├── Rejected            permanent: the same bytes will never be taken
    │   └── Unavailable         temporary: worth another attempt, no sooner than `retry_after`
    ├── NotInstalled            an extra of Tocsin is needed; names it
    ├── FlowsError              files of flows that cannot be read, or a data set that cannot be used; says what to mend
    └── ConfigError             a list of problems, each with file, key, value and remedy

Messages are sentences for the person who reads them: what happened, where, what to do. They never hold a secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


class TocsinError(Exception):
    """The root: everything Tocsin raises on purpose."""


class Refused(TocsinError):
    """The message breaks a rule of the door; nothing was stored and the sender is told why."""


class TooLarge(Refused):
    """More bytes or more rows than the configured limit."""


class Malformed(Refused):
    """Not the form that was promised; the text names the offending place."""


class Unreadable(TocsinError):
    """A parser cannot make an alertgroup of these bytes; the text says what it looked for."""


class StoreError(TocsinError):
    """The store could not do what was asked."""


class StoreUnavailable(StoreError):
    """Nothing was stored; the same call may succeed later (disk full, database gone, too busy)."""

    def __init__(self, reason: str, retry_after: timedelta = timedelta(seconds=2)) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class TooSlow(StoreError):
    """A search was given up because its answer takes too long; the text says how to narrow it."""


class StoreLocked(StoreError):
    """Another process owns the data folder."""


class SchemaTooNew(StoreError):
    """The data was written by a newer Tocsin than this one."""


class NotFound(TocsinError):
    """There is no such thing under that id or name."""


class NotYours(TocsinError):
    """It belongs to somebody else, who alone may change it."""


class Taken(TocsinError):
    """There is one of that name already."""


class NotInstalled(TocsinError):
    """What was asked for needs an extra of Tocsin; the text names it."""


class FlowsError(TocsinError):
    """A file of flows cannot be read, or the data set cannot be used; the text names the place and the remedy."""


class BadQuery(TocsinError):
    """A query that cannot be read: what is wrong with it, at which character (from 0), and what to write instead."""

    def __init__(self, wrong: str, position: int, remedy: str) -> None:
        super().__init__(f"{wrong} (character {position + 1}): {remedy}")
        self.wrong = wrong
        self.position = position
        self.remedy = remedy


class DeliveryError(TocsinError):
    """A destination did not take a delivery."""


class Skipped(DeliveryError):
    """There is nothing to send of it to this destination: no fault, and never tried again; the text says why."""


class Rejected(DeliveryError):
    """Permanent: the peer will never take these bytes; a person has to look."""


class Unavailable(DeliveryError):
    """Temporary: worth another attempt, no sooner than `retry_after` from now."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the configuration."""

    file: str
    key: str
    value: str
    remedy: str

    def __str__(self) -> str:
        shown = f" = {self.value}" if self.value else ""
        return f"{self.file}: {self.key}{shown}: {self.remedy}"


class ConfigError(TocsinError):
    """The configuration cannot be used; `problems` lists everything found, not just the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
