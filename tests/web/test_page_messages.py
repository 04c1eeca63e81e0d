"""Quarantine, originals and failed deliveries on the pages."""

import re

import pytest

from tocsin.app import Hub
from tocsin.model import Message
from tocsin.store import sending
from tocsin.store.sending import Settled
from tocsin.web.notes import now_micros
from web.conftest import Caller
from web.person import csrf, signed_in

NOT_UNDERSTOOD = b"\xff\x00<script>alert(1)</script> not an alert \xe2\x80\xae"


@pytest.fixture
def person(admin: Caller) -> Caller:
    return signed_in(admin)


@pytest.fixture
def quarantined(hub: Hub) -> int:
    """A message that nobody understands, from a source that cannot be answered."""
    message = Message(
        source="maildir",
        body=NOT_UNDERSTOOD,
        media_type="application/x-nobody-knows",
        received=now_micros(),
        sender="<b>",
    )
    accepted = hub.intake.submit(message, answerable=False).result()
    assert accepted.quarantined
    return accepted.message


def test_what_was_not_understood_stands_in_quarantine_whole_and_with_its_reason(
    person: Caller, quarantined: int
) -> None:
    listed = person.get("/quarantine")
    assert f'href="/quarantine/{quarantined}"' in listed.text
    assert 'Quarantine<span class="n">1</span>' in listed.text

    one = person.get(f"/quarantine/{quarantined}")
    assert "Not understood:" in one.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; not an alert" in one.text
    assert "<script>alert" not in one.text
    assert 'data-c="202E"' in one.text
    download = person.get(f"/quarantine/{quarantined}/download")
    assert download.content == NOT_UNDERSTOOD
    assert "sandbox" in download.headers["content-security-policy"]
    assert download.headers["x-content-type-options"] == "nosniff"


def test_an_empty_quarantine_says_that_all_is_well(person: Caller) -> None:
    assert "Nothing stands in quarantine" in person.get("/quarantine").text
    assert person.get("/quarantine/77").status_code == 404


def test_a_failed_delivery_is_named_and_can_be_tried_again_or_dropped(person: Caller, admin: Caller, hub: Hub) -> None:
    group = admin.post_group()
    now = now_micros()
    claimed = hub.store.write(lambda tx: sending.claim(tx, "idea_log", 10, now, now + 60_000_000))
    failed = [
        Settled(id=one.id, attempt=one.attempt, outcome="failed", at=now, detail="<i>disk on fire</i>")
        for one in claimed
    ]
    hub.store.write(lambda tx: sending.settle(tx, "idea_log", failed, None))

    page = person.get(f"/alerts/{group}")
    assert "idea_log: failed, not tried again by itself (1 attempt)" in page.text
    assert "&lt;i&gt;disk on fire&lt;/i&gt;" in page.text
    assert "failed: &lt;i&gt;disk on fire" in person.get("/alerts").text
    assert "holds failed deliveries" in person.get("/flow").text
    form = re.search(r'action="(/deliveries/\d+)"', page.text)
    assert form

    def decide(what: str) -> str:
        data = {"csrf_token": csrf(page), "alertgroup": str(group), "do": what}
        answer = person.post(form[1], data=data)
        assert answer.status_code == 303, answer.text
        return person.get(answer.headers["location"]).text

    assert "It will be tried again now." in decide("retry")
    assert "idea_log: failed" not in person.get(f"/alerts/{group}").text
    again = hub.store.write(lambda tx: sending.claim(tx, "idea_log", 10, now_micros(), now_micros() + 60_000_000))
    assert [one.id for one in again] == [one.id for one in claimed]
    failed = [Settled(id=one.id, attempt=one.attempt, outcome="failed", at=now, detail="still") for one in again]
    hub.store.write(lambda tx: sending.settle(tx, "idea_log", failed, None))
    assert "idea_log: given up by a person" in decide("drop")


def test_a_delivery_of_another_alertgroup_is_not_touched(person: Caller, admin: Caller) -> None:
    group, other = admin.post_group(), admin.post_group()
    page = person.get(f"/alerts/{group}")

    wrong = person.post("/deliveries/1", data={"csrf_token": csrf(page), "alertgroup": str(other), "do": "drop"})
    assert wrong.status_code == 400
    assert "has no delivery 1" in wrong.text
