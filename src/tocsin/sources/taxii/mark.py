"""How far a collection was read: the cursor.

A server says when the last object of a page was added. Many objects may share that instant, and a page may end in the
midst of them; so the next pass asks from just before it, and knows what it has read by the objects themselves.
"""

import contextlib
import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable

import msgspec

from tocsin.kit.taxii import Page, just_before

_SORTED = msgspec.json.Encoder(order="sorted")


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The place in `of`: `after` is what is asked for next, `last` the instant of the last object read.

    `seen` are the keys of all that was read of that instant, perhaps of some before; `own` counts our own objects.
    """

    of: str
    after: str = ""
    last: str = ""
    seen: frozenset[str] = frozenset()
    own: int = 0

    def past(self, page: Page, keys: Iterable[str], own: int = 0) -> "Mark":
        """The mark behind a page. It never goes back, whatever a server says."""
        if page.last > self.last:
            after = max(self.after, just_before(page.last))
            return Mark(of=self.of, after=after, last=page.last, seen=frozenset(keys), own=self.own + own)
        return self.within(keys, own)

    def within(self, keys: Iterable[str], own: int = 0) -> "Mark":
        """The mark in the midst of a page, or behind one of which nobody says when its objects were added."""
        return msgspec.structs.replace(self, seen=self.seen.union(keys), own=self.own + own)

    def text(self) -> str:
        """As it is stored; the same mark is the same text."""
        return _SORTED.encode(self).decode()


def mark_of(cursor: str) -> Mark | None:
    """The stored mark, or None if there is none that can be read."""
    try:
        return msgspec.json.decode(cursor, type=Mark) if cursor else None
    except msgspec.DecodeError:
        return None


def key(text: bytes) -> str:
    """What an object is known by: all that stands in it, in whatever order and spelling a server writes it."""
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # then by its bytes
        text = _SORTED.encode(msgspec.json.decode(text))
    return urlsafe_b64encode(hashlib.blake2b(text, digest_size=12).digest()).decode()
