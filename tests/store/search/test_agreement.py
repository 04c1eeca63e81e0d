"""The SQL of a query and its predicate give the same answer, on both engines."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neighbours.laid import lay, passing
from neighbours.postgres import Postgres
from query.samples import NOW, tables, views
from query.trees import NOW as TREES_NOW
from query.trees import ROWS, joined, terms, trees
from query.trees import views as some_views
from tocsin.query import View, parse, predicate
from tocsin.query.tree import Node, Row
from tocsin.store import Store, open_store, search
from tocsin.store.alertgroup import Order
from tocsin.store.engine import Tx

FINDING = tables("| query | finds |")


def opened(request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = factory.mktemp("kept")
    if request.param == "sqlite":
        store = open_store("sqlite", folder)
        yield store
        store.close()
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    database = cluster.new_database()
    store = open_store(cluster.url(database), folder)
    yield store
    store.close()
    cluster.drop(database)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store for many examples, each of which undoes what it lays in."""
    yield from opened(request, tmp_path_factory)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def sampled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with the alertgroups of the page."""
    for store in opened(request, tmp_path_factory):
        found = [msgspec.structs.replace(view, message=view.group.id) for view in views().values()]
        store.write(lambda tx, found=found: lay(tx, found))  # type: ignore[misc] # a lambda with a default
        yield store


@pytest.mark.parametrize(("query", "finds", "_about"), FINDING, ids=lambda cell: str(cell)[:40])
def test_a_query_of_the_page_finds_what_stands_beside_it(sampled: Store, query: str, finds: str, _about: str) -> None:
    wanted = [] if finds == "none" else [int(id) for id in finds.split(",")]
    tree = parse(query)

    assert sampled.read(lambda tx: search.ids(tx, tree, NOW)) == wanted
    assert sampled.read(lambda tx: search.matching(tx, tree, [1, 2, 3, 4], NOW)) == set(wanted)
    assert sampled.read(lambda tx: search.count_up_to(tx, tree, 10, NOW)) == len(wanted)
    page = sampled.read(lambda tx: search.page(tx, tree, Order(), 10, None, NOW))
    assert [known.id for known in page] == wanted[::-1]


def numbered(found: list[View]) -> list[View]:
    """With ids of their own."""
    return [
        msgspec.structs.replace(
            view,
            message=number,
            group=msgspec.structs.replace(
                view.group,
                id=number,
                alerts=tuple(
                    msgspec.structs.replace(alert, id=number * 10 + at) for at, alert in enumerate(view.group.alerts)
                ),
            ),
        )
        for number, view in enumerate(found, 1)
    ]


@given(
    st.lists(some_views, min_size=1, max_size=3).map(numbered),
    st.lists(st.one_of(trees, st.builds(Row, part=joined(terms(ROWS)))), min_size=5, max_size=12),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sql_and_predicate_agree_on_any_tree(kept: Store, found: list[View], asked: list[Node]) -> None:
    expected = [{view.group.id for view in found if predicate(tree, TREES_NOW)(view)} for tree in asked]

    def answers(tx: Tx) -> list[set[int]]:
        lay(tx, found)
        return [set(search.ids(tx, tree, TREES_NOW)) for tree in asked]

    for tree, one, other in zip(asked, passing(kept, answers), expected, strict=True):
        assert one == other, str(tree)
