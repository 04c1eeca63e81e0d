"""Dates are spans of time, relative to now or not."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.query import dates

NOW = datetime(2026, 5, 6, 12, 34, 56, 789_000, tzinfo=UTC)  # a Wednesday


def micros(text: str) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - dates.EPOCH) // dates.MICROSECOND


NOW_MICROS = micros("2026-05-06T12:34:56.789")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("now/d", "2026-05-06", "2026-05-07"),
        ("Today", "2026-05-06", "2026-05-07"),
        ("yesterday", "2026-05-05", "2026-05-06"),
        ("tomorrow", "2026-05-07", "2026-05-08"),
        ("now/w", "2026-05-04", "2026-05-11"),
        ("now-1w/w", "2026-04-27", "2026-05-04"),
        ("now/M", "2026-05-01", "2026-06-01"),
        ("now+8M/M", "2027-01-01", "2027-02-01"),
        ("now-1y/y", "2025-01-01", "2026-01-01"),
        ("now-1d+2h/h", "2026-05-05T14:00", "2026-05-05T15:00"),
        ("NOW/m", "2026-05-06T12:34", "2026-05-06T12:35"),
        ("-90s/s", "2026-05-06T12:33:26", "2026-05-06T12:33:27"),
        ("2026", "2026-01-01", "2027-01-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("2026-05-04 10", "2026-05-04T10:00", "2026-05-04T11:00"),
        ("2026-05-04t10:30z", "2026-05-04T10:30", "2026-05-04T10:31"),
        ("2026-05-04T10:30:15", "2026-05-04T10:30:15", "2026-05-04T10:30:16"),
        ("2026-05-04T10:30:15.25", "2026-05-04T10:30:15.250", "2026-05-04T10:30:15.260"),
        ("2026-05-04T10:30+0200", "2026-05-04T08:30", "2026-05-04T08:31"),
        ("2026-05-04T10:30-05:30", "2026-05-04T16:00", "2026-05-04T16:01"),
        ("1777852800", "2026-05-04T00:00:00", "2026-05-04T00:00:01"),
        ("1777852800123", "2026-05-04T00:00:00.123", "2026-05-04T00:00:00.124"),
        ("1777852800123456", "2026-05-04T00:00:00.123456", "2026-05-04T00:00:00.123457"),
    ],
)
def test_a_date_is_a_span(text: str, start: str, end: str) -> None:
    canonical = dates.canonical(text)
    assert canonical is not None
    assert dates.canonical(canonical) == canonical
    assert dates.bounds(canonical, NOW_MICROS) == (micros(start), micros(end))


def test_an_instant_is_a_microsecond_long() -> None:
    assert dates.bounds("now-15m", NOW_MICROS) == (NOW_MICROS - 900_000_000, NOW_MICROS - 899_999_999)


def test_the_last_of_a_month_stays_in_a_shorter_one() -> None:
    assert dates.bounds("now-1M/d", micros("2026-03-31"))[0] == micros("2026-02-28")


NONE = (
    " soon now- now-5 now-5x now/5 26-05-04 2026-5 2026-13 2026-02-30 2026-05-04T25 2026-05-04T10:30+25:00 12:30 0000"
    " 20260504 now-1234567d ٢٠٢٦"
)


@pytest.mark.parametrize("text", NONE.split(" "))
def test_what_is_no_date_is_none(text: str) -> None:
    assert dates.canonical(text) is None


@given(st.lists(st.tuples(st.sampled_from("+-"), st.integers(0, 999_999), st.sampled_from("smhdwMy")), max_size=8),
       st.sampled_from(("", *"smhdwMy")), st.integers(dates.FIRST, dates.LAST))  # fmt: skip
def test_no_date_leaves_the_calendar(steps: list[tuple[str, int, str]], rounded: str, now: int) -> None:
    text = "now" + "".join(f"{sign}{count}{unit}" for sign, count, unit in steps) + (f"/{rounded}" if rounded else "")
    first, end = dates.bounds(text, now)

    assert dates.FIRST <= first <= end <= dates.LAST + 1


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_time_is_read_again_from_its_date(time: int) -> None:
    text = dates.of_time(time)

    assert dates.canonical(text) == text
    assert dates.bounds(text, 0)[0] == min(max(time, dates.FIRST), dates.LAST)
