"""Collections in the store: places grow, pages neither repeat nor skip while several nodes add, retention holds."""

import random
import threading
from pathlib import Path

import pytest

from tocsin.delivery.shelf import tidy
from tocsin.errors import StoreUnavailable
from tocsin.store import Store, Tx, collection, handed_in, open_store
from tocsin.store.collection import DAY, Asked, Item, Line
from tocsin.store.handed_in import Thing

NOW = 1_795_290_092_000_000


def items(prefix: str, count: int, type: str = "url") -> list[Item]:
    return [
        Item(id=f"{type}--{prefix}{n}", type=type, version=None, json=f'{{"n":"{prefix}{n}"}}') for n in range(count)
    ]


def put(store: Store, some: list[Item], now: int = NOW, name: str = "shared") -> list[Item]:
    return store.write(lambda tx: collection.put(tx, name, some, now))


def page(store: Store, asked: Asked, limit: int = 1000, name: str = "shared") -> list[Line]:
    def work(tx: Tx) -> list[Line]:
        number, _ = collection.held(tx, name)
        return collection.page(tx, number, asked, limit)

    return store.read(work)


def read_to_the_end(store: Store, ended: threading.Event, seed: int, name: str = "shared") -> list[Line]:
    """All pages, of changing length, until a page is not full after the writers ended."""
    chance, seen, after = random.Random(seed), list[Line](), 0
    while True:
        over, limit = ended.is_set(), chance.randint(1, 40)
        found = page(store, Asked(after=after), limit, name)
        seen += found
        after = found[-1].added if found else after
        if over and len(found) < limit:
            return seen


def test_readers_of_pages_see_everything_once_while_two_nodes_add(engine: str, data: Path) -> None:
    """On SQLite one node has several writers' jobs; on PostgreSQL there are two nodes, each with its own clock."""
    data.mkdir()
    nodes = [open_store(engine, data)]
    if engine != "sqlite":
        nodes.append(open_store(engine, data))
    ended = threading.Event()
    results: list[list[Line]] = []

    def add(number: int) -> None:
        chance, node = random.Random(number), nodes[number % len(nodes)]
        for turn in range(40):
            clock = NOW + chance.randint(-5_000, 5_000)  # the clocks of nodes differ, and go back
            some = items(f"{number}-{turn}-", chance.randint(1, 15))
            while True:
                try:
                    put(node, some, clock)
                    break
                except StoreUnavailable:  # PostgreSQL gave up one of two that waited for each other
                    continue

    def look(seed: int) -> None:
        results.append(read_to_the_end(nodes[-1], ended, seed))

    writers = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    readers = [threading.Thread(target=look, args=(seed,)) for seed in range(3)]
    for thread in writers + readers:
        thread.start()
    for thread in writers:
        thread.join(60)
    ended.set()
    for thread in readers:
        thread.join(60)
    whole = page(nodes[0], Asked(which=frozenset(("all",))), 100_000)
    assert len(results) == 3
    for seen in results:
        assert [line.id for line in seen] == [line.id for line in whole]
    added = [line.added for line in whole]
    assert added == sorted(set(added))
    assert len({line.id for line in whole}) == len(whole) > 300
    for node in nodes:
        node.close()


def test_the_same_is_added_once_however_often_and_in_one_call(store: Store) -> None:
    one = items("a", 1)[0]
    versioned = [Item(id="indicator--1", type="indicator", version=version, json="{}") for version in (5, 5, 6)]
    assert put(store, [one, one, *versioned]) == [one, versioned[0], versioned[2]]
    assert put(store, [one, *versioned]) == []
    assert store.read(lambda tx: collection.held(tx, "shared"))[1] == 3
    assert [line.version for line in page(store, Asked(ids=("indicator--1",)))] == [6]


def test_collections_are_apart(store: Store) -> None:
    put(store, items("a", 2), name="one")
    put(store, items("a", 3), name="two")
    assert len(page(store, Asked(), name="one")) == 2
    assert len(page(store, Asked(), name="two")) == 3
    assert page(store, Asked(), name="three") == []


def test_any_text_comes_back_as_it_was(store: Store) -> None:
    text = '{"a":"\\u0000 \\ud800 % :b {each:x} \'\\" ☃ \U0001f600"}'
    put(store, [Item(id="url--1", type="url", version=None, json=text)])
    assert [line.json for line in page(store, Asked())] == [text]


def test_what_nobody_handed_in_for_long_expires_with_all_its_versions(store: Store) -> None:
    indicator = [Item(id="indicator--1", type="indicator", version=version, json="{}") for version in (5, 6)]
    put(store, [*items("old", 3), *indicator])
    put(store, [*items("old", 1), *items("new", 1)], NOW + 10 * DAY)

    assert store.write(lambda tx: collection.expire(tx, NOW + 5 * DAY)) == 4
    assert store.write(lambda tx: collection.expire(tx, NOW + 5 * DAY)) == 0
    assert [line.id for line in page(store, Asked(which=frozenset(("all",))))] == ["url--old0", "url--new0"]
    assert store.read(lambda tx: collection.held(tx, "shared"))[1] == 2


def test_what_was_handed_in_is_forgotten_after_its_time(store: Store) -> None:
    first = store.write(lambda tx: handed_in.put(tx, "root", "ada", NOW, None, [], [Thing(id="x", words="no")]))
    second = store.write(lambda tx: handed_in.put(tx, "root", "ada", NOW + DAY, None, [Thing(id="y")], []))
    assert store.write(lambda tx: handed_in.forget(tx, NOW + 1)) == 1
    known = store.read(lambda tx: handed_in.get(tx, second))
    assert (known.who, known.taken, known.refused, known.state) == ("ada", (Thing(id="y"),), (), "")
    with pytest.raises(Exception, match="forgotten"):
        store.read(lambda tx: handed_in.get(tx, first))


def test_the_retention_of_alerts_is_that_of_collections_too(store: Store) -> None:
    put(store, items("old", 3))
    later = NOW + 10 * DAY
    tidy(store, 0, later, lambda seconds: False)
    assert len(page(store, Asked())) == 3
    tidy(store, 5, later, lambda seconds: False)
    assert page(store, Asked()) == []


ASKED = {
    "last": (Asked(), "INDEX collected_newest (collection=? AND newest=? AND added>?)"),
    "all": (Asked(which=frozenset(("all",))), "(collection=? AND added>?)"),
    "first": (Asked(which=frozenset(("first",))), "(collection=? AND added>?)"),
    "types": (Asked(types=("url", "ipv4-addr")), "INDEX collected_type (collection=? AND type=? AND added>?)"),
    "ids": (Asked(ids=("url--a1",)), "INDEX collected_version (id=?)"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_a_page_is_found_by_the_index_that_is_for_it(tmp_path: Path, asked: str) -> None:
    """On SQLite, which tells its plan before there is anything to plan for."""
    store = open_store("sqlite", tmp_path)
    try:
        put(store, items("a", 10))
        plan = store.read(lambda tx: _plan(tx, ASKED[asked][0]))
        assert any(ASKED[asked][1] in line.replace("COVERING ", "") for line in plan), plan
        assert "SEARCH c USING PRIMARY KEY (collection=? AND added=?)" in plan, plan
        assert plan.count("SCAN c") == (asked == "ids"), plan  # the few that have those ids
    finally:
        store.close()


@pytest.mark.parametrize("name", ["_SEEN", "_OUTDATED", "_KNOWN"])
def test_adding_looks_objects_up_by_their_ids(tmp_path: Path, name: str) -> None:
    store = open_store("sqlite", tmp_path)
    try:
        sql = f"EXPLAIN QUERY PLAN {getattr(collection, name)}"
        known = {"collection": 1, "ids": '[["url--a"]]', "now": 1, "before": 1}
        needed = {word: value for word, value in known.items() if f":{word}" in sql}
        plan = store.read(lambda tx: [row[3] for row in tx.rows(sql, **needed)])
        assert any("INDEX collected_version (id=?)" in line.replace("COVERING ", "") for line in plan), plan
    finally:
        store.close()


def _plan(tx: Tx, asked: Asked) -> list[str]:
    """How SQLite would look up a page."""
    explained: list[str] = []

    class Explaining:
        def rows(self, sql: str, **params: object) -> list[object]:
            explained.extend(row[3] for row in tx.rows(f"EXPLAIN QUERY PLAN {sql}", **params))
            return []

    collection.page(Explaining(), 1, asked, 10)  # type: ignore[arg-type]  # only `rows` is asked for
    return explained
