"""Who is at the other end of a connection, by its own address and by the certificate it has shown.

A proxy's headers change the address that requests have; this is told beside it, where no header reaches.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tocsin.web.warden import PEER, Peer


class TellingProtocol(HttpToolsProtocol):
    """Puts the other end into the state of each request."""

    _peer = Peer("")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Ask the connection once."""
        super().connection_made(transport)
        shown: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        certificate = shown.getpeercert() if shown is not None else None
        self._peer = Peer(self.client[0] if self.client else "", names_of(certificate or {}))

    def on_message_begin(self) -> None:
        """Tell each request."""
        super().on_message_begin()
        self.scope["state"][PEER] = self._peer


def names_of(certificate: Mapping[str, Any]) -> tuple[str, ...]:
    """The CN of a verified certificate, then its DNS names; nothing where there is none, or more than one CN."""
    common = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
    others = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
    return (common[0], *others) if len(common) == 1 else ()
