"""What clients read: events behind an id, with filters, and how far each has read."""

import re
from collections.abc import Iterable, Mapping, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tocsin.config import WardenSection
from tocsin.formats.idea.categories import TAXONOMY
from tocsin.formats.idea.received import NODE_TYPES
from tocsin.store import Tx, warden
from tocsin.store.warden import Asked, Page
from tocsin.web.answers import refusal
from tocsin.web.notes import now_micros
from tocsin.web.reading import query_of
from tocsin.web.state import web_of, write
from tocsin.web.warden.answers import Fault, Faulty, Said
from tocsin.web.warden.entering import Client

_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,100}\s*", re.ASCII)
_LARGEST = 2**63 - 1
MOST_VALUES = 200
"""Of one filter."""


async def get_events(request: Request, client: Client, section: WardenSection) -> Response:
    """GetEvents: what comes behind an id, else behind what this client read last."""
    given = query_of(request)
    asked = _asked(given)
    after, count = _number(given, "id"), _number(given, "count")
    limit = section.get_events_limit if count is None or count < 0 else min(count, section.get_events_limit)

    def work(tx: Tx) -> tuple[Page, int | None]:
        before = warden.cursor(tx, client.name)
        start = _start(tx, after, before)
        return (warden.page(tx, start, limit, asked) if limit else Page((), start)), before

    store = web_of(request).hub.store
    page, before = await run_in_threadpool(store.read, work)
    if page.last != before:
        await write(request, lambda tx: warden.move(tx, client.name, page.last, now_micros()))
    return await run_in_threadpool(_said, page)


def _start(tx: Tx, after: int | None, before: int | None) -> int:
    """Behind which id: the one that is said; from the newest, if it is not above 0; where the client was; or now."""
    if after is None:
        return warden.newest(tx) if before is None else before
    return min(after, _LARGEST) if after > 0 else max(warden.newest(tx) + after, 0)


def _said(page: Page) -> Response:
    """The events stand encoded in the store: they are put one behind the other."""
    return Said(f'{{"lastid":{page.last},"events":[{",".join(page.events)}]}}'.encode())


def _number(given: Mapping[str, Sequence[str]], name: str) -> int | None:
    """What cannot be read is as if it were not there."""
    text = next((each for each in given.get(name, ()) if each), "")
    return int(text) if _NUMBER.fullmatch(text) else None


def _asked(given: Mapping[str, Sequence[str]]) -> Asked:
    """The filters. Raises Faulty 422."""
    words = {
        no + kind: tuple(dict.fromkeys(text for text in given.get(no + kind, ()) if text))
        for kind in ("cat", "tag", "group")
        for no in ("", "no")
    }
    for kind in ("cat", "tag", "group"):
        both = {name: words[name] for name in (kind, f"no{kind}")}
        if all(both.values()):
            raise Faulty(Fault(422, f"Unsupported combination of {kind} and no{kind}: give one.", context=both))
    for name, values in words.items():
        if len(values) > MOST_VALUES:
            raise refusal(422, f"{name}: {len(values):,} values are more than {MOST_VALUES}.")
    _check(TAXONOMY, words["cat"] + words["nocat"], "category")
    _check(NODE_TYPES, words["tag"] + words["notag"], "tag")
    groups = {name: tuple(text.lower() for text in words[name]) for name in ("group", "nogroup")}
    return Asked(**(words | groups))


def _check(known: Iterable[str], words: Sequence[str], what: str) -> None:
    for word in words:
        if word not in known:
            raise Faulty(Fault(422, f"Wrong {what} used in query.", context={"key": word}))
