"""What is pushed: objects as bytes, known by id and version; and what may become of each."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

import msgspec

from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.kit.taxii import envelope, version

FRAME = len(envelope([]))


class Key(NamedTuple):
    """An id, and the version of it; "" for objects that have none."""

    id: str
    version: str


class Item(NamedTuple):
    """One object. Everybody has the same one if it is `shared`: an observable, a marking, our identity."""

    key: Key
    body: bytes
    shared: bool


class Refusal(Rejected):
    """The server's status says that it did not take an object; perhaps because it has it already."""


class Pending(Unavailable):
    """The server has not made up its mind: it may be asked again by the id of its `status`."""

    def __init__(self, reason: str, status: str) -> None:
        super().__init__(reason)
        self.status = status


Verdict: TypeAlias = str | DeliveryError
"""The id of the status that says that an object was taken, "" if it is known to be there; or why it is not."""
Found: TypeAlias = dict[Key, Verdict]


class _Head(msgspec.Struct, frozen=True):
    id: str
    type: str
    created: str = ""
    modified: str = ""


_HEAD = msgspec.json.Decoder(_Head)


def item(body: bytes) -> Item:
    """An object from its JSON. Its version is `modified`, else `created` (TAXII 2.1 section 3.4.1)."""
    head = _HEAD.decode(body)
    when = head.modified or head.created
    return Item(Key(head.id, version(when) if when else ""), body, not head.modified or head.type == "identity")


def parts(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    """The items in envelopes of at most so many bytes, each of which fits into one by itself."""
    part: list[Item] = []
    size = FRAME
    for one in items:
        if part and size + 1 + len(one.body) > most:
            yield part
            part, size = [], FRAME
        size += len(one.body) + bool(part)
        part.append(one)
    if part:
        yield part
