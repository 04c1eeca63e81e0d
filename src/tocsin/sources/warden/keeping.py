"""The life of a Warden server that is read: drain, wait; and when it fails, say why, rest and begin again."""

import random

import structlog

from tocsin.errors import DeliveryError, Rejected, StoreUnavailable, Unavailable
from tocsin.kit.warden import Warden
from tocsin.plugin import Desk
from tocsin.sources.warden.options import Options
from tocsin.sources.warden.reading import Reading, Rebuilt

log = structlog.get_logger()

FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 300.0
FIRST_WAIT_FOR_A_PERSON_S = 15.0
"""What a person has to mend, such as a filter that the server does not know, is not tried over and over."""


class Keeping:
    """Keeps up with one server until the desk says stop."""

    def __init__(self, options: Options, desk: Desk) -> None:
        self._options, self._desk = options, desk
        self._failures = 0

    def run(self) -> None:
        """Return once the desk says stop."""
        while not self._desk.stop.is_set():
            self._desk.stop.wait(self._kept())

    def _kept(self) -> float:
        """Passes as long as they succeed; how long to rest then, in seconds."""
        try:
            server = Warden(self._options.account())
        except Unavailable as error:
            return self._rest(error)
        try:
            reading = Reading(self._options, self._desk, server)
            while not self._desk.stop.is_set():
                try:
                    reading.once()
                except Rebuilt as rebuilt:  # told once; the next pass goes on as if nothing had been
                    self._tell(str(rebuilt))
                self._failures = 0
                self._desk.stop.wait(self._options.receive_delay)
        except StoreUnavailable as error:
            log.warning("the server waits for the store", server=server.account.url, reason=str(error))
            return error.retry_after.total_seconds()
        except DeliveryError as error:
            return self._rest(error)
        finally:
            server.close()
        return 0

    def _rest(self, error: DeliveryError) -> float:
        self._failures += 1
        self._tell(str(error))
        first = FIRST_WAIT_FOR_A_PERSON_S if isinstance(error, Rejected) else FIRST_WAIT_S
        wait = min(first * 2.0 ** min(self._failures - 1, 20), LONGEST_WAIT_S)
        asked = error.retry_after.total_seconds() if isinstance(error, Unavailable) and error.retry_after else 0.0
        return max(asked, wait * (0.75 + random.random() / 4))  # noqa: S311 - jitter

    def _tell(self, ailing: str) -> None:
        try:
            self._desk.tell(ailing)
        except StoreUnavailable as error:
            log.warning("what ails a server cannot be kept", ailing=ailing, reason=str(error))
