"""STIX 1.2 into the inbox of a real OpenTAXII, read back with cabby."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from neighbours import opentaxii, stix1_oracles
from neighbours.opentaxii import PASSWORD, USER, OpenTaxii
from tocsin.destinations.taxii1 import BINDING, Taxii1
from tocsin.errors import Rejected, Skipped, Unavailable
from tocsin.formats import stix1
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint, Severity

RECEIVED = 1_795_290_092_000_000
HUB = "the-hub"
Open = Callable[..., Taxii1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenTaxii]:
    with opentaxii.running(tmp_path_factory.mktemp("opentaxii")) as known:
        yield known


@pytest.fixture
def to(server: OpenTaxii) -> Iterator[Open]:
    made: list[Taxii1] = []

    def open_(**options: Any) -> Taxii1:
        known = {"url": server.url(), "user": USER, "password": PASSWORD, "collections": ["collection-a"]}
        made.append(Taxii1.model_validate(known | options))
        return made[-1]

    yield open_
    for each in made:
        each.close()


def a_delivery(n: int, address: str = "203.0.113.7", **rest: Any) -> Delivery:
    said = Detection(name="Scan", severity=Severity.HIGH, sources=(Endpoint(addresses=(address,)),))
    alert = Alert(json='{"src":"203.0.113.7"}', detection=said, uid=f"alert-{n}")
    group = Alertgroup(subject=f"Scan {n}", alerts=(alert,), uid=f"group-{n}", id=n, received=RECEIVED)
    return Delivery(id=n, uid=f"delivery-{n}", alertgroup=group, hub=HUB, **rest)


def test_a_package_stands_in_the_collection_as_it_was_sent(server: OpenTaxii, to: Open) -> None:
    receipt = to().send(a_delivery(1))
    (package,) = [one for one in server.held() if b"Scan 1<" in one]

    assert receipt.status == "SUCCESS"
    assert receipt.remote_id
    assert stix1_oracles.complaints(package) == []
    assert stix1.identifier(package).namespace == stix1.namespace(HUB)
    assert stix1.alertgroup(package).alerts[0].data["value"] == "203.0.113.7"


def test_a_recall_follows_under_the_ids_that_were_sent(server: OpenTaxii, to: Open) -> None:
    by = to()
    sent = by.send(a_delivery(2))
    by.send(a_delivery(2, kind="recall", owed=RECEIVED + 1_000_000, earlier=(sent,)))
    first, recall = [one for one in server.held() if b"Scan 2<" in one]

    revoked = [alert.data["revokes"] for alert in stix1.alertgroup(recall).alerts if "revokes" in alert.data]
    assert f"tocsin:{stix1.identifier(first).name}" in revoked


def test_user_and_password_can_be_changed_for_a_token_first(server: OpenTaxii, to: Open) -> None:
    assert to(auth_url="/management/auth").send(a_delivery(3)).status == "SUCCESS"
    assert to(url="", service=server.url("inbox_closed"), auth_url=server.auth_url).send(a_delivery(4)).status


def test_an_inbox_can_be_named_without_discovery(server: OpenTaxii, to: Open) -> None:
    by = to(url="", service=server.url("inbox_open"), user="", password=None)

    assert by.send(a_delivery(5)).status == "SUCCESS"
    assert "was not asked" in by.check()


def test_what_says_nothing_bad_is_skipped(to: Open) -> None:
    with pytest.raises(Skipped, match="nothing to assert"):
        to().send(a_delivery(6, address="not an address"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"collections": ["collection-b"]}, f"takes {opentaxii.STIX111}, not {BINDING}"),
        ({"collections": ["nowhere"]}, 'no collection "nowhere" for us: choose one of collection-'),
        ({"password": "wrong"}, "UNAUTHORIZED: check user and password"),
        ({"password": "wrong", "auth_url": "/management/auth"}, "401"),
        ({"collections": []}, "DESTINATION_COLLECTION_ERROR"),
        ({"url": "", "service": "INBOX", "collections": ["nowhere"]}, "NOT_FOUND"),
    ],
)
def test_what_the_server_will_never_take_is_rejected_in_words(
    server: OpenTaxii, to: Open, options: dict[str, Any], said: str
) -> None:
    if "service" in options:
        options |= {"service": server.url("inbox_closed")}
    with pytest.raises(Rejected) as caught:
        to(**options).send(a_delivery(7))

    assert said in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_a_server_that_is_not_there_is_tried_again(to: Open) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        to(url="http://127.0.0.1:1/discovery").send(a_delivery(8))


def test_the_check_says_where_it_goes_and_sends_nothing(server: OpenTaxii, to: Open) -> None:
    before = len(server.held())

    place = server.url("inbox_closed")

    assert to().check() == f"{BINDING} goes into {place} for collection-a; the inbox takes it as far as discovery tells"
    assert len(server.held()) == before
    with pytest.raises(Rejected, match="not urn"):
        to(collections=["collection-b"]).check()


@pytest.mark.parametrize(
    "options",
    [
        {"url": ""},
        {"url": "ftp://x/"},
        {"url": "https://u:p@x/"},
        {"user": ""},
        {"token": "t"},
        {"user": "", "password": None, "auth_url": "/x"},
        {"client_key": "key.pem"},
        {"profile": "slips"},
        {"user": "a:b"},
    ],
)
def test_options_that_do_not_fit_together_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Taxii1.model_validate({"url": "https://x/", "user": USER, "password": PASSWORD} | options)
