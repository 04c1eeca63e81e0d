"""What each route of the API says of itself: beside the route's code, read by the OpenAPI description."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from tocsin.web.door import Handle


class Parameter(NamedTuple):
    """A parameter of the query or a header, with its JSON schema."""

    name: str
    text: str
    schema: Mapping[str, Any]
    place: Literal["query", "header"] = "query"


class Description(NamedTuple):
    """`answer` and `body` are types; bytes and str stand for other media than JSON."""

    summary: str
    answer: Any
    status: int
    media: str
    body: Any
    parameters: Sequence[Parameter]
    more: Mapping[int, Any]
    errors: Sequence[int]


DESCRIPTIONS: dict[Handle, Description] = {}


def described(
    summary: str,
    answer: Any,
    *,
    status: int = 200,
    media: str = "application/json",
    body: Any = None,
    parameters: Sequence[Parameter] = (),
    more: Mapping[int, Any] | None = None,
    errors: Sequence[int] = (),
) -> Callable[[Handle], Handle]:
    """Mark a route's function with what it takes and answers; `more` are further good statuses.

    `errors` are those that not every route has: see `openapi.py`.
    """

    def mark(handler: Handle) -> Handle:
        DESCRIPTIONS[handler] = Description(summary, answer, status, media, body, parameters, more or {}, errors)
        return handler

    return mark
