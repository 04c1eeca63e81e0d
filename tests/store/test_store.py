"""The engine: one writer that commits for many, each failure felt only by who caused it."""

import threading
from functools import partial
from pathlib import Path

import msgspec
import pytest

from neighbours.messages import an_entry
from tocsin.errors import SchemaTooNew, StoreUnavailable
from tocsin.store import Change, Store, Tx, alertgroup, message, open_store


def test_what_is_appended_can_be_read_with_its_original(store: Store) -> None:
    stored = store.append(an_entry(rows=3)).result(60)

    group = store.read(lambda tx: alertgroup.get(tx, stored.alertgroups[0]))
    assert (group.subject, group.alert_count, group.open_count, group.columns) == ("beacon", 3, 3, ["n"])
    assert store.read(lambda tx: message.original(tx, stored.message)) == b'{"subject":"beacon","rows":3}'
    whole = store.read(lambda tx: alertgroup.load(tx, [group.id]))[group.id]
    assert [alert.data for alert in whole.alerts] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_the_same_message_twice_gets_the_first_answer_again(store: Store) -> None:
    first = store.append(an_entry(message_id="<1@d>")).result(60)
    again = store.append(an_entry(message_id="<1@d>")).result(60)

    assert (again.alertgroups, again.repeated, first.repeated) == (first.alertgroups, True, False)
    assert store.read(alertgroup.max_id) == 1


def test_the_same_id_with_other_content_is_another_group_and_marked(store: Store) -> None:
    first = store.append(an_entry("one", message_id="<1@d>")).result(60)
    second = store.append(an_entry("two", message_id="<1@d>")).result(60)

    assert second.alertgroups != first.alertgroups
    assert store.read(lambda tx: alertgroup.get(tx, second.alertgroups[0])).repeats == first.alertgroups[0]


def test_a_reused_id_is_marked_within_one_batch_too(store: Store) -> None:
    store.write(lambda tx: None)
    gate = threading.Event()
    held = store.submit(lambda tx: gate.wait(60))
    futures = [store.append(an_entry(subject, message_id="<1@d>")) for subject in ("one", "two", "one")]
    gate.set()
    held.result(60)

    one, two, again = (future.result(60) for future in futures)
    assert again.alertgroups == one.alertgroups
    assert again.repeated
    assert store.read(lambda tx: alertgroup.get(tx, two.alertgroups[0])).repeats == one.alertgroups[0]


def test_messages_without_an_id_are_each_their_own(store: Store) -> None:
    first, second = store.append(an_entry()).result(60), store.append(an_entry()).result(60)

    assert first.alertgroups != second.alertgroups
    kept = [store.read(partial(message.get, id=m.message)).digest for m in (first, second)]
    assert kept[0] == kept[1]


def test_a_job_that_raises_is_undone_alone(store: Store) -> None:
    def spoils(tx: Tx) -> None:
        tx.run("UPDATE counter SET message = message + 1000")
        raise ZeroDivisionError("mine")

    gate = threading.Event()
    held = store.submit(lambda tx: gate.wait(60))
    bad, good = store.submit(spoils), store.append(an_entry())
    gate.set()
    held.result(60)

    assert isinstance(bad.exception(10), ZeroDivisionError)
    assert good.result(60).message == 1


def test_an_entry_that_cannot_be_stored_does_not_spoil_its_batch(store: Store) -> None:
    broken = msgspec.structs.replace(an_entry("broken"), parser=object())
    gate = threading.Event()
    held = store.submit(lambda tx: gate.wait(60))
    futures = [store.append(each) for each in (an_entry("a"), broken, an_entry("b"))]
    gate.set()
    held.result(60)

    assert futures[1].exception(10) is not None
    assert [futures[n].result(60).alertgroups for n in (0, 2)] == [(1,), (2,)]


def test_listeners_hear_of_a_commit_after_it(store: Store) -> None:
    heard: list[tuple[Change, int]] = []
    store.on_commit(lambda change: heard.append((change, store.read(alertgroup.max_id))))
    store.append(an_entry(lanes=("a", "b"))).result(60)
    store.write(lambda tx: None)

    change, seen = heard[0]
    assert (change.kind, change.alertgroups, sorted(change.lanes), seen) == ("created", (1,), ["a", "b"], 1)


def test_a_caller_that_goes_away_cancels_nothing(store: Store) -> None:
    gate = threading.Event()
    held = store.submit(lambda tx: gate.wait(60))
    future = store.append(an_entry())

    assert not future.cancel()
    gate.set()
    assert held.result(60)
    assert future.result(60).alertgroups == (1,)
    assert store.append(an_entry()).result(60).alertgroups == (2,)


def test_a_reader_sees_one_moment(store: Store) -> None:
    def reads_twice(tx: Tx) -> tuple[int, int]:
        before = alertgroup.max_id(tx)
        store.append(an_entry()).result(60)
        return before, alertgroup.max_id(tx)

    assert store.read(reads_twice) == (0, 0)


def test_a_newer_schema_is_refused_with_a_clear_line(engine: str, tmp_path: Path) -> None:
    store = open_store(engine, tmp_path)
    store.write(lambda tx: tx.run("INSERT INTO migration (version, applied) VALUES (9999, 0)"))
    store.close()

    with pytest.raises(SchemaTooNew, match="newer Tocsin"):
        open_store(engine, tmp_path)


def test_a_database_file_that_is_gone_is_said_so_and_recovers_when_it_is_back(tmp_path: Path) -> None:
    store = open_store("sqlite", tmp_path)
    try:
        store.append(an_entry()).result(60)
        store.write(lambda tx: tx.rows("SELECT 1"))
        (tmp_path / "tocsin.db").rename(tmp_path / "away")
        with pytest.raises(StoreUnavailable, match=r"tocsin\.db is gone"):
            store.append(an_entry()).result(60)
        assert "is gone" in store.healthy()
        (tmp_path / "away").rename(tmp_path / "tocsin.db")

        assert store.append(an_entry()).result(60).alertgroups == (2,)
        assert store.healthy() == ""
    finally:
        store.close()
