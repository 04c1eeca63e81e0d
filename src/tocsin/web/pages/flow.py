"""Flow of alerts: is everything accounted for, and does everything move."""

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from tocsin.model import Micros
from tocsin.store import delivery, index, tally
from tocsin.store.delivery import LaneState
from tocsin.store.engine import Tx
from tocsin.store.index import Lag
from tocsin.store.tally import SourceState, Tally
from tocsin.web.notes import now_micros
from tocsin.web.pages.alerts import store_of
from tocsin.web.pages.drawing import draw, piece, target_of
from tocsin.web.pages.head import failing, head_of, together
from tocsin.web.state import web_of

MOST_WAITING = 100_000
"""More are not counted for a page."""


class SourceLine(NamedTuple):
    """A source and what it brought today."""

    known: SourceState
    today: Tally
    failing: bool


class LaneLine(NamedTuple):
    """A lane, how many wait in it, and its state in a word."""

    known: LaneState
    state: str
    colour: str
    failing: bool

    @property
    def depth(self) -> int:
        """What it still owes."""
        return self.known.due + self.known.sending


class Flow(NamedTuple):
    """Everything the page shows."""

    balances: list[tuple[str, Tally]]
    sources: list[SourceLine]
    lanes: list[LaneLine]
    lag: Lag
    most: int


def flow(request: Request) -> Response:
    """GET /flow, or only its tables for htmx."""
    configured = frozenset(web_of(request).hub.wiring.destinations)
    at = now_micros()
    found = store_of(request).read(lambda tx: _read(tx, at, configured))
    if target_of(request) == "flow":
        return piece(request, "flow_now.html", flow=found)
    return draw(request, "flow.html", here="flow", flow=found)


def balance(request: Request) -> Response:
    """GET /balance: the line in every head, anew."""
    return piece(request, "balance.html", head=head_of(store_of(request)))


def _read(tx: Tx, now: Micros, configured: frozenset[str]) -> Flow:
    today = tally.today(tx, now)
    ever = tally.totals(tx)
    by_source = {row.source: row for row in today}
    states = {state.name: state for state in tally.source_states(tx)}
    names = sorted({*states, *(row.source for row in ever), *by_source})
    sources = [
        _source(states.get(name, SourceState(name=name)), by_source.get(name, Tally(day=0, source=name)))
        for name in names
    ]
    lanes = [_lane(state, configured) for state in delivery.lanes(tx)]
    balances = [("Today (UTC)", together(today)), ("Since the beginning", together(ever))]
    return Flow(balances, sources, lanes, index.lag(tx, MOST_WAITING), MOST_WAITING)


def _source(known: SourceState, today: Tally) -> SourceLine:
    late = known.last_success is None or (known.last_error_at or 0) > known.last_success
    return SourceLine(known, today, bool(known.last_error) and late)


def _lane(known: LaneState, configured: frozenset[str]) -> LaneLine:
    wrong = failing(known)
    if known.name not in configured:
        return LaneLine(known, "not configured", "held", wrong)
    if known.paused:
        return LaneLine(known, "paused", "held", wrong)
    if wrong:
        return LaneLine(known, "failing, trying again", "bad", wrong)
    if known.failed:
        return LaneLine(known, "holds failed deliveries", "bad", wrong)
    return LaneLine(known, "flowing" if known.due or known.sending else "at rest", "ok", wrong)
