"""A real OpenTAXII (TAXII 1.1) in a process of its own, with its data in a folder of the test, and cabby to look at it.

Collections a, c and d take anything, `collection-b` only STIX 1.1.1; `inbox_open` wants no password, `inbox_closed` and
`poll` do. Polls are cut into parts of two.
"""

import contextlib
import importlib
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from neighbours.ports import free_port

USER, PASSWORD = "partner", "s3cret"
STIX12 = "urn:stix.mitre.org:xml:1.2"
STIX111 = "urn:stix.mitre.org:xml:1.1.1"
HTTP = "urn:taxii.mitre.org:protocol:http:1.0"
SECRET = "only for tests, and long enough for its hash"
SERVED = """
import sys
from werkzeug.serving import run_simple
from opentaxii.http import app
run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=False)
"""


def _service(id: str, type: str, **rest: Any) -> dict[str, Any]:
    return {
        "id": id,
        "type": type,
        "address": f"/services/{id}",
        "description": id,
        "protocol_bindings": [HTTP],
        "authentication_required": False,
        **rest,
    }


INBOX: dict[str, Any] = {"destination_collection_required": True, "accept_all_content": True}
HOLDERS = ["inbox_open", "inbox_closed", "management", "poll"]
DATA: dict[str, Any] = {
    "services": [
        _service("inbox_open", "inbox", **INBOX),
        _service("inbox_closed", "inbox", **{**INBOX, "authentication_required": True}),
        _service("discovery", "discovery", advertised_services=["inbox_closed", "management", "poll"]),
        _service("management", "collection_management"),
        _service("poll", "poll", subscription_required=False, max_result_count=100, max_result_size=2,
                 authentication_required=True),
    ],
    "collections": [
        *({"name": f"collection-{letter}", "available": True, "accept_all_content": True, "type": "DATA_FEED",
           "service_ids": HOLDERS} for letter in "acd"),
        {"name": "collection-b", "available": True, "accept_all_content": False, "supported_content": [STIX111],
         "type": "DATA_FEED", "service_ids": HOLDERS},
    ],
    "accounts": [{"username": USER, "password": PASSWORD, "is_admin": True}],
}  # fmt: skip


class OpenTaxii:
    """A running one."""

    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, service: str = "discovery") -> str:
        """The address of a service."""
        return f"http://127.0.0.1:{self.port}/services/{service}"

    @property
    def auth_url(self) -> str:
        """Where tokens are given."""
        return f"http://127.0.0.1:{self.port}/management/auth"

    def held(self, collection: str = "collection-a") -> list[bytes]:
        """What stands in a collection, as cabby reads it."""
        client = self._cabby()
        return [bytes(block.content) for block in client.poll(collection, uri=self.url("poll"))]

    def put(self, content: bytes, collection: str = "collection-a", binding: str = STIX12) -> None:
        """Let cabby push something."""
        self._cabby().push(content.decode(), binding, collection_names=[collection], uri=self.url("inbox_open"))

    def _cabby(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is of 2020, and its libraries are older
            cabby = importlib.import_module("cabby")
        client = cabby.create_client("127.0.0.1", port=self.port, version="1.1")
        client.set_auth(username=USER, password=PASSWORD)
        return client


@contextlib.contextmanager
def running(folder: Path) -> Iterator[OpenTaxii]:
    """Start it on a free port, wait until it answers, and stop it at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    database = {"db_connection": f"sqlite:///{folder.absolute()}/taxii.db", "create_tables": True}
    (folder / "config.yml").write_bytes(
        msgspec.json.encode(  # JSON is YAML
            {
                "domain": f"127.0.0.1:{port}",
                "support_basic_auth": True,
                "return_server_error_details": False,
                "auth_api": {
                    "class": "opentaxii.auth.sqldb.SQLDatabaseAPI",
                    "parameters": {**database, "secret": SECRET, "token_ttl_secs": 3600},
                },
                "taxii1": {
                    "persistence_api": {"class": "opentaxii.persistence.sqldb.SQLDatabaseAPI", "parameters": database}
                },
                "taxii2": None,
                "logging": {"opentaxii": "info", "root": "info"},
            }
        )
    )
    (folder / "data.yml").write_bytes(msgspec.json.encode(DATA))
    environment = {**os.environ, "OPENTAXII_CONFIG": str(folder / "config.yml")}
    programs = Path(sys.executable).parent
    with (folder / "log").open("wb") as log:
        subprocess.run(
            [programs / "opentaxii-sync-data", str(folder / "data.yml")],
            env=environment, stdout=log, stderr=log, timeout=120, check=True,
        )  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-c", SERVED, str(port)], env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        try:
            _wait(process, port, folder / "log")
            yield OpenTaxii(port)
        finally:
            process.terminate()
            process.wait(30)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, f"OpenTAXII ended:\n{log.read_text(errors='replace')[-4000:]}"
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(f"http://127.0.0.1:{port}/management/health", trust_env=False, timeout=10).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"OpenTAXII is not ready:\n{log.read_text(errors='replace')[-4000:]}")
