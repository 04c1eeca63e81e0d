"""The webhook posts the whole group, signed, under one key for all attempts."""

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from neighbours.receiver import Drop, Receiver, Status
from tocsin.destinations.webhook import Webhook
from tocsin.errors import Rejected, Unavailable
from tocsin.kit.secrets import Secret
from tocsin.model import Alert, Alertgroup, Delivery, Receipt

GROUP = Alertgroup(subject="s", alerts=(Alert(json='{"n": 1.10}', uid="a-1"),), id=7, uid="g-1")
DELIVERY = Delivery(id=1, uid="d-1", alertgroup=GROUP)


@pytest.fixture
def webhook(receiver: Receiver) -> Iterator[Webhook]:
    webhook = Webhook(
        url=Secret(f"{receiver.url}?key=QU3RY"),
        secret=Secret("tell nobody"),
        headers={"Authorization": Secret("Bearer H34DER")},
        timeout_s=5,
    )
    yield webhook
    webhook.close()


def test_the_group_arrives_with_its_key_and_the_receipt_names_where_it_went(
    receiver: Receiver, webhook: Webhook
) -> None:
    receiver.will(Status(201, {"Location": "/case/9"}))

    assert webhook.send(DELIVERY) == Receipt(remote_id="/case/9", status="201")

    (request,) = receiver.requests
    assert request.method == "POST"
    assert request.headers["Idempotency-Key"] == "d-1"
    assert request.headers["Authorization"] == "Bearer H34DER"
    assert request.headers["Content-Type"] == "application/json"
    assert b'{"n": 1.10}' in request.body
    assert json.loads(request.body)["uid"] == "g-1"


def test_the_signature_covers_timestamp_and_body(receiver: Receiver, webhook: Webhook) -> None:
    webhook.send(DELIVERY)

    (request,) = receiver.requests
    signed = request.headers["X-Tocsin-Timestamp"].encode() + b"." + request.body
    digest = hmac.new(b"tell nobody", signed, hashlib.sha256).hexdigest()
    assert request.headers["X-Tocsin-Signature"] == f"sha256={digest}"


def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    webhook = Webhook(url=Secret(receiver.url))
    webhook.send(DELIVERY)
    webhook.close()

    assert not any(name.startswith("X-Tocsin") for name in receiver.requests[0].headers)


def test_a_second_attempt_is_the_same_post_under_the_same_key(receiver: Receiver, webhook: Webhook) -> None:
    receiver.will(Drop(), Status(200))

    with pytest.raises(Unavailable):
        webhook.send(DELIVERY)
    webhook.send(DELIVERY)

    first, second = receiver.requests
    assert first.body == second.body
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


def test_a_recall_is_another_post_that_nobody_takes_for_an_alertgroup(receiver: Receiver, webhook: Webhook) -> None:
    receiver.will(Status(201, {"Location": "/case/9"}))
    first = webhook.send(DELIVERY)
    recall = Delivery(id=2, uid="d-2", alertgroup=GROUP, kind="recall", reason="a test of ours", earlier=(first,))
    webhook.send(replace(recall, owed=1_795_000_100_000_000))

    posted = receiver.requests[1]
    assert posted.headers["Idempotency-Key"] == "d-2"
    assert "X-Tocsin-Signature" in posted.headers
    assert json.loads(posted.body) == {
        "id": 7,
        "uid": "g-1",
        "alert_uids": ["a-1"],
        "recall": {
            "reason": "a test of ours",
            "at": "2026-11-18T11:08:20Z",
            "earlier": [{"remote_id": "/case/9", "status": "201"}],
        },
    }


def test_a_refusal_is_rejected_and_shows_no_secret(receiver: Receiver, webhook: Webhook) -> None:
    receiver.will(Status(422))

    with pytest.raises(Rejected) as caught:
        webhook.send(DELIVERY)

    shown = f"{caught.value} {webhook!r} {webhook.model_dump_json()}"
    for secret in ("QU3RY", "H34DER", "tell nobody"):
        assert secret not in shown


def test_the_check_asks_without_posting(receiver: Receiver, webhook: Webhook) -> None:
    receiver.will(Status(405))

    assert webhook.check() == f"http://127.0.0.1:{receiver.port} can be reached (HEAD was answered 405)"
    assert [request.method for request in receiver.requests] == ["HEAD"]
