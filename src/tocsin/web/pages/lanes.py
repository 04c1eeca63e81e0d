"""Lanes: how each destination fares, and what a person may do about it."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tocsin.app import Hub
from tocsin.delivery import Answer, Drained
from tocsin.errors import Malformed
from tocsin.store import delivery, replay
from tocsin.store.delivery import LaneNote, Owed
from tocsin.store.engine import Tx
from tocsin.store.replay import Replay
from tocsin.web.lanes import Lane, decide_all, drained, lane_of, lanes_of
from tocsin.web.notes import now_micros
from tocsin.web.pages import head, ranges
from tocsin.web.pages.alerts import number_of, store_of
from tocsin.web.pages.drawing import Form, draw, piece, target_of
from tocsin.web.pages.notices import Notice, in_address, notice_of
from tocsin.web.state import principal_of, web_of

PAGE = 50
PAST = 30
REPLAYS = 10
MOST = 1_000
TEST_S = 20.0
DRAIN_S = 15.0
COLOURS = {"hung": "bad", "failing": "bad", "parked": "bad", "resting": "bad", "flowing": "ok", "at rest": "ok"}
WORDS = {
    "hung": "hangs in a call",
    "resting": "waits: its destination is down or asked for it",
    "failing": "failing, trying again",
    "parked": "holds parked deliveries",
}
TOLD = {
    "delivered": "The test arrived",
    "failed": "The destination refused the test",
    "retry": "The test could not be delivered",
    "withheld": "The gate withheld the test",
    "unanswered": "The test got no answer",
}


class LanePage(NamedTuple):
    """Everything the page of a lane shows; `older` is the id behind which the next page of parked ones begins, or 0."""

    lane: Lane
    parked: Sequence[Owed]
    older: int
    past: Sequence[LaneNote]
    clearance: str
    redacts: bool
    kind: str
    size: int
    """Bytes of the file it was drained into."""
    replays: Sequence[Replay]
    """The last ones, newest first."""
    waits: Mapping[int, str]
    """What those wait for that run, by their ids."""


def lanes(request: Request) -> Response:
    """GET /lanes, or only its table for htmx."""
    hub = web_of(request).hub
    found = store_of(request).read(lambda tx: lanes_of(hub, tx))
    shown: dict[str, Any] = {"lanes": list(found.values()), "colours": COLOURS, "words": WORDS, "address": address}
    if target_of(request) == "lanes":
        return piece(request, "lanes_now.html", **shown)
    return draw(request, "lanes.html", here="flow", **shown)


def lane(request: Request) -> Response:
    """GET /lanes/NAME: one of them; with `before` an older page of what is parked in it."""
    name, before, hub = name_of(request), number_of(request, "before") or None, web_of(request).hub

    def work(tx: Tx) -> LanePage:
        known, parked = lane_of(hub, tx, name), delivery.parked(tx, name, PAGE + 1, before)
        said = hub.wiring.options.get(name)
        kind = hub.wiring.destinations.get(name)
        return LanePage(
            lane=known,
            parked=parked[:PAGE],
            older=parked[PAGE - 1].id if len(parked) > PAGE else 0,
            past=delivery.past(tx, name, PAST),
            clearance=said.clearance.upper() if said else "",
            redacts=hub.gate.redacts(name),
            kind=type(kind).__name__ if kind else "",
            size=hub.drains.size(name),
            replays=replay.listing(tx, REPLAYS, lane=name),
            waits=hub.replayer.waits,
        )

    return draw(
        request,
        "lane.html",
        here="flow",
        page=store_of(request).read(work),
        at=address(name),
        before=before,
        colours=COLOURS,
        words=WORDS,
        notice=notice_of(request, mark_of(name)),
    )


def file(request: Request) -> Response:
    """GET /lanes/NAME/drained: the file it was drained into."""
    return drained(web_of(request).hub, name_of(request))


def act(request: Request, form: Form) -> Response:
    """POST /lanes/NAME: `do` is pause, resume, test, retry or drop (the ids in `delivery`, or all), drain, remove."""
    name, who, hub = name_of(request), principal_of(request).name, web_of(request).hub
    hub.store.read(lambda tx: lane_of(hub, tx, name))
    what, now = form.get("do", [""])[-1], now_micros()
    match what:
        case "pause" | "resume":
            hub.store.write(lambda tx: delivery.hold(tx, name, what == "pause", who, now))
            words = "Paused: what it is owed waits." if what == "pause" else "It goes on."
        case "test":
            words = tested(hub, name, who)
        case "retry" | "drop":
            words = _decided(hub, name, what, who, ranges.read(",".join(form.get("delivery", []))))
        case "retry all" | "drop all":
            verb = what.partition(" ")[0]
            words = _counted(verb, decide_all(hub, name, verb, who))
        case "drain" | "drain parked":
            words = _emptied(hub.drains.run(name, what == "drain parked", who, DRAIN_S))
        case "remove":
            hub.drains.remove(name, _size(form), who)
            words = "The file is removed."
        case _:
            raise Malformed("do must be one of: pause, resume, test, retry, drop, retry all, drop all, drain, remove.")
    return back(request, name, words)


def back(request: Request, name: str, words: str) -> Response:
    """To the lane's page, where the words stand."""
    head.forget(store_of(request))
    return RedirectResponse(f"{address(name)}?{in_address(request, mark_of(name), Notice(words[:600]))}", 303)


def tested(hub: Hub, name: str, who: str) -> str:
    """Send a test and say what came of it."""
    said: Answer = hub.lanes.test(name, TEST_S)
    took = f" after {said.took / 1_000_000:.2f} s" if said.took else ""
    remote = f" (its id there: {said.remote_id})" if said.remote_id else ""
    words = f"{TOLD[said.outcome]}{took}: {said.words or 'no further words'}{remote}"
    hub.store.write(lambda tx: delivery.note(tx, name, who, now_micros(), f"sent a test: {said.outcome}, {said.words}"))
    return words


def _decided(hub: Hub, lane: str, what: str, who: str, ids: Sequence[int]) -> str:
    if not ids:
        return "Nothing was selected."
    if len(ids) > MOST:
        raise Malformed(f"At most {MOST:,} deliveries at once; there are buttons for all.")
    decide, now = (delivery.retry if what == "retry" else delivery.drop), now_micros()

    def work(tx: Tx) -> int:
        if any(delivery.one(tx, id).lane != lane for id in ids):
            raise Malformed(f"One of these deliveries is not of the lane {lane[:60]!r}.")
        return decide(tx, ids, who, now)

    return _counted(what, hub.store.write(work))


def _counted(what: str, n: int) -> str:
    if not n:
        return "Nothing is parked any longer."
    verb = "sent again" if what == "retry" else "dropped; in the ledger they stay"
    return f"{n:,} {'delivery is' if n == 1 else 'deliveries are'} {verb}."


def _emptied(done: Drained) -> str:
    parts = [f"{done.written:,} written to the file and settled"]
    if done.withheld:
        parts.append(f"{done.withheld:,} withheld by the gate")
    if done.failed:
        parts.append(f"{done.failed:,} parked, because they cannot be made ready")
    more = " There is more: drain again to go on." if done.more else ""
    return f"{'; '.join(parts)}.{more}"


def _size(form: Form) -> int:
    text = form.get("size", [""])[-1]
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Malformed("size must be a number of bytes.")
    return int(text)


def name_of(request: Request) -> str:
    """The lane in the path."""
    name: str = request.path_params["name"]
    return name


def address(name: str) -> str:
    """Where a lane's page stands."""
    return f"/lanes/{quote(name, safe='')}"


def mark_of(name: str) -> int:
    """A number for the notices of a lane, which are signed for a number."""
    return -(2**40) - zlib.crc32(name.encode("utf-8", "replace"))
