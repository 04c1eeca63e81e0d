"""Microseconds since 1970 -> RFC 3339 text in UTC, and back."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from tocsin.model import Micros

LATEST = 253_402_300_800 * 1_000_000
"""The first moment of the year 10000, which RFC 3339 cannot write."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WRITTEN = re.compile(
    r"([0-9]{4})[-/]([0-9]{2})[-/]([0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.,]([0-9]+))?"
    r" ?([Zz]|[+-][0-9]{2}:?[0-9]{2})",
    re.ASCII,
)


def writable(micros: Micros) -> bool:
    """Whether RFC 3339 has words for a time, and it lies not before 1970."""
    return 0 <= micros < LATEST


def rfc3339(micros: Micros) -> str:
    """`2026-11-21T19:46:28.500000Z`; the fraction is left out where it is zero.

    Raises:
        ValueError: not `writable`.
    """
    seconds, rest = divmod(micros, 1_000_000)
    return f"{_second(seconds)}.{rest:06}Z" if rest else f"{_second(seconds)}Z"


@lru_cache(4096)
def _second(seconds: int) -> str:
    if not 0 <= seconds * 1_000_000 < LATEST:
        raise ValueError(f"{seconds} s since 1970 lies outside the years 1970 to 9999")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(4096)
def since_1970(value: object) -> Micros | None:
    """The time that a text of RFC 3339 names, in any spelling; or a number of seconds from 1980 on. None for any other.

    A space or `t` for the T, slashes in the date and a zone without its colon are understood; a time without a zone is
    none, nor is one before 1970.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(value * 1_000_000) if 315_532_800 <= value < LATEST / 1_000_000 else None
    found = _WRITTEN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    year, month, day, clock, fraction, zone = found.groups()
    zone = "+00:00" if zone in "Zz" else f"{zone[:3]}:{zone[-2:]}"
    try:
        moment = datetime.fromisoformat(f"{year}-{month}-{day}T{clock}.{(fraction or '')[:6]:0<6}{zone}")
        micros = (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return None
    return micros if writable(micros) else None
