"""Records go to rsyslog over TCP and TLS; a peer that hangs up or takes nothing is not one that took them."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neighbours.certificates import Authority
from neighbours.mailbox import until
from neighbours.rsyslog import rsyslog
from tocsin.destinations.syslog import Syslog
from tocsin.errors import Rejected, Unavailable
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint, Severity

MEANT = Detection(
    name="Port scan",
    severity=Severity.HIGH,
    detected=1_795_000_000_000_000,
    sources=(Endpoint(addresses=("192.0.2.7",)),),
)


def delivery(*rows: str, uid: str = "a") -> Delivery:
    alerts = tuple(Alert(json=row, uid=f"{uid}-{n}", detection=MEANT) for n, row in enumerate(rows, 1))
    return Delivery(id=1, uid="d-1", alertgroup=Alertgroup(subject="s", alerts=alerts, uid='g"]\\', received=1))


def syslog(port: int, **options: Any) -> Syslog:
    return Syslog.model_validate({"host": "localhost", "port": port, "tls": False, "hostname": "hub 1"} | options)


@pytest.fixture
def deaf() -> Iterator[socket.socket]:
    """A listener that accepts when a test does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_rsyslog_takes_every_alert_as_a_record(tmp_path: Path) -> None:
    with rsyslog(tmp_path / "peer") as peer:
        destination = syslog(peer.port)
        receipt = destination.send(delivery('{"n": 1.10}', '{\n"t": "é\\u000a"}'))
        destination.send(delivery('{"n": 3}', uid="b"))
        until(lambda: len(peer.records()) == 3)
        assert "takes connections" in destination.check()
        destination.close()
    first, second, third = peer.records()

    parts = re.fullmatch(rb"(.*?) (\[.*?[^\\]\]) (\{.*)", first)
    assert parts is not None
    head, data, text = parts.groups()
    assert re.fullmatch(rb"<131>1 2026-11-\d\dT\d\d:\d\d:\d\dZ hub_1 tocsin - alert", head)
    assert data == rb'[tocsin@32473 uid="a-1" alertgroup="g\"\]\\"]'
    assert b'"data":{"n": 1.10}' in text
    assert json.loads(text)["detection"]["severity"] == "high"
    assert json.loads(second[second.index(b" {") :])["data"] == {"t": "é\n"}
    assert b'uid="b-1"' in third
    assert receipt.status == "2 records taken by TCP"


@pytest.mark.parametrize(("form", "mark"), [("cef", b" CEF:0|Tocsin|"), ("leef", b" LEEF:2.0|Tocsin|")])
def test_rsyslog_takes_other_forms_over_tls_with_a_certificate(tmp_path: Path, form: str, mark: bytes) -> None:
    authority = Authority(tmp_path / "ca")
    shown = authority.issue("hub.example")
    with rsyslog(tmp_path / "peer", authority=authority, clients=True) as peer:
        certificate = {"client_cert": shown.certificate, "client_key": shown.key}
        destination = syslog(peer.port, tls=True, ca_file=authority.file, message=form, **certificate)
        destination.send(delivery("{}"))
        until(lambda: len(peer.records()) == 1)
        destination.close()

    assert mark in peer.records()[0]


def test_a_peer_that_is_not_trusted_gets_nothing(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    with rsyslog(tmp_path / "peer", authority=authority) as peer:
        with pytest.raises(Unavailable, match="is not trusted"):
            syslog(peer.port, tls=True).send(delivery("{}"))

        assert peer.records() == []


def test_a_peer_that_hung_up_is_noticed_before_anything_is_written(deaf: socket.socket) -> None:
    destination = syslog(deaf.getsockname()[1])
    taken: list[bytes] = []

    def serve() -> None:
        for _ in range(2):
            peer, _address = deaf.accept()
            with peer:
                taken.append(peer.recv(65_536))
                peer.settimeout(0.3)
                try:
                    peer.recv(1)
                except TimeoutError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    destination.send(delivery('{"n": 1}'))
    until(lambda: destination._line is not None and destination._line.is_closed())
    destination.send(delivery('{"n": 2}'))
    thread.join()
    destination.close()

    assert [b'{"n": 1}' in each for each in taken] == [True, False]
    assert b'{"n": 2}' in taken[1]


def test_a_peer_that_hangs_up_at_once_took_nothing(deaf: socket.socket) -> None:
    def serve() -> None:
        peer, _ = deaf.accept()
        peer.recv(1)
        peer.close()

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(Unavailable, match=r"hung up|broke"):
        syslog(deaf.getsockname()[1], max_bytes=1_048_576).send(delivery(json.dumps({"x": "y" * 900_000})))
    thread.join()


def test_a_peer_that_does_not_read_is_not_one_that_took_it(deaf: socket.socket) -> None:
    rows = [json.dumps({"x": "y" * 900_000})] * 20
    with pytest.raises(Unavailable, match="took"):
        syslog(deaf.getsockname()[1], max_bytes=1_048_576, timeout_s=0.5).send(delivery(*rows))


def test_nobody_there_is_told(tmp_path: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable, match="cannot be reached"):
            syslog(bound.getsockname()[1]).check()


def test_of_a_record_that_is_too_long_the_row_is_left_out_or_a_person_is_asked(deaf: socket.socket) -> None:
    destination = syslog(deaf.getsockname()[1], max_bytes=700)
    destination.send(delivery(json.dumps({"x": "y" * 5000})))
    peer, _ = deaf.accept()
    with peer:
        said = peer.recv(65_536)
    destination.close()
    length, _, record = said.partition(b" ")
    document = json.loads(record[record.index(b" {") :])

    assert int(length) == len(record) <= 700
    assert (document["left_out"], "data" in document) == (5009, False)
    with pytest.raises(Rejected, match="more than max_bytes = 480"):
        syslog(1, max_bytes=480).send(
            Delivery(id=1, uid="d", alertgroup=Alertgroup(subject="s" * 900, alerts=(Alert(json="{}"),)))
        )


def test_a_peer_without_tls_is_told(deaf: socket.socket) -> None:
    def serve() -> None:
        peer, _ = deaf.accept()
        with peer:
            peer.sendall(b"220 welcome\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(Unavailable, match="does not speak TLS"):
        syslog(deaf.getsockname()[1], tls=True).check()
    thread.join()
