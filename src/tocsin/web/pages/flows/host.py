"""What one address did: its flows over time, with whom, over which ports, and what alerts say of them."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from tocsin.entities import Known
from tocsin.errors import FlowsError, Malformed, TooSlow
from tocsin.flows.searching import counting
from tocsin.flows.searching.asked import Asked, asked
from tocsin.flows.searching.counting import Host
from tocsin.flows.searching.tallying import Tally, tally
from tocsin.flows.searching.warm import Warm
from tocsin.model import Entity
from tocsin.query import addresses
from tocsin.query.values import quoted
from tocsin.store import entity
from tocsin.web.notes import now_micros
from tocsin.web.pages.drawing import draw
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


class Summed(NamedTuple):
    """`known` is None where it has no flows."""

    known: Host | None
    peers: Sequence[Peer] = ()
    ports: Sequence[Counted] = ()
    kinds: Sequence[Counted] = ()


def host(request: Request) -> Response:
    """GET /flows/host/ADDRESS."""
    if missing := lacking(request):
        return draw(request, "flows/none.html", here="flows", missing=missing)
    address = normal(request.path_params["address"])
    query = f"ip:{quoted(address)}"
    warm, known = web_of(request).hub.flows, known_of(request)
    wish = read({"query": [query]}, now_micros())
    summed, trouble = _summed(warm, address, query)
    parts = listed(warm, wish, "/flows", limit=NEWEST)
    parts["trouble"] = trouble or parts["trouble"]
    told = _entity(address, known)
    return draw(
        request,
        "flows/host.html",
        here="flows",
        wish=wish,
        path="/flows",
        address=address,
        own=own_words(told.type, is_own(known, told)),
        entity_url=address_of(told),
        named_url=_search(f"{query} and alertgroup:*"),
        summed=summed,
        group=None,
        **parts,
    )


def normal(text: str) -> str:
    """The address in one spelling. Raises Malformed."""
    span = addresses.span(text)
    if span is None or span[0] != span[1]:
        raise Malformed(f"{text[:60]!r} is no IP address.")
    return addresses.canonical(text)


def _summed(warm: Warm, address: str, query: str) -> tuple[Summed, Trouble | None]:
    wanted: Asked = asked(query, now_micros())
    try:
        found = counting.hosts(warm, wanted, limit=PEERS + 1)
        mine = next((one for one in found if _same(one.address, address)), None)
        if mine is None:
            return Summed(None), None
        ports = tally(warm, wanted, ("dport", "proto"), limit=PORTS)
        kinds = tally(warm, wanted, ("kind",), limit=100)
    except (TooSlow, FlowsError) as error:
        return Summed(None), about(str(error))
    peers = [
        Peer(one, host_url(one.address), _search(f"{query} and ip:{quoted(one.address)}"))
        for one in found
        if not _same(one.address, address)
    ]
    return Summed(mine, peers[:PEERS], _ports(ports, query), _kinds(kinds, query)), None


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
        if port is not None
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
