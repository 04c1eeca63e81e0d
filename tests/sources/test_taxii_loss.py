"""Objects are added while the server that polls them is killed, again and again: each is stored once.

`TOCSIN_LOSS_SEED` draws the moments. At a desk it is killed three times, in CI six times.
"""

import os
import random
import threading
from collections import Counter
from pathlib import Path
from typing import Self

import pytest

from neighbours.collection import TITLE, Said, serving, stored
from neighbours.collection import Server as Collection
from neighbours.mailbox import until
from neighbours.server import Server
from tocsin.store import open_store

KILLS = 6 if os.environ.get("CI", "").lower() in {"1", "true"} else 3
SEED = os.environ.get("TOCSIN_LOSS_SEED", "taxii")
CONFIGURATION = """
[sources.partner]
type = "taxii"
url = "{url}"
collection = "{title}"
begin = "all"
page = 4
interval_s = 0.1
"""


class Adder:
    """Adds objects, some together in one instant, until it is told to stop; now and then a `next` is too old."""

    def __init__(self, collection: Collection, dice: random.Random) -> None:
        self._collection, self._dice = collection, dice
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._walk)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _walk(self) -> None:
        while not self._stop.is_set():
            self._collection.add(self._dice.randint(1, 11))
            if self._dice.random() < 0.2 and self._collection.is_willing:
                self._collection.will(None, Said(404))
            self._stop.wait(self._dice.uniform(0.0, 0.3))


def ids_in(data: Path) -> list[str]:
    store = open_store("sqlite", data)
    try:
        return [id for each in stored(store) for id in each]
    finally:
        store.close()


def counted(server: Server) -> int:
    """How many alerts the server holds."""
    with server.client("viewer") as client:
        found: int = client.get("/api/v2/alert", params={"limit": 1}).json()["totalRecordCount"]
    return found


@pytest.mark.loss
@pytest.mark.timeout(300)
def test_every_object_is_stored_once_however_often_the_server_is_killed(data: Path) -> None:
    dice = random.Random(SEED)
    with serving(page=4) as collection:
        data.mkdir()
        (data / "tocsin.toml").write_text(CONFIGURATION.format(url=collection.url, title=TITLE))
        server = Server(data)
        with Adder(collection, dice):
            for _ in range(KILLS):
                server.start()
                threading.Event().wait(dice.uniform(0, 1.5))
                server.kill()
        try:
            server.start()
            until(lambda: counted(server) >= len(collection.added.ids), within=120)
        finally:
            server.stop()
        found = Counter(ids_in(data))

    assert set(found) == set(collection.added.ids), f"seed {SEED}"
    assert [id for id, times in found.items() if times > 1] == [], f"seed {SEED}"
