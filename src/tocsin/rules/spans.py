"""Spans of time as people write them: `15m` for how often, `mon-fri 22:00-06:00 Europe/Prague` for when again."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tocsin.errors import Malformed
from tocsin.model import Micros, Noun

SECOND: Micros = 1_000_000
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND, "w": 7 * 86_400 * SECOND}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)
_LONGEST: Micros = 366 * 86_400 * SECOND


def duration(text: str) -> Micros:
    """`90s`, `15m`, `1h`, `7d` or `2w`, at most a year. Raises Malformed."""
    found = re.fullmatch(r"\s*(\d{1,9})\s*([smhdw])\s*", text, re.ASCII)
    if found is None or not 0 < int(found[1]) * _UNITS[found[2]] <= _LONGEST:
        raise Malformed(f"{text[:40]!r} is no span of time: write 90s, 15m, 1h, 7d or 2w, at most a year")
    return int(found[1]) * _UNITS[found[2]]


def written(span: Micros) -> str:
    """A span as `duration` reads it, in the largest unit that it is a whole number of; empty for none."""
    unit = next((unit for unit in reversed(_UNITS) if span and span % _UNITS[unit] == 0), "")
    return f"{span // _UNITS[unit]}{unit}" if unit else ""


class Recurrence(Noun, frozen=True, kw_only=True):
    """Certain hours of certain days of the week; minutes from 0 to 1440, and an end before its begin is the next day's.

    `days` are 0 for Monday to 6 for Sunday, of the day on which the hours begin.
    """

    text: str
    days: frozenset[int]
    begin: int
    end: int
    zone: str = "UTC"

    def holds(self, at: Micros) -> bool:
        """Whether the moment lies in it."""
        local = datetime.fromtimestamp(at / SECOND, UTC).astimezone(ZoneInfo(self.zone))
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        yesterday = (local - timedelta(days=1)).weekday()
        return (day in self.days and minute >= self.begin) or (yesterday in self.days and minute < self.end)


def recurrence(text: str) -> Recurrence | None:
    """`daily 22:00-06:00`, `mon-fri 8:00-9:30 Europe/Prague`, `sat,sun 0:00-24:00`; None for an empty text.

    Without a zone the hours are UTC's. Raises Malformed.
    """
    words = text.split()
    if not words:
        return None
    hours = _HOURS.fullmatch(words[1]) if len(words) in (2, 3) else None
    if hours is None:
        remedy = "write days, hours and perhaps a zone, mon-fri 22:00-06:00 Europe/Prague"
        raise Malformed(f"{text[:80]!r} is no recurrence: {remedy}")
    begin, end = (int(hours[at]) * 60 + int(hours[at + 1]) for at in (1, 3))
    if begin == end or max(begin, end) > 1440:
        raise Malformed(f"{words[1]!r}: the hours end when they begin, or behind 24:00")
    zone = words[2] if len(words) == 3 else "UTC"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        remedy = "write one such as Europe/Prague, or leave it out for UTC"
        raise Malformed(f"{zone[:40]!r} is no time zone: {remedy}") from None
    return Recurrence(text=" ".join(words), days=_days(words[0]), begin=begin, end=end, zone=zone)


def _days(text: str) -> frozenset[int]:
    if text.lower() == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            raise Malformed(f"{part[:20]!r} is no day: write daily, or mon, tue, wed, thu, fri, sat, sun, also mon-fri")
        begin, end = _DAYS.index(first), _DAYS.index(last if dash else first)
        found.update(day % 7 for day in range(begin, end + (7 if end < begin else 0) + 1))
    return frozenset(found)
