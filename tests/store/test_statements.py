"""How many statements things take: none grow with the rows."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from neighbours.messages import NOW, an_entry
from tocsin.model import Status
from tocsin.store import Store, Tx, alert, alertgroup, repeat
from tocsin.store.append import append_all
from tocsin.store.repeat import Fold


class Counted:
    """A transaction that counts what passes through it."""

    def __init__(self, tx: Any) -> None:
        self._tx = tx
        self.statements = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tx, name)
        if name not in ("rows", "row", "run", "many"):
            return found

        def counted(*given: Any, **params: Any) -> Any:
            self.statements += 1
            return found(*given, **params)

        return counted


def statements(store: Store, work: Callable[[Tx], object]) -> int:
    def counting(tx: Tx) -> int:
        counted: Any = Counted(tx)
        work(counted)
        return int(counted.statements)

    return store.write(counting)


@pytest.mark.parametrize("groups", [1, 20])
def test_storing_takes_as_many_statements_for_a_thousand_rows_as_for_one(store: Store, groups: int) -> None:
    def storing(rows: int) -> Callable[[Tx], object]:
        entries = [an_entry(f"s{n}", rows=rows, lanes=("a", "b")) for n in range(groups)]
        return lambda tx: append_all(tx, entries)

    few, many = statements(store, storing(1)), statements(store, storing(1000))

    assert few == many
    assert many <= 20


def test_closing_a_group_takes_as_many_statements_for_a_thousand_alerts_as_for_one(store: Store) -> None:
    small, large = (store.append(an_entry(rows=rows)).result(30).alertgroups[0] for rows in (1, 1000))

    def closing(group: int) -> Callable[[Tx], object]:
        return lambda tx: alertgroup.set_status(tx, group, Status.CLOSED, "ann", NOW)

    assert statements(store, closing(small)) == statements(store, closing(large))


def test_closing_chosen_alerts_takes_as_many_statements_for_a_thousand_as_for_one(store: Store) -> None:
    group = store.append(an_entry(rows=1002)).result(30).alertgroups[0]
    ids = [row.id for row in store.read(lambda tx: alert.of_group(tx, group))]

    def closing(chosen: list[int]) -> Callable[[Tx], object]:
        return lambda tx: alertgroup.set_alerts(tx, group, chosen, Status.CLOSED, "ann", NOW)

    assert statements(store, closing(ids[:1])) == statements(store, closing(ids[1:-1]))


def test_folding_takes_as_many_statements_for_many_repeats_of_many_kinds_as_for_one(store: Store) -> None:
    def folding(kinds: int, repeats: int, rows: int, day: int) -> Callable[[Tx], object]:
        folds = [Fold(fingerprint=f"{day} {kind}", window=1, longest=1, reopen=True) for kind in range(kinds)]
        made = [an_entry(f"s{n}", rows=rows, lanes=("a", "b")) for n in range(repeats)]
        parts = [msgspec.structs.replace(each.parts[0], fold=fold) for each in made for fold in folds]
        entries = [msgspec.structs.replace(made[0], parts=(part,)) for part in parts]
        return lambda tx: append_all(tx, entries)

    few, many = statements(store, folding(1, 2, 1, 1)), statements(store, folding(20, 3, 50, 2))
    off = statements(store, lambda tx: append_all(tx, [an_entry(lanes=("a", "b"))]))

    assert few == many
    assert few <= off + 7  # one of them asks whether any lane hears of changes


def test_taking_repeats_out_takes_as_many_statements_for_a_hundred_as_for_two(store: Store) -> None:
    def posted(name: str, repeats: int) -> int:
        fold = Fold(fingerprint=name, window=1, longest=1)
        entries = [an_entry(name, lanes=("a", "b")) for _ in range(repeats)]
        parts = [msgspec.structs.replace(each.parts[0], fold=fold) for each in entries]
        entries = [msgspec.structs.replace(each, parts=(part,)) for each, part in zip(entries, parts, strict=True)]
        return store.write(lambda tx: append_all(tx, entries))[0].alertgroups[0]

    small, large = posted("few", 3), posted("many", 101)

    def unfolding(group: int) -> Callable[[Tx], object]:
        return lambda tx: repeat.unfold(tx, group, "ann", NOW)

    assert statements(store, unfolding(small)) == statements(store, unfolding(large))
