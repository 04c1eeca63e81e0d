"""What a request brings: its body within bounds, its form, its query, its sender's address."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl

from starlette.requests import Request

from tocsin.errors import Malformed, StoreUnavailable, TooLarge


class Load:
    """How many bytes of bodies are held in memory together; above the most, senders are asked to come again."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.bytes = 0

    def take(self, size: int) -> None:
        """Make room for so many. Raises StoreUnavailable."""
        if self.bytes + size > self.most:
            raise StoreUnavailable("Too many large requests at once: send it again.", timedelta(seconds=2))
        self.bytes += size

    def give(self, size: int) -> None:
        """They are gone."""
        self.bytes -= size


async def read_body(request: Request, limit: int, load: Load | None = None) -> bytes:
    """The whole body, read no further than `limit` bytes; what it adds to the load, the caller gives back.

    Raises:
        TooLarge: the body is larger than the limit, whether or not its length was declared.
        StoreUnavailable: too much is held in memory already.
    """
    too_large = f"The body is larger than {limit:,} bytes, the most that is taken here."
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdecimal() and int(declared[:20]) > limit:
        raise TooLarge(too_large)
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.stream():
            if size + len(piece) > limit:
                raise TooLarge(too_large)
            if load is not None:
                load.take(len(piece))
            size += len(piece)
            pieces.append(piece)
    except BaseException:
        if load is not None:
            load.give(size)
        raise
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def read_form(request: Request, limit: int = 1024 * 1024) -> dict[str, list[str]]:
    """The fields of an urlencoded form; read once, asked for as often as you like. Raises Malformed, TooLarge."""
    kept: dict[str, list[str]] | None = getattr(request.state, "form", None)
    if kept is None:
        kept = _fields((await read_body(request, limit)).decode("latin-1"), "form")
        request.state.form = kept
    return kept


def query_of(request: Request) -> Mapping[str, list[str]]:
    """The query's parameters, each with all its values in order. Raises Malformed."""
    return _fields(request.scope["query_string"].decode("latin-1"), "query")


def _fields(text: str, what: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    try:
        for name, value in parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=10_000):
            fields.setdefault(name, []).append(value)
    except UnicodeDecodeError:
        raise Malformed(f"The {what} is not UTF-8: percent-encode the UTF-8 bytes of each character.") from None
    except ValueError:
        raise Malformed(f"The {what} has more than 10,000 parameters.") from None
    if any("\x00" in part for name, values in fields.items() for part in (name, *values)):
        raise Malformed(f"The {what} holds a NUL character (%00): leave it out.")
    return fields


def address_of(request: Request) -> str:
    """Where the request came from; behind a trusted proxy the server has put the client's address there."""
    return request.client.host if request.client else ""
