"""The Warden server end to end: a real server, an independent client, on each engine."""

import http.client
import json
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from neighbours.certificates import Authority, Pair
from neighbours.server import PATIENCE_S, TOCSIN, Server, running_server
from neighbours.warden_client import WardenClient, WardenError
from tocsin.kit.warden import Account, Warden

CONFIG = """
[destinations.idea_log]
enabled = false
[destinations.text_log]
enabled = false

[sharing.profiles.partner]
columns = ["user", "_secret"]

[warden]
node = "org.example.hub"
clearance = "green"
redact = "partner"
query = "not tag:private"
get_events_limit = 5
send_events_limit = 3

[warden.clients."cz.sensor.a"]
secret = "secret-of-sensor"
write = true

[warden.clients."cz.reader"]
secret = "secret-of-reader"
test = false
"""
SENSOR, READER = ("cz.sensor.a", "secret-of-sensor"), ("cz.reader", "secret-of-reader")


@pytest.fixture
def serving(engine: str, data: Path) -> Iterator[Server]:
    with running_server(data, engine, CONFIG) as server:
        yield server


def client(server: Server, who: tuple[str, str]) -> WardenClient:
    return WardenClient(f"{server.base_url}/warden3", *who)


def event(id: str, **rest: Any) -> dict[str, Any]:
    return {
        "Format": "IDEA0",
        "ID": id,
        "DetectTime": "2026-11-21T19:46:28Z",
        "Category": ["Recon.Scanning"],
        "Source": [{"IP4": ["198.51.100.7"]}],
        "Node": [{"Name": "cz.sensor.a", "Type": ["Honeypot"]}],
        "TLP": "GREEN",
    } | rest


def post(server: Server, subject: str, **rest: Any) -> int:
    row = {"src_ip": "198.51.100.7", "category": "scan", "user": "mallory", "note": subject}
    group = {"subject": subject, "data": [row], "tlp": "green", "source": ["ids"]} | rest
    with server.client("sender", timeout=PATIENCE_S) as caller:
        answer = caller.post("/api/v2/alertgroup", json=group)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def patiently(look: Callable[[], Any]) -> Any:
    until = time.monotonic() + PATIENCE_S
    while (found := look()) is None:
        assert time.monotonic() < until, "not in time"
        time.sleep(0.1)
    return found


def drained(server: Server, count: int, **filters: Any) -> list[dict[str, Any]]:
    """All events there are, once there are so many."""
    reader = client(server, READER)

    def look() -> list[dict[str, Any]] | None:
        found = reader.drain(1, **filters)
        return found if len(found) >= count else None

    found: list[dict[str, Any]] = patiently(look)
    assert len(found) == count
    return found


def settled(server: Server, group: int) -> str:
    def done() -> str | None:
        with server.client("viewer", timeout=PATIENCE_S) as caller:
            records = caller.get(f"/api/v2/alertgroup/{group}/delivery").json()["records"]
        states = {each["lane"]: each["state"] for each in records}
        return None if {"due", "sending"} & set(states.values()) else states.get("warden-server", "nothing")

    found: str = patiently(done)
    return found


def test_what_one_client_sends_another_reads_with_every_key_and_our_node_first(serving: Server) -> None:
    sensor = client(serving, SENSOR)
    assert sensor.info()["send_events_limit"] == 3
    odd = {"_private": {"deep": [1, {"x": None}]}, "Unknown": True, "Confidence": 0.50, "Ref": ["cve:CVE-2020-1"]}
    events = [event("a", **odd), event("b", Category=["Odd.Thing"]), *(event(f"n{n}") for n in range(5))]
    assert sensor.send(events, limit=3) == (7, {})
    assert sensor.send(events, limit=2) == (7, {})

    found = {each["ID"]: each for each in drained(serving, 7)}
    assert found.keys() == {each["ID"] for each in events}
    for sent in events:
        got = found[sent["ID"]]
        ours, *before = got.pop("Node")
        assert (ours["Name"], before) == ("org.example.hub", sent["Node"])
        got.pop("_Tocsin")
        assert got == {key: value for key, value in sent.items() if key != "Node"}
    assert [each["ID"] for each in drained(serving, 1, cat="Other")] == ["b"]
    assert drained(serving, 7, group="cz.sensor", tag=["Honeypot", "Flow"])
    assert drained(serving, 0, tag="Relay") == []


def test_the_gate_stands_before_every_byte(serving: Server) -> None:
    hidden = [post(serving, "secret plan", tlp="amber"), post(serving, "secret too", tag=["private"])]
    shown = post(serving, "Scan of networks")
    assert [settled(serving, group) for group in hidden] == ["withheld", "nothing"]
    assert settled(serving, shown) == "delivered"
    sensor = client(serving, SENSOR)
    assert sensor.send([event("open", _secret="mallory"), event("closed", TLP="RED", Note="secret")]) == (2, {})
    found = drained(serving, 2)
    text = json.dumps(found)
    assert "secret plan" not in text
    assert "mallory" not in text
    assert "closed" not in text
    assert {each["Description"] for each in found if each["ID"] != "open"} == {"Scan of networks"}
    with serving.client("viewer", timeout=PATIENCE_S) as caller:
        why = caller.get(f"/api/v2/alertgroup/{shown}/why").text
    assert "warden-server" in why
    told = serving.tocsin("doctor", check=False).stdout
    assert "warden-server: readers of /warden3/" in told


def test_ids_counts_and_cursors_are_those_of_warden(serving: Server) -> None:
    sensor, reader = client(serving, SENSOR), client(serving, READER)
    assert reader.get() == (1, [])  # it begins now
    sensor.send([event(f"n{n}") for n in range(8)], limit=3)
    assert [each["ID"] for each in drained(serving, 8)] == [f"n{n}" for n in range(8)]

    other = client(serving, SENSOR)
    assert other.get() == (9, [])  # now, for the other one

    def ids(**asked: Any) -> tuple[int, list[str]]:
        last, events = other.get(**asked)
        return last, [each["ID"] for each in events]

    assert ids(id=1, count=2) == (3, ["n0", "n1"])
    assert ids(count=2) == (5, ["n2", "n3"])  # where it was
    assert ids(count=0) == (5, [])  # nothing is lost
    assert ids(id="what") == (9, ["n4", "n5", "n6", "n7"])
    assert ids() == (9, [])
    assert ids(id=-2) == (9, ["n6", "n7"])
    assert ids(id=-100, count=1) == (2, ["n0"])
    assert ids(id=0) == (9, [])
    assert ids(id=4, count="many") == (9, ["n3", "n4", "n5", "n6", "n7"])
    assert ids(id=1, count=-1)[0] == 6
    assert ids(id=1, count=10**6)[0] == 6
    assert ids(id=10**30) == (9, [])
    assert ids(id=5, verb="GET", what="ever", post=2)[1] == ["n4", "n5", "n6", "n7"]
    assert ids(id=1, cat="Fraud") == (9, [])

    for kind, wrong in (("cat", "Test,Other"), ("tag", "Odd"), ("nocat", "Foo.Bar")):
        with pytest.raises(WardenError) as caught:
            other.get(id=1, **{kind: wrong})
        assert (caught.value.status, caught.value.errors[0]["key"]) == (422, wrong)
    for kind, word in (("cat", "Test"), ("tag", "Flow"), ("group", "a.b")):
        with pytest.raises(WardenError, match=f"no{kind}") as caught:
            other.get(id=1, **{kind: word, f"no{kind}": word})
        assert caught.value.status == 422
    assert ids() == (9, [])


def test_a_recall_reaches_readers_and_takes_back_what_nobody_read(serving: Server) -> None:
    group = post(serving, "Scan of networks")
    [first] = drained(serving, 1)
    with serving.client("admin", timeout=PATIENCE_S) as caller:
        answer = caller.post(f"/api/v2/alertgroup/{group}/recall", json={"reason": "a mistake"})
        assert answer.is_success, answer.text

    def recalled() -> dict[str, Any] | None:
        found = client(serving, READER).drain(1)
        return found[0] if len(found) == 1 and found[0]["ID"] != first["ID"] else None

    recall = patiently(recalled)
    assert (recall["PredID"], recall["Confidence"]) == ([first["ID"]], 0)
    assert recall["Category"] == first["Category"]


def test_a_test_of_the_lane_reaches_readers_as_a_test_and_a_replay_adds_nothing(serving: Server) -> None:
    group = post(serving, "Scan of networks")
    drained(serving, 1)
    with serving.client("admin", timeout=PATIENCE_S) as caller:
        answer = caller.post("/api/v2/lane/warden-server/test")
        assert answer.json()["outcome"] == "delivered", answer.text
        [test] = drained(serving, 1, cat="Test")
        assert (test["Category"], test["Description"]) == (["Test"], "Tocsin test of warden-server")
        answer = caller.post("/api/v2/replay", json={"to": "warden-server", "again": True})
        assert answer.status_code == 200, answer.text
        id = answer.json()["id"]
        patiently(lambda: caller.get(f"/api/v2/replay/{id}").json()["state"] == "done" or None)
    assert settled(serving, group) == "delivered"
    assert [each["Description"] for each in drained(serving, 2)] == ["Scan of networks", "Tocsin test of warden-server"]


def test_what_was_answered_as_saved_is_there_after_a_kill(serving: Server) -> None:
    sensor = client(serving, SENSOR)
    assert sensor.send([event(f"n{n}") for n in range(9)], limit=3) == (9, {})
    serving.kill()
    serving.start()
    assert sensor.send([event(f"n{n}") for n in range(9)], limit=2) == (9, {})
    assert {each["ID"] for each in drained(serving, 9)} == {f"n{n}" for n in range(9)}


def test_our_own_client_sends_to_it_and_nothing_comes_twice(serving: Server) -> None:
    warden = Warden(Account(f"{serving.base_url}/warden3", *SENSOR))
    try:
        info = warden.info()
        assert (info.send_limit, info.get_limit) == (3, 5)
        events = [event("a"), event("b", Category=[])]
        for _ in range(2):
            fates = warden.send([json.dumps(each).encode() for each in events], [each["ID"] for each in events])
            assert fates[0] is None
            assert "460" in str(fates[1])
        found: list[bytes] = patiently(lambda: warden.events(1, 5, {"group": ["cz.sensor"]}).events or None)
        assert [json.loads(each)["ID"] for each in found] == ["a"]
    finally:
        warden.close()
    assert [each["ID"] for each in drained(serving, 1)] == ["a"]


@pytest.fixture
def authority(data: Path) -> Authority:
    return Authority(data / "tls")


@pytest.fixture
def secure(data: Path, authority: Authority) -> Iterator[str]:
    """The address of a server that speaks HTTPS itself and asks for certificates."""
    here = authority.issue("127.0.0.1")
    (data / "tocsin.toml").write_text(
        f"""[http]
port = 0
tls_certificate = "{here.certificate}"
tls_key = "{here.key}"
[warden]
client_ca = "{authority.file}"
certificate_header = "X-Client-Name"
certificate_proxies = ["192.0.2.1"]
[warden.clients."cz.sensor.a"]
write = true
[warden.clients."cz.hosted"]
hostname = "host.example"
secret = "secret-of-hosted"
"""
    )
    log = data / "server.log"
    with log.open("wb") as written:
        server = subprocess.Popen([TOCSIN, "serve", "--data", str(data)], stdout=written, stderr=written)
    try:
        while '"ready"' not in log.read_text():
            assert server.poll() is None, log.read_text()
            time.sleep(0.05)
        yield json.loads((data / "control.json").read_text())["url"]
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


def test_a_certificate_lets_in_where_tocsin_speaks_https_itself(secure: str, authority: Authority) -> None:
    def asked(shown: Pair | None, name: str = "", secret: str = "", **headers: str) -> int:
        one = WardenClient(f"{secure}/warden3", name, secret, headers)
        one.context = ssl.create_default_context(cafile=str(authority.file))
        if shown:
            one.context.load_cert_chain(*shown)
        try:
            one.info()
        except WardenError as error:
            return error.status
        return 200

    own, hosted, other = (authority.issue(name) for name in ("cz.sensor.a", "host.example", "other.example"))
    assert asked(own) == 200
    assert asked(own, "cz.sensor.a") == 200
    assert asked(own, "cz.hosted") == 403
    assert asked(hosted) == 403
    assert asked(hosted, "cz.hosted", "secret-of-hosted") == 200
    assert asked(other, "cz.hosted", "secret-of-hosted") == 403
    assert asked(other, "cz.sensor.a") == 403
    assert asked(None, "cz.sensor.a") == 403
    assert asked(None, "cz.sensor.a", **{"X-Client-Name": "cz.sensor.a", "X-Forwarded-For": "192.0.2.1"}) == 403
    stranger = Authority(authority.folder / "stranger").issue("cz.sensor.a")
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
        asked(stranger, "cz.sensor.a")
