"""Whatever is sent to the door, it answers as it promised: never a 500, never silence."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from web.conftest import Caller

POST = "/scot/api/v2/alertgroup"
SUITABLE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(
    [
        *("subject", "data", "message_id", "tag", "tags", "source", "sources", "columns", "body", "body_plain"),
        *("ahrefs", "tlp", "groups", "created", "owner", "status", "views", "id", "unknown"),
    ]
)
nearly_right = st.fixed_dictionaries(
    {
        "subject": st.text(max_size=20),
        "data": st.lists(st.dictionaries(st.text(max_size=8), values, max_size=3), max_size=3),
    },
    optional={
        "tag": st.lists(st.text(max_size=8), max_size=3),
        "message_id": st.none() | st.text(max_size=8),
        "created": st.integers() | st.text(max_size=12),
        "groups": st.dictionaries(st.text(max_size=4), st.lists(st.text(max_size=4), max_size=2), max_size=2),
        "ahrefs": st.lists(st.dictionaries(st.sampled_from(["subject", "link", "x"]), st.text(max_size=8)), max_size=2),
        "owner": st.text(max_size=8),
        "body": st.text(max_size=20),
    },
)


def check(answer: Any) -> None:
    assert answer.status_code in (200, 202, 400), answer.text
    if answer.status_code == 400:
        assert answer.json()["error_msg"]


@settings(max_examples=60, suppress_health_check=SUITABLE)
@given(body=st.dictionaries(fields, values, max_size=6) | nearly_right | values)
def test_any_json_is_stored_or_refused_and_what_is_stored_can_be_read(admin: Caller, body: Any) -> None:
    answer = admin.post(POST, content=json.dumps(body).encode("utf-8", "surrogatepass"))
    check(answer)
    if answer.status_code == 200:
        group = admin.json(f"{POST}/{answer.json()['id']}")
        assert [alert["data"] for alert in group["alerts"]] == body["data"]


@settings(max_examples=60, suppress_health_check=SUITABLE)
@given(body=st.binary(max_size=200))
def test_any_bytes_are_refused_or_stored(admin: Caller, body: bytes) -> None:
    check(admin.post(POST, content=body))


@settings(max_examples=40, suppress_health_check=SUITABLE)
@given(body=st.dictionaries(st.sampled_from(["status", "alerts", "data", "tag", "tlp", "owner"]), values, max_size=3))
def test_any_change_is_made_or_refused(admin: Caller, body: Any) -> None:
    admin.post(POST, content='{"subject":"s","message_id":"one","data":[{"a":1}]}')
    answer = admin.put(f"{POST}/1", content=json.dumps(body).encode("utf-8", "surrogatepass"))

    assert answer.status_code in (200, 400, 404), answer.text


@settings(max_examples=60, suppress_health_check=SUITABLE)
@given(query=st.binary(max_size=60), path=st.sampled_from(["/alertgroup", "/alert", "/quarantine", "/alertgroup/1"]))
def test_any_query_is_answered(admin: Caller, query: bytes, path: str) -> None:
    raw = b"/api/v2" + path.encode() + b"?" + query.translate(None, b"#")
    answer = raw_get(admin, raw)

    assert answer in (200, 400, 404)


def raw_get(caller: Caller, target: bytes) -> int:
    """A request with bytes no client library would send."""
    path, _, query = target.partition(b"?")
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "GET",
        "path": path.decode("utf-8", "replace"),
        "raw_path": path,
        "query_string": query,
        "headers": [(name.lower().encode(), value.encode()) for name, value in caller.headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("tocsin.test", 80),
        "scheme": "http",
        "root_path": "",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
    }
    caller.runner.run(caller.application(scope, receive, send))
    return statuses[0]


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cookie", "tocsin_session=" + "\x80" * 50),
        ("cookie", "a" * 100_000),
        ("content-length", "٣"),
        ("content-length", "9" * 5000),
        ("last-event-id", "x" * 10_000),
        ("idempotency-key", "k" * 256),
        ("idempotency-key", "\xff\x00"),
        ("content-encoding", "\xff"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "http://[::1"),
        ("x-forwarded-for", "'; DROP TABLE alert; --"),
    ],
)
def test_no_header_breaks_the_door(admin: Caller, engine: str, name: str, value: str) -> None:
    body = b'{"subject":"s","data":[{"a":1}]}'
    headers = [(name.encode(), value.encode("utf-8" if ord(max(value)) > 255 else "latin-1"))]
    answer = admin.post(POST, content=body, headers=headers)

    assert answer.status_code in (200, 400, 413, 415), answer.text
    assert admin.get("/api/v2/whoami", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path", ["/alertgroup/%ff", "/alertgroup/%00", "/key/%ff", "/user/%00", "/lane/%f0%9f", "/alert/%2e"]
)
def test_no_path_breaks_the_door(admin: Caller, path: str) -> None:
    for method in ("GET", "PUT", "DELETE", "POST"):
        assert admin.request(method, f"/api/v2{path}", content="{}").status_code in (400, 404, 405)
