"""Tocsin is killed while it sends to a Logstash on a bad day: in the end everything was acknowledged at least once.

`TOCSIN_LOSS_SEED` draws the moments and the misbehaviour.
"""

import os
import random
from pathlib import Path
from typing import Any

import pytest

from neighbours.lumberjack import lumberjack
from neighbours.numbered import QUICK, killed_while_it_sends
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

"""


def rows(number: int) -> list[dict[str, Any]]:
    return [{"signature": f"loss {number} {place}", "src_ip": "192.0.2.7"} for place in range(2)]


class BadDays(list[str]):
    """What the server does with its next window, drawn when it is asked for."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__(["endless"])
        self._dice = dice

    def pop(self, *_: object) -> str:
        return self._dice.choice(("", "", "", "", "", "", "", "", "lost", "partly", "idle"))


@pytest.mark.loss
@pytest.mark.timeout(300)
def test_every_alert_was_acknowledged_at_least_once_however_often_tocsin_is_killed(data: Path) -> None:
    data.mkdir()
    with lumberjack() as logstash:
        logstash.breaks, logstash.busy = BadDays(random.Random(f"{SEED}.day")), 1
        (data / "tocsin.toml").write_text(CONFIGURATION.format(port=logstash.port) + QUICK)
        posted, lane = killed_while_it_sends(
            Server(data), "siem", rows, kills=KILLS, seed=SEED, before_the_end=logstash.breaks.clear
        )
        came = [document["message"] for document in logstash.taken]
        ids = logstash.ids()

    wanted = {f"loss {number} {place}" for number in range(1, posted + 1) for place in range(2)}
    assert wanted - set(came) == set(), f"seed {SEED}"
    assert set(came) - wanted == set(), f"seed {SEED}"
    assert len(set(ids)) == 2 * posted, f"seed {SEED}: an alert has one id, however often it comes"
    assert (lane["delivered"], lane["failed"]) == (posted, 0), f"seed {SEED}"
