"""What clients send: an array of events, of which each is taken or refused for itself.

What is taken becomes one message, like any other that comes in. An event that a client sent before, by its ID and what
stands in it, is not stored again, and is answered as saved.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tocsin.config import WardenSection
from tocsin.errors import Malformed, Refused, TocsinError, TooLarge
from tocsin.formats.idea.received import wrong_with
from tocsin.model import Message
from tocsin.store import warden
from tocsin.store.warden import Sent
from tocsin.web.notes import now_micros
from tocsin.web.reading import read_body
from tocsin.web.state import Web, read, web_of
from tocsin.web.waiting import committed
from tocsin.web.warden.answers import Fault, Faulty, Said
from tocsin.web.warden.entering import Client

MIB = 1024 * 1024
LARGEST_EVENT = 5 * MIB
TEST = "Test"
_EVENTS = msgspec.json.Decoder(list[msgspec.Raw])
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_DIGEST = msgspec.json.Encoder(order="sorted").encode


class Turns:
    """One request of a client is stored at a time, so that what it sends twice at once is stored once too."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}

    def of(self, client: str) -> asyncio.Lock:
        """The turn of a client of the configuration."""
        return self._locks.setdefault(client, asyncio.Lock())


class Event(NamedTuple):
    """An event that can be taken: its place in the array, its text, and how it is known again."""

    place: int
    text: msgspec.Raw
    sent: Sent


class Sorted(NamedTuple):
    """The events of an array that can be taken, and what is wrong with the others."""

    good: list[Event]
    faults: list[Fault]
    length: int


async def send_events(request: Request, client: Client, section: WardenSection) -> Response:
    """SendEvents: how many were saved, once they are on disk; errors by index where some were not."""
    web = web_of(request)
    try:
        body = await read_body(request, web.hub.config.http.max_body_mib * MIB, web.load)
        try:
            found = await run_in_threadpool(sorted_out, body, client, section.send_events_limit)
            async with request.app.state.warden_turns.of(client.name):
                faults = await _stored(request, client, body, found)
        finally:
            web.load.give(len(body))
    except (TocsinError, HTTPException):
        web.notes.refused(client.name)
        raise
    if faults:
        if not found.good:
            web.notes.refused(client.name)
        raise Faulty(*faults)
    return Said({"saved": len(found.good)})


async def _stored(request: Request, client: Client, body: bytes, found: Sorted) -> list[Fault]:
    """Store what is new of it; everything that is wrong, with what the way in refused."""
    wanted = [event.sent for event in found.good]
    known = await read(request, lambda tx: warden.known(tx, client.name, wanted)) if wanted else set()
    fresh = list({event.sent: event for event in found.good if event.sent not in known}.values())
    if not fresh:
        return found.faults
    whole = body if len(fresh) == found.length else msgspec.json.encode([event.text for event in fresh])
    web, faults = web_of(request), list(found.faults)
    try:
        await _hand_over(web, client, whole, fresh)
    except Refused:
        for event in fresh:  # one of them is in the way of the others
            try:
                await _hand_over(web, client, bytes(event.text), [event])
            except Refused as error:
                code = 413 if isinstance(error, TooLarge) else 460
                faults.append(_fault(code, str(error), event.place, event.sent.id))
    return faults


async def _hand_over(web: Web, client: Client, body: bytes, events: Sequence[Event]) -> None:
    message = Message(
        source=client.name,
        sender=client.name,
        body=body,
        media_type="application/json",
        received=now_micros(),
        by_bytes=True,
    )
    sent = tuple(event.sent for event in events)
    await committed(await run_in_threadpool(web.hub.intake.submit, message, answerable=True, sent=sent))


def sorted_out(body: bytes, client: Client, limit: int) -> Sorted:
    """What can be taken of an array, and what cannot. Raises Malformed: it is no array of JSON."""
    try:
        texts = _EVENTS.decode(body) if body.strip() else []
    except _UNREADABLE as error:
        raise Malformed(f"The body is no JSON array: {error}.") from None
    good: list[Event] = []
    faults: list[Fault] = []
    for place, text in enumerate(texts[:limit]):
        value, fault = _decoded(text, place)
        wrong = [fault] if fault else list(_wrong(value, place, client, len(bytes(text))))
        faults += wrong
        if not wrong:
            digest = hashlib.sha256(_DIGEST(value)).hexdigest()[:32]
            good.append(Event(place, text, Sent(value["ID"], digest)))
    if len(texts) > limit:
        over = range(limit, len(texts))
        ids = tuple(_id(_decoded(text, 0)[0]) for text in texts[limit:])
        words = f"There are more than {limit} events: send them in parts."
        faults.append(Fault(507, words, tuple(over), ids, {"send_events_limit": limit}))
    return Sorted(good, faults, len(texts))


def _decoded(text: msgspec.Raw, place: int) -> tuple[Any, Fault | None]:
    try:
        value = msgspec.json.decode(text)
    except _UNREADABLE as error:
        words = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        return None, _fault(460, f"The event is no JSON: {words}", place, None)
    if not isinstance(value, dict):
        return None, _fault(460, "The event is no JSON object", place, None, expected="object")
    return value, None


def _wrong(event: dict[str, Any], place: int, client: Client, size: int) -> Iterator[Fault]:
    """The first kind of thing that is wrong: the schema, then its node, what the client may send, its size."""
    id = _id(event)
    wrong = list(wrong_with(event))
    if wrong:
        for key, words in wrong:
            yield _fault(460, f"IDEA0 schema: {words}", place, id, key=key)
    elif (words := _wrong_node(event, client.name)) or (words := _wrong_category(event, client)):
        context = {"categories": event["Category"]} if words.startswith("A test client") else {}
        yield _fault(422, words, place, id, **context)
    elif size > LARGEST_EVENT:
        yield _fault(413, f"The event is larger than {LARGEST_EVENT:,} bytes", place, id)


def _wrong_node(event: dict[str, Any], name: str) -> str:
    """The newest node has to be the client itself."""
    nodes = event.get("Node")
    if not nodes:
        return "The event has no Node: its first one has to be the client itself"
    if nodes[0]["Name"].lower() != name:
        return f"The first Node has to be the client itself: {name}"
    return ""


def _wrong_category(event: dict[str, Any], client: Client) -> str:
    if client.table.write or TEST in event["Category"]:
        return ""
    return "A test client may send only events of the category Test"


def _id(event: Any) -> str | None:
    id = event.get("ID") if isinstance(event, dict) else None
    return id if isinstance(id, str) else None


def _fault(code: int, words: str, place: int, id: str | None, **context: Any) -> Fault:
    return Fault(code, words, (place,), (id,), context)
