"""A whole Tocsin beside a whole OpenTAXII: pushes, recalls and polls, as an operator configures it."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from neighbours import opentaxii, stix1_oracles
from neighbours.opentaxii import PASSWORD, USER, OpenTaxii
from neighbours.server import PATIENCE_S, Server, running_server
from tocsin.formats import stix1
from tocsin.model import Alertgroup

FEED = (Path(__file__).parent.parent / "data" / "stix1" / "feed.xml").read_bytes()
CONFIGURATION = """
[entities]
own_networks = ["203.0.113.0/24"]

[destinations.partner]
type = "taxii1"
url = "{url}"
user = "{user}"
password = "{password}"
collections = ["collection-a"]
identity = "CERT Example"

[sources.partner]
type = "taxii1"
url = "{url}"
user = "{user}"
password = "{password}"
auth_url = "/management/auth"
collection = "collection-a"
interval_s = 0.5

[[routes]]
name = "ours alone"
query = "source:detector"
to = ["partner"]

[delivery]
first_wait_s = 0.1
"""


def until(true: Callable[[], bool], server: Server) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, server.last_words()
        time.sleep(0.2)


def states(client: httpx2.Client, group: int) -> list[str]:
    return [one["state"] for one in client.get(f"/api/v2/alertgroup/{group}/delivery").json()["records"]]


def held(partner: OpenTaxii) -> list[Alertgroup]:
    return [stix1.alertgroup(each) for each in partner.held()]


def test_alerts_go_out_corrections_follow_and_the_partners_come_in(data: Path) -> None:
    with opentaxii.running(data / "partner") as partner:
        told = {"url": partner.url(), "user": USER, "password": PASSWORD}
        with running_server(data / "tocsin", configuration=CONFIGURATION.format(**told)) as server:
            with server.client() as client:
                for n, address in enumerate(("198.51.100.7", "203.0.113.9"), 1):
                    row = {"src_ip": address, "signature": "ET SCAN", "timestamp": "2026-03-01T12:00:00Z"}
                    body = {"subject": f"scan {n}", "source": ["detector"], "data": [row]}
                    assert client.post("/scot/api/v2/alertgroup", json=body).status_code == 200
            until(lambda: len(held(partner)) == 1, server)
            with server.client("viewer") as client:
                until(lambda: states(client, 2) == ["skipped"], server)
            partner.put(FEED)
            with server.client("viewer") as client:
                until(lambda: "Botnet C2" in client.get("/api/v2/alertgroup").text, server)
            server.tocsin("recall", "1", "--reason", "a test of ours")
            until(lambda: len(held(partner)) == 3, server)
            doctor = server.tocsin("doctor", check=False).stdout
            with server.client("viewer") as client:
                subjects = [one["subject"] for one in client.get("/api/v2/alertgroup").json()["records"]]
        packages = partner.held()

    scan, feed, recall = map(stix1.alertgroup, packages)
    assert (scan.subject, feed.subject, recall.subject) == ("scan 1", "Botnet C2", "Recalled: scan 1")
    assert recall.body_plain == "a test of ours"
    assert [alert.data.get("value") for alert in scan.alerts if alert.data["kind"] == "indicator"] == ["198.51.100.7"]
    assert [stix1_oracles.complaints(one) for one in (packages[0], packages[2])] == [[], []]
    assert sorted(subjects) == ["Botnet C2", "scan 1", "scan 2"]
    assert "urn:stix.mitre.org:xml:1.2 goes into" in " ".join(doctor.split())
