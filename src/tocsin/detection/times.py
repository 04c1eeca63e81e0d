"""Times as detectors write them -> microseconds since 1970, UTC.

Read are numbers since 1970 in seconds, milliseconds, microseconds or nanoseconds, as numbers or text (`_time`, `ts`),
and ISO 8601 with a zone in its variants: `Z`, `+02:00`, Suricata's `+0200`, a space for the `T`, slashes in the date
(Slips), `UTC` or `GMT` behind. A time without a zone, an impossible one, or one outside 1980 to 2100 is no time: it is
never guessed, so a capture's relative clock, a duration or a local time in such a column is left out.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from tocsin.model import Micros

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EARLIEST = 315_532_800 * 1_000_000
"""1980-01-01T00:00:00Z"""
LATEST = 4_102_444_800 * 1_000_000
"""2100-01-01T00:00:00Z"""

NUMBER = re.compile(r"(\d{9,20})(?:\.(\d{1,18}))?", re.ASCII)
ZONE = re.compile(r"\s*(?:([zZ]|UTC|GMT)|([+-]\d\d):?(\d\d))$", re.ASCII)


@lru_cache(1024)
def moment(value: object) -> Micros | None:
    """The moment a scalar names, or None."""
    if isinstance(value, str):
        text = value.strip()
        number = NUMBER.fullmatch(text)
        return _since_1970(number[1], number[2] or "") if number else _iso(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 1e8 <= value < 1e20:
        return None
    if isinstance(value, float) and value < 1e14:
        number = NUMBER.fullmatch(repr(value))
        return _since_1970(number[1], number[2] or "") if number else None
    return _since_1970(str(int(value)), "")


def _since_1970(whole: str, fraction: str) -> Micros | None:
    """Seconds, milli-, micro- or nanoseconds: the one unit in which the number falls between 1980 and 2100."""
    digits = whole + fraction
    for micros_digits in (6, 3, 0, -3):
        end = len(whole) + micros_digits
        micros = int(digits[:end].ljust(end, "0"))
        if EARLIEST <= micros < LATEST:
            return micros
    return None


def _iso(text: str) -> Micros | None:
    zone = ZONE.search(text)
    if zone is None or zone.start() < 16:
        return None
    date = text[:10].replace("/", "-")
    offset = "+00:00" if zone[1] else f"{zone[2]}:{zone[3]}"
    try:
        time = datetime.fromisoformat(f"{date}{text[10 : zone.start()]}{offset}")
        micros = (time - EPOCH) // MICROSECOND
    except (ValueError, OverflowError):
        return None
    return micros if EARLIEST <= micros < LATEST else None
