"""Flows over time: what a chart draws, and the same as a table for who does not see it."""

from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import FlowsError, TooSlow
from tocsin.flows.searching import counting
from tocsin.flows.searching.counting import SECOND, Bucket, Timeline
from tocsin.flows.searching.warm import Warm
from tocsin.query import dates
from tocsin.web.pages.drawing import draw, piece, target_of
from tocsin.web.pages.flowing import lacking
from tocsin.web.pages.flows.listing import wish_of
from tocsin.web.pages.flows.wish import Wish
from tocsin.web.pages.trouble import Trouble, about
from tocsin.web.state import web_of

BUCKETS = 120
_UNITS = ((604_800, "week"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


class Row(NamedTuple):
    """What began in a stretch of time, and where its flows are listed."""

    bucket: Bucket
    url: str


class Drawn(NamedTuple):
    """A chart: counts in order of time, `step` seconds apart from `start`; `rows` are those with any flow."""

    start: int
    step: int
    flows: tuple[int, ...]
    labelled: tuple[int, ...]
    rows: tuple[Row, ...]
    each: str

    @property
    def total(self) -> int:
        """All flows."""
        return sum(self.flows)

    @property
    def named(self) -> int:
        """Those that an alert names."""
        return sum(self.labelled)


def timeline(request: Request) -> Response:
    """GET /flows/timeline, or only its chart for htmx."""
    wish = wish_of(request)
    if missing := lacking(request):
        return draw(request, "flows/none.html", here="flows", missing=missing)
    chart, trouble = charted(web_of(request).hub.flows, wish)
    parts: dict[str, Any] = {"wish": wish, "chart": chart, "trouble": trouble}
    if target_of(request) == "timeline":
        return piece(request, "flows/chart.html", **parts)
    return draw(request, "flows/timeline.html", here="flows", **parts)


def charted(warm: Warm, wish: Wish) -> tuple[Drawn | None, Trouble | None]:
    """The chart of what is asked for, None for no flows in it; or what was the trouble with it."""
    if wish.asked is None:
        return None, wish.trouble
    try:
        found = counting.timeline(warm, wish.asked, buckets=BUCKETS)
    except (TooSlow, FlowsError) as error:
        return None, about(str(error))
    return (drawn(found, wish) if any(each.flows for each in found.buckets) else None), None


def drawn(found: Timeline, wish: Wish) -> Drawn:
    """The chart of a timeline."""
    return Drawn(
        start=found.buckets[0].start // SECOND,
        step=found.step // SECOND,
        flows=tuple(each.flows for each in found.buckets),
        labelled=tuple(each.labelled for each in found.buckets),
        rows=tuple(
            Row(each, f"/flows{wish.between(_date(each.start), _date(each.start + found.step))}")
            for each in found.buckets
            if each.flows
        ),
        each=_long(found.step // SECOND),
    )


def _date(at: int) -> str:
    """To the second, for every stretch begins at a whole one."""
    return f"{dates.of_time(at)[:19]}Z"


def _long(seconds: int) -> str:
    size, word = next((size, word) for size, word in _UNITS if seconds % size == 0)
    n = seconds // size
    return word if n == 1 else f"{n} {word}s"
