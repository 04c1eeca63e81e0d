"""The Warden 3 server: clients send events of IDEA0, and read those that the lane `warden-server` made readable.

`answers.py` is the form of what goes back, `entering.py` who is asking, `sending.py` and `reading.py` the methods.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from tocsin import __version__
from tocsin.config import WardenSection
from tocsin.web.answers import refusal
from tocsin.web.door import Route
from tocsin.web.state import web_of
from tocsin.web.warden.answers import Fault, Faulty, Said, refused, show_failure
from tocsin.web.warden.entering import PEER, Client, Peer, entered
from tocsin.web.warden.reading import get_events
from tocsin.web.warden.sending import Turns, send_events

ROOT = "/warden3"


async def get_info(_request: Request, _client: Client, section: WardenSection) -> Response:
    """GetInfo: the limits. Whoever may do anything at all is told."""
    told: dict[str, object] = {
        "version": f"3.0-tocsin-{__version__}",
        "send_events_limit": section.send_events_limit,
        "get_events_limit": section.get_events_limit,
    }
    return Said(told | ({"description": section.description} if section.description else {}))


Method = Callable[[Request, Client, WardenSection], Awaitable[Response]]
_METHODS: Mapping[str, tuple[Method, Callable[[Client], bool], str]] = {
    "getInfo": (get_info, lambda client: client.table.read or client.sends, "do anything"),
    "getEvents": (get_events, lambda client: client.table.read, "read events"),
    "sendEvents": (send_events, lambda client: client.sends, "send events"),
}


async def serve(request: Request) -> Response:
    """Any method: GET and POST are the same, parameters stand in the query."""
    name: str = request.path_params["method"]
    section = web_of(request).hub.config.warden
    if request.method == "HEAD":
        raise refusal(405, "This address takes GET and POST.", Allow="GET, POST")
    try:
        if section is None or not section.enabled or name not in _METHODS:
            raise Faulty(Fault(404, "There is no such method: there are getInfo, getEvents and sendEvents."))
        method, may, what = _METHODS[name]
        client = entered(request, section)
        if not may(client):
            raise Faulty(Fault(403, f"This client may not {what}.", context={"client": client.name}))
        return await method(request, client, section)
    except Faulty as error:
        return refused(name[:100], error.faults)


WARDEN: Sequence[Route] = [Route(["GET", "POST"], f"{ROOT}/{{method}}", "none", serve)]
"""Rights are the clients' own and not the roles', so the handler asks for them itself."""


def is_warden(path: str) -> bool:
    """Whether Warden's clients ask there, so that failures are error objects."""
    return path == ROOT or path.startswith(f"{ROOT}/")


__all__ = ["PEER", "WARDEN", "Peer", "Turns", "is_warden", "show_failure"]
