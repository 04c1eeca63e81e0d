"""What a TAXII 2.1 server answers with (sections 3 to 5). Lenient: what is not used may be missing or wrong."""

from typing import NamedTuple

import msgspec

TAXII = "application/taxii+json;version=2.1"
"""To be sent exactly so: there are servers that compare it as text."""
STIX = "application/stix+json;version=2.1"


class Discovery(msgspec.Struct, frozen=True):
    """Section 4.1; and an API root (4.2), which stands where somebody gave its URL instead."""

    api_roots: tuple[str, ...] = ()
    default: str = ""
    versions: tuple[str, ...] | None = None
    max_content_length: int = 0


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


class Collections(msgspec.Struct, frozen=True):
    """Section 5.1."""

    collections: tuple[Collection, ...] = ()


class Place(NamedTuple):
    """A collection that was found: where its API root is, and how many bytes that takes at once (0: not said)."""

    root: str
    collection: Collection
    max_content_length: int

    @property
    def url(self) -> str:
        """The collection's URL."""
        return f"{self.root}collections/{self.collection.id}/"


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


class Page(NamedTuple):
    """One page of objects, as bytes of JSON each. `first` and `last` are when they were added, as the server said."""

    objects: tuple[bytes, ...]
    more: bool = False
    next: str = ""
    first: str = ""
    last: str = ""
