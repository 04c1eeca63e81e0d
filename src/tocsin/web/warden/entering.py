"""Who is asking: a client of the configuration, by its secret or by its certificate, and what it may do.

The reference client sends its secret alone, where it has one, else its name alone. A certificate is known where Tocsin
speaks HTTPS itself, or where a permitted proxy says in a header what it has verified.
"""

import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request

from tocsin.config import WardenClientTable, WardenSection
from tocsin.web.reading import address_of, query_of
from tocsin.web.warden.answers import Fault, Faulty

PEER = "tocsin_peer"
"""In the state of a request: who is at the other end of its connection."""


class Peer(NamedTuple):
    """The other end of a connection; `names` are those of its certificate, the CN first."""

    address: str
    names: tuple[str, ...] = ()


class Client(NamedTuple):
    """A client that has proved itself."""

    name: str
    table: WardenClientTable

    @property
    def sends(self) -> bool:
        """Whether it may send anything."""
        return self.table.write or self.table.test


def entered(request: Request, section: WardenSection) -> Client:
    """Who is asking. Raises Faulty 403 (nobody known), Malformed."""
    given = query_of(request)
    name = next((text.lower() for text in given.get("client", ()) if text), "")
    secret = next((text for text in given.get("secret", ()) if text), "")
    found = identified(section.clients, name, secret, names_shown(request, section))
    if found is None:
        raise Faulty(Fault(403, "I'm watching. Authenticate."))
    return Client(found, section.clients[found])


def identified(clients: Mapping[str, WardenClientTable], name: str, secret: str, shown: Sequence[str]) -> str | None:
    """The one client that this proves; None for none, or more than one.

    A certificate of a client's own name is enough by itself, where nothing else is sent, or that very name. Otherwise
    everything that the client's table names has to be there, and nothing that it does not name.
    """
    if shown and name in ("", shown[0]) and (name or not secret):
        own = clients.get(shown[0])
        if own is not None and own.enabled and not own.hostname:
            return shown[0]
    found = [each for each, table in clients.items() if name in ("", each) and _is_proved(table, secret, shown)]
    return found[0] if len(found) == 1 else None


def _is_proved(table: WardenClientTable, secret: str, shown: Sequence[str]) -> bool:
    own = "" if table.secret is None else table.secret.get_secret_value()
    right = hmac.compare_digest(own.encode(), secret.encode())
    certified = table.hostname.lower() in shown
    return table.enabled and right and (certified if table.hostname else bool(own))


def names_shown(request: Request, section: WardenSection) -> tuple[str, ...]:
    """The names of the certificate that the client has shown; nothing without one. Raises Faulty 403."""
    peer: Peer = getattr(request.state, PEER, None) or Peer(address_of(request))
    if not section.certificate_header or not _is_permitted(peer.address, section.certificate_proxies):
        return tuple(name.lower() for name in peer.names)
    said = [text for text in request.headers.getlist(section.certificate_header) if text.strip()]
    if len(said) > 1:
        raise Faulty(Fault(403, "The proxy says more than one certificate: it has to replace what clients say."))
    return tuple(name.strip().lower() for text in said for name in text.split(",") if name.strip())


def _is_permitted(address: str, proxies: Sequence[str]) -> bool:
    try:
        here = ipaddress.ip_address(address)
    except ValueError:
        return False
    here = getattr(here, "ipv4_mapped", None) or here
    return any(here in ipaddress.ip_network(network) for network in proxies)
