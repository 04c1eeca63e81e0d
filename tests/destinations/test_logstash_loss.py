"""Tocsin is killed while it sends to a Logstash on a bad day: in the end everything was acknowledged at least once.

`TOCSIN_LOSS_SEED` draws the moments and the misbehaviour.
"""

import contextlib
import os
import random
import threading
import time
from pathlib import Path
from typing import Self

import httpx2
import pytest

from neighbours.lumberjack import Lumberjack, lumberjack
from neighbours.server import Server

KILLS = 3
SEED = os.environ.get("TOCSIN_LOSS_SEED", "logstash")
CONFIGURATION = """
[destinations.siem]
type = "logstash"
host = "127.0.0.1"
port = {port}
tls = false
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
    """Posts numbered alertgroups of two rows, each until it is answered, until it is told to stop."""

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
            self._stop.wait(self._dice.uniform(0.0, 0.03))

    def _post(self, number: int) -> bool:
        rows = [{"signature": f"loss {number} {place}", "src_ip": "192.0.2.7"} for place in range(2)]
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


class BadDays(list[str]):
    """What the server does with its next window, drawn when it is asked for."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__(["endless"])
        self._dice = dice

    def pop(self, *_: object) -> str:
        return self._dice.choice(("", "", "", "", "", "", "", "", "lost", "partly", "idle"))


def lane_of(server: Server) -> dict[str, int]:
    with server.client("viewer") as client:
        [lane] = [one for one in client.get("/api/v2/lane").json()["records"] if one["name"] == "siem"]
    return {state: int(lane[state]) for state in ("due", "sending", "delivered", "failed")}


def sent_until_all_is_delivered(server: Server, logstash: Lumberjack) -> tuple[int, dict[str, int]]:
    """Kill the server a few times while it sends; how many were posted, and where the lane stands in the end."""
    dice = random.Random(SEED)
    server.start()
    with Sender(server, server.key(), random.Random(f"{SEED}.sender")) as sender:
        for _ in range(KILLS):
            threading.Event().wait(dice.uniform(0.3, 1.5))
            server.kill()
            server.start()
        threading.Event().wait(0.5)
    logstash.breaks.clear()
    try:
        until = time.monotonic() + 120
        while (lane := lane_of(server))["due"] + lane["sending"]:
            assert time.monotonic() < until, f"seed {SEED}: {lane}\n{server.last_words()}"
            time.sleep(0.1)
    finally:
        server.stop()
    return sender.last, lane


@pytest.mark.loss
@pytest.mark.timeout(300)
def test_every_alert_was_acknowledged_at_least_once_however_often_tocsin_is_killed(data: Path) -> None:
    data.mkdir()
    with lumberjack() as logstash:
        logstash.breaks, logstash.busy = BadDays(random.Random(f"{SEED}.day")), 1
        (data / "tocsin.toml").write_text(CONFIGURATION.format(port=logstash.port))
        posted, lane = sent_until_all_is_delivered(Server(data), logstash)
        came = [document["message"] for document in logstash.taken]
        ids = logstash.ids()

    wanted = {f"loss {number} {place}" for number in range(1, posted + 1) for place in range(2)}
    assert wanted - set(came) == set(), f"seed {SEED}"
    assert set(came) - wanted == set(), f"seed {SEED}"
    assert len(set(ids)) == 2 * posted, f"seed {SEED}: an alert has one id, however often it comes"
    assert (lane["delivered"], lane["failed"]) == (posted, 0), f"seed {SEED}"
