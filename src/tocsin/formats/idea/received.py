"""What is wrong with an event that somebody hands in, by the strict schema, as a Warden server tells it.

What has one meaning only is let in as it came, and mended when it leaves: a node's name with capitals or dashes, a
time without its `T`, a network of one address, a range the wrong way round. A time that does not exist or has no zone
is not.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from tocsin.formats.idea.mend import KEYS, Key
from tocsin.formats.idea.mend import time as mended_time

MANDATORY = ("Format", "ID", "DetectTime", "Category")
LONGEST_ID = 200
"""Of an ID, in characters."""
NODE_TYPES = frozenset(
    each
    for line in (
        "Connection Datagram Content Data File Flow Log Protocol Host Network Correlation External Reporting Relay",
        "Auth Blackhole Signature Statistical Heuristic Integrity Policy Honeypot Tarpit Recon Monitor Other",
    )
    for each in line.split()
)
"""Every type of node that Warden knows."""
_ADDRESSES = ("IP4", "IP6")
_ENCODE = msgspec.json.Encoder().encode


class Wrong(NamedTuple):
    """A key of an event, and what is wrong with it."""

    key: str
    words: str


def wrong_with(event: Mapping[str, Any]) -> Iterator[Wrong]:
    """What the schema refuses in a decoded event, one for each key; nothing where it is an event of IDEA0."""
    for name in MANDATORY:
        if name not in event:
            yield Wrong(name, f"{name} is missing")
    for name, value in event.items():
        key = KEYS.get(name)
        if key is not None and (words := _fault(key, value)) and not _has_one_meaning(name, key, value):
            yield Wrong(name, words)
    id = event.get("ID")
    if isinstance(id, str) and len(id) > LONGEST_ID:
        yield Wrong("ID", f"an ID has {LONGEST_ID} characters at most")


def _fault(key: Key, value: Any) -> str:
    try:
        key.check(key.decoder.decode(_ENCODE(value)))
    except msgspec.DecodeError as error:
        return str(error)
    except ValueError as error:
        return f"there is no such time, or no such address: {error}"
    return ""


def _has_one_meaning(name: str, key: Key, value: Any) -> bool:
    if name.endswith("Time"):
        return isinstance(value, str) and mended_time(value) is not None
    if name not in ("Source", "Target", "Node") or not isinstance(value, list):
        return False
    mended = key.mend(value)
    return len(mended) == len(value) and all(map(_is_spelled_otherwise, value, mended))


def _is_spelled_otherwise(part: Any, mended: Mapping[str, Any]) -> bool:
    """Whether nothing but the spelling of addresses and of a node's name tells the two apart."""
    if not isinstance(part, dict) or part.keys() != mended.keys():
        return False
    for name, value in part.items():
        if name in _ADDRESSES:
            if not isinstance(value, list) or len(mended[name]) != len(value) or not all(map(_is_text, value)):
                return False
        elif name != "Name" and mended[name] != value:
            return False
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
