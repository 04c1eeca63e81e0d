"""The life of a Warden server that is read: drain, wait; and when it fails, say why, rest and begin again."""

import structlog

from tocsin.errors import DeliveryError, StoreUnavailable, Unavailable
from tocsin.kit.resting import rest_s
from tocsin.kit.warden import Warden
from tocsin.plugin import Desk
from tocsin.sources.warden.options import Options
from tocsin.sources.warden.reading import Reading, Rebuilt

log = structlog.get_logger()


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
        return rest_s(error, self._failures)

    def _tell(self, ailing: str) -> None:
        try:
            self._desk.tell(ailing)
        except StoreUnavailable as error:
            log.warning("what ails a server cannot be kept", ailing=ailing, reason=str(error))
