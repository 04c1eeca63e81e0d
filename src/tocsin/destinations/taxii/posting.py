"""Posts objects, in as many requests as the server wants them in, and looks after the statuses it answers with."""

import time
from collections.abc import Iterable, Mapping
from datetime import timedelta

from tocsin.destinations.taxii.items import Found, Item
from tocsin.destinations.taxii.status import complete
from tocsin.errors import DeliveryError, Unavailable
from tocsin.kit.taxii import Refused, StatusResource, Taxii, Unclear

DIVIDED = frozenset((400, 413, 422))
"""What may be said of a whole request because of its size, or of one object in it."""
HOPELESS = 24
"""Refused requests without a single one that was taken. Halving ends sooner, so it is not this or that object."""
FIRST_LOOK_S, LONGEST_LOOK_S = 0.1, 5.0


class Posting:
    """The requests of one call. `statuses` holds what was answered, and to which objects."""

    def __init__(self, client: Taxii) -> None:
        self.statuses: list[tuple[StatusResource, list[Item]]] = []
        self.too_large = 0
        """Bytes of objects in the smallest request that was too large and could be divided; 0 if none was."""
        self._client = client
        self._refusals = 0
        self._stop: DeliveryError | None = None

    def post(self, part: list[Item]) -> Found:
        """Post one part, in halves where the server does not want it whole. Gives what is known before any status."""
        if self._stop is not None:
            return dict.fromkeys((one.key for one in part), self._stop)
        fault: DeliveryError
        try:
            self.statuses.append((self._client.post([one.body for one in part]), part))
        except Unclear as unclear:
            fault = unclear
        except Refused as refused:
            fault = refused
            self._refusals += 1
            hopeless = self._refusals >= HOPELESS and not self.statuses
            if refused.status not in DIVIDED or hopeless:
                self._stop = refused
            elif len(part) > 1:
                if refused.status == 413:
                    self.too_large = sum(len(one.body) for one in part)
                half = len(part) // 2
                return self.post(part[:half]) | self.post(part[half:])
        except DeliveryError as down:
            fault = self._stop = down
        else:
            return {}
        return dict.fromkeys((one.key for one in part), fault)


class Watch:
    """Asks for statuses until they are complete, for at most `wait_s`."""

    def __init__(self, client: Taxii, wait_s: float) -> None:
        self.rest: timedelta | None = None
        """How long the server wants to be left alone, if it said so."""
        self._client, self._wait_s = client, wait_s

    def over(self, told: Mapping[str, StatusResource], pause: float = FIRST_LOOK_S) -> dict[str, StatusResource | None]:
        """The statuses, by id, as they are in the end; None for one that the server does not know any more."""
        now: dict[str, StatusResource | None] = dict(told)
        until = time.monotonic() + self._wait_s
        while waiting := [id for id, status in now.items() if status is not None and not complete(status)]:
            left = until - time.monotonic()
            if pause and left <= 0:
                break
            time.sleep(min(pause, max(left, 0)))
            try:
                now |= {id: self._look(id) for id in waiting}
            except Unavailable as down:
                self.rest = down.retry_after
                break
            pause = min(2 * pause, LONGEST_LOOK_S) or FIRST_LOOK_S
        return now

    def again(self, ids: Iterable[str]) -> dict[str, StatusResource | None]:
        """The same for statuses of an earlier call, of which only the ids are known."""
        return self.over({id: StatusResource(id=id, status="pending") for id in ids}, pause=0)

    def _look(self, id: str) -> StatusResource | None:
        try:
            return self._client.status(id)
        except (Refused, Unclear):
            return None
