"""Syslog comes in over TCP, TLS and UDP: stored before more is read, and what UDP loses is counted."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from neighbours.certificates import Authority
from neighbours.desk import Desk
from neighbours.mailbox import until
from neighbours.ports import free_port
from neighbours.rsyslog import rsyslog
from tocsin.errors import StoreUnavailable
from tocsin.formats.syslog import framed
from tocsin.model import Message
from tocsin.sources.syslog import Syslog


class Away(Desk):
    """A desk whose store is away until it is `back`."""

    def __init__(self) -> None:
        super().__init__()
        self.back = threading.Event()

    def accept(self, message: Message, cursor: str | None = None, refused: str = "") -> None:
        if not self.back.is_set():
            raise StoreUnavailable("away")
        super().accept(message, cursor, refused)


@contextlib.contextmanager
def listening(desk: Desk, **options: Any) -> Iterator[int]:
    """The source at work; its port."""
    port = free_port()
    told = {"protocol": "tcp", "host": "127.0.0.1", "port": port, "permitted_senders": ["127.0.0.0/8"]} | options
    source = Syslog.model_validate(told)
    thread = threading.Thread(target=source.run, args=(desk,))
    thread.start()
    try:
        until(lambda: "" in desk.said)
        yield port
    finally:
        desk.stop.set()
        thread.join()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 30)


def stored(desk: Desk) -> bytes:
    return b"".join(desk.bodies)


def test_counted_records_and_lines_are_handed_over() -> None:
    desk = Desk()
    with listening(desk) as port, connected(port) as sender:
        sender.sendall(framed(b"<13>one\nand more") + b"<13>two\n<13>three")
        sender.shutdown(socket.SHUT_WR)
        until(lambda: stored(desk) == framed(b"<13>one\nand more") + framed(b"<13>two") + framed(b"<13>three"))

    assert {message.sender for message, _ in desk.kept} == {"127.0.0.1"}
    assert {message.media_type for message, _ in desk.kept} == {"application/x-syslog"}


def test_what_is_too_long_stands_in_quarantine_and_stops_nothing() -> None:
    desk = Desk()
    with listening(desk, max_bytes=480) as port, connected(port) as sender:
        sender.sendall(framed(b"<13>" + b"x" * 5000) + framed(b"<13>next"))
        until(lambda: stored(desk) == framed(b"<13>next") and len(desk.refused) == 1)

    assert "more than max_bytes = 480" in desk.refused[0][1]


def test_no_more_is_read_than_is_stored() -> None:
    desk = Away()
    record = framed(b"<13>" + b"x" * 60_000)
    with listening(desk) as port, connected(port) as sender:
        sender.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):  # noqa: PT012 - it is one of many writes that has to wait
            while sent < 1000:
                sender.sendall(record)
                sent += 1
        assert desk.kept == []
        desk.back.set()
        sender.close()
        until(lambda: stored(desk).count(b"60004 <13>") >= sent)


def test_strangers_and_too_many_are_hung_up_on_and_shown() -> None:
    desk = Desk()
    with listening(desk, permitted_senders=["192.0.2.0/24"]) as port, connected(port) as sender:
        with contextlib.suppress(ConnectionResetError):
            assert sender.recv(1) == b""
        until(lambda: any("127.0.0.1 may not send" in said for said in desk.said))
    desk = Desk()
    with listening(desk, max_connections=1) as port, connected(port) as first:
        first.sendall(b"<13>one\n")
        until(lambda: len(desk.kept) == 1)
        with connected(port) as second, contextlib.suppress(ConnectionResetError):
            assert second.recv(1) == b""
        until(lambda: any("max_connections = 1" in said for said in desk.said))


def test_udp_that_comes_while_the_store_is_away_is_bounded_and_counted() -> None:
    desk = Away()
    with listening(desk, protocol="udp", max_waiting=5) as port:
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            for number in range(600):
                sender.sendto(b"<13>%d\n" % number, ("127.0.0.1", port))
        desk.back.wait(1)
        desk.back.set()
        until(lambda: any("UDP records were dropped: 5 waited" in said for said in desk.said))
        until(lambda: framed(b"<13>0") in stored(desk))

    assert 1 <= stored(desk).count(b"<13>") < 600


def test_tls_asks_for_the_certificates_it_is_told_to(tmp_path: Path) -> None:
    authority, desk = Authority(tmp_path), Desk()
    pair, shown = authority.issue("localhost"), authority.issue("sender.example")
    options = {"protocol": "tls", "certificate": pair.certificate, "key": pair.key, "client_ca_file": authority.file}
    with listening(desk, **options) as port:
        context = ssl.create_default_context(cafile=authority.file)
        with pytest.raises(OSError), context.wrap_socket(connected(port), server_hostname="localhost") as sender:  # noqa: PT011, PT012 - TLS 1.3 tells late, in one of several words
            sender.sendall(b"<13>stranger\n")
            assert sender.recv(1) == b"x", "the handshake was refused"
            raise ConnectionError
        context.load_cert_chain(*shown)
        with context.wrap_socket(connected(port), server_hostname="localhost") as sender:
            sender.sendall(b"<13>friend\n")
            until(lambda: stored(desk) == framed(b"<13>friend"))

    assert b"stranger" not in stored(desk)


@pytest.mark.parametrize("framing", ["octet-counted", "traditional"])
def test_rsyslog_forwards_every_record(tmp_path: Path, framing: str) -> None:
    desk = Desk()
    with listening(desk) as port:
        forward = (
            f'action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" TCP_Framing="{framing}" '
            'template="RSYSLOG_SyslogProtocol23Format")'
        )
        with rsyslog(tmp_path / "peer", forward=forward) as peer, connected(peer.port) as sender:
            for number in range(50):
                sender.sendall(framed(b"<13>1 2026-01-01T00:00:00Z host app 1 ID - number %d." % number))
            until(lambda: all(b"number %d." % number in stored(desk) for number in range(50)))

    assert stored(desk).count(b"number ") == 50


def test_a_port_that_is_taken_is_told() -> None:
    desk = Desk()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        source = Syslog.model_validate(
            {"protocol": "tcp", "host": "127.0.0.1", "port": port, "permitted_senders": ["::1"]}
        )
        desk.stop.set()
        source.run(desk)

    assert "cannot listen on 127.0.0.1" in desk.said[0]


def test_options_that_do_not_fit_are_told() -> None:
    with pytest.raises(ValidationError, match="certificate belong together"):
        Syslog.model_validate({"permitted_senders": ["::1"]})
    with pytest.raises(ValidationError, match="must be a network"):
        Syslog.model_validate({"protocol": "tcp", "permitted_senders": ["192.0.2.1/24"]})
