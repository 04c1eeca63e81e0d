"""The API's list holds what a reading of all alertgroups would have held, in every order, on both engines."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tocsin.model import Alertgroup, Message, Severity, Status
from tocsin.query import parse
from tocsin.store import Part, Store, alertgroup, entry
from tocsin.store.alertgroup import Summary
from tocsin.store.search.listing import listing

NOW = 1_760_000_000_000_000
STATUSES = (Status.OPEN, Status.CLOSED, Status.PROMOTED)
QUERIES: dict[str, Callable[[Summary], bool]] = {
    "": lambda group: True,
    "status:open": lambda group: group.status == "open",
    "status:(open or promoted)": lambda group: group.status != "closed",
    "not status:open": lambda group: group.status != "open",
    "tag:c2 and not tag:dns": lambda group: "c2" in group.tags and "dns" not in group.tags,
    "tag:nobody": lambda group: False,
    "source:zeek and severity>=high": lambda group: "zeek" in group.sources and (group.severity or 0) >= 3,
    "id:(3 or 4 or 12 or 50)": lambda group: group.id in (3, 4, 50),
    "subject:*to*host7": lambda group: "to host7" in group.subject[-8:],
}  # fmt: skip
SORTS: list[list[tuple[str, bool]]] = [
    *([(column, descending)] for column in alertgroup.ORDERS for descending in (True, False)),
    [("severity", True), ("subject", False)],
    [("status", False), ("views", True), ("id", False)],
    [("owner", False)],
    [],
]


def fill(store: Store) -> list[Summary]:
    """Sixty alertgroups of all mixtures, one of them deleted; those that are left."""
    for number in range(60):
        group = Alertgroup.of_rows(
            f"{('beacon', 'scan', 'beach')[number % 3]} to host{number * 7 % 20}",
            [{"n": n} for n in range(1 + number * 5 % 7)],
            tags=tuple(tag for tag, every in (("c2", 2), ("dns", 3)) if number % every == 0),
            sources=("zeek",) if number % 4 else ("splunk",),
            created=NOW - number * 11 % 13,
            status=STATUSES[number * 3 % 7 % 3],
        )
        came = Message(source="rest", body=str(number).encode(), media_type="", received=NOW + number * 31 % 60)
        part = Part(group=group, severity=Severity(number % 5), lanes=())
        store.append(entry(came, [part], "scot", "1")).result()
    store.write(lambda tx: tx.run("UPDATE alertgroup SET views = id % 4, updated = updated + id * 17 % 23"))
    store.write(lambda tx: alertgroup.delete(tx, 12, "ada", NOW))
    found = [store.read(partial(alertgroup.get, id=id)) for id in range(1, 61)]
    return [group for group in found if group.deleted is None]


def in_order(groups: list[Summary], sort: list[tuple[str, bool]]) -> list[int]:
    """Sorted by the last first; what is equal in all of them has the newest first."""
    ordered = sorted(groups, key=lambda group: group.id, reverse=True)
    for column, descending in reversed(sort):
        ordered.sort(key=lambda group: getattr(group, column), reverse=descending)
    return [group.id for group in ordered]


@pytest.mark.parametrize("query", QUERIES)
def test_a_list_in_any_order_is_cut_and_counted_right(store: Store, query: str) -> None:
    matching = [group for group in fill(store) if QUERIES[query](group)]

    for sort in SORTS:

        def listed(limit: int, offset: int, sort: list[tuple[str, bool]] = sort) -> tuple[list[int], int]:
            found, total = store.read(lambda tx: listing(tx, parse(query), sort, limit, offset, NOW))
            return [group.id for group in found], total

        expected = in_order(matching, sort or [("id", True)])
        assert listed(0, 0) == (expected, len(matching)), sort
        assert listed(9, 2) == (expected[2:11], len(matching)), sort


def test_a_count_that_is_always_zero_orders_nothing(store: Store) -> None:
    ids = sorted((group.id for group in fill(store)), reverse=True)

    found: Any = store.read(lambda tx: listing(tx, parse(""), [("entry_count", False)], 0, 0, NOW))[0]
    assert [group.id for group in found] == ids
