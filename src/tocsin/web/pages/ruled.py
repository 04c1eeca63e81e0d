"""What the pages of the rules show: routes in the order asked, silences with what is left of them, and rehearsals."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from tocsin.app import Hub
from tocsin.indexing.rehearsal import Refolded, Rehearsed
from tocsin.model import Micros, Route, Silence
from tocsin.rules import repeats, spans
from tocsin.rules.accumulate import written
from tocsin.rules.routes import active
from tocsin.store import alertgroup, rule
from tocsin.store.alertgroup import Summary
from tocsin.store.engine import Tx
from tocsin.store.rule import Line, RouteLine, SilenceLine
from tocsin.web import ruling
from tocsin.web.auth import MAY
from tocsin.web.notes import now_micros
from tocsin.web.pages.drawing import draw
from tocsin.web.state import principal_of, web_of

DAYS = (1, 7, 30, 90)
USUAL_DAYS = 7
HELD = 50

Fields = Mapping[str, Any]
NEW_ROUTE: Fields = {"name": "", "query": "", "to": (), "every": "", "last": False}
NEW_SILENCE: Fields = {
    "name": "",
    "query": "",
    "to": (),
    "owner": "",
    "reason": "",
    "starts": "",
    "ends": "",
    "recurrence": "",
}
NEW_FOLD: Fields = {
    "label": "",
    "window_h": "24",
    "longest_h": "",
    "by": repeats.BY,
    "without": "",
    "subject_numbers": True,
}


class RouteShown(NamedTuple):
    """A route as the list has it; `line` is None for one of the configuration."""

    route: Route
    line: RouteLine | None
    first: bool = False
    final: bool = False

    @property
    def every(self) -> str:
        """How often, as it is written; empty for at once."""
        return spans.written(self.route.every)

    @property
    def asked(self) -> bool:
        """Whether it is switched on."""
        return self.line is None or self.line.active


class SilenceShown(NamedTuple):
    """A silence as the list has it; `left` is how long it goes on, or until it begins, in words."""

    line: SilenceLine
    state: str
    colour: str
    left: str


class Tried(NamedTuple):
    """What was written into a form, and what is to be said of it: a `problem`, or what a rehearsal found.

    `form` is route, silence or fold. `listing` is where the alertgroups meant are listed; `whole` says that folding
    was tried to its end.
    """

    form: str
    fields: Fields
    days: int = USUAL_DAYS
    problem: str = ""
    found: Rehearsed | None = None
    folded: Refolded | None = None
    listing: str = ""
    whole: bool = True


def overview(request: Request, status: int = 200, tried: Tried | None = None, **fields: Fields) -> Response:
    """The page of all rules; `tried` or what is in `fields` stands in the form of that name."""
    now, hub = now_micros(), hub_of(request)
    forms = {"route": NEW_ROUTE, "silence": {**NEW_SILENCE, "owner": principal_of(request).name}, "fold": NEW_FOLD}
    if tried:
        fields[tried.form] = tried.fields
    made, silences = hub.store.read(lambda tx: (rule.routes(tx), rule.silences(tx, now, over=True)))
    shown = [_shown(one, now) for one in silences]
    over = [one for one in shown if one.state == "over"]
    return _draw(
        request,
        "rules.html",
        status,
        routes=[*(RouteShown(one, None) for one in hub.config.routing()), *_made(made)],
        silences=[one for one in shown if one.state != "over"],
        over=over[:HELD],
        more_over=len(over) - HELD,
        folds=hub.config.repeats,
        gathers=[(name, table, written(table.rule(name).threshold)) for name, table in hub.config.accumulate.items()],
        parts=repeats.PARTS,
        forms={name: {**standing, **fields.get(name, {})} for name, standing in forms.items()},
        tried=tried,
    )


def route_page(request: Request, id: int, status: int = 200, tried: Tried | None = None) -> Response:
    """The page of a route. Raises NotFound."""

    def work(tx: Tx) -> tuple[RouteLine, Sequence[Line]]:
        return rule.route(tx, id), rule.past(tx, "route", id)

    line, past = hub_of(request).store.read(work)
    fields = tried.fields if tried else of_route(line.route)
    shown = RouteShown(line.route, line)
    return _draw(request, "rules_route.html", status, shown=shown, past=past, fields=fields, tried=tried)


def silence_page(request: Request, id: int, status: int = 200, tried: Tried | None = None, before: int = 0) -> Response:
    """The page of a silence with what it held back. Raises NotFound."""
    now = now_micros()

    def work(tx: Tx) -> tuple[SilenceLine, Sequence[Line], list[int], dict[int, Summary]]:
        ids = rule.held_by(tx, id, HELD + 1, before or None)
        return rule.silence(tx, id), rule.past(tx, "silence", id), ids, alertgroup.some(tx, ids[:HELD])

    line, past, ids, found = hub_of(request).store.read(work)
    return _draw(
        request,
        "rules_silence.html",
        status,
        shown=_shown(line, now),
        past=past,
        held=[found[one] for one in ids[:HELD] if one in found],
        older=ids[HELD - 1] if len(ids) > HELD else 0,
        fields=tried.fields if tried else of_silence(line.silence),
        tried=tried,
    )


def of_route(route: Route) -> Fields:
    """A route as it stands in its form."""
    told = {name: getattr(route, name) for name in ("name", "query", "to", "last")}
    return {**told, "every": spans.written(route.every)}


def of_silence(silence: Silence) -> Fields:
    """A silence as it stands in its form."""
    told = {name: getattr(silence, name) for name in ("name", "query", "to", "owner", "reason", "recurrence")}
    return {**told, "starts": ruling.shown(silence.starts), "ends": ruling.shown(silence.ends)}


def listing(query: str, days: int) -> str:
    """Where the alertgroups are listed that a query means of the last days."""
    since = f"received>=now-{days}d"
    return f"/alerts?{urlencode({'q': f'({query.strip()}) and {since}' if query.strip() else since})}"


def hub_of(request: Request) -> Hub:
    """The hub behind the door."""
    return web_of(request).hub


def _draw(request: Request, template: str, status: int, **parts: Any) -> Response:
    hub = hub_of(request)
    lanes = tuple(hub.wiring.destinations)
    may_route = principal_of(request).role in MAY["admin"]
    known = {"here": "rules", "lanes": lanes, "routable": hub.routable, "may_route": may_route}
    return draw(request, template, status, **known, days=DAYS, usual_days=USUAL_DAYS, **parts)


def _made(lines: Sequence[RouteLine]) -> list[RouteShown]:
    return [RouteShown(one.route, one, n == 0, n == len(lines) - 1) for n, one in enumerate(lines)]


def _shown(line: SilenceLine, now: Micros) -> SilenceShown:
    known = line.silence
    if line.over(now):
        return SilenceShown(line, "over", "due", "")
    if known.starts > now:
        return SilenceShown(line, "coming", "due", f"begins in {ruling.left(known.starts, now)}")
    left = "until somebody ends it" if known.ends is None else f"{ruling.left(known.ends, now)} left"
    if not active(known, spans.recurrence(known.recurrence), now):
        return SilenceShown(line, "resting", "due", left)
    return SilenceShown(line, "standing", "held", left)
