"""From what is owed to what a destination may have of it: load -> understand -> gate, and what went there before."""

import traceback
from collections.abc import Collection, Sequence
from datetime import timedelta

import msgspec
import structlog

from tocsin import detection
from tocsin.errors import DeliveryError, Rejected, Skipped, StoreUnavailable, Unavailable
from tocsin.model import TLP, Alert, Alertgroup, Delivery
from tocsin.sharing import Gate, Withheld
from tocsin.store import Store, alertgroup, kinds
from tocsin.store.kinds import Before
from tocsin.store.sending import Claimed

log = structlog.get_logger()

Made = Alertgroup | Withheld | Rejected
BUSY_S = 2.0
"""How long what follows a delivery waits for it to be sent."""


class Ready:
    """Makes alertgroups ready for one lane. For one thread."""

    def __init__(
        self, lane: str, store: Store, gate: Gate, names: detection.Names, understood: Collection[str] = ("alert",)
    ) -> None:
        self._lane, self._store, self._gate, self._names = lane, store, gate, names
        self._kinds = understood
        self._warned = ("", "")

    def deliveries(self, items: Sequence[Claimed]) -> dict[Claimed, Delivery | Withheld | DeliveryError]:
        """What is handed to the destination for each, or why nothing is. Raises StoreUnavailable."""
        before = self._store.read(lambda tx: kinds.before(tx, items))
        why = {item: self._unsent(item, before[item.id]) for item in items}
        found = self.made([item.alertgroup for item, not_sent in why.items() if not_sent is None])
        return {item: why[item] or self._delivery(item, found[item.alertgroup], before[item.id]) for item in items}

    def _unsent(self, item: Claimed, before: Before) -> DeliveryError | None:
        if item.kind not in self._kinds:
            return Skipped(f"this destination understands no {item.kind}")
        if before.recalled:
            return Skipped("recalled before it was sent")
        if before.busy:
            return Unavailable("what it follows is just being sent", timedelta(seconds=BUSY_S))
        if item.kind == "update" and not before.earlier:
            return Skipped("nothing of it was sent there before")
        return None

    def _delivery(self, item: Claimed, made: Made, before: Before) -> Delivery | Withheld | Rejected:
        reason = before.reason
        if item.kind == "recall" and not isinstance(made, Rejected):
            made, reason = self._recalled(item.alertgroup, made, reason)
        if not isinstance(made, Alertgroup):
            return made
        return Delivery(
            id=item.id, uid=item.uid, alertgroup=made, attempt=item.attempt, kind=item.kind, owed=item.created,
            seen=before.seen, reason=reason, earlier=before.earlier, hub=self._store.uid,
        )  # fmt: skip

    def _recalled(self, id: int, made: Alertgroup | Withheld, reason: str) -> tuple[Made, str]:
        """What a recall may show, and its reason behind the gate: it is meant for those who have the alertgroup."""
        loaded = self._load([id])[id]
        if isinstance(loaded, Rejected):
            return loaded, ""
        whole = loaded if isinstance(made, Alertgroup) else msgspec.structs.replace(loaded, tlp=TLP.CLEAR)
        passed = self._passed(msgspec.structs.replace(whole, tags=(*whole.tags, reason)))
        if not isinstance(passed, Alertgroup):
            return passed, ""
        shown = msgspec.structs.replace(passed, tags=passed.tags[:-1])
        return shown if isinstance(made, Alertgroup) else _without_text(shown), passed.tags[-1]

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


def _without_text(group: Alertgroup) -> Alertgroup:
    """Ids, uids, times and states: what a partner needs to find again what it has."""
    alerts = tuple(Alert(json="{}", id=one.id, uid=one.uid, status=one.status) for one in group.alerts)
    return Alertgroup(
        subject="", alerts=alerts, tlp=TLP.UNSET, created=group.created, status=group.status, id=group.id,
        uid=group.uid, received=group.received,
    )  # fmt: skip


def told(error: Exception) -> str:
    """For a receipt: a sentence of ours as it is, anything else with its kind."""
    return str(error) if isinstance(error, DeliveryError) else f"{type(error).__name__}: {error}"
