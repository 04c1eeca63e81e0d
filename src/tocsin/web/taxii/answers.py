"""What goes back to TAXII clients: resources and errors with their media type, and what clients may ask for.

TAXII 2.1 sections 1.6.8 (content negotiation), 3.6 (errors) and 3.4 (paging).
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tocsin.formats.stix.write import stamp
from tocsin.model import Micros
from tocsin.web.answers import KEPT_FROM_BROWSERS, Failure, readable, refusal

TAXII = "application/taxii+json;version=2.1"
STIX = "application/stix+json;version=2.1"
VERSION = "2.1"
_ANY = frozenset(("*/*", "application/*"))
_OURS = "application/taxii+json"
_ENCODER = msgspec.json.Encoder()


class Resource(Response):
    """A TAXII resource: a value, or JSON already."""

    media_type = TAXII

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Nobody's to cache; the media type is one that says no charset."""
        super().init_headers({**KEPT_FROM_BROWSERS, **(headers or {})})

    def render(self, content: Any) -> bytes:
        """Encode; bytes are taken as JSON already."""
        return content if isinstance(content, bytes) else _ENCODER.encode(content)


def spanning(first: Micros | None, last: Micros | None) -> dict[str, str]:
    """The headers that say when the first and the last of a page were added; none on an empty page."""
    if first is None or last is None:
        return {}
    return {"X-TAXII-Date-Added-First": stamp(first), "X-TAXII-Date-Added-Last": stamp(last)}


def show_failure(_request: Request, failure: Failure) -> Response:
    """An error resource; who is not known is told both ways in."""
    headers = dict(failure.headers)
    if failure.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="Tocsin", charset="UTF-8", Bearer realm="Tocsin"'
    said = {
        "title": HTTPStatus(failure.status).phrase,
        "description": readable(failure.sentence),
        "http_status": str(failure.status),
    }
    return Resource(said, status_code=failure.status, headers=headers)


def check_accept(request: Request) -> None:
    """Refuse (406) who takes nothing that we have. A missing version and `*/*` mean whatever there is."""
    wanted = ",".join(request.headers.getlist("accept"))
    if wanted.strip() and not any(_takes(part) for part in wanted.split(",")):
        raise refusal(406, f"Here is nothing but {TAXII}: accept that.")


def check_content(request: Request) -> None:
    """Refuse (415) a body that is not said to be of TAXII 2.1."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise refusal(415, f"The body is packed with {encoding[:40]}: send it as plain JSON.")
    media, parameters = _split(request.headers.get("content-type", ""))
    if media != _OURS or parameters.get("version", VERSION) != VERSION:
        raise refusal(415, f"Send the objects as {TAXII}.")


def _takes(part: str) -> bool:
    media, parameters = _split(part)
    try:
        refused = float(parameters.get("q", "1")) <= 0
    except ValueError:
        return False
    return not refused and (media in _ANY or (media == _OURS and parameters.get("version", VERSION) == VERSION))


def _split(text: str) -> tuple[str, dict[str, str]]:
    media, *parameters = text.split(";")
    pairs = (each.partition("=") for each in parameters)
    return media.strip().lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
