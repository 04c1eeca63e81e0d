"""How each lane fares, for pages and programs: what the store knows, and what the lane is at in this process."""

from typing import NamedTuple

from starlette.responses import Response, StreamingResponse

from tocsin.app import Hub
from tocsin.delivery import Activity
from tocsin.errors import NotFound
from tocsin.model import Micros
from tocsin.store import Tx, delivery
from tocsin.store.delivery import LaneState
from tocsin.web.notes import now_micros

PORTION = 2_000
"""So many parked deliveries are decided about in one transaction, so that who sends alerts need not wait."""


class Lane(NamedTuple):
    """A lane; `activity` is None where it has no destination here. `until` is when a rest ends, or a hang began."""

    known: LaneState
    activity: Activity | None
    state: str
    """paused, hung, resting, failing, parked, flowing, at rest or not configured."""
    until: Micros | None

    @property
    def depth(self) -> int:
        """What it still owes."""
        return self.known.due + self.known.sending


def lanes_of(hub: Hub, tx: Tx) -> dict[str, Lane]:
    """Every lane by name, configured or only known to the store."""
    activity = hub.lanes.activity()
    known = {state.name: state for state in delivery.lanes(tx)}
    return {
        name: _lane(known.get(name, LaneState(name=name)), activity.get(name)) for name in sorted({*known, *activity})
    }


def lane_of(hub: Hub, tx: Tx, name: str) -> Lane:
    """One of them. Raises NotFound."""
    found = lanes_of(hub, tx).get(name)
    if found is None:
        raise NotFound(f"There is no lane {name[:60]!r}.")
    return found


def _lane(known: LaneState, activity: Activity | None) -> Lane:
    state, until = _state(known, activity)
    return Lane(known, activity, state, until)


def _state(known: LaneState, activity: Activity | None) -> tuple[str, Micros | None]:
    if activity is None:
        return "not configured", None
    if activity.hung:
        return "hung", activity.sending_since
    if known.paused:
        return "paused", None
    if activity.rest_until is not None and (known.due or known.sending):
        return "resting", activity.rest_until
    if known.last_error_at and (known.due or known.sending) and known.last_error_at > (known.last_success or 0):
        return "failing", None
    if known.failed:
        return "parked", None
    return ("flowing" if known.due or known.sending else "at rest"), None


def decide_all(hub: Hub, lane: str, what: str, who: str) -> int:
    """Send all parked deliveries of a lane again (`what` is retry) or drop them; how many.

    Portion by portion: one that is parked again meanwhile is not decided about twice.
    """
    decide, after, done = (delivery.retry if what == "retry" else delivery.drop), 0, 0
    now = now_micros()

    def portion(tx: Tx) -> tuple[int, int]:
        ids = delivery.parked_ids(tx, lane, PORTION, after)
        return (ids[-1], decide(tx, ids, who, now)) if ids else (0, 0)

    while True:
        last, n = hub.store.write(portion)
        done += n
        if not last:
            break
        after = last
    if done:
        words = "sent all parked deliveries again" if what == "retry" else "dropped all parked deliveries"
        hub.store.write(lambda tx: delivery.note(tx, lane, who, now, f"{words} ({done:,})"))
    return done


def drained(hub: Hub, name: str) -> Response:
    """A lane's file for download. Raises NotFound."""
    size = hub.drains.size(name)
    if not size:
        raise NotFound(f"The lane {name[:60]!r} was not drained into a file.")
    headers = {
        "Content-Disposition": f'attachment; filename="{hub.drains.path(name).name.replace("%", "_")}"',
        "Content-Length": str(size),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return StreamingResponse(hub.drains.content(name, size), media_type="application/x-ndjson", headers=headers)
