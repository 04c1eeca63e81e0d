"""The whole way: what a Tocsin detects stands at another, a Warden hub, and what others sent there comes back."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from neighbours.server import Server, running_server
from neighbours.warden import an_event
from tocsin.kit.warden import Account, Warden

SECRETS = {name: f"secret of {name}" for name in ("org.example.sensor", "org.example.other", "org.example.reader")}
HUB = """
[warden]
node = "org.example.hub"
clearance = "red"
"""
SENSOR = """
[destinations.hub]
type = "warden"
url = "{url}"
name = "org.example.sensor"
secret = "{secret}"

[sources.hub]
type = "warden"
url = "{url}"
name = "org.example.sensor"
secret = "{secret}"
begin = "all"
receive_delay = 0.2
"""


def until(true: Callable[[], bool], told: Callable[[], str]) -> None:
    """Wait for it."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, told()
        time.sleep(0.1)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Server]:
    clients = [f'[warden.clients."{name}"]\nsecret = "{secret}"\nwrite = true\n' for name, secret in SECRETS.items()]
    with running_server(tmp_path / "hub", configuration="\n".join([HUB, *clients])) as server:
        yield server


@pytest.fixture
def sensor(hub: Server, tmp_path: Path) -> Iterator[Server]:
    words = SENSOR.format(url=f"{hub.base_url}/warden3", secret=SECRETS["org.example.sensor"])
    with running_server(tmp_path / "sensor", configuration=words) as server:
        yield server


def subjects(server: Server) -> list[str]:
    with server.client("viewer") as client:
        found = client.get("/api/v2/alertgroup", params={"limit": 50}).json()["records"]
    return sorted(one["subject"] for one in found)


def delivered(server: Server) -> int:
    with server.client("viewer") as client:
        [lane] = [one for one in client.get("/api/v2/lane").json()["records"] if one["name"] == "hub"]
    return int(lane["delivered"])


def as_client(hub: Server, name: str) -> Warden:
    return Warden(Account(f"{hub.base_url}/warden3", name, SECRETS[name]))


def at_the_hub(hub: Server) -> list[dict[str, Any]]:
    """What a reader gets."""
    reader = as_client(hub, "org.example.reader")
    try:
        return [msgspec.json.decode(event) for event in reader.events(1, 100).events]
    finally:
        reader.close()


def posted(client: httpx2.Client, subject: str, *rows: dict[str, str]) -> int:
    answer = client.post("/scot/api/v2/alertgroup", json={"subject": subject, "data": list(rows)})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def test_what_one_tocsin_sees_reaches_those_who_read_at_another(hub: Server, sensor: Server) -> None:
    with sensor.client() as client:
        rows = [{"src_ip": f"198.51.100.{n}", "signature": f"ET SCAN {n}"} for n in (1, 2)]
        group = posted(client, "Scans", *rows)
    until(lambda: delivered(sensor) == 1 and len(at_the_hub(hub)) == 2, sensor.last_words)
    sensor.tocsin("recall", str(group), "--reason", "a test of ours")
    until(lambda: delivered(sensor) == 2 and len(at_the_hub(hub)) == 3, sensor.last_words)

    *scans, recall = at_the_hub(hub)
    names = [[node["Name"] for node in event["Node"]] for event in scans]
    assert names == [["org.example.hub", "org.example.sensor"]] * 2
    assert [event["Source"][0]["IP4"] for event in scans] == [["198.51.100.1"], ["198.51.100.2"]]
    assert recall["PredID"] == [event["ID"] for event in scans]
    assert recall["Confidence"] == 0


def test_what_others_sent_there_comes_in_and_our_own_does_not(hub: Server, sensor: Server) -> None:
    with sensor.client() as client:
        posted(client, "Ours", {"src_ip": "198.51.100.1", "signature": "ET SCAN ours"})
    until(lambda: len(at_the_hub(hub)) == 1, sensor.last_words)
    other = as_client(hub, "org.example.other")
    event = an_event(1, Description="Theirs", Node=[{"Name": "org.example.other"}])
    assert other.send([msgspec.json.encode(event)], ["event-1"]) == [None]
    other.close()
    until(lambda: "Theirs" in subjects(sensor), sensor.last_words)

    assert len(at_the_hub(hub)) >= 2
    assert subjects(sensor) == ["Ours", "Theirs"]
