"""The life of a mailbox: connect, pass, wait for the next mail; and when it fails, say why, rest and begin again."""

import random
import time
from datetime import UTC, datetime

import msgspec
import structlog

from tocsin.errors import StoreUnavailable
from tocsin.model import Message, Micros
from tocsin.plugin import Desk
from tocsin.sources.imap.line import BROKEN, Ails, connected, said
from tocsin.sources.imap.options import Options
from tocsin.sources.imap.reading import Reading
from tocsin.sources.imap.tokens import Tokens

log = structlog.get_logger()

FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 300.0
FIRST_WAIT_FOR_A_PERSON_S = 15.0
"""A refused password is not tried over and over: servers lock accounts for that."""
STORE_WAIT_S = 5.0
HOUR: Micros = 3_600_000_000
HUB = "tocsin"


class Keeping:
    """Keeps one mailbox until the desk says stop."""

    def __init__(self, options: Options, desk: Desk) -> None:
        self._options, self._desk = options, desk
        self._tokens = Tokens(options.oauth) if options.oauth else None
        self._reading = Reading(options, desk)
        self._began: Micros = time.time_ns() // 1000
        self._told_of: Micros | None = None
        self._failures = 0

    def run(self) -> None:
        """Return once the desk says stop."""
        stop = self._desk.stop
        while not stop.is_set():
            try:
                self._keep()
            except Ails as error:
                self._rest(str(error), FIRST_WAIT_FOR_A_PERSON_S if error.person else FIRST_WAIT_S)
            except StoreUnavailable as error:
                log.warning("the mailbox waits for the store", mailbox=self._options.mailbox, reason=str(error))
                stop.wait(STORE_WAIT_S)
            except BROKEN as error:
                host, port = self._options.address
                self._rest(f"the connection to {host}:{port} broke ({said(error)}): it is tried again", FIRST_WAIT_S)

    def _keep(self) -> None:
        """One connection, as long as it holds."""
        stop = self._desk.stop
        with connected(self._options, self._tokens) as line:
            self._reading.begin(line)
            while not stop.is_set():
                self._desk.tell(self._reading.once(line))
                self._failures = 0
                self._mind_silence()
                line.wait(stop, self._options.interval_s)

    def _rest(self, reason: str, first_s: float) -> None:
        self._failures += 1
        try:
            self._desk.tell(reason)
            self._mind_silence()
        except StoreUnavailable as error:
            log.warning("the mailbox waits for the store", mailbox=self._options.mailbox, reason=str(error))
        wait = min(first_s * 2 ** min(self._failures - 1, 20), LONGEST_WAIT_S)
        self._desk.stop.wait(wait * (0.75 + random.random() / 4))  # noqa: S311 - jitter

    def _mind_silence(self) -> None:
        """Raise an alertgroup about a mailbox that is silent for too long, once for each silence."""
        if not self._options.silent_after_h:
            return
        heard = self._reading.heard or self._began
        if time.time_ns() // 1000 - heard < self._options.silent_after_h * HOUR or heard == self._told_of:
            return
        last = datetime.fromtimestamp(heard / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        row = {
            "mailbox": self._options.mailbox,
            "silent_since": last,
            "silent_after_h": self._options.silent_after_h,
            "remedy": "see whether the detectors still send, and whether the mailbox can be read",
        }
        group = {
            "subject": f"No mail in {self._options.mailbox} since {last}",
            "data": [row],
            "tag": ["silence"],
            "source": [HUB],
        }
        message = Message(
            source=HUB,
            sender=self._options.mailbox,
            idempotency_key=f"silent since {heard}",
            body=msgspec.json.encode(group),
            media_type="application/json",
            received=time.time_ns() // 1000,
        )
        self._desk.accept(message)
        self._told_of = heard
