"""A collection of a TAXII 2.1 server, polled: every object once, whatever the server does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from neighbours.collection import ID, TITLE, Said, Server, an_indicator, ids, polling, serving, stored
from neighbours.mailbox import state, until
from neighbours.medallion import PASSWORD, USER, Medallion, medallion
from tocsin.config import Config
from tocsin.formats.stix.feed import identity_id
from tocsin.formats.stix.ids import ours
from tocsin.formats.stix.markings import MARKINGS
from tocsin.kit import resting
from tocsin.model import TLP
from tocsin.sources.taxii import Taxii
from tocsin.sources.taxii.mark import Mark, key, mark_of
from tocsin.store import Store, message


@pytest.fixture
def collection() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are got over in a moment."""
    monkeypatch.setattr(resting, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(resting, "FIRST_WAIT_FOR_A_PERSON_S", 0.05)
    monkeypatch.setattr(resting, "LONGEST_WAIT_S", 0.3)


def polled(server: Server | Medallion, **options: Any) -> Taxii:
    said = {"url": server.url, "collection": TITLE, "interval_s": 0.05, "begin": "all", "page": 5}
    return Taxii.model_validate(said | options)


def of_medallion(server: Medallion, **options: Any) -> Taxii:
    return polled(server, collection="Alerts", user=USER, password=PASSWORD, **options)


def is_well(store: Store) -> bool:
    """Whether it was read without fault since the last one."""
    now = state(store)
    return now.last_success is not None and now.last_success > (now.last_error_at or 0)


def marked(store: Store) -> Mark:
    found = mark_of(state(store).cursor)
    assert found is not None
    return found


def test_every_object_is_stored_once_though_many_share_an_instant(collection: Server, inbox: Store) -> None:
    collection.add(3)
    collection.add(13)
    with polling(polled(collection), inbox):
        until(lambda: len(ids(inbox)) == 16)
        collection.add(7)
        until(lambda: len(ids(inbox)) == 23)
    with polling(polled(collection), inbox):
        collection.add(1)
        until(lambda: len(ids(inbox)) == 24)

    assert ids(inbox) == collection.added.ids
    assert max(map(len, stored(inbox))) == 5


def test_it_asks_with_six_digits_from_just_before_the_last_instant(collection: Server, inbox: Store) -> None:
    collection.add(2)
    with polling(polled(collection), inbox):
        until(lambda: len(collection.asked) >= 2)

    assert collection.asked[0] == {"limit": "5"}
    assert collection.asked[1] == {"limit": "5", "added_after": "2026-11-18T00:00:01.234566Z"}


def test_what_is_kept_are_the_bytes_of_each_object(collection: Server, inbox: Store) -> None:
    spelled = b'{"objects": [{"id":  "x--1", "type": "x", "n": 1.10}, {"type":"x","id":"x--2"}]}'
    collection.will(Said(200, {"X-TAXII-Date-Added-Last": "2026-11-18T00:00:01Z"}, spelled))
    with polling(polled(collection), inbox):
        until(lambda: len(ids(inbox)) == 2)

    body = inbox.read(lambda tx: message.original(tx, 1))
    assert body == b'{"objects":[{"id":  "x--1", "type": "x", "n": 1.10},{"type":"x","id":"x--2"}]}'


@pytest.mark.parametrize("status", [400, 404, 410, 416, 422, 500])
def test_a_next_that_is_too_old_loses_nothing(collection: Server, inbox: Store, status: int) -> None:
    collection.add(12)
    collection.will(None, Said(status), None, None, Said(status))
    with polling(polled(collection), inbox):
        until(lambda: len(ids(inbox)) == 12)

    assert ids(inbox) == collection.added.ids


@pytest.mark.parametrize("way", ["no next", "no dates", "whole seconds", "empty pages", "no limit"])
def test_servers_that_stray_from_the_specification_are_read_whole(collection: Server, inbox: Store, way: str) -> None:
    collection.ways = frozenset((way,))
    for count in (2, 11, 4):
        collection.add(count, apart_us=400_000)
    with polling(polled(collection), inbox):
        until(lambda: len(ids(inbox)) == 17)
        collection.add(3, apart_us=400_000)
        until(lambda: len(ids(inbox)) == 20)

    assert ids(inbox) == collection.added.ids
    assert state(inbox).last_error == ""


@pytest.mark.parametrize("way", ["same page", "new tokens for the same page"])
def test_a_server_that_goes_in_circles_is_shown_and_read_once_it_does_not(
    collection: Server, inbox: Store, way: str
) -> None:
    collection.ways = frozenset((way,))
    collection.add(12)
    with polling(polled(collection), inbox):
        until(lambda: "the same pages again and again" in state(inbox).last_error)
        assert len(ids(inbox)) == 5
        collection.ways = frozenset()
        until(lambda: len(ids(inbox)) == 12)
        until(lambda: is_well(inbox))

    assert ids(inbox) == collection.added.ids


def test_a_server_that_says_there_is_more_and_never_gives_it_is_shown(collection: Server, inbox: Store) -> None:
    collection.ways = frozenset(("no next",))
    collection.add(30)
    with polling(polled(collection), inbox):
        until(lambda: "says that there is more, but not how to get it" in state(inbox).last_error)
        collection.ways = frozenset()
        until(lambda: len(ids(inbox)) == 30)

    assert ids(inbox) == collection.added.ids


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (Said(429, {"Retry-After": "1"}), "429"),
        (Said(503, {"Retry-After": "1"}), "503"),
        (Said(401), "check the key or password"),
        (Said(406), "does not speak TAXII 2.1"),
        (Said(200, {}, b"<html>no</html>", "text/html"), "no envelope of TAXII 2.1"),
        (Said(200, {}, b'{"objects": 5}'), "no envelope of TAXII 2.1"),
        (Said(500), "500"),
    ],
)
def test_what_ails_the_server_is_shown_and_got_over(collection: Server, inbox: Store, said: Said, shown: str) -> None:
    collection.add(7)
    collection.will(None, *[said] * 9)
    with polling(polled(collection, page=3), inbox):
        until(lambda: shown in state(inbox).last_error, within=60)
        until(lambda: len(ids(inbox)) == 7, within=60)
        until(lambda: is_well(inbox), within=60)

    assert ids(inbox) == collection.added.ids


def test_a_page_that_is_too_large_is_asked_for_in_parts(collection: Server, inbox: Store) -> None:
    collection.add(9)
    collection.will(Said(413))
    with polling(polled(collection, page=8), inbox):
        until(lambda: len(ids(inbox)) == 9)

    assert [query["limit"] for query in collection.asked[:2]] == ["8", "2"]
    assert ids(inbox) == collection.added.ids


def test_the_first_start_begins_where_it_is_told(collection: Server, inbox: Store) -> None:
    collection.add(2)
    second = collection.add(2)
    with polling(polled(collection, begin="2026-11-18T00:00:01.3Z"), inbox):
        until(lambda: len(ids(inbox)) == 2)

    assert ids(inbox) == second
    assert collection.asked[0]["added_after"] == "2026-11-18T00:00:01.300000Z"


def test_from_now_on_is_where_it_stays_over_starts(collection: Server, inbox: Store) -> None:
    collection.will(*[Said(200, {}, b"{}")] * 2)
    with polling(polled(collection, begin="now", interval_s=600), inbox):
        until(lambda: len(collection.asked) == 1 and state(inbox).cursor != "")
    with polling(polled(collection, begin="now", interval_s=600), inbox):
        until(lambda: len(collection.asked) == 2)

    assert collection.asked[0]["added_after"] == collection.asked[1]["added_after"]


@pytest.mark.parametrize("page", [50, 2, 1])
def test_what_this_tocsin_wrote_is_left_out_however_it_is_cut_into_pages(
    collection: Server, inbox: Store, page: int
) -> None:
    we, they = identity_id(inbox.uid, "SOC"), "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff"
    of_ours = an_indicator(1, created_by_ref=we)
    both, only_ours = ({"type": "ipv4-addr", "id": f"ipv4-addr--{n}", "value": f"192.0.2.{n}"} for n in (1, 2))
    observed = {"type": "observed-data", "id": "observed-data--1", "created_by_ref": we}
    seen = {"type": "observed-data", "id": "observed-data--2", "created_by_ref": they, "object_refs": [both["id"]]}
    slips = an_indicator(3, id=ours("indicator", inbox.uid, "slips", "uid-3"), x_slips_evidence_id="uid-3")
    green = {"type": "marking-definition", "id": MARKINGS[TLP.GREEN].id}
    collection.added.add([green, {"type": "identity", "id": we, "name": "SOC"}, of_ours, both, only_ours], 1)
    collection.added.add([observed | {"object_refs": [both["id"], only_ours["id"]]}, seen, slips], 1)
    collection.added.add([an_indicator(2, created_by_ref=they)], 2)
    collection.page = page
    with polling(polled(collection, own_identities=["SOC"], page=page), inbox):
        until(lambda: len(ids(inbox)) >= 3)

    assert ids(inbox) == [both["id"], seen["id"], an_indicator(2)["id"]]
    assert marked(inbox).own == 6


def test_only_the_types_that_are_wanted_are_asked_for(collection: Server, inbox: Store) -> None:
    with polling(polled(collection, types=["indicator", "x-acme"]), inbox):
        until(lambda: len(collection.asked) >= 1)

    assert collection.asked[0]["match[type]"] == "indicator,x-acme"


def test_another_collection_is_read_from_its_beginning(collection: Server, inbox: Store) -> None:
    collection.add(3)
    with polling(polled(collection), inbox):
        until(lambda: len(ids(inbox)) == 3)
    with polling(polled(collection, collection=ID), inbox):
        until(lambda: len(ids(inbox)) == 6)

    assert ids(inbox) == 2 * collection.added.ids


def test_medallion_is_read_whole_though_more_share_an_instant_than_a_page_holds(tmp_path: Path, inbox: Store) -> None:
    with medallion(tmp_path / "medallion", page=4) as server:
        server.add([an_indicator(number) for number in range(11)])
        with polling(of_medallion(server), inbox):
            until(lambda: len(ids(inbox)) == 11, within=60)
            server.add([an_indicator(number) for number in range(11, 14)])
            until(lambda: len(ids(inbox)) == 14, within=60)
        with polling(of_medallion(server, page=2), inbox):
            server.add([an_indicator(number) for number in range(14, 19)])
            until(lambda: len(ids(inbox)) == 19, within=60)

    assert sorted(ids(inbox)) == sorted(an_indicator(number)["id"] for number in range(19))
    assert state(inbox).last_error == ""


def test_an_object_is_known_however_it_is_spelled() -> None:
    one = {"type": "x", "id": "x--1", "n": 1.5}

    assert key(json.dumps(one).encode()) == key(json.dumps(dict(reversed(one.items())), indent=4).encode())
    assert key(b'{"id":"x--1"}') != key(b'{"id":"x--2"}')
    assert key(b"\xff") != key(b"\xfe")


@pytest.mark.parametrize("begin", ["yesterday", "2026-11-18T00:00:00", ""])
def test_a_begin_that_is_none_is_refused(begin: str) -> None:
    with pytest.raises(ValidationError, match="a time with its zone"):
        Taxii.model_validate({"url": "https://taxii.example/", "collection": "x", "begin": begin})


def test_what_destinations_and_collections_call_themselves_is_known_without_being_told() -> None:
    config = Config.model_validate(
        {
            "destinations": {"partner": {"type": "taxii", "identity": "CERT Example"}, "odd": {"identity": 7}},
            "collections": {"all": {"identity": "SOC Example"}},
        }
    )
    options = {"url": "http://127.0.0.1:9/taxii2/", "collection": ID, "own_identities": ["Before"]}

    known = Taxii.model_validate(options, context=config.context(Path()))

    assert known.identities == {"CERT Example", "SOC Example", "Before", "Tocsin"}
    assert Taxii.model_validate(options).identities == {"Before", "Tocsin"}
