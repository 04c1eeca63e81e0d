"""From the id of an alertgroup to what a destination may have of it: load -> understand -> gate."""

import traceback
from collections.abc import Sequence

import msgspec
import structlog

from tocsin import detection
from tocsin.errors import DeliveryError, Rejected, StoreUnavailable
from tocsin.model import Alertgroup
from tocsin.sharing import Gate, Withheld
from tocsin.store import Store, alertgroup

log = structlog.get_logger()

Made = Alertgroup | Withheld | Rejected


class Ready:
    """Makes alertgroups ready for one lane. For one thread."""

    def __init__(self, lane: str, store: Store, gate: Gate, names: detection.Names) -> None:
        self._lane, self._store, self._gate, self._names = lane, store, gate, names
        self._warned = ("", "")

    def made(self, ids: Sequence[int]) -> dict[int, Made]:
        """For every id what may go out, the gate's no, or why it cannot be sent. Raises StoreUnavailable."""
        found = self._load(ids)
        gone = Rejected("the alertgroup is no longer stored")
        return {
            number: self._passed(group) if isinstance(group := found.get(number, gone), Alertgroup) else group
            for number in ids
        }

    def passed(self, group: Alertgroup) -> Made:
        """The same for an alertgroup that is not stored."""
        return self._passed(self._understood(group))

    def _passed(self, group: Alertgroup) -> Made:
        """What the gate lets out. What it cannot judge stays here."""
        try:
            return self._gate.passed(self._lane, group)
        except Exception as error:
            self.warn(f"alertgroup {group.id} cannot pass the gate", error)
            return Rejected(f"cannot be made ready for sharing: {told(error)}")

    def _load(self, ids: Sequence[int]) -> dict[int, Alertgroup | Rejected]:
        """The alertgroups with the meaning of their rows; for one that cannot be read, why."""
        try:
            groups = self._store.read(lambda tx: alertgroup.load(tx, ids))
            return {number: self._understood(group) for number, group in groups.items()}
        except StoreUnavailable:
            raise
        except Exception as error:
            if len(ids) > 1:
                return {number: found for one in set(ids) for number, found in self._load([one]).items()}
            self.warn(f"alertgroup {ids[0]} cannot be made ready for sending", error)
            return {ids[0]: Rejected(f"cannot be made ready for sending: {told(error)}")}

    def _understood(self, group: Alertgroup) -> Alertgroup:
        alerts = tuple(
            msgspec.structs.replace(alert, detection=detection.read(alert, self._names))
            if alert.detection is None
            else alert
            for alert in group.alerts
        )
        return msgspec.structs.replace(group, alerts=alerts)

    def warn(self, event: str, error: Exception) -> None:
        """Log with the trace as text, without the values in it: they are the alert's. The same again is told once."""
        if (event, told(error)) != self._warned:
            log.error(event, lane=self._lane, reason=told(error), trace="".join(traceback.format_exception(error)))
        self._warned = event, told(error)


def told(error: Exception) -> str:
    """For a receipt: a sentence of ours as it is, anything else with its kind."""
    return str(error) if isinstance(error, DeliveryError) else f"{type(error).__name__}: {error}"
