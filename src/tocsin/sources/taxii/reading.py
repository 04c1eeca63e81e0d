"""One pass over a collection: page by page, each handed over together with the mark that knows it.

Whatever goes wrong with `next` (too old, refused, going in circles), the pass goes on from the mark: what is stored is
known there, so nothing is lost and nothing is handed over twice.
"""

import time

import structlog

from tocsin.errors import DeliveryError, Unavailable
from tocsin.formats.stix_in.own import Own, ends_unexplained
from tocsin.kit.taxii import Page, Refused, Unclear, envelope
from tocsin.kit.taxii import Taxii as Collection
from tocsin.kit.taxii.resources import TAXII
from tocsin.model import Message
from tocsin.plugin import Desk
from tocsin.sources.taxii.mark import Mark, key, mark_of
from tocsin.sources.taxii.options import ALL, NOW, Options

log = structlog.get_logger()

TOGETHER = 5000
"""Objects in one message; a server that gives more at once gets them cut."""
LARGEST_PAGE = 50_000
MOST_SEEN = 200_000
MOST_EMPTY, MOST_REPEATED = 100, 3
"""Pages in a row that said that there is more and held nothing, or only what this pass had met already."""


class Circles(Unavailable):
    """The server never comes to an end."""


class Reading:
    """Reads one collection, pass by pass."""

    def __init__(self, options: Options, desk: Desk, collection: Collection, started: str) -> None:
        """`started`: where to begin if the options say "now"."""
        self._options, self._desk, self._collection = options, desk, collection
        self._own = Own(desk.hub, options.identities)
        self._match = {"type": ",".join(options.types)} if options.types else None
        self._stored = desk.cursor()
        known = mark_of(self._stored)
        if known is None or known.of != options.read:
            after = {ALL: "", NOW: started}.get(options.begin, options.begin)
            known = Mark(of=options.read, after=after)
        self._mark = known

    def once(self) -> None:
        """Everything new. Raises DeliveryError, StoreUnavailable; what was handed over by then is stored."""
        _Pass(self, self._options.page).run()
        if not self._desk.stop.is_set():
            self._tell()

    @property
    def mark(self) -> Mark:
        """How far it has read; stored."""
        return self._mark

    @property
    def where(self) -> str:
        """What is read."""
        return f"the collection {self._options.read}"

    @property
    def stopped(self) -> bool:
        """Whether it is to end."""
        return self._desk.stop.is_set()

    def page(self, after: str, token: str, limit: int) -> Page:
        """Ask for a page. Raises DeliveryError."""
        return self._collection.objects(after, token, limit, self._match)

    def take(self, page: Page, keys: list[str]) -> None:
        """Hand over what is new in a page, and move the mark behind it. Raises StoreUnavailable."""
        new: dict[str, bytes] = {}
        for known, text in zip(keys, page.objects, strict=True):
            if known not in self._mark.seen:
                new.setdefault(known, text)
        others = self._own.others(list(new.values()))
        own = len(new) - len(others)
        if own:
            log.info("our own objects came back", collection=self._options.read, count=own)
        while len(others) > TOGETHER:
            part, others = others[:TOGETHER], others[TOGETHER:]
            self._accept(part, self._mark.within(map(key, part)))
        mark = self._mark.past(page, keys, own)
        if len(mark.seen) > MOST_SEEN:
            raise Unavailable(
                f"{self.where}: more than {MOST_SEEN:,} objects were added at one time, or the server does not "
                "say when (X-TAXII-Date-Added-Last): nothing more can be read; ask who runs it"
            )
        if others:
            self._accept(others, mark)
        else:
            self._mark = mark
            self._tell()

    def _tell(self) -> None:
        """That all is well, and how far it has read where that is not stored yet."""
        cursor = self._mark.text()
        self._desk.tell(cursor=None if cursor == self._stored else cursor)
        self._stored = cursor

    def _accept(self, objects: list[bytes], mark: Mark) -> None:
        message = Message(
            source="",
            sender=self._options.read,
            body=envelope(objects),
            media_type=TAXII,
            received=time.time_ns() // 1000,
            by_bytes=True,
        )
        cursor = mark.text()
        self._desk.accept(message, cursor=cursor)
        self._mark, self._stored = mark, cursor


class _Pass:
    """One pass under way."""

    def __init__(self, reading: Reading, limit: int) -> None:
        self._reading, self._limit = reading, limit
        self._again()

    def _again(self) -> None:
        """Begin at the mark."""
        self._from = self._reading.mark
        self._after, self._token = self._from.after, ""
        self._met: set[str] = set()
        self._empty = self._repeated = 0
        self._held: Page | None = None

    def run(self) -> None:
        """Page after page until there is no more."""
        while not self._reading.stopped:
            try:
                page = self._reading.page(self._after, self._token, self._limit)
            except DeliveryError as error:
                self._get_over(error)
                continue
            keys = [key(text) for text in page.objects]
            self._take(page)
            if not page.more:
                return
            self._empty = 0 if keys else self._empty + 1
            if keys:
                self._repeated = self._repeated + 1 if self._met.issuperset(keys) else 0
            self._met.update(keys)
            self._go_on(page)

    def _take(self, page: Page) -> None:
        """Hand over a page; one that ends in values waits for the next, which may say whose they are."""
        if self._held is not None:
            last = max(self._held.last, page.last)
            page = page._replace(objects=self._held.objects + page.objects, first=self._held.first, last=last)
        self._held = page
        if not (page.more and page.next and len(page.objects) < TOGETHER and ends_unexplained(page.objects)):
            self._take_held()

    def _take_held(self) -> None:
        page, self._held = self._held, None
        if page is not None:
            self._reading.take(page, [key(text) for text in page.objects])

    def _go_on(self, page: Page) -> None:
        """To the next page: by `next`; without one, from the mark."""
        if page.next and (self._empty > MOST_EMPTY or self._repeated >= MOST_REPEATED):
            self._get_over(Circles(f"{self._reading.where} gives the same pages again and again: ask who runs it"))
        elif page.next:
            self._token = page.next  # the same on every page at some servers
        elif self._reading.mark.after > self._after:
            self._again()
        elif self._limit < LARGEST_PAGE:
            self._limit = min(2 * self._limit, LARGEST_PAGE)  # more were added at one time than a page holds
        else:
            raise Unclear(f"{self._reading.where} says that there is more, but not how to get it: ask who runs it")

    def _get_over(self, error: DeliveryError) -> None:
        """Begin at the mark again if this pass got further, ask for less if it was too much; else raise."""
        self._take_held()
        asked_to_wait = isinstance(error, Unavailable) and error.retry_after is not None
        too_large = isinstance(error, Unclear) or (isinstance(error, Refused) and error.status == 413)
        if self._token and self._reading.mark != self._from and not asked_to_wait:
            log.info("begins again at the mark", reason=str(error))
            self._again()
        elif too_large and self._limit > 1:
            self._limit = max(1, self._limit // 4)
            self._again()
        elif self._token and isinstance(error, Refused):
            raise Unavailable(f"{self._reading.where} does not go on to its next page: {error}")
        else:
            raise error
