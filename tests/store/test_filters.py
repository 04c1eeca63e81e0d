"""Filters as SQL: only our own names in the text, every value beside it."""

import pytest

from tocsin.store.filters import Clause, of_alerts, order_of_alerts, order_of_groups


def clause(field: str, op: str, *values: int | str) -> Clause:
    return Clause(field=field, op=op, values=values)  # type: ignore[arg-type]  # tests name wrong operators too


def test_nothing_asked_leaves_out_the_deleted_alone() -> None:
    assert of_alerts([], "sqlite") == ("g.deleted IS NULL", {})


def test_values_travel_as_parameters() -> None:
    hostile = "'; DROP TABLE alertgroup; --"
    text, params = of_alerts(
        [clause("subject", "regex", hostile), clause("tag", "all", hostile), clause("owner", "in", hostile)], "sqlite"
    )

    assert hostile not in text
    assert list(params.values()) == [hostile] * 3


def test_a_field_nobody_knows_never_becomes_a_column() -> None:
    with pytest.raises(KeyError):
        of_alerts([clause("subject; DROP TABLE alertgroup", "eq", "x")], "sqlite")
    with pytest.raises(KeyError):
        order_of_groups([("subject; DROP TABLE alertgroup", True)])
    with pytest.raises(KeyError):
        of_alerts([clause("subject", "is", "x")], "sqlite")


def test_an_empty_list_of_values_finds_nothing_or_everything() -> None:
    assert "1 = 0" in of_alerts([clause("id", "in")], "sqlite")[0]
    assert "NOT (1 = 0)" in of_alerts([clause("id", "not_in")], "sqlite")[0]


def test_an_order_always_ends_with_the_id() -> None:
    assert order_of_groups([("subject", False)]) == "g.subject ASC, g.id DESC"
    assert order_of_groups([("id", False)]) == "g.id ASC"
    assert order_of_alerts([("alertgroup", True)]) == "a.alertgroup DESC, a.id DESC"


def test_alerts_are_filtered_by_their_own_status_and_their_groups_labels() -> None:
    text, params = of_alerts([clause("status", "in", "open"), clause("tag", "none", "x")], "sqlite")

    assert text == (
        "g.deleted IS NULL AND a.status IN (:f0) AND NOT EXISTS"
        " (SELECT 1 FROM label l WHERE l.alertgroup = g.id AND l.kind = 'tag' AND l.value = :f1)"
    )
    assert params == {"f0": "open", "f1": "x"}
