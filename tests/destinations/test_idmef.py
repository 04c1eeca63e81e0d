"""IDMEFv2 over HTTPS: a request for each message, under ids that stay, each side proving who it is."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from neighbours.certificates import Authority
from neighbours.receiver import Receiver, Status
from tocsin.destinations.idmef import Idmef
from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.kit.secrets import Secret
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint, Receipt

MEANT = Detection(name="a scan", category="portscan", sources=(Endpoint(addresses=("192.0.2.7",)),))
ALERTS = tuple(Alert(json="{}", uid=f"11111111-1111-4111-8111-11111111111{n}", detection=MEANT) for n in range(2))
GROUP = Alertgroup(subject="s", alerts=ALERTS, uid="22222222-2222-4222-8222-222222222222", received=10**15)
DELIVERY = Delivery(id=1, uid="d-1", alertgroup=GROUP)


def test_each_message_is_a_request_and_the_incident_is_the_last(receiver: Receiver) -> None:
    idmef = Idmef(url=Secret(receiver.url), headers={"Authorization": Secret("Bearer H34DER")})

    assert idmef.send(DELIVERY) == Receipt(status="200")
    idmef.send(DELIVERY)
    idmef.close()

    requests = receiver.requests
    first, second, incident = [request.json for request in requests[:3]]
    assert [first["ID"], second["ID"]] == [alert.uid for alert in ALERTS] == incident["CorrelID"]
    assert (incident["ID"], incident["Status"]) == (GROUP.uid, ["Incident"])
    assert [request.body for request in requests[3:]] == [request.body for request in requests[:3]]
    keys = [request.headers["Idempotency-Key"] for request in requests]
    assert keys[:3] == keys[3:] == ["d-1-0", "d-1-1", "d-1-2"]
    assert requests[0].headers["Content-Type"] == "application/json"
    assert requests[0].headers["Authorization"] == "Bearer H34DER"


def test_a_recall_is_one_message_that_replaces_the_others(receiver: Receiver) -> None:
    idmef = Idmef(url=Secret(receiver.url))
    idmef.send(Delivery(id=2, uid="d-2", alertgroup=GROUP, kind="recall", owed=10**15, reason="a mistake"))
    idmef.close()

    (request,) = receiver.requests
    assert request.json["PredID"] == [*(alert.uid for alert in ALERTS), GROUP.uid]
    assert (request.json["Status"], request.json["Confidence"], request.json["Note"]) == (
        ["FalsePositive"],
        0,
        "a mistake",
    )


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [(400, Rejected, "message 2 of 3: .* answered 400"), (503, Unavailable, "answered 503")],
)
def test_a_refused_message_is_permanent_and_a_busy_server_is_not(
    receiver: Receiver, status: int, error: type[DeliveryError], said: str
) -> None:
    idmef = Idmef(url=Secret(receiver.url))
    receiver.will(Status(), Status(status))

    with pytest.raises(error, match=said):
        idmef.send(DELIVERY)
    idmef.close()


def test_rows_without_a_detection_are_read_and_slips_form_is_written(receiver: Receiver) -> None:
    idmef = Idmef(url=Secret(receiver.url), profile="slips", analyzer="hub", incidents=False)
    alert = Alert(json='{"signature": "a rule", "src_ip": "192.0.2.7"}', uid="a-1")
    idmef.send(Delivery(id=1, uid="d", alertgroup=Alertgroup(subject="s", alerts=(alert,), received=10**15)))

    assert "can be reached" in idmef.check()
    idmef.close()
    sent = receiver.requests[0].json
    assert (sent["Version"], sent["Status"], sent["Analyzer"]["Name"]) == ("2.0.3", "Event", "hub")
    assert (sent["Description"], sent["Source"]) == ("a rule", [{"IP": "192.0.2.7"}])


class _Taking(BaseHTTPRequestHandler):
    taken: list[tuple[Any, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((json.loads(body), self.request.getpeercert()))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextlib.contextmanager
def behind_tls(authority: Authority, taken: list[tuple[Any, Any]]) -> Iterator[str]:
    """The URL of a server that lets nobody in without a certificate of the authority."""
    context = authority.context("localhost")
    context.verify_mode = context.verify_mode.__class__.CERT_REQUIRED
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Taking", (_Taking,), {"taken": taken}))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_address[1]}/idmef"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_with_mutual_tls_both_sides_prove_who_they_are(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    certificate, key = authority.issue("tocsin.example", "locked")
    taken: list[tuple[Any, Any]] = []
    with behind_tls(authority, taken) as url:
        shown = Idmef(
            url=Secret(url), ca_file=authority.file, client_cert=certificate, client_key=key,
            client_key_password=Secret("locked"), timeout_s=30,
        )  # fmt: skip
        assert shown.send(DELIVERY).status == "204"
        shown.close()
        hidden = Idmef(url=Secret(url), ca_file=authority.file, timeout_s=30)
        with pytest.raises(Unavailable):
            hidden.send(DELIVERY)
        hidden.close()

    assert len(taken) == 3
    for _, peer in taken:
        assert dict(part for (part,) in peer["subject"])["commonName"] == "tocsin.example"
