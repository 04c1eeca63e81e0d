"""What was just done, and the way back: `z` undoes the last opening or closing.

The statuses before a change travel in the form itself, so undoing needs nothing kept on the server. After a redirect
(no script) they travel in the address, signed with the session's token: nobody else can offer a reader a change.
"""

import hmac
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request

from tocsin.errors import Malformed
from tocsin.model import Status
from tocsin.web.pages import ranges
from tocsin.web.reading import query_of
from tocsin.web.state import principal_of

LONGEST_IN_ADDRESS = 1500


class Notice(NamedTuple):
    """A sentence, and the statuses before (empty when there is nothing to undo)."""

    words: str
    undo: str = ""


def in_address(request: Request, id: int, notice: Notice) -> str:
    """The notice as parameters of the address that the browser is sent to."""
    undo = notice.undo if len(notice.undo) <= LONGEST_IN_ADDRESS else ""
    return urlencode({"done": notice.words, "undo": undo, "mark": _mark(request, id, notice.words, undo)})


def notice_of(request: Request, id: int) -> Notice | None:
    """The notice that the address brings, if it is ours."""
    query = query_of(request)
    words, undo, mark = (query.get(name, [""])[-1] for name in ("done", "undo", "mark"))
    if not words or not hmac.compare_digest(mark.encode(), _mark(request, id, words, undo).encode()):
        return None
    return Notice(words, undo)


def _mark(request: Request, id: int, words: str, undo: str) -> str:
    who = principal_of(request)
    return hmac.digest(who.csrf.encode() or b"-", f"{id}\n{words}\n{undo}".encode(), "sha256").hex()[:32]


def statuses_before(text: str) -> list[tuple[Status, list[int] | None]]:
    """What an undo sets: ids by status, None for all of the group. Raises Malformed."""
    found: list[tuple[Status, list[int] | None]] = []
    for part in text.split(";"):
        name, _, ids = part.partition(":")
        if name not in Status._value2member_map_ or not ids:
            raise Malformed("There is nothing to undo.")
        found.append((Status(name), None if ids == "all" else ranges.read(ids)))
    return found
