"""How far a server was read: the cursor.

It is ours. A server remembers a place for each client too, and moves it at every call, whoever makes it and whatever
became of the answer.
"""

import msgspec

FIRST = 1
"""What an id is asked behind to get everything: 0 and less are counted from the newest, and events begin at 2."""


class Mark(msgspec.Struct, frozen=True):
    """Behind the event of that id on the server `of` this URL; `own` counts our own events that came back.

    `newest` is the id of the newest event, as the last page said that was empty. A server looks it up after it has
    looked for events, and one may have come in between: so the mark moves there only once another page, asked for
    behind the same id, was empty too.
    """

    of: str
    id: int
    newest: int = 0
    own: int = 0

    @property
    def after(self) -> int:
        """The id to ask behind: never one that the server would count from the newest."""
        return max(FIRST, self.id)

    def past(self, lastid: int, events: int, own: int) -> "Mark":
        """The mark behind a page of so many events."""
        if events:
            return Mark(self.of, lastid, own=self.own + own)
        return Mark(self.of, max(self.id, self.newest), newest=lastid, own=self.own)

    def text(self) -> str:
        """As it is stored; the same mark is the same text."""
        return msgspec.json.encode(self).decode()


def mark_of(cursor: str) -> Mark | None:
    """The stored mark, or None if there is none that can be read."""
    try:
        return msgspec.json.decode(cursor, type=Mark) if cursor else None
    except msgspec.MsgspecError:
        return None
