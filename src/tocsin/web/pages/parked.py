"""One parked delivery: what was tried, and sending it again after a change of its alertgroup."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed, NotFound
from tocsin.store import alert, alertgroup, delivery
from tocsin.store.alert import Row
from tocsin.store.alertgroup import Summary
from tocsin.store.delivery import Owed
from tocsin.store.engine import Tx
from tocsin.web.notes import now_micros
from tocsin.web.pages import lanes
from tocsin.web.pages.alerts import number_of, store_of
from tocsin.web.pages.changes import one_id
from tocsin.web.pages.drawing import Form, draw
from tocsin.web.state import path_id, principal_of

OFFERED = 100
"""So many alerts are offered for a change; of others the number is given in the address."""
LONGEST_SUBJECT = 10_000


class Parked(NamedTuple):
    """Everything the page shows. `chosen` is the alert whose row is offered for a change."""

    owed: Owed
    known: Summary
    alerts: Sequence[Row]
    chosen: Row | None


def parked(request: Request) -> Response:
    """GET /lanes/NAME/parked/ID: one delivery of the lane; with `alert` the row of that alert."""
    name, id, wanted = lanes.name_of(request), path_id(request), number_of(request, "alert")

    def work(tx: Tx) -> Parked:
        owed = _of_lane(tx, name, id)
        known = alertgroup.get(tx, owed.alertgroup)
        alerts = alert.of_group(tx, known.id, OFFERED)
        chosen = alert.get(tx, wanted) if wanted else (alerts[0] if alerts else None)
        if chosen is not None and chosen.alertgroup != known.id:
            raise NotFound(f"Alertgroup {known.id} has no alert {wanted}.")
        return Parked(owed, known, alerts, chosen)

    return draw(
        request,
        "parked.html",
        here="flow",
        parked=store_of(request).read(work),
        name=name,
        at=lanes.address(name),
        offered=OFFERED,
    )


def act(request: Request, form: Form) -> Response:
    """POST /lanes/NAME/parked/ID: `do` retry (after the change of `subject`, and `data` of the `alert`) or drop."""
    name, id, who, now = lanes.name_of(request), path_id(request), principal_of(request).name, now_micros()
    what = form.get("do", [""])[-1]
    if what not in ("retry", "drop"):
        raise Malformed("do must be one of: retry, drop.")

    def work(tx: Tx) -> str:
        owed = _of_lane(tx, name, id)
        if what == "drop":
            done = delivery.drop(tx, [id], who, now)
            return "Dropped; in the ledger it stays." if done else "It is no longer parked."
        changed = _change(tx, owed.alertgroup, form, who)
        done = delivery.retry(tx, [id], who, now)
        if not done:
            raise Malformed("It is no longer parked, and nothing was changed.")
        return f"{changed}It is sent again now."

    return lanes.back(request, name, store_of(request).write(work))


def _of_lane(tx: Tx, lane: str, id: int) -> Owed:
    owed = delivery.one(tx, id)
    if owed.lane != lane:
        raise NotFound(f"The lane {lane[:60]!r} has no delivery {id}.")
    return owed


def _change(tx: Tx, group: int, form: Form, who: str) -> str:
    """What the form changes of the alertgroup, in words. What was received stays as it was."""
    known, now, words = alertgroup.get(tx, group), now_micros(), ""
    subject = form.get("subject", [known.subject])[-1]
    if _as_typed(subject) != _as_typed(known.subject):
        if len(subject) > LONGEST_SUBJECT or "\0" in subject:
            raise Malformed(f"A subject has at most {LONGEST_SUBJECT:,} characters.")
        alertgroup.set_fields(tx, group, {"subject": subject}, who, now, "subject changed")
        words = "The subject is changed. "
    if "data" in form:
        row = alert.get(tx, one_id(form.get("alert", [""])[-1]))
        if row.alertgroup != group:
            raise NotFound(f"Alertgroup {group} has no alert {row.id}.")
        data = form["data"][-1].replace("\r\n", "\n").strip()
        if data != row.json.replace("\r\n", "\n").strip():
            alert.set_data(tx, row.id, _row(data), who, now)
            words += f"The row of alert {row.id} is changed. "
    return words


def _as_typed(subject: str) -> str:
    """A subject as a browser's field gives it back: without line ends, with NUL replaced."""
    return subject.replace("\r", "").replace("\n", "").replace("\0", "\ufffd")


def _row(text: str) -> str:
    """A row as JSON text. Raises Malformed."""
    try:
        msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(f"The row must be a JSON object: {error}. Nothing was changed.") from None
    return text
