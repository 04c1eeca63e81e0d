"""Searching is bounded: many parts, long patterns, and a limit to the time that one may take."""

import pytest

from neighbours.laid import lay, passing
from query.samples import NOW, views
from tocsin.errors import Malformed, TooSlow
from tocsin.model import Alert, Alertgroup
from tocsin.query import View, parse
from tocsin.query.tree import Is, Node, Ref
from tocsin.query.values import Glob, Regex
from tocsin.store import Store, search
from tocsin.store.engine import Tx


def found(store: Store, query: str | Node, views: list[View]) -> list[int]:
    tree = parse(query) if isinstance(query, str) else query

    def answer(tx: Tx) -> list[int]:
        lay(tx, views)
        return search.ids(tx, tree, NOW)

    return passing(store, answer)


@pytest.mark.parametrize(
    ("part", "joint", "finds"),
    [
        ("tag:t{0}", " or ", [1]),
        ("not tag:u{0}", " and ", [1]),
        ("not data.c{0}:x", " and ", [1]),
        ("data.c{0}:x", " or ", []),
        ("src:10.{1}.{2}.0/24", " or ", [1]),
        ("name:*x{0}*", " or ", []),
        ("id:{0}", " or ", [1]),
        ("w{0}", " or ", []),
        ("not entity:x{0}", " and ", [1]),
        ("(tag:t{0} and via:rest)", " or ", []),
    ],
)
def test_a_thousand_parts_are_searched_for(store: Store, part: str, joint: str, finds: list[int]) -> None:
    view = views()[1]
    group = Alertgroup(
        id=1, subject="s", tags=("t7",), alerts=(Alert(json="{}", id=1, detection=view.group.alerts[0].detection),)
    )
    query = joint.join(part.format(number, number // 256, number % 256) for number in range(1000))

    assert found(store, query, [View.fresh(group)]) == finds


def test_a_thousand_parts_about_one_alert_are_searched_for(store: Store) -> None:
    group = Alertgroup(id=1, subject="s", alerts=(Alert(json='{"c":"x"}', id=1), Alert(json="{}", id=2)))
    barred = " and ".join(f"not src:10.0.{number // 256}.{number % 256}" for number in range(1000))

    assert found(store, f"alert:{{data.c:x and {barred}}}", [View.fresh(group)]) == [1]


def test_a_pattern_that_is_too_long_is_told(store: Store) -> None:
    with pytest.raises(Malformed, match="too long"):
        found(store, Is(ref=Ref("owner"), value=Glob("é*" * 30_000)), [])


@pytest.mark.parametrize(("expression", "told"), [("(", "no regular expression"), ("(?-i)a", "minds case")])
def test_an_expression_that_cannot_be_asked_is_told(store: Store, expression: str, told: str) -> None:
    with pytest.raises(Malformed, match=told):
        found(store, Is(ref=Ref("owner"), value=Regex(expression)), [])


def test_postgresql_tells_what_it_has_no_words_for(store: Store) -> None:
    query = r"owner:/\p{Greek}/"
    group = View.fresh(Alertgroup(id=1, subject="s", owner="αβγ", alerts=()))
    if store.engine == "sqlite":
        assert found(store, query, [group]) == [1]
    else:
        with pytest.raises(Malformed, match="write the letters out"):
            found(store, query, [group])


def test_a_search_that_takes_too_long_is_given_up_and_the_next_one_is_answered(store: Store) -> None:
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

    def slow(tx: Tx) -> None:
        with tx.within(0.2):
            tx.rows(endless)

    with pytest.raises(TooSlow, match="narrow it"):
        store.read(slow)
    assert store.read(lambda tx: search.ids(tx, parse("*"), NOW)) == []


def test_what_is_not_searched_has_no_limit_behind_a_search(store: Store) -> None:
    def counted(tx: Tx) -> int:
        with tx.within(0.01):
            tx.rows("SELECT 1")
        row = tx.row(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT max(i) FROM n"
        )
        return int(row[0]) if row else 0

    assert store.read(counted) == 200_000
