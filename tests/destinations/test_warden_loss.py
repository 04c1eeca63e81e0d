"""Alertgroups go to a Warden server on a bad day while Tocsin is killed: each event once, or it stands there as failed.

`TOCSIN_LOSS_SEED` draws the moments and the misbehaviour. At a desk it is killed a few times, in CI more often.
"""

import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from neighbours import warden as neighbour
from neighbours.numbered import QUICK, killed_while_it_sends, ledger
from neighbours.server import Server
from neighbours.warden import NAME, Event, Warden

KILLS = 4 if os.environ.get("CI", "").lower() in {"1", "true"} else 3
SEED = os.environ.get("TOCSIN_LOSS_SEED", "warden")
CONFIGURATION = """
[destinations.hub]
type = "warden"
url = "{url}"
name = "{name}"
timeout_s = 5
batch_size = 7

"""


def rows(number: int) -> list[dict[str, Any]]:
    return [{"src_ip": f"198.51.100.{number % 250 + 1}", "signature": f"scan {number} {row}"} for row in range(3)]


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


@pytest.mark.loss
@pytest.mark.timeout(300)
def test_every_event_is_saved_once_or_its_delivery_failed_however_often_tocsin_is_killed(data: Path) -> None:
    data.mkdir()
    with neighbour.warden() as hub:
        (data / "tocsin.toml").write_text(CONFIGURATION.format(url=hub.url, name=NAME) + QUICK)
        bad_day(hub, random.Random(f"{SEED}.day"))
        posted, _ = killed_while_it_sends(Server(data), "hub", rows, kills=KILLS, seed=SEED)
        states = ledger(data, "hub")
        held = Counter(map(_numbers, [event for _, _, event in hub.events]))
        looked = len(hub.asked("getEvents"))

    assert sorted(states) == list(range(1, posted + 1)), f"seed {SEED}"
    refused = {number for number in states if number % 9 == 0}
    assert {number for number, state in states.items() if state == "failed"} == refused, f"seed {SEED}"
    assert {state for number, state in states.items() if number not in refused} == {"delivered"}, f"seed {SEED}"
    wanted = {(number, row) for number in states for row in range(3) if number not in refused or row != 1}
    assert set(held) == wanted, f"seed {SEED}"
    assert {event for event, times in held.items() if times > 1} == set(), f"seed {SEED}"
    assert looked > 0, f"seed {SEED}: nothing was ever in doubt"
