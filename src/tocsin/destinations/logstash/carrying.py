"""Carries documents to Logstash in windows, and finds the ones that it does not like.

Logstash does not say that it dislikes a document: it drops the connection, as it does when it is restarted. So what was
not acknowledged goes again in halves, until single documents remain at which it drops the connection. Such a document
is to blame once that has happened to it so often by itself, each time after something else was taken; until then it
waits.
"""

from collections.abc import Sequence

from tocsin.destinations.logstash.fates import Fate, parts
from tocsin.destinations.logstash.ways import Way
from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.kit.lumberjack import Unacknowledged

HOPELESS, ENOUGH = 16, 200
"""Refusals in one call: without anything taken, and in all. Then the rest waits."""
BLAMED = 3
"""Refusals of a document by itself, with others taken in between."""
DOUBTED = 64
"""Documents that are remembered as refused by themselves."""


class Carrier:
    """Carries to one Logstash. For one thread."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._taken = self._refusals = self._before = 0
        self._doubted: dict[bytes, tuple[int, int]] = {}  # by document: refusals, how many had been taken by then
        self._stop: DeliveryError | None = None

    def carry(self, documents: Sequence[bytes]) -> list[Fate]:
        """Hand over all that can be; those go last, and each by itself, that were refused by themselves before."""
        self._before, self._refusals, self._stop = self._taken, 0, None
        clean = [one for one in documents if one not in self._doubted]
        fates: dict[bytes, Fate] = {}
        for part in parts(clean):
            fates |= zip(part, self._carried(part), strict=True)
        for one in dict.fromkeys(one for one in documents if one in self._doubted):
            [fates[one]] = self._carried([one])
        return [fates[one] for one in documents]

    def _carried(self, part: Sequence[bytes]) -> list[Fate]:
        if self._stop is not None:
            return [self._stop] * len(part)
        fault: DeliveryError
        done = 0
        try:
            self._way.take(part)
        except Unacknowledged as lost:
            fault, done = lost, lost.acknowledged
            self._taken += done
            self._stop = None if lost.dropped else lost
        except Rejected as refused:
            fault = refused
        except Unavailable as away:
            fault = self._stop = away
        else:
            self._taken += len(part)
            for one in part if self._doubted else ():
                self._doubted.pop(one, None)
            return [None] * len(part)
        rest = part[done:]
        self._refusals += 1
        hopeless = self._refusals >= HOPELESS and self._taken == self._before
        if self._stop is None and (hopeless or self._refusals >= ENOUGH):
            self._stop = fault
        if self._stop is not None:
            return [None] * done + [self._stop] * len(rest)
        if len(rest) == 1:
            return [None] * done + [self._blamed(rest[0], fault)]
        half = len(rest) // 2
        return [None] * done + self._carried(rest[:half]) + self._carried(rest[half:])

    def _blamed(self, document: bytes, fault: DeliveryError) -> DeliveryError:
        """What is said of a document that was refused by itself."""
        if isinstance(fault, Rejected):
            return fault
        times, then = self._doubted.get(document, (0, -1))
        if self._taken > then and (times or len(self._doubted) < DOUBTED):
            times += 1
            self._doubted[document] = times, self._taken
        if times < BLAMED:
            return fault
        del self._doubted[document]
        return Rejected(f"{fault} at this document {times} times, and took others in between")
