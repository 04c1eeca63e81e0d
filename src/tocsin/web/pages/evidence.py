"""Having a piece of evidence sent by itself, though there is not enough of it."""

from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed
from tocsin.store import heap
from tocsin.store.engine import Tx
from tocsin.web.notes import now_micros
from tocsin.web.pages.changes import done
from tocsin.web.pages.drawing import Form
from tocsin.web.pages.notices import Notice
from tocsin.web.state import path_id, principal_of


def act(request: Request, form: Form) -> Response:
    """POST /alerts/ID/evidence: `do` send."""
    group, who, now = path_id(request), principal_of(request).name, now_micros()
    if form.get("do", [""])[-1] != "send":
        raise Malformed("do must be send.")

    def work(tx: Tx) -> Notice:
        lanes = heap.send(tx, group, who, now)
        whom = f"and is sent to {', '.join(lanes)}" if lanes else "but no route means it, so it is sent to nobody"
        return Notice(f"It stands in the list by itself now, {whom}.")

    return done(request, group, work)
