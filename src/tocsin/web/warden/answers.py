"""What goes back to Warden's clients: JSON, and errors in the form that they know.

An error says by index, from 0 in the array that was sent, which events it means; without indexes it means all. The
status of an answer is its errors' own where they have one, else the larger of their hundreds.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from tocsin.errors import TocsinError
from tocsin.web.answers import KEPT_FROM_BROWSERS, Failure, readable

log = structlog.get_logger()
_ENCODER = msgspec.json.Encoder()


class Said(Response):
    """A value as JSON, or JSON already."""

    media_type = "application/json"

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Nobody's to cache."""
        super().init_headers({**KEPT_FROM_BROWSERS, **(headers or {})})

    def render(self, content: Any) -> bytes:
        """Encode; bytes are taken as JSON already."""
        return content if isinstance(content, bytes) else _ENCODER.encode(content)


class Fault(NamedTuple):
    """One error; `places` are the indexes of the events that it means (None: all), `ids` their IDs."""

    code: int
    words: str
    places: tuple[int, ...] | None = None
    ids: tuple[str | None, ...] = ()
    context: Mapping[str, Any] = {}

    def told(self) -> dict[str, Any]:
        """As clients read it."""
        meant = {} if self.places is None else {"events": self.places, "events_id": self.ids}
        return {"error": self.code, "message": readable(self.words)} | meant | dict(self.context)


class Faulty(TocsinError):
    """A request that is answered with errors."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.words for fault in faults))
        self.faults = faults


def refused(method: str, faults: Sequence[Fault]) -> Response:
    """The answer that lists errors."""
    number, status = secrets.randbits(32), status_of([fault.code for fault in faults])
    log.info("refused a Warden client", method=method, req_id=number, status=status, reason=faults[0].words[:200])
    said = {"method": method, "req_id": number, "errors": [fault.told() for fault in faults]}
    return Said(said, status_code=status)


def status_of(codes: Sequence[int]) -> int:
    """One code is the status; of several, the larger of their hundreds."""
    return codes[0] if len(set(codes)) == 1 else max(codes) // 100 * 100


def show_failure(request: Request, failure: Failure) -> Response:
    """Any other failure of a request in the same form."""
    method = str(request.path_params.get("method", "")) if "path_params" in request.scope else ""
    answer = refused(method[:100], [Fault(failure.status, failure.sentence)])
    answer.headers.update(failure.headers)
    return answer
