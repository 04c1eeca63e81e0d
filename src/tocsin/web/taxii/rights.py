"""Who is asking, and which collections are there for them.

A collection that somebody may neither read nor write is not there for them (404); one that they may only read or only
write is there, and refuses the other (403). TAXII 2.1 section 5.
"""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID, uuid5

from starlette.requests import Request

from tocsin.app import Hub
from tocsin.config import CollectionTable
from tocsin.config.collections import EVERYBODY
from tocsin.web.answers import refusal
from tocsin.web.auth import MAY, SAFE, Principal
from tocsin.web.state import web_of
from tocsin.web.taxii.answers import check_accept

ADMIN = "admin"
_ROLE = "role:"


class Place(NamedTuple):
    """A collection as it is for whoever asks."""

    name: str
    id: str
    table: CollectionTable
    can_read: bool
    can_write: bool


async def entered(request: Request) -> Principal:
    """Who is asking. Raises HTTPException 401 (nobody known), 406 (nothing they take), 429.

    What changes something needs a key or a password: a browser's session is not enough.
    """
    principal = await web_of(request).access.of(request)
    if principal is None or (principal.kind == "session" and request.method not in SAFE):
        raise refusal(401, "Give an API key (Authorization: Bearer KEY, or as the password), or name and password.")
    check_accept(request)
    return principal


def root_of(request: Request) -> str:
    """The API root of the path. Raises HTTPException 404."""
    root: str = request.path_params["root"]
    roots = web_of(request).hub.config.taxii.roots
    if root not in roots:
        raise refusal(404, f"There is no API root {root[:60]!r}; GET /taxii2/ lists them.")
    return root


def places(hub: Hub, root: str, principal: Principal) -> Iterator[Place]:
    """The collections of an API root that are there for somebody."""
    first = next(iter(hub.config.taxii.roots))
    for name, table in hub.config.collections.items():
        if not table.enabled or (table.api_root or first) != root:
            continue
        can_read = _named(table.readers, principal)
        can_write = table.accept_writes and _named(table.writers, principal)
        if can_read or can_write:
            yield Place(
                name, str(table.id or uuid5(UUID(hub.store.uid), f"collection/{name}")), table, can_read, can_write
            )


def place_of(request: Request, principal: Principal) -> Place:
    """The collection of the path, by its id or its name. Raises HTTPException 404."""
    asked: str = request.path_params["collection"]
    for place in places(web_of(request).hub, root_of(request), principal):
        if asked.lower() == place.id or asked == place.name:
            return place
    raise refusal(404, f"There is no collection {asked[:60]!r}, or it is not for {principal.name!r}.")


def readable_of(request: Request, principal: Principal) -> Place:
    """As `place_of`, to be read. Raises HTTPException 403, 404."""
    place = place_of(request, principal)
    if not place.can_read:
        raise refusal(403, f"{principal.name!r} may write to {place.name}, not read it.")
    return place


def writable_of(request: Request, principal: Principal) -> Place:
    """As `place_of`, to be written to. Raises HTTPException 403, 404."""
    place = place_of(request, principal)
    if not place.can_write:
        why = f"{principal.name!r} may read it only" if place.table.accept_writes else "it takes no objects"
        raise refusal(403, f"Nothing can be added to {place.name}: {why}.")
    return place


def _named(names: list[str], principal: Principal) -> bool:
    return principal.role == ADMIN or any(_means(name, principal) for name in names)


def _means(name: str, principal: Principal) -> bool:
    if not name.startswith(_ROLE):
        return name in (EVERYBODY, principal.name)
    role = name.removeprefix(_ROLE)
    return principal.role == role or any(principal.role in roles for need, roles in MAY.items() if need == role)
