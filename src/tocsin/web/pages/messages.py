"""Messages as they came: the original of an alertgroup, and what stands in quarantine. Shown as text, never run."""

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import NotFound
from tocsin.store import alertgroup, message
from tocsin.store.engine import Tx
from tocsin.store.message import Kept
from tocsin.web.pages.alerts import number_of, store_of
from tocsin.web.pages.drawing import HEADERS, draw
from tocsin.web.state import path_id

PREVIEW = 256 * 1024
PAGE = 50


class Opened(NamedTuple):
    """A message, and the beginning of its bytes as text; None when retention removed them."""

    message: Kept
    preview: str | None
    cut: int


def original(request: Request) -> Response:
    """GET /alerts/ID/original: the message an alertgroup was read from."""
    group = path_id(request)
    opened = store_of(request).read(lambda tx: _opened(tx, alertgroup.get(tx, group).message))
    return draw(
        request,
        "message.html",
        here="alerts",
        title=f"Original of alertgroup {group}",
        up_url=f"/alerts/{group}",
        up_words=f"Alertgroup {group}",
        download_url=f"/alerts/{group}/original/download",
        **opened._asdict(),
    )


def original_bytes(request: Request) -> Response:
    """GET /alerts/ID/original/download: the same, byte by byte."""
    group = path_id(request)
    found, body = store_of(request).read(lambda tx: _whole(tx, alertgroup.get(tx, group).message))
    return _download(found, body)


def quarantine(request: Request) -> Response:
    """GET /quarantine: the newest messages that were not understood."""
    before = number_of(request, "before") or None
    found = store_of(request).read(lambda tx: message.quarantined(tx, PAGE + 1, before))
    older = f"/quarantine?before={found[PAGE - 1].id}" if len(found) > PAGE else ""
    return draw(request, "quarantine.html", here="quarantine", messages=found[:PAGE], older_url=older)


def quarantined(request: Request) -> Response:
    """GET /quarantine/ID: one of them, and why."""
    one = path_id(request)
    opened = store_of(request).read(lambda tx: _opened(tx, one))
    return draw(
        request,
        "message.html",
        here="quarantine",
        title=f"Message {one} in quarantine" if opened.message.state == "quarantined" else f"Message {one}",
        up_url="/quarantine",
        up_words="Quarantine",
        download_url=f"/quarantine/{one}/download",
        **opened._asdict(),
    )


def quarantined_bytes(request: Request) -> Response:
    """GET /quarantine/ID/download: its bytes."""
    one = path_id(request)
    return _download(*store_of(request).read(lambda tx: _whole(tx, one)))


def _whole(tx: Tx, id: int) -> tuple[Kept, bytes]:
    return message.get(tx, id), message.original(tx, id)


def _opened(tx: Tx, id: int) -> Opened:
    found = message.get(tx, id)
    try:
        body = message.original(tx, id)
    except NotFound:
        return Opened(found, None, 0)
    return Opened(found, body[:PREVIEW].decode("utf-8", "replace"), PREVIEW if len(body) > PREVIEW else 0)


def _download(found: Kept, body: bytes) -> Response:
    """Bytes of a stranger: a file to keep, in no case a page of ours."""
    named = f'attachment; filename="message-{found.id}.bin"'
    headers = {**HEADERS, "Content-Disposition": named, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(body, media_type="application/octet-stream", headers=headers)
