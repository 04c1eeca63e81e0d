"""A stream of JetStream takes each alertgroup once, and what it does not acknowledge was not delivered."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nats
import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from neighbours.certificates import Authority
from neighbours.nats import Nats as Server
from neighbours.nats import nats_server
from tocsin.destinations.nats import Nats
from tocsin.errors import Rejected, Unavailable
from tocsin.model import Alert, Alertgroup, Delivery

GROUP = Alertgroup(subject="s", alerts=(Alert(json='{"n": 1.10}', uid="a-1"),), id=7, uid="g-1")
DELIVERY = Delivery(id=1, uid="d-1", alertgroup=GROUP)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with nats_server(tmp_path / "nats", payload=4096) as running:
        yield running


def to(port: int, **options: Any) -> Nats:
    return Nats.model_validate({"servers": [f"nats://127.0.0.1:{port}"], "timeout_s": 30} | options)


def stream(port: int, count: int = -1) -> list[tuple[bytes, dict[str, str]]]:
    """Make the stream, with -1; else its first messages with their headers."""

    async def work() -> list[tuple[bytes, dict[str, str]]]:
        client = await nats.connect(f"nats://127.0.0.1:{port}")
        jetstream = client.jetstream()
        found = []
        if count < 0:
            await jetstream.add_stream(name="ALERTS", subjects=["tocsin.>"], max_msg_size=2048)
        else:
            info = await jetstream.stream_info("ALERTS")
            assert info.state.messages == count
            for number in range(1, count + 1):
                message = await jetstream.get_msg("ALERTS", number)
                found.append((message.data or b"", message.headers or {}))
        await client.close()
        return found

    return asyncio.run(work())


def test_an_alertgroup_sent_twice_stands_in_the_stream_once(server: Server) -> None:
    stream(server.port)
    destination = to(server.port, stream="ALERTS")
    first, again = destination.send(DELIVERY), destination.send(DELIVERY)
    recall = replace(DELIVERY, uid="d-2", kind="recall", reason="in error", owed=1_795_000_000_000_000)
    third = destination.send(recall)
    said = destination.check()
    destination.close()
    (body, headers), (recalled, _) = stream(server.port, 2)

    assert (first.remote_id, first.status) == ("ALERTS:1", "stored")
    assert (again.remote_id, again.status) == ("ALERTS:1", "there already")
    assert third.remote_id == "ALERTS:2"
    assert b'{"n": 1.10}' in body
    assert headers["Nats-Msg-Id"] == "d-1"
    assert json.loads(recalled)["recall"]["reason"] == "in error"
    assert "stream ALERTS takes tocsin.alerts" in said


def test_without_a_stream_nothing_is_delivered(server: Server) -> None:
    destination = to(server.port)
    with pytest.raises(Unavailable, match="make one"):
        destination.send(DELIVERY)
    with pytest.raises(Unavailable, match="make one"):
        destination.check()
    stream(server.port)

    assert destination.send(DELIVERY).remote_id == "ALERTS:1"
    destination.close()


@pytest.mark.parametrize("size", [3000, 9000], ids=["for the stream", "for the server"])
def test_what_is_too_large_waits_for_a_person(server: Server, size: int) -> None:
    stream(server.port)
    destination = to(server.port)
    with pytest.raises(Rejected):
        destination.send(replace(DELIVERY, alertgroup=replace(GROUP, subject="s" * size)))

    assert destination.send(DELIVERY).status == "stored"
    destination.close()


def test_a_server_that_went_away_is_found_again(tmp_path: Path) -> None:
    with nats_server(tmp_path / "one") as server:
        stream(server.port)
        destination = to(server.port, timeout_s=2)
        destination.send(DELIVERY)
    with pytest.raises(Unavailable):
        destination.send(replace(DELIVERY, uid="d-2"))
    with pytest.raises(Unavailable):
        destination.check()
    destination.close()


def test_tls_and_password_are_asked_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    pair = authority.issue("localhost")
    tls = f'tls {{ cert_file: "{pair.certificate}", key_file: "{pair.key}" }}'
    more = f"{tls}\nauthorization {{ user: hub, password: pw }}"
    with nats_server(tmp_path / "nats", more=more) as server:
        told = {"servers": [f"tls://localhost:{server.port}"], "user": "hub"}
        with pytest.raises(Unavailable, match="make one"):
            to(server.port, **told, password="pw", ca_file=authority.file).check()
        with pytest.raises(Unavailable, match="cannot be spoken to"):
            to(server.port, **told, password="wrong", ca_file=authority.file).check()
        with pytest.raises(Unavailable, match="cannot be spoken to"):
            to(server.port, **told, password="pw").check()


def test_addresses_hold_no_passwords_and_subjects_no_patterns() -> None:
    with pytest.raises(ValidationError, match="options of their own"):
        Nats.model_validate({"servers": ["nats://user:secret@host"]})
    with pytest.raises(ValidationError, match="pattern"):
        Nats.model_validate({"servers": ["tls://host"], "subject": "alerts.*"})
