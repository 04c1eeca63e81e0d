"""A flow's own page: every field, its fingerprints, who says what of it, and what else was seen of its connection."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import TooSlow
from tocsin.flows.catalogue import Imported, line_of
from tocsin.flows.dataset import Dataset
from tocsin.flows.kinds import KINDS
from tocsin.flows.searching import paging
from tocsin.flows.searching.asked import asked
from tocsin.flows.searching.fields import FLOWS
from tocsin.flows.searching.paging import Flow
from tocsin.flows.searching.warm import Warm
from tocsin.model import Micros
from tocsin.query.values import quoted
from tocsin.store import alertgroup
from tocsin.store.alertgroup import Summary
from tocsin.web.notes import now_micros
from tocsin.web.pages import flowing
from tocsin.web.pages.alerts import store_of
from tocsin.web.pages.drawing import draw
from tocsin.web.pages.flows.lines import Line
from tocsin.web.pages.flows.lines import line_of as as_line
from tocsin.web.state import path_id, web_of

MOST_BESIDE = 100
COPIED = ("aid", "community_id")
"""Fields with a button of their own."""
_ELSEWHERE = frozenset({"place", "event", *COPIED})
_TIMES = frozenset({"start", "finish"})


class Named(NamedTuple):
    """A field by its name in the data set, what it is, and what the log said."""

    name: str
    about: str
    value: Any
    time: Micros | None = None


class From(NamedTuple):
    """The import and the line that a flow was read from."""

    imported: Imported | None
    line: int


def one(request: Request) -> Response:
    """GET /flows/ID."""
    place = path_id(request)
    if missing := flowing.lacking(request):
        return draw(request, "flows/none.html", here="flows", missing=missing)
    hub = web_of(request).hub
    flow = paging.flow(hub.flows, place)
    beside, more = _beside(hub.flows, flow)
    group: Summary | None = None
    if flow.alertgroup is not None:
        group = store_of(request).read(lambda tx: alertgroup.some(tx, [flow.alertgroup or 0])).get(flow.alertgroup)
    return draw(
        request,
        "flows/one.html",
        here="flows",
        line=as_line(flow),
        fields=fields_of(flow),
        copied=[(name, flow.cells.get(name)) for name in COPIED],
        alternative=KINDS[flow.kind].alternative,
        tool=flow.cells.get("tool", ""),
        group=group,
        beside=beside,
        more_url=f"/flows?{urlencode({'query': _uid(flow)})}" if more else "",
        came_from=_from(hub.dataset, place),
    )


def fields_of(flow: Flow) -> list[Named]:
    """What the log says of it, in the order in which it is stored."""
    found = []
    for column in KINDS[flow.kind].columns:
        value = flow.cells.get(column.name)
        if value is None or column.name in _ELSEWHERE:
            continue
        field = FLOWS.find(column.name)
        about = field[0].about if field else ""
        found.append(Named(column.name, about, _shown(value), value if column.name in _TIMES else None))
    return found


def _shown(value: Any) -> Any:
    """As a cell: texts, lists of texts, and numbers as they are written."""
    if isinstance(value, list):
        return [str(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _uid(flow: Flow) -> str:
    return f"uid:{quoted(str(flow.cells.get('uid', '')))}"


def _beside(warm: Warm, flow: Flow) -> tuple[Sequence[Line], bool]:
    """The other flows with the same uid, and whether there are more; none where that takes too long."""
    if not flow.cells.get("uid"):
        return (), False
    try:
        page = paging.search(warm, asked(_uid(flow), now_micros()), limit=MOST_BESIDE + 1, order="oldest")
    except TooSlow:
        return (), True
    found = [as_line(each) for each in page.flows if each.place != flow.place]
    return found[:MOST_BESIDE], bool(page.after)


def _from(dataset: Dataset, place: int) -> From:
    importing, line = line_of(place)
    with dataset.catalogue() as catalogue:
        return From(catalogue.imported(importing), line)
