"""What evidence weighs: Slips' arithmetic, in numbers that come out the same in any order."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neighbours.evidence import evidence
from neighbours.messages import NOW, posted
from tocsin import detection
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Severity
from tocsin.parsers.slips import Slips
from tocsin.rules import accumulate
from tocsin.rules.accumulate import HOUR, ONE, WEIGHTS, Rule, Share, Shares

RULE = Rule(name="slips")
ONE_PM = 1_728_046_800_000_000
"""2024-10-04T13:00:00Z."""

TIMES: list[dict[str, Any]] = [
    {"detected": 5 * HOUR, "start": 9 * HOUR},
    {"start": 9 * HOUR},
    {"end": 2 * HOUR - 1},
    {},
]


def slips(**fields: Any) -> Alertgroup:
    (group,) = Slips().parse(posted(evidence(**fields)))
    return group


def said(*detections: Detection) -> Alertgroup:
    return Alertgroup(subject="", alerts=tuple(Alert(json="{}", detection=one) for one in detections))


def a(severity: Severity | None, address: str = "10.0.0.5", **rest: Any) -> Detection:
    sources = (Endpoint(addresses=(address,)),) if address else ()
    return Detection(severity=severity, sources=sources, **rest)


def test_evidence_of_slips_weighs_its_threat_level_times_its_confidence() -> None:
    assert accumulate.shares(slips(), RULE, NOW) == Shares((Share(0, "10.0.0.5", ONE_PM, 720_000),))


@pytest.mark.parametrize(
    ("fields", "weight"),
    [
        ({"threat_level": "LOW", "confidence": 1}, 200_000),
        ({"threat_level": "MEDIUM", "confidence": 0.5}, 250_000),
        ({"threat_level": "CRITICAL", "confidence": 1.0}, ONE),
        ({"threat_level": "CRITICAL", "confidence": None}, ONE),
    ],
)
def test_each_threat_level_has_its_weight(fields: dict[str, Any], weight: int) -> None:
    ((found,), unknown) = accumulate.shares(slips(**fields), RULE, NOW)

    assert (found.weight, unknown) == (weight, "")


@pytest.mark.parametrize(
    "fields",
    [
        {"threat_level": "INFO"},
        {"confidence": 0},
        {"attacker": {"direction": "DST", "ioc_type": "IP", "value": "203.0.113.7"}},
        {"attacker": {"direction": "DST", "ioc_type": "DOMAIN", "value": "evil.example"}},
    ],
)
def test_what_counts_for_nothing_is_evidence_that_weighs_nothing(fields: dict[str, Any]) -> None:
    assert accumulate.shares(slips(**fields), RULE, NOW) == Shares()


def test_what_cannot_be_weighed_is_no_evidence_as_a_whole() -> None:
    fine, nobody, unrated = a(Severity.HIGH), a(Severity.HIGH, ""), a(None)

    assert accumulate.shares(said(fine, nobody), RULE, NOW).unknown == ("nothing in it says from which address it came")
    assert accumulate.shares(said(fine, unrated), RULE, NOW).unknown == "nothing in it says how severe it is"
    assert accumulate.shares(said(fine, a(Severity.INFO, "")), RULE, NOW).unknown == ""


def test_the_window_is_that_of_the_detection_and_else_of_when_it_was_received() -> None:
    rule = Rule(name="", width=2 * HOUR)
    hours = [accumulate.shares(said(a(Severity.LOW, **times)), rule, NOW).found[0].begun // HOUR for times in TIMES]

    assert hours == [4, 8, 0, NOW // HOUR // 2 * 2]


def test_a_time_that_no_calendar_has_is_none() -> None:
    far = said(a(Severity.LOW, detected=-5), a(Severity.LOW, detected=10**18))

    assert {share.begun for share in accumulate.shares(far, RULE, NOW).found} == {NOW // HOUR * HOUR}


def test_weights_can_be_others_info_among_them() -> None:
    rule = Rule(name="", weights={**WEIGHTS, Severity.INFO: 10_000})

    assert accumulate.shares(said(a(Severity.INFO, confidence=0.5)), rule, NOW).found[0].weight == 5_000


def test_a_quarter_for_each_minute_is_enough() -> None:
    assert [accumulate.enough(width) for width in (HOUR, HOUR // 2, 24 * HOUR)] == [15 * ONE, 7_500_000, 360 * ONE]


@given(st.lists(st.tuples(st.sampled_from(Severity), st.none() | st.floats(0, 1)), max_size=50), st.randoms())
def test_the_sum_is_the_same_in_any_order_and_near_that_of_slips(
    rows: list[tuple[Severity, float | None]], order: random.Random
) -> None:
    group = said(*(a(severity, confidence=confidence) for severity, confidence in rows))
    found = accumulate.shares(group, RULE, NOW).found
    shuffled = order.sample(group.alerts, len(rows))
    again = accumulate.shares(Alertgroup(subject="", alerts=tuple(shuffled)), RULE, NOW).found

    total = sum(share.weight for share in found)
    assert total == sum(share.weight for share in again)
    levels = {Severity.INFO: 0.0, Severity.LOW: 0.2, Severity.MEDIUM: 0.5, Severity.HIGH: 0.8, Severity.CRITICAL: 1.0}
    exact = sum(levels[severity] * (1 if confidence is None else confidence) for severity, confidence in rows)
    assert abs(total / ONE - exact) <= len(rows) / ONE
    assert all(0 < share.weight <= ONE for share in found)


@given(st.integers(0, 2**52), st.integers(1, 10**13))
def test_every_moment_lies_in_the_window_that_it_is_put_into(at: int, width: int) -> None:
    ((share,), _) = accumulate.shares(said(a(Severity.HIGH, detected=at)), Rule(name="", width=width), NOW)

    assert share.begun % width == 0
    assert share.begun <= at < share.begun + width


@given(st.integers(0, 10**12))
def test_a_weight_is_never_shown_as_more_than_it_is(weight: int) -> None:
    shown = accumulate.written(weight)

    assert weight - 1000 < round(float(shown) * ONE) <= weight
    assert not shown.endswith(("0", ".")) or "." not in shown


def test_a_row_of_slips_says_whether_its_attacker_is_the_destination() -> None:
    alerts = [
        Alert(json=json)
        for json in ('{"attacker": {"direction": "DST"}}', '{"attacker": {"direction": "SRC"}}', '{"direction": "DST"}')
    ]

    assert [detection.is_of_target(alert) for alert in alerts] == [True, False, False]
