"""The objects of many deliveries, and what came of each delivery."""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.destinations.taxii.items import Found, Item, Pending, item
from tocsin.destinations.taxii.pusher import Pusher
from tocsin.destinations.taxii.waiting import Waiting
from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.kit.taxii import plain
from tocsin.model import Receipt

SHOWN = 3
"""Objects named in the words of a failure."""


class Load(NamedTuple):
    """What has to be pushed of one delivery."""

    uid: str
    items: list[Item]


def load(uid: str, encoded: Sequence[bytes]) -> Load:
    """A delivery's objects, each once."""
    return Load(uid, list({one.key: one for one in map(item, encoded)}.values()))


def carried(loads: Sequence[Load], pusher: Pusher, waiting: Waiting) -> list[Receipt | DeliveryError]:
    """Ask what became of those that wait, push the others, and say of each what came of it."""
    found: dict[str, Found] = {}
    asked = [each for each in loads if waiting.statuses(each.uid)]
    try:
        if asked:
            answers = pusher.asked([(waiting.statuses(each.uid), each.items) for each in asked])
            found = {each.uid: answer for each, answer in zip(asked, answers, strict=True) if answer}
        fresh = {one.key: one for each in loads if each.uid not in found for one in each.items}
        pushed = pusher.push(list(fresh.values())) if fresh else {}
    except DeliveryError as fault:
        return [outcome(each.items, found[each.uid]) if each.uid in found else fault for each in loads]
    return [outcome(each.items, found.get(each.uid, pushed)) for each in loads]


def outcome(items: Sequence[Item], found: Found) -> Receipt | DeliveryError:
    """What came of a delivery: a refused object fails it, one that is not settled lets it wait."""
    verdicts = [(one, found[one.key]) for one in items]
    faults = [(one, verdict) for one, verdict in verdicts if isinstance(verdict, DeliveryError)]
    refused = [(one, fault) for one, fault in faults if isinstance(fault, Rejected)]
    down = [fault for _, fault in faults if not isinstance(fault, Pending)]
    pending = [fault for _, fault in faults if isinstance(fault, Pending)]
    if refused:
        if len(refused) == len(items) and len({id(fault) for _, fault in refused}) == 1:
            return refused[0][1]
        named = "; ".join(f"{plain(one.key.id)}: {fault}" for one, fault in refused[:SHOWN])
        more = f"; and {len(refused) - SHOWN} more" if len(refused) > SHOWN else ""
        return Rejected(f"{len(refused)} of {len(items)} objects were refused: {named}{more}")
    if down:
        return down[0]
    if pending:
        reason = f"{len(pending)} of {len(items)} objects are pending: {pending[0]}"
        return Waits(reason, pending)
    ids = dict.fromkeys(verdict for _, verdict in verdicts if isinstance(verdict, str) and verdict)
    there = sum(verdict == "" for _, verdict in verdicts)
    words = f"{len(items) - there} objects accepted" + (f", {there} were there already" if there else "")
    return Receipt(remote_id=" ".join(map(plain, ids))[:500], status=words)


class Waits(Unavailable):
    """The server has not made up its mind about a delivery."""

    def __init__(self, reason: str, pending: Sequence[Pending]) -> None:
        super().__init__(reason, pending[0].retry_after)
        self.statuses = list(dict.fromkeys(each.status for each in pending))
