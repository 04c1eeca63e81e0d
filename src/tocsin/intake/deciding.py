"""The rules at work: what is asked of each alertgroup before it is stored, with the rules of this moment."""

import math
import time
from collections.abc import Sequence

import msgspec
import structlog

from tocsin import detection
from tocsin.entities import Known, in_group
from tocsin.errors import StoreError, TocsinError
from tocsin.model import Alertgroup, Message, Route
from tocsin.query import View
from tocsin.rules import Rulebook
from tocsin.store import Change, Store, rule
from tocsin.store.engine import Tx
from tocsin.store.rule import Ruled

log = structlog.get_logger()

STALE_S = 15.0
"""Another node may have changed the rules: they are read again after so long."""


class Decider:
    """Says who is owed an alertgroup, by the configuration's routes and what people made on the pages."""

    def __init__(
        self,
        store: Store,
        routes: Sequence[Route],
        lanes: Sequence[str],
        names: detection.Names,
        known: Known,
        collections: Sequence[Route] = (),
    ) -> None:
        """`lanes` are those that routes may owe; each of the `collections` owes its own lane alone."""
        self._store, self._names, self._known = store, names, known
        self._configured, self._lanes, self._collections = tuple(routes), tuple(lanes), tuple(collections)
        self._read = -math.inf
        self._news = object()  # another one since each change
        self._known_book = object(), Rulebook(routes, (), lanes, collections)  # the change they were read after
        store.on_commit(self._told)

    def decide(self, group: Alertgroup, message: Message, parser: str, book: Rulebook | None = None) -> Ruled | None:
        """What the rules, or those of a `book`, say of an alertgroup of the message; None where there are none."""
        book = book or self.book()
        if not book.asks:
            return None
        asks = {"rows": book.asks_rows, "entities": book.asks_entities}
        decision = book.decide(fresh(group, message, parser, self._names, self._known, **asks), message.received)
        return Ruled(
            due={one.lane: one.due for one in decision.owed},
            held={one.lane: one.held for one in decision.owed if one.held},
            why=decision.why,
        )

    def book(self) -> Rulebook:
        """The rules as they stand now. Raises StoreUnavailable: they were changed, and cannot be read again yet."""
        (heard, book), news = self._known_book, self._news
        changed, stale = news is not heard, time.monotonic() - self._read > STALE_S
        if changed or stale:
            self._read = time.monotonic()
            try:
                book = self._store.read(lambda tx: self._standing(tx, book))
                self._known_book = news, book
            except StoreError as error:
                if changed:  # somebody was told that they hold: who sends has to come again
                    raise
                # The rules of a moment ago are better than none; storing will fail by itself, if it must.
                log.warning("rules cannot be read again", reason=str(error))
        return book

    def _told(self, change: Change) -> None:
        if change.kind == "rules":
            self._news = object()

    def _standing(self, tx: Tx, before: Rulebook) -> Rulebook:
        now = time.time_ns() // 1000
        made = [line.route for line in rule.routes(tx) if line.active]
        silences = [line.silence for line in rule.silences(tx, now)]
        try:
            return Rulebook((*self._configured, *made), silences, self._lanes, self._collections)
        except TocsinError as error:
            log.warning("rules cannot be understood; those of before stay in force", reason=str(error))
            return before


def fresh(
    group: Alertgroup,
    message: Message,
    parser: str,
    names: detection.Names,
    known: Known,
    *,
    rows: bool,
    entities: bool,
) -> View:
    """An alertgroup as rules see it when it comes; `rows` and `entities` say whether they ask for these."""
    if rows:
        group = detection.known(group, names)
    found = in_group(group, known) if entities else ()
    return View.fresh(
        msgspec.structs.replace(group, received=message.received),
        via=message.source,
        sender=message.sender,
        parser=parser,
        last_seen=message.received,
        entities=tuple({one.found.entity: None for one in found}),
    )
