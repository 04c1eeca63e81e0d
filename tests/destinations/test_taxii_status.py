"""What a status resource says of objects is read so that none is taken for arrived that is not."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tocsin.destinations.taxii.items import Item, Pending, Refusal, item, parts
from tocsin.destinations.taxii.status import complete, verdicts
from tocsin.destinations.taxii.waiting import MOST, Waiting
from tocsin.kit.taxii import Entry, StatusResource, Unclear, envelope

FATES = ("success", "failure", "pending")


def an_item(n: int, version: int | None) -> Item:
    head = {"type": "x", "id": f"x--{n}"}
    return item(json.dumps(head if version is None else head | {"modified": f"2026-01-01T00:00:0{version}Z"}).encode())


@st.composite
def answered(draw: st.DrawFn) -> tuple[list[Item], dict[Any, str], StatusResource]:
    """Objects, some in several versions; the fate of each; and a status that names some of them."""
    keys = draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=8, unique=True))
    bare = draw(st.lists(st.integers(6, 9), max_size=3, unique=True))
    items = [an_item(*key) for key in keys] + [an_item(n, None) for n in bare]
    may_wait = draw(st.booleans())
    fates = {one.key: draw(st.sampled_from(FATES if may_wait else FATES[:2])) for one in items}
    lists: dict[str, tuple[Entry, ...]] = {}
    for fate in FATES:
        of_it = [one for one in items if fates[one.key] == fate]
        named = draw(st.sampled_from([of_it, of_it, of_it[: len(of_it) // 2], []]))
        # To what has no version the server gives one of its own; the same time in fewer digits is the same version.
        lists[fate] = tuple(
            Entry(one.key.id, one.key.version.replace(".000000Z", "Z") or "2026-06-06T06:06:06.060606Z", "no")
            for one in named
        )
    counts = {fate: sum(each == fate for each in fates.values()) for fate in FATES}
    status = StatusResource(
        id="s",
        status="pending" if counts["pending"] else "complete",
        total_count=len(items),
        success_count=counts["success"],
        failure_count=counts["failure"],
        pending_count=counts["pending"],
        successes=lists["success"],
        failures=lists["failure"],
        pendings=lists["pending"],
    )
    return items, fates, status


@given(answered())
def test_no_object_counts_as_taken_that_is_not_and_no_taken_one_as_refused(
    case: tuple[list[Item], dict[Any, str], StatusResource],
) -> None:
    items, fates, status = case
    found = verdicts([status], items)
    named_all = len(status.failures) == status.failure_count

    assert set(found) == set(fates)
    for key, verdict in found.items():
        if isinstance(verdict, str):
            assert fates[key] == "success"
        elif isinstance(verdict, Refusal):
            assert fates[key] == "failure"
        elif isinstance(verdict, Pending):
            assert status.status == "pending"
        else:
            assert isinstance(verdict, Unclear)
            assert not named_all
    if complete(status) and named_all:
        assert {key for key, verdict in found.items() if isinstance(verdict, str)} == {
            key for key, fate in fates.items() if fate == "success"
        }


def test_an_object_without_a_version_is_known_by_its_id_alone() -> None:
    one = an_item(1, None)
    status = StatusResource(
        id="s", status="complete", failure_count=1, failures=(Entry("x--1", "2026-01-01T00:00:00Z", "known"),)
    )

    assert str(verdicts([status], [one])[one.key]) == "known"


def test_a_server_that_counts_fewer_than_were_posted_leaves_them_unclear() -> None:
    items = [an_item(1, 1), an_item(2, 1)]
    found = verdicts([StatusResource(id="s", status="complete", total_count=1, success_count=1)], items)

    assert [str(found[one.key]) for one in items] == ["the server counts 1 of 2 objects"] * 2


def test_pending_is_believed_though_nothing_is_counted() -> None:
    assert not complete(StatusResource(id="s", status="pending", total_count=2))
    assert not complete(StatusResource(id="s", status="in progress", pending_count=2))
    assert complete(StatusResource(id="s", status="Complete"))


@given(st.lists(st.integers(1, 300), max_size=40), st.integers(20, 200))
def test_no_request_is_larger_than_allowed_unless_one_object_is(sizes: list[int], most: int) -> None:
    filler = [item(b'{"id":"x","type":"y"%s}' % (b" " * size)) for size in sizes]
    made = list(parts(filler, most))

    assert [one for part in made for one in part] == filler
    assert all(part for part in made)
    for part in made:
        assert len(part) == 1 or len(envelope([one.body for one in part])) <= most


def test_the_cursor_keeps_what_still_waits_and_drops_what_is_old_or_too_much() -> None:
    cursor = Waiting().after({"a": ["1"], "b": ["2", "3"], "c": []})
    later = Waiting.of(Waiting.of(cursor).after({"a": []}))
    many = Waiting.of(later.after({f"d{n}": ["4"] for n in range(MOST)}))

    assert Waiting.of(cursor).statuses("b") == ["2", "3"]
    assert (later.statuses("a"), later.statuses("b"), later.statuses("c")) == ([], ["2", "3"], [])
    assert len(many.pending) == MOST
    assert many.statuses("b") == []
    assert Waiting({"old": (["1"], 1_000_000_000)}).after({}) == ""
