"""Health, readiness, metrics and the description of the API."""

import re
import time
from html.parser import HTMLParser

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tocsin.app import Hub
from tocsin.errors import StoreUnavailable
from tocsin.store import Store
from web.conftest import Caller


def test_health_needs_no_key_and_says_that_the_process_is_alive(nobody: Caller) -> None:
    assert nobody.get("/healthz").json() == {"status": "ok"}
    assert nobody.get("/readyz").json() == {"status": "ready"}
    assert nobody.get("/scot/readyz").status_code == 200


def test_readiness_says_why_alerts_cannot_be_taken(nobody: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "healthy", lambda _self: "the disk of /data is full: free some space")
    answer = nobody.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "error_msg": "the disk of /data is full: free some space"}
    assert "retry-after" in answer.headers
    assert nobody.get("/healthz").status_code == 200


def test_readiness_asks_whether_the_store_can_be_read(nobody: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_self: Store, _work: object) -> None:
        raise StoreUnavailable("PostgreSQL at db, database tocsin: connection refused")

    monkeypatch.setattr(Store, "read", gone)
    assert nobody.get("/readyz").status_code == 503
    assert "connection refused" in nobody.get("/readyz").json()["error_msg"]


def test_a_stopping_server_is_not_ready(nobody: Caller) -> None:
    nobody.application.state.web.live.close()

    assert nobody.get("/readyz").status_code == 503


def metrics(caller: Caller) -> dict[str, float]:
    lines = [line for line in caller.get("/metrics").text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_metrics_count_what_came_in_and_what_is_owed(sender: Caller, viewer: Caller) -> None:
    sender.post_group(message_id="m")
    sender.post_group(message_id="m")
    sender.post("/api/v2/alertgroup", content="{}")
    viewer.json("/api/v2/flow-of-alerts")
    found = metrics(viewer)

    for name, expected in {
        'tocsin_received_total{source="rest"}': 2,
        'tocsin_stored_total{source="rest"}': 1,
        'tocsin_refused_total{source="rest"}': 1,
        'tocsin_repeated_total{source="rest"}': 1,
        'tocsin_quarantined_total{source="rest"}': 0,
        'tocsin_lane_depth{lane="idea_log",state="due"}': 1,
        'tocsin_lane_delivered_total{lane="idea_log"}': 0,
        'tocsin_lane_failed_total{lane="idea_log"}': 0,
        "tocsin_store_healthy": 1,
        "tocsin_intake_seconds_count": 2,
    }.items():
        assert found[name] == expected, name
    assert found['tocsin_lane_oldest_seconds{lane="idea_log"}'] >= 0


def test_metrics_say_how_long_deliveries_take(hub: Hub, sender: Caller, viewer: Caller) -> None:
    hub.start()
    sender.post_group()
    for _ in range(1000):
        found = metrics(viewer)
        if found['tocsin_lane_delivered_total{lane="idea_log"}']:
            break
        time.sleep(0.01)

    assert found['tocsin_lane_attempts_total{lane="idea_log",outcome="delivered"}'] == 1
    assert found['tocsin_lane_attempt_seconds_total{lane="idea_log"}'] > 0
    assert found['tocsin_lane_delay_seconds_total{lane="idea_log"}'] > 0


def test_metrics_need_a_key(nobody: Caller) -> None:
    assert nobody.get("/metrics").status_code == 401


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("href", "src")]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_page_of_the_description_loads_nothing_from_elsewhere(nobody: Caller, engine: str) -> None:
    answer = nobody.get("/api/docs")
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")

    page = _Loads()
    page.feed(answer.text)
    assert "script" not in page.tags
    assert all(address.startswith(("/", "#")) for address in page.addresses)
    anchors = set(re.findall(r'id="([^"]+)"', answer.text))
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= anchors


def test_a_fault_of_ours_is_a_plain_sentence_without_a_trace(
    sender: Caller, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_named: object) -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr(hub.intake, "submit", broken)
    told: list[Response] = []

    async def remember(request: Request, error: Exception) -> Response:
        from tocsin.web import _broken

        told.append(await _broken(request, error))
        return told[-1]

    sender.application.exception_handlers[Exception] = remember
    sender.application.middleware_stack = None
    with pytest.raises(ZeroDivisionError):
        sender.post("/api/v2/alertgroup", content='{"subject":"s","data":[{"a":1}]}')

    assert told[0].status_code == 500
    assert b"secret" not in bytes(told[0].body)
    assert b"Traceback" not in bytes(told[0].body)
    assert b"error_msg" in bytes(told[0].body)
