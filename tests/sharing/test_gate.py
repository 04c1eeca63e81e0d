"""The gate lets out what a destination is cleared for, and says why it holds back the rest."""

import itertools

import pytest

from tocsin.model import TLP, Alertgroup
from tocsin.sharing import ORDER, Gate, Withheld


def marked(tlp: TLP) -> Alertgroup:
    return Alertgroup.of_rows("beacon", [{"n": 1}], tlp=tlp)


@pytest.mark.parametrize(("tlp", "clearance"), list(itertools.product(ORDER, ORDER)))
def test_a_group_passes_up_to_the_clearance_and_no_further(tlp: TLP, clearance: TLP) -> None:
    passed = Gate({"partner": clearance}).passed("partner", marked(tlp))

    assert isinstance(passed, Alertgroup) == (ORDER.index(tlp) <= ORDER.index(clearance))


def test_the_order_is_that_of_tlp_2() -> None:
    assert [tlp.value for tlp in ORDER] == ["clear", "green", "amber", "amber+strict", "red"]


def test_what_passes_is_not_changed() -> None:
    group = marked(TLP.GREEN)

    assert Gate({"partner": TLP.GREEN}).passed("partner", group) is group


def test_a_lane_without_a_clearance_gets_everything() -> None:
    assert Gate({"partner": TLP.CLEAR}).passed("idea_log", marked(TLP.RED)) == marked(TLP.RED)


@pytest.mark.parametrize(("clearance", "passes"), [(TLP.GREEN, False), (TLP.AMBER, True)])
def test_a_group_nobody_marked_counts_as_amber(clearance: TLP, passes: bool) -> None:
    assert isinstance(Gate({"p": clearance}).passed("p", marked(TLP.UNSET)), Alertgroup) is passes


def test_a_group_nobody_marked_counts_as_what_one_says() -> None:
    gate = Gate({"p": TLP.GREEN}, unmarked=TLP.GREEN)

    assert isinstance(gate.passed("p", marked(TLP.UNSET)), Alertgroup)


def test_the_reason_names_both_sides() -> None:
    gate = Gate({"partner": TLP.GREEN})

    assert gate.passed("partner", marked(TLP.AMBER_STRICT)) == Withheld(
        "TLP: the alertgroup is AMBER+STRICT, partner is cleared up to GREEN"
    )
    assert gate.passed("partner", marked(TLP.UNSET)) == Withheld(
        "TLP: the alertgroup carries no TLP and so counts as AMBER, partner is cleared up to GREEN"
    )


def test_unset_is_no_clearance() -> None:
    with pytest.raises(ValueError, match="partner: unset is no clearance"):
        Gate({"partner": TLP.UNSET})
