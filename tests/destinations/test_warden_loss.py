"""Alertgroups go to a Warden server on a bad day while Tocsin is killed: each event once, or it stands there as failed.

`TOCSIN_LOSS_SEED` draws the moments and the misbehaviour. At a desk it is killed a few times, in CI more often.
"""

import contextlib
import os
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest

from neighbours import warden as neighbour
from neighbours.server import Server
from neighbours.warden import NAME, Event, Warden
from tocsin.store import open_store

KILLS = 4 if os.environ.get("CI", "").lower() in {"1", "true"} else 3
SEED = os.environ.get("TOCSIN_LOSS_SEED", "warden")
CONFIGURATION = """
[destinations.hub]
type = "warden"
url = "{url}"
name = "{name}"
timeout_s = 5
batch_size = 7

[destinations.idea_log]
enabled = false
[destinations.text_log]
enabled = false

[delivery]
first_wait_s = 0.05
longest_wait_s = 0.5
lease_s = 1
"""


class Sender:
    """Posts numbered alertgroups of three alerts, each until it is answered, until it is told to stop."""

    def __init__(self, server: Server, key: str, dice: random.Random) -> None:
        self.last = 0
        self._server, self._key, self._dice = server, key, dice
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
        rows = [{"src_ip": f"198.51.100.{number % 250 + 1}", "signature": f"scan {number} {row}"} for row in range(3)]
        body = {"subject": f"loss {number}", "data": rows, "message_id": f"<{number}@loss.example>"}
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


def bad_day(server: Warden, dice: random.Random) -> None:
    """Misbehave in every way, at random; one event of every ninth alertgroup is never liked."""
    ways: list[Any] = [None, None, None, "lost", "reset", "garbage", "html", "bare 500", "counts less", 503, 429]

    def mood() -> Any:
        server.send_limit = dice.choice((4, 10, 500))
        return dice.choice(ways)

    def refuses(event: Event) -> list[tuple[int, str]]:
        number, row = _numbers(event)
        if number % 9 == 0 and row == 1:
            return [(460, "not this one"), (422, "nor so")]
        return [(500, "not now")] if dice.random() < 0.05 else []

    server.info_limit, server.get_limit, server.mood, server.refuses = 500, 50, mood, refuses


def _numbers(event: Event) -> tuple[int, int]:
    """The number of the alertgroup, and of the alert in it."""
    _, number, row = event["Description"].split()
    return int(number), int(row)


def owed(server: Server) -> int:
    """How many deliveries are neither made nor given up."""
    with server.client("viewer") as client:
        [lane] = [one for one in client.get("/api/v2/lane").json()["records"] if one["name"] == "hub"]
    return int(lane["due"]) + int(lane["sending"])


def ledger(data: Path) -> dict[int, str]:
    """By the number of an alertgroup, the state of its delivery."""
    store = open_store("sqlite", data)
    try:
        rows = store.read(
            lambda tx: list(
                tx.rows(
                    "SELECT alertgroup.subject, delivery.state FROM delivery"
                    " JOIN alertgroup ON alertgroup.id = delivery.alertgroup WHERE delivery.lane = 'hub'"
                )
            )
        )
    finally:
        store.close()
    assert max(Counter(subject for subject, _ in rows).values()) == 1
    return {int(subject.split()[1]): state for subject, state in rows}


@pytest.mark.loss
@pytest.mark.timeout(300)
def test_every_event_is_saved_once_or_its_delivery_failed_however_often_tocsin_is_killed(data: Path) -> None:
    dice = random.Random(SEED)
    data.mkdir()
    with neighbour.warden() as hub:
        (data / "tocsin.toml").write_text(CONFIGURATION.format(url=hub.url, name=NAME))
        bad_day(hub, random.Random(f"{SEED}.day"))
        server = Server(data)
        server.start()
        with Sender(server, server.key(), random.Random(f"{SEED}.sender")) as sender:
            for _ in range(KILLS):
                threading.Event().wait(dice.uniform(0.3, 2))
                server.kill()
                server.start()
            threading.Event().wait(1)
        try:
            until = time.monotonic() + 120
            while left := owed(server):
                assert time.monotonic() < until, f"seed {SEED}: {left} are still owed\n{server.last_words()}"
                time.sleep(0.1)
        finally:
            server.stop()
        states = ledger(data)
        held = Counter(map(_numbers, [event for _, _, event in hub.events]))
        looked = len(hub.asked("getEvents"))

    assert sorted(states) == list(range(1, sender.last + 1)), f"seed {SEED}"
    refused = {number for number in states if number % 9 == 0}
    assert {number for number, state in states.items() if state == "failed"} == refused, f"seed {SEED}"
    assert {state for number, state in states.items() if number not in refused} == {"delivered"}, f"seed {SEED}"
    wanted = {(number, row) for number in states for row in range(3) if number not in refused or row != 1}
    assert set(held) == wanted, f"seed {SEED}"
    assert {event for event, times in held.items() if times > 1} == set(), f"seed {SEED}"
    assert looked > 0, f"seed {SEED}: nothing was ever in doubt"
