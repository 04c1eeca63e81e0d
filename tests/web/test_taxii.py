"""What the TAXII server answers: its resources, filters, pages and errors. TAXII 2.1 sections 3 to 5."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tocsin.app import Hub, build
from tocsin.config import Config
from tocsin.web import create
from web.conftest import Caller
from web.shelf import AT, MEDIA, item, names, object_id, put

ROOT = "/taxii2/default/"
OBJECTS = f"{ROOT}collections/shared/objects/"
MANIFEST = f"{ROOT}collections/shared/manifest/"
CONFIG = {
    "taxii": {"title": "CSIRT", "contact": "csirt@example.org", "page_objects": 50, "max_content_mib": 1},
    "collections": {"shared": {"title": "What we share", "description": "All of it."}, "other": {"enabled": False}},
}


@pytest.fixture
def hub(engine: str, data: Path) -> Iterator[Hub]:
    hub = build(Config.model_validate({"store": {"url": engine}} | CONFIG), data)
    yield hub
    hub.stop()


@pytest.fixture
def filled(hub: Hub) -> Hub:
    """Five addresses, then two versions of an indicator."""
    put(hub, "shared", [item("ipv4-addr", n, None) for n in range(5)])
    put(hub, "shared", [item("indicator", "a", AT)])
    put(hub, "shared", [item("indicator", "a", AT + 1_000_000, revoked=True)])
    return hub


def test_the_server_tells_where_everything_is(admin: Caller) -> None:
    discovery = admin.get("/taxii2/")

    assert discovery.headers["content-type"] == MEDIA
    assert discovery.json() == {
        "title": "CSIRT",
        "contact": "csirt@example.org",
        "default": "http://tocsin.test/taxii2/default/",
        "api_roots": ["http://tocsin.test/taxii2/default/"],
    }
    assert admin.json(ROOT) == {"title": "CSIRT", "versions": [MEDIA], "max_content_length": 1024 * 1024}
    [known] = admin.json(f"{ROOT}collections/")["collections"]
    assert known == {
        "id": known["id"],
        "title": "What we share",
        "description": "All of it.",
        "alias": "shared",
        "can_read": True,
        "can_write": False,
        "media_types": ["application/stix+json;version=2.1"],
    }
    assert admin.json(f"{ROOT}collections/{known['id'].upper()}/") == known
    assert admin.json(f"{ROOT}collections/shared") == known


def test_a_collection_keeps_its_id_over_restarts_unless_one_is_configured(hub: Hub, admin: Caller) -> None:
    [first] = admin.json(f"{ROOT}collections/")["collections"]
    [again] = admin.json(f"{ROOT}collections/")["collections"]
    assert first["id"] == again["id"]
    assert first["id"] != hub.store.uid


def test_an_empty_collection_answers_with_an_empty_resource_and_no_dates(admin: Caller) -> None:
    for path in (OBJECTS, MANIFEST):
        answer = admin.get(path)
        assert (answer.status_code, answer.json()) == (200, {})
        assert "x-taxii-date-added-first" not in answer.headers


def test_objects_come_in_the_order_in_which_they_were_added_and_say_when(filled: Hub, admin: Caller) -> None:
    answer = admin.get(OBJECTS)

    assert names(answer.json()) == ["0", "1", "2", "3", "4", "a"]
    assert answer.json()["more"] is False
    assert answer.headers["x-taxii-date-added-first"] == "2026-11-21T19:41:32.000000Z"
    assert answer.headers["x-taxii-date-added-last"] == "2026-11-21T19:41:32.000006Z"


def test_every_date_added_is_another_and_later_even_when_the_clock_goes_back(filled: Hub, admin: Caller) -> None:
    put(filled, "shared", [item("url", "late", None)], now=AT - 3_600_000_000)
    records = admin.json(f"{MANIFEST}?match[version]=all")["objects"]
    added = [each["date_added"] for each in records]
    assert added == sorted(set(added))
    assert len(added) == 8


def test_added_after_is_strict_and_a_reader_can_go_on_from_the_last_date(filled: Hub, admin: Caller) -> None:
    first = admin.get(f"{OBJECTS}?limit=2")
    last = first.headers["x-taxii-date-added-last"]

    assert names(admin.json(f"{OBJECTS}?added_after={last}")) == ["2", "3", "4", "a"]
    assert admin.json(f"{OBJECTS}?added_after=2999-01-01T00:00:00Z") == {}


@pytest.mark.parametrize(
    "written",
    ["2026-11-21T19:41:32.000003Z", "2026-11-21T20:41:32.000003%2B01:00", "2026-11-21T20:41:32.000003+01:00"],
)
def test_a_time_may_be_written_with_any_zone(filled: Hub, admin: Caller, written: str) -> None:
    assert names(admin.json(f"{OBJECTS}?added_after={written}")) == ["4", "a"]


def test_pages_are_as_long_as_asked_and_no_longer_than_configured(filled: Hub, admin: Caller) -> None:
    put(filled, "shared", [item("url", n, None) for n in range(60)])

    assert len(admin.json(f"{OBJECTS}?limit=1000")["objects"]) == 50
    first = admin.json(f"{OBJECTS}?limit=4")
    assert (names(first), first["more"]) == (["0", "1", "2", "3"], True)
    second = admin.json(f"{OBJECTS}?limit=2&next={first['next']}")
    assert names(second) == ["4", "a"]


def test_a_page_can_be_asked_for_again_and_without_limit(filled: Hub, admin: Caller) -> None:
    token = admin.json(f"{OBJECTS}?limit=4")["next"]
    for _ in range(2):
        last = admin.json(f"{OBJECTS}?next={token}")
        assert (names(last), last["more"], "next" in last) == (["4", "a"], False, False)


def test_a_page_that_is_just_full_says_that_it_is_the_last(filled: Hub, admin: Caller) -> None:
    whole = admin.json(f"{OBJECTS}?limit=6")
    assert (len(whole["objects"]), whole["more"]) == (6, False)


def test_a_token_belongs_to_its_filters(filled: Hub, admin: Caller) -> None:
    token = admin.json(f"{OBJECTS}?limit=2&match[type]=ipv4-addr")["next"]
    assert admin.get(f"{OBJECTS}?limit=2&match[type]=ipv4-addr&next={token}").status_code == 200
    for other in ("", "&match[type]=url", "&match[type]=ipv4-addr&match[version]=all"):
        answer = admin.get(f"{OBJECTS}?limit=2{other}&next={token}")
        assert (answer.status_code, "filters" in answer.json()["description"]) == (400, True)


def test_filters_of_type_and_id_mean_any_of_their_values_and_all_of_each_other(filled: Hub, admin: Caller) -> None:
    zero, a = object_id("ipv4-addr", 0), object_id("indicator", "a")

    assert names(admin.json(f"{OBJECTS}?match[type]=indicator,ipv4-addr")) == ["0", "1", "2", "3", "4", "a"]
    assert names(admin.json(f"{OBJECTS}?match%5Btype%5D=indicator")) == ["a"]
    assert names(admin.json(f"{OBJECTS}?match[id]={a},{zero}")) == ["0", "a"]
    assert names(admin.json(f"{OBJECTS}?match[id]={a},{zero}&match[type]=indicator")) == ["a"]
    assert admin.json(f"{OBJECTS}?match[type]=malware") == {}
    assert names(admin.json(f"{OBJECTS}?match[type]=indicator,ipv4-addr&limit=2&match[id]={zero},{a}")) == ["0", "a"]


def test_pages_of_several_types_keep_the_order_of_adding(filled: Hub, admin: Caller) -> None:
    put(filled, "shared", [item(("url", "ipv4-addr")[n % 2], f"x{n}", None) for n in range(6)])
    seen, token = [], ""
    while True:
        page = admin.json(f"{OBJECTS}?match[type]=url,ipv4-addr&limit=4{token}")
        seen += names(page)
        if not page["more"]:
            break
        token = f"&next={page['next']}"
    assert seen == ["0", "1", "2", "3", "4", "x0", "x1", "x2", "x3", "x4", "x5"]


def test_versions_are_the_last_unless_others_are_asked_for(filled: Hub, admin: Caller) -> None:
    a = object_id("indicator", "a")
    first, last = "2026-11-21T19:41:32.000000Z", "2026-11-21T19:41:33.000000Z"

    def versions(asked: str) -> list[str]:
        found = admin.json(f"{MANIFEST}?match[type]=indicator{asked}")
        return [each["version"] for each in found.get("objects", [])]

    assert versions("") == versions("&match[version]=last") == [last]
    assert versions("&match[version]=first") == [first]
    assert versions("&match[version]=all") == versions("&match[version]=first,last") == [first, last]
    assert versions("&match[version]=2026-11-21T19:41:32Z") == [first]
    assert versions("&match[version]=2001-01-01T00:00:00Z") == []
    assert admin.json(f"{OBJECTS}{a}/versions/") == {"more": False, "versions": [first, last]}
    assert [each["revoked"] for each in admin.json(f"{OBJECTS}{a}/")["objects"]] == [True]
    assert len(admin.json(f"{OBJECTS}{a}?match[version]=all")["objects"]) == 2
    assert len(admin.json(f"{OBJECTS}?match[version]=first")["objects"]) == 6


def test_an_older_version_that_comes_later_is_not_the_last(filled: Hub, admin: Caller) -> None:
    put(filled, "shared", [item("indicator", "a", AT - 5_000_000, revoked=False)])
    [known] = admin.json(f"{OBJECTS}?match[type]=indicator")["objects"]
    assert known["revoked"] is True


def test_what_was_added_before_is_not_added_again(filled: Hub, admin: Caller) -> None:
    again = put(filled, "shared", [item("ipv4-addr", 0, None), item("indicator", "a", AT), item("url", "new", None)])
    assert [each.type for each in again] == ["url"]
    assert len(admin.json(f"{OBJECTS}?match[version]=all")["objects"]) == 8


def test_there_is_only_stix_two_one(filled: Hub, admin: Caller) -> None:
    assert admin.json(f"{OBJECTS}?match[spec_version]=2.0") == {}
    assert len(admin.json(f"{OBJECTS}?match[spec_version]=2.0,2.1")["objects"]) == 6


def test_an_observable_has_the_moment_it_was_added_as_its_version(filled: Hub, admin: Caller) -> None:
    for record in admin.json(f"{MANIFEST}?match[type]=ipv4-addr")["objects"]:
        assert record["version"] == record["date_added"]
        assert record["media_type"] == "application/stix+json;version=2.1"


@pytest.mark.parametrize(
    "asked",
    [
        "limit=0",
        "limit=-1",
        "limit=many",
        "added_after=yesterday",
        "added_after=2026-13-01T00:00:00Z",
        "added_after=2026-11-21T19:41:32",
        "next=rubbish",
        "match[version]=newest",
        "match[colour]=red",
        "match[type]=" + ",".join(["x"] * 501),
    ],
)
def test_what_cannot_be_understood_is_refused_with_the_remedy(filled: Hub, admin: Caller, asked: str) -> None:
    answer = admin.get(f"{OBJECTS}?{asked}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == MEDIA
    error = answer.json()
    assert (error["title"], error["http_status"]) == ("Bad Request", "400")
    assert error["description"].startswith(asked.partition("=")[0])


@pytest.mark.parametrize(
    "path",
    [
        "/taxii2/nowhere/",
        "/taxii2/default/nothing/",
        f"{ROOT}collections/other/",
        f"{ROOT}collections/other/objects/",
        f"{OBJECTS}indicator--00000000-0000-4000-8000-000000000000/",
        f"{ROOT}status/00000000-0000-4000-8000-000000000000/",
        f"{ROOT}status/nothing/",
    ],
)
def test_what_is_not_there_is_an_error_resource(filled: Hub, admin: Caller, path: str) -> None:
    answer = admin.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA)
    assert answer.json()["http_status"] == "404"


def test_nothing_can_be_deleted_or_put(filled: Hub, admin: Caller) -> None:
    answer = admin.delete(f"{OBJECTS}{object_id('indicator', 'a')}/")
    assert (answer.status_code, answer.headers["content-type"]) == (405, MEDIA)
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    "accept",
    [
        "application/taxii+json;version=2.1",
        "application/taxii+json; version=2.1",
        'Application/TAXII+json ; Version="2.1"',
        "application/taxii+json",
        "*/*",
        "application/*;q=0.5",
        "text/html, application/taxii+json;version=2.1;q=0.1",
        "",
    ],
)
def test_whoever_takes_what_there_is_gets_it(admin: Caller, accept: str) -> None:
    answer = admin.get("/taxii2/", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA)


@pytest.mark.parametrize(
    "accept",
    [
        "application/taxii+json;version=2.0",
        "application/vnd.oasis.taxii+json; version=2.0",
        "text/html",
        "application/taxii+json;version=2.1;q=0",
        "application/taxii+json;q=much",
    ],
)
def test_whoever_does_not_is_told_so(admin: Caller, accept: str) -> None:
    answer = admin.get(OBJECTS, headers={"accept": accept})
    assert (answer.status_code, answer.json()["http_status"]) == (406, "406")


def test_slashes_at_the_end_may_be_left_out(filled: Hub, admin: Caller) -> None:
    for path in ("/taxii2", "/taxii2/default", OBJECTS[:-1], MANIFEST[:-1]):
        assert admin.json(path) == admin.json(f"{path}/")


def test_without_collections_there_is_an_empty_server(tmp_path: Path, admin: Caller) -> None:
    hub = build(Config.model_validate({"taxii": {"api_roots": {"eu": {"title": "EU"}, "us": {}}}}), tmp_path / "bare")
    try:
        caller = Caller(create(hub, control="secret"), admin.runner, authorization="Bearer secret")
        assert caller.json("/taxii2/eu/")["title"] == "EU"
        assert caller.json("/taxii2/us/")["title"] == "us"
        assert caller.json("/taxii2/us/collections/") == {}
        assert caller.json("/taxii2/")["default"].endswith("/taxii2/eu/")
    finally:
        hub.stop()
