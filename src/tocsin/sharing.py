"""The gate: what may leave for a destination. Pure; nothing goes out that has not passed here."""

from collections.abc import Mapping
from typing import NamedTuple

from tocsin.model import TLP, Alertgroup

ORDER = (TLP.CLEAR, TLP.GREEN, TLP.AMBER, TLP.AMBER_STRICT, TLP.RED)
"""From free to most guarded: FIRST TLP 2.0."""


class Withheld(NamedTuple):
    """The gate's no; `reason` is a sentence for the ledger."""

    reason: str


class Gate:
    """Compares an alertgroup's TLP with the clearance of the destination.

    `clearances` holds, by lane, the highest TLP that may go there; a lane not named may have everything.
    An alertgroup that nobody marked is held for `unmarked`. Raises ValueError when a clearance is `unset`.
    """

    def __init__(self, clearances: Mapping[str, TLP], unmarked: TLP = TLP.AMBER) -> None:
        for name, clearance in (*clearances.items(), ("(unmarked)", unmarked)):
            if clearance not in ORDER:
                raise ValueError(f"{name}: {clearance.value} is no clearance: choose one of {', '.join(ORDER)}")
        self._clearances = dict(clearances)
        self._unmarked = unmarked

    def passed(self, lane: str, alertgroup: Alertgroup) -> Alertgroup | Withheld:
        """What of the alertgroup may go down that lane, or why nothing may."""
        clearance = self._clearances.get(lane, TLP.RED)
        marked = alertgroup.tlp is not TLP.UNSET
        tlp = alertgroup.tlp if marked else self._unmarked
        if ORDER.index(tlp) <= ORDER.index(clearance):
            return alertgroup
        because = "is" if marked else "carries no TLP and so counts as"
        return Withheld(f"TLP: the alertgroup {because} {tlp.upper()}, {lane} is cleared up to {clearance.upper()}")
