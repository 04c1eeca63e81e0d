"""A mail on a page: its headers, its text, harmless HTML, and its attachments to download."""

from typing import NamedTuple

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import Malformed
from tocsin.intake.preview import Enclosed, Preview
from tocsin.model import Link, Message
from tocsin.web.answers import download
from tocsin.web.pages.shown import harmless
from tocsin.web.state import path_id, web_of

FIRST = ("from", "reply-to", "to", "cc", "subject", "date", "message-id", "authentication-results")
"""What a reader wants to see of the headers before all of them."""


class Mail(NamedTuple):
    """A mail as the template shows it."""

    seen: Preview
    first: list[tuple[str, str]]
    html: Markup
    enclosed: list[tuple[str, Enclosed]]
    links: list[Link]


def mail_of(request: Request, original: Message) -> Mail | None:
    """The mail opened, in a child process; None for what is no mail."""
    seen = web_of(request).hub.again.preview(original)
    if seen is None:
        return None
    return Mail(
        seen=seen,
        first=[(name, value) for name, value in seen.headers if name.lower() in FIRST],
        html=harmless(seen.html),
        enclosed=[(f"/messages/{original.id}/attachments/{number}", one) for number, one in enumerate(seen.enclosed)],
        links=list(seen.links),
    )


def attachment(request: Request) -> Response:
    """GET /messages/ID/attachments/NUMBER: an attachment, for download."""
    id, text, again = path_id(request), request.path_params["number"], web_of(request).hub.again
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise Malformed("Attachments are counted from 0.")
    found = again.enclosed(again.message(id), int(text))
    return download(found.name, found.body)
