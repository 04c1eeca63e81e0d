"""Drift: a mail unlike the last hundred raises one alertgroup about its source, and is marked."""

from collections.abc import Iterator
from functools import partial

import pytest

from neighbours.indexed import found
from neighbours.letters import a_letter, received
from neighbours.parsers import Cells
from tocsin.errors import StoreUnavailable
from tocsin.intake import Intake
from tocsin.intake.habits import Habits, folded
from tocsin.model import Message
from tocsin.parsers.scot import Scot
from tocsin.store import Store, Stored, again, alert, alertgroup, habit, history

PARSERS = {"cells": Cells(), "scot": Scot()}


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    intake = Intake(store, PARSERS, ())
    yield intake
    intake.close()


@pytest.fixture
def habits(store: Store, intake: Intake) -> Habits:
    return Habits(store, intake, PARSERS)


def mail(intake: Intake, text: str, number: int = 0) -> Stored:
    return intake.accept(received(a_letter(f"Report {number}", text), source="box"))


def settle(habits: Habits) -> None:
    while habits.look():
        pass


def usual(intake: Intake, habits: Habits, n: int = 12) -> None:
    for number in range(n):
        mail(intake, f"a={number} b=2", number)
    settle(habits)


def raised(store: Store) -> list[alertgroup.Summary]:
    drifted = sorted(found(store, "tag:drift"))
    return [store.read(partial(alertgroup.get, id=id)) for id in drifted]


def test_new_and_missing_columns_are_marked_and_raise_one_alertgroup(
    store: Store, intake: Intake, habits: Habits
) -> None:
    usual(intake, habits)
    odd = mail(intake, "a=1 c=evil", 77)
    mail(intake, "a=1 c=evil", 78)
    settle(habits)

    (group,) = raised(store)
    assert (group.sources, group.columns) == (["tocsin"], ["what", "usual", "now"])
    assert "cells reads mail of box differently 'Report 77'" in group.subject
    rows = [row.json for row in store.read(lambda tx: alert.of_group(tx, group.id))]
    assert rows == [
        '{"what":"column a","usual":"11","now":"1"}',
        '{"what":"column b","usual":"2","now":""}',
        '{"what":"column c","usual":"","now":"evil"}',
        '{"what":"rows","usual":"1.0 a message","now":"1"}',
        '{"what":"message","usual":"12","now":"13"}',
    ]
    (line,) = store.read(lambda tx: history.of_group(tx, odd.alertgroups[0]))
    assert (line.who, line.what) == ("tocsin", "unlike the messages before: new columns c; missing columns b")


def test_a_mail_that_is_not_understood_any_more_raises_one_until_one_is_again(
    store: Store, intake: Intake, habits: Habits
) -> None:
    usual(intake, habits)
    odd = mail(intake, "gibberish")
    mail(intake, "gibberish, too")
    settle(habits)
    (group,) = raised(store)
    (line,) = store.read(lambda tx: again.past(tx, odd.message))

    assert "no cells" in line.what
    assert "12 of the last 12 were understood" in line.what
    assert store.read(lambda tx: alertgroup.texts(tx, group.id))[1].endswith(line.what.partition(": ")[2])
    usual(intake, habits)
    mail(intake, "gibberish, once more")
    settle(habits)
    assert len(raised(store)) == 2


def test_nothing_is_unusual_before_ten_were_seen(store: Store, intake: Intake, habits: Habits) -> None:
    usual(intake, habits, 8)
    mail(intake, "c=1")
    mail(intake, "gibberish")
    settle(habits)

    assert raised(store) == []


def test_a_subject_is_the_same_whatever_its_numbers_and_another_has_habits_of_its_own(
    store: Store, intake: Intake, habits: Habits
) -> None:
    usual(intake, habits)
    intake.accept(received(a_letter("Other things", "x=1"), source="box"))
    settle(habits)

    assert folded("Report 12 of 2026-11-21") == "Report # of #-#-#"
    assert raised(store) == []


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_crash_between_raising_and_remembering_raises_nothing_twice(
    store: Store, intake: Intake, habits: Habits, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual(intake, habits)
    mail(intake, "c=1")

    def full(*_: object, **__: object) -> None:
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as broken:
        broken.setattr("tocsin.intake.habits._keep", full)
        with pytest.raises(StoreUnavailable):
            habits.look()
    assert len(raised(store)) == 1
    settle(habits)
    settle(Habits(store, intake, PARSERS))

    assert len(raised(store)) == 1
    seen = store.read(lambda tx: habit.known(tx, [("box", "cells", "Report #")]))
    assert len(seen["box", "cells", "Report #"].looks) == 13


def test_a_message_that_cannot_be_compared_is_left_out_and_the_next_are_looked_at(
    store: Store, intake: Intake, habits: Habits, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual(intake, habits)
    with monkeypatch.context() as broken:
        broken.setattr("tocsin.intake.habits.unusual", lambda *_: 1 / 0)
        mail(intake, "c=1")
        assert not habits.look()
    mail(intake, "c=1")
    settle(habits)

    assert len(raised(store)) == 1


def test_what_is_posted_as_data_and_what_the_hub_says_itself_have_no_habits(
    store: Store, intake: Intake, habits: Habits
) -> None:
    for n in range(15):
        body = f'{{"subject": "s", "data": [{{"c{n}": 1}}]}}'.encode()
        intake.accept(Message(source="rest", body=body, media_type="application/json", received=n))
    settle(habits)

    assert store.read(lambda tx: tx.row("SELECT count(*) FROM habit")) == (0,)
    assert raised(store) == []


def test_it_follows_the_commits_in_a_thread_of_its_own(store: Store, intake: Intake, habits: Habits) -> None:
    habits.start()
    try:
        usual_before = [mail(intake, f"a={n} b=2", n) for n in range(12)]
        mail(intake, "z=1")
        for _ in range(200):
            if raised(store):
                break
            store.write(lambda tx: None)
            habits._ended.wait(0.05)
    finally:
        habits.stop()

    assert len(usual_before) == 12
    assert len(raised(store)) == 1
