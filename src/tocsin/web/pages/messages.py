"""Messages as they came: opened if they are mail, else as text. Shown, never run."""

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import NotFound
from tocsin.store import alertgroup, message
from tocsin.store.engine import Tx
from tocsin.store.message import Kept
from tocsin.web.pages.alerts import store_of
from tocsin.web.pages.drawing import HEADERS, draw
from tocsin.web.pages.mail import Mail, mail_of
from tocsin.web.state import path_id, web_of

PREVIEW = 256 * 1024


class Opened(NamedTuple):
    """A message, the mail it is, and the beginning of its bytes as text; None when retention removed them."""

    message: Kept
    preview: str | None
    cut: int
    mail: Mail | None


def original(request: Request) -> Response:
    """GET /alerts/ID/original: the message an alertgroup was read from."""
    group = path_id(request)
    one = store_of(request).read(lambda tx: alertgroup.get(tx, group).message)
    return draw(
        request,
        "message.html",
        here="alerts",
        title=f"Original of alertgroup {group}",
        up_url=f"/alerts/{group}",
        up_words=f"Alertgroup {group}",
        download_url=f"/alerts/{group}/original/download",
        standing=None,
        notice=None,
        **opened(request, one)._asdict(),
    )


def original_bytes(request: Request) -> Response:
    """GET /alerts/ID/original/download: the same, byte by byte."""
    group = path_id(request)
    found, body = store_of(request).read(lambda tx: whole(tx, alertgroup.get(tx, group).message))
    return download(found, body)


def whole(tx: Tx, id: int) -> tuple[Kept, bytes]:
    """A message and its bytes. Raises NotFound."""
    return message.get(tx, id), message.original(tx, id)


def opened(request: Request, id: int) -> Opened:
    """A message as far as it can be shown. Raises NotFound."""
    found = store_of(request).read(lambda tx: message.get(tx, id))
    try:
        came = web_of(request).hub.again.message(id)
    except NotFound:
        return Opened(found, None, 0, None)
    text = came.body[:PREVIEW].decode("utf-8", "replace")
    return Opened(found, text, PREVIEW if len(came.body) > PREVIEW else 0, mail_of(request, came))


def download(found: Kept, body: bytes) -> Response:
    """Bytes of a stranger: a file to keep, in no case a page of ours."""
    named = f'attachment; filename="message-{found.id}.bin"'
    headers = {**HEADERS, "Content-Disposition": named, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(body, media_type="application/octet-stream", headers=headers)
