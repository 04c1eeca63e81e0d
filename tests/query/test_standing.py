"""Lists leave out what is folded, unless the query asks for it."""

import pytest

from query.trees import NOW
from tocsin.model import Alertgroup
from tocsin.query import View, parse, predicate, standing


def view(id: int, folded: int | None = None) -> View:
    return View.fresh(Alertgroup(id=id, subject="Beacon", alerts=(), sources=("a",)), folded=folded)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [1]),
        ("source:a", [1]),
        ("source:a or subject:beacon", [1]),
        ("not id:9", [1]),
        ("id>0", [1]),
        ("id:2", [2]),
        ("id:(1 or 2)", [1, 2]),
        ("source:a and id:2", [2]),
        ("id:2 or source:a", [1]),
        ("folded:1", [2]),
        ("folded:*", [2]),
        ("not folded:1", [1]),
        ("source:a and (folded:* or not folded:*)", [1, 2]),
        ("folded_into>=1", [2]),
    ],
)
def test_a_list_leaves_folded_ones_out_unless_they_are_asked_for(query: str, found: list[int]) -> None:
    asked = predicate(standing(parse(query)), NOW)

    assert [one.group.id for one in (view(1), view(2, folded=1)) if asked(one)] == found


def test_what_a_list_means_can_be_written_as_a_query() -> None:
    meant = standing(parse("source:a or tag:b"))

    assert str(meant) == "(source:a or tag:b) and not folded:* and not gathered:*"
    assert str(parse(str(meant))) == str(meant)
    assert str(standing(meant)) == str(meant)


def test_how_often_it_was_seen_can_be_asked_for() -> None:
    once, often = (
        view(1),
        View.fresh(Alertgroup(id=2, subject="", alerts=(), received=5_000_000), seen=17, last_seen=NOW),
    )

    def finds(query: str) -> list[bool]:
        return [predicate(parse(query), NOW)(one) for one in (once, often)]

    assert finds("seen>1") == [False, True]
    assert finds("seen:1") == [True, False]
    assert finds("last_seen>now-1m") == [False, True]
    assert finds("last_seen<2000") == [True, False]
