"""What the search box offers while one types: names of fields, then the values there are of the one in question."""

from collections.abc import Iterator, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from tocsin.app import Hub
from tocsin.entities import TYPES
from tocsin.errors import Malformed
from tocsin.query import FIELDS, complete
from tocsin.store import offered
from tocsin.store.engine import Tx
from tocsin.web.answers import Json
from tocsin.web.pages.drawing import HEADERS
from tocsin.web.reading import query_of
from tocsin.web.state import web_of

_SIDES = ("src", "dst")
_PARTS = ("ip", "host", "port", "mac", "url", "email")
_ENDINGS = ' \t\r\n()[]{}",:<>=!'


def offers(request: Request) -> Response:
    """GET /alerts/complete?q=…&at=…: `{"offers": [{start, end, text, about}, …]}`, places in characters from 0."""
    query = query_of(request)
    text, at = query.get("q", [""])[-1], query.get("at", [""])[-1]
    if not (at.isascii() and at.isdecimal() and len(at) <= 9):
        raise Malformed("at must be the number of characters before the cursor.")
    hub = web_of(request).hub
    found = hub.store.read(lambda tx: complete(text, int(at), Values(tx, hub, typed(text, int(at)))))
    return Json({"offers": found}, headers=dict(HEADERS))


def typed(text: str, at: int) -> str:
    """What stands between the cursor and the sign before it."""
    before = text[:at]
    start = max(before.rfind(sign) for sign in _ENDINGS)
    return before[start + 1 :]


class Values(Mapping[str, Sequence[str]]):
    """Field -> the values to offer; the store is asked for a field only when it is."""

    def __init__(self, tx: Tx, hub: Hub, begins: str) -> None:
        self._tx, self._hub, self._begins = tx, hub, begins

    def __getitem__(self, name: str) -> Sequence[str]:
        """The values of one field. Raises KeyError for a field that no values are known of."""
        match name:
            case "tag" | "source":
                return offered.labels(self._tx, name, self._begins)
            case "data" | "column":
                return offered.columns(self._tx)
            case "owner":
                return offered.owners(self._tx)
            case "sender":
                return offered.senders(self._tx)
            case "parser":
                return sorted(self._hub.wiring.parsers)
            case "via":
                return sorted({"rest", *self._hub.wiring.sources})
            case "delivery":
                return sorted(self._hub.wiring.destinations)
            case "entity" | "entity.type":
                return TYPES
        if name in FIELDS and FIELDS[name].row:
            return offered.terms(self._tx, _indexed_as(name), self._begins)
        if name.startswith("entity:"):
            return offered.entities(self._tx, name.removeprefix("entity:"), self._begins)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """The fields that there may be values of."""
        return iter(FIELDS)

    def __len__(self) -> int:
        """How many fields that are."""
        return len(FIELDS)


def _indexed_as(name: str) -> tuple[str, ...]:
    """The fields under which the index has the values: `ip` are those of both sides."""
    if name in _SIDES:
        return tuple(f"{name}_{part}" for part in _PARTS if part != "port")
    if name == "endpoint":
        return tuple(f"{side}_{part}" for side in _SIDES for part in _PARTS if part != "port")
    if name in _PARTS:
        return tuple(f"{side}_{name}" for side in _SIDES)
    return (name,)
