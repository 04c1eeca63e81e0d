"""What Warden's readers find in the store: ids, pages, filters, cursors, and what goes."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest

from neighbours.postgres import Postgres
from tocsin.store import Store, Tx, open_store, warden
from tocsin.store.warden import Asked, Item, Page, Sent

NOW = 1_795_290_092_000_000


def item(
    n: int, *, cat: Sequence[str] = ("Recon", "Recon.Scanning"), tag: Sequence[str] = (), client: str = "org.example.a"
) -> Item:
    return Item(
        alertgroup=n,
        client=client,
        categories=tuple(cat),
        tags=tuple(tag),
        event=f"e{n}",
        digest="1",
        json=f'{{"n":{n}}}',
    )


def put(store: Store, *items: Item, now: int = NOW) -> set[tuple[str, str]]:
    return store.write(lambda tx: warden.put(tx, items, now))


def page(store: Store, after: int, limit: int = 100, **asked: Sequence[str]) -> Page:
    wanted = Asked(**{name: tuple(words) for name, words in asked.items()})
    return store.read(lambda tx: warden.page(tx, after, limit, wanted))


def numbers(found: Page) -> list[int]:
    return [int(text[5:-1]) for text in found.events]


def test_ids_begin_behind_one_and_an_empty_page_ends_at_the_newest(store: Store) -> None:
    assert page(store, 1) == Page((), 1)
    put(store, *(item(n) for n in range(5)))
    assert store.read(warden.newest) == 6
    assert page(store, 1, 3) == Page(('{"n":0}', '{"n":1}', '{"n":2}'), 4)
    assert numbers(page(store, 4)) == [3, 4]
    assert page(store, 6) == Page((), 6)
    assert page(store, 1000) == Page((), 6)


def test_what_is_there_is_not_put_again_and_another_version_is(store: Store) -> None:
    assert put(store, item(1), item(1), item(2)) == {("e1", "1"), ("e2", "1")}
    other = Item(alertgroup=2, client="x", categories=(), tags=(), event="e2", digest="2", json='{"n":9}')
    assert put(store, item(1), other) == {("e2", "2")}
    assert put(store) == set()
    assert numbers(page(store, 0)) == [1, 2, 9]


def test_filters_of_one_kind_are_alternatives_and_kinds_come_together(store: Store) -> None:
    put(
        store,
        item(0, cat=["Recon", "Recon.Scanning"], tag=["Network", "Flow"], client="org.example.hub.x"),
        item(1, cat=["Attempt", "Attempt.Login"], tag=["Honeypot"], client="org.example"),
        item(2, cat=["Other"], client="org.exam"),
        item(3, cat=["Recon"], tag=["Honeypot", "Network"], client="org.example_hub"),
    )
    assert numbers(page(store, 0, cat=["Recon"])) == [0, 3]
    assert numbers(page(store, 0, cat=["Recon.Scanning", "Other"])) == [0, 2]
    assert numbers(page(store, 0, nocat=["Recon", "Attempt"])) == [2]
    assert numbers(page(store, 0, tag=["Honeypot"])) == [1, 3]
    assert numbers(page(store, 0, notag=["Honeypot"])) == [0, 2]
    assert numbers(page(store, 0, group=["org.example"])) == [0, 1]
    assert numbers(page(store, 0, group=["org.exam"])) == [2]
    assert numbers(page(store, 0, nogroup=["org.example", "org.exam"])) == [3]
    assert numbers(page(store, 0, cat=["Recon"], tag=["Honeypot"])) == [3]
    assert numbers(page(store, 0, cat=["Recon"], nogroup=["org.example_hub"])) == [0]
    assert page(store, 0, cat=["Attempt"], tag=["Flow"]) == Page((), 5)


def test_a_rare_event_is_found_far_behind_and_pages_hold_each_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warden, "WINDOW", 7)
    put(store, *(item(n, cat=["Test"] if n % 40 == 39 else ["Other"]) for n in range(200)))
    assert numbers(page(store, 1, cat=["Test"])) == [39, 79, 119, 159, 199]
    seen, after = list[int](), 1
    while (found := page(store, after, 2, cat=["Test"])).events:
        seen, after = seen + numbers(found), found.last
    assert (seen, after) == ([39, 79, 119, 159, 199], 201)
    hasty = store.read(lambda tx: warden.page(tx, 1, 100, Asked(cat=("Test",)), seconds=-1))
    assert hasty == Page((), 8)  # it goes on there, and misses nothing
    assert numbers(store.read(lambda tx: warden.page(tx, 8, 100, Asked(cat=("Test",))))) == [39, 79, 119, 159, 199]


def test_each_client_has_a_cursor_of_its_own(store: Store) -> None:
    assert store.read(lambda tx: warden.cursor(tx, "a")) is None

    def move(tx: Tx) -> None:
        for client, id in (("a", 5), ("b", 7), ("a", 3)):
            warden.move(tx, client, id, NOW)

    store.write(move)
    assert store.read(lambda tx: [warden.cursor(tx, name) for name in "ab"]) == [3, 7]


def test_what_was_sent_is_known_again_by_client_id_and_content(store: Store) -> None:
    store.write(lambda tx: warden.remember(tx, "a", [Sent("x", "1"), Sent("y", "1"), Sent("x", "1")], NOW))
    asked = [Sent("x", "1"), Sent("x", "2"), Sent("z", "1")]
    assert store.read(lambda tx: warden.known(tx, "a", asked)) == {Sent("x", "1")}
    assert store.read(lambda tx: warden.known(tx, "b", asked)) == set()


def test_withdrawn_and_old_events_go_and_ids_never_come_again(store: Store) -> None:
    put(store, item(1, tag=["Flow"]), item(2), now=NOW - 10)
    put(store, item(3))
    assert store.write(lambda tx: warden.withdraw(tx, 1)) == [("Flow",)]
    store.write(lambda tx: warden.remember(tx, "a", [Sent("x", "1")], NOW - 10))
    assert store.write(lambda tx: warden.expire(tx, NOW, NOW)) == 2
    assert store.write(lambda tx: warden.expire(tx, NOW, NOW)) == 0
    assert numbers(page(store, 0)) == [3]
    assert store.write(lambda tx: warden.expire(tx, NOW + 1, 0)) == 1
    assert page(store, 0) == Page((), 4)
    put(store, item(4))
    assert page(store, 4) == Page(('{"n":4}',), 5)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("_KNOWN", "SEARCH s USING PRIMARY KEY (client=? AND id=? AND digest=?)"),
        ("_THERE", "SEARCH e USING COVERING INDEX warden_event_version (event=? AND digest=?)"),
        ("_SENDERS", "SEARCH g USING INTEGER PRIMARY KEY (rowid=?)"),
    ],
)
def test_what_is_asked_for_by_its_id_is_looked_up_by_it(tmp_path: Path, name: str, wanted: str) -> None:
    store = open_store("sqlite", tmp_path)
    try:
        sql = f"EXPLAIN QUERY PLAN {getattr(warden, name)}"
        known = {"client": "a", "wanted": '[["x","1"]]', "ids": "[[1]]"}
        needed = {word: value for word, value in known.items() if f":{word}" in sql}
        plan = store.read(lambda tx: [row[3] for row in tx.rows(sql, **needed)])
        assert wanted in plan
    finally:
        store.close()


def test_by_whom_an_alertgroup_came_is_known_for_those_that_came(store: Store) -> None:
    assert store.read(lambda tx: warden.senders(tx, [0, 5])) == {}


def test_a_reader_who_goes_on_behind_the_last_id_misses_nothing_that_others_add(
    postgres: Postgres, tmp_path: Path
) -> None:
    database = postgres.new_database()
    with ExitStack() as ending:
        ending.callback(postgres.drop, database)
        stores = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            stores.append(open_store(postgres.url(database), tmp_path / name))
            ending.callback(stores[-1].close)

        def write(store: Store, first: int) -> None:
            for n in range(100):
                put(store, item(first + n))

        writers = [Thread(target=write, args=pair) for pair in zip(stores, (0, 1000), strict=True)]
        for writer in writers:
            writer.start()
        seen, after = list[int](), 1
        while True:
            living = any(writer.is_alive() for writer in writers)
            found = page(stores[0], after, 7)
            seen, after = seen + numbers(found), found.last
            if not found.events and not living:
                break
        assert sorted(seen) == [*range(100), *range(1000, 1100)]
