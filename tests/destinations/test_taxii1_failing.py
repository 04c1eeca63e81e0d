"""An inbox on its bad days, and what is shown to one that asks who we are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from neighbours import taxii1 as neighbour
from neighbours.certificates import Authority
from neighbours.taxii1 import SPACE, says
from tocsin.destinations.taxii1 import Taxii1
from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint, Receipt

ATTACKER = Detection(name="Scan", sources=(Endpoint(addresses=("198.51.100.7",)),))


@pytest.fixture
def server() -> Iterator[neighbour.Taxii1]:
    with neighbour.taxii1() as known:
        yield known


def a_delivery(n: int = 1, attempt: int = 1) -> Delivery:
    alert = Alert(json="{}", detection=ATTACKER, uid="alert")
    group = Alertgroup(subject=f"scan {n}", alerts=(alert,), uid=f"group-{n}", received=1_795_290_092_000_000)
    return Delivery(id=n, uid=f"delivery-{n}", alertgroup=group, attempt=attempt, hub="hub")


def test_an_attempt_whose_answer_was_lost_is_made_again_with_the_same_bytes(server: neighbour.Taxii1) -> None:
    server.next = [lambda asked: (0, b"")]
    destination = Taxii1(service=f"{server.url}/inbox")
    try:
        with pytest.raises(Unavailable):
            destination.send(a_delivery())
        assert destination.send(a_delivery(attempt=2)) == Receipt(remote_id="theirs", status="SUCCESS")
    finally:
        destination.close()
    first, second = (etree.tostring(one) for one in server.asked)

    assert first == second
    assert server.asked[0].get("message_id") == "delivery-1"


def test_one_bad_answer_is_that_deliverys_alone(server: neighbour.Taxii1) -> None:
    server.next = [says("SUCCESS"), says("BAD_MESSAGE"), says("RETRY"), says("SUCCESS")]
    destination = Taxii1(service=f"{server.url}/inbox", collections=["a", "b"])
    try:
        outcomes = destination.send_batch([a_delivery(n) for n in range(4)], "").outcomes
    finally:
        destination.close()

    kinds = (Receipt, Rejected, Unavailable, Receipt)
    assert [isinstance(one, kind) for one, kind in zip(outcomes, kinds, strict=True)] == [True] * 4
    named = [one.text for one in server.asked[0].iterfind(f"{{{SPACE}}}Destination_Collection_Name")]
    assert named == ["a", "b"]


def test_our_certificate_is_shown_and_theirs_must_be_trusted(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    certificate, key = authority.issue("tocsin.example", "hidden")
    ours = {"client_cert": certificate, "client_key": key, "client_key_password": "hidden"}
    with neighbour.taxii1(authority.context("127.0.0.1")) as server:
        known = {"service": f"{server.url}/inbox", "timeout_s": 30}
        for options in (ours | {"ca_file": authority.file}, ours):
            destination = Taxii1.model_validate(known | options)
            try:
                outcome: Receipt | DeliveryError = destination.send(a_delivery())
            except DeliveryError as error:
                outcome = error
            finally:
                destination.close()
            if "ca_file" in options:
                assert isinstance(outcome, Receipt)
            else:
                assert "not trusted" in str(outcome)

    assert len(server.shown) == 1
    assert "tocsin.example" in server.shown[0]
