"""Alertgroups in the store: pages, counts that are right in every commit, and what analysts change."""

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neighbours.indexed import found
from neighbours.messages import NOW, an_entry
from tocsin.errors import NotFound
from tocsin.model import Status
from tocsin.query import parse
from tocsin.store import Store, alert, alertgroup, history, search
from tocsin.store.alertgroup import Order


def fill(store: Store, *subjects: str, rows: int = 2) -> list[int]:
    return [store.append(an_entry(subject, rows=rows)).result(60).alertgroups[0] for subject in subjects]


def counts(store: Store, group: int) -> tuple[str, int, int, int]:
    found = store.read(lambda tx: alertgroup.get(tx, group))
    return found.status.value, found.open_count, found.closed_count, found.promoted_count


def test_all_alerts_close_at_once_and_the_counts_follow(store: Store) -> None:
    (group,) = fill(store, "a", rows=3)
    store.write(lambda tx: alertgroup.set_status(tx, group, Status.CLOSED, "ann", NOW))

    assert counts(store, group) == ("closed", 0, 3, 0)
    assert store.read(alertgroup.totals) == {"open": 0, "closed": 1, "promoted": 0}
    (line,) = store.read(lambda tx: history.of_group(tx, group))
    assert (line.who, line.what) == ("ann", "all alerts set to closed")


def test_some_alerts_close_and_the_group_stays_open(store: Store) -> None:
    (group,) = fill(store, "a", rows=3)
    ids = [row.id for row in store.read(lambda tx: alert.of_group(tx, group))]
    store.write(lambda tx: alertgroup.set_alerts(tx, group, ids[:2], Status.CLOSED, "ann", NOW))

    assert counts(store, group) == ("open", 1, 2, 0)


def test_one_promoted_alert_makes_the_group_promoted(store: Store) -> None:
    (group,) = fill(store, "a", rows=3)
    (first, *_) = store.read(lambda tx: alert.of_group(tx, group))
    store.write(lambda tx: alert.set_status(tx, [first.id], Status.PROMOTED, "ann", NOW))

    assert counts(store, group) == ("promoted", 2, 0, 1)


def test_an_alert_of_another_group_is_named_and_nothing_changes(store: Store) -> None:
    one, other = fill(store, "a", "b")
    stranger = store.read(lambda tx: alert.of_group(tx, other))[0].id
    with pytest.raises(NotFound, match=f"alertgroup {one} has no alert {stranger}"):
        store.write(lambda tx: alertgroup.set_alerts(tx, one, [stranger], Status.CLOSED, "ann", NOW))

    assert counts(store, one) == ("open", 2, 0, 0)


def test_a_deleted_group_leaves_every_list_and_comes_back_under_its_id(store: Store) -> None:
    one, two = fill(store, "a", "b")
    store.write(lambda tx: alertgroup.delete(tx, one, "ann", NOW))

    assert found(store) == [two]
    assert list(store.read(lambda tx: alertgroup.some(tx, [one, two, 99]))) == [two]
    with pytest.raises(NotFound):
        store.write(lambda tx: alertgroup.set_status(tx, one, Status.CLOSED, "ann", NOW))
    store.write(lambda tx: alertgroup.undelete(tx, one, "ann", NOW))
    assert store.read(alertgroup.totals)["open"] == 2


def test_labels_are_replaced_and_found(store: Store) -> None:
    one, _ = fill(store, "a", "b")
    store.write(lambda tx: alertgroup.set_labels(tx, one, "tag", ["x", "y", "x"], "ann", NOW))

    assert store.read(lambda tx: alertgroup.get(tx, one)).tags == ["x", "y"]
    assert found(store, "tag:x and not tag:z") == [one]


def test_views_are_counted_and_the_first_is_remembered(store: Store) -> None:
    (group,) = fill(store, "a")
    seen = [store.write(partial(alertgroup.saw, id=group, who="ann", ip="192.0.2.1", now=NOW + n)) for n in (0, 5)]

    assert seen == [1, 2]
    assert store.read(lambda tx: alertgroup.get(tx, group)).firstview == NOW
    assert store.read(lambda tx: alertgroup.viewers(tx, group)) == {"ann": (NOW + 5, "192.0.2.1")}


@pytest.mark.parametrize("column", alertgroup.ORDERS)
@pytest.mark.parametrize("descending", [True, False])
def test_pages_neither_repeat_nor_skip_in_any_order(store: Store, column: str, descending: bool) -> None:
    ids = fill(store, "b", "a", "c", "a", "b", "A", "é")
    order = Order(column=column, descending=descending)
    walked: list[int] = []
    after = None
    while page := store.read(partial(search.page, tree=parse(""), order=order, limit=2, after=after)):
        walked += [each.id for each in page]
        after = (getattr(page[-1], column), page[-1].id)

    assert sorted(walked) == ids
    assert walked == found(store, "", order)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(list(Status))), max_size=8))
def test_counts_and_status_are_right_after_any_moves(store: Store, moves: list[tuple[int, Status]]) -> None:
    before = store.read(alertgroup.totals)
    (group,) = fill(store, "a", rows=3)
    rows = store.read(lambda tx: alert.of_group(tx, group))
    expected = [Status.OPEN] * 3
    for place, status in moves:
        if place == 3:
            store.write(partial(alertgroup.set_status, id=group, status=status, who="ann", now=NOW))
            expected = [status] * 3
        else:
            chosen = rows[place].id
            store.write(partial(alertgroup.set_alerts, id=group, alerts=[chosen], status=status, who="ann", now=NOW))
            expected[place] = status

    named = [expected.count(status) for status in (Status.OPEN, Status.CLOSED, Status.PROMOTED)]
    derived = "promoted" if named[2] else "open" if named[0] else "closed"
    assert counts(store, group) == (derived, *named)
    before[derived] += 1
    assert store.read(alertgroup.totals) == before
