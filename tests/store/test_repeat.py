"""Repeats in the store: folded in the transaction that stores them, counted, taken out; nothing is ever lost."""

from pathlib import Path

import msgspec
import pytest

from neighbours.indexed import found as listed
from neighbours.messages import NOW
from tocsin.errors import Malformed, NotFound
from tocsin.model import Alertgroup, Message, Status
from tocsin.query.scot import tree_of
from tocsin.store import (
    Change,
    Entry,
    Part,
    Store,
    Stored,
    again,
    alert,
    alertgroup,
    backup,
    delivery,
    entry,
    history,
    open_store,
    repeat,
)
from tocsin.store.append import append_all
from tocsin.store.filters import Clause
from tocsin.store.repeat import Fold, Member
from tocsin.store.retention import sweep
from tocsin.store.search.listing import listing
from tocsin.store.tally import DAY

HOUR = 3_600_000_000
KIND = Fold(fingerprint="kind", window=24 * HOUR, longest=168 * HOUR)


def came(
    hour: float = 0,
    *,
    fold: Fold | None = KIND,
    lanes: tuple[str, ...] = ("a", "b"),
    rows: int = 2,
    id: str = "",
    n: int = 1,
) -> Entry:
    """A message received so many hours after the first, of `n` alertgroups of one kind."""
    received = Message(
        source="rest", body=f"{hour} {id}".encode(), media_type="text/plain", received=NOW + round(hour * HOUR),
        sender="k", message_id=id,
    )  # fmt: skip
    group = Alertgroup.of_rows("beacon", [{"n": n} for n in range(rows)], sources=("s",), tags=("t",))
    return entry(received, [Part(group=group, severity=None, lanes=lanes, fold=fold)] * n, "scot", "1")


def post(store: Store, *entries: Entry) -> list[int]:
    """Store them in one batch; the ids of all alertgroups."""
    stored: list[Stored] = store.write(lambda tx: append_all(tx, entries))
    return [group for one in stored for group in one.alertgroups]


def known(store: Store, group: int) -> alertgroup.Summary:
    return store.read(lambda tx: alertgroup.get(tx, group))


def owed(store: Store, group: int) -> list[str]:
    return [one.lane for one in store.read(lambda tx: delivery.of_groups(tx, [group]))[group]]


def past(store: Store, group: int) -> list[tuple[str, str]]:
    return [(line.who, line.what) for line in store.read(lambda tx: history.of_group(tx, group))]


def members(store: Store, group: int) -> list[Member]:
    return store.read(lambda tx: repeat.members(tx, group, 100))


def test_what_comes_again_is_folded_into_the_first_and_counted_there(store: Store) -> None:
    told: list[Change] = []
    store.on_commit(told.append)
    (first,) = post(store, came())
    (second,) = post(store, came(1))
    (third,) = post(store, came(2))

    head = known(store, first)
    assert (head.folded_into, head.seen, head.last_seen, head.updated) == (None, 3, NOW + 2 * HOUR, NOW + 2 * HOUR)
    assert [(known(store, one).folded_into, known(store, one).seen) for one in (second, third)] == [(first, 1)] * 2
    assert listed(store) == [first]
    assert listed(store, f"id:({first} or {third})") == [third, first]
    assert store.read(alertgroup.totals) == {"open": 1, "closed": 0, "promoted": 0}
    assert [member.id for member in members(store, first)] == [third, second]
    assert Change("updated", (first,)) in told
    kept = store.read(lambda tx: alertgroup.load(tx, [second]))[second]
    assert (kept.subject, len(kept.alerts), kept.received) == ("beacon", 2, NOW + HOUR)


def test_a_repeat_is_not_sent_to_where_the_first_went_but_to_what_is_new(store: Store) -> None:
    (first,) = post(store, came(lanes=("a", "b")))
    (second,) = post(store, came(1, lanes=("a", "b", "c")))
    (third,) = post(store, came(2, lanes=("c", "a")))

    assert [owed(store, group) for group in (first, second, third)] == [["a", "b"], ["c"], []]
    assert past(store, second) == [("tocsin", f"folded into alertgroup {first} as its repeat: not sent again to a, b")]
    assert [member.lanes for member in members(store, first)] == [["c", "a"], ["a", "b"]]
    numbers = store.read(lambda tx: [row[0] for row in tx.rows("SELECT id FROM delivery ORDER BY id")])
    assert numbers == [1, 2, 3]
    assert store.read(lambda tx: tx.row("SELECT delivery FROM counter")) == (3,)


@pytest.mark.parametrize(
    ("hours", "heads"),
    [
        ((0, 24, 48, 72), [0]),
        ((0, 24.1), [0, 24.1]),
        ((0, 20, 45), [0, 45]),
        ((0, *range(24, 200, 24)), [0, 192]),
        ((10, 0), [10]),
        ((30, 0), [30, 0]),
    ],
)
def test_the_window_runs_from_the_newest_and_has_an_end(
    store: Store, hours: tuple[float, ...], heads: list[float]
) -> None:
    groups = {hour: post(store, came(hour))[0] for hour in hours}

    assert sorted(listed(store)) == sorted(groups[hour] for hour in heads)
    assert sum(known(store, groups[hour]).seen for hour in heads) == len(hours)


def test_those_of_one_batch_are_folded_like_those_of_many(store: Store) -> None:
    other = msgspec.structs.replace(KIND, fingerprint="other")
    groups = post(store, came(0), came(1, fold=None), came(2, fold=other), came(3), came(4, fold=other), came(5))

    assert [known(store, group).folded_into for group in groups] == [None, None, None, groups[0], groups[2], groups[0]]
    assert [known(store, group).seen for group in groups[:3]] == [3, 1, 2]
    assert known(store, groups[0]).last_seen == NOW + 5 * HOUR


def test_the_same_message_sent_twice_is_no_repeat(store: Store) -> None:
    (first,) = post(store, came(id="m1"))
    (same,) = post(store, came(id="m1"))
    (changed,) = post(store, came(1, id="m1"))

    assert same == first
    assert known(store, changed).folded_into == first
    assert known(store, changed).repeats == first
    assert known(store, first).seen == 2


def test_alertgroups_of_one_message_are_no_repeats_of_each_other(store: Store) -> None:
    first, twin = post(store, came(n=2))
    later = post(store, came(1, n=2))

    assert (known(store, first).seen, known(store, twin).folded_into) == (3, None)
    assert [known(store, group).folded_into for group in later] == [first, first]


def test_a_closed_first_one_stays_closed_and_counts_on(store: Store) -> None:
    (first,) = post(store, came())
    store.write(lambda tx: alertgroup.set_status(tx, first, Status.CLOSED, "ann", NOW))
    post(store, came(1))

    assert (known(store, first).status, known(store, first).seen) == (Status.CLOSED, 2)
    assert store.read(alertgroup.totals) == {"open": 0, "closed": 1, "promoted": 0}


@pytest.mark.parametrize(("status", "after"), [("closed", "open"), ("promoted", "promoted"), ("open", "open")])
def test_a_repeat_opens_a_closed_first_one_where_its_rule_says_so(store: Store, status: str, after: str) -> None:
    (first,) = post(store, came())
    store.write(lambda tx: alertgroup.set_status(tx, first, Status(status), "ann", NOW))
    fold = msgspec.structs.replace(KIND, reopen=True)
    post(store, came(1, fold=fold), came(2, fold=fold))

    head = known(store, first)
    counts = {"open": head.open_count, "closed": head.closed_count, "promoted": head.promoted_count}
    assert (head.status.value, counts[after], head.seen) == (after, 2, 3)
    assert store.read(alertgroup.totals) == {"open": 0, "closed": 0, "promoted": 0, after: 1}
    assert {row.status.value for row in store.read(lambda tx: alert.of_group(tx, first))} == {after}
    assert (("tocsin", "opened again, since it came again") in past(store, first)) == (status == "closed")


def test_one_that_is_taken_out_stands_by_itself_and_is_owed_at_once(store: Store) -> None:
    told: list[Change] = []
    first, second, third = post(store, came(), came(1), came(2))
    store.on_commit(told.append)

    assert store.write(lambda tx: repeat.unfold(tx, third, "ann", NOW + 5)) == [third]

    assert listed(store) == [third, first]
    assert (known(store, first).seen, known(store, first).last_seen) == (2, NOW + HOUR)
    assert (known(store, third).folded_into, owed(store, third)) == (None, ["a", "b"])
    assert store.read(alertgroup.totals)["open"] == 2
    assert past(store, third)[-1] == ("ann", f"taken out of alertgroup {first}: to be sent to a, b")
    assert past(store, first) == [("ann", f"repeat {third} taken out")]
    assert told == [Change("updated", (first, third), ("a", "b"))]
    assert [member.id for member in members(store, first)] == [second]
    with pytest.raises(Malformed, match="is not folded"):
        store.write(lambda tx: repeat.unfold(tx, third, "ann", NOW))
    with pytest.raises(NotFound):
        store.write(lambda tx: repeat.unfold(tx, 99, "ann", NOW))


def test_all_can_be_taken_out_at_once(store: Store) -> None:
    first, *rest = post(store, came(), came(1), came(2, lanes=("b", "c")))
    store.write(lambda tx: alertgroup.set_status(tx, rest[0], Status.CLOSED, "ann", NOW))
    assert store.read(alertgroup.totals) == {"open": 1, "closed": 0, "promoted": 0}

    assert store.write(lambda tx: repeat.unfold(tx, first, "ann", NOW)) == rest

    assert listed(store) == [*reversed(rest), first]
    assert (known(store, first).seen, known(store, first).last_seen) == (1, None)
    assert [sorted(owed(store, group)) for group in rest] == [["a", "b"], ["b", "c"]]
    assert store.read(alertgroup.totals) == {"open": 2, "closed": 1, "promoted": 0}
    assert [line for line in past(store, first) if line[0] == "ann"] == [
        ("ann", f"repeat {rest[0]}, {rest[1]} taken out")
    ]


def test_a_kind_can_be_kept_apart_and_folded_again(store: Store) -> None:
    first, second = post(store, came(), came(1))
    store.write(lambda tx: repeat.set_apart(tx, second, True, "ann", NOW))
    (third,) = post(store, came(2))

    assert (known(store, third).folded_into, owed(store, third)) == (None, ["a", "b"])
    assert known(store, second).folded_into == first
    assert store.read(lambda tx: repeat.of_group(tx, third)).apart
    assert past(store, second)[-1] == ("ann", "repeats of it are not folded any more")

    store.write(lambda tx: repeat.set_apart(tx, third, False, "ann", NOW))
    (fourth,) = post(store, came(3))
    assert known(store, fourth).folded_into == first


def test_a_kind_of_which_repeats_were_off_cannot_be_kept_apart(store: Store) -> None:
    (alone,) = post(store, came(fold=None))

    assert store.read(lambda tx: repeat.of_group(tx, alone)).fingerprint == ""
    with pytest.raises(Malformed, match="none were when it came"):
        store.write(lambda tx: repeat.set_apart(tx, alone, True, "ann", NOW))
    with pytest.raises(NotFound):
        store.write(lambda tx: repeat.set_apart(tx, 99, True, "ann", NOW))


def test_when_the_first_is_deleted_the_next_stands_for_the_others(store: Store) -> None:
    first, second, third, fourth = post(store, came(), came(1), came(2), came(3))
    store.write(lambda tx: alertgroup.set_status(tx, first, Status.CLOSED, "ann", NOW))
    store.write(lambda tx: alertgroup.delete(tx, second, "ann", NOW))
    assert store.read(alertgroup.totals) == {"open": 0, "closed": 1, "promoted": 0}

    store.write(lambda tx: alertgroup.delete(tx, first, "ann", NOW + 7))

    assert listed(store) == [third]
    assert (known(store, third).seen, known(store, third).last_seen) == (3, NOW + 3 * HOUR)
    assert {known(store, one).folded_into for one in (second, fourth)} == {third}
    assert owed(store, third) == []
    assert store.read(alertgroup.totals) == {"open": 1, "closed": 0, "promoted": 0}
    assert past(store, third)[-1] == ("ann", f"stands for its repeats, since alertgroup {first} was deleted")
    assert ("ann", f"its repeats stand in alertgroup {third} with 2 more") in past(store, first)

    store.write(lambda tx: alertgroup.undelete(tx, first, "ann", NOW + 8))
    store.write(lambda tx: alertgroup.undelete(tx, second, "ann", NOW + 8))
    (fifth,) = post(store, came(4))
    assert listed(store) == [third, first]
    assert (known(store, first).seen, known(store, fifth).folded_into) == (1, third)
    assert store.read(alertgroup.totals) == {"open": 1, "closed": 1, "promoted": 0}


def test_what_was_deleted_takes_no_more_repeats(store: Store) -> None:
    (first,) = post(store, came())
    store.write(lambda tx: alertgroup.delete(tx, first, "ann", NOW))
    (second,) = post(store, came(1))

    assert (known(store, second).folded_into, owed(store, second)) == (None, ["a", "b"])
    assert listed(store) == [second]


def test_a_deleted_repeat_leaves_with_the_others_when_the_first_is_deleted(store: Store) -> None:
    first, second = post(store, came(), came(1))
    store.write(lambda tx: alertgroup.delete(tx, second, "ann", NOW))
    store.write(lambda tx: alertgroup.delete(tx, first, "ann", NOW))
    assert store.read(alertgroup.totals)["open"] == 0
    store.write(lambda tx: alertgroup.undelete(tx, second, "ann", NOW))

    assert listed(store) == [second]
    assert store.read(alertgroup.totals)["open"] == 1


class Ages(msgspec.Struct):
    """Retention of alertgroups alone."""

    alerts_days: float
    originals_days: float = 0
    receipts_days: float = 0


def test_retention_keeps_the_first_one_while_repeats_stay(store: Store) -> None:
    first, second, third = post(store, came(0, lanes=()), came(24, lanes=()), came(48, lanes=()))

    def swept(after_days: float) -> list[int]:
        sweep(store, Ages(10), NOW + round((10 + after_days) * DAY) + 1, rest=lambda _: None)
        return sorted(store.read(lambda tx: alertgroup.load(tx, [first, second, third])))

    assert swept(0.5) == [first, second, third]
    assert swept(1) == [first, third]
    assert (known(store, first).seen, store.read(lambda tx: repeat.of_group(tx, first)).folded) == (3, 1)
    swept(2)
    assert swept(2) == []
    assert store.read(alertgroup.totals) == {"open": 0, "closed": 0, "promoted": 0}
    assert store.read(lambda tx: tx.rows("SELECT 1 FROM repeat UNION ALL SELECT 1 FROM fold")) == []
    (anew,) = post(store, came(49))
    assert known(store, anew).folded_into is None


def test_a_repeat_that_is_read_again_stays_where_it_stands(store: Store) -> None:
    first, second = post(store, came(), came(1))
    new = Alertgroup.of_rows("another subject", [{"n": 7}])
    store.write(lambda tx: again.replace(tx, second, new, None, "scot", "2", "ann", NOW))
    store.write(lambda tx: alertgroup.set_status(tx, second, Status.CLOSED, "ann", NOW))

    assert (known(store, second).subject, known(store, second).folded_into) == ("another subject", first)
    assert store.read(alertgroup.totals) == {"open": 1, "closed": 0, "promoted": 0}
    assert known(store, first).seen == 2


def test_what_leaves_quarantine_is_folded_too(store: Store) -> None:
    (first,) = post(store, came())
    (waiting,) = store.write(
        lambda tx: append_all(tx, [msgspec.structs.replace(came(1), parts=(), reason="not understood")])
    )
    (released,) = store.write(lambda tx: again.release(tx, waiting.message, came().parts, "g", "1", "ann", NOW))

    assert (known(store, released).folded_into, known(store, first).seen) == (first, 2)


def test_the_api_lists_what_is_folded_when_it_is_asked_for(store: Store) -> None:
    first, second, third = post(store, came(), came(1), came(2, fold=None))

    def found(*clauses: Clause) -> tuple[list[int], int]:
        groups, total = store.read(lambda tx: listing(tx, tree_of(clauses), [], 0, 0, NOW))
        return [group.id for group in groups], total

    assert found() == ([third, first], 2)
    assert found(Clause(field="tag", op="all", values=("t",))) == ([third, first], 2)
    assert found(Clause(field="folded_into", op="eq", values=(first,))) == ([second], 1)
    assert found(Clause(field="seen", op="gt", values=(1,))) == ([first], 1)
    assert found(Clause(field="id", op="eq", values=(second,))) == ([second], 1)


def test_pages_of_repeats_go_on_behind_one(store: Store) -> None:
    first, *rest = post(store, *(came(n) for n in range(8)))
    newest = store.read(lambda tx: repeat.members(tx, first, 4))
    older = store.read(lambda tx: repeat.members(tx, first, 4, before=newest[-1].id))

    assert [member.id for member in (*newest, *older)] == rest[::-1]


def test_a_restored_store_folds_on_and_can_take_back(store: Store, tmp_path: Path) -> None:
    first, second = post(store, came(), came(1))
    backup.write_backup(store, tmp_path / "one.zip")
    (tmp_path / "restored").mkdir()
    restored = open_store("sqlite", tmp_path / "restored")
    backup.restore(restored, tmp_path / "one.zip")

    (third,) = post(restored, came(2))
    assert known(restored, third).folded_into == first
    assert restored.write(lambda tx: repeat.unfold(tx, first, "ann", NOW)) == [second, third]
    assert [owed(restored, group) for group in (second, third)] == [["a", "b"]] * 2
    assert restored.read(alertgroup.totals)["open"] == 3
    restored.close()


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)  # one SQLite has one writer
def test_two_hubs_on_one_store_fold_into_the_same_first(engine: str, store: Store, tmp_path: Path) -> None:
    other = open_store(engine, tmp_path)
    waiting = [each.append(came(n / 100)) for n in range(60) for each in (store, other)]
    groups = sorted(one.result(30).alertgroups[0] for one in waiting)
    other.close()

    assert listed(store) == groups[:1]
    assert known(store, groups[0]).seen == 120
