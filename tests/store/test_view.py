"""Saved views: one's own and those of others, and who may do what with them."""

import pytest

from tocsin.errors import BadQuery, Malformed, NotFound, NotYours, Refused, Taken, TocsinError
from tocsin.store import Store, view
from tocsin.store.view import SavedView, Wanted

NOW = 1_777_896_000_000_000


def put(store: Store, who: str, name: str, query: str = "status:open", *, shared: bool = False) -> SavedView:
    wanted = Wanted(name=name, query=query, sort="-views", shared=shared)
    return store.write(lambda tx: view.put(tx, who, wanted, NOW))


def drop(store: Store, known: SavedView, now: int = NOW) -> None:
    store.write(lambda tx: view.drop(tx, known.id, known.owner, now))


def names(store: Store, who: str) -> list[str]:
    return [found.name for found in store.read(lambda tx: view.listing(tx, who))]


def test_a_view_is_read_as_it_was_kept_and_its_times_are_told(store: Store) -> None:
    kept = put(store, "ada", "  Last \t hour ", " received>now-1h and not tag:(a or b) ", shared=True)

    assert kept == SavedView(
        id=kept.id, owner="ada", name="Last hour", query="received>now-1h and not tag:(a or b)", sort="-views",
        shared=True, created=NOW, changed=NOW,
    )  # fmt: skip
    assert store.read(lambda tx: view.get(tx, kept.id, "grace")) == kept
    wanted = Wanted(name="Hour", query="", sort="-received")
    changed = store.write(lambda tx: view.change(tx, kept.id, "ada", wanted, NOW + 5))
    assert (changed.name, changed.query, changed.sort, changed.shared) == ("Hour", "", "", False)
    assert (changed.created, changed.changed) == (NOW, NOW + 5)


def test_ones_own_stand_first_then_what_others_share_each_by_name(store: Store) -> None:
    put(store, "grace", "a shared one", shared=True)
    put(store, "grace", "a private one")
    put(store, "ada", "Zebra", shared=True)
    put(store, "ada", "élan")
    put(store, "ada", "beta")

    assert names(store, "ada") == ["beta", "Zebra", "élan", "a shared one"]
    assert names(store, "grace") == ["a private one", "a shared one", "Zebra"]
    assert names(store, "nobody") == ["a shared one", "Zebra"]


def test_two_owners_may_use_one_name_and_one_owner_may_not_use_it_twice(store: Store) -> None:
    mine = put(store, "ada", "queue")
    other = put(store, "ada", "other")
    put(store, "grace", "queue")

    with pytest.raises(Taken, match="'queue'"):
        put(store, "ada", "queue")
    with pytest.raises(Taken):
        store.write(lambda tx: view.change(tx, other.id, "ada", Wanted(name="queue", query=""), NOW))
    same = store.write(lambda tx: view.change(tx, mine.id, "ada", Wanted(name="queue", query="tag:x"), NOW))
    assert same.query == "tag:x"


@pytest.mark.parametrize(
    ("wanted", "error", "told"),
    [
        (Wanted(name=" ", query=""), Malformed, "needs a name"),
        (Wanted(name="a\x00b", query=""), Malformed, "control character"),
        (Wanted(name="n" * 101, query=""), Malformed, "at most 100 characters; this one has 101"),
        (Wanted(name="n", query="a " * 2001), Malformed, "at most 4,000 characters; this one has 4,001"),
        (Wanted(name="n", query='"\x00"'), Malformed, "NUL"),
        (Wanted(name="n", query="", sort="--views"), Malformed, "cannot be sorted by '--views': use received, id,"),
        (Wanted(name="n", query="sorce:splunk"), BadQuery, r"\(character 1\): did you mean source\?"),
    ],
    ids=lambda given: str(given)[:30],
)
def test_what_cannot_be_kept_is_refused_with_place_and_remedy(
    store: Store, wanted: Wanted, error: type[TocsinError], told: str
) -> None:
    with pytest.raises(error, match=told):
        store.write(lambda tx: view.put(tx, "ada", wanted, NOW))
    good = put(store, "ada", "good")
    with pytest.raises(error, match=told):
        store.write(lambda tx: view.change(tx, good.id, "ada", wanted, NOW))

    assert names(store, "ada") == ["good"]


def test_a_private_view_does_not_exist_for_others_not_even_for_an_admin(store: Store) -> None:
    private = put(store, "ada", "private")

    for work in (
        lambda tx: view.get(tx, private.id, "root"),
        lambda tx: view.change(tx, private.id, "root", Wanted(name="x", query=""), NOW, admin=True),
        lambda tx: view.drop(tx, private.id, "root", NOW, admin=True),
        lambda tx: view.restore(tx, private.id, "root", admin=True),
    ):
        with pytest.raises(NotFound):
            store.write(work)
    assert names(store, "ada") == ["private"]


def test_a_shared_view_is_changed_by_its_owner_or_an_admin_alone(store: Store) -> None:
    shared = put(store, "ada", "team", shared=True)
    wanted = Wanted(name="team queue", query="tag:x", shared=True)

    with pytest.raises(NotYours, match="is ada's"):
        store.write(lambda tx: view.change(tx, shared.id, "grace", wanted, NOW))
    with pytest.raises(NotYours):
        store.write(lambda tx: view.drop(tx, shared.id, "grace", NOW))
    changed = store.write(lambda tx: view.change(tx, shared.id, "root", wanted, NOW, admin=True))
    assert (changed.owner, changed.name) == ("ada", "team queue")
    store.write(lambda tx: view.drop(tx, shared.id, "root", NOW, admin=True))
    with pytest.raises(NotYours):
        store.write(lambda tx: view.restore(tx, shared.id, "grace"))
    assert store.write(lambda tx: view.restore(tx, shared.id, "root", admin=True)).owner == "ada"


def test_a_deleted_view_is_gone_and_comes_back_unless_its_name_is_taken(store: Store) -> None:
    first = put(store, "ada", "queue", shared=True)
    drop(store, first)
    assert names(store, "ada") == names(store, "grace") == []
    assert store.read(lambda tx: view.dropped(tx, first.id, "grace")) == first
    with pytest.raises(NotFound):
        drop(store, first)

    second = put(store, "ada", "queue")
    with pytest.raises(Taken):
        store.write(lambda tx: view.restore(tx, first.id, "ada"))
    drop(store, second)
    assert store.write(lambda tx: view.restore(tx, first.id, "ada")) == first
    assert names(store, "grace") == ["queue"]


def test_the_number_of_views_and_of_deleted_ones_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "MOST", 3)
    monkeypatch.setattr(view, "_MOST_DROPPED", 2)
    made = [put(store, "ada", f"view {n}") for n in range(3)]

    with pytest.raises(Refused, match="3 saved views: delete one first"):
        put(store, "ada", "one more")
    put(store, "grace", "is another owner")
    for n, known in enumerate(made):
        drop(store, known, NOW + n)
    assert store.read(lambda tx: tx.row("SELECT count(*) FROM saved_view")) == (3,)
    with pytest.raises(NotFound):
        store.write(lambda tx: view.restore(tx, made[0].id, "ada"))
    assert store.write(lambda tx: view.restore(tx, made[1].id, "ada")).name == "view 1"
