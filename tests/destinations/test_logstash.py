"""Alerts go to Logstash: delivered when acknowledged, and what it does not like keeps nothing else from it."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from neighbours.certificates import Authority
from neighbours.destinations import Clock, owe
from neighbours.lanes import Bench
from neighbours.lumberjack import Document, Lumberjack, lumberjack
from neighbours.ports import free_port
from neighbours.receiver import Receiver, Status
from tocsin.destinations.logstash import Logstash
from tocsin.errors import Rejected, Skipped, Unavailable
from tocsin.kit.secrets import Secret
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Receipt
from tocsin.store import Store, delivery

Open = Callable[..., Logstash]


@pytest.fixture
def server() -> Iterator[Lumberjack]:
    with lumberjack() as known:
        yield known


@pytest.fixture
def to(server: Lumberjack) -> Iterator[Open]:
    with contextlib.ExitStack() as stack:

        def opened(**said: Any) -> Logstash:
            if said.get("input") != "http":
                said = {"host": "localhost", "port": server.port, "tls": False, "timeout_s": 60} | said
            destination = Logstash(**said)
            stack.callback(destination.close)
            return destination

        yield opened


def owed(number: int, *names: str, kind: Any = "alert") -> Delivery:
    """An alertgroup whose alerts have those names, and ids like `1-0`."""
    alerts = tuple(
        Alert(json='{"a": 1}', uid=f"{number}-{place}", detection=Detection(name=name))
        for place, name in enumerate(names)
    )
    group = Alertgroup(subject=f"group {number}", alerts=alerts, id=number, uid=f"g-{number}", received=10**15)
    return Delivery(id=number, uid=f"d-{number}", alertgroup=group, kind=kind, owed=10**15, reason="a mistake")


def poison(document: Document) -> bool:
    return bool(document["message"] == "poison")


def outcomes(destination: Logstash, *deliveries: Delivery) -> list[Receipt | Exception]:
    return list(destination.send_batch(deliveries, "").outcomes)


def test_every_alert_is_a_document_and_the_batch_one_window(server: Lumberjack, to: Open) -> None:
    came = outcomes(to(), owed(1, "a", "b"), owed(2, "c"))

    assert came == [Receipt(status="2 acknowledged"), Receipt(status="1 acknowledged")]
    assert server.ids() == ["1-0", "1-1", "2-0"]
    assert server.windows == [3]
    first = server.taken[0]
    assert (first["message"], first["event"]["kind"], first["event"]["original"]) == ("a", "alert", '{"a": 1}')
    assert first["@metadata"] == {"beat": "tocsin", "type": "_doc", "version": "1"}


def test_rows_without_a_detection_are_read_and_the_configuration_is_followed(server: Lumberjack, to: Open) -> None:
    destination = to(original=False, link="https://tocsin.example", categories={"odd": ["Malware"]})
    alert = Alert(json='{"signature": "a rule", "category": "odd", "src_ip": "192.0.2.7"}', uid="u")
    group = Alertgroup(subject="s", alerts=(alert,), id=3, received=10**15)
    destination.send(Delivery(id=1, uid="d", alertgroup=group))

    (document,) = server.taken
    assert (document["source"]["ip"], document["rule"]["name"]) == ("192.0.2.7", "a rule")
    assert document["event"]["category"] == ["intrusion_detection", "malware"]
    assert document["event"]["url"] == "https://tocsin.example/alerts/3"
    assert "original" not in document["event"]


def test_idea_goes_as_it_stands_with_the_line_of_its_alertgroup(server: Lumberjack, to: Open) -> None:
    to(documents="idea", node="org.example").send(owed(1, "a", "b"))

    first, _, gathered = server.taken
    assert (first["Format"], first["ID"], first["Node"][0]["Name"]) == ("IDEA0", "1-0", "org.example")
    assert gathered["CorrelID"] == ["1-0", "1-1"]


def test_a_recall_is_a_document_under_the_same_id(server: Lumberjack, to: Open) -> None:
    to().send(owed(1, "a", kind="recall"))

    (document,) = server.taken
    assert document["event"]["id"] == "1-0"
    assert (document["event"]["action"], document["event"]["reason"]) == ("recalled", "a mistake")


def test_an_alertgroup_without_alerts_is_skipped(server: Lumberjack, to: Open) -> None:
    with pytest.raises(Skipped):
        to().send(owed(1))
    assert server.connections == 0


@pytest.mark.parametrize("place", [0, 7, 19])
def test_a_document_that_makes_logstash_hang_up_fails_alone_and_all_others_arrive(
    server: Lumberjack, to: Open, place: int
) -> None:
    server.refuses = poison
    destination = to()
    load = [owed(number, "fine", "poison" if number == place else "fine") for number in range(20)]

    came = outcomes(destination, *load)
    assert [number for number, each in enumerate(came) if not isinstance(each, Receipt)] == [place]
    assert isinstance(came[place], Unavailable)
    assert "dropped the connection" in str(came[place])
    fine = {f"{number}-{part}" for number in range(20) for part in range(2)} - {f"{place}-1"}
    assert set(server.ids()) == fine

    for number in range(20, 23):
        again, other = outcomes(destination, load[place], owed(number, "fine"))
        assert isinstance(other, Receipt)
        if isinstance(again, Rejected):
            break
    assert "1 of 2 documents were refused" in str(again)
    assert "dropped the connection at this document 3 times" in str(again)
    assert set(server.ids()) >= fine


def test_a_lone_document_is_to_blame_only_once_others_were_taken(server: Lumberjack, to: Open) -> None:
    server.refuses = poison
    destination = to()

    for _ in range(5):
        assert isinstance(outcomes(destination, owed(1, "poison"))[0], Unavailable)
    came = [outcomes(destination, owed(1, "poison"), owed(number, "fine")) for number in (2, 3)]

    assert [isinstance(bad, Rejected) for bad, _ in came] == [False, True]
    assert all(isinstance(good, Receipt) for _, good in came)


def test_a_server_that_hangs_up_whatever_it_is_sent_blames_no_document(server: Lumberjack, to: Open) -> None:
    server.refuses = lambda document: True
    load = [owed(number, "fine") for number in range(40)]
    destination = to()

    for _ in range(3):
        assert all(isinstance(each, Unavailable) for each in outcomes(destination, *load))
    assert server.connections < 60
    server.refuses = lambda document: False
    assert all(isinstance(each, Receipt) for each in outcomes(destination, *load))


def test_what_was_acknowledged_before_the_connection_broke_is_not_sent_again(server: Lumberjack, to: Open) -> None:
    server.breaks = ["partly"]

    came = outcomes(to(), *[owed(number, "fine") for number in range(8)])
    assert all(isinstance(each, Receipt) for each in came)
    assert sorted(server.ids()) == [f"{number}-0" for number in range(8)]


def test_a_lost_acknowledgement_means_the_same_documents_again(server: Lumberjack, to: Open) -> None:
    destination = to()
    destination.send(owed(1, "a"))
    server.breaks = ["lost"]
    destination.send(owed(2, "b"))

    assert server.ids() == ["1-0", "2-0", "2-0"]


def test_a_silent_or_absent_server_leaves_everything_for_later(server: Lumberjack, to: Open) -> None:
    server.breaks = ["silent"]
    came = outcomes(to(timeout_s=0.3), owed(1, "a"), owed(2, "b"))
    assert [str(each).partition(" ")[2] for each in came] == ["said nothing for 0.3 s"] * 2

    assert isinstance(outcomes(to(port=free_port()), owed(1, "a"))[0], Unavailable)
    assert server.taken == []


def test_large_loads_go_in_several_windows(server: Lumberjack, to: Open) -> None:
    came = outcomes(to(compression=0), *[owed(number, *(["x" * 1000] * 50)) for number in range(50)])

    assert all(isinstance(each, Receipt) for each in came)
    assert sum(server.windows) == 2500
    assert max(server.windows) <= 1000


def test_the_http_input_gets_an_array_and_says_200(receiver: Receiver, to: Open) -> None:
    destination = to(
        input="http",
        url=Secret(receiver.url),
        user="tocsin",
        password=Secret("pw"),
        headers={"X-Pipeline": Secret("a")},
    )

    assert outcomes(destination, owed(1, "a", "b"), owed(2, "c"))[1] == Receipt(status="1 acknowledged")
    (request,) = receiver.requests
    assert [document["event"]["id"] for document in request.json] == ["1-0", "1-1", "2-0"]
    assert "@metadata" not in request.json[0]
    assert request.headers["Content-Type"] == "application/json"
    assert (request.headers["Authorization"], request.headers["X-Pipeline"]) == ("Basic dG9jc2luOnB3", "a")
    assert "can be reached" in destination.check()


def test_a_busy_http_input_is_waited_for_and_a_document_it_refuses_fails_alone(receiver: Receiver, to: Open) -> None:
    destination = to(input="http", url=Secret(receiver.url))
    receiver.will(Status(429, {"Retry-After": "7"}))
    (busy,) = outcomes(destination, owed(1, "a"))
    assert isinstance(busy, Unavailable)
    assert busy.retry_after is not None

    receiver.choose = lambda request: Status(400 if b"poison" in request.body else 200)
    came = outcomes(destination, *[owed(number, "poison" if number == 3 else "fine") for number in range(6)])
    assert [type(each) for each in came] == [Receipt] * 3 + [Rejected] + [Receipt] * 2


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "give host"),
        ({"host": "a", "url": "http://a/"}, "no url"),
        ({"input": "http"}, "give url"),
        ({"input": "http", "url": "http://a/", "host": "a"}, "no host"),
        ({"host": "a", "user": "x"}, "go together"),
        ({"host": "a", "client_key": "x.key"}, "client_cert"),
        ({"host": "a", "categories": {"odd": ["No.Such"]}}, "categories of IDEA0"),
    ],
)
def test_options_that_do_not_fit_together_are_refused_with_a_remedy(said: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Logstash(**said)


def test_a_check_says_in_words_how_logstash_is_reached_or_why_not(tmp_path: Path, server: Lumberjack, to: Open) -> None:
    authority = Authority(tmp_path / "ca")

    assert "takes connections (without TLS)" in to().check()
    with pytest.raises(Unavailable, match="does not speak TLS as expected"):
        to(tls=True).check()
    with pytest.raises(Unavailable, match="cannot be reached"):
        to(port=free_port()).check()
    with lumberjack(authority) as guarded:
        assert "TLSv1.3" in to(port=guarded.port, tls=True, ca_file=authority.file).check()
        with pytest.raises(Unavailable, match="is not trusted"):
            to(port=guarded.port, tls=True).check()


def test_in_a_lane_the_poison_is_parked_and_the_others_are_delivered(
    store: Store, server: Lumberjack, to: Open
) -> None:
    store.write(lambda tx: delivery.open_lanes(tx, ["hook"], {"hook": frozenset(("alert", "recall"))}))
    bench = Bench(store, Clock())
    server.refuses = poison
    for number in range(12):
        owe(store, "poison" if number == 4 else f"alert {number}", "hook")

    lane = bench.lane(to())
    for number in range(12, 16):
        bench.run(lane, seconds=600)
        owe(store, f"alert {number}", "hook", at=bench.clock.at)
    bench.run(lane, seconds=600)

    assert bench.states(16) == ["failed" if number == 4 else "delivered" for number in range(16)]
    assert "3 times" in bench.owed(5).receipts[-1].detail
    assert len(set(server.ids())) == len(server.ids()) == 15
