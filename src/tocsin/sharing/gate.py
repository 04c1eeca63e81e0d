"""The gate itself: TLP against clearance, then redaction."""

from collections.abc import Mapping
from typing import NamedTuple

from tocsin.model import TLP, Alertgroup
from tocsin.sharing.redact import Redaction, without_secrets

ORDER = (TLP.CLEAR, TLP.GREEN, TLP.AMBER, TLP.AMBER_STRICT, TLP.RED)
"""From free to most guarded: FIRST TLP 2.0."""


class Withheld(NamedTuple):
    """The gate's no; `reason` is a sentence for the ledger."""

    reason: str


class Gate:
    """Compares an alertgroup's TLP with the clearance of the destination, and takes out what is not for its eyes."""

    def __init__(
        self,
        clearances: Mapping[str, TLP],
        unmarked: TLP = TLP.AMBER,
        by_source: Mapping[str, TLP] | None = None,
        redactions: Mapping[str, Redaction] | None = None,
    ) -> None:
        """Learn the rules.

        Args:
            clearances: by lane, the highest TLP that may go there; a lane not named may have everything.
            unmarked: what an alertgroup counts as that nobody marked.
            by_source: the same by a label of its source; of several, the most guarded counts.
            redactions: by lane, what is taken out of all that goes there.

        Raises ValueError when one of these is `unset`.
        """
        self._by_source = dict(by_source or {})
        for name, clearance in (*clearances.items(), *self._by_source.items(), ("(unmarked)", unmarked)):
            if clearance not in ORDER:
                raise ValueError(f"{name}: {clearance.value} is no clearance: choose one of {', '.join(ORDER)}")
        self._clearances = dict(clearances)
        self._unmarked = unmarked
        self._redactions = dict(redactions or {})

    def passed(self, lane: str, alertgroup: Alertgroup) -> Alertgroup | Withheld:
        """What of the alertgroup may go down that lane, or why nothing may."""
        clearance = self.clearance(lane)
        tlp, because = self.counts_as(alertgroup)
        if ORDER.index(tlp) > ORDER.index(clearance):
            return Withheld(f"TLP: the alertgroup {because} {tlp.upper()}, {lane} is cleared up to {clearance.upper()}")
        redaction = self._redactions.get(lane)
        bare = without_secrets(alertgroup)
        return bare if redaction is None else redaction.applied(bare)

    def clearance(self, lane: str) -> TLP:
        """The highest TLP that may go down that lane."""
        return self._clearances.get(lane, TLP.RED)

    def redaction(self, lane: str) -> Redaction | None:
        """What is taken out of all that goes down that lane."""
        return self._redactions.get(lane)

    def redacts(self, lane: str) -> bool:
        """Whether a redaction profile stands before that lane."""
        return lane in self._redactions

    def counts_as(self, alertgroup: Alertgroup) -> tuple[TLP, str]:
        """The TLP that the alertgroup is held for, and how that is said."""
        if alertgroup.tlp is not TLP.UNSET:
            return alertgroup.tlp, "is"
        known = [self._by_source[label] for label in alertgroup.sources if label in self._by_source]
        tlp = max(known, key=ORDER.index) if known else self._unmarked
        return tlp, "carries no TLP and so counts as"
