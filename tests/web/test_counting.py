"""Counts of saved views are bounded in time, kept for a while, and counted by one reader at a time."""

import threading
from typing import Any

import pytest

from tocsin.errors import Malformed, TooSlow
from tocsin.query import parse, standing
from tocsin.store import Store, search
from tocsin.web.pages import counting
from tocsin.web.pages.counting import SLOW, UNREADABLE, Count, Counts, Round


class Searches:
    """Stands in for the search: answers by the tree, and remembers what was asked and how long it was given."""

    def __init__(self, **answers: int | Exception) -> None:
        self.answers = {standing(parse(query.replace("_", ":"))): answer for query, answer in answers.items()}
        self.limits: list[float] = []

    def count_up_to(self, tx: Any, tree: Any, most: int, now: int, within_s: float) -> int:
        self.limits.append(within_s)
        answer = self.answers[tree]
        if isinstance(answer, Exception):
            raise answer
        return min(answer, most)


@pytest.fixture
def engine() -> str:
    return "sqlite"


def counted(store: Store, monkeypatch: pytest.MonkeyPatch, found: Searches, *queries: str) -> tuple[Counts, Round]:
    monkeypatch.setattr(search, "count_up_to", found.count_up_to)
    counts = Counts()
    return counts, counts.counted(store, queries)


def test_a_count_is_exact_below_a_thousand_and_open_from_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Searches(id_1=1, tag_a=999, tag_b=1000, tag_c=70_000)
    _, told = counted(store, monkeypatch, found, "id:1", "tag:a", "tag:b", "tag:c")

    assert [count.text for count in told.counts.values()] == ["1", "999", "1,000+", "1,000+"]
    assert told.whole


def test_what_takes_too_long_or_cannot_be_read_is_said_and_not_asked_again_soon(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Searches(tag_a=TooSlow("too slow"), tag_b=Malformed("not this"))
    counts, told = counted(store, monkeypatch, found, "tag:a", "tag:b", "sorce:x")

    assert told == Round({"tag:a": SLOW, "tag:b": UNREADABLE, "sorce:x": UNREADABLE}, whole=True)
    assert counts.counted(store, ["tag:a"]).counts == {"tag:a": SLOW}
    assert len(found.limits) == 2
    assert max(found.limits) <= counting.EACH_S


def test_one_query_of_many_views_is_counted_once_and_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "FRESH_S", 600.0)
    found = Searches(tag_a=5)
    counts, _ = counted(store, monkeypatch, found, "tag:a", "tag:a")
    again = counts.counted(store, ["tag:a"])

    assert again == Round({"tag:a": Count("5")}, whole=True)
    assert len(found.limits) == 1


def test_a_round_ends_in_time_and_says_that_there_is_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "ROUND_S", 0.0)
    found = Searches(tag_a=5)
    counts, told = counted(store, monkeypatch, found, "tag:a")

    assert told == Round({}, whole=False)
    monkeypatch.setattr(counting, "ROUND_S", 60.0)
    assert counts.counted(store, ["tag:a"]) == Round({"tag:a": Count("5")}, whole=True)


def test_who_comes_while_another_counts_is_told_what_was_known(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "FRESH_S", 0.0)
    monkeypatch.setattr(counting, "PATIENCE", 0)
    monkeypatch.setattr(counting, "WAIT_S", 0.01)
    begun, go_on = threading.Event(), threading.Event()
    found = Searches(tag_a=5)
    counts, _ = counted(store, monkeypatch, found, "tag:a")

    def slowly(*given: Any) -> int:
        begun.set()
        assert go_on.wait(30)
        return 6

    monkeypatch.setattr(search, "count_up_to", slowly)
    other = threading.Thread(target=counts.counted, args=(store, ["tag:a"]))
    other.start()
    assert begun.wait(30)
    meanwhile = counts.counted(store, ["tag:a", "tag:b"])
    go_on.set()
    other.join(30)

    assert meanwhile == Round({"tag:a": Count("5")}, whole=False)
    assert counts.known("tag:a") == Count("6")


def test_the_memory_of_counts_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_KEPT", 2)
    found = Searches(tag_a=1, tag_b=2, tag_c=3)
    counts, _ = counted(store, monkeypatch, found, "tag:a", "tag:b", "tag:c")

    assert [counts.known(query) for query in ("tag:a", "tag:b", "tag:c")] == [None, Count("2"), Count("3")]
