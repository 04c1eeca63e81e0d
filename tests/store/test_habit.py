"""Habits as they are kept: one per source, parser and subject, the least recently seen forgotten."""

import msgspec

from neighbours.messages import an_entry
from tocsin.store import Store, habit
from tocsin.store.habit import Habit, Look

KEY = ("imap", "splunk", "daily # report")


def test_a_habit_is_read_as_it_was_written_and_the_mark_only_moves_on(store: Store) -> None:
    known = Habit(looks=(Look(understood=True, rows=3, kind=0),), kinds=(("a", "b"),), message=7, unusual=True)
    store.write(lambda tx: habit.keep(tx, {KEY: (1, Habit())}, 5))
    store.write(lambda tx: habit.keep(tx, {KEY: (2, known)}, 3))

    found = store.read(lambda tx: habit.known(tx, [KEY, ("imap", "splunk", "")]))
    assert list(found) == [KEY]
    assert msgspec.json.encode(found[KEY]) == msgspec.json.encode(known)
    assert store.read(habit.mark) == 5


def test_those_not_seen_for_longest_are_forgotten(store: Store) -> None:
    most = habit.MOST_HABITS
    habits = {("imap", "splunk", str(n)): (n, Habit()) for n in range(most + 5)}
    store.write(lambda tx: habit.keep(tx, habits, 1))

    assert store.read(lambda tx: tx.row("SELECT count(*), min(seen) FROM habit")) == (most, 5)


def test_messages_come_with_their_alertgroups_and_those_of_others_are_left_out(store: Store) -> None:
    first = store.append(an_entry("one", rows=2)).result(60)
    kept = msgspec.structs.replace(an_entry("?"), parts=(), reason="no table")
    second = store.append(kept).result(60)
    store.append(msgspec.structs.replace(an_entry("other"), parser="another")).result(60)
    found = store.read(lambda tx: habit.came(tx, ["scot"], 0, habit.newest(tx), 10))

    assert [(each.message, each.subject, each.columns, each.rows, each.reason) for each in found] == [
        (first.message, "one", ("n",), 2, ""),
        (second.message, "", (), 0, "no table"),
    ]
    assert store.read(lambda tx: habit.came(tx, ["scot"], second.message, habit.newest(tx), 10)) == []
    assert store.read(lambda tx: bytes(habit.first_row(tx, first.alertgroups[0]))) == b'{"n":0}'
