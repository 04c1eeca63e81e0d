"""Quarantine: what was kept but not understood, and what a person may do about it."""

from typing import NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tocsin.errors import Malformed, NotFound
from tocsin.intake.again import Outcome
from tocsin.intake.reading import Answer
from tocsin.store import again, message
from tocsin.store.again import Line
from tocsin.store.engine import Tx
from tocsin.store.message import Kept
from tocsin.web.pages import head
from tocsin.web.pages.alerts import number_of, store_of
from tocsin.web.pages.drawing import Form, draw
from tocsin.web.pages.messages import download, opened, whole
from tocsin.web.pages.notices import Notice, in_address, notice_of
from tocsin.web.reading import query_of
from tocsin.web.state import path_id, principal_of, web_of

PAGE = 50


class Standing(NamedTuple):
    """Where a message stands: what was done to it, what was made of it, and what each parser says."""

    state: str
    past: list[Line]
    groups: list[int]
    answers: list[Answer]
    parsers: list[str]


def quarantine(request: Request) -> Response:
    """GET /quarantine: the newest messages that were not understood; with `state=discarded` those taken out."""
    state = query_of(request).get("state", [""])[-1]
    if state not in ("", again.DISCARDED):
        raise Malformed("state is discarded, or left out.")
    before = number_of(request, "before") or None
    found = store_of(request).read(lambda tx: message.quarantined(tx, PAGE + 1, before, state or again.QUARANTINED))
    rest = {"before": found[PAGE - 1].id} if len(found) > PAGE else {}
    older = f"/quarantine?{urlencode({**rest, **({'state': state} if state else {})})}" if rest else ""
    return draw(
        request,
        "quarantine.html",
        here="quarantine",
        messages=found[:PAGE],
        older_url=older,
        discarded=state == again.DISCARDED,
    )


def quarantined(request: Request) -> Response:
    """GET /quarantine/ID: one of them, why, what is in it, and what each parser says."""
    one = path_id(request)
    seen = opened(request, one)
    return draw(
        request,
        "message.html",
        here="quarantine",
        title=f"Message {one} in quarantine" if seen.message.state == again.QUARANTINED else f"Message {one}",
        up_url="/quarantine",
        up_words="Quarantine",
        download_url=f"/quarantine/{one}/download",
        standing=_standing(request, seen.message),
        notice=notice_of(request, -one),
        **seen._asdict(),
    )


def quarantined_bytes(request: Request) -> Response:
    """GET /quarantine/ID/download: its bytes."""
    one = path_id(request)
    return download(*store_of(request).read(lambda tx: whole(tx, one)))


def act(request: Request, form: Form) -> Response:
    """POST /quarantine/ID: `do` is read (by `parser`, if one is chosen), accept, discard (with a `note`) or restore."""
    one, who, hub = path_id(request), principal_of(request).name, web_of(request).hub
    what, parser, note = (form.get(name, [""])[-1] for name in ("do", "parser", "note"))
    match what:
        case "read":
            words = _words(hub.again.read_again(one, who, parser))
        case "accept":
            words = _words(hub.again.accept(one, who))
        case "discard":
            hub.again.discard(one, who, note.strip())
            words = "Discarded. Its bytes are kept, and it can be put back."
        case "restore":
            hub.again.restore(one, who)
            words = "It stands in quarantine again."
        case _:
            raise Malformed("do must be one of: read, accept, discard, restore.")
    head.forget(hub.store)
    return RedirectResponse(f"/quarantine/{one}?{in_address(request, -one, Notice(words))}", 303)


def _words(outcome: Outcome) -> str:
    if outcome.reason:
        return f"Still not understood: {outcome.reason[:400]}"
    made = len(outcome.alertgroups)
    return f"Understood by {outcome.parser}: {made} {'alertgroup' if made == 1 else 'alertgroups'} made."


def _standing(request: Request, kept: Kept) -> Standing:
    def work(tx: Tx) -> tuple[list[Line], list[int]]:
        return again.past(tx, kept.id), message.groups_of(tx, kept.id)

    past, groups = store_of(request).read(work)
    hub = web_of(request).hub
    said: list[Answer] = []
    if kept.state == again.QUARANTINED:
        try:
            said = hub.again.answers(hub.again.message(kept.id))
        except NotFound:
            said = []
    return Standing(kept.state, past, groups, said, [name for name, _ in hub.again.parsers])
