"""The life of a collection that is read: pass, wait; and when it fails, say why, rest and begin again."""

from datetime import UTC, datetime, timedelta

import structlog

from tocsin.errors import DeliveryError, StoreUnavailable
from tocsin.kit.resting import rest_s
from tocsin.kit.taxii import Taxii as Collection
from tocsin.plugin import Desk
from tocsin.sources.taxii.options import Options
from tocsin.sources.taxii.reading import Reading

log = structlog.get_logger()

CLOCKS = timedelta(minutes=5)
"""So much may two clocks differ at the first start."""


class Keeping:
    """Keeps up with one collection until the desk says stop."""

    def __init__(self, options: Options, desk: Desk) -> None:
        self._options, self._desk = options, desk
        self._failures = 0
        self._started = f"{datetime.now(UTC) - CLOCKS:%Y-%m-%dT%H:%M:%S.%fZ}"

    def run(self) -> None:
        """Return once the desk says stop."""
        stop = self._desk.stop
        while not stop.is_set():
            stop.wait(self._kept())

    def _kept(self) -> float:
        """Passes over one connection, as long as they succeed; how long to rest then, in seconds."""
        collection = Collection(self._options)
        try:
            reading = Reading(self._options, self._desk, collection, self._started)
            while not self._desk.stop.is_set():
                reading.once()
                self._failures = 0
                self._desk.stop.wait(self._options.interval_s)
        except StoreUnavailable as error:
            log.warning("the collection waits for the store", collection=self._options.read, reason=str(error))
            return error.retry_after.total_seconds()
        except DeliveryError as error:
            return self._rest(error)
        finally:
            collection.close()
        return 0

    def _rest(self, error: DeliveryError) -> float:
        self._failures += 1
        try:
            self._desk.tell(str(error))
        except StoreUnavailable as unavailable:
            log.warning("the collection waits for the store", collection=self._options.read, reason=str(unavailable))
        return rest_s(error, self._failures)
