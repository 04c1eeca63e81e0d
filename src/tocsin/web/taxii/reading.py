"""What clients read: the server itself, its API roots, and the collections with what stands in them."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tocsin.formats.stix.write import stamp
from tocsin.store import Tx, collection
from tocsin.store.collection import Line
from tocsin.web.answers import refusal
from tocsin.web.auth import Principal
from tocsin.web.state import web_of
from tocsin.web.taxii.answers import STIX, TAXII, Resource, spanning
from tocsin.web.taxii.asked import MATCHES, Page, page_of
from tocsin.web.taxii.rights import Place, entered, place_of, places, readable_of, root_of

LONGEST_S = 20.0
"""What takes longer to look up is given up with 422: versions by their time alone, in a large collection."""
MIB = 1024 * 1024


async def get_discovery(request: Request) -> Response:
    """GET /taxii2/: what this server is. Section 4.1."""
    await entered(request)
    known = web_of(request).hub.config.taxii
    here = f"{request.url.scheme}://{request.url.netloc}/taxii2/"
    roots = [f"{here}{name}/" for name in known.roots]
    told = {"title": known.title, "description": known.description, "contact": known.contact, "default": roots[0]}
    return Resource({name: text for name, text in told.items() if text} | {"api_roots": roots})


async def get_root(request: Request) -> Response:
    """GET /taxii2/ROOT/: what stands in it and how much it takes. Section 4.2."""
    await entered(request)
    root = root_of(request)
    known = web_of(request).hub.config.taxii
    table = known.roots[root]
    told = {"title": table.title or root, "versions": [TAXII], "max_content_length": known.max_content_mib * MIB}
    return Resource(told | ({"description": table.description} if table.description else {}))


async def get_collections(request: Request) -> Response:
    """GET …/collections/: those that are there for whoever asks. Section 5.1."""
    principal = await entered(request)
    found = [_told(place) for place in places(web_of(request).hub, root_of(request), principal)]
    return Resource({"collections": found} if found else {})


async def get_collection(request: Request) -> Response:
    """GET …/collections/ID/. Section 5.2."""
    return Resource(_told(place_of(request, await entered(request))))


def _told(place: Place) -> dict[str, Any]:
    told = {
        "id": place.id,
        "title": place.table.title or place.name,
        "alias": place.name,
        "can_read": place.can_read,
        "can_write": place.can_write,
        "media_types": [STIX],
    }
    return told | ({"description": place.table.description} if place.table.description else {})


async def get_manifest(request: Request) -> Response:
    """GET …/manifest/: what there is, without the objects. Section 5.3."""
    return await _answered(request, await entered(request), _manifest, bare=True)


async def get_objects(request: Request) -> Response:
    """GET …/objects/. Section 5.4."""
    return await _answered(request, await entered(request), _envelope)


async def get_object(request: Request) -> Response:
    """GET …/objects/ID/: one of them. Section 5.6."""
    return await _answered(request, await entered(request), _envelope, of_path=True)


async def get_versions(request: Request) -> Response:
    """GET …/objects/ID/versions/. Section 5.8."""
    return await _answered(request, await entered(request), _versions, bare=True, of_path=True, all_versions=True)


Write = Callable[[Sequence[Line], str], bytes | dict[str, Any]]


async def _answered(
    request: Request,
    principal: Principal,
    written: Write,
    *,
    bare: bool = False,
    of_path: bool = False,
    all_versions: bool = False,
) -> Response:
    """A page, looked up and written in a thread."""
    place, hub = readable_of(request, principal), web_of(request).hub
    id = request.path_params["object"] if of_path else ""
    filters = ("spec_version",) if all_versions else ("version", "spec_version") if of_path else MATCHES
    page = page_of(request, place.id, hub.config.taxii.page_objects, filters=filters, id=id)
    if all_versions:
        page = page.of_all_versions()

    def work(tx: Tx) -> list[Line]:
        with tx.within(LONGEST_S):
            number, _ = collection.held(tx, place.name)
            if id and not collection.there(tx, number, id):
                raise refusal(404, f"There is no object {id[:100]!r} in {place.name}.")
            return [] if page.nothing else collection.page(tx, number, page.asked, page.limit + 1, bare=bare)

    def response() -> Response:
        return _page(hub.store.read(work), page, written)

    return await run_in_threadpool(response)


def _page(found: list[Line], page: Page, written: Write) -> Response:
    shown = found[: page.limit]
    if not shown:
        return Resource({})
    token = page.next(shown[-1].added) if len(found) > page.limit else ""
    return Resource(written(shown, token), headers=spanning(shown[0].added, shown[-1].added))


def _envelope(lines: Sequence[Line], token: str) -> bytes:
    """The objects stand encoded in the store: they are put one behind the other."""
    more = f'"more":true,"next":"{token}",' if token else '"more":false,'
    return f'{{{more}"objects":[{",".join([line.json for line in lines])}]}}'.encode()


def _manifest(lines: Sequence[Line], token: str) -> dict[str, Any]:
    records = [
        {"id": line.id, "date_added": stamp(line.added), "version": stamp(line.version), "media_type": STIX}
        for line in lines
    ]
    return _more(token) | {"objects": records}


def _versions(lines: Sequence[Line], token: str) -> dict[str, Any]:
    return _more(token) | {"versions": [stamp(line.version) for line in lines]}


def _more(token: str) -> dict[str, Any]:
    return {"more": True, "next": token} if token else {"more": False}
