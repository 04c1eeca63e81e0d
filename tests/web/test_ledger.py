"""What is owed and what came back; lanes, sources, messages, quarantine and the balance, over the API."""

import pytest

from tocsin.app import Hub
from tocsin.model import Message
from tocsin.store import sending
from tocsin.store.sending import Settled
from tocsin.web.notes import now_micros
from web.conftest import Caller

LANE = "idea_log"


def settle_one(hub: Hub, outcome: str) -> None:
    """Claim the next delivery of the lane, and say what came of it."""
    now = now_micros()
    claimed = hub.store.write(lambda tx: sending.claim(tx, LANE, 1, now, now + 60_000_000))
    settled = [
        Settled(
            id=claimed[0].id,
            attempt=claimed[0].attempt,
            outcome=outcome,  # type: ignore[arg-type]  # given as text by each test
            at=now,
            took=1500,
            remote_id="r-1",
            detail="because",
        )
    ]
    hub.store.write(lambda tx: sending.settle(tx, LANE, settled, None))


def test_the_ledger_of_an_alertgroup_has_every_receipt(sender: Caller, viewer: Caller, hub: Hub) -> None:
    id = sender.post_group()
    settle_one(hub, "delivered")
    owed = {one["lane"]: one for one in viewer.json(f"/api/v2/alertgroup/{id}/delivery")["records"]}

    assert set(owed) == set(hub.wiring.destinations)
    assert (owed[LANE]["state"], owed[LANE]["attempt"]) == ("delivered", 1)
    [receipt] = owed[LANE]["receipts"]
    assert receipt | {"when": 0} == {
        "attempt": 1, "when": 0, "took_ms": 1.5, "outcome": "delivered", "remote_id": "r-1", "detail": "because",
    }  # fmt: skip
    assert owed["text_log"]["state"] == "due"
    assert owed["text_log"]["settled"] is None


def test_a_parked_delivery_is_sent_again_or_dropped_by_a_person(
    sender: Caller, viewer: Caller, analyst: Caller, hub: Hub
) -> None:
    sender.post_group()
    settle_one(hub, "failed")
    [parked] = viewer.json(f"/api/v2/lane/{LANE}/failed")["records"]
    assert parked["state"] == "failed"

    assert analyst.post("/api/v2/delivery/retry", json={"ids": [parked["id"]]}).json() == {"changed": 1, "status": "ok"}
    assert viewer.json(f"/api/v2/lane/{LANE}")["due"] == 1
    settle_one(hub, "failed")
    assert analyst.post("/api/v2/delivery/drop", json={"ids": [parked["id"], 999]}).json()["changed"] == 1
    assert viewer.json(f"/api/v2/lane/{LANE}/failed")["records"] == []
    assert "test analyst" in {line["who"] for line in viewer.json("/api/v2/alertgroup/1/history")["records"]}


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("body", [{"ids": []}, {"ids": [0]}, {"ids": ["1"]}, {}, {"ids": [1], "why": "x"}])
def test_a_decision_that_names_no_deliveries_is_refused(analyst: Caller, body: object) -> None:
    assert analyst.post("/api/v2/delivery/retry", json=body).status_code == 400
    assert analyst.post("/api/v2/delivery/drop", json=body).status_code == 400


def test_lanes_say_how_deep_they_are_and_are_paused_and_resumed(
    sender: Caller, viewer: Caller, analyst: Caller, hub: Hub
) -> None:
    sender.post_group()
    lanes = {lane["name"]: lane for lane in viewer.json("/api/v2/lane")["records"]}
    assert set(lanes) == set(hub.wiring.destinations)
    assert (lanes[LANE]["due"], lanes[LANE]["configured"], lanes[LANE]["paused"]) == (1, True, False)
    assert lanes[LANE]["oldest"] > 1_600_000_000

    assert analyst.put(f"/api/v2/lane/{LANE}", json={"paused": True}).json()["paused"] is True
    now = now_micros()
    assert hub.store.write(lambda tx: sending.claim(tx, LANE, 1, now, now + 1)) == []
    assert analyst.put(f"/api/v2/lane/{LANE}", json={"paused": False}).json()["paused"] is False
    assert analyst.put("/api/v2/lane/nowhere", json={"paused": True}).status_code == 404
    assert analyst.put(f"/api/v2/lane/{LANE}", json={"paused": "yes"}).status_code == 400
    assert viewer.get("/api/v2/lane/nowhere").status_code == 404


def test_a_message_and_its_original_bytes(sender: Caller, analyst: Caller) -> None:
    body = b'{"subject": "<script>alert(1)</script>", "data": [{"a": 1.0}]}  '
    sender.post("/api/v2/alertgroup", content=body)
    message = analyst.json("/api/v2/message/1")
    assert (message["sender"], message["size"], message["alertgroups"]) == ("test sender", len(body), [1])

    original = analyst.get("/api/v2/message/1/original")
    assert original.content == body
    assert original.headers["content-type"] == "application/octet-stream"
    assert original.headers["content-disposition"].startswith("attachment")
    assert original.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in original.headers["content-security-policy"]
    assert analyst.get("/api/v2/message/2").status_code == 404


def quarantine(hub: Hub, text: bytes) -> None:
    message = Message(source="imap", body=text, media_type="application/x-unheard-of", received=now_micros())
    assert hub.intake.accept(message).quarantined


def test_quarantine_is_listed_in_pages_with_the_reason(hub: Hub, analyst: Caller) -> None:
    for n in range(3):
        quarantine(hub, b"%d" % n)
    first = analyst.json("/api/v2/quarantine?limit=2")
    second = analyst.json(f"/api/v2/quarantine?limit=2&before={first['records'][-1]['id']}")

    assert [one["id"] for one in first["records"] + second["records"]] == [3, 2, 1]
    assert first["totalRecordCount"] == 3
    assert analyst.json("/api/v2/quarantine/1")["reason"]
    assert analyst.get("/api/v2/quarantine/1").json()["state"] == "quarantined"
    for wrong in ("limit=0", "limit=1001", "before=x", "after=1", "limit=-1"):
        assert analyst.get(f"/api/v2/quarantine?{wrong}").status_code == 400


def test_the_balance_accounts_for_everything(hub: Hub, sender: Caller, viewer: Caller) -> None:
    sender.post_group(message_id="m")
    sender.post_group(message_id="m")
    sender.post("/api/v2/alertgroup", content="{}")
    quarantine(hub, b"?")
    flow = viewer.json("/api/v2/flow-of-alerts")

    assert flow["all"] == {
        "source": "", "received": 3, "stored": 1, "quarantined": 1, "refused": 1, "repeated": 1,
    }  # fmt: skip
    assert flow["today"] == flow["all"]
    assert {one["source"]: one["received"] for one in flow["sources"]} == {"rest": 2, "imap": 1}
    assert flow["quarantine"] == 1
    assert {source["name"] for source in viewer.json("/api/v2/source")["records"]} >= {"rest", "imap"}
