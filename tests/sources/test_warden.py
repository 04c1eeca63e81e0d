"""A Warden server, polled: every event once, whatever the server does and however it counts."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from neighbours import warden as neighbour
from neighbours.mailbox import NAME as SOURCE
from neighbours.mailbox import kept, state, until
from neighbours.warden import NAME, Client, an_event
from neighbours.warden import Warden as Server
from tocsin.intake import Intake
from tocsin.intake.fetching import Fetchers
from tocsin.kit import resting
from tocsin.parsers.idea import IdeaParser
from tocsin.sources.warden import Warden
from tocsin.sources.warden.mark import Mark, mark_of
from tocsin.store import Store


@pytest.fixture
def server() -> Iterator[Server]:
    with neighbour.warden() as known:
        yield known


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are got over in a moment."""
    for name in ("FIRST_WAIT_S", "FIRST_WAIT_FOR_A_PERSON_S"):
        monkeypatch.setattr(resting, name, 0.05)
    monkeypatch.setattr(resting, "LONGEST_WAIT_S", 0.3)


def read_from(server: Server, **options: Any) -> Warden:
    said = {"url": server.url, "name": NAME, "receive_delay": 0.05, "begin": "all", "count": 5}
    return Warden.model_validate(said | options)


@contextlib.contextmanager
def polling(source: Warden, store: Store) -> Iterator[None]:
    """The source, fetching into the store for as long as the block lasts."""
    intake = Intake(store, {"idea": IdeaParser()}, ())
    fetchers = Fetchers(store, intake, {SOURCE: source})
    fetchers.start()
    try:
        yield
    finally:
        fetchers.stop(30)
        intake.close()


def bodies(store: Store) -> list[bytes]:
    """The originals of all messages that are not in quarantine."""
    found = [(one.body, one.reason) for one in kept(store)]
    return [body for body, reason in found if not reason]


def ids(store: Store) -> list[str]:
    return [event["ID"] for body in bodies(store) for event in json.loads(body)]


def marked(store: Store) -> Mark:
    found = mark_of(state(store).cursor)
    assert found is not None
    return found


def put(server: Server, *numbers: int, **more: Any) -> list[str]:
    server.put(*[an_event(number, **more) for number in numbers])
    return [f"event-{number}" for number in numbers]


def test_every_event_is_stored_once_over_pages_polls_and_starts(server: Server, inbox: Store) -> None:
    put(server, *range(13))
    with polling(read_from(server), inbox):
        until(lambda: len(ids(inbox)) == 13)
        put(server, *range(13, 20))
        until(lambda: len(ids(inbox)) == 20)
    put(server, 20, 21)
    with polling(read_from(server), inbox):
        until(lambda: len(ids(inbox)) == 22)

    assert sorted(ids(inbox)) == sorted(server.ids())
    assert max(len(json.loads(body)) for body in bodies(inbox)) == 5
    assert {tuple(query["client"]) for query in server.asked("getEvents")} == {(NAME,)}
    assert all(int(query["id"][0]) >= 1 and query["count"] == ["5"] for query in server.asked("getEvents"))


def test_each_event_becomes_an_alertgroup_with_its_meaning(server: Server, inbox: Store) -> None:
    put(server, 1, 2, Description="SSH scan")
    with polling(read_from(server), inbox):
        until(lambda: len(ids(inbox)) == 2)

    rows = inbox.read(lambda tx: list(tx.rows("SELECT subject, message_id FROM alertgroup ORDER BY message_id")))
    assert [tuple(row) for row in rows] == [("SSH scan", "event-1"), ("SSH scan", "event-2")]


def test_what_is_kept_are_the_bytes_of_the_page(server: Server, inbox: Store) -> None:
    events = b'[{"Format":"IDEA0", "ID":"a",  "Confidence": 1.0, "DetectTime": "2026-11-21T19:46:28Z"}]'
    server.next_get = [{"raw": b'{"lastid": 7, "events": ' + events + b"}"}]
    with polling(read_from(server), inbox):
        until(lambda: len(bodies(inbox)) == 1)

    assert bodies(inbox) == [events]


@pytest.mark.parametrize(
    ("begin", "expected"),
    [("now", []), ("all", [0, 1, 2]), (2, [1, 2]), (-1, [2]), (-99, [0, 1, 2])],
)
def test_the_first_start_begins_where_it_is_told(
    server: Server, inbox: Store, begin: str | int, expected: list[int]
) -> None:
    put(server, 0, 1, 2)
    with polling(read_from(server, begin=begin), inbox):
        until(lambda: state(inbox).cursor != "")
        put(server, 3)
        until(lambda: "event-3" in ids(inbox))
    with polling(read_from(server, begin=begin), inbox):
        put(server, 4)
        until(lambda: "event-4" in ids(inbox))

    assert sorted(ids(inbox)) == [f"event-{number}" for number in (*expected, 3, 4)]


@pytest.mark.parametrize("begin", ["now", "all"])
def test_an_empty_store_is_no_reason_to_miss_the_first_event(server: Server, inbox: Store, begin: str) -> None:
    server.next_get = [{"raw": b'{"lastid": 0, "events": []}'}] * 2
    with polling(read_from(server, begin=begin), inbox):
        until(lambda: len(server.asked("getEvents")) > 3)
        put(server, 1)
        until(lambda: ids(inbox) == ["event-1"])

    assert state(inbox).last_error == ""


def test_an_event_that_comes_while_the_server_looks_for_its_newest_id_is_not_passed_over(
    server: Server, inbox: Store
) -> None:
    put(server, 1)
    with polling(read_from(server, receive_delay=0.2), inbox):
        until(lambda: ids(inbox) == ["event-1"])
        put(server, 2)
        newest = server.last
        server.next_get = [{"raw": json.dumps({"lastid": newest, "events": []}).encode()}]
        until(lambda: "event-2" in ids(inbox))

    assert ids(inbox) == ["event-1", "event-2"]


def test_filters_are_handed_on_each_value_by_itself_and_the_mark_moves_past_what_they_leave_out(
    server: Server, inbox: Store
) -> None:
    put(server, *range(8))
    put(server, 8, Category=["Attempt.Login"], Node=[{"Name": "org.example.pot", "Type": ["Honeypot"]}])
    put(server, *range(9, 12))
    filters = {"cat": ["Attempt.Login", "Availability"], "notag": ["External"], "group": ["org.example"]}
    with polling(read_from(server, **filters), inbox):
        until(lambda: ids(inbox) == ["event-8"] and marked(inbox).id == server.last)

    assert {key: server.asked("getEvents")[0][key] for key in filters} == filters


def test_a_filter_that_the_server_does_not_know_stops_it_and_is_shown(server: Server, inbox: Store) -> None:
    put(server, 1)
    with polling(read_from(server, cat=["Recon.Scaning"]), inbox):
        until(lambda: "Recon.Scaning" in state(inbox).last_error)
        assert state(inbox).cursor == ""
    assert "422" in state(inbox).last_error

    with polling(read_from(server, cat=["Recon"]), inbox):
        until(lambda: ids(inbox) == ["event-1"])


@pytest.mark.parametrize(("rebuilt", "expected"), [("now", [11]), ("all", [10, 11])])
def test_ids_that_begin_anew_are_noticed(server: Server, inbox: Store, rebuilt: str, expected: list[int]) -> None:
    put(server, 1, 2, 3, 4)
    with polling(read_from(server, rebuilt=rebuilt), inbox):
        until(lambda: len(ids(inbox)) == 4)
        with server.lock:
            server.rebuild()
            put(server, 10)
        until(lambda: "went back from 5 to 2" in state(inbox).last_error)
        put(server, 11)
        until(lambda: "event-11" in ids(inbox))
        until(lambda: (state(inbox).last_success or 0) > (state(inbox).last_error_at or 0))

    assert sorted(ids(inbox)[4:]) == [f"event-{number}" for number in expected]


def test_what_went_through_this_tocsin_is_left_out_wherever_it_comes_back(server: Server, inbox: Store) -> None:
    relay = {"Name": "org.example.relay"}
    put(server, 1, Node=[{"Name": NAME, "SW": ["Tocsin"]}])
    put(server, 2, Node=[relay, {"Name": NAME.upper()}])
    put(server, 3, Node=[relay, {"Name": "org.example.second"}])
    put(server, 4, Node=[relay, {"Name": f"{NAME}.other"}, 5, {"Name": 6}])
    put(server, 5, Node="nobody")
    with polling(read_from(server, own_names=["org.example.Second"], count=50), inbox):
        until(lambda: len(ids(inbox)) == 2)

    assert sorted(ids(inbox)) == ["event-4", "event-5"]
    assert marked(inbox).own == 3


def test_what_is_no_event_stands_in_quarantine_and_holds_none_up(server: Server, inbox: Store) -> None:
    put(server, 1)
    server.put({"Format": "IDEA7", "Category": ["Other"]})
    put(server, 2)
    with polling(read_from(server), inbox):
        until(lambda: len(ids(inbox)) == 2)

    [odd] = [one for one in kept(inbox) if one.reason]
    assert json.loads(odd.body)["Format"] == "IDEA7"
    assert "no event of IDEA0" in odd.reason


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"raw": b"<html>no</html>"}, "gave no events and no lastid"),
        ({"raw": b'{"events": [], "lastid": "x"}'}, "gave no events and no lastid"),
        ({"raw": b'{"lastid": 1, "events": [{"Format": "IDEA0", "ID": "x"}]}'}, "says that the last one is 1"),
        (503, "503"),
        ("html", "502"),
        ("reset", "broke the connection"),
        ({"status": 460, "raw": b'{"errors": [{"error": 460, "message": "odd"}]}'}, "460"),
        ({"status": 299, "raw": b'{"lastid": 1'}, "gave no events"),
    ],
)
def test_what_ails_the_server_is_shown_and_got_over(server: Server, inbox: Store, bad: Any, said: str) -> None:
    put(server, 1, 2)
    server.next_get = [bad] * 3
    with polling(read_from(server), inbox):
        until(lambda: said in state(inbox).last_error)
        until(lambda: len(ids(inbox)) == 2)

    assert sorted(ids(inbox)) == server.ids()


def test_no_more_is_asked_for_than_the_server_gives(server: Server, inbox: Store) -> None:
    server.get_limit = 3
    put(server, *range(7))
    with polling(read_from(server), inbox):
        until(lambda: len(ids(inbox)) == 7)

    assert {tuple(query["count"]) for query in server.asked("getEvents")} == {("3",)}


def test_a_page_that_is_too_long_is_asked_for_in_parts(
    server: Server, inbox: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tocsin.kit.warden.client.LONGEST_ANSWER", 1500)
    put(server, *range(20))
    with polling(read_from(server, count=20), inbox):
        until(lambda: len(ids(inbox)) == 20)

    assert [query["count"] for query in server.asked("getEvents")[:2]] == [["20"], ["5"]]


def test_a_right_that_is_missing_stands_on_the_pages(server: Server, inbox: Store) -> None:
    server.clients = {NAME: Client(NAME, secret=neighbour.SECRET, read=False)}
    with polling(read_from(server, secret=neighbour.SECRET), inbox):
        until(lambda: "Not authorized" in state(inbox).last_error)

    assert neighbour.SECRET not in state(inbox).last_error


def test_another_server_is_read_from_its_beginning(server: Server, inbox: Store) -> None:
    put(server, *range(5))
    with polling(read_from(server), inbox):
        until(lambda: len(ids(inbox)) == 5)
    with neighbour.warden() as other:
        put(other, 7)
        with polling(read_from(other), inbox):
            until(lambda: "event-7" in ids(inbox))

    assert other.asked("getEvents")[0]["id"] == ["1"]
    assert marked(inbox).of == other.url


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cat": ["Recon"], "nocat": ["Test"]}, "either cat or nocat"),
        ({"tag": ["Relay"], "notag": ["Log"]}, "either tag or notag"),
        ({"group": ["a"], "nogroup": ["b"]}, "either group or nogroup"),
        ({"count": 0}, "greater than or equal to 1"),
        ({"begin": "yesterday"}, "begin"),
    ],
)
def test_options_that_cannot_be_are_refused(server: Server, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        read_from(server, **options)
