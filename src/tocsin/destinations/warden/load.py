"""The events of many deliveries, and what came of each delivery."""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.destinations.warden.dressing import Event
from tocsin.destinations.warden.looking import saved_among
from tocsin.destinations.warden.memory import Known, spelled
from tocsin.destinations.warden.pushing import pushed
from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.kit.warden import Fate, Unclear, Warden
from tocsin.model import Receipt

SHOWN = 3
"""Events named in the words of a failure."""


class Load(NamedTuple):
    """The events of a delivery, which of them the server has, and whether it may have more."""

    uid: str
    attempt: int
    events: list[Event]
    saved: frozenset[int]
    doubtful: bool


class Came(NamedTuple):
    """What came of a delivery, and what is to be remembered of it."""

    outcome: Receipt | DeliveryError
    known: Known | None


def carried(loads: Sequence[Load], server: Warden, back: int) -> list[Came]:
    """Look for what may be there, send the rest, and say of each delivery what came of it."""
    doubtful = {
        event.id for each in loads if each.doubtful for at, event in enumerate(each.events) if at not in each.saved
    }
    try:
        there = (saved_among(server, doubtful, back) if doubtful and back else None) or set()
    except Unavailable as down:
        error = Unavailable(f"not sent, as it cannot be seen what is there already: {down}", down.retry_after)
        return [_came(each, [None if at in each.saved else error for at in range(len(each.events))]) for each in loads]
    owed = [
        (number, at)
        for number, each in enumerate(loads)
        for at, event in enumerate(each.events)
        if at not in each.saved and not (each.doubtful and event.id in there)
    ]
    answer = dict(zip(owed, pushed(server, [loads[number].events[at] for number, at in owed]), strict=True))
    return [
        _came(each._replace(doubtful=False), [answer.get((number, at)) for at in range(len(each.events))])
        for number, each in enumerate(loads)
    ]


def _came(load: Load, fates: Sequence[Fate]) -> Came:
    saved = [at for at, fate in enumerate(fates) if fate is None]
    if len(saved) == len(fates):
        return Came(Receipt(remote_id=load.events[0].id, status=f"saved {len(fates)}"), None)
    doubt = load.doubtful or any(isinstance(fate, Unclear) for fate in fates)
    return Came(_outcome(load, fates), Known(load.attempt, len(fates), spelled(saved), doubt))


def _outcome(load: Load, fates: Sequence[Fate]) -> DeliveryError:
    """Temporary while anything may still be saved; then which events are refused, and why."""
    unsent = [fate for fate in fates if isinstance(fate, Unavailable)]
    refused = [(at, fate) for at, fate in enumerate(fates) if isinstance(fate, Rejected)]
    saved = sum(fate is None for fate in fates)
    if unsent:
        waits = [fate.retry_after for fate in unsent if fate.retry_after is not None]
        said = f"{unsent[0]}"
        if len(fates) > 1:
            said = f"{len(unsent)} of {len(fates)} events are not sent, {saved} are saved: {said}"
        return Unavailable(said, max(waits, default=None))
    if len(fates) == 1:
        return Rejected(f"the server refuses it: {refused[0][1]}")
    named = [f"{load.events[at].id}: {fate}" for at, fate in refused[:SHOWN]]
    more = [f"and {len(refused) - SHOWN} more"] if len(refused) > SHOWN else []
    return Rejected(
        f"the server refuses {len(refused)} of {len(fates)} events, {saved} are saved: {'; '.join(named + more)}"
    )
