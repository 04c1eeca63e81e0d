"""Packages out of a collection of a real OpenTAXII: each stored once, in parts as the server cuts them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from neighbours import opentaxii
from neighbours.mailbox import NAME, kept, state, until
from neighbours.opentaxii import PASSWORD, USER, OpenTaxii
from tocsin.formats import stix1
from tocsin.intake import Intake
from tocsin.intake.fetching import Fetchers
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint
from tocsin.parsers.stix1 import Stix1
from tocsin.sources.taxii1 import Taxii1
from tocsin.store import Store, alertgroup

FEED = (Path(__file__).parent.parent / "data" / "stix1" / "feed.xml").read_bytes()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenTaxii]:
    with opentaxii.running(tmp_path_factory.mktemp("opentaxii")) as known:
        yield known


def polled(server: OpenTaxii, **options: Any) -> Taxii1:
    known = {"url": server.url(), "collection": "collection-a", "user": USER, "password": PASSWORD, "interval_s": 0.2}
    return Taxii1.model_validate(known | options)


@contextlib.contextmanager
def at_work(source: Taxii1, store: Store) -> Iterator[None]:
    intake = Intake(store, {"stix1": Stix1()}, ())
    fetchers = Fetchers(store, intake, {NAME: source})
    fetchers.start()
    try:
        yield
    finally:
        fetchers.stop(30)
        intake.close()


def a_package(n: int) -> bytes:
    return FEED.replace(b"ex:Package-1", f"ex:Package-{n}".encode()).replace(b"Botnet C2", f"feed {n}".encode())


def of(hub: str) -> bytes:
    said = Detection(name="Scan", sources=(Endpoint(addresses=("203.0.113.7",)),))
    group = Alertgroup(subject="ours", alerts=(Alert(json="{}", detection=said),), uid="group")
    feed = stix1.Feed("CERT", own=lambda *_: False, entities=lambda _: {})
    return feed.package(Delivery(id=1, uid="d", alertgroup=group, hub=hub)).partition(b"?>\n")[2]


def subjects(store: Store) -> list[str]:
    return store.read(lambda tx: [text for (text,) in tx.rows("SELECT subject FROM alertgroup ORDER BY id")])


def test_every_package_is_an_alertgroup_once_over_parts_polls_and_starts(server: OpenTaxii, inbox: Store) -> None:
    for n in range(5):  # the server cuts after two
        server.put(a_package(n))
    with at_work(polled(server), inbox):
        until(lambda: len(subjects(inbox)) == 5)
        server.put(a_package(5))
        until(lambda: len(subjects(inbox)) == 6)
    with at_work(polled(server), inbox):
        server.put(a_package(6))
        until(lambda: len(subjects(inbox)) == 7)

    assert subjects(inbox) == [f"feed {n}" for n in range(7)]
    assert [one.reason for one in kept(inbox)] == [""] * 7
    assert kept(inbox)[0].message_id == "http://partner.example/Package-0"
    assert inbox.read(lambda tx: alertgroup.get(tx, 1)).tlp == "amber"


def test_what_this_tocsin_wrote_is_left_out_and_anothers_is_not(server: OpenTaxii, inbox: Store) -> None:
    server.put(of(inbox.uid), "collection-c")
    server.put(of("another hub"), "collection-c")
    server.put(a_package(1), "collection-c")
    with at_work(polled(server, collection="collection-c"), inbox):
        until(lambda: len(subjects(inbox)) == 2)

    assert subjects(inbox) == ["ours", "feed 1"]
    assert len(kept(inbox)) == 2


def test_what_is_no_package_stands_in_quarantine_and_holds_nothing_up(server: OpenTaxii, inbox: Store) -> None:
    server.put(b"<something><else/></something>", "collection-d", "urn:custom")
    server.put(a_package(1), "collection-d")
    with at_work(polled(server, collection="collection-d"), inbox):
        until(lambda: len(kept(inbox)) == 2)

    assert subjects(inbox) == ["feed 1"]
    assert sum(bool(one.reason) for one in kept(inbox)) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"password": "wrong"}, "UNAUTHORIZED"),
        ({"collection": "nowhere"}, 'no collection "nowhere"'),
        ({"url": "http://127.0.0.1:1/"}, "cannot be reached"),
    ],
)
def test_what_ails_it_stands_on_the_pages(server: OpenTaxii, inbox: Store, options: dict[str, Any], said: str) -> None:
    with at_work(polled(server, **options), inbox):
        until(lambda: said in state(inbox).last_error)

    assert "wrong" not in state(inbox).last_error


@pytest.mark.parametrize("since", ["yesterday", "2026-11-01", "2026-11-01T00:00:00"])
def test_a_beginning_without_zone_is_refused(since: str) -> None:
    with pytest.raises(ValidationError):
        Taxii1.model_validate({"url": "https://x/", "collection": "a", "since": since})
