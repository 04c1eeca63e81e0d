"""How far a mailbox was read: the cursor, stored with each mail in one transaction."""

import msgspec

from tocsin.model import Micros

MOST = 10_000
"""So many UIDs are remembered as due or owed, the newest."""


class Place(msgspec.Struct, kw_only=True, frozen=True):
    """`validity` and `last` are the mailbox's UIDVALIDITY and the highest UID taken (RFC 9051 section 2.3.1.1).

    `due` are taken, and not yet flagged or moved. `owed` could not be fetched, and are tried again. `heard` is when
    the last mail came, also one that is only a sign of life.
    """

    mailbox: str
    validity: int
    last: int
    due: tuple[int, ...] = ()
    owed: tuple[int, ...] = ()
    heard: Micros

    def taken(self, uid: int, heard: Micros, *, due: bool) -> "Place":
        """As it is once this mail is stored."""
        return msgspec.structs.replace(
            self,
            last=max(self.last, uid),
            due=(*self.due, uid)[-MOST:] if due and uid not in self.due else self.due,
            owed=tuple(one for one in self.owed if one != uid),
            heard=max(heard, self.heard),
        )

    def skipped(self, uid: int) -> "Place":
        """As it is when a mail could not be fetched now and others are to have their turn."""
        owed = self.owed if uid in self.owed else (*self.owed, uid)[-MOST:]
        return msgspec.structs.replace(self, last=max(self.last, uid), owed=owed)

    def text(self) -> str:
        """The cursor."""
        return msgspec.json.encode(self).decode()


def place_of(cursor: str) -> Place | None:
    """What a cursor says; None for one that is empty or not ours."""
    try:
        return msgspec.json.decode(cursor, type=Place)
    except msgspec.DecodeError:
        return None
