"""Slips' messages that it started and stopped, word for word, for those who wait for them in the channel.

Each is tried once and waited for a few seconds at most. Whether it arrives changes nothing for the deliveries: what
fails here is logged.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from tocsin.destinations.slack.channel import Channel
from tocsin.destinations.slack.hook import Hook
from tocsin.errors import DeliveryError
from tocsin.formats.slack import escaped

log = structlog.get_logger()

LONGEST_S = 5.0


class Presence:
    """Of one process: it started when it first had something to send, and stops when the destination is closed."""

    def __init__(self, opened: Callable[[float], Channel | Hook], sensor: str) -> None:
        """`opened` makes a line to Slack that waits no longer than so many seconds."""
        self._opened, self._sensor = opened, escaped(sensor)
        self._begun = False

    def begins(self) -> None:
        """Say once that it started."""
        if not self._begun:
            self._begun = True
            self._say("started")

    def ends(self) -> None:
        """Say that it stopped, if it ever started."""
        if self._begun:
            self._begun = False
            self._say("stopped")

    def _say(self, what: str) -> None:
        now = datetime.now(UTC).strftime("%Y/%m/%d %H:%M:%S.%f%z")
        text = f"{self._sensor}: {now}: Slips {what} on sensor: {self._sensor}."
        try:
            line = self._opened(LONGEST_S)
            try:
                line.post([], {"text": text}, again=False)
            finally:
                line.close()
        except DeliveryError as error:
            log.warning("Slack does not know that a sensor started or stopped", what=what, reason=str(error))
