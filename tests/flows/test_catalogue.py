"""The catalogue: room for years of imports, and what SQLite cannot do is said as any other trouble with flows."""

import stat
from pathlib import Path

import apsw
import pytest

from tocsin.errors import FlowsError
from tocsin.flows.catalogue import Catalogue, Imported, Part, Totals, line_of, place

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


def test_totals_are_those_of_all_imports_that_count_also_of_older_catalogues(tmp_path: Path) -> None:
    with Catalogue(tmp_path) as catalogue:
        assert catalogue.totals() == Totals(*[0] * 8)
        for number in (1, 2):
            id = catalogue.begin("conn.log", "zeek conn")
            assert catalogue.totals().imports == number - 1  # it does not count yet
            done = Imported(id, "conn.log", "zeek conn", 0, 100 * number, "", 10, 7, 2, 1, 1000 * number)
            part = Part(f"{id}-0.parquet", id, "unknown", "conn", 7, place(id, 1), place(id, 10), None, None)
            catalogue.finish(done, [part])
        assert catalogue.totals() == Totals(2, 20, 14, 4, 2, 2000, 2, 14)
    older = apsw.Connection(str(tmp_path / "catalogue.sqlite"))
    older.execute("DROP TABLE total")
    older.close()

    with Catalogue(tmp_path) as catalogue:
        assert catalogue.totals() == Totals(2, 20, 14, 4, 2, 2000, 2, 14)
