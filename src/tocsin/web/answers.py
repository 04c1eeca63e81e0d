"""What goes back over the API: JSON in SCOT's manner, and the one table of what each error becomes.

Errors are `{"error_msg": sentence}`; an answer never holds the text of a stack.
"""

import math
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tocsin.errors import (
    BadQuery,
    ConfigError,
    DeliveryError,
    FlowsError,
    Malformed,
    NotFound,
    NotInstalled,
    NotYours,
    Refused,
    StoreUnavailable,
    Taken,
    TocsinError,
    TooLarge,
    TooSlow,
)

JSON = "application/json;charset=UTF-8"
KEPT_FROM_BROWSERS: Mapping[str, str] = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_encoder = msgspec.json.Encoder()

SENTENCES: Mapping[int, str] = {
    404: "There is nothing at this address. GET /api/docs lists what there is.",
    405: "This address does not take that method.",
    500: "Something went wrong inside Tocsin; the log of the server says what.",
}


class Json(Response):
    """A value as JSON, with SCOT's content type."""

    media_type = JSON

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Alerts are nobody's to cache, and no browser's to take for a page."""
        super().init_headers({**KEPT_FROM_BROWSERS, **(headers or {})})

    def render(self, content: Any) -> bytes:
        """Encode; bytes are taken as JSON already."""
        return content if isinstance(content, bytes) else _encoder.encode(content)


class Failure(msgspec.Struct, frozen=True):
    """What an error becomes: a status, a sentence for the person who reads it, and headers."""

    status: int
    sentence: str
    headers: dict[str, str] = {}


def refusal(status: int, sentence: str, **headers: str) -> HTTPException:
    """An error to raise from a route; header names are given with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTPException(status, sentence, headers=named or None)


def failure_of(error: TocsinError | HTTPException) -> Failure:
    """The answer to an error."""
    match error:
        case HTTPException():
            sentence = error.detail
            if error.status_code in SENTENCES and sentence in ("Not Found", "Method Not Allowed"):
                sentence = SENTENCES[error.status_code]
            return Failure(error.status_code, sentence, dict(error.headers or {}))
        case StoreUnavailable():
            wait = max(1, math.ceil(error.retry_after.total_seconds()))
            return Failure(503, str(error), {"Retry-After": str(wait)})
        case TooLarge():
            return Failure(413, str(error))
        case Malformed() | Refused():
            return Failure(400, str(error))
        case BadQuery() | TooSlow():
            return Failure(422, str(error))
        case NotFound():
            return Failure(404, str(error))
        case NotYours():
            return Failure(403, str(error))
        case Taken():
            return Failure(409, str(error))
        case DeliveryError() | ConfigError():
            return Failure(502, str(error))
        case NotInstalled() | FlowsError():
            return Failure(501 if isinstance(error, NotInstalled) else 500, str(error))
    return Failure(500, SENTENCES[500])


def error_json(failure: Failure) -> Response:
    """The failure in SCOT's shape; who is not known gets SCOT's own words for it."""
    if failure.status == 401:
        known = {"error": "Authentication Required", "csrf": secrets.token_hex(20), "error_msg": failure.sentence}
        return Json(known, status_code=401, headers=failure.headers)
    return Json({"error_msg": readable(failure.sentence)}, status_code=failure.status, headers=failure.headers)


def readable(text: str) -> str:
    """The text with what UTF-8 cannot say (lone surrogates) shown as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def download(name: str, body: bytes) -> Response:
    """A stranger's file to keep, in no case a page of ours. RFC 6266, RFC 8187."""
    plain = "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "_" for each in name)
    named = f'attachment; filename="{plain[-100:] or "attachment.bin"}"'
    if name and name != plain:
        named += f"; filename*=UTF-8''{quote(readable(name)[-100:], safe='')}"
    headers = {
        "Content-Disposition": named,
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(body, media_type="application/octet-stream", headers=headers)
