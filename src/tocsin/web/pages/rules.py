"""The page of the rules: routes and silences made, tried, changed, ordered and ended with plain forms."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tocsin.errors import BadQuery, Malformed, NotFound, Taken, TocsinError, TooSlow
from tocsin.indexing import rehearsal
from tocsin.indexing.rehearsal import Refolded
from tocsin.model import Micros, Route, Silence
from tocsin.store import alertgroup, rule
from tocsin.store.engine import Tx
from tocsin.web import ruling
from tocsin.web.answers import failure_of
from tocsin.web.notes import now_micros
from tocsin.web.pages.alerts import number_of
from tocsin.web.pages.drawing import Form
from tocsin.web.pages.ruled import USUAL_DAYS, Fields, Tried, hub_of, listing, overview, route_page, silence_page
from tocsin.web.state import path_id, principal_of

FOLDING_S = 10.0
"""A page tries to fold no longer; the command line goes on to the end."""
_CANNOT = (Malformed, BadQuery, Taken, TooSlow)

Draw = Callable[[int, Tried], Response]


def rules(request: Request) -> Response:
    """GET /rules; `like` is an alertgroup for the form of a silence to begin with."""
    like = number_of(request, "like")
    if not like:
        return overview(request)
    known = hub_of(request).store.read(lambda tx: alertgroup.get(tx, like))
    name = " ".join(known.subject.split())[: ruling.LONGEST_NAME]
    name = name if name.isprintable() else f"Like alertgroup {like}"
    return overview(request, silence={"name": name, "query": ruling.alike(known.subject, known.sources), "ends": "4h"})


def make_route(request: Request, form: Form) -> Response:
    """POST /rules/routes: `do` save or try."""
    fields, hub, who, now = _route_fields(form), hub_of(request), principal_of(request).name, now_micros()

    def draw(status: int, tried: Tried) -> Response:
        return overview(request, status, tried)

    def save() -> str:
        kept = ruling.route_of(hub, _route(fields))
        return f"/rules#route-{hub.store.write(lambda tx: rule.put_route(tx, kept, who, now))}"

    return _done(request, form, "route", fields, draw, {"save": save})


def route(request: Request) -> Response:
    """GET /rules/routes/ID."""
    return route_page(request, path_id(request))


def act_route(request: Request, form: Form) -> Response:
    """POST /rules/routes/ID: `do` save, try, up, down, on, off or remove."""
    id, fields, hub = path_id(request), _route_fields(form), hub_of(request)
    who, now = principal_of(request).name, now_micros()

    def draw(status: int, tried: Tried) -> Response:
        return route_page(request, id, status, tried)

    def write(work: Callable[[Tx], object], to: str = f"/rules#route-{id}") -> str:
        hub.store.write(work)
        return to

    def save() -> str:
        kept = ruling.route_of(hub, _route(fields))

        def work(tx: Tx) -> int:
            return rule.put_route(tx, kept, who, now, id, active=rule.route(tx, id).active)

        return write(work, f"/rules/routes/{id}")

    def switch(active: bool) -> str:
        return write(lambda tx: rule.switch_route(tx, id, active, who, now))

    ways: Mapping[str, Callable[[], str]] = {
        "save": save,
        "up": lambda: write(lambda tx: _moved(tx, id, -1, who, now)),
        "down": lambda: write(lambda tx: _moved(tx, id, 1, who, now)),
        "on": lambda: switch(True),
        "off": lambda: switch(False),
        "remove": lambda: write(lambda tx: rule.drop_route(tx, id, who, now), "/rules"),
    }
    return _done(request, form, "route", fields, draw, ways)


def make_silence(request: Request, form: Form) -> Response:
    """POST /rules/silences: `do` save or try."""
    fields, hub, who, now = _silence_fields(form), hub_of(request), principal_of(request).name, now_micros()

    def draw(status: int, tried: Tried) -> Response:
        return overview(request, status, tried)

    def save() -> str:
        kept = ruling.silence_of(hub, _silence(fields, 0, who, now), now)
        return f"/rules#silence-{hub.store.write(lambda tx: rule.put_silence(tx, kept, who, now))}"

    return _done(request, form, "silence", fields, draw, {"save": save})


def silence(request: Request) -> Response:
    """GET /rules/silences/ID; `before` is the last alertgroup of the page before."""
    return silence_page(request, path_id(request), before=number_of(request, "before"))


def act_silence(request: Request, form: Form) -> Response:
    """POST /rules/silences/ID: `do` save, try or end."""
    id, fields, hub = path_id(request), _silence_fields(form), hub_of(request)
    who, now = principal_of(request).name, now_micros()

    def draw(status: int, tried: Tried) -> Response:
        return silence_page(request, id, status, tried)

    def save() -> str:
        kept = ruling.silence_of(hub, _silence(fields, id, who, now), now)
        hub.store.write(lambda tx: rule.put_silence(tx, kept, who, now))
        return f"/rules/silences/{id}"

    def end() -> str:
        hub.store.write(lambda tx: rule.end_silence(tx, id, who, now))
        return f"/rules/silences/{id}"

    return _done(request, form, "silence", fields, draw, {"save": save, "end": end})


def try_fold(request: Request, form: Form) -> Response:
    """POST /rules/repeats: try a way of folding, as far as a reader waits."""
    fields: dict[str, Any] = {
        **{name: _one(form, name) for name in ("label", "window_h", "longest_h", "without")},
        "by": tuple(form.get("by", [])),
        "subject_numbers": bool(_one(form, "subject_numbers")),
    }
    hub, days, now = hub_of(request), _days(form), now_micros()
    options = {name: fields[name] for name in ("window_h", "longest_h") if fields[name]}
    options |= {"by": list(fields["by"]), "without": _listed(fields["without"])}
    options["subject_numbers"] = fields["subject_numbers"]
    found: Refolded | None = None
    until, whole = time.monotonic() + FOLDING_S, True
    try:
        rules = ruling.folding(hub, fields["label"], options)
        for found in rehearsal.refold(hub.store, fields["label"], rules, hub.names, days, now):
            if time.monotonic() > until:
                whole = found.read >= found.total
                break
    except _CANNOT as error:
        return overview(request, failure_of(error).status, Tried("fold", fields, days, str(error)))
    return overview(request, 200, Tried("fold", fields, days, folded=found, whole=whole))


def _done(
    request: Request, form: Form, kind: str, fields: Fields, draw: Draw, ways: Mapping[str, Callable[[], str]]
) -> Response:
    """Do what the form says, and go where that leads; or the form again, with what is to be said of it."""
    what, days = _one(form, "do"), _days(form)
    try:
        if what == "try":
            return draw(200, _rehearsed(request, kind, fields, days))
        if what not in ways:
            raise NotFound(f"There is no such thing to do with a {kind}.")
        return RedirectResponse(ways[what](), 303)
    except _CANNOT as error:
        return draw(failure_of(error).status, Tried(kind, fields, days, _told(error)))


def _rehearsed(request: Request, kind: str, fields: Fields, days: int) -> Tried:
    query, now = fields["query"], now_micros()
    found = hub_of(request).store.read(lambda tx: rehearsal.rehearse(tx, query, days, now))
    return Tried(kind, fields, days, found=found, listing=listing(query, days))


def _told(error: TocsinError) -> str:
    return f"query: {error}" if isinstance(error, BadQuery) else str(error)


def _moved(tx: Tx, id: int, by: int, who: str, now: Micros) -> None:
    """One place up or down in the order; at its end, nothing moves."""
    rule.route(tx, id)
    order = [line.id for line in rule.routes(tx)]
    at = order.index(id) + by
    if 0 <= at < len(order):
        behind = order[at:] if by < 0 else order[at + 1 :]
        rule.move_route(tx, id, behind[0] if behind else 0, who, now)


def _route_fields(form: Form) -> Fields:
    told = {name: _one(form, name) for name in ("name", "query", "every")}
    return {**told, "to": tuple(form.get("to", [])), "last": bool(_one(form, "last"))}


def _route(fields: Fields) -> Route:
    told = {name: fields[name] for name in ("name", "query", "to", "last")}
    return Route(**told, every=ruling.often(fields["every"]))


def _silence_fields(form: Form) -> Fields:
    names = ("name", "query", "owner", "reason", "starts", "ends", "recurrence")
    return {**{name: _one(form, name) for name in names}, "to": tuple(form.get("to", []))}


def _silence(fields: Fields, id: int, who: str, now: Micros) -> Silence:
    told = {name: fields[name] for name in ("name", "query", "to", "reason", "recurrence")}
    starts = ruling.moment("starts", fields["starts"], now)
    ends = ruling.moment("ends", fields["ends"], now)
    begun = now if starts is None else starts
    return Silence(id=id, **told, owner=fields["owner"].strip() or who, starts=begun, ends=ends)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _days(form: Form) -> int:
    text = _one(form, "days")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else USUAL_DAYS


def _one(form: Form, name: str) -> str:
    return form.get(name, [""])[-1]
