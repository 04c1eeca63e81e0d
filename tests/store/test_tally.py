"""The running balance and the state of sources, on both engines."""

from tocsin.store import Store, tally
from tocsin.store.tally import SourceState, Tally

NOW = 20_000 * tally.DAY + 5


def add(store: Store, *rows: tuple[int, str, int, int, int, int]) -> None:
    store.write(lambda tx: tally.add(tx, rows))


def test_counts_of_one_source_and_day_add_up_within_a_call_and_over_calls(store: Store) -> None:
    add(store, (20_000, "rest", 1, 2, 3, 4), (20_000, "rest", 10, 20, 30, 40), (20_000, "imap", 1, 0, 0, 0))
    add(store, (20_000, "rest", 100, 200, 300, 400))

    assert store.read(lambda tx: tally.today(tx, NOW)) == [
        Tally(day=20_000, source="imap", stored=1),
        Tally(day=20_000, source="rest", stored=111, quarantined=222, refused=333, repeated=444),
    ]


def test_a_message_that_came_again_is_not_received_twice() -> None:
    assert Tally(day=1, source="rest", stored=5, quarantined=2, refused=1, repeated=9).received == 8


def test_nothing_to_add_adds_nothing(store: Store) -> None:
    add(store)

    assert store.read(lambda tx: tally.between(tx, 0, 10**6)) == []


def test_refusals_are_counted_for_their_day(store: Store) -> None:
    store.write(lambda tx: tally.refuse(tx, "rest", 3, 20_000))
    store.write(lambda tx: tally.refuse(tx, "rest", 4, 20_001))

    assert [(line.day, line.refused) for line in store.read(lambda tx: tally.between(tx, 0, 10**6))] == [
        (20_000, 3),
        (20_001, 4),
    ]


def test_between_takes_both_ends_and_nothing_outside(store: Store) -> None:
    add(store, *((day, "rest", 1, 0, 0, 0) for day in range(10, 20)))

    assert [line.day for line in store.read(lambda tx: tally.between(tx, 12, 14))] == [12, 13, 14]


def test_a_day_begins_at_midnight_utc() -> None:
    assert tally.day_of(20_000 * tally.DAY - 1) == 19_999
    assert tally.day_of(20_000 * tally.DAY) == 20_000


def test_totals_are_over_all_days(store: Store) -> None:
    add(store, (10, "rest", 1, 2, 3, 4), (11, "rest", 1, 2, 3, 4), (11, "imap", 7, 0, 0, 0))

    assert store.read(tally.totals) == [
        Tally(day=11, source="imap", stored=7),
        Tally(day=10, source="rest", stored=2, quarantined=4, refused=6, repeated=8),
    ]


def test_a_source_that_fails_keeps_its_cursor_and_last_success(store: Store) -> None:
    store.write(lambda tx: tally.source_succeeded(tx, "imap", NOW, "uid 7"))
    store.write(lambda tx: tally.source_heard(tx, "imap", NOW + 1))
    store.write(lambda tx: tally.source_failed(tx, "imap", NOW + 2, "connection refused"))

    assert store.read(tally.source_states) == [
        SourceState(
            name="imap",
            cursor="uid 7",
            last_message=NOW + 1,
            last_success=NOW,
            last_error="connection refused",
            last_error_at=NOW + 2,
        )
    ]


def test_a_success_without_a_cursor_leaves_the_cursor(store: Store) -> None:
    store.write(lambda tx: tally.source_succeeded(tx, "imap", NOW, "uid 7"))
    store.write(lambda tx: tally.source_succeeded(tx, "imap", NOW + 1))

    assert store.read(lambda tx: tally.source_cursor(tx, "imap")) == "uid 7"
    assert store.read(tally.source_states)[0].last_success == NOW + 1


def test_a_source_that_only_failed_has_no_success(store: Store) -> None:
    store.write(lambda tx: tally.source_failed(tx, "taxii", NOW, "no route to host"))

    assert store.read(tally.source_states) == [
        SourceState(name="taxii", last_error="no route to host", last_error_at=NOW)
    ]


def test_the_cursor_of_an_unknown_source_is_empty(store: Store) -> None:
    assert store.read(lambda tx: tally.source_cursor(tx, "nobody")) == ""
