"""Lumberjack v2 against a server with the manners of Logstash and of go-lumber."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from neighbours.certificates import Authority
from neighbours.lumberjack import Lumberjack as Server
from neighbours.lumberjack import lumberjack
from neighbours.ports import free_port
from tocsin.errors import Unavailable
from tocsin.kit.http import Untrusted
from tocsin.kit.lumberjack import Lumberjack, LumberjackOptions, Unacknowledged
from tocsin.kit.secrets import Secret

Open = Callable[..., Lumberjack]


def documents(count: int, since: int = 0) -> list[bytes]:
    return [json.dumps({"event": {"id": str(since + n)}, "text": "ž" * 50}).encode() for n in range(count)]


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


@pytest.fixture
def server() -> Iterator[Server]:
    with lumberjack() as known:
        yield known


@pytest.fixture
def to() -> Iterator[Open]:
    with contextlib.ExitStack() as stack:

        def opened(server: Server, **rest: Any) -> Lumberjack:
            said: dict[str, Any] = {"host": "localhost", "port": server.port, "tls": False, "timeout_s": 60} | rest
            client = Lumberjack(LumberjackOptions(**said))
            stack.callback(client.close)
            return client

        yield opened


@pytest.mark.parametrize("manner", ["logstash", "go"])
@pytest.mark.parametrize("compression", [0, 1, 9])
def test_windows_go_one_after_the_other_over_one_connection(
    server: Server, to: Open, manner: Any, compression: int
) -> None:
    server.manner = manner
    client = to(server, compression=compression)

    for start, count in ((0, 1), (1, 700), (701, 2)):
        client.send(documents(count, start))

    assert server.ids() == numbers(703)
    assert (server.connections, server.windows) == (1, [1, 700, 2])
    assert server.compressed == (3 if compression else 0)
    assert server.taken[0]["text"] == "ž" * 50


@pytest.mark.parametrize("manner", ["logstash", "go"])
def test_keep_alives_and_partial_acknowledgements_are_waited_out(server: Server, to: Open, manner: Any) -> None:
    server.manner, server.busy, server.partly = manner, 3, 2
    client = to(server)

    client.send(documents(5))
    client.send(documents(5, 5))

    assert server.ids() == numbers(10)
    assert server.connections == 1


def test_nothing_is_sent_where_there_is_nothing_to_send(server: Server, to: Open) -> None:
    to(server).send([])

    assert (server.connections, server.windows) == (0, [])


def test_a_server_that_is_busy_for_too_long_is_left_alone(server: Server, to: Open) -> None:
    server.busy, server.busy_s = 10_000, 0.01
    client = to(server, blocked_s=0.05)

    with pytest.raises(Unacknowledged, match="busy") as caught:
        client.send(documents(3))
    assert (caught.value.acknowledged, caught.value.dropped) == (0, False)


def test_progress_makes_a_busy_server_a_good_one(server: Server, to: Open) -> None:
    server.manner, server.busy, server.partly, server.busy_s = "go", 2, 2, 0.01
    to(server, blocked_s=60).send(documents(4))

    assert server.ids() == numbers(4)


def test_a_silent_server_is_given_up_after_the_timeout(server: Server, to: Open) -> None:
    server.breaks = ["silent"]
    client = to(server, timeout_s=0.2)

    with pytest.raises(Unacknowledged, match="said nothing for") as caught:
        client.send(documents(3))
    assert not caught.value.dropped


def test_how_far_the_server_came_before_it_dropped_the_connection_is_told(server: Server, to: Open) -> None:
    server.breaks = ["partly"]
    client = to(server)

    with pytest.raises(Unacknowledged, match="dropped the connection") as caught:
        client.send(documents(5))
    assert (caught.value.acknowledged, caught.value.dropped) == (2, True)
    client.send(documents(3, 2))
    assert server.ids() == numbers(5)


def test_a_connection_that_was_closed_while_idle_is_made_anew(server: Server, to: Open) -> None:
    server.breaks = ["idle", "", "lost"]
    client = to(server)

    client.send(documents(1))
    client.send(documents(1, 1))
    assert (server.ids(), server.connections) == (numbers(2), 2)
    client.send(documents(1, 2))  # taken and not acknowledged: sent again, as nobody knows

    assert (server.ids(), server.connections) == (["0", "1", "2", "2"], 3)


def test_a_frame_that_the_server_cannot_read_drops_a_fresh_connection_once(server: Server, to: Open) -> None:
    client = to(server)

    with pytest.raises(Unacknowledged) as caught:
        client.send([b'{"event": '])
    assert caught.value.dropped
    assert (server.connections, server.taken) == (1, [])


@pytest.mark.parametrize(("way", "said"), [("nonsense", "does not speak Lumberjack"), ("more", "acknowledges 9 of 2")])
def test_what_is_no_acknowledgement_is_not_taken_for_one(server: Server, to: Open, way: str, said: str) -> None:
    server.breaks = [way]

    with pytest.raises(Unacknowledged, match=said) as caught:
        to(server).send(documents(2))
    assert not caught.value.dropped


def test_a_late_acknowledgement_is_not_taken_for_that_of_the_next_window(server: Server, to: Open) -> None:
    server.breaks = ["twice", "silent"]
    client = to(server, timeout_s=1)
    client.send(documents(3))
    until = time.monotonic() + 60
    while client._line is None or not client._line.stale():
        assert time.monotonic() < until, "the second acknowledgement never came"
        time.sleep(0.01)

    with pytest.raises(Unacknowledged, match="said nothing"):
        client.send(documents(3, 3))
    assert (server.ids(), server.connections) == (numbers(3), 2)


def test_nobody_there_and_no_such_name_are_told(server: Server, to: Open) -> None:
    with pytest.raises(Unavailable, match=r"localhost:\d+ cannot be reached: "):
        to(server, port=free_port()).send(documents(1))
    with pytest.raises(Unavailable, match="no address for that name"):
        to(server, host="logstash.invalid").check()


def test_both_sides_prove_who_they_are_with_tls(tmp_path: Path, to: Open) -> None:
    authority = Authority(tmp_path / "ca")
    certificate, key = authority.issue("tocsin.example", "locked")
    with lumberjack(authority, proof=True) as server:
        said: dict[str, Any] = {"tls": True, "ca_file": authority.file}
        client = to(
            server, client_cert=certificate, client_key=key, client_key_password=Secret("locked"), **said
        )  # fmt: skip
        client.send(documents(300))
        client.send(documents(300, 300))
        assert "takes connections (TLSv1.3)" in client.check()
        with pytest.raises(Unavailable):
            to(server, **said).send(documents(1))

    assert server.ids() == numbers(600)
    assert [dict(part for (part,) in peer["subject"])["commonName"] for peer in server.peers][:1] == ["tocsin.example"]


def test_a_certificate_for_another_name_or_of_a_stranger_is_not_trusted(tmp_path: Path, to: Open) -> None:
    authority, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "stranger")
    with lumberjack(authority, name="logstash.example") as server:
        with pytest.raises(Untrusted, match=r"(?i)hostname mismatch"):
            to(server, tls=True, ca_file=authority.file).send(documents(1))
        with pytest.raises(Untrusted, match="is not trusted"):
            to(server, tls=True, ca_file=stranger.file).send(documents(1))

    assert server.taken == []


def test_a_server_without_tls_and_a_client_without_tls_are_told(tmp_path: Path, server: Server, to: Open) -> None:
    authority = Authority(tmp_path / "ca")

    with pytest.raises(Unavailable, match="does not speak TLS as expected"):
        to(server, tls=True, ca_file=authority.file).send(documents(1))
    with lumberjack(authority) as guarded, pytest.raises(Unavailable):
        to(guarded).send(documents(1))
    assert "without TLS" in to(server).check()
