"""Finds out what a server has of what an attempt without an answer sent."""

from collections.abc import Collection

import msgspec

from tocsin.kit.warden import Refused, Warden

MOST_PAGES = 1000


def saved_among(server: Warden, ids: Collection[str], back: int) -> set[str] | None:
    """Which of these events the server has among its last ones, as saved by us; None where we may not read there.

    Raises Unavailable.
    """
    wanted, found, after = set(ids), set[str](), -back
    ours = {"group": [server.account.name]}
    try:
        count = server.info().get_limit
        for _ in range(MOST_PAGES):
            page = server.events(after, count, ours)
            found |= wanted & {_id(event) for event in page.events}
            if not page.events or found == wanted or 0 < page.lastid == after:
                break
            after = page.lastid
    except Refused:
        return None
    return found


class _Head(msgspec.Struct, frozen=True):
    id: str = msgspec.field(default="", name="ID")


def _id(event: bytes) -> str:
    try:
        return msgspec.json.decode(event, type=_Head).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
