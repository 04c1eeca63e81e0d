"""Stored originals read again: the difference first, then a new version; triage kept, nothing sent unless asked."""

from collections.abc import Iterator
from typing import Any

import pytest

from neighbours.messages import posted
from neighbours.parsers import Lister
from tocsin.errors import Malformed
from tocsin.intake import Intake
from tocsin.intake.again import Again
from tocsin.intake.reparse import Difference, Progress, Reparse, Wish
from tocsin.model import Status
from tocsin.store import Store, again, alert, alertgroup, delivery, message, retention
from tocsin.store.message import Selection

OLD, NEW = {"lister": Lister()}, {"lister": Lister(column="b")}


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    intake = Intake(store, OLD, ("one", "two"))
    yield intake
    intake.close()


@pytest.fixture
def later(store: Store, intake: Intake) -> Iterator[Again]:
    """With the parser as it is after it was changed."""
    later = Again(store, intake, NEW)
    yield later
    later.close()


def run(store: Store, intake: Intake, again: Again, **wish: Any) -> list[Difference]:
    steps = list(Reparse(store, intake, again, Wish(**({"chosen": Selection()} | wish)), "ann").run())
    assert isinstance(steps[-1], Progress)
    return [step for step in steps if isinstance(step, Difference)]


def columns(store: Store, group: int) -> list[str]:
    return store.read(lambda tx: alertgroup.get(tx, group)).columns


def test_a_dry_run_tells_the_difference_and_writes_nothing(store: Store, intake: Intake, later: Again) -> None:
    (group,) = intake.accept(posted(b"list x,y")).alertgroups
    (found,) = run(store, intake, later)

    assert (found.what, found.alertgroup, found.rows_before, found.rows_after) == ("changed", group, 2, 2)
    assert (found.columns_added, found.columns_removed, found.cells_changed) == (("b",), ("a",), 4)
    assert [(one.row, one.column, one.before, one.after) for one in found.samples] == [
        (1, "a", "x", None),
        (1, "b", None, "x"),
        (2, "a", "y", None),
        (2, "b", None, "y"),
    ]
    assert columns(store, group) == ["a"]
    assert store.read(lambda tx: again.older(tx, group)) == []


def test_writing_keeps_the_old_reading_the_ids_and_the_triage_and_sends_nothing(
    store: Store, intake: Intake, later: Again
) -> None:
    (group,) = intake.accept(posted(b"list x,y")).alertgroups
    before = store.read(lambda tx: alert.of_group(tx, group))
    store.write(lambda tx: alertgroup.set_alerts(tx, group, [before[0].id], Status.CLOSED, "ann", 1))
    run(store, intake, later, dry_run=False)
    after = store.read(lambda tx: alert.of_group(tx, group))

    assert [(row.id, row.status, row.json) for row in after] == [
        (before[0].id, "closed", '{"b":"x"}'),
        (before[1].id, "open", '{"b":"y"}'),
    ]
    (old,) = store.read(lambda tx: again.older(tx, group))
    assert (old.columns, old.who, [bytes(row) for row in old.rows]) == (["a"], "ann", [b'{"a":"x"}', b'{"a":"y"}'])
    assert len(store.read(lambda tx: delivery.of_groups(tx, [group]))[group]) == 2
    assert run(store, intake, later, dry_run=False) == []


def test_asked_to_send_it_is_owed_to_everybody_once_more(store: Store, intake: Intake, later: Again) -> None:
    (group,) = intake.accept(posted(b"list x")).alertgroups
    run(store, intake, later, dry_run=False, send=True)
    owed = store.read(lambda tx: delivery.of_groups(tx, [group]))[group]

    assert sorted((one.lane, one.state) for one in owed) == [
        ("one", "due"),
        ("one", "due"),
        ("two", "due"),
        ("two", "due"),
    ]
    assert len({one.id for one in owed}) == 4


def test_more_alertgroups_than_before_are_new_and_fewer_are_told_and_kept(store: Store, intake: Intake) -> None:
    first = intake.accept(posted(b"list x;y")).alertgroups
    split = Again(store, intake, {"lister": Lister(every=2)})
    joined = Again(store, intake, {"lister": Lister(most=1)})
    try:
        assert [one.what for one in run(store, intake, joined)] == ["gone"]
        found = run(store, intake, split, dry_run=False)
        assert [(one.what, one.alertgroup) for one in found] == [("new", 3), ("new", 4)]
        assert store.read(lambda tx: message.groups_of(tx, 1)) == [*first, 3, 4]
        assert store.read(lambda tx: delivery.of_groups(tx, [3])).get(3, []) == []
        assert store.read(alertgroup.totals)["open"] == 4
    finally:
        split.close()
        joined.close()


def test_what_is_not_understood_any_more_and_what_retention_removed_is_told_and_kept(
    store: Store, intake: Intake, later: Again
) -> None:
    intake.accept(posted(b"list x"))
    (second,) = intake.accept(posted(b"list y")).alertgroups
    store.write(lambda tx: tx.run("UPDATE delivery SET state = 'delivered', settled = 1"))
    store.write(lambda tx: retention._delete_originals(tx, "[[1]]", 5))
    strict = Again(store, intake, {"lister": Lister(most=0)})
    try:
        found = run(store, intake, strict, dry_run=False)
    finally:
        strict.close()

    assert [(one.message, one.what) for one in found] == [(1, "removed"), (2, "unread")]
    assert "retention removed the original" in found[0].note
    assert columns(store, second) == ["a"]


def test_one_that_a_person_deleted_is_left_alone(store: Store, intake: Intake, later: Again) -> None:
    (group,) = intake.accept(posted(b"list x")).alertgroups
    store.write(lambda tx: alertgroup.delete(tx, group, "ann", 1))

    assert [one.what for one in run(store, intake, later, dry_run=False)] == ["kept"]
    assert columns(store, group) == ["a"]


def test_a_selection_holds_what_it_names_and_nothing_else(store: Store, intake: Intake, later: Again) -> None:
    for body in (b"list x", b"list y", b"nobody"):
        intake.accept(posted(body))
    at = store.read(lambda tx: message.get(tx, 1)).received

    def chosen(**which: Any) -> int:
        return len(run(store, intake, later, chosen=Selection(**which)))

    assert chosen() == 2
    assert chosen(source="here", parser="lister", start=at, end=at + 1) == 2
    assert chosen(source="there") == chosen(parser="scot") == chosen(start=at + 1) == chosen(end=at) == 0


def test_a_parser_that_is_not_there_is_refused(later: Again) -> None:
    with pytest.raises(Malformed, match="there is no parser 'nobody': choose one of lister"):
        later.reread(posted(b"list x"), "nobody")
