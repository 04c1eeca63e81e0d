"""Sends events within the server's limits."""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from tocsin.destinations.warden.dressing import Event
from tocsin.errors import DeliveryError, Unavailable
from tocsin.kit.warden import Fate, Refused, TooMany, Unclear, Warden

MOST_BYTES = 4 * 2**20
"""In one request; servers limit an event to 5 MiB."""
ISOLATED = frozenset((400, 413, 422, 460))
"""Errors that mean all of a request, perhaps because of one event in it: it is sent again in halves."""


def pushed(server: Warden, events: Sequence[Event]) -> list[Fate]:
    """What became of each event. Raises nothing: what ails the server is what became of those it was to have."""
    found: list[Fate] = [Unavailable("not sent yet")] * len(events)
    try:
        left = deque(_parts(events, range(len(events)), server.info().send_limit))
    except DeliveryError as error:
        return [error] * len(events)
    while left:
        part = left.popleft()
        try:
            answer = server.send([events[at].body for at in part], [events[at].id for at in part])
        except Refused as refused:
            if refused.status in ISOLATED and len(part) > 1:
                half = len(part) // 2
                left.extendleft((part[half:], part[:half]))
                continue
            answer = [refused] * len(part)
            if refused.status not in ISOLATED:
                left = _given_up(found, left, refused)
        except DeliveryError as error:
            answer = [error] * len(part)
            left = _given_up(found, left, Unavailable(f"not sent: {error}") if isinstance(error, Unclear) else error)
        found = _with(found, part, answer)
        beyond = [at for at, fate in zip(part, answer, strict=True) if isinstance(fate, TooMany)]
        if beyond and len(part) > 1:
            with suppress(DeliveryError):  # it said enough in its answer
                server.info(afresh=True)
            if server.info().send_limit >= len(part):
                server.lowered(len(part))
            rest = [*beyond, *(at for each in left for at in each)]
            left = deque(_parts(events, rest, server.info().send_limit))
    return found


def _parts(events: Sequence[Event], places: Sequence[int], most: int) -> list[list[int]]:
    parts: list[list[int]] = []
    size = 0
    for at in places:
        size += len(events[at].body) + 1
        if not parts or len(parts[-1]) >= most or size > MOST_BYTES:
            parts.append([])
            size = len(events[at].body) + 1
        parts[-1].append(at)
    return parts


def _given_up(found: list[Fate], left: deque[list[int]], error: DeliveryError) -> deque[list[int]]:
    for part in left:
        for at in part:
            found[at] = error
    return deque()


def _with(found: list[Fate], part: Sequence[int], answer: Sequence[Fate]) -> list[Fate]:
    for at, fate in zip(part, answer, strict=True):
        found[at] = fate
    return found
