"""Events to a Warden server: each once, whatever it answers, and its word about each event counts."""

import importlib
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from neighbours import warden as neighbour
from neighbours.certificates import Authority
from neighbours.warden import NAME, Client, Event
from neighbours.warden import Warden as Server
from tocsin.destinations.warden import Warden
from tocsin.errors import Rejected, Skipped, Unavailable
from tocsin.formats.idea.schema import check
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint, Receipt
from tocsin.sharing import Profile, Redaction

strict = importlib.import_module("idea.valid")


@pytest.fixture
def server() -> Iterator[Server]:
    with neighbour.warden() as known:
        yield known


Make = Callable[..., Warden]


@pytest.fixture
def to(server: Server) -> Iterator[Make]:
    made: list[Warden] = []

    def make(**options: Any) -> Warden:
        made.append(Warden.model_validate({"url": server.url, "name": NAME, "timeout_s": 30} | options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def uid(*parts: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, repr(parts)))


def a_delivery(number: int, alerts: int = 1, attempt: int = 1, **more: Any) -> Delivery:
    said = Detection(
        name="SSH scan", category="scan", detected=1_795_000_000_000_000,
        sources=(Endpoint(addresses=("10.1.2.3",), ports=(4444,)),), targets=(Endpoint(addresses=("203.0.113.7",)),),
        protocols=("tcp",),
    )  # fmt: skip
    rows = tuple(Alert(json="{}", uid=uid("alert", number, place), detection=said) for place in range(alerts))
    group = Alertgroup(subject=f"Scan {number}", alerts=rows, id=number, uid=uid("group", number), received=1)
    return Delivery(id=number, uid=uid("delivery", number), alertgroup=group, attempt=attempt, **more)


def again(delivery: Delivery) -> Delivery:
    return msgspec.structs.replace(delivery, attempt=delivery.attempt + 1)


def ids_of(*deliveries: Delivery) -> list[str]:
    return [alert.uid for each in deliveries for alert in each.alertgroup.alerts]


def sent(server: Server) -> list[Event]:
    return [event for _, _, event in server.events]


def test_every_alert_arrives_once_with_our_node_first_and_strictly_valid(server: Server, to: Make) -> None:
    first, second = a_delivery(1, alerts=3), a_delivery(2)
    outcomes = to().send_batch([first, second], "").outcomes

    assert server.ids() == ids_of(first, second)
    assert outcomes == [
        Receipt(remote_id=ids_of(first)[0], status="saved 3"),
        Receipt(remote_id=ids_of(second)[0], status="saved 1"),
    ]
    assert [event["Node"][0]["Name"] for event in sent(server)] == [NAME] * 4
    assert {tuple(event["Category"]) for event in sent(server)} == {("Recon.Scanning",)}
    for event in sent(server):
        check(json.dumps(event))
        strict.Idea(event).checkRequired()
    assert [len(server.asked(method)) for method in ("getInfo", "sendEvents", "getEvents")] == [1, 1, 0]
    assert server.connections == ["close", "close"]  # a kept one may be closed just as it is used


def test_what_came_from_others_keeps_its_path_behind_our_node_and_loses_private_keys(server: Server, to: Make) -> None:
    foreign = neighbour.an_event(7, _CESNET={"EventSeverity": "low"}, Custom=1)
    delivery = a_delivery(1)
    group = msgspec.structs.replace(delivery.alertgroup, alerts=(Alert(json=json.dumps(foreign), uid=uid("a")),))
    to().send(msgspec.structs.replace(delivery, alertgroup=group))

    [event] = sent(server)
    assert event["ID"] == "event-7"
    assert [node["Name"] for node in event["Node"]] == [NAME, "org.example.other"]
    assert "_CESNET" not in event
    assert event["Custom"] == 1


def test_only_tests_are_marked_as_such(server: Server, to: Make) -> None:
    group = msgspec.structs.replace(a_delivery(1).alertgroup, alerts=(Alert(json="{}"), Alert(json="{}")), uid="")
    to().send(Delivery(id=0, uid=uid("test"), alertgroup=group))
    to(test=True).send(a_delivery(2))
    to().send(a_delivery(3))

    assert [event["Category"][-1] for event in sent(server)] == ["Test", "Test", "Test", "Recon.Scanning"]
    assert len(set(server.ids())) == 4


@pytest.mark.parametrize("alertgroups", [True, False])
def test_an_alertgroup_has_an_event_of_its_own_where_that_is_wanted(
    server: Server, to: Make, alertgroups: bool
) -> None:
    to(alertgroups=alertgroups).send(a_delivery(1, alerts=2))

    assert [event.get("CorrelID") for event in sent(server)][2:] == [ids_of(a_delivery(1, alerts=2))] * alertgroups


def test_a_recall_names_what_it_replaces(server: Server, to: Make) -> None:
    delivery = a_delivery(1, alerts=2, kind="recall", owed=1_795_000_000_000_000, reason="a test of ours")
    to().send(delivery)

    [event] = sent(server)
    assert (event["PredID"], event["Confidence"], event["Note"]) == (ids_of(delivery), 0, "a test of ours")


def test_the_batch_is_cut_as_the_server_takes_it(server: Server, to: Make) -> None:
    server.send_limit = 4
    loads = [a_delivery(number, alerts=3) for number in range(1, 6)]
    outcomes = to().send_batch(loads, "").outcomes

    assert server.ids() == ids_of(*loads)
    assert all(isinstance(one, Receipt) for one in outcomes)
    assert len(server.asked("sendEvents")) == 4


@pytest.mark.parametrize("says", [500, 7])
def test_a_limit_that_is_lower_than_was_said_is_kept_and_the_rest_sent_again(
    server: Server, to: Make, says: int
) -> None:
    server.info_limit, server.send_limit = says, 3
    destination = to()
    loads = [a_delivery(number, alerts=2) for number in range(1, 6)]
    outcomes = destination.send_batch(loads, "").outcomes
    before = len(server.asked("sendEvents"))
    destination.send_batch([a_delivery(9, alerts=6)], "")

    assert sorted(server.ids()) == sorted(ids_of(*loads, a_delivery(9, alerts=6)))
    assert all(isinstance(one, Receipt) for one in outcomes)
    assert len(server.asked("sendEvents")) == before + 2


def test_errors_find_their_deliveries_and_the_rest_was_saved(server: Server, to: Make) -> None:
    loads = [a_delivery(number, alerts=2) for number in range(1, 5)]
    wrong = {ids_of(loads[1])[1]: [(460, "no such key"), (422, "wrong")], ids_of(loads[2])[0]: [(500, "try again")]}
    server.refuses = lambda event: wrong.get(event["ID"], [])
    destination = to()
    outcomes, cursor = destination.send_batch(loads, "")

    assert [type(one) for one in outcomes] == [Receipt, Rejected, Unavailable, Receipt]
    assert str(outcomes[1]) == (
        f'the server refuses 1 of 2 events, 1 are saved: {ids_of(loads[1])[1]}: 460 "no such key"; 422 "wrong"'
    )
    assert str(outcomes[2]) == '1 of 2 events are not sent, 1 are saved: 500 "try again"'

    wrong.clear()
    outcomes, cursor = destination.send_batch([again(loads[1]), again(loads[2])], cursor)
    assert [type(one) for one in outcomes] == [Receipt, Receipt]
    assert cursor == ""
    assert sorted(server.ids()) == sorted(ids_of(*loads))
    assert server.asked("getEvents") == []


@pytest.mark.parametrize("way", ["lost", "slow", "garbage", "counts less"])
def test_what_was_saved_though_nobody_said_so_is_not_sent_again(server: Server, to: Make, way: str) -> None:
    server.send_limit, server.get_limit = 4, 3
    server.put(*[neighbour.an_event(number) for number in range(20)])
    loads = [a_delivery(number, alerts=2) for number in range(1, 5)]
    destination = to(timeout_s=0.5) if way == "slow" else to()
    server.next = [None, way]
    outcomes, cursor = destination.send_batch(loads, "")
    assert [type(one) for one in outcomes] == [Receipt, Receipt, Unavailable, Unavailable]

    later = to()
    outcomes, cursor = later.send_batch([again(one) for one in loads[2:]], cursor)
    assert all(isinstance(one, Receipt) for one in outcomes)
    assert cursor == ""
    assert server.ids()[20:] == ids_of(*loads)
    assert server.asked("getEvents")[0] == {
        "id": ["-100000"], "count": ["3"], "group": [NAME], "client": [NAME]
    }  # fmt: skip


def test_an_attempt_that_never_ended_is_looked_for_though_nothing_is_remembered(server: Server, to: Make) -> None:
    delivery = a_delivery(1, alerts=3)
    to().send(delivery)
    server.events.pop()
    outcomes = to().send_batch([again(delivery)], "").outcomes

    assert [type(one) for one in outcomes] == [Receipt]
    assert sorted(server.ids()) == sorted(ids_of(delivery))


@pytest.mark.parametrize("way", ["reset", "html", "bare 500", 503, 429])
def test_what_was_not_saved_is_sent_again(server: Server, to: Make, way: Any) -> None:
    server.next = [way]
    destination = to()
    outcomes, cursor = destination.send_batch([a_delivery(1), a_delivery(2)], "")
    assert all(isinstance(one, Unavailable) for one in outcomes)

    outcomes, cursor = destination.send_batch([again(a_delivery(1)), again(a_delivery(2))], cursor)
    assert [type(one) for one in outcomes] == [Receipt] * 2
    assert server.ids() == ids_of(a_delivery(1), a_delivery(2))
    assert len(server.asked("getEvents")) == (way not in (503, 429))


def test_where_nobody_is_there_nothing_is_in_doubt(server: Server, to: Make) -> None:
    gone = to(url="http://127.0.0.1:1/warden3")
    outcomes, cursor = gone.send_batch([a_delivery(1)], "")
    assert "cannot be reached" in str(outcomes[0])

    outcomes, cursor = to().send_batch([again(a_delivery(1))], cursor)
    assert server.ids() == ids_of(a_delivery(1))
    assert (cursor, server.asked("getEvents")) == ("", [])


def test_without_the_right_to_read_what_is_in_doubt_is_sent_again(server: Server, to: Make) -> None:
    server.clients = {NAME: Client(NAME, read=False)}
    server.next = ["lost"]
    destination = to()
    _, cursor = destination.send_batch([a_delivery(1)], "")
    outcomes, _ = destination.send_batch([again(a_delivery(1))], cursor)

    assert [type(one) for one in outcomes] == [Receipt]
    assert server.ids() == 2 * ids_of(a_delivery(1))


def test_while_it_cannot_be_seen_what_is_there_nothing_is_sent(server: Server, to: Make) -> None:
    server.next, server.next_get = ["lost"], [503]
    destination = to()
    _, cursor = destination.send_batch([a_delivery(1)], "")
    outcomes, cursor = destination.send_batch([again(a_delivery(1)), a_delivery(2)], cursor)
    assert [type(one) for one in outcomes] == [Unavailable] * 2
    outcomes, cursor = destination.send_batch([again(again(a_delivery(1))), again(a_delivery(2))], cursor)

    assert [type(one) for one in outcomes] == [Receipt] * 2
    assert server.ids() == ids_of(a_delivery(1), a_delivery(2))


def test_an_event_the_server_chokes_on_is_found_by_halves(server: Server, to: Make) -> None:
    loads = [a_delivery(number) for number in range(1, 8)]
    server.chokes_on = lambda event: event["ID"] == ids_of(loads[4])[0]
    outcomes = to().send_batch(loads, "").outcomes

    assert [isinstance(one, Receipt) for one in outcomes] == [number != 5 for number in range(1, 8)]
    assert str(outcomes[4]) == 'the server refuses it: 400 "Deserialization error."'
    assert server.ids() == ids_of(*loads[:4], *loads[5:])


@pytest.mark.parametrize(
    ("client", "said"),
    [
        (Client("org.example.nobody"), '403 "I\'m watching. Authenticate."'),
        (Client(NAME, write=False), '403 "I\'m watching. Not authorized." (client org.example.tocsin)'),
        (Client(NAME, write=False, test=True), "You're allowed to send only messages"),
    ],
)
def test_a_right_that_is_missing_fails_in_the_servers_words(
    server: Server, to: Make, client: Client, said: str
) -> None:
    server.clients = {client.name: client}
    with pytest.raises(Rejected) as refused:
        to().send(a_delivery(1))

    assert said in str(refused.value)
    assert server.ids() == []


def test_an_alertgroup_without_alerts_is_skipped_and_holds_nothing_up(server: Server, to: Make) -> None:
    outcomes = to().send_batch([a_delivery(1, alerts=0), a_delivery(2)], "").outcomes

    assert [type(one) for one in outcomes] == [Skipped, Receipt]


@pytest.mark.parametrize(
    ("hidden", "networks", "source"),
    [
        ("pseudonym", [], None),
        ("network", ["198.51.100.0/24", "2001:db8::/32"], {"IP4": ["198.51.100.0/24"], "Imprecise": True}),
        ("omit", [], {}),
    ],
)
def test_an_address_that_the_profile_hides_leaves_as_it_says_and_says_so(
    server: Server, to: Make, hidden: str, networks: list[str], source: dict[str, Any] | None
) -> None:
    profile = Redaction(Profile(networks=["10.0.0.0/8"]), b"key")
    delivery = a_delivery(1)
    foreign = neighbour.an_event(7, Target=[{"IP4": ["10.9.9.9", "203.0.113.9"], "Port": ["22"]}])
    alerts = (*delivery.alertgroup.alerts, Alert(json=json.dumps(foreign), uid=uid("b")))
    group = profile.applied(msgspec.structs.replace(delivery.alertgroup, alerts=alerts))
    to(hidden=hidden, networks=networks).send(msgspec.structs.replace(delivery, alertgroup=group))

    one, other = sent(server)
    assert "10.1.2.3" not in json.dumps(one)
    assert one["Source"][0]["Anonymised"] is True
    assert other["Target"][0]["Anonymised"] is True
    assert "Anonymised" not in one["Target"][0]
    if source is not None:
        assert one["Source"][0] == {"Port": [4444], "Proto": ["tcp"], "Anonymised": True} | source
        assert other["Target"][0]["IP4"][0] == "203.0.113.9"
        assert "240." not in json.dumps(other)


def test_an_existing_warden_conf_is_read_as_it_is(server: Server, to: Make, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "etc")
    pair = authority.issue(NAME)
    (tmp_path / "etc" / "warden.conf").write_text(
        "# The client of the sensor\n{\n"
        f'  "url": "URL",\n  // shown to the server\n  "certfile": "{pair.certificate.name}",\n'
        f'  "keyfile": "{pair.key.name}",\n  "cafile": "ca.pem",\n  "timeout": 600,\n  "retry": 3, "pause": 5,\n'
        '  "errlog": {"file": "output/warden.err", "level": "debug"},\n  "filelog": {"file": "warden.log"},\n'
        '  "syslog": {"socket": "/dev/log", "facility": "local7"}, "idstore": "warden.id",\n'
        '  "get_events_limit": 6000, "recv_events_limit": 6000, "send_events_limit": 2,\n'
        f'  "name": "{NAME.upper()}"\n}}\n'
    )
    with neighbour.warden(authority) as secure:
        file = tmp_path / "etc" / "warden.conf"
        file.write_text(file.read_text().replace("URL", secure.url))
        destination = Warden.model_validate({"configuration_file": file})
        delivery = a_delivery(1, alerts=3)
        destination.send(delivery)
        said = destination.check()
        destination.close()
        requests = len(secure.asked("sendEvents"))

    assert secure.ids() == ids_of(delivery)
    assert requests == 3  # two for what it takes two at once of, one for the check
    assert said == f"{secure.url.removesuffix('/warden3')}: Warden 3.0-beta2, takes 2 events at once"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Input data was truncated"),
        ('{"url": "https://x/warden3"}', "it needs url and name"),
        ('{"url": "https://x/warden3", "name": "a b"}', "name must be words"),
        ('{"url": "x", "name": "a"}', "url must begin with"),
        ('{"url": "https://x/warden3", "name": "a", "certfiel": "x"}', "unknown field `certfiel`"),
        (None, "No such file"),
    ],
)
def test_a_warden_conf_that_cannot_be_used_says_why_and_loses_nothing(
    tmp_path: Path, text: str | None, said: str
) -> None:
    file = tmp_path / "warden.conf"
    if text is not None:
        file.write_text(text)
    destination = Warden.model_validate({"configuration_file": file})

    with pytest.raises(Unavailable, match=said):
        destination.send(a_delivery(1))


def test_a_secret_goes_instead_of_the_name_and_is_never_shown(server: Server, to: Make) -> None:
    server.clients = {NAME: Client(NAME, secret=neighbour.SECRET)}
    to(secret=neighbour.SECRET).send(a_delivery(1))
    assert server.requests[-1][1] == {"secret": [neighbour.SECRET]}

    server.next = [
        {"status": 400, "raw": json.dumps({"errors": [{"error": 422, "message": f"{neighbour.SECRET}?"}]}).encode()}
    ]
    with pytest.raises(Rejected) as refused:
        to(secret=neighbour.SECRET).send(a_delivery(2))
    assert neighbour.SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": ""}, "give url and name"),
        ({"url": "ftp://x"}, "must begin with"),
        ({"url": "https://u:p@x/warden3"}, "holds no user"),
        ({"name": "not a name"}, "name must be words"),
        ({"client_key": "x"}, "nothing without client_cert"),
        ({"hidden": "network"}, "go together"),
        ({"networks": ["10.0.0.1/8"]}, "host bits"),
        ({"categories": {"x": ["No.Such"]}}, "categories of IDEA0"),
    ],
)
def test_options_that_cannot_be_are_refused(to: Make, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        to(**options)


def test_the_check_says_what_is_missing(server: Server, to: Make) -> None:
    assert to().check().endswith("Warden 3.0-beta2, takes 500 events at once")
    server.clients = {NAME: Client(NAME, read=False)}
    assert "may not be read by us" in to().check()
    server.clients = {NAME: Client(NAME, write=False)}
    with pytest.raises(Rejected, match="Not authorized"):
        to().check()
    with pytest.raises(Rejected, match="404"):
        to(url=server.url.replace("warden3", "nowhere")).check()
    assert server.events == []
