"""Collections end to end: a real server, alertgroups in over HTTP, STIX out to clients that others wrote."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from taxii2client import v21

from neighbours.server import PATIENCE_S, Server, running_server
from tocsin.kit.secrets import Secret
from tocsin.kit.taxii import Taxii, TaxiiOptions

MEDIA = "application/taxii+json;version=2.1"
CONFIG = """
[destinations.idea_log]
enabled = false
[destinations.text_log]
enabled = false

[sharing.profiles.partner]
columns = ["user"]

[collections.scans]
query = "tag:scan"
clearance = "green"
redact = "partner"
readers = ["*"]

[collections.all]
clearance = "red"
"""


@pytest.fixture
def serving(engine: str, data: Path) -> Iterator[Server]:
    with running_server(data, engine, CONFIG) as server:
        yield server


def post(server: Server, name: str, tags: list[str], tlp: str = "green") -> int:
    row = {"src_ip": "198.51.100.7", "dest_ip": "203.0.113.9", "severity": "high", "user": "mallory", "note": name}
    group = {"subject": f"Scan {name}", "data": [row], "tag": tags, "tlp": tlp, "source": ["ids"]}
    with server.client("sender", timeout=PATIENCE_S) as client:
        answer = client.post("/api/v2/alertgroup", json=group)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def settled(server: Server, group: int) -> dict[str, str]:
    """By lane, what became of an alertgroup once nothing of it is under way."""

    def done() -> dict[str, str] | None:
        with server.client("viewer", timeout=PATIENCE_S) as client:
            records = client.get(f"/api/v2/alertgroup/{group}/delivery").json()["records"]
        states = {each["lane"]: each["state"] for each in records}
        return None if {"due", "sending"} & set(states.values()) else states

    found: dict[str, str] = patiently(done)
    return found


def patiently(look: Callable[[], Any]) -> Any:
    until = time.monotonic() + PATIENCE_S
    while (found := look()) is None:
        assert time.monotonic() < until, "not in time"
        time.sleep(0.1)
    return found


def collection_of(server: Server, name: str) -> v21.Collection:
    """As taxii2-client finds it, with a key as the password."""
    root = v21.Server(f"{server.base_url}/taxii2/", user="key", password=server.key("viewer")).default
    [found] = [each for each in root.collections if each.title == name]
    return found


def everything(server: Server, name: str) -> bytes:
    with server.client("viewer", timeout=PATIENCE_S) as client:
        answer = client.get(f"/taxii2/default/collections/{name}/objects/?match[version]=all&limit=1000")
    assert answer.status_code == 200, answer.text
    return answer.content


def test_what_a_query_means_is_what_clients_read(serving: Server) -> None:
    meant, other = post(serving, "one", ["scan"]), post(serving, "two", ["spam"])
    assert settled(serving, meant) == {"taxii-scans": "delivered", "taxii-all": "delivered"}
    assert settled(serving, other) == {"taxii-all": "delivered"}

    scans = collection_of(serving, "scans")
    objects = scans.get_objects()["objects"]
    assert {"grouping", "indicator", "ipv4-addr", "observed-data"} <= {each["type"] for each in objects}
    [grouping] = [each for each in objects if each["type"] == "grouping"]
    assert grouping["name"] == "Scan one"
    assert scans.get_objects(type="grouping")["objects"] == [grouping]
    assert scans.get_object(grouping["id"])["objects"] == [grouping]
    manifest = {each["id"]: each for each in scans.get_manifest()["objects"]}
    assert manifest.keys() == {each["id"] for each in objects}
    assert manifest[grouping["id"]]["version"] == grouping["modified"]
    pages = list(v21.as_pages(scans.get_objects, per_request=3))
    assert len(pages) > 1
    assert [each for page in pages for each in page["objects"]] == objects
    assert scans.object_versions(grouping["id"])["versions"] == [grouping["modified"]]

    with serving.client("viewer", timeout=PATIENCE_S) as client:
        why = client.get(f"/api/v2/alertgroup/{meant}/why").text
    assert '"kind":"collection","name":"scans"' in why


def test_our_own_client_reads_the_same(serving: Server) -> None:
    settled(serving, post(serving, "one", ["scan"]))
    options = TaxiiOptions(url=f"{serving.base_url}/taxii2/", collection="scans", token=Secret(serving.key("viewer")))
    taxii = Taxii(options)
    try:
        first = taxii.objects(limit=2)
        assert (len(first.objects), first.more) == (2, True)
        rest = taxii.objects(next_page=first.next, limit=2)
        assert not set(first.objects) & set(rest.objects)
        assert taxii.objects(added_after=rest.last).objects
    finally:
        taxii.close()


def test_the_gate_stands_before_every_byte(serving: Server) -> None:
    secret, shown = post(serving, "hidden", ["scan"], "amber"), post(serving, "shown", ["scan"], "clear")
    assert settled(serving, secret) == {"taxii-scans": "withheld", "taxii-all": "delivered"}
    settled(serving, shown)
    scans, whole = everything(serving, "scans"), everything(serving, "all")
    assert b"Scan shown" in scans
    assert b"hidden" not in scans
    assert b"mallory" not in scans
    assert b"Scan hidden" in whole


def test_the_same_alertgroup_again_adds_nothing_and_a_recall_revokes(serving: Server) -> None:
    group = post(serving, "one", ["scan"])
    settled(serving, group)
    before = json.loads(everything(serving, "scans"))["objects"]
    with serving.client("admin", timeout=PATIENCE_S) as client:
        answer = client.post("/api/v2/replay", json={"to": "taxii-scans", "again": True})
        assert answer.status_code == 200, answer.text
        id = answer.json()["id"]

        def replayed() -> bool | None:
            return client.get(f"/api/v2/replay/{id}").json()["state"] == "done" or None

        patiently(replayed)
        settled(serving, group)
        assert json.loads(everything(serving, "scans"))["objects"] == before
        answer = client.post(f"/api/v2/alertgroup/{group}/recall", json={"reason": "a mistake"})
        assert answer.is_success, answer.text

    def revoked() -> list[Any] | None:
        found = collection_of(serving, "scans").get_objects(type="grouping,indicator")["objects"]
        return found if all(each.get("revoked") for each in found) else None

    assert patiently(revoked)
    identity = collection_of(serving, "scans").get_objects(type="identity")["objects"]
    assert not [each for each in identity if each.get("revoked")]


def test_a_new_collection_is_filled_with_what_is_stored_once(engine: str, data: Path) -> None:
    with running_server(data, engine, "") as server:
        groups = [post(server, f"n{n}", ["scan"] if n % 2 else ["spam"]) for n in range(6)]
    (data / "tocsin.toml").write_text((data / "tocsin.toml").read_text() + CONFIG)
    for _ in range(2):  # at the second start nothing is left to fill
        server.start()

        def filled() -> list[Any] | None:
            with server.client("admin", timeout=PATIENCE_S) as client:
                records = client.get("/api/v2/replay").json()["records"]
            return records if records and all(each["state"] == "done" for each in records) else None

        replays = patiently(filled)
        assert sorted((each["to"], each["who"], each["owed"]) for each in replays) == [
            ("taxii-all", "tocsin", 6),
            ("taxii-scans", "tocsin", 3),
        ]
        for group in groups:
            settled(server, group)
        names = [each["name"] for each in collection_of(server, "scans").get_objects(type="grouping")["objects"]]
        assert names == ["Scan n1", "Scan n3", "Scan n5"]
        server.stop()


def test_lanes_and_doctor_name_the_collections(serving: Server) -> None:
    settled(serving, post(serving, "one", ["scan"]))
    with serving.client("admin", timeout=PATIENCE_S) as client:
        lanes = {each["name"] for each in client.get("/api/v2/lane").json()["records"]}
        assert {"taxii-scans", "taxii-all"} <= lanes
        assert client.get("/lanes/taxii-scans", headers={"accept": "text/html"}).status_code in (200, 303)
        route = {"name": "r", "query": "", "to": ["taxii-scans"]}
        assert client.post("/api/v2/route", json=route).status_code == 400
    told = serving.tocsin("doctor", check=False).stdout
    assert "destination taxii-scans: collection scans of /taxii2/" in told


def test_paging_goes_on_while_alerts_arrive(serving: Server) -> None:
    """A client that pages slowly, from the first object on, sees every object once and in the order of the end."""
    last = [post(serving, f"n{n}", ["scan"]) for n in range(3)][-1]
    settled(serving, last)
    seen: list[str] = []
    token = ""
    with httpx2.Client(trust_env=False, timeout=PATIENCE_S) as client:
        headers = {"Authorization": f"Bearer {serving.key('viewer')}", "Accept": MEDIA}
        for turn in range(200):
            if turn < 8:
                last = post(serving, f"later{turn}", ["scan"])
            elif turn == 8:
                settled(serving, last)
            url = f"{serving.base_url}/taxii2/default/collections/scans/objects/?limit=5{token}"
            answer = client.get(url, headers=headers)
            found = answer.json().get("objects", [])
            seen += [each["id"] for each in found]
            if found:
                # A client may go on by the token, or after the last page by the date of what it has.
                after = answer.headers["x-taxii-date-added-last"]
                token = f"&added_after={after}"
            elif turn > 8:
                break
    whole = [each["id"] for each in json.loads(everything(serving, "scans"))["objects"]]
    assert seen == whole
    assert len(set(seen)) == len(seen)
