"""Bytes that hold JSON objects: one, an array of them, or a line for each (as alerts.json has them)."""

import msgspec

from tocsin.errors import Malformed, TooLarge

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are no JSON, or nested too deeply."""
Level = dict[str, msgspec.Raw]
"""An object's keys, each value in its own spelling."""
MOST = 10_000
"""So many objects of one body are read; each is looked at closely."""
_ANY = msgspec.json.Decoder()
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_LEVEL = msgspec.json.Decoder(Level)


def objects(body: bytes) -> list[bytes]:
    """The objects in order, each in its own spelling.

    Raises Malformed, naming the one that is no JSON object; TooLarge: there are more than `MOST`.
    """
    parts = _parts(body)
    if len(parts) > MOST:
        raise TooLarge(f"the body holds {len(parts):,} objects: hand over at most {MOST:,} at once")
    return [_checked(text, where) for text, where in parts]


def first_object(body: bytes) -> bytes:
    """The first object, to know by whose it is; nothing where there is none. Never raises."""
    try:
        return next((_checked(text, where) for text, where in _parts(body)), b"")
    except Malformed:
        return b""


def _parts(body: bytes) -> list[tuple[bytes, str]]:
    """What are to be objects, each with where it stands."""
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if body[:1] == b"[":
        try:
            found = [bytes(raw).strip() for raw in _ARRAY.decode(body)]
        except NOT_JSON as error:
            raise Malformed(f"the body is no JSON array: {_why(error)}") from None
        parts = [(text, f"item {number}") for number, text in enumerate(found, 1)]
    elif is_object(body):
        parts = [(body, "the body")]
    else:
        lines = enumerate(map(bytes.strip, body.split(b"\n")), 1)
        parts = [(line, f"line {number}") for number, line in lines if line]
    return parts


def level(text: bytes) -> Level:
    """The keys of an object that `objects` gave."""
    return _LEVEL.decode(text)


def is_object(text: bytes) -> bool:
    """Whether it is one JSON object, all of it."""
    try:
        return text[:1] == b"{" and isinstance(_ANY.decode(text), dict)
    except NOT_JSON:
        return False


def _checked(text: bytes, where: str) -> bytes:
    try:
        _ANY.decode(text)
    except NOT_JSON as error:
        raise Malformed(f"{where} is not JSON: {_why(error)}") from None
    if text[:1] != b"{":
        raise Malformed(f"{where} is no JSON object: give objects, an array of them, or a line for each")
    return text


def _why(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
