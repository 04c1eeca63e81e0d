"""Polls a collection of a TAXII 1.1 server."""

import re
import time
from datetime import UTC, datetime, timedelta

import structlog
from pydantic import Field

from tocsin.errors import DeliveryError, StoreUnavailable, Unavailable, Unreadable
from tocsin.formats import stix1
from tocsin.kit.taxii1 import Block, Taxii1Options
from tocsin.kit.taxii1 import Taxii1 as Server
from tocsin.model import Message
from tocsin.plugin import Desk, Source

log = structlog.get_logger()

MIB = 1024 * 1024
MEDIA_TYPES = {b"<": "application/xml", b"{": "application/stix+json"}
"""By the first byte: some put STIX 2 into collections of TAXII 1.1."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Taxii1(Taxii1Options, Source):
    """Polls a collection of a TAXII 1.1 server: each piece of content in it is a message, stored once.

    How far it was read is stored with the last message of an answer, so an answer that broke off is asked for again;
    what was stored of it before is known by its bytes. Packages that this Tocsin wrote itself are left out.
    """

    collection: str = Field(min_length=1, description="Name of the collection.")
    interval_s: float = Field(default=300, gt=0, le=86400, description="Ask so often, in seconds.")
    since: str = Field(
        default="",
        pattern=rf"^({_STAMP.pattern})?$",
        description='Begin with what came after this time, such as "2026-11-01T00:00:00Z"; empty: with everything.',
    )
    overlap_s: float = Field(
        default=300,
        ge=0,
        le=86400,
        description="Ask again for so much of what was asked for before, as many servers let senders say when a thing "
        "came: one that came late stands before others that were there already.",
    )
    max_mib: int = Field(default=64, ge=1, le=512, description="Largest answer that is taken.")

    def run(self, desk: Desk) -> None:
        """Ask, hand over, ask again, until the desk says stop."""
        server: Server | None = None
        try:
            while not desk.stop.is_set():
                wait = self.interval_s
                try:
                    server = server or Server(self, self.max_mib * MIB)
                    self._pass(server, desk)
                except StoreUnavailable as error:
                    wait = error.retry_after.total_seconds()
                except DeliveryError as error:
                    desk.tell(str(error))
                    asked = error.retry_after if isinstance(error, Unavailable) else None
                    wait = max(wait, asked.total_seconds()) if asked else wait
                desk.stop.wait(wait)
        finally:
            if server is not None:
                server.close()

    def _pass(self, server: Server, desk: Desk) -> None:
        """Everything new, once. Raises DeliveryError, StoreUnavailable; what was handed over by then is stored."""
        before = desk.cursor() or self.since
        held: Message | None = None  # the last one goes with the cursor
        end = ""
        for part in server.poll(self.collection, _earlier(before, self.overlap_s)):
            end = part.end or end
            for block in part.blocks:
                if desk.stop.is_set():
                    return
                message = _message(block, desk.hub)
                if message is None:
                    continue
                if held is not None:
                    desk.accept(held)
                held = message
        cursor = _later(before, end)
        if held is not None:
            desk.accept(held, cursor=cursor)
        desk.tell(cursor=cursor)


def _message(block: Block, hub: str) -> Message | None:
    """The content as a message; None for a package of our own."""
    name = ""
    try:
        known = stix1.identifier(block.content)
    except Unreadable:
        known = None  # the parsers look at it, and it stands in quarantine if none of them knows it
    if known is not None:
        if known.namespace == stix1.namespace(hub):
            log.debug("a package of our own came back", package=known.name)
            return None
        name = f"{known.namespace}{known.name}" if known.name else ""
    now = time.time_ns() // 1000
    return Message(
        source="",
        body=block.content,
        media_type=MEDIA_TYPES.get(block.content[:1], "application/octet-stream"),
        received=now,
        message_id=name[:500],
        by_bytes=not name,
    )


def _later(before: str, end: str) -> str:
    """The later of two times; never back, whatever a server says."""
    ended, began = _read(end), _read(before)
    if ended is None or (began is not None and ended < began):
        return before
    return end


def _earlier(stamp: str, seconds: float) -> str:
    """A time so much before another one."""
    known = _read(stamp)
    if known is None:
        return ""
    try:
        return (known.astimezone(UTC) - timedelta(seconds=seconds)).isoformat(timespec="microseconds")
    except OverflowError:
        return ""


def _read(stamp: str) -> datetime | None:
    try:
        return datetime.fromisoformat(stamp) if _STAMP.fullmatch(stamp) else None
    except ValueError:
        return None
