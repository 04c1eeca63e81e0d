"""Bytes that hold JSON objects: one, an array of them, or a line for each (as alerts.json has them)."""

import msgspec

from tocsin.errors import Malformed

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are no JSON, or nested too deeply."""
Level = dict[str, msgspec.Raw]
"""An object's keys, each value in its own spelling."""
_ANY = msgspec.json.Decoder()
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_LEVEL = msgspec.json.Decoder(Level)


def objects(body: bytes) -> list[bytes]:
    """The objects in order, each in its own spelling. Raises Malformed, naming the one that is no JSON object."""
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if body[:1] == b"[":
        try:
            found = [bytes(raw).strip() for raw in _ARRAY.decode(body)]
        except NOT_JSON as error:
            raise Malformed(f"the body is no JSON array: {_why(error)}") from None
        return [_checked(text, f"item {number}") for number, text in enumerate(found, 1)]
    if is_object(body):
        return [body]
    lines = [line.strip() for line in body.split(b"\n")]
    return [_checked(line, f"line {number}") for number, line in enumerate(lines, 1) if line]


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
