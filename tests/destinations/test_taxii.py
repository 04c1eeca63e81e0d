"""TAXII 2.1: what is pushed, what came of each object, and what is asked before anything is pushed again."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from neighbours import taxii as neighbour
from neighbours.certificates import Authority
from neighbours.medallion import ALERTS, PASSWORD, USER, Medallion, medallion
from neighbours.server import Server as Hub
from neighbours.taxii import Object, a_collection
from neighbours.taxii import Taxii as Server
from tocsin.destinations.taxii import Taxii
from tocsin.errors import Rejected, Skipped, Unavailable
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Detection, Endpoint, Kind, Receipt

SECOND = 1_000_000
AT = 1_795_000_000 * SECOND
US = {"user": neighbour.USER, "password": neighbour.PASSWORD}


@pytest.fixture
def server() -> Iterator[Server]:
    with neighbour.taxii() as known:
        yield known


class Open:
    """Destinations of a test, closed at its end."""

    def __init__(self, server: Server | Medallion, **options: Any) -> None:
        self.options = {"url": server.url, "collection": "Alerts", "status_wait_s": 0, "timeout_s": 60} | options
        self.made: list[Taxii] = []

    def __call__(self, **rest: Any) -> Taxii:
        self.made.append(Taxii.model_validate(self.options | rest))
        return self.made[-1]

    def close(self) -> None:
        for destination in self.made:
            destination.close()


@pytest.fixture
def to(server: Server) -> Iterator[Open]:
    made = Open(server, **US)
    yield made
    made.close()


def a_delivery(n: int = 1, *, kind: Kind = "alert", rows: int = 1, attempt: int = 1) -> Delivery:
    said = Detection(name="Scan", start=AT, sources=(Endpoint(addresses=("192.0.2.7",)),))
    alerts = tuple(Alert(json='{"src": "192.0.2.7"}', detection=said, uid=f"alert-{n}-{row}") for row in range(rows))
    group = Alertgroup(subject=f"Scan {n}", alerts=alerts, tlp=TLP.GREEN, uid=f"group-{n}", id=n, received=AT)
    owed = AT if kind == "alert" else AT + 60 * SECOND
    return Delivery(id=n, uid=f"{kind}-{n}", alertgroup=group, attempt=attempt, kind=kind, owed=owed, hub="hub")


def some(*numbers: int, **rest: Any) -> list[Delivery]:
    return [a_delivery(n, **rest) for n in numbers]


def kinds_of(outcomes: Sequence[object]) -> list[type]:
    """What they are, by the contract's names."""
    known = (Receipt, Skipped, Rejected, Unavailable)
    return [next(kind for kind in known if isinstance(one, kind)) for one in outcomes]


def types_of(server: Server) -> dict[str, int]:
    found: dict[str, int] = {}
    for _, one in server.held:
        found[one["type"]] = found.get(one["type"], 0) + 1
    return found


def test_an_alertgroup_arrives_as_all_of_its_objects(server: Server, to: Open) -> None:
    receipt = to().send(a_delivery())

    assert types_of(server) == {
        "marking-definition": 1,
        "identity": 1,
        "ipv4-addr": 1,
        "observed-data": 1,
        "indicator": 1,
        "sighting": 1,
        "relationship": 1,
        "grouping": 1,
    }
    assert receipt == Receipt(remote_id=next(iter(server.statuses)), status="8 objects accepted")


def test_the_profile_of_slips_is_one_indicator(server: Server, to: Open) -> None:
    to(profile="slips").send(a_delivery())

    assert types_of(server) == {"indicator": 1}


def test_many_deliveries_share_one_request_and_what_they_have_alike(server: Server, to: Open) -> None:
    sent = to().send_batch(some(*range(20)), "")

    assert server.posts() == 1
    assert {type(one) for one in sent.outcomes} == {Receipt}
    assert (types_of(server)["identity"], types_of(server)["ipv4-addr"], types_of(server)["grouping"]) == (1, 1, 20)
    assert sent.cursor == ""


def test_requests_stay_below_the_most_the_server_takes_by_their_bytes(server: Server, to: Open) -> None:
    server.max_content_length = 4000
    sent = to().send_batch(some(*range(20)), "")
    sizes = [size for method, _, _, size in server.requests if method == "POST"]

    assert {type(one) for one in sent.outcomes} == {Receipt}
    assert 2000 < max(sizes) <= 4000
    assert sum(sizes) / len(sizes) > 3000
    assert types_of(server)["grouping"] == 20


def test_an_object_larger_than_the_server_takes_fails_its_own_delivery_alone(server: Server, to: Open) -> None:
    server.max_content_length = 3000
    good, large = to().send_batch([a_delivery(1), a_delivery(2, rows=60)], "").outcomes

    assert isinstance(good, Receipt)
    assert isinstance(large, Rejected)
    assert re.search(
        r"1 of \d+ objects were refused: grouping--.*: it takes [\d,]+ bytes, and the server at most 3,000 ", str(large)
    )


def test_a_server_that_takes_less_than_it_says_gets_less(server: Server, to: Open) -> None:
    server.really_takes = 6000
    destination = to()
    sent = destination.send_batch(some(*range(20)), "")
    tried = server.posts()
    destination.send_batch(some(*range(20, 30)), "")

    assert {type(one) for one in sent.outcomes} == {Receipt}
    assert types_of(server)["grouping"] == 30
    assert server.posts() - tried < 10


def test_one_object_the_server_chokes_on_fails_its_own_delivery_alone(server: Server, to: Open) -> None:
    server.chokes_on = lambda one: one.get("name") == "Scan 5" and one["type"] == "grouping"
    outcomes = to().send_batch(some(*range(10)), "").outcomes

    assert [n for n, one in enumerate(outcomes) if isinstance(one, Rejected)] == [5]
    assert "1 of 8 objects were refused: grouping--" in str(outcomes[5])
    assert 'answered 422 (Unprocessable Content), "Unprocessable: something in it"' in str(outcomes[5])


def test_a_server_that_refuses_everything_is_not_asked_for_each_object(server: Server, to: Open) -> None:
    server.chokes_on = lambda _: True
    outcomes = to().send_batch(some(*range(50)), "").outcomes

    assert kinds_of(outcomes) == [Rejected] * 50
    assert server.posts() <= 24


def test_a_refused_object_fails_its_delivery_with_the_servers_words(server: Server, to: Open) -> None:
    server.refuses = lambda one: "no groupings\x1b[31m today" if one.get("name") == "Scan 2" else ""
    outcomes = to().send_batch(some(1, 2, 3), "").outcomes

    assert [isinstance(one, Receipt) for one in outcomes] == [True, False, True]
    assert isinstance(outcomes[1], Rejected)
    assert re.search("^1 of 8 objects were refused: grouping--[-0-9a-f]+: no groupings .*today$", str(outcomes[1]))


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("duplicates_fail", [True, False])
def test_what_was_pushed_before_has_arrived(server: Server, to: Open, lists: bool, duplicates_fail: bool) -> None:
    server.lists, server.fails_duplicates = lists, duplicates_fail
    first = to().send(a_delivery())
    again = to().send(a_delivery())  # as after a restart: nothing is remembered

    assert first.status == "8 objects accepted"
    assert again.status == ("0 objects accepted, 8 were there already" if duplicates_fail else "8 objects accepted")
    assert len(server.held) == 8


def test_what_this_process_pushed_is_not_even_looked_for(server: Server, to: Open) -> None:
    destination = to()
    destination.send(a_delivery())
    destination.send(a_delivery())

    assert server.asked("manifest/") == []


@pytest.mark.parametrize("bad", ["lost", "reset", "garbage"])
def test_an_answer_that_is_lost_loses_no_object(server: Server, to: Open, bad: str) -> None:
    server.next = [bad]
    destination = to()
    [first] = destination.send_batch(some(1), "").outcomes
    [second] = destination.send_batch(some(1, attempt=2), "").outcomes

    assert isinstance(first, Receipt if bad == "garbage" else Unavailable)
    assert isinstance(second, Receipt)
    assert len(server.held) == 8


def test_refused_duplicates_are_forgiven_where_one_may_not_look_if_everybody_has_them(server: Server, to: Open) -> None:
    server.collections = [a_collection(can_read=False)]
    to().send(a_delivery(1))
    other = to().send(a_delivery(2))
    with pytest.raises(Rejected, match=r"5 of 8 objects .*it may have it already, but we may not read there"):
        to().send(a_delivery(1))

    assert other.status == "5 objects accepted, 3 were there already"


def test_a_shared_object_that_was_really_refused_fails_the_delivery(server: Server, to: Open) -> None:
    server.refuses = lambda one: "no addresses" if one["type"] == "ipv4-addr" else ""
    with pytest.raises(Rejected, match=r"1 of 8 objects were refused: ipv4-addr--.*: no addresses"):
        to().send(a_delivery())


def test_a_pending_status_is_waited_for(server: Server, to: Open) -> None:
    server.pending_looks = 3
    receipt = to(status_wait_s=60).send(a_delivery())

    assert receipt.status == "8 objects accepted"
    assert len(server.asked("/status/")) == 3


def test_one_that_stays_pending_is_asked_for_later_and_not_posted_again(server: Server, to: Open) -> None:
    server.pending_looks = 3
    sent = to().send_batch(some(1, 2), "")
    later = to().send_batch(some(1, 2, attempt=2), sent.cursor)  # as after a restart: only the cursor is left
    server.pending_looks = 0
    server.finish()
    last = to().send_batch(some(2, 1, 3, attempt=3), later.cursor)

    assert [str(one) for one in sent.outcomes] == [
        f"8 of 8 objects are pending: the server has not finished with it (status {next(iter(server.waiting))})"
    ] * 2
    assert kinds_of(sent.outcomes) == kinds_of(later.outcomes) == [Unavailable, Unavailable]
    assert kinds_of(last.outcomes) == [Receipt, Receipt, Receipt]
    assert server.posts() == 2  # the second is that of the third delivery
    assert last.cursor == ""


def test_what_failed_while_it_was_pending_fails_then(server: Server, to: Open) -> None:
    server.pending_looks = 1
    server.refuses = lambda one: "no" if one.get("name") == "Scan 2" else ""
    sent = to().send_batch(some(1, 2), "")
    server.finish()
    later = to().send_batch(some(1, 2, attempt=2), sent.cursor)

    assert kinds_of(later.outcomes) == [Receipt, Rejected]
    assert server.posts() == 1


@pytest.mark.parametrize("there", [True, False])
def test_a_status_the_server_forgot_is_no_success(server: Server, to: Open, there: bool) -> None:
    server.pending_looks = 10
    sent = to().send_batch(some(1), "")
    server.forgets, server.pending_looks = True, 0
    if there:
        server.finish()
    later = to().send_batch(some(1, attempt=2), sent.cursor)

    assert kinds_of(later.outcomes) == [Receipt]
    assert server.posts() == 2
    assert len(server.held) == 8


@pytest.mark.parametrize("there", [True, False])
def test_a_status_forgotten_while_one_waits_sends_one_to_look(server: Server, to: Open, there: bool) -> None:
    server.pending_looks, server.forgets = 1, True
    server.takes_unseen = there
    [outcome] = to(status_wait_s=60).send_batch(some(1), "").outcomes

    assert isinstance(outcome, Receipt if there else Unavailable)
    if not there:
        assert str(outcome) == "the server does not know any more what became of it"


@pytest.mark.parametrize("cursor", ["", "{", "[]", '{"pending": 5}', '{"pending": {"alert-1": [["gone"], 1]}}', "7"])
def test_any_cursor_is_good_enough(server: Server, to: Open, cursor: str) -> None:
    sent = to().send_batch(some(1), cursor)

    assert kinds_of(sent.outcomes) == [Receipt]
    assert sent.cursor == ""


def test_a_server_that_counts_but_does_not_name_failures_is_looked_into(server: Server, to: Open) -> None:
    server.lists = False
    server.refuses = lambda one: "no" if one.get("name") == "Scan 2" else ""
    outcomes = to().send_batch(some(1, 2), "").outcomes

    assert kinds_of(outcomes) == [Receipt, Unavailable]
    assert str(outcomes[1]) == "the server says of 1 that it failed, but not which"


@pytest.mark.parametrize(("bad", "wait"), [((429, "7"), 7), ((503, None), None), (500, None)])
def test_a_server_that_wants_to_be_left_alone_gets_nothing_more(
    server: Server, to: Open, bad: Any, wait: int | None
) -> None:
    server.max_content_length = 4000
    server.next = [None, bad]
    outcomes = to().send_batch(some(*range(20)), "").outcomes
    waiting = [one for one in outcomes if isinstance(one, Unavailable)]

    assert server.posts() == 2
    assert isinstance(outcomes[0], Receipt)
    assert len(waiting) >= 15
    assert {one.retry_after for one in waiting} == {timedelta(seconds=wait) if wait else None}


@pytest.mark.parametrize("bad", [401, 403, 404])
def test_what_a_person_has_to_mend_fails_everything_at_once(server: Server, to: Open, bad: int) -> None:
    server.max_content_length = 4000
    server.next = [bad] * 50
    outcomes = to().send_batch(some(*range(20)), "").outcomes

    assert kinds_of(outcomes) == [Rejected] * 20
    assert str(bad) in str(outcomes[7])
    assert server.posts() == 1


def test_nobody_there_is_unavailable_for_all_but_what_has_nothing_to_say(to: Open) -> None:
    nothing = Alertgroup(subject="x", alerts=(Alert(json="{}"),), uid="g", received=AT)
    silent = Delivery(id=9, uid="9", alertgroup=nothing, hub="hub")
    outcomes = to(url="http://127.0.0.1:9/taxii2/").send_batch([a_delivery(1), silent, a_delivery(2)], "").outcomes

    assert kinds_of(outcomes) == [Unavailable, Skipped, Unavailable]


def test_a_test_that_is_stored_nowhere_is_skipped_or_sent_but_raises_nothing_else(server: Server, to: Open) -> None:
    test = Alertgroup.of_rows("Tocsin test", [{"note": "nothing happened", "lane": "taxii"}], received=AT)
    with pytest.raises(Skipped, match="nothing to assert"):
        to().send(Delivery(id=0, uid="5c2a", alertgroup=test))
    group = a_delivery().alertgroup
    said = Alertgroup(subject="Tocsin test", alerts=group.alerts, received=AT)

    assert to().send(Delivery(id=0, uid="5c2a", alertgroup=said)).status == "7 objects accepted"


def test_a_recall_revokes_what_was_pushed(server: Server, to: Open) -> None:
    destination = to()
    destination.send(a_delivery())
    destination.send(a_delivery(kind="recall"))
    revoked = [one for _, one in server.held if one.get("revoked")]
    before = {one["id"] for _, one in server.held if not one.get("revoked")}

    assert {"indicator", "grouping", "sighting"} <= {one["type"] for one in revoked}
    assert {one["id"] for one in revoked} <= before
    assert {one["modified"] for one in revoked} == {"2026-11-18T10:07:40.000000Z"} or len(revoked) > 3


def test_a_check_says_where_it_may_write(server: Server, to: Open) -> None:
    assert to().check() == f"may write to the collection Alerts ({neighbour.COLLECTION}), 100,000 bytes at once"
    server.collections = [a_collection(can_read=False)]
    assert "it may not be read" in to().check()


def test_options_of_destination_server_and_words_stand_in_one_table(to: Open) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        to(unknown=1)
    with pytest.raises(ValidationError, match="frozen"):
        to().collection = "x"
    assert neighbour.PASSWORD not in repr(to())


def test_the_doctor_says_in_words_what_is_wrong(server: Server, tmp_path: Path) -> None:
    ask = f'type = "taxii"\nuser = "{neighbour.USER}"\npassword = "{neighbour.PASSWORD}"\n'
    authority = Authority(tmp_path / "authority")
    with neighbour.taxii(authority) as hidden:
        wrong = {
            "good": (server.url, "Alerts"),
            "unknown": (server.url, "Alarts"),
            "nowhere": ("https://nowhere.invalid/", "Alerts"),
            "untrusted": (hidden.url, "Alerts"),
            "plain": (server.url.replace("http:", "https:"), "Alerts"),
        }
        tables = [f'[destinations.{n}]\n{ask}url = "{url}"\ncollection = "{c}"\n' for n, (url, c) in wrong.items()]
        data = tmp_path / "data"
        data.mkdir(mode=0o750)
        (data / "tocsin.toml").write_text("\n".join(tables))
        said = Hub(data).tocsin("doctor", check=False).stdout

    lines = {line.partition(": ")[0].split()[-1]: line for line in said.splitlines()}
    assert lines["good"].startswith("ok")
    assert "may write to the collection Alerts" in lines["good"]
    assert "did you mean Alerts" in lines["unknown"]
    assert "there is no address for that name" in lines["nowhere"]
    assert "is not trusted" in lines["untrusted"]
    assert "name its authority in ca_file" in lines["untrusted"]
    assert "does not speak TLS as expected" in lines["plain"]
    assert neighbour.PASSWORD not in said


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Medallion]:
    with medallion(tmp_path_factory.mktemp("medallion"), max_content_length=4000) as started:
        yield started


def test_a_real_server_takes_everything_and_gives_it_back(real: Medallion) -> None:
    to = Open(real, user=USER, password=PASSWORD)
    sent = to().send_batch(some(*range(10)), "")
    again = to().send_batch(some(*range(10), attempt=2), "")
    recalled = to().send_batch(some(3, kind="recall"), "")
    to.close()
    held = real.objects(ALERTS)
    latest: dict[str, Object] = {}
    for one in sorted(held, key=lambda each: str(each.get("modified"))):
        latest[one["id"]] = one

    assert kinds_of(sent.outcomes) == [Receipt] * 10, sent.outcomes
    assert {one.status for one in again.outcomes if isinstance(one, Receipt)} == {
        "0 objects accepted, 8 were there already"
    }
    assert kinds_of(recalled.outcomes) == [Receipt]
    assert len(held) == 3 + 10 * 5 + sum(bool(one.get("revoked")) for one in held)
    groupings = {str(one["name"]): bool(one.get("revoked")) for one in latest.values() if one["type"] == "grouping"}
    assert groupings == {f"Scan {n}": n == 3 for n in range(10)}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"collection": "Alerta"}, "did you mean Alerts"),
        ({"collection": "Read only"}, "may not be written"),
        ({"password": "wrong"}, "answered 401"),
    ],
)
def test_a_real_server_that_says_no_is_understood(real: Medallion, options: dict[str, str], words: str) -> None:
    to = Open(real, **{"user": USER, "password": PASSWORD} | options)
    with pytest.raises(Rejected, match=words):
        to().check()
    to.close()


def test_a_collection_of_a_real_server_that_may_only_be_written_takes_it(real: Medallion) -> None:
    to = Open(real, user=USER, password=PASSWORD, collection="Write only")
    first, other = to().send_batch(some(1, 2), "").outcomes, to().send_batch(some(3), "").outcomes
    to.close()

    assert kinds_of([*first, *other]) == [Receipt] * 3
