"""Evidence in the store: laid onto heaps, raised in the transaction that stores it, taken out again."""

from functools import partial
from pathlib import Path

import msgspec
import pytest

from neighbours.heaps import HOUR, ONE, came, copies, evidence, gather, post, states, weights
from neighbours.indexed import found as listed
from neighbours.messages import NOW
from store.test_statements import statements
from tocsin.errors import Malformed, NotFound
from tocsin.model import Alertgroup, Status
from tocsin.store import (
    Change,
    Store,
    again,
    alertgroup,
    backup,
    delivery,
    heap,
    history,
    message,
    open_store,
    repeat,
    tally,
)
from tocsin.store.append import append_all
from tocsin.store.gathering import Share
from tocsin.store.heap import Piece, Standing
from tocsin.store.repeat import Fold
from tocsin.store.retention import sweep

DAY = 24 * HOUR


class Days:
    originals_days = receipts_days = 0.0
    alerts_days = 1.0


def owed(store: Store, group: int) -> list[str]:
    return [one.lane for one in store.read(lambda tx: delivery.of_groups(tx, [group]))[group]]


def past(store: Store, group: int) -> list[str]:
    return [line.what for line in store.read(lambda tx: history.of_group(tx, group))]


def standing(store: Store, group: int) -> Standing:
    return store.read(lambda tx: heap.of_groups(tx, [group]))[group]


def test_evidence_below_the_threshold_is_kept_and_neither_listed_nor_owed_nor_counted(store: Store) -> None:
    first, second = evidence(store, 2)

    assert (listed(store), owed(store, first)) == ([], [])
    assert store.read(alertgroup.totals) == {"open": 0, "closed": 0, "promoted": 0}
    assert listed(store, "gathered:below") == [second, first]
    assert copies(store, second) == ["10.0.0.5 1 0"]
    assert standing(store, first) == Standing(
        rule="slips", source="10.0.0.5", begun=0, width=HOUR, weight=2 * ONE, threshold=3 * ONE
    )


def test_enough_evidence_over_several_batches_is_raised_as_one_alertgroup_with_copies_of_it(store: Store) -> None:
    told: list[Change] = []
    store.on_commit(told.append)
    ids = evidence(store, 3)

    (raised,) = listed(store)
    assert raised == 4
    assert copies(store, raised) == [f"10.0.0.5 {n} 0" for n in range(3)]
    assert owed(store, raised) == ["a", "b"]
    assert states(store) == {f"evidence 10.0.0.5 {n}": "raised" for n in range(3)} | {"enough 10.0.0.5 1": None}
    assert store.read(alertgroup.totals) == {"open": 1, "closed": 0, "promoted": 0}
    assert standing(store, ids[0]).into == (raised,)
    assert store.read(lambda tx: heap.pieces(tx, raised, 2)) == (
        [Piece(alert=1, alertgroup=1, weight=ONE), Piece(alert=2, alertgroup=2, weight=ONE)],
        3,
    )
    assert past(store, ids[1]) == [f"evidence of alertgroup {raised}"]
    assert Change("created", (raised,), ("a", "b")) in [one._replace(lanes=tuple(sorted(one.lanes))) for one in told]
    assert Change("updated", tuple(ids)) in told
    assert listed(store, "gathered:raised") == ids[::-1]


def test_what_is_raised_has_a_message_and_is_counted_with_the_others(store: Store) -> None:
    evidence(store, 3)

    kept = store.read(lambda tx: message.get(tx, 4))
    assert (kept.source, kept.sender, kept.parser, kept.state) == ("tocsin", "accumulate", "accumulated", "stored")
    counted = {one.source: one.stored for one in store.read(lambda tx: tally.today(tx, NOW))}
    assert counted == {"rest": 3, "tocsin": 1}


def test_in_one_batch_it_comes_to_the_same_as_in_many(store: Store) -> None:
    post(store, *(came(str(n), gather((1,))) for n in range(7)), came("else", gather((1,), "10.0.0.6")))

    assert states(store) == {f"evidence {n}": "raised" for n in range(6)} | {
        "evidence 6": "below",
        "evidence else": "below",
        "enough 10.0.0.5 1": None,
        "enough 10.0.0.5 2": None,
    }
    assert [copies(store, raised) for raised in sorted(listed(store))] == [["0 0", "1 0", "2 0"], ["3 0", "4 0", "5 0"]]
    assert weights(store) == {"10.0.0.5 0": (1, 2), "10.0.0.6 0": (1, 0)}


def test_after_it_was_raised_a_heap_begins_anew_with_later_evidence(store: Store) -> None:
    evidence(store, 3)
    later = evidence(store, 2, begin=3)
    assert weights(store) == {"10.0.0.5 0": (2, 1)}
    evidence(store, 1, begin=5)

    newest = listed(store)[0]
    assert copies(store, newest) == [f"10.0.0.5 {n} 0" for n in (3, 4, 5)]
    assert standing(store, later[0]).into == (newest,)


def test_windows_addresses_and_rules_have_heaps_of_their_own(store: Store) -> None:
    post(
        store,
        came("a", gather((2,))),
        came("b", gather((2,), begun=HOUR)),
        came("c", gather((2,), "2001:db8::1")),
    )

    assert weights(store) == {"10.0.0.5 0": (2, 0), "10.0.0.5 1": (2, 0), "2001:db8::1 0": (2, 0)}
    assert listed(store) == []


def test_an_alertgroup_of_many_rows_is_never_taken_apart(store: Store) -> None:
    (group,) = post(store, came("many", gather((1, 1, 1, 1, 1)), rows=6))

    (raised,) = listed(store)
    assert copies(store, raised) == [f"many {n}" for n in range(5)]
    assert (standing(store, group).into, weights(store)) == ((raised,), {"10.0.0.5 0": (0, 1)})


def test_of_an_alertgroup_about_two_addresses_only_what_is_enough_is_raised(store: Store) -> None:
    two = msgspec.structs.replace(gather((2, 1)), shares=(Share(0, "10.0.0.5", 0, 2 * ONE), Share(1, "::1", 0, ONE)))
    (group,) = post(store, came("two", two, rows=2))
    evidence(store, 1)

    (raised,) = listed(store)
    assert copies(store, raised) == ["two 0", "10.0.0.5 0 0"]
    assert weights(store) == {"10.0.0.5 0": (0, 1), "::1 0": (1, 0)}
    assert (states(store)["evidence two"], standing(store, group).into) == ("raised", (raised,))
    evidence(store, 2, source="::1")
    assert standing(store, group).into == (raised, listed(store)[0])


def test_what_weighs_nothing_lies_on_no_heap_and_is_evidence_all_the_same(store: Store) -> None:
    (group,) = post(store, came("info", gather(())))

    assert (states(store), weights(store)) == ({"evidence info": "below"}, {})
    assert standing(store, group) == Standing(rule="slips")


def test_raising_takes_no_more_statements_for_many_pieces_than_for_one(store: Store) -> None:
    def raising(name: str, pieces: int, rows: int) -> int:
        made = [
            came(f"{name} {n}", gather((1,) * rows, f"10.0.{n % 5}.1", threshold=1), rows=rows) for n in range(pieces)
        ]
        return statements(store, lambda tx: append_all(tx, made))

    assert raising("few", 5, 1) == raising("many", 50, 20)
    assert raising("none", 5, 1) <= 40


def test_only_the_heaviest_are_copied_where_there_is_too_much(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.store.gathering.MOST", 2)
    post(store, *(came(str(n), gather((weight,))) for n, weight in enumerate((0.5, 1, 0.5, 1))))

    (raised,) = listed(store)
    assert copies(store, raised) == ["1 0", "3 0"]
    assert store.read(lambda tx: heap.pieces(tx, raised, 10))[1] == 4
    assert set(states(store).values()) == {"raised", None}


def test_evidence_is_sent_by_hand_and_counts_all_the_same(store: Store) -> None:
    first, second = evidence(store, 2)
    assert store.write(lambda tx: heap.send(tx, first, "ann", NOW)) == ["a"]

    assert (listed(store), owed(store, first)) == ([first], ["a"])
    assert store.read(alertgroup.totals)["open"] == 1
    assert past(store, first) == ["sent, though there was not enough evidence with it: to be sent to a"]
    for refused in (first, 99):
        with pytest.raises((Malformed, NotFound)):
            store.write(partial(heap.send, group=refused, who="ann", now=NOW))
    evidence(store, 1, begin=2)
    assert [states(store)[f"evidence 10.0.0.5 {n}"] for n in range(3)] == [None, "raised", "raised"]
    assert copies(store, listed(store)[0]) == [f"10.0.0.5 {n} 0" for n in range(3)]
    assert second not in listed(store)


def test_deleted_evidence_does_not_count_until_it_is_brought_back(store: Store) -> None:
    first, second = evidence(store, 2)
    store.write(lambda tx: alertgroup.delete(tx, first, "ann", NOW))
    assert weights(store) == {"10.0.0.5 0": (1, 0)}
    assert store.read(alertgroup.totals) == {"open": 0, "closed": 0, "promoted": 0}
    evidence(store, 1, begin=2)
    assert listed(store) == []
    store.write(lambda tx: alertgroup.undelete(tx, first, "ann", NOW))
    assert weights(store) == {"10.0.0.5 0": (3, 0)}
    assert listed(store) == []  # nobody is told of something new because somebody took a deletion back
    evidence(store, 1, begin=3)

    assert copies(store, listed(store)[0]) == [f"10.0.0.5 {n} 0" for n in range(4)]
    store.write(lambda tx: alertgroup.delete(tx, second, "ann", NOW))
    assert weights(store) == {"10.0.0.5 0": (0, 1)}


def test_evidence_deleted_while_the_others_were_raised_counts_in_what_comes_next_once_it_is_back(store: Store) -> None:
    (first,) = evidence(store, 1)
    store.write(lambda tx: alertgroup.delete(tx, first, "ann", NOW))
    evidence(store, 3, begin=1)
    store.write(lambda tx: alertgroup.undelete(tx, first, "ann", NOW))

    assert (states(store)["evidence 10.0.0.5 0"], weights(store)) == ("below", {"10.0.0.5 0": (1, 1)})


def test_a_status_set_on_evidence_moves_no_totals(store: Store) -> None:
    (group,) = evidence(store, 1)
    store.write(lambda tx: alertgroup.set_status(tx, group, Status.CLOSED, "ann", NOW))

    assert store.read(alertgroup.totals) == {"open": 0, "closed": 0, "promoted": 0}
    store.write(lambda tx: heap.send(tx, group, "ann", NOW))
    assert store.read(alertgroup.totals) == {"open": 0, "closed": 1, "promoted": 0}


def test_read_again_it_weighs_what_the_new_reading_says(store: Store) -> None:
    first, second = evidence(store, 2)
    new = Alertgroup.of_rows("again", [{"n": "x"}, {"n": "y"}])

    def replaced(group: int, weights: tuple[float, ...] | None, source: str = "10.0.0.5") -> None:
        meant = None if weights is None else gather(weights, source)
        store.write(lambda tx: again.replace(tx, group, new, None, "slips", "2", "ann", NOW, meant))

    replaced(first, (0.25, 0.5))
    assert weights(store) == {"10.0.0.5 0": (1.75, 0)}
    replaced(first, (2.5, 1), "10.0.0.6")
    assert weights(store) == {"10.0.0.5 0": (1, 0), "10.0.0.6 0": (3.5, 0)}
    assert listed(store) == []
    replaced(second, None)
    assert weights(store)["10.0.0.5 0"] == (0, 0)
    post(store, came("next", gather((0.1,), "10.0.0.6")))
    assert copies(store, listed(store)[0]) == ["x", "y", "next 0"]
    replaced(first, (1, 1))
    assert weights(store)["10.0.0.5 0"] == (0, 0)  # what was raised stays raised


def test_what_was_never_evidence_does_not_become_it_by_being_read_again(store: Store) -> None:
    (group,) = post(store, came("plain", None))
    new = Alertgroup.of_rows("again", [{"n": "x"}])
    store.write(lambda tx: again.replace(tx, group, new, None, "slips", "2", "ann", NOW, gather()))

    assert (weights(store), states(store)) == ({}, {"again": None})


def test_without_somebody_who_makes_it_nothing_is_raised_until_the_next_evidence(store: Store) -> None:
    post(store, came("quiet", gather((5,), raises=False)))
    assert (listed(store), weights(store)) == ([], {"10.0.0.5 0": (5, 0)})
    evidence(store, 1)

    assert copies(store, listed(store)[0]) == ["quiet 0", "10.0.0.5 0 0"]


def test_retention_takes_evidence_off_its_heap_and_then_the_heap(store: Store) -> None:
    old, young = NOW, NOW + 2 * DAY
    post(store, came("old", gather((1,)), received=old), came("older", gather((1,), "10.0.0.6"), received=old))
    post(store, came("young", gather((1,)), received=young))
    sweep(store, Days(), NOW + DAY + HOUR, lambda _: False)

    assert states(store) == {"evidence young": "below"}
    assert weights(store) == {"10.0.0.5 0": (1, 0)}
    assert store.read(lambda tx: tx.rows("SELECT alertgroup FROM evidence")) == [(3,)]
    assert store.read(alertgroup.totals) == {"open": 0, "closed": 0, "promoted": 0}
    sweep(store, Days(), NOW + 4 * DAY, lambda _: False)
    assert (states(store), weights(store)) == ({}, {})
    assert store.read(lambda tx: tx.rows("SELECT count(*) FROM pile")) == [(0,)]


def test_repeats_of_evidence_are_folded_and_count_each(store: Store) -> None:
    fold = Fold(fingerprint="kind", window=HOUR, longest=HOUR)
    for n in range(2):
        made = came(str(n), gather((1,)))
        post(store, msgspec.structs.replace(made, parts=(msgspec.structs.replace(made.parts[0], fold=fold),)))

    assert weights(store) == {"10.0.0.5 0": (2, 0)}
    assert listed(store, "folded:1 and gathered:below") == [2]
    store.write(lambda tx: repeat.unfold(tx, 2, "ann", NOW))
    store.write(lambda tx: alertgroup.delete(tx, 1, "ann", NOW))
    assert store.read(alertgroup.totals) == {"open": 0, "closed": 0, "promoted": 0}


def test_a_backup_keeps_heaps_and_what_lies_on_them(store: Store, tmp_path: Path) -> None:
    evidence(store, 4)
    backup.write_backup(store, tmp_path / "all.zip")
    (tmp_path / "copy").mkdir()
    copy = open_store("sqlite", tmp_path / "copy")
    backup.restore(copy, tmp_path / "all.zip")

    evidence(copy, 2, begin=4)
    assert [copies(copy, group) for group in sorted(listed(copy))][-1] == [f"10.0.0.5 {n} 0" for n in (3, 4, 5)]
    copy.close()
