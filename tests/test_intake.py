"""The way in: understood and stored, refused with an answer, or kept in quarantine; never nothing."""

from functools import partial

import msgspec
import pytest

from neighbours.messages import posted
from neighbours.parsers import an_intake
from tocsin.errors import Malformed, TooLarge
from tocsin.store import Store, alertgroup, delivery, message, tally


def test_an_accepted_message_is_stored_and_owed_to_every_destination(store: Store) -> None:
    stored = an_intake(store).accept(posted(b"picky 3"))

    kept = store.read(lambda tx: message.get(tx, stored.message))
    assert (kept.parser, kept.parser_version, kept.state) == ("picky", "1", "stored")
    owed = store.read(lambda tx: delivery.of_groups(tx, stored.alertgroups))[stored.alertgroups[0]]
    assert sorted(each.lane for each in owed) == ["one", "two"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"picky crash", "parser picky failed: ZeroDivisionError: oops"),
        (b"picky unreadable", "no line of the form x"),
        (b"picky 0", "no rows"),
        (b"stranger", "no parser claims it"),
    ],
)
def test_what_is_not_understood_is_kept_with_the_reason(store: Store, body: bytes, reason: str) -> None:
    stored = an_intake(store).accept(posted(body))

    assert stored.alertgroups == ()
    assert reason in stored.quarantined
    (kept,) = store.read(lambda tx: message.quarantined(tx, 10))
    assert reason in kept.reason
    assert store.read(lambda tx: message.original(tx, kept.id)) == body


def test_an_answerable_sender_is_told_and_nothing_is_stored(store: Store) -> None:
    intake = an_intake(store)
    with pytest.raises(Malformed, match="no line of the form x"):
        intake.submit(posted(b"picky unreadable"), answerable=True)
    with pytest.raises(Malformed, match="missing required field `data`"):
        intake.submit(posted(b'{"subject":"s"}', "application/json"), answerable=True)

    assert store.read(lambda tx: tx.row("SELECT count(*) FROM message")) == (0,)


def test_a_parsers_own_fault_keeps_the_message_even_of_an_answerable_sender(store: Store) -> None:
    stored = an_intake(store).submit(posted(b"picky crash"), answerable=True).result(60)

    assert "ZeroDivisionError" in stored.quarantined


def test_too_many_rows_are_refused(store: Store) -> None:
    with pytest.raises(TooLarge, match="11 rows are more than the limit of 10"):
        an_intake(store, max_rows=10).submit(posted(b"picky 11"), answerable=True)


def test_rows_are_split_as_scot_does_when_asked(store: Store) -> None:
    stored = an_intake(store, split_rows=100).accept(posted(b"picky 250"))

    groups = [store.read(partial(alertgroup.get, id=n)) for n in stored.alertgroups]
    assert [group.subject for group in groups] == [f"picky (part {part} of 3)" for part in (1, 2, 3)]
    assert [group.alert_count for group in groups] == [100, 100, 50]


def test_an_id_found_in_the_content_makes_a_second_sending_the_same(store: Store) -> None:
    intake = an_intake(store)
    body = msgspec.json.encode({"message_id": "m", "subject": "s", "data": [{"a": 1}]})
    first = intake.accept(posted(body, "application/json"))
    again = intake.accept(posted(body, "application/json", idempotency_key="another"))

    assert (again.alertgroups, again.repeated) == (first.alertgroups, True)


def test_an_idempotency_key_makes_a_second_sending_the_same(store: Store) -> None:
    intake = an_intake(store)
    first, again, other = (intake.accept(posted(b"picky 1", idempotency_key=key)) for key in ("key", "key", "another"))

    assert first.alertgroups == again.alertgroups != other.alertgroups


def test_the_severity_of_a_group_is_its_worst_row(store: Store) -> None:
    rows = [{"severity": "low"}, {"severity": "critical"}, {"severity": "?"}]
    body = msgspec.json.encode({"subject": "s", "data": rows})
    stored = an_intake(store).accept(posted(body, "application/json"))

    assert store.read(lambda tx: alertgroup.get(tx, stored.alertgroups[0])).severity == 4


def test_the_balance_adds_up(store: Store) -> None:
    intake = an_intake(store)
    for body in (b"picky 1", b"picky 2", b"stranger"):
        intake.accept(posted(body, idempotency_key="k"))
    intake.accept(posted(b"picky 1", idempotency_key="k"))
    with pytest.raises(Malformed):
        intake.submit(posted(b"stranger"), answerable=True)

    counted = {"received": 5, "stored": 2, "quarantined": 1, "refused": 1, "repeated": 1, "under_way": 0}
    store.write(lambda tx: None)
    assert intake.counts.balance() == counted
    (day,) = store.read(tally.totals)
    assert (day.stored, day.quarantined, day.repeated) == (2, 1, 1)
