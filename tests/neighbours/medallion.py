"""A real medallion: a TAXII 2.1 server in a process of its own, with everything in memory."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from taxii2client.v21 import Collection, as_pages

from neighbours.ports import free_port

USER, PASSWORD = "admin", "Passw0rd: of ours"
TAXII = "application/taxii+json;version=2.1"
ALERTS = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
READ_ONLY = "52892447-4d7e-4f70-b94d-d7f22742ff63"
WRITE_ONLY = "64993447-4d7e-4f70-b94d-d7f33742ee63"


def a_collection(id: str, title: str, *, can_read: bool = True, can_write: bool = True) -> dict[str, Any]:
    """A collection for STIX 2.1, empty."""
    rights = {"can_read": can_read, "can_write": can_write}
    kept: dict[str, Any] = {"objects": [], "manifest": []}
    return {"id": id, "title": title, **rights, "media_types": ["application/stix+json;version=2.1"], **kept}


class Medallion:
    """The API roots `other`, which is empty, and `alerts`, with the collections Alerts, Read only and Write only."""

    def __init__(self, folder: Path, *, page: int = 100, max_content_length: int = 10_000_000) -> None:
        self.folder, self.port = folder, free_port()
        self._page, self._most = page, max_content_length
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The discovery."""
        return f"http://127.0.0.1:{self.port}/taxii2/"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        about = {"versions": [TAXII], "max_content_length": self._most}
        collections = [
            a_collection(ALERTS, "Alerts"),
            a_collection(READ_ONLY, "Read only", can_write=False),
            a_collection(WRITE_ONLY, "Write only", can_read=False),
        ]
        data = {
            "/discovery": {"title": "Medallion", "api_roots": [f"http://127.0.0.1:{self.port}/other/", "/alerts/"]},
            "other": {"information": {"title": "Other", **about}, "status": [], "collections": []},
            "alerts": {"information": {"title": "Alerts", **about}, "status": [], "collections": collections},
        }
        (self.folder / "data.json").write_text(json.dumps(data))
        memory = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend"}
        said = {
            "backend": {**memory, "filename": str(self.folder / "data.json")},
            "users": {USER: PASSWORD},
            "taxii": {"max_page_size": self._page},
        }
        (self.folder / "conf.json").write_text(json.dumps(said))
        program = str(Path(sys.executable).parent / "medallion")
        with (self.folder / "medallion.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "--port", str(self.port), str(self.folder / "conf.json")], stdout=log, stderr=log
            )
        until = time.monotonic() + 60
        while True:
            try:
                if httpx2.get(self.url, trust_env=False).status_code == 401:
                    return
            except httpx2.TransportError:
                assert self._process.poll() is None, self.last_words()
            assert time.monotonic() < until, self.last_words()
            time.sleep(0.05)

    def stop(self) -> None:
        """End it; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def objects(self, collection: str = ALERTS) -> list[dict[str, Any]]:
        """What a collection holds in all versions, as the client of the standard's authors reads it."""
        url = f"http://127.0.0.1:{self.port}/alerts/collections/{collection}/"
        opened = Collection(url, user=USER, password=PASSWORD)
        pages: Iterator[Any] = as_pages(opened.get_objects, per_request=100, version="all")
        return [each for page in pages for each in page.get("objects", [])]

    def add(self, objects: Sequence[dict[str, Any]], collection: str = ALERTS) -> dict[str, Any]:
        """Put objects in past Tocsin; gives the status resource."""
        url = f"http://127.0.0.1:{self.port}/alerts/collections/{collection}/objects/"
        answer = httpx2.post(
            url,
            content=json.dumps({"objects": list(objects)}),
            headers={"Accept": TAXII, "Content-Type": TAXII},
            auth=(USER, PASSWORD),
            trust_env=False,
            timeout=60,
        )
        assert answer.status_code == 202, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def last_words(self) -> str:
        """The end of its log."""
        return (self.folder / "medallion.log").read_text(errors="replace")[-4000:]


@contextmanager
def medallion(folder: Path, **rest: Any) -> Iterator[Medallion]:
    """A medallion that answers, over that folder."""
    server = Medallion(folder, **rest)
    try:
        server.start()
        yield server
    finally:
        server.stop()
