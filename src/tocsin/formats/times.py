"""Microseconds since 1970 -> RFC 3339 text in UTC."""

from datetime import UTC, datetime
from functools import lru_cache

from tocsin.model import Micros

LATEST = 253_402_300_800 * 1_000_000
"""The first moment of the year 10000, which RFC 3339 cannot write."""


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
