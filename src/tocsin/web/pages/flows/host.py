"""What one address did: its flows over time, with whom, over which ports, and what alerts say of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from tocsin.entities import Known
from tocsin.errors import FlowsError, Malformed, TooSlow
from tocsin.flows.searching.asked import asked
from tocsin.flows.searching.counting import Host
from tocsin.flows.searching.tallying import Tally, summed
from tocsin.flows.searching.warm import Warm
from tocsin.model import Entity
from tocsin.query import addresses
from tocsin.query.values import quoted
from tocsin.store import entity
from tocsin.web.notes import now_micros
from tocsin.web.pages.drawing import draw, piece, target_of
from tocsin.web.pages.flowing import host_url, lacking
from tocsin.web.pages.flows.listing import listed
from tocsin.web.pages.flows.wish import read
from tocsin.web.pages.marking import address_of, is_own, own_words
from tocsin.web.pages.trouble import Trouble, about
from tocsin.web.state import known_of, web_of

PEERS = 25
PORTS = 15
NEWEST = 20


class Peer(NamedTuple):
    """An address it had flows with: what stands there of the peer, and where both are looked at."""

    known: Host
    url: str
    search: str


class Counted(NamedTuple):
    """A port or kind, with how many flows, and where they are listed."""

    words: str
    flows: int
    labelled: int
    search: str


class Sums(NamedTuple):
    """`known` is None where it has no flows."""

    known: Host | None
    peers: Sequence[Peer] = ()
    ports: Sequence[Counted] = ()
    kinds: Sequence[Counted] = ()


def host(request: Request) -> Response:
    """GET /flows/host/ADDRESS: its newest flows at once; what takes longer comes behind."""
    if missing := lacking(request):
        return draw(request, "flows/none.html", here="flows", missing=missing)
    address = normal(request.path_params["address"])
    wish = read({"query": [query_for(address)]}, now_micros())
    told = _entity(address, known_of(request))
    return draw(
        request,
        "flows/host.html",
        here="flows",
        wish=wish,
        address=address,
        own=own_words(told.type, is_own(known_of(request), told)),
        entity_url=address_of(told),
        sums_url=f"{host_url(address)}/sums",
        named_url=_search(f"{query_for(address)} and alertgroup:*"),
        **listed(web_of(request).hub.flows, wish, "/flows", limit=NEWEST),
    )


def sums(request: Request) -> Response:
    """GET /flows/host/ADDRESS/sums: how many flows it has, with whom, to which ports; or only that for htmx."""
    if missing := lacking(request):
        return draw(request, "flows/none.html", here="flows", missing=missing)
    address = normal(request.path_params["address"])
    found, trouble = _sums(web_of(request).hub.flows, address, query_for(address))
    parts: dict[str, Any] = {"sums": found, "trouble": trouble, "address": address, "url": host_url(address)}
    if target_of(request) == "sums":
        return piece(request, "flows/sums.html", **parts)
    return draw(request, "flows/sums_page.html", here="flows", **parts)


def query_for(address: str) -> str:
    """The query that means its flows."""
    return f"ip:{quoted(address)}"


def normal(text: str) -> str:
    """The address in one spelling. Raises Malformed."""
    span = addresses.span(text)
    if span is None or span[0] != span[1]:
        raise Malformed(f"{text[:60]!r} is no IP address.")
    return addresses.canonical(text)


def _sums(warm: Warm, address: str, query: str) -> tuple[Sums, Trouble | None]:
    try:
        found = summed(warm, asked(query, now_micros()), hosts=PEERS + 1, ports=PORTS)
    except (TooSlow, FlowsError) as error:
        return Sums(None), about(str(error))
    mine = next((one for one in found.hosts if _same(one.address, address)), None)
    peers = [
        Peer(one, host_url(one.address), _search(f"{query} and ip:{quoted(one.address)}"))
        for one in found.hosts
        if not _same(one.address, address)
    ]
    return Sums(mine, peers[:PEERS], _ports(found.ports, query), _kinds(found.kinds, query)), None


def _ports(found: Sequence[Tally], query: str) -> list[Counted]:
    return [
        Counted(
            f"{port}/{proto}" if proto else f"{port}",
            each.flows,
            each.labelled,
            _search(f"{query} and dport:{port}" + (f" and proto:{quoted(str(proto))}" if proto else "")),
        )
        for each in found
        for port, proto in (each.keys,)
    ]


def _kinds(found: Sequence[Tally], query: str) -> list[Counted]:
    return [
        Counted(str(each.keys[0]), each.flows, each.labelled, _search(f"{query} and kind:{each.keys[0]}"))
        for each in found
    ]


def _search(query: str) -> str:
    return f"/flows?{urlencode({'query': query})}"


def _same(one: str, address: str) -> bool:
    return addresses.span(one) == addresses.span(address)


def _entity(address: str, known: Known) -> Entity:
    asked_of = entity.asked(address, "", known)
    type, value = next(iter(asked_of), ("ipv6" if ":" in address else "ipv4", address))
    return Entity(type=type, value=value)
