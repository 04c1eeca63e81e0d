"""What a TAXII 2.1 server answers with (sections 4 and 5), as far as it is used here."""

from typing import Literal, NamedTuple
from urllib.parse import quote

import msgspec

TAXII = "application/taxii+json;version=2.1"
"""To be sent exactly so: there are servers that compare it as text."""
STIX = "application/stix+json;version=2.1"

To = Literal["read", "write"]


class Entrance(msgspec.Struct, frozen=True):
    """What stands at the URL one was given: a discovery (section 4.1), or an API root (4.2), which has no roots."""

    api_roots: tuple[str, ...] = ()
    default: str = ""
    versions: tuple[str, ...] = ()


class Root(msgspec.Struct, frozen=True):
    """An API root (section 4.2)."""

    versions: tuple[str, ...] = ()
    max_content_length: int = 0

    @property
    def speaks(self) -> bool:
        """Whether it speaks TAXII 2.1, as far as it says."""
        return not self.versions or any(fits(each, TAXII) for each in self.versions)


class Collection(msgspec.Struct, frozen=True):
    """Section 5.2."""

    id: str
    title: str = ""
    alias: str = ""
    can_read: bool = False
    can_write: bool = False
    media_types: tuple[str, ...] = ()

    def answers_to(self, name: str) -> bool:
        """Whether this is its id, its alias, or its title in any case of letters."""
        return name in (self.id, self.alias) or name.casefold().strip() == self.title.casefold().strip()

    def allows(self, to: To) -> bool:
        """Whether it may be read, or written."""
        return self.can_read if to == "read" else self.can_write

    @property
    def holds_stix(self) -> bool:
        """Whether STIX 2.1 may stand in it, as far as it says."""
        return not self.media_types or any(fits(each, STIX) for each in self.media_types)


class Collections(msgspec.Struct, frozen=True):
    """Section 5.1."""

    collections: tuple[Collection, ...] = ()


class Place(NamedTuple):
    """A collection that was found: where its API root is, and how many bytes that takes at once (0: not said)."""

    root: str
    collection: Collection
    max_content_length: int = 0

    @property
    def url(self) -> str:
        """The collection's URL."""
        return f"{self.root}collections/{quote(self.collection.id, safe='')}/"


class Entry(msgspec.Struct, frozen=True):
    """One object in a status resource, or one record of a manifest."""

    id: str
    version: str = ""
    message: str = ""


class StatusResource(msgspec.Struct, frozen=True):
    """What became of objects that were added (section 4.3.1). The lists may be missing or shorter than the counts."""

    id: str
    status: str
    total_count: int = 0
    success_count: int = 0
    successes: tuple[Entry, ...] = ()
    failure_count: int = 0
    failures: tuple[Entry, ...] = ()
    pending_count: int = 0
    pendings: tuple[Entry, ...] = ()


class Manifest(msgspec.Struct, frozen=True):
    """Section 5.3; `next` is not of the specification, but there are servers that need it."""

    objects: tuple[Entry, ...] = ()
    more: bool = False
    next: str = ""


class Envelope(msgspec.Struct, frozen=True):
    """Section 3.7, the objects as they came."""

    objects: tuple[msgspec.Raw, ...] = ()
    more: bool | None = None
    next: str | int | None = None


class Page(NamedTuple):
    """One page of objects, as bytes of JSON each.

    `first` and `last` are when they were added, as the server said, to the microsecond; "" where it did not.
    """

    objects: tuple[bytes, ...]
    more: bool = False
    next: str = ""
    first: str = ""
    last: str = ""


def fits(given: str, wanted: str) -> bool:
    """Whether a media type is the one that is wanted, or leaves its version open."""
    name, *parameters = "".join(given.casefold().split()).split(";")
    wanted_name, wanted_version = wanted.split(";")
    versions = [each for each in parameters if each.startswith("version=")]
    return name == wanted_name and all(each.replace('"', "") == wanted_version for each in versions)
