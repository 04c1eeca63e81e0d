"""What a Warden server says, event by event, however oddly it says it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neighbours import warden as neighbour
from neighbours.warden import NAME, Client, an_event
from neighbours.warden import Warden as Server
from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.kit.http import Unreached
from tocsin.kit.warden import Account, Refused, TooMany, Unclear, Warden
from tocsin.kit.warden.faults import fates, faults, limit_of

IDS = ("a", "b", "c", "b")


@pytest.fixture
def server() -> Iterator[Server]:
    with neighbour.warden() as known:
        yield known


@pytest.fixture
def client(server: Server) -> Iterator[Warden]:
    known = Warden(Account(server.url, NAME))
    yield known
    known.close()


def told(*errors: dict[str, Any], status: int = 400) -> list[Any]:
    """What became of four events, by an answer with these errors."""
    return fates(faults({"errors": list(errors)}, status, IDS, ()), len(IDS))


def kinds(found: list[Any]) -> list[Any]:
    return [None if one is None else type(one) for one in found]


def test_errors_of_several_codes_find_their_events_and_the_others_are_saved() -> None:
    found = told(
        {"error": 460, "message": "Validation error", "expected": "IDEA0", "key": "Format", "events": [0]},
        {"error": 422, "message": "Node", "events": [0]},
        {"error": 507, "message": "Too much", "events": [3], "send_events_limit": 3},
    )

    assert kinds(found) == [Rejected, None, None, TooMany]
    assert str(found[0]) == '460 "Validation error" (expected IDEA0, key Format); 422 "Node"'


def test_of_a_lasting_and_a_passing_error_the_lasting_one_counts() -> None:
    assert kinds(told({"error": 500, "events": [1, 2]}, {"error": 422, "events": [1]})) == [
        None, Rejected, Unavailable, None,
    ]  # fmt: skip


def test_an_id_that_is_sent_once_tells_more_than_an_index() -> None:
    found = told({"error": 460, "events": [9], "events_id": ["c"]}, {"error": 460, "events": [3], "events_id": ["b"]})

    assert kinds(found) == [None, None, Rejected, Rejected]


@pytest.mark.parametrize("code", [408, 429, 503])
def test_an_error_that_names_no_event_means_all_and_passes(code: int) -> None:
    with pytest.raises(Unavailable) as error:
        told({"error": 460, "events": [0]}, {"error": code, "message": "wait"})

    assert not isinstance(error.value, Unclear)


@pytest.mark.parametrize("one", [{"error": 500}, {"error": 507}, {"error": 500, "events": ["x"]}, {"events": [4]}])
def test_an_error_that_names_no_event_may_leave_all_in_doubt(one: dict[str, Any]) -> None:
    with pytest.raises(Unclear):
        told(one, status=500)


@pytest.mark.parametrize("code", [400, 403, 404, 422])
def test_an_error_of_ours_that_names_no_event_refuses_all(code: int) -> None:
    with pytest.raises(Refused) as refused:
        told({"error": code, "message": "no", "client": NAME})

    assert refused.value.status == code
    assert str(refused.value) == f'{code} "no" (client {NAME})'


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda within: st.one_of(st.lists(within, max_size=3), st.dictionaries(st.text(max_size=4), within, max_size=3)),
    max_leaves=4,
)
keys = st.sampled_from(["error", "message", "events", "events_id", "send_events_limit", "expected", "client"])
values = st.one_of(anything, st.sampled_from([460, 507, 500]), st.lists(st.integers(-2, 5), max_size=4))
an_error = st.dictionaries(keys, values)


@given(st.one_of(anything, st.fixed_dictionaries({"errors": st.lists(st.one_of(an_error, anything), max_size=4)})))
def test_whatever_a_server_says_is_understood_or_is_an_error_of_delivery(said: Any) -> None:
    found = faults(said, 500, IDS, ())
    assert limit_of(found) >= 0
    try:
        became = fates(found, len(IDS))
    except DeliveryError:
        return
    named = {place for fault in found for place in fault.places or ()}
    assert {place for place, fate in enumerate(became) if fate is not None} == named


def test_the_lower_of_two_limits_holds(server: Server) -> None:
    server.send_limit, server.get_limit = 20, 3000
    client = Warden(Account(server.url, NAME, send_limit=100, get_limit=50))
    info = client.info()
    client.close()

    assert (info.version, info.send_limit, info.get_limit, info.description) == ("3.0-beta2", 20, 50, "Test hub")


def test_nobody_there_is_told_from_an_answer_that_was_lost(server: Server, client: Warden) -> None:
    gone = Warden(Account("http://127.0.0.1:1/warden3", NAME))
    with pytest.raises(Unreached):
        gone.send([b"{}"], ["x"])
    gone.close()
    server.next = ["lost"]
    with pytest.raises(Unclear, match="broke the connection"):
        client.send([b"{}"], ["x"])


def test_a_client_that_may_not_read_sends_by_its_own_limits(server: Server, client: Warden) -> None:
    server.clients = {NAME: Client(NAME, read=False)}

    assert client.info().send_limit == 500


def test_what_is_no_warden_server_is_said_to_be_none(server: Server) -> None:
    client = Warden(Account(server.url.removesuffix("/warden3"), NAME))
    with pytest.raises(Refused, match="404"):
        client.info()
    client.close()


def test_events_come_as_the_server_spelled_them(server: Server, client: Warden) -> None:
    server.next_get = [{"raw": b'{"events": [ {"ID": "a",  "n": 1.10} ,{"ID":"b"}], "lastid": 9, "more": {}}'}]
    page = client.events(1, 2)

    assert page.events == (b'{"ID": "a",  "n": 1.10}', b'{"ID":"b"}')
    assert (page.body, page.lastid) == (b'[ {"ID": "a",  "n": 1.10} ,{"ID":"b"}]', 9)


def test_a_status_that_no_registry_knows_is_understood(server: Server, client: Warden) -> None:
    server.put(an_event(1))
    with pytest.raises(Refused, match="answered 422"):
        client.events(1, 5, {"cat": ["Nonsense"]})
    assert kinds(client.send([b'{"ID": "x"}'], ["x"])) == [Rejected]
