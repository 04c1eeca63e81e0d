"""Whether there are network flows that pages could show, and what to do where there are none."""

from urllib.parse import quote

from starlette.requests import Request

from tocsin.errors import TocsinError
from tocsin.flows import engine
from tocsin.flows.searching.asked import asked
from tocsin.flows.searching.paging import search
from tocsin.query.values import quoted
from tocsin.web.notes import now_micros
from tocsin.web.state import web_of

NOT_INSTALLED, NONE = "not installed", "none"


def lacking(request: Request) -> str:
    """Why there are no flows to be shown: `not installed`, `none`, or empty where there are some. Raises FlowsError."""
    dataset = web_of(request).hub.dataset
    if not engine.installed():
        return NOT_INSTALLED
    if not dataset.exists():
        return NONE
    with dataset.catalogue() as catalogue:
        return "" if catalogue.totals().kept else NONE


def any_there(request: Request) -> bool:
    """Whether a page may lead to flows; one that is about something else does not fail for them."""
    return engine.installed() and web_of(request).hub.dataset.exists()


def any_of(request: Request, address: str) -> bool:
    """Whether any flow has the address at either end; so it is said, too, where that takes too long to find out."""
    if not any_there(request):
        return False
    wanted = asked(f"ip:{quoted(address)}", now_micros())
    try:
        return bool(search(web_of(request).hub.flows, wanted, limit=1).flows)
    except TocsinError:
        return True


def host_url(address: str) -> str:
    """The page of what one address did."""
    return f"/flows/host/{quote(address, safe='')}"
