"""A hub with its HTTP door, in this process, on each engine; and callers of every role."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from tocsin.app import Hub, build
from tocsin.config import Config
from tocsin.web import create

CONTROL = "control-token-of-the-tests"


class Caller:
    """Speaks to the door, one request at a time; `headers` go with every one."""

    def __init__(self, application: Starlette, runner: asyncio.Runner, **headers: str) -> None:
        self.application, self.runner = application, runner
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def client(self) -> httpx2.AsyncClient:
        """A client for tests that are themselves asynchronous."""
        transport = httpx2.ASGITransport(self.application)
        return httpx2.AsyncClient(transport=transport, base_url="http://tocsin.test", headers=self.headers)

    def request(self, method: str, path: str, **rest: Any) -> httpx2.Response:
        """One request, answered."""

        async def asked() -> httpx2.Response:
            async with self.client() as client:
                return await client.request(method, path, **rest)

        return self.runner.run(asked())

    def get(self, path: str, **rest: Any) -> httpx2.Response:
        return self.request("GET", path, **rest)

    def post(self, path: str, **rest: Any) -> httpx2.Response:
        return self.request("POST", path, **rest)

    def put(self, path: str, **rest: Any) -> httpx2.Response:
        return self.request("PUT", path, **rest)

    def delete(self, path: str, **rest: Any) -> httpx2.Response:
        return self.request("DELETE", path, **rest)

    def json(self, path: str, status: int = 200) -> Any:
        """What GET says, as values."""
        answer = self.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post_group(self, **fields: Any) -> int:
        """Post an alertgroup with defaults for what is not given; its id."""
        group = {"subject": "Beacon to evil.example", "data": [{"src": "10.0.0.1"}, {"src": "10.0.0.2"}]} | fields
        answer = self.post("/scot/api/v2/alertgroup", json=group)
        assert answer.status_code == 200, answer.text
        id: int = answer.json()["id"]
        return id

    def anonymous(self, **headers: str) -> "Caller":
        """The same door, asked with other headers."""
        return Caller(self.application, self.runner, **headers)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def http_options() -> dict[str, Any]:
    """What stands in [http]; a test that needs other limits overrides it."""
    return {}


@pytest.fixture
def hub(engine: str, data: Path, http_options: dict[str, Any]) -> Iterator[Hub]:
    config = Config.model_validate({"store": {"url": engine}, "http": http_options})
    hub = build(config, data)
    yield hub
    hub.stop()


@pytest.fixture
def application(hub: Hub) -> Starlette:
    return create(hub, control=CONTROL)


@pytest.fixture
def admin(application: Starlette, runner: asyncio.Runner) -> Caller:
    """May do everything, as the command line of this machine may."""
    return Caller(application, runner, authorization=f"Bearer {CONTROL}")


@pytest.fixture
def nobody(admin: Caller) -> Caller:
    return admin.anonymous()


def with_role(admin: Caller, role: str) -> Caller:
    """A caller with a key of that role."""
    made = admin.post("/api/v2/key", json={"name": f"test {role}", "role": role})
    assert made.status_code == 200, made.text
    return admin.anonymous(authorization=f"apikey {made.json()['key']}")


@pytest.fixture
def sender(admin: Caller) -> Caller:
    return with_role(admin, "sender")


@pytest.fixture
def viewer(admin: Caller) -> Caller:
    return with_role(admin, "viewer")


@pytest.fixture
def analyst(admin: Caller) -> Caller:
    return with_role(admin, "analyst")
