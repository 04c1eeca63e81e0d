"""What clients hand in: objects become a message like any other, and its client can ask what became of it.

TAXII 2.1 sections 4.3 (status) and 5.5 (adding objects).
"""

import re
from typing import Any, NamedTuple

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tocsin.config import lane_of
from tocsin.errors import Malformed, NotFound, Refused, TocsinError, TooLarge
from tocsin.formats.stix.write import stamp
from tocsin.model import Message, Micros
from tocsin.store import handed_in
from tocsin.store.handed_in import Handed, Thing
from tocsin.web.answers import refusal
from tocsin.web.notes import now_micros
from tocsin.web.reading import read_body
from tocsin.web.state import Web, read, web_of, write
from tocsin.web.taxii.answers import TAXII, Resource, check_content
from tocsin.web.taxii.reading import MIB
from tocsin.web.taxii.rights import ADMIN, Place, entered, root_of, writable_of
from tocsin.web.waiting import committed

_ID = re.compile(r"([a-z][a-z0-9-]{1,248}[a-z0-9])--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
NO_ID = "(none)"
QUARANTINED, DISCARDED = "quarantined", "discarded"


class _Envelope(msgspec.Struct, frozen=True):
    """Section 3.7; objects are kept as they were written."""

    objects: list[msgspec.Raw] = []


class _Head(msgspec.Struct, frozen=True):
    """What an object is known by."""

    type: str = ""
    id: str = ""
    spec_version: str = ""
    created: str = ""
    modified: str = ""


class Sorted(NamedTuple):
    """A client's objects, those that are objects of STIX 2.1 and those that are not; `body` holds the good ones."""

    body: bytes
    taken: list[Thing]
    refused: list[Thing]


async def post_objects(request: Request) -> Response:
    """POST …/objects/: 202 with the status, once what was taken is on disk."""
    principal = await entered(request)
    place, web = writable_of(request, principal), web_of(request)
    check_content(request)
    at = now_micros()
    try:
        limit = web.hub.config.taxii.max_content_mib * MIB
        body = await read_body(request, limit, web.load)
        try:
            found = await run_in_threadpool(sorted_out, body, at)
            message, found = await _handed_over(web, place, principal.name, found, at)
        finally:
            web.load.give(len(body))
    except (TocsinError, HTTPException):
        web.notes.refused(lane_of(place.name))
        raise
    root = root_of(request)
    id = await write(
        request, lambda tx: handed_in.put(tx, root, principal.name, at, message, found.taken, found.refused)
    )
    known = await read(request, lambda tx: handed_in.get(tx, id))
    return Resource(status(known), status_code=202)


async def get_status(request: Request) -> Response:
    """GET /taxii2/ROOT/status/ID/: for who handed it in."""
    principal = await entered(request)
    root, id = root_of(request), request.path_params["status"]
    gone = refusal(404, "There is no status of that id, or it was forgotten.")
    if not _UUID.fullmatch(id):
        raise gone
    try:
        known = await read(request, lambda tx: handed_in.get(tx, id.lower()))
    except NotFound:
        raise gone from None
    if known.root != root or (known.who != principal.name and principal.role != ADMIN):
        raise gone
    return Resource(status(known))


async def _handed_over(web: Web, place: Place, who: str, found: Sorted, at: Micros) -> tuple[int | None, Sorted]:
    """Make a message of what was taken; without any there is none. The same bytes again are the same message."""
    if not found.taken:
        return None, found
    message = Message(
        source=lane_of(place.name), sender=who, body=found.body, media_type=TAXII, received=at, by_bytes=True
    )
    try:
        stored = await committed(await run_in_threadpool(web.hub.intake.submit, message, answerable=True))
    except TooLarge:
        raise
    except Refused as error:
        refused = [msgspec.structs.replace(thing, words=str(error)) for thing in found.taken]
        return None, Sorted(b"", [], [*found.refused, *refused])
    return stored.message, found


def sorted_out(body: bytes, at: Micros) -> Sorted:
    """What can be taken of an envelope, and what cannot.

    Raises:
        Malformed: it is no JSON object.
        HTTPException: 422, it is no envelope with objects.
    """
    try:
        objects = msgspec.json.decode(body, type=_Envelope).objects
    except msgspec.ValidationError as error:
        raise refusal(422, f"This is no envelope of TAXII 2.1: {error}.") from None
    except _UNREADABLE as error:
        raise Malformed(f"The body is no JSON: {error}.") from None
    if not objects:
        raise refusal(422, 'The envelope holds no objects: {"objects": […]} has one or more.')
    good, taken, refused = list[msgspec.Raw](), list[Thing](), list[Thing]()
    for raw in objects:
        thing = _looked_at(raw, at)
        (refused if thing.words else taken).append(thing)
        if not thing.words:
            good.append(raw)
    return Sorted(msgspec.json.encode({"objects": good}) if refused else body, taken, refused)


def _looked_at(raw: msgspec.Raw, at: Micros) -> Thing:
    """An object as its status names it, with what is wrong with it."""
    try:
        head = msgspec.json.decode(raw, type=_Head)
    except _UNREADABLE as error:
        return Thing(id=NO_ID, version=stamp(at), words=f"no object of STIX: {error}")
    version = head.modified or head.created or stamp(at)
    match = _ID.fullmatch(head.id)
    wrong = ""
    if match is None:
        wrong = "its id is none of STIX: TYPE--UUID, in small letters"
    elif match[1] != head.type:
        wrong = f"its type is {head.type[:60]!r}, its id says {match[1]!r}"
    elif head.spec_version not in ("", "2.1"):
        wrong = f"it is of STIX {head.spec_version[:20]!r}: only 2.1 is taken"
    return Thing(id=head.id[:300] or NO_ID, version=version[:60], words=wrong)


def status(known: Handed) -> dict[str, Any]:
    """The status resource: pending is what waits for a person in quarantine, failed what was refused or discarded."""
    failures = list(known.refused)
    successes, pendings = list[Thing](), list[Thing]()
    if known.state == QUARANTINED:
        words = f"kept, but not understood; a person has to look: {known.reason}"
        pendings = [msgspec.structs.replace(thing, words=words) for thing in known.taken]
    elif known.state == DISCARDED:
        failures += [msgspec.structs.replace(thing, words="a person discarded it") for thing in known.taken]
    else:
        successes = list(known.taken)
    told: dict[str, Any] = {
        "id": known.id,
        "status": "pending" if pendings else "complete",
        "request_timestamp": stamp(known.at),
        "total_count": len(successes) + len(failures) + len(pendings),
    }
    for word, plural, things in (
        ("success", "successes", successes),
        ("failure", "failures", failures),
        ("pending", "pendings", pendings),
    ):
        told[f"{word}_count"] = len(things)
        if things:
            told[plural] = [_detail(thing) for thing in things]
    return told


def _detail(thing: Thing) -> dict[str, str]:
    named = {"id": thing.id, "version": thing.version}
    return named | ({"message": thing.words} if thing.words else {})
