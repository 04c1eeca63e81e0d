"""Waits double, with jitter, up to a bound; enough is enough; a destination that is down is left alone for a while."""

import random
from datetime import timedelta

import pytest

from tocsin.config import DeliverySection
from tocsin.delivery.patience import PROBE, SECOND, Patience, Pulse, asked
from tocsin.errors import Rejected, Unavailable
from tocsin.store.sending import Claimed

HOUR = 3600 * SECOND


class Highest(random.Random):
    """Always rolls the highest."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


def patience(**settings: float) -> Patience:
    return Patience(DeliverySection.model_validate(settings), Highest())


def tried(tries: int, since: int = 0) -> Claimed:
    return Claimed(id=1, uid="", alertgroup=1, attempt=tries, created=0, tries=tries, since=since)


def test_waits_double_up_to_the_longest() -> None:
    waits = [patience(first_wait_s=2, longest_wait_s=10).wait(failures) // SECOND for failures in (1, 2, 3, 4, 900)]

    assert waits == [2, 4, 8, 10, 10]


def test_jitter_takes_away_up_to_half() -> None:
    even = Patience(DeliverySection(first_wait_s=2), random.Random(1))
    waits = [even.wait(1) for _ in range(200)]

    assert SECOND <= min(waits) < 1.1 * SECOND
    assert 1.9 * SECOND < max(waits) <= 2 * SECOND


@pytest.mark.parametrize(
    ("settings", "item", "at", "reason"),
    [
        ({"give_up_after_h": 2, "max_attempts": 0}, tried(7), 2 * HOUR, "given up after 2 hours and 7 attempts"),
        ({"give_up_after_h": 2, "max_attempts": 0}, tried(7), 2 * HOUR - 1, ""),
        ({"give_up_after_h": 2, "max_attempts": 0}, tried(7, since=HOUR), 2 * HOUR, ""),
        ({"give_up_after_h": 0, "max_attempts": 0}, tried(900), 10**6 * HOUR, ""),
        ({"give_up_after_h": 0, "max_attempts": 3}, tried(3), 0, "given up after 3 attempts"),
        ({"give_up_after_h": 0, "max_attempts": 3}, tried(2), 0, ""),
    ],
)
def test_enough_is_a_matter_of_time_or_of_attempts(
    settings: dict[str, float], item: Claimed, at: int, reason: str
) -> None:
    assert patience(**settings).ended(item, at) == reason


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (Unavailable("busy", timedelta(seconds=7)), 7 * SECOND),
        (Unavailable("busy"), 0),
        (Rejected("no"), 0),
        (Unavailable("busy", timedelta.max), 24 * HOUR),
    ],
)
def test_a_peer_may_ask_for_rest_but_for_no_more_than_a_day(error: Exception, wait: int) -> None:
    assert asked(error) == wait


def test_one_delivery_that_fails_for_ever_does_not_make_a_destination_down() -> None:
    pulse = Pulse(patience())

    for _ in range(10):
        pulse.missed(1, 0)

    assert pulse.down_since is None


def test_five_deliveries_one_after_the_other_mean_that_it_is_down() -> None:
    pulse = Pulse(patience())
    seen = []
    for number in range(6):
        pulse.missed(number, number)
        seen.append(pulse.down_since)

    assert seen == [None, None, None, None, 4, 4]


def test_an_answer_in_between_means_that_it_is_up() -> None:
    pulse = Pulse(patience())
    for number in range(4):
        pulse.missed(number, 0)
    pulse.heard(0)
    pulse.missed(4, 0)

    assert pulse.down_since is None


def test_that_it_is_down_is_told_once_after_a_probe_failed_too() -> None:
    pulse = Pulse(patience())
    for number in range(5):
        pulse.missed(number, 0)

    assert [pulse.rest(0, 0) for _ in range(4)] == [False, True, False, False]


def test_probes_wait_longer_and_longer_but_never_more_than_a_minute() -> None:
    pulse = Pulse(patience(first_wait_s=20))
    for number in range(5):
        pulse.missed(number, 0)

    rests = []
    for at in (0, HOUR, 2 * HOUR, 3 * HOUR):
        pulse.rest(at, 0)
        rests.append(pulse.rest_until - at)
    assert rests == [20 * SECOND, 40 * SECOND, PROBE, PROBE]


def test_a_rest_is_never_shorter_than_the_peer_wanted() -> None:
    pulse = Pulse(patience())
    pulse.rest(0, 5 * HOUR)
    pulse.rest(HOUR, SECOND)

    assert pulse.rest_until == 5 * HOUR


@pytest.mark.parametrize(("at", "long"), [(PROBE, False), (PROBE + 1, True)])
def test_only_after_a_long_absence_waits_are_worth_shortening(at: int, long: bool) -> None:
    pulse = Pulse(patience())
    for number in range(5):
        pulse.missed(number, 0)
    pulse.heard(at)

    assert (pulse.back_after_long, pulse.down_since) == (long, None)
