"""Dates as people write them in a query. A date is a span: `2026-05` is all of May, `now-1d/d` all of yesterday.

now  now-15m  -15m  now-1d/d  today  yesterday       units: s m h d w M y; weeks begin on Monday
2026  2026-05  2026-05-04  2026-05-04T10  …T10:30  …T10:30:15.25Z  …T10:30+02:00      UTC when no zone is given
1700000000  1700000000000  1700000000000000          seconds, milli-, microseconds since 1970
"""

import calendar
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from tocsin.model import Micros

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND

_RELATIVE = re.compile(r"now((?:[+-][0-9]{1,6}[smhdwMy]){0,8})(?:/([smhdwMy]))?", re.ASCII)
_STEP = re.compile(r"([+-][0-9]+)([smhdwMy])", re.ASCII)
_ABSOLUTE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?",
    re.ASCII,
)
_SINCE_1970 = re.compile(r"[0-9]{9,11}|[0-9]{12,14}|[0-9]{15,17}", re.ASCII)
_WORDS = {"today": "now/d", "yesterday": "now-1d/d", "tomorrow": "now+1d/d"}
_LENGTHS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_MONTHS = {"M": 1, "y": 12}


def canonical(text: str) -> str | None:
    """The date in one spelling that `bounds` reads, or None if it is none."""
    text = text.strip()
    text = _WORDS.get(text.lower(), text)
    if re.match(r"[+-][0-9]+[smhdwMy]", text, re.ASCII):
        text = f"now{text}"
    elif text[:3].lower() == "now":
        text = f"now{text[3:]}"
    else:
        text = re.sub(r"(?<=[0-9])[ t](?=[0-9])", "T", text, count=1)
        text = re.sub(r"z$", "Z", text)
        text = re.sub(r"([+-][0-9]{2})([0-9]{2})$", r"\1:\2", text) if "T" in text else text
    if not _RELATIVE.fullmatch(text) and not _SINCE_1970.fullmatch(text) and _absolute(text) is None:
        return None
    return text


def of_time(time: Micros) -> str:
    """A canonical date that is this one microsecond; what lies outside of the years 1 to 9999 is their edge."""
    moment = _datetime(min(max(time, FIRST), LAST))
    return f"{moment.year:04}{moment:-%m-%dT%H:%M:%S.%f}Z"


def bounds(text: str, now: Micros) -> tuple[Micros, Micros]:
    """First microsecond of a canonical date, and the first one behind it."""
    if _SINCE_1970.fullmatch(text):
        unit = 1_000_000 if len(text) <= 11 else 1000 if len(text) <= 14 else 1
        return int(text) * unit, (int(text) + 1) * unit
    if relative := _RELATIVE.fullmatch(text):
        return _relative(relative[1], relative[2], now)
    found = _absolute(text)
    if found is None:
        raise ValueError(text)
    return found


def _relative(steps: str, rounded: str | None, now: Micros) -> tuple[Micros, Micros]:
    time = now
    for count, unit in _STEP.findall(steps):
        time = _moved(time, int(count), unit)
    if rounded is None:
        return time, time + 1
    start = _floor(_datetime(time), rounded)
    return _micros(start), _moved(_micros(start), 1, rounded)


def _moved(time: Micros, count: int, unit: str) -> Micros:
    """So many units later; the day is the month's last where the month is shorter. Stays in the years 1 to 9999."""
    if unit in _LENGTHS:
        return min(max(time + count * (_LENGTHS[unit] // MICROSECOND), FIRST), LAST)
    moment = _datetime(time)
    months = moment.year * 12 + moment.month - 1 + count * _MONTHS[unit]
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        return FIRST if year < 1 else LAST
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return _micros(moment.replace(year=year, month=month + 1, day=day))


def _floor(moment: datetime, unit: str) -> datetime:
    if unit == "w":
        moment -= timedelta(days=min(moment.weekday(), (moment - datetime.min.replace(tzinfo=UTC)).days))
    kept = {"y": 1, "M": 2, "w": 3, "d": 3, "h": 4, "m": 5, "s": 6}[unit]
    parts = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    year, month, day, hour, minute, second = (*parts[:kept], *(1, 1, 1, 0, 0, 0)[kept:])
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@lru_cache(1024)
def _absolute(text: str) -> tuple[Micros, Micros] | None:
    parts = _ABSOLUTE.fullmatch(text)
    if parts is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = parts.groups()
    try:
        start = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    first = _micros(start) + int((fraction or "0").ljust(6, "0"))
    if fraction:
        end = first + 10 ** (6 - len(fraction))
    else:
        given = sum(part is not None for part in (year, month, day, hour, minute, second))
        end = _moved(first, 1, "yMdhms"[given - 1])
    if zone and zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[4:6])
        if hours > 23 or minutes > 59:
            return None
        ahead = (hours * 3600 + minutes * 60) * 1_000_000 * (-1 if zone[0] == "-" else 1)
        first, end = first - ahead, end - ahead
    return first, end


def _datetime(time: Micros) -> datetime:
    return EPOCH + timedelta(microseconds=time)


def _micros(moment: datetime) -> Micros:
    return (moment - EPOCH) // MICROSECOND
