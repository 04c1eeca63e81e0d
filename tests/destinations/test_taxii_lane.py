"""The whole way: posted alertgroups stand at a real TAXII server, are taken back there, and the ledger tells it."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from neighbours.medallion import PASSWORD, USER, medallion
from neighbours.server import Server, running_server

CONFIGURATION = """
[destinations.partner]
type = "taxii"
url = "{url}"
collection = "Alerts"
user = "{user}"
password = "{password}"
identity = "CERT Example"
link = "https://tocsin.example"
push_delay = 0.2
"""


def until(true: Callable[[], bool], told: Callable[[], str]) -> None:
    """Wait for it."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, told()
        time.sleep(0.1)


def posted(client: httpx2.Client, subject: str, row: dict[str, str]) -> int:
    answer = client.post("/scot/api/v2/alertgroup", json={"subject": subject, "data": [row]})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def states(server: Server) -> dict[str, int]:
    """How many deliveries of the lane stand in each state."""
    with server.client("viewer") as client:
        [lane] = [one for one in client.get("/api/v2/lane").json()["records"] if one["name"] == "partner"]
    return {state: lane[state] for state in ("due", "sending", "delivered", "skipped", "failed")}


def test_what_is_posted_stands_at_the_server_until_it_is_recalled(data: Path, tmp_path: Path) -> None:
    with medallion(tmp_path / "medallion") as real:
        words = CONFIGURATION.format(url=real.url, user=USER, password=PASSWORD)
        with running_server(data, configuration=words) as server, server.client() as client:
            ids = [
                posted(client, f"Scan {n}", {"src_ip": f"198.51.100.{n}", "signature": "ET SCAN"}) for n in range(1, 4)
            ]
            posted(client, "Nothing to say", {"note": "hello"})
            until(lambda: states(server)["delivered"] == 3 and states(server)["skipped"] == 1, server.last_words)
            before = real.objects()
            server.tocsin("recall", str(ids[1]), "--reason", "a test of ours")
            until(lambda: states(server)["delivered"] == 4, server.last_words)
            after = real.objects()

    names = [one["name"] for one in before if one["type"] == "grouping"]
    assert sorted(names) == ["Scan 1", "Scan 2", "Scan 3"]
    assert [one["name"] for one in before if one["type"] == "identity"] == ["CERT Example"]
    assert sum(one["type"] == "indicator" for one in before) == 3
    assert not any(one.get("revoked") for one in before)
    revoked = [one for one in after if one.get("revoked")]
    assert {one["name"] for one in revoked if one["type"] == "grouping"} == {"Scan 2"}
    assert {one["type"] for one in revoked} >= {"grouping", "indicator", "sighting"}
    assert len(after) == len(before) + len(revoked)
