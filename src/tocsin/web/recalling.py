"""Recalls as people ask for them, in a request or in a form."""

from collections.abc import Sequence

from tocsin.app import Hub
from tocsin.errors import Malformed
from tocsin.kit.problems import nearest
from tocsin.model import Micros
from tocsin.store import Tx, recall
from tocsin.store.recall import Toward

LONGEST_REASON = 1000


def rehearsed(tx: Tx, hub: Hub, ids: Sequence[int], only: Sequence[str]) -> list[Toward]:
    """What a recall would do; changes nothing. Raises NotFound; Malformed where `only` names no lane of ours."""
    return recall.fates(tx, ids, hub.lanes.kinds, _known(hub, only))


def recalled(
    tx: Tx, hub: Hub, ids: Sequence[int], reason: str, only: Sequence[str], who: str, now: Micros
) -> list[Toward]:
    """Take alertgroups back, from `only` or from all. Raises as `rehearsed` does, and Malformed without a reason."""
    if len(reason) > LONGEST_REASON:
        raise Malformed(f"reason: it has {len(reason):,} characters; at most {LONGEST_REASON:,} are sent")
    return recall.put(tx, ids, reason, hub.lanes.kinds, who, now, _known(hub, only))


def _known(hub: Hub, only: Sequence[str]) -> Sequence[str]:
    lanes = hub.lanes.kinds
    for name in only:
        if name not in lanes:
            offer = nearest(name[:60], lanes) if lanes else "no destination is configured"
            raise Malformed(f"to: there is no destination {name[:60]!r}: {offer}")
    return tuple(only)
