"""Events come to a Warden server while the Tocsin that fetches them is killed, again and again: each is stored once.

`TOCSIN_LOSS_SEED` draws the moments. At a desk it is killed three times, in CI six times.
"""

import json
import os
import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any, Self

import pytest

from neighbours import warden as neighbour
from neighbours.mailbox import until
from neighbours.server import Server
from neighbours.warden import NAME, Warden, an_event
from tocsin.store import open_store
from tocsin.store.message import original

KILLS = 6 if os.environ.get("CI", "").lower() in {"1", "true"} else 3
SEED = os.environ.get("TOCSIN_LOSS_SEED", "warden")
CONFIGURATION = """
[sources.hub]
type = "warden"
url = "{url}"
name = "{name}"
begin = "all"
count = 4
receive_delay = 0.1
nocat = ["Test"]
"""


class Adder:
    """Saves events at the hub until it is told to stop, some that the filter leaves out; now and then it misbehaves."""

    def __init__(self, hub: Warden, dice: random.Random) -> None:
        self.wanted: list[str] = []
        self._hub, self._dice, self._number = hub, dice, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._walk)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _walk(self) -> None:
        ways: list[Any] = [503, "reset", "html", {"raw": b'{"lastid": 9'}]
        while not self._stop.is_set():
            for _ in range(self._dice.randint(1, 11)):
                self._number += 1
                left_out = self._dice.random() < 0.3
                self._hub.put(an_event(self._number, Category=["Test" if left_out else "Recon.Scanning"]))
                if not left_out:
                    self.wanted.append(f"event-{self._number}")
            if self._dice.random() < 0.2:
                self._hub.next_get = [self._dice.choice(ways)]
            self._stop.wait(self._dice.uniform(0.0, 0.3))


def ids_in(data: Path) -> list[str]:
    """The IDs in every message that is kept, and whether it is understood."""
    store = open_store("sqlite", data)
    try:
        found = store.read(lambda tx: [original(tx, number) for (number,) in tx.rows("SELECT id FROM message")])
        assert not store.read(lambda tx: list(tx.rows("SELECT id FROM message WHERE reason <> ''")))
    finally:
        store.close()
    return [event["ID"] for body in found for event in json.loads(body)]


def counted(server: Server) -> int:
    """How many alerts the server holds."""
    with server.client("viewer") as client:
        found: int = client.get("/api/v2/alert", params={"limit": 1}).json()["totalRecordCount"]
    return found


@pytest.mark.loss
@pytest.mark.timeout(300)
def test_every_event_is_stored_once_however_often_tocsin_is_killed(data: Path) -> None:
    dice = random.Random(SEED)
    with neighbour.warden() as hub:
        data.mkdir()
        (data / "tocsin.toml").write_text(CONFIGURATION.format(url=hub.url, name=NAME))
        server = Server(data)
        with Adder(hub, dice) as adder:
            for _ in range(KILLS):
                server.start()
                threading.Event().wait(dice.uniform(0, 1.5))
                server.kill()
        try:
            server.start()
            until(lambda: counted(server) >= len(adder.wanted), within=120)
        finally:
            server.stop()
        found = Counter(ids_in(data))

    assert set(found) == set(adder.wanted), f"seed {SEED}"
    assert [id for id, times in found.items() if times > 1] == [], f"seed {SEED}"
