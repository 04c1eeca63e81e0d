"""One pass over a Warden server: page by page until there is no more, each handed over with the mark behind it."""

import time
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from tocsin.errors import Unavailable
from tocsin.kit.warden import Page, TooLong, Unclear, Warden
from tocsin.model import Message
from tocsin.plugin import Desk
from tocsin.sources.warden.mark import FIRST, Mark, mark_of
from tocsin.sources.warden.options import Options

log = structlog.get_logger()

JSON = "application/json"
ODD = 'no event of IDEA0: "Format" must be "IDEA0"'


class Rebuilt(Unavailable):
    """The server's ids have begun anew."""


class Reading:
    """Reads one server, pass by pass."""

    def __init__(self, options: Options, desk: Desk, server: Warden) -> None:
        self._options, self._desk, self._server = options, desk, server
        self._url = server.account.url
        self._own = {server.account.name, *(name.lower() for name in options.own_names)}
        self._stored = desk.cursor()
        mark = mark_of(self._stored)
        self._mark = mark if mark is not None and mark.of == self._url else None

    def once(self) -> None:
        """Everything new. Raises DeliveryError, StoreUnavailable; what was handed over by then is stored.

        Raises Rebuilt once the server has fewer ids than were read: the mark has moved by then.
        """
        count = min(self._options.count, self._server.info().get_limit)
        while not self._desk.stop.is_set():
            after = self._beginning() if self._mark is None else self._mark.after
            try:
                page = self._server.events(after, count, self._options.filters)
            except TooLong:
                if count == 1:
                    raise
                count = max(1, count // 4)
                continue
            if self._mark is not None and page.lastid < max(self._mark.id, self._mark.newest) and not page.events:
                self._begun_anew(self._mark, page.lastid)
            if page.events and page.lastid <= after:
                raise Unclear(f"{self._url} gives events behind id {after} and says that the last one is {page.lastid}")
            self._take(page)
            if not page.events:
                return

    def _beginning(self) -> int:
        begin = self._options.begin
        if isinstance(begin, int):
            return begin
        return FIRST if begin == "all" else 0

    def _begun_anew(self, mark: Mark, lastid: int) -> None:
        everything = self._options.rebuilt == "all"
        on = "all that it has" if everything else "what comes from now on"
        self._keep(Mark(self._url, 0 if everything else lastid, own=mark.own))
        before = max(mark.id, mark.newest)
        said = f"the ids of {self._url} went back from {before} to {lastid}"
        raise Rebuilt(f"{said}: it was built anew, or emptied; going on with {on}")

    def _take(self, page: Page) -> None:
        """Hand over what is in a page, and move the mark behind it. Raises StoreUnavailable."""
        known = [(text, _decoded(text)) for text in page.events]
        for text, event in known:
            if not _is_idea(event):  # by itself, so that it holds up none of the others
                self._desk.accept(self._message(text), refused=ODD)
        others = [text for text, event in known if _is_idea(event) and not self._is_ours(event)]
        own = sum(_is_idea(event) and self._is_ours(event) for _, event in known)
        if own:
            log.info("our own events came back", server=self._url, count=own)
        before = self._mark or Mark(self._url, page.lastid)
        mark = before.past(page.lastid, len(page.events), own)
        if not others:
            self._keep(mark)
            return
        body = page.body if len(others) == len(page.events) else b"[" + b",".join(others) + b"]"
        self._desk.accept(self._message(body), cursor=mark.text())
        self._mark, self._stored = mark, mark.text()

    def _keep(self, mark: Mark) -> None:
        """That all is well, and how far it has read where that is not stored yet."""
        cursor = mark.text()
        self._desk.tell(cursor=None if cursor == self._stored else cursor)
        self._mark, self._stored = mark, cursor

    def _message(self, body: bytes) -> Message:
        now = time.time_ns() // 1000
        return Message(source="", sender=self._url, body=body, media_type=JSON, received=now, by_bytes=True)

    def _is_ours(self, event: dict[str, Any]) -> bool:
        """Whether it went through this Tocsin: its name stands among the nodes, wherever it was relayed since."""
        nodes = event.get("Node")
        listed: Sequence[Any] = nodes if isinstance(nodes, list) else ()
        names = (node.get("Name") for node in listed if isinstance(node, dict))
        return any(isinstance(name, str) and name.lower() in self._own for name in names)


def _decoded(text: bytes) -> dict[str, Any]:
    found = msgspec.json.decode(text)
    return found if isinstance(found, dict) else {}


def _is_idea(event: dict[str, Any]) -> bool:
    return event.get("Format") == "IDEA0"
