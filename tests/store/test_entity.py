"""What is known of entities: by any spelling, seen from an alertgroup, with the alertgroups they stand in."""

from functools import partial
from typing import Any

import pytest

from neighbours.messages import NOW, posted
from tocsin import detection
from tocsin.entities import DEFAULT
from tocsin.indexing.reading import read
from tocsin.model import Alertgroup
from tocsin.store import Part, Store, alertgroup, entity, entry, index

URL = "see hxxps://evil[.]example[.]com/gate"


def stored(store: Store, *rows: dict[str, Any], subject: str = "beacon") -> int:
    part = Part(group=Alertgroup.of_rows(subject, list(rows)), severity=None, lanes=())
    return store.append(entry(posted(f"{subject} {rows}".encode()), [part], "scot", "1")).result(60).alertgroups[0]


def put_all(store: Store) -> None:
    waiting = store.read(lambda tx: index.waiting(tx, 100))
    groups = store.read(lambda tx: alertgroup.load(tx, [each.group for each in waiting]))
    batch = [part for each in waiting for part in read(detection.known(groups[each.group]), each.since, DEFAULT)]
    store.write(lambda tx: index.put(tx, batch))


def found(store: Store, text: str, type: str = "") -> list[tuple[str, str]]:
    return [(one.type, one.value) for one in store.read(lambda tx: entity.find(tx, text, type))]


def test_the_entities_of_an_alertgroup_say_how_often_they_stand_in_it_and_in_how_many_others(store: Store) -> None:
    group = stored(store, {"src": "10.0.0.1", "note": URL}, {"src": "10.0.0.1", "dst": "192.0.2.9"})
    stored(store, {"src": "10.0.0.1"}, subject="second")
    assert store.read(lambda tx: entity.of_group(tx, group)) == []
    put_all(store)

    seen = store.read(lambda tx: entity.of_group(tx, group, places=True))
    assert [(one.type, one.value, one.n, one.elsewhere) for one in seen] == [
        ("domain", "evil.example.com", 1, 0),
        ("ipv4", "10.0.0.1", 2, 1),
        ("ipv4", "192.0.2.9", 1, 0),
        ("url", "https://evil.example.com/gate", 1, 0),
    ]
    assert [place[1] for place in seen[1].places] == ["src", "src"]
    assert (seen[1].first_seen, seen[1].last_seen, seen[1].sightings) == (NOW, NOW, 3)


def test_seen_from_an_alertgroup_it_does_not_stand_in_all_alertgroups_are_others(store: Store) -> None:
    first, second = stored(store, {"src": "10.0.0.1"}), stored(store, {"src": "10.0.0.2"}, subject="second")
    put_all(store)

    pairs = [("ipv4", "10.0.0.1"), ("ipv4", "10.0.0.9"), ("url", "http://" + "x" * 2000 + ".example/")]
    for group, elsewhere in ((first, 0), (second, 1)):
        known = store.read(partial(entity.seen, group=group, pairs=pairs))
        assert {pair: one.elsewhere for pair, one in known.items()} == {pairs[0]: elsewhere}
        assert store.read(partial(entity.elsewhere, group=group, pairs=pairs)) == {pairs[0]: elsewhere}


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("2001:DB8:0:0::1", ("ipv6", "2001:db8::1")),
        ("2001:db8:0:0:0:0:0:1", ("ipv6", "2001:db8::1")),
        (" [2001:db8::1]:443 ", ("ipv6", "2001:db8::1")),
        ("hxxps://EVIL[.]example[.]com/gate", ("url", "https://evil.example.com/gate")),
        ("evil[dot]example[dot]com", ("domain", "evil.example.com")),
        ("EVIL.EXAMPLE.COM", ("domain", "evil.example.com")),
        ("CVE 2021-44228", ("cve", "CVE-2021-44228")),
        ("AA-BB-CC-DD-EE-0F", ("mac", "aa:bb:cc:dd:ee:0f")),
        ("D41D8CD98F00B204E9800998ECF8427E", ("md5", "d41d8cd98f00b204e9800998ecf8427e")),
    ],
)
def test_an_entity_is_found_by_every_spelling_an_analyst_may_paste(
    store: Store, spelling: str, expected: tuple[str, str]
) -> None:
    stored(
        store,
        {"a": "2001:db8::1", "b": URL, "c": "CVE-2021-44228", "d": "aabb.ccdd.ee0f"},
        {"a": "d41d8cd98f00b204e9800998ecf8427e"},
    )
    put_all(store)

    assert found(store, spelling)[0] == expected
    assert found(store, spelling, expected[0])[0] == expected
    assert found(store, spelling, "asn") == []


def test_a_pasted_text_finds_the_outer_before_the_inner_and_types_may_be_scots(store: Store) -> None:
    stored(store, {"a": URL, "b": "10.0.0.1"})
    put_all(store)

    assert found(store, "GET hxxps://evil[.]example[.]com/gate from 10.0.0.1") == [
        ("url", "https://evil.example.com/gate"),
        ("domain", "evil.example.com"),
        ("ipv4", "10.0.0.1"),
    ]
    assert found(store, "10.0.0.1", "ipaddr") == [("ipv4", "10.0.0.1")]
    assert found(store, "never.example.org") == []
    assert found(store, "' OR 1=1 --\u202e") == []


def test_a_value_longer_than_an_index_takes_is_found_all_the_same(store: Store) -> None:
    long = "https://evil.example.com/" + "a" * 900
    stored(store, {"u": long, "v": long + "b"})
    put_all(store)

    assert found(store, long) == [("url", long), ("domain", "evil.example.com")]
    one = store.read(lambda tx: entity.get(tx, "url", long + "b"))
    assert one is not None
    assert one.value == long + "b"


def test_the_alertgroups_of_an_entity_come_newest_first_page_by_page_without_the_deleted(store: Store) -> None:
    groups = [stored(store, {"src": "10.0.0.1"}, {"src": "10.0.0.1"}, subject=f"s{n}") for n in range(7)]
    put_all(store)
    store.write(lambda tx: alertgroup.delete(tx, groups[3], "me", NOW))
    one = store.read(lambda tx: entity.get(tx, "ipv4", "10.0.0.1"))
    assert one is not None

    pages: list[int] = []
    after: int | None = None
    while page := store.read(partial(entity.groups_of, entity=one.id, limit=2, after=after)):
        pages += [each.id for each in page]
        after = page[-1].id
        assert {each.n for each in page} == {2}
    assert pages == [each for each in reversed(groups) if each != groups[3]]
    beside = store.read(lambda tx: entity.groups_of(tx, one.id, 2, beside=groups[-1]))
    assert [each.subject for each in beside] == ["s5", "s4"]


def test_a_deleted_alertgroup_does_not_count_until_it_is_brought_back(store: Store) -> None:
    first, second = stored(store, {"src": "10.0.0.1"}), stored(store, {"src": "10.0.0.1"}, subject="second")
    put_all(store)

    def others() -> int:
        return store.read(lambda tx: entity.seen(tx, first, [("ipv4", "10.0.0.1")]))["ipv4", "10.0.0.1"].elsewhere

    assert others() == 1
    store.write(lambda tx: alertgroup.delete(tx, second, "me", NOW))
    put_all(store)
    assert others() == 0
    store.write(lambda tx: alertgroup.undelete(tx, second, "me", NOW))
    put_all(store)
    assert others() == 1


def test_what_is_deleted_while_it_waits_is_not_counted_later(store: Store) -> None:
    group = stored(store, {"src": "10.0.0.1"})
    waiting = store.read(lambda tx: index.waiting(tx, 10))
    known = store.read(lambda tx: alertgroup.load(tx, [group]))[group]
    late = read(detection.known(known), waiting[0].since, DEFAULT)
    store.write(lambda tx: alertgroup.delete(tx, group, "me", NOW))

    assert store.write(lambda tx: index.put(tx, late)) == 0
    assert found(store, "10.0.0.1") == []
    assert store.read(index.lag).waiting == 0
