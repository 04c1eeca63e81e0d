"""Guessing gets slower, honest mistakes do not, and nothing grows without end."""

from tocsin.web.throttle import Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_mistakes_are_free_then_each_wait_is_longer_up_to_a_limit() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    waits = []
    for _ in range(20):
        throttle.failed({"kim": 3})
        waits.append(throttle.wait_s("kim"))
        clock.now += waits[-1]

    assert waits[:5] == [0, 0, 1, 2, 4]
    assert waits == sorted(waits)
    assert waits[-1] == throttle.longest_s


def test_a_success_or_time_forgives() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(6):
        throttle.failed({"kim": 1, "10.0.0.1": 1})
    throttle.succeeded("kim")

    assert throttle.wait_s("kim") == 0
    assert throttle.wait_s("kim", "10.0.0.1") > 0
    clock.now += throttle.forget_s + throttle.longest_s
    throttle.failed({"10.0.0.1": 2})
    assert throttle.wait_s("10.0.0.1") == 0


def test_a_wait_that_is_over_is_none() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    throttle.failed({"kim": 3})
    clock.now += 100

    assert throttle.wait_s("kim") == 0


def test_a_flood_of_names_does_not_fill_the_memory() -> None:
    throttle = Throttle(Clock())
    throttle.most = 100
    for n in range(1000):
        throttle.failed({f"name {n}": 0})

    assert len(throttle._records) == 100
    assert throttle.wait_s("name 999") > 0
