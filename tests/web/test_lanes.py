"""Lanes as people run them: their pages, and the same over the API."""

import json
import re
from pathlib import Path

import pytest

from neighbours.destinations import Told, told
from tocsin.app import Hub
from tocsin.errors import Rejected
from tocsin.model import Receipt
from tocsin.store import alertgroup, delivery
from web.conftest import Caller
from web.person import csrf, signed_in
from web.test_ledger import LANE, settle_one


@pytest.fixture
def person(admin: Caller) -> Caller:
    return signed_in(admin)


def press(person: Caller, do: str, address: str = f"/lanes/{LANE}", **fields: object) -> str:
    """Post a form of the page; the page that is shown then."""
    token = csrf(person.get(f"/lanes/{LANE}"))
    answer = person.post(address, data={"csrf_token": token, "do": do, **fields})
    assert answer.status_code == 303, answer.text
    shown = person.get(answer.headers["location"])
    assert shown.status_code == 200, shown.text
    return shown.text


def destination(hub: Hub, kind: Told) -> None:
    """Put it in the place of the lane's own."""
    hub.lanes._threads[LANE][0].lane._destination = kind


def test_the_page_of_lanes_tells_how_each_fares(sender: Caller, person: Caller, hub: Hub) -> None:
    sender.post_group()
    sender.post_group()
    settle_one(hub, "failed")
    page = person.get("/lanes").text

    assert page.index('href="/lanes/idea_log"') < page.index('href="/lanes/text_log"')
    assert "failing, trying again" in page
    assert "because" in page
    piece = person.get("/lanes", headers={"HX-Target": "div#lanes"})
    assert piece.text.startswith('<div id="lanes"')
    assert 'href="/lanes/idea_log"' in person.get("/flow").text
    assert person.get("/lanes/nowhere").status_code == 404


def test_the_page_of_a_lane_shows_its_replays_and_nobody_elses(sender: Caller, admin: Caller, person: Caller) -> None:
    sender.post_group()
    before = person.get(f"/lanes/{LANE}").text
    assert admin.post("/api/v2/replay", json={"to": LANE, "query": 'tag:"<b>"'}).status_code == 200
    shown = person.get(f"/lanes/{LANE}").text

    assert "Replays" not in before
    assert 'tag:"<b>' not in shown
    assert re.search(r"<code>.*&lt;b&gt;.*</code>", shown)
    assert "0 of 1" in shown
    assert "Replays" not in person.get("/lanes/idea_log" if LANE != "idea_log" else "/lanes/text_log").text


def test_a_lane_is_paused_and_resumed_on_its_page_and_who_did_stands_there(
    sender: Caller, person: Caller, viewer: Caller, hub: Hub
) -> None:
    sender.post_group()
    assert "what it is owed waits" in press(person, "pause")
    assert viewer.json(f"/api/v2/lane/{LANE}")["state"] == "paused"
    assert hub.store.read(lambda tx: delivery.parked_ids(tx, LANE, 9)) == []
    shown = press(person, "resume")

    assert "It goes on." in shown
    assert viewer.json(f"/api/v2/lane/{LANE}")["state"] == "flowing"
    past = viewer.json(f"/api/v2/lane/{LANE}/history")["records"]
    assert [(line["who"], line["what"]) for line in past] == [("the analyst", "resumed"), ("the analyst", "paused")]
    assert shown.index("resumed") < shown.index("paused")


def test_who_only_reads_sees_lanes_and_changes_nothing(sender: Caller, admin: Caller, viewer: Caller) -> None:
    sender.post_group()
    reader = signed_in(admin, "viewer")
    page = reader.get(f"/lanes/{LANE}")

    assert page.status_code == 200
    assert "Pause" not in page.text
    token = csrf(page)
    assert reader.post(f"/lanes/{LANE}", data={"csrf_token": token, "do": "pause"}).status_code == 403
    for method, what in (("POST", "test"), ("POST", "retry"), ("POST", "drop"), ("POST", "drain"), ("GET", "drained")):
        assert viewer.request(method, f"/api/v2/lane/{LANE}/{what}").status_code == 403
    assert viewer.json(f"/api/v2/lane/{LANE}")["paused"] is False


def test_some_or_all_parked_deliveries_are_sent_again_or_dropped(sender: Caller, person: Caller, hub: Hub) -> None:
    for _ in range(5):
        sender.post_group()
        settle_one(hub, "failed")
    ids = hub.store.read(lambda tx: delivery.parked_ids(tx, LANE, 9))
    assert "Nothing was selected." in press(person, "retry")
    assert "2 deliveries are sent again." in press(person, "retry", delivery=[str(ids[0]), str(ids[2])])
    assert "1 delivery is dropped" in press(person, "drop", delivery=[str(ids[1])])
    assert hub.store.read(lambda tx: delivery.parked_ids(tx, LANE, 9)) == [ids[3], ids[4]]
    shown = press(person, "drop all")

    assert "2 deliveries are dropped" in shown
    assert "dropped all parked deliveries (2)" in shown
    assert hub.store.read(lambda tx: delivery.parked_ids(tx, LANE, 9)) == []
    others = hub.store.read(lambda tx: delivery.of_groups(tx, [1]))[1]
    other = next(one.id for one in others if one.lane != LANE)
    token = csrf(person.get("/lanes"))
    wrong = person.post(f"/lanes/{LANE}", data={"csrf_token": token, "do": "drop", "delivery": str(other)})
    assert wrong.status_code == 400


def test_all_parked_deliveries_are_decided_about_over_the_api(sender: Caller, analyst: Caller, hub: Hub) -> None:
    for _ in range(3):
        sender.post_group()
        settle_one(hub, "failed")

    assert analyst.post(f"/api/v2/lane/{LANE}/retry").json()["changed"] == 3
    assert analyst.json(f"/api/v2/lane/{LANE}")["due"] == 3
    assert analyst.post(f"/api/v2/lane/{LANE}/drop").json()["changed"] == 0
    assert analyst.post("/api/v2/lane/nowhere/drop").status_code == 404


def test_parked_deliveries_are_paged_each_with_its_last_answer(
    sender: Caller, person: Caller, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tocsin.web.pages.lanes.PAGE", 2)
    for _ in range(3):
        sender.post_group()
        settle_one(hub, "failed")
    ids = hub.store.read(lambda tx: delivery.parked_ids(tx, LANE, 9))
    first = person.get(f"/lanes/{LANE}").text

    assert f"/parked/{ids[2]}" in first
    assert f"/parked/{ids[0]}" not in first
    assert f"?before={ids[1]}" in first
    second = person.get(f"/lanes/{LANE}?before={ids[1]}").text
    assert f"/parked/{ids[0]}" in second
    assert "because" in second


def test_a_test_goes_past_the_queue_and_leaves_nothing_in_the_ledger(sender: Caller, person: Caller, hub: Hub) -> None:
    sender.post_group(tlp="red")
    there = told(lambda delivery: Receipt(remote_id="r-7", status=f"took {delivery.alertgroup.tlp}"))
    destination(hub, there)
    shown = press(person, "test")

    assert "The test arrived" in shown
    assert "took clear (its id there: r-7)" in shown
    assert there.calls == [[f"Tocsin test of {LANE}"]]
    assert "sent a test: delivered, took clear" in shown
    known = next(one for one in hub.store.read(delivery.lanes) if one.name == LANE)
    assert (known.due, known.delivered, known.failures) == (1, 0, 0)
    assert hub.store.read(alertgroup.max_id) == 1


def test_a_refused_test_tells_the_destinations_own_words(analyst: Caller, hub: Hub) -> None:
    def refuse(_delivery: object) -> Receipt:
        raise Rejected("404 no such channel")

    destination(hub, told(refuse))
    said = analyst.post(f"/api/v2/lane/{LANE}/test", json={"timeout_s": 30}).json()

    assert (said["outcome"], said["detail"]) == ("failed", "404 no such channel")
    assert analyst.post("/api/v2/lane/nowhere/test").status_code == 404
    assert analyst.post(f"/api/v2/lane/{LANE}/test", json={"timeout_s": 0}).status_code == 400


def test_a_parked_delivery_is_changed_and_sent_again_and_what_was_received_stays(
    sender: Caller, person: Caller, admin: Caller, hub: Hub
) -> None:
    group = sender.post_group(data=[{"src": "10.0.0.1"}, {"src": "bad"}])
    settle_one(hub, "failed")
    [id] = hub.store.read(lambda tx: delivery.parked_ids(tx, LANE, 9))
    second = admin.json(f"/api/v2/alertgroup/{group}/alert")["records"][1]["id"]
    page = person.get(f"/lanes/{LANE}/parked/{id}?alert={second}")
    assert "because" in page.text
    assert "{&#34;src&#34;:&#34;bad&#34;}" in page.text
    address = f"/lanes/{LANE}/parked/{id}"
    for wrong in ("[]", "{", '{"src": NaN}', "[" * 100_000):
        fields = {"csrf_token": csrf(page), "do": "retry", "alert": str(second), "data": wrong}
        refused = person.post(address, data=fields)
        assert refused.status_code == 400
        assert "must be a JSON object" in refused.text
    shown = press(person, "retry", address, subject="Mended", alert=str(second), data='{"src": "192.0.2.1"}\r\n')

    assert f"The subject is changed. The row of alert {second} is changed. It is sent again now." in shown
    known = admin.json(f"/api/v2/alertgroup/{group}")
    assert known["subject"] == "Mended"
    assert admin.json(f"/api/v2/alert/{second}")["data"] == {"src": "192.0.2.1"}
    assert b'"bad"' in admin.get("/api/v2/message/1/original").content
    assert admin.json(f"/api/v2/lane/{LANE}")["due"] == 1
    what = [line["what"] for line in admin.json(f"/api/v2/alertgroup/{group}/history")["records"]]
    assert {"subject changed", "row replaced", f"sent again to {LANE}"} <= set(what)
    late = person.post(address, data={"csrf_token": csrf(page), "do": "drop"})
    assert late.status_code == 303
    assert person.get(f"/lanes/text_log/parked/{id}").status_code == 404


def test_an_unchanged_form_changes_nothing_but_the_delivery(sender: Caller, person: Caller, hub: Hub) -> None:
    group = sender.post_group(subject="two\nlines", data=[{"src": "10.0.0.1"}])
    settle_one(hub, "failed")
    [id] = hub.store.read(lambda tx: delivery.parked_ids(tx, LANE, 9))
    shown = press(person, "retry", f"/lanes/{LANE}/parked/{id}", subject="twolines")

    assert "It is sent again now." in shown
    assert hub.store.read(lambda tx: alertgroup.get(tx, group)).subject == "two\nlines"


def test_a_lane_is_drained_to_a_file_which_is_downloaded_and_removed(
    sender: Caller, person: Caller, analyst: Caller, hub: Hub
) -> None:
    for number in range(3):
        sender.post_group(subject=f"number {number}")
    settle_one(hub, "failed")
    shown = press(person, "drain")
    assert "2 written to the file and settled." in shown
    lines = person.get(f"/lanes/{LANE}/drained").text.splitlines()
    assert [json.loads(line)["subject"] for line in lines] == ["number 1", "number 2"]
    assert "1 written to the file" in press(person, "drain parked")

    record = analyst.json(f"/api/v2/lane/{LANE}")
    assert (record["due"], record["failed"], record["delivered"], record["last_success"]) == (0, 0, 3, None)
    content = analyst.get(f"/api/v2/lane/{LANE}/drained").content
    assert len(content) == record["drained"]
    assert [json.loads(line)["subject"] for line in content.splitlines()][2] == "number 0"
    owed = {one["lane"]: one for one in analyst.json("/api/v2/alertgroup/1/delivery")["records"]}[LANE]
    assert owed["receipts"][-1]["detail"] == "drained into a file by the analyst"
    assert analyst.delete(f"/api/v2/lane/{LANE}/drained?size=7").status_code == 409
    assert "The file is removed." in press(person, "remove", size=str(record["drained"]))
    assert analyst.get(f"/api/v2/lane/{LANE}/drained").status_code == 404
    assert list((hub.data / "drained").iterdir()) == []


def test_a_lane_whose_file_cannot_be_written_stays_owed(sender: Caller, analyst: Caller, hub: Hub) -> None:
    sender.post_group()
    Path(hub.data / "drained").write_text("in the way")
    answer = analyst.post(f"/api/v2/lane/{LANE}/drain", json={"parked": False})

    assert answer.status_code == 503
    assert "cannot be written" in answer.json()["error_msg"]
    assert analyst.json(f"/api/v2/lane/{LANE}")["due"] == 1
