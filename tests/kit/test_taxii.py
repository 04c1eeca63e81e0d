"""The client of TAXII 2.1: what it asks for, what it finds, how it pages, and what it says when something is wrong."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from neighbours import taxii as neighbour
from neighbours.certificates import Authority
from neighbours.medallion import PASSWORD, USER, medallion
from neighbours.taxii import COLLECTION, MEDIA, TOKEN, Taxii, a_collection
from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.kit import taxii
from tocsin.kit.taxii import Refused, TaxiiOptions, Unclear, instant, just_before, plain, version
from tocsin.kit.taxii.resources import fits

US: dict[str, Any] = {"user": neighbour.USER, "password": neighbour.PASSWORD}


@pytest.fixture
def server() -> Iterator[Taxii]:
    with neighbour.taxii() as known:
        yield known


def options(**given: Any) -> TaxiiOptions:
    return TaxiiOptions.model_validate({"collection": "Alerts"} | given)


class Open:
    """Clients of a test, closed at its end."""

    def __init__(self, server: Taxii) -> None:
        self.server, self.made = server, list[taxii.Taxii]()

    def __call__(self, **rest: Any) -> taxii.Taxii:
        self.made.append(taxii.Taxii(options(**{"url": self.server.url, "timeout_s": 60} | US | rest)))
        return self.made[-1]


@pytest.fixture
def to(server: Taxii) -> Iterator[Open]:
    made = Open(server)
    yield made
    for client in made.made:
        client.close()


def an_object(n: int, **rest: Any) -> dict[str, Any]:
    return {"type": "x", "id": f"x--{n:08}-0000-4000-8000-000000000000", "modified": "2026-11-22T00:00:00.000Z"} | rest


def encoded(*numbers: int) -> list[bytes]:
    return [json.dumps(an_object(n)).encode() for n in numbers]


def numbers_of(objects: tuple[bytes, ...]) -> list[int]:
    return [int(json.loads(one)["id"][3:11]) for one in objects]


def failure(client: taxii.Taxii, use: str = "write") -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        client.place("write" if use == "write" else "read")
    assert neighbour.PASSWORD not in str(caught.value)
    return caught.value


def test_every_request_says_exactly_what_the_strictest_servers_compare(server: Taxii, to: Open) -> None:
    client = to()
    client.post(encoded(1))
    client.status("none")
    client.objects()
    client.known(["x"])

    assert {headers["Accept"] for _, _, headers, _ in server.requests} == {MEDIA}
    assert [headers["Content-Type"] for method, _, headers, _ in server.requests if method == "POST"] == [MEDIA]
    assert all(path.partition("?")[0].endswith("/") for _, path, _, _ in server.requests)


@pytest.mark.parametrize("name", [COLLECTION, "Alerts", "alerts ", "short"])
def test_a_collection_is_found_by_id_title_or_alias_in_any_relative_root(server: Taxii, to: Open, name: str) -> None:
    server.collections = [a_collection(alias="short"), a_collection("other", "Other")]
    place = to(collection=name).place("write")

    assert place.url == f"{server.url}root/collections/{COLLECTION}/"
    assert place.max_content_length == 100_000


def test_a_url_may_be_that_of_an_api_root(server: Taxii, to: Open) -> None:
    assert to(url=f"{server.url}root").place("write").collection.id == COLLECTION


def test_host_port_and_discovery_are_a_url_too(server: Taxii, to: Open) -> None:
    port = int(server.url.split(":")[2].partition("/")[0])
    client = to(url="", host="localhost", port=port, https=False, discovery="taxii2")

    assert client.place("write").collection.title == "Alerts"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"host": "taxii.example"}, "https://taxii.example/taxii2/"),
        ({"host": "2001:db8::1", "port": 8443, "discovery": "/x/y"}, "https://[2001:db8::1]:8443/x/y/"),
        ({"host": "taxii.example", "https": False, "discovery": "/"}, "http://taxii.example/"),
        ({"url": "https://taxii.example/taxii2"}, "https://taxii.example/taxii2/"),
    ],
)
def test_the_options_make_one_url_that_ends_in_a_slash(given: dict[str, Any], url: str) -> None:
    assert options(**given).discovery_url == url


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, "give either url or host"),
        ({"url": "https://h/", "host": "h"}, "give either url or host"),
        ({"url": "ftp://h/"}, "must begin with https://"),
        ({"url": "https://u:p@h/"}, "holds no user"),
        ({"host": "h", "user": "u"}, "go together"),
        ({"host": "h", "password": "p"}, "go together"),
        ({"host": "h", "user": "u:v", "password": "p"}, "no colon"),
        ({"host": "h", "user": "u", "password": "p", "token": "t"}, "either a token"),
        ({"host": "h", "client_key": "k.pem"}, "nothing without client_cert"),
        ({"host": "h", "collection": ""}, "at least 1 character"),
    ],
)
def test_options_that_contradict_each_other_are_refused(given: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        options(**given)


def test_a_token_is_sent_as_bearer(server: Taxii, to: Open) -> None:
    client = to(user="", password=None, token=TOKEN)

    assert client.place("read").collection.id == COLLECTION
    assert server.requests[0][2]["Authorization"] == "Bearer t0ken"


def test_the_password_is_given_to_no_other_server(server: Taxii, to: Open) -> None:
    server.roots = ["https://elsewhere.example/api/"]
    error = failure(to())

    assert isinstance(error, Rejected)
    assert "API roots of other servers were left out (https://elsewhere.example): give their url" in str(error)


@pytest.mark.parametrize(
    ("change", "ours", "use", "words"),
    [
        (
            {},
            {"collection": "Alarts"},
            "write",
            "there is no such thing as the collection Alarts .*did you mean Alerts",
        ),
        ({}, {"collection": "x"}, "write", "known are: Alerts"),
        ({"collections": []}, {}, "write", "there are none"),
        ({"collections": [a_collection(can_write=False)]}, {}, "write", r"may not be written .*\(can_write is false\)"),
        ({"collections": [a_collection(can_read=False)]}, {}, "read", r"may not be read .*\(can_read is false\)"),
        (
            {"collections": [a_collection(), a_collection("again")]},
            {},
            "write",
            f"more than one .*: give it by its id, one of {COLLECTION}, again",
        ),
        (
            {"collections": [a_collection(media_types=["application/vnd.oasis.stix+json; version=2.0"])]},
            {},
            "write",
            "does not take STIX 2.1, but application/vnd.oasis.stix",
        ),
        ({"versions": ["application/taxii+json;version=2.0"]}, {}, "write", "speaks only application/taxii"),
        ({}, {"password": "wrong"}, "write", "answered 401 .*check the key or password"),
        ({"next_get": [403]}, {}, "write", "the discovery of http://localhost:.* answered 403"),
        ({"next_get": [404]}, {}, "write", "answered 404 .*: check url, or host and discovery"),
        ({"next_get": [406]}, {}, "write", "answered 406 .*: it does not speak TAXII 2.1"),
        ({"next_get": [301]}, {}, "write", "redirects are not followed"),
    ],
)
def test_what_a_person_has_to_mend_is_said_in_words(
    server: Taxii, to: Open, change: dict[str, Any], ours: dict[str, Any], use: str, words: str
) -> None:
    for name, value in change.items():
        setattr(server, name, value)
    error = failure(to(**ours), use)

    assert isinstance(error, Rejected)
    assert re.search(words, str(error))


@pytest.mark.parametrize("media", ["application/stix+json;version=2.1", "application/stix+json; version=2.1", None])
def test_stix_in_any_spelling_or_unsaid_is_taken(server: Taxii, to: Open, media: str | None) -> None:
    server.collections = [a_collection(media_types=[media] if media else None)]

    assert to().place("write").collection.id == COLLECTION


@pytest.mark.parametrize(
    ("given", "fit"),
    [
        ("application/stix+json;version=2.1", True),
        ("Application/STIX+json; version = 2.1", True),
        ('application/stix+json;version="2.1"', True),
        ("application/stix+json", True),
        ("application/stix+json;version=2.0", False),
        ("application/json", False),
    ],
)
def test_media_types_fit_by_name_and_version(given: str, fit: bool) -> None:
    assert fits(given, taxii.resources.STIX) is fit


@pytest.mark.parametrize("status", [500, 503])
def test_a_collection_that_may_stand_in_a_root_that_is_down_is_waited_for(server: Taxii, to: Open, status: int) -> None:
    server.next_get = [None, None, None, (status, "9")]
    error = failure(to())

    assert isinstance(error, Unavailable)
    assert error.retry_after == timedelta(seconds=9)
    assert "was not found, but the API root of" in str(error)


def test_a_root_that_is_down_does_not_hide_the_collection_in_another(server: Taxii, to: Open) -> None:
    server.next_get = [None, 500]

    assert to().place("write").collection.id == COLLECTION


def test_a_host_without_an_address_and_one_that_is_not_trusted_are_told_apart(tmp_path: Path) -> None:
    nowhere = taxii.Taxii(options(host="nowhere.invalid"))
    authority = Authority(tmp_path)
    with neighbour.taxii(authority) as server:
        client = taxii.Taxii(options(url=server.url, **US))
        assert "there is no address for that name" in str(failure(nowhere))
        assert re.search("is not trusted: .*: name its authority in ca_file", str(failure(client)))
        client.close()
        nowhere.close()


def test_a_private_authority_and_a_client_certificate_are_used(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("tocsin.example", "secret")
    shown = {"client_cert": certificate, "client_key": key, "client_key_password": "secret"}
    with neighbour.taxii(authority) as server:
        client = taxii.Taxii(options(url=server.url, ca_file=authority.file, **shown, **US))
        assert client.post(encoded(1)).success_count == 1
        client.close()


def test_a_certificate_that_cannot_be_read_is_said_when_the_server_is_asked(tmp_path: Path) -> None:
    client = taxii.Taxii(options(host="h", client_cert=tmp_path / "none.pem"))

    assert "cannot read the client certificate" in str(failure(client))


def test_what_is_posted_is_an_envelope_of_the_same_bytes(server: Taxii, to: Open) -> None:
    status = to().post(encoded(1, 2))

    assert [one for _, one in server.held] == [an_object(1), an_object(2)]
    assert (status.status, status.success_count, [one.id for one in status.successes]) == ("complete", 2, server.ids())


@pytest.mark.parametrize("wait", ["7", "Sun, 22 Nov 2099 10:00:00 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_wants_to_be_left_alone_says_how_long(server: Taxii, to: Open, status: int, wait: str) -> None:
    server.next = [(status, wait)]
    with pytest.raises(Unavailable) as caught:
        to().post(encoded(1))

    assert caught.value.retry_after == (timedelta(seconds=7) if wait == "7" else timedelta(days=1))


def test_an_answer_that_cannot_be_read_leaves_open_what_happened(server: Taxii, to: Open) -> None:
    server.next = ["garbage"]
    with pytest.raises(Unclear, match=r"the status of what was added is not what TAXII 2\.1 says it is"):
        to().post(encoded(1))


def test_a_collection_that_moved_is_found_again(server: Taxii, to: Open) -> None:
    client = to()
    client.place("write")
    server.collections = [a_collection("moved")]
    client.post(encoded(1))

    assert len(server.held) == 1


def test_a_collection_that_is_gone_is_said_to_be(server: Taxii, to: Open) -> None:
    client = to()
    client.place("write")
    server.collections = [a_collection("moved", "Another")]
    with pytest.raises(Rejected, match="there is no such thing as the collection Alerts"):
        client.post(encoded(1))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"title": "Bad", "description": "No such\\nthing", "http_status": "400"}', "Bad: No such thing"),
        (b'{"code": 7, "name": "Unauthorized", "description": "who?"}', "Unauthorized: who?"),
        (b'{"title": "the password is s3cret"}', "the password is …"),
        (b'{"title": ["x"], "description": null}', ""),
        (b"<html>oops</html>", ""),
        (b"[" * 100_000, ""),
        (b"\xff", ""),
        (b'"text"', ""),
    ],
)
def test_an_error_resource_is_quoted_and_anything_else_is_not(body: bytes, words: str) -> None:
    assert taxii.explained(body, ("s3cret",)) == words


def test_a_peers_words_are_one_short_line() -> None:
    assert plain("a\x1b[31m\n\tb " + "x" * 1000)[:12] == "a [31m b xxx"
    assert len(plain("x" * 1000)) == 200


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("2026-11-22T01:02:03Z", "2026-11-22T01:02:03.000000Z"),
        ("2026-11-22T01:02:03.1234567Z", "2026-11-22T01:02:03.123456Z"),
        ("2026-11-22T01:02:03.5+01:00", "2026-11-22T00:02:03.500000Z"),
    ],
)
def test_times_are_sent_in_the_one_form_every_server_takes(server: Taxii, to: Open, given: str, asked: str) -> None:
    to().objects(given)

    assert f"added_after={asked.replace(':', '%3A')}&limit=1000" in server.asked("objects/")[0]
    assert version(given) == asked


@pytest.mark.parametrize("given", ["2026-11-22T01:02:03", "yesterday", "0001-01-01T00:00:00+10:00", ""])
def test_a_time_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        instant(given)
    assert version(given) == given


def test_just_before_a_time_is_a_microsecond_earlier() -> None:
    assert just_before("2026-01-01T00:00:00.000000Z") == "2025-12-31T23:59:59.999999Z"


def test_filters_are_sent_as_match(server: Taxii, to: Open) -> None:
    to().objects(limit=5, match={"type": "indicator,sighting"})

    assert server.asked("objects/")[0].endswith("/objects/?match%5Btype%5D=indicator%2Csighting&limit=5")


def read(client: taxii.Taxii, **rest: Any) -> list[int]:
    return [number for page in client.pages(**rest) for number in numbers_of(page.objects)]


@pytest.mark.parametrize("once", [False, True], ids=["tokens last", "tokens are too old at once"])
@pytest.mark.parametrize("gives_next", [True, False])
@pytest.mark.parametrize("together", [1, 3])
def test_every_object_is_read_however_the_server_pages(
    server: Taxii, to: Open, gives_next: bool, together: int, once: bool
) -> None:
    client = to()
    for n in range(0, 12, together):
        client.post(encoded(*range(n, n + together)))
    server.page, server.gives_next = 4, gives_next
    server.next_once = once

    found = read(client, added_after="2026-01-01T00:00:00Z")

    assert sorted(set(found)) == list(range(12))


def test_more_at_one_time_than_a_page_without_next_is_an_error_and_not_left_out(server: Taxii, to: Open) -> None:
    client = to()
    client.post(encoded(*range(9)))
    server.page, server.gives_next = 4, False
    with pytest.raises(Unclear, match="says that there is more than it gives"):
        read(client)


def test_an_empty_collection_is_an_empty_page(to: Open) -> None:
    page = to().objects()

    assert page == taxii.Page((), more=False, next="", first="", last="")


@pytest.mark.parametrize("body", [b"[]", b"{", b"<html>", b'{"objects": 5}', b"[" * 100_000])
def test_a_page_that_is_no_envelope_is_unclear(server: Taxii, to: Open, body: bytes) -> None:
    server.garbled = body
    with pytest.raises(Unclear, match="is no envelope"):
        to().objects()


def test_what_a_collection_knows_is_asked_for_in_small_questions(server: Taxii, to: Open) -> None:
    client = to()
    client.post(encoded(*range(60)))
    ids = [an_object(n)["id"] for n in range(100)]
    found = client.known(ids)

    assert found is not None
    assert sorted(found) == ids[:60]
    assert found[ids[0]] == {"2026-11-22T00:00:00.000000Z"}
    assert len(server.asked("manifest/")) == 4
    assert max(map(len, server.asked("manifest/"))) < 4000


def test_a_manifest_that_pages_without_next_is_asked_for_less_at_once(server: Taxii, to: Open) -> None:
    server.manifest_page = 3
    client = to()
    client.post(encoded(*range(40)))
    found = client.known(an_object(n)["id"] for n in range(40))

    assert found is not None
    assert len(found) == 40


def test_a_collection_is_looked_for_again_only_when_that_is_wanted(server: Taxii, to: Open) -> None:
    client = to()
    client.place("write")
    server.collections = [a_collection(can_write=False)]

    assert client.place("write").collection.can_write
    with pytest.raises(Rejected, match="may not be written"):
        client.place("write", afresh=True)


def test_api_roots_that_are_no_urls_hide_no_others(server: Taxii, to: Open) -> None:
    server.roots = ["http://[", "", *server.roots, "root/"]

    assert to().place("write").collection.id == COLLECTION


def test_what_may_not_be_read_is_not_asked_for(server: Taxii, to: Open) -> None:
    server.collections = [a_collection(can_read=False)]

    assert to().known(["x"]) is None
    assert server.asked("manifest/") == []


def test_a_refusal_has_its_status_and_the_servers_words(server: Taxii, to: Open) -> None:
    server.chokes_on = lambda _: True
    with pytest.raises(Refused, match=r'answered 422 .*, "Unprocessable: something in it"') as caught:
        to().post(encoded(1))

    assert caught.value.status == 422


def test_a_real_server_is_read_page_by_page(tmp_path: Path) -> None:
    with medallion(tmp_path / "medallion", page=3) as real:
        real.add([an_object(n) for n in range(5)])
        real.add([an_object(n) for n in range(5, 8)])
        client = taxii.Taxii(options(url=real.url, user=USER, password=PASSWORD))
        found = read(client)
        last = list(client.pages())[-1].last
        after = read(client, added_after=last)
        client.close()

    assert sorted(found) == list(range(8))
    assert after == []
