"""The page `/alerts/ID/recall`: what a recall would do at each destination, and doing it."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from tocsin.store import alertgroup
from tocsin.store import recall as recalls
from tocsin.store.alertgroup import Summary
from tocsin.store.engine import Tx
from tocsin.store.recall import Recalled, Toward
from tocsin.web.notes import now_micros
from tocsin.web.pages.alerts import store_of
from tocsin.web.pages.changes import done
from tocsin.web.pages.drawing import Form, draw
from tocsin.web.pages.notices import Notice
from tocsin.web.recalling import LONGEST_REASON, recalled, rehearsed
from tocsin.web.state import path_id, principal_of, web_of

WILL = {
    "told": ("held", "will be told"),
    "cannot be told": ("bad", "has it, and understands no recall: tell them yourself"),
    "held back": ("ok", "never got it, and will not"),
    "told before": ("ok", "was told before"),
}


class Before(NamedTuple):
    """An alertgroup before a recall. `nameable` are destinations of the configuration, which alone can be chosen."""

    known: Summary
    fates: list[Toward]
    nameable: list[str]
    earlier: list[Recalled]


def recall(request: Request) -> Response:
    """GET /alerts/ID/recall."""
    return _drawn(request)


def act(request: Request, form: Form) -> Response:
    """POST /alerts/ID/recall: `reason`, and `to` for each destination it is taken back from, out of those `offered`."""
    hub, group, who, now = web_of(request).hub, path_id(request), principal_of(request).name, now_micros()
    reason, offered = form.get("reason", [""])[-1], form.get("offered", [])
    to = [name for name in form.get("to", []) if name in offered]
    if problem := _problem(reason, to, offered):
        return _drawn(request, problem, reason, to)
    only = to if len(set(to)) < len(set(offered)) else []

    def work(tx: Tx) -> Notice:
        return Notice(_said(recalled(tx, hub, [group], reason, only, who, now)))

    return done(request, group, work)


def _problem(reason: str, to: Sequence[str], offered: Sequence[str]) -> str:
    if not reason.strip():
        return "Say why: those who have it are told."
    if len(reason) > LONGEST_REASON:
        return f"The reason has {len(reason):,} characters; at most {LONGEST_REASON:,} are sent."
    return "Choose at least one destination." if offered and not to else ""


def _said(done: Sequence[Toward]) -> str:
    n = Counter(one.fate for one in done)
    parts = [f"{n['told']} will be told" if n["told"] else "nobody is told by Tocsin"]
    if alone := [one.lane for one in done if one.fate == "cannot be told"]:
        parts.append(f"tell {', '.join(alone)} yourself")
    return f"Recalled: {'; '.join(parts)}."


def _drawn(request: Request, problem: str = "", reason: str = "", to: Sequence[str] | None = None) -> Response:
    hub, group = web_of(request).hub, path_id(request)

    def work(tx: Tx) -> Before:
        fates = rehearsed(tx, hub, [group], [])
        nameable = [one.lane for one in fates if one.lane in hub.lanes.kinds]
        return Before(alertgroup.get(tx, group), fates, nameable, recalls.of_group(tx, group))

    before = store_of(request).read(work)
    return draw(
        request,
        "recall.html",
        status=422 if problem else 200,
        here="alerts",
        before=before,
        known=before.known,
        will=WILL,
        chosen=before.nameable if to is None else to,
        problem=problem,
        reason=reason,
        longest=LONGEST_REASON,
    )
