"""Numbered alertgroups posted to a server that dies meanwhile, and what its ledger says of them in the end."""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx2

from neighbours.server import Server
from tocsin.store import open_store

QUICK = """
[destinations.idea_log]
enabled = false
[destinations.text_log]
enabled = false

[delivery]
first_wait_s = 0.05
longest_wait_s = 0.5
lease_s = 1
"""
"""Lanes that try again at once, and none but those of the test."""


class Sender:
    """Posts alertgroups named `loss N`, each until it is answered, until it is told to stop."""

    def __init__(
        self, server: Server, key: str, dice: random.Random, rows: Callable[[int], list[dict[str, Any]]]
    ) -> None:
        """`rows` makes those of an alertgroup from its number."""
        self.last = 0
        self._server, self._key, self._dice, self._rows = server, key, dice, rows
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
            self.last += 1
            while not self._post(self.last):
                self._stop.wait(0.05)
            self._stop.wait(self._dice.uniform(0.0, 0.05))

    def _post(self, number: int) -> bool:
        body = {"subject": f"loss {number}", "data": self._rows(number), "message_id": f"<{number}@loss.example>"}
        with contextlib.suppress(httpx2.HTTPError):
            answer = httpx2.post(
                f"{self._server.base_url}/scot/api/v2/alertgroup",
                json=body,
                headers={"Authorization": f"apikey {self._key}"},
                trust_env=False,
                timeout=10,
            )
            return answer.status_code == 200
        return False


def lane_of(server: Server, name: str) -> dict[str, int]:
    """How many deliveries of a lane stand in which state, and how many were delivered."""
    with server.client("viewer") as client:
        [lane] = [one for one in client.get("/api/v2/lane").json()["records"] if one["name"] == name]
    return {state: int(lane[state]) for state in ("due", "sending", "delivered", "failed")}


def ledger(data: Path, lane: str) -> dict[int, str]:
    """By the number of an alertgroup, the state of its one delivery to a lane; the server is stopped."""
    store = open_store("sqlite", data)
    try:
        rows = store.read(
            lambda tx: tx.rows(
                "SELECT alertgroup.subject, delivery.state FROM delivery"
                " JOIN alertgroup ON alertgroup.id = delivery.alertgroup WHERE delivery.lane = :lane",
                lane=lane,
            )
        )
    finally:
        store.close()
    assert max(Counter(subject for subject, _ in rows).values()) == 1
    return {int(subject.split()[1]): state for subject, state in rows}


def killed_while_it_sends(
    server: Server,
    lane: str,
    rows: Callable[[int], list[dict[str, Any]]],
    *,
    kills: int,
    seed: str,
    before_the_end: Callable[[], None] = lambda: None,
) -> tuple[int, dict[str, int]]:
    """Kill the server a few times while it receives and sends; how many were posted, and where the lane stands.

    Raises AssertionError when something is still owed after two minutes.
    """
    dice = random.Random(seed)
    server.start()
    with Sender(server, server.key(), random.Random(f"{seed}.sender"), rows) as sender:
        for _ in range(kills):
            threading.Event().wait(dice.uniform(0.3, 2))
            server.kill()
            server.start()
        threading.Event().wait(1)
    before_the_end()
    try:
        until = time.monotonic() + 120
        while (stands := lane_of(server, lane))["due"] + stands["sending"]:
            assert time.monotonic() < until, f"seed {seed}: {stands}\n{server.last_words()}"
            time.sleep(0.1)
    finally:
        server.stop()
    return sender.last, stands
