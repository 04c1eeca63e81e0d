"""Our own schema of IDEA0, tighter than the strict one of idea.cesnet.cz: dates exist, ranges are in order."""

import ipaddress
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from tocsin.formats.idea.objects import Event, Machine

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_EVENT = msgspec.json.Decoder(Event)
TIMES = ("create_time", "detect_time", "event_time", "cease_time", "win_start_time", "win_end_time")


def schema() -> dict[str, Any]:
    """The JSON schema (2020-12). Other keys are allowed everywhere; `FORMATS` holds what its formats mean."""
    return msgspec.json.schema(Event) | {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "IDEA0"}


def check(text: bytes | str) -> None:
    """Raises ValueError, naming the place and what is wrong there, if the text is no strictly valid event."""
    try:
        event = _EVENT.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    for name in TIMES:
        time = getattr(event, name)
        if time is not msgspec.UNSET and not is_time(time):
            raise ValueError(f"there is no such time as {time} - at `$.{name}`")
    for side in (event.source, event.target):
        check_ends(side)


def is_strict(text: bytes | str) -> bool:
    """Whether `check` finds nothing wrong."""
    try:
        check(text)
    except ValueError:
        return False
    return True


def check_ends(ends: Iterable[Machine]) -> None:
    """Raises ValueError for an address, network or range that is none."""
    for end in ends:
        for text in end.ip4:
            if not is_net4(text):
                raise ValueError(f"{text} is no IPv4 address, network or range")
        for text in end.ip6:
            if not is_net6(text):
                raise ValueError(f"{text} is no IPv6 address, network or range")


def is_time(text: str) -> bool:
    """Whether there is such a time; `text` has the form of one."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


@lru_cache(4096)
def is_net4(text: str) -> bool:
    """Whether it is an IPv4 address, network or range in order."""
    return _is_net(text, ipaddress.IPv4Address)


@lru_cache(4096)
def is_net6(text: str) -> bool:
    """Whether it is an IPv6 address, network or range in order."""
    return _is_net(text, ipaddress.IPv6Address)


def _is_net(text: str, address: Callable[[str], Address]) -> bool:
    first, dash, last = text.partition("-")
    bare, slash, mask = text.partition("/")
    try:
        if dash:
            return int(address(first)) <= int(address(last))
        address(bare)
    except ValueError:
        return False
    return not slash or (mask.isascii() and mask.isdigit())


FORMATS: dict[str, Callable[[str], bool]] = {"idea-time": is_time, "idea-net4": is_net4, "idea-net6": is_net6}
"""Formats of the schema -> whether a text is of that format."""
