"""Whichever way a page is found, it holds what a reading of all alertgroups would have held, on both engines."""

import itertools
from functools import partial
from typing import Any

import pytest

from tocsin.model import Alertgroup, Message, Severity, Status
from tocsin.store import Part, Store, alertgroup, entry, paging
from tocsin.store.alertgroup import ORDERS, Order, Summary
from tocsin.store.filters import Clause, Filter, Op, clauses_of

NOW = 1_760_000_000_000_000
DAY = 86_400_000_000
STATUSES = (Status.OPEN, Status.CLOSED, Status.PROMOTED)

FILTERS = {
    "everything": Filter(),
    "one status": Filter(statuses=(Status.OPEN,)),
    "two statuses": Filter(statuses=(Status.OPEN, Status.PROMOTED)),
    "a tag": Filter(tags=("c2",)),
    "two tags": Filter(tags=("c2", "dns")),
    "a tag and not another": Filter(tags=("c2", "!dns")),
    "a source": Filter(sources=("zeek",)),
    "a tag and a source": Filter(tags=("dns",), sources=("zeek",)),
    "an unknown tag": Filter(tags=("nobody",)),
    "a word": Filter(subject="beacon"),
    "the beginning of a word": Filter(subject="bea"),
    "a word, a tag and a status": Filter(subject="beacon", tags=("c2",), statuses=(Status.CLOSED,)),
    "a time": Filter(received_from=NOW + 20, received_to=NOW + 40),
    "a time without an end": Filter(received_from=NOW + 30),
    "a time and a status": Filter(received_to=NOW + 40, statuses=(Status.OPEN,)),
    "some ids": Filter(ids=(3, 4, 50), statuses=(Status.OPEN, Status.CLOSED)),
    "an id and a tag": Filter(ids=(3, 4, 50, 51), tags=("c2",)),
    "severe ones": Filter(min_severity=Severity.HIGH),
}


def fill(store: Store) -> None:
    """Sixty alertgroups of all mixtures; times, subjects and views in another order than the ids."""
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


def matches(asked: Filter, group: Summary) -> bool:
    """A reading of the filter that knows nothing of SQL."""
    words = group.subject.lower().split()
    return (
        (not asked.statuses or group.status in asked.statuses)
        and (not asked.ids or group.id in asked.ids)
        and all((tag[1:] not in group.tags) if tag[0] == "!" else tag in group.tags for tag in asked.tags)
        and all(source in group.sources for source in asked.sources)
        and all(any(word.startswith(wanted) for word in words) for wanted in asked.subject.split())
        and (asked.received_from is None or group.received >= asked.received_from)
        and (asked.received_to is None or group.received <= asked.received_to)
        and (asked.min_severity is None or (group.severity or 0) >= asked.min_severity)
    )


def walked(store: Store, asked: Filter, order: Order, size: int) -> list[int]:
    """All ids, page after page."""
    ids: list[int] = []
    after: Any = None
    while found := store.read(partial(alertgroup.page, where=asked, order=order, limit=size, after=after)):
        ids += [group.id for group in found]
        after = (getattr(found[-1], order.column), found[-1].id)
    return ids


@pytest.mark.parametrize(("few", "some"), [(3000, 10_000), (5, 5), (-1, -1)], ids=["few", "middling", "many"])
def test_every_filter_in_every_order_pages_through_what_matches(
    store: Store, monkeypatch: pytest.MonkeyPatch, few: int, some: int
) -> None:
    monkeypatch.setattr(paging, "_FEW", few)
    monkeypatch.setattr(paging, "_SOME", some)
    fill(store)
    everything = [store.read(partial(alertgroup.get, id=id)) for id in range(1, 61)]
    alive = [group for group in everything if group.deleted is None]
    assert len(alive) == 59

    for (name, asked), column, descending in itertools.product(FILTERS.items(), ORDERS, (True, False)):
        matching = [group for group in alive if matches(asked, group)]
        expected = sorted(matching, key=lambda group: (getattr(group, column), group.id), reverse=descending)

        ids = walked(store, asked, Order(column=column, descending=descending), 7)

        assert ids == [group.id for group in expected], f"{name} by {column}, descending {descending}"
        found, total = store.read(
            partial(alertgroup.listing, clauses=clauses_of(asked), sort=[(column, descending)], limit=9, offset=2)
        )
        assert total == len(matching), f"{name} by {column} in a listing"
        assert [getattr(group, column) for group in found] == [getattr(group, column) for group in expected[2:11]]
        counted = store.read(partial(alertgroup.count_up_to, where=asked, most=1000))
        assert counted == len(matching), name


def matches_labels(op: Op, tags: set[str], wanted: set[str]) -> bool:
    """What a clause on labels says."""
    return tags >= wanted if op == "all" else not tags & wanted if op == "none" else bool(tags & wanted)


@pytest.mark.parametrize("op", ["any", "eq", "in", "all", "none"])
def test_a_listing_by_labels_finds_what_a_reading_finds(store: Store, op: Op) -> None:
    fill(store)
    values = ("c2",) if op == "eq" else ("c2", "dns")
    asked = [Clause(field="tag", op=op, values=values)]

    found, total = store.read(lambda tx: alertgroup.listing(tx, asked, [("id", False)], 0, 0))

    everything = [store.read(partial(alertgroup.get, id=id)) for id in range(1, 61) if id != 12]
    assert [group.id for group in found] == [
        group.id for group in everything if matches_labels(op, set(group.tags), set(values))
    ]
    assert total == len(found)


def test_no_more_is_counted_than_was_asked(store: Store) -> None:
    fill(store)

    assert store.read(lambda tx: alertgroup.count_up_to(tx, Filter(tags=("c2",)), 10)) == 10
