"""What goes with age and what never does, on both engines."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from neighbours.indexed import found, put_all
from tocsin.errors import NotFound
from tocsin.model import Alertgroup, Message, Status
from tocsin.store import Part, Store, Stored, alertgroup, entry, message, retention
from tocsin.store.retention import DAY, Swept, sweep

NOW = 20_000 * DAY


@dataclass(frozen=True)
class Ages:
    originals_days: float = 0
    alerts_days: float = 0
    receipts_days: float = 0


def no_rest(seconds: float) -> None:
    """Tests need not wait for anybody."""


def keep(
    store: Store, age: float, *, rows: int = 1, body: bytes = b"", message_id: str = "", lanes: tuple[str, ...] = ()
) -> Stored:
    """A message that came `age` days ago, of one alertgroup."""
    came = Message(
        source="rest",
        sender="splunk",
        body=body or f"{age} {rows} {message_id}".encode(),
        media_type="application/json",
        received=NOW - round(age * DAY),
        message_id=message_id,
    )
    group = Alertgroup.of_rows(
        "beacon to 192.0.2.7", [{"n": n} for n in range(rows)], tags=("c2",), sources=("zeek",), body="<p>text</p>"
    )
    return store.append(entry(came, [Part(group=group, severity=None, lanes=lanes)], "scot", "1")).result()


def settle(store: Store, group: int, state: str = "delivered", *, age: float = 0) -> None:
    """Bring all deliveries of a group into a state, with a receipt each."""

    def work(tx: Any) -> None:
        tx.run(
            "UPDATE delivery SET state = :state, settled = :at WHERE alertgroup = :group",
            state=state, at=NOW - round(age * DAY), group=group,
        )  # fmt: skip
        tx.run(
            """INSERT INTO receipt (delivery, attempt, at, took, outcome, remote_id, detail)
               SELECT id, 1, 0, 0, 'delivered', '', '' FROM delivery WHERE alertgroup = :group""",
            group=group,
        )

    store.write(work)


def count(store: Store, table: str) -> int:
    row = store.read(lambda tx: tx.row(f"SELECT count(*) FROM {table}"))
    assert row is not None
    return int(row[0])


def groups(store: Store) -> list[int]:
    return [row[0] for row in store.read(lambda tx: tx.rows("SELECT id FROM alertgroup ORDER BY id"))]


def test_nothing_goes_while_no_age_is_set(store: Store) -> None:
    old = keep(store, 9999, lanes=("log",))
    settle(store, old.alertgroups[0], age=9999)

    assert sweep(store, Ages(), NOW, no_rest) == Swept()
    assert groups(store) == list(old.alertgroups)
    assert store.read(lambda tx: message.original(tx, old.message))


def test_an_old_original_goes_and_its_message_says_when(store: Store) -> None:
    old, young = keep(store, 31), keep(store, 29)

    assert sweep(store, Ages(originals_days=30), NOW, no_rest) == Swept(originals=1)

    assert store.read(lambda tx: message.get(tx, old.message)).removed == NOW
    with pytest.raises(NotFound, match="removed by retention"):
        store.read(lambda tx: message.original(tx, old.message))
    assert store.read(lambda tx: message.get(tx, young.message)).removed is None
    assert store.read(lambda tx: message.original(tx, young.message))
    assert groups(store) == [*old.alertgroups, *young.alertgroups]


def test_equal_bytes_stay_until_the_youngest_message_of_them_is_old(store: Store) -> None:
    old, young = keep(store, 40, body=b"beat"), keep(store, 20, body=b"beat")
    assert count(store, "original") == 1

    sweep(store, Ages(originals_days=30), NOW, no_rest)
    assert store.read(lambda tx: message.get(tx, old.message)).removed == NOW
    assert store.read(lambda tx: message.original(tx, young.message)) == b"beat"

    assert sweep(store, Ages(originals_days=30), NOW + 20 * DAY, no_rest) == Swept(originals=1)
    assert count(store, "original") == 0


def test_the_same_bytes_received_after_their_removal_are_kept_again(store: Store) -> None:
    keep(store, 40, body=b"beat")
    sweep(store, Ages(originals_days=30), NOW, no_rest)

    again = keep(store, 1, body=b"beat")

    assert store.read(lambda tx: message.original(tx, again.message)) == b"beat"
    assert sweep(store, Ages(originals_days=30), NOW, no_rest) == Swept()


def test_old_alertgroups_go_with_everything_that_hangs_on_them(store: Store) -> None:
    old, young = keep(store, 31, rows=3, lanes=("log",)), keep(store, 29, rows=2, lanes=("log",))
    for stored in (old, young):
        group = stored.alertgroups[0]
        store.write(partial(alertgroup.saw, id=group, who="ada", ip="192.0.2.1", now=NOW))
        store.write(partial(alertgroup.set_status, id=group, status=Status.CLOSED, who="ada", now=NOW))
        settle(store, group)

    swept = sweep(store, Ages(alerts_days=30), NOW, no_rest)

    assert swept == Swept(alertgroups=1, alerts=3, deliveries=1, receipts=1)
    assert groups(store) == list(young.alertgroups)
    tables = ("alert", "label", "viewer", "history", "alertgroup_text", "delivery", "receipt")
    assert {table: count(store, table) for table in tables} == {
        "alert": 2, "label": 2, "viewer": 1, "history": 1, "alertgroup_text": 1, "delivery": 1, "receipt": 1
    }  # fmt: skip
    assert store.read(alertgroup.totals) == {"open": 0, "closed": 1, "promoted": 0}


def test_words_of_a_subject_that_went_find_nothing(store: Store) -> None:
    keep(store, 31)
    young = keep(store, 29)
    sweep(store, Ages(alerts_days=30), NOW, no_rest)

    put_all(store)

    assert found(store, "subject:beacon") == list(young.alertgroups)


def test_a_deleted_alertgroup_that_goes_is_not_counted_twice(store: Store) -> None:
    old = keep(store, 31)
    keep(store, 1)
    store.write(lambda tx: alertgroup.delete(tx, old.alertgroups[0], "ada", NOW))

    sweep(store, Ages(alerts_days=30), NOW, no_rest)

    assert store.read(alertgroup.totals) == {"open": 1, "closed": 0, "promoted": 0}


@pytest.mark.parametrize("state", ["due", "sending", "failed"])
def test_what_is_still_owed_stays_whatever_its_age(store: Store, state: str) -> None:
    old = keep(store, 9999, lanes=("log", "slack"))
    group = old.alertgroups[0]
    settle(store, group, age=9999)
    store.write(lambda tx: tx.run("UPDATE delivery SET state = :state WHERE lane = 'slack'", state=state))

    swept = sweep(store, Ages(originals_days=1, alerts_days=1, receipts_days=1), NOW, no_rest)

    assert swept == Swept(deliveries=1, receipts=1)
    assert groups(store) == [group]
    assert store.read(lambda tx: message.original(tx, old.message))
    assert store.read(lambda tx: tx.rows("SELECT lane, state FROM delivery")) == [("slack", state)]
    assert count(store, "receipt") == 1


def test_settled_deliveries_go_by_the_day_they_were_settled(store: Store) -> None:
    early, late = keep(store, 60, lanes=("log",)), keep(store, 60, rows=2, lanes=("log",))
    settle(store, early.alertgroups[0], age=31)
    settle(store, late.alertgroups[0], "withheld", age=29)

    assert sweep(store, Ages(receipts_days=30), NOW, no_rest) == Swept(deliveries=1, receipts=1)

    assert store.read(lambda tx: tx.rows("SELECT alertgroup FROM delivery")) == [late.alertgroups]


def test_a_message_whose_alertgroups_went_is_new_when_it_comes_again(store: Store) -> None:
    old = keep(store, 31, message_id="m1", body=b"{}")
    assert keep(store, 0, message_id="m1", body=b"{}").repeated

    sweep(store, Ages(alerts_days=30), NOW, no_rest)
    again = keep(store, 0, message_id="m1", body=b"{}")

    assert not again.repeated
    assert again.alertgroups != old.alertgroups
    assert keep(store, 0, message_id="m1", body=b"{}").repeated


def test_more_than_one_transaction_holds_goes_in_many(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_LOOK", 7)
    monkeypatch.setattr(retention, "_WEIGHT", 20)
    for number in range(40):
        keep(store, 40 - number / 100, rows=1 + number % 5)
    young = keep(store, 1)
    rests: list[float] = []

    swept = sweep(store, Ages(originals_days=30, alerts_days=30), NOW, rests.append)

    assert (swept.originals, swept.alertgroups, swept.alerts) == (40, 40, 120)
    assert groups(store) == list(young.alertgroups)
    assert len(rests) > 10


def test_a_sweep_told_to_stop_goes_on_the_next_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_WEIGHT", 10)
    for number in range(10):
        keep(store, 40, body=str(number).encode())

    first = sweep(store, Ages(alerts_days=30), NOW, lambda seconds: True)
    rest = sweep(store, Ages(alerts_days=30), NOW, no_rest)

    assert 0 < first.alertgroups < 10
    assert first.alertgroups + rest.alertgroups == 10


def test_old_groups_behind_young_ones_are_found(store: Store) -> None:
    """A clock that was set back: ids and times do not run in step."""
    young, old = keep(store, 1), keep(store, 50)

    assert sweep(store, Ages(alerts_days=30), NOW, no_rest).alertgroups == 1
    assert groups(store) == list(young.alertgroups)
    assert old.alertgroups[0] > young.alertgroups[0]
