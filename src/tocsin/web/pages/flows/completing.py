"""What the search box of the flows offers while one types."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed
from tocsin.flows.labelling.said import TRANSPORT
from tocsin.flows.searching.fields import FLOWS
from tocsin.query import complete
from tocsin.web.answers import Json
from tocsin.web.pages.drawing import HEADERS
from tocsin.web.reading import query_of
from tocsin.web.state import web_of

_SERVICES = ("dhcp", "dns", "ftp", "http", "krb", "ntp", "quic", "rdp", "smb", "smtp", "snmp", "ssh", "ssl")
_STATES = ("OTH", "REJ", "RSTO", "RSTOS0", "RSTR", "RSTRH", "S0", "S1", "S2", "S3", "SF", "SH", "SHR")
"""Of Zeek."""
_TOOLS = ("argus", "nfdump", "suricata", "zeek")


def offers(request: Request) -> Response:
    """GET /flows/complete?q=…&at=…: as /alerts/complete, of the fields of flows."""
    query = query_of(request)
    text, at = query.get("q", [""])[-1], query.get("at", [""])[-1]
    if not (at.isascii() and at.isdecimal() and len(at) <= 9):
        raise Malformed("at must be the number of characters before the cursor.")
    options = web_of(request).hub.config.flows
    known: Mapping[str, Sequence[str]] = {
        "label": (options.malicious, options.benign),
        "proto": sorted(TRANSPORT),
        "service": _SERVICES,
        "state": _STATES,
        "tool": _TOOLS,
    }
    return Json({"offers": complete(text, int(at), known, FLOWS)}, headers=dict(HEADERS))
