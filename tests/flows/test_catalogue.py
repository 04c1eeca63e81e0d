"""The catalogue: room for years of imports, and what SQLite cannot do is said as any other trouble with flows."""

import stat
from pathlib import Path

import apsw
import pytest

from tocsin.errors import FlowsError
from tocsin.flows.catalogue import Catalogue, line_of, place

YEARS, A_DAY = 10, 15 * 86_400 // 5
"""Fifteen logs that grow, looked at every five seconds."""
WIDEST = 2**63


def test_years_of_logs_that_grow_all_the_time_have_places_that_a_database_can_hold() -> None:
    last = YEARS * 365 * A_DAY
    longest = 5_000_000_000

    assert place(last, longest) < WIDEST
    assert line_of(place(last, longest)) == (last, longest)


def test_what_has_no_place_any_more_is_refused_in_words() -> None:
    with pytest.raises(FlowsError, match="lines in one file"):
        place(1, 2**33)
    with pytest.raises(FlowsError, match="imports"):
        place(2**30, 1)
    assert place(2**30 - 1, 2**33 - 1) < WIDEST


def test_what_sqlite_cannot_do_is_told_as_trouble_with_flows(tmp_path: Path) -> None:
    with pytest.raises(FlowsError, match=r"catalogue\.sqlite cannot be used: .*disk"), Catalogue(tmp_path):
        raise apsw.FullError("database or disk is full")


def test_the_folder_of_flows_is_not_for_everybody(tmp_path: Path) -> None:
    with Catalogue(tmp_path / "flows"):
        pass

    assert not stat.S_IMODE((tmp_path / "flows").stat().st_mode) & 0o007


def test_when_something_was_read_last_is_known_without_all_that_was_read(tmp_path: Path) -> None:
    with Catalogue(tmp_path) as catalogue:
        assert catalogue.last() == 0
        catalogue.begin("conn.log", "zeek conn")
        assert catalogue.last() == 0  # it does not count yet
