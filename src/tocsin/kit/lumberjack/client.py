"""Keeps a connection to a server that speaks Lumberjack, for as long as the server does."""

import ssl
from collections.abc import Sequence

from tocsin.kit.http import Certificate, trusting
from tocsin.kit.lumberjack.line import Line, Unacknowledged
from tocsin.kit.lumberjack.options import LumberjackOptions


class Lumberjack:
    """One server. For one thread."""

    def __init__(self, options: LumberjackOptions) -> None:
        self._options = options
        self._line: Line | None = None

    def send(self, documents: Sequence[bytes]) -> None:
        """Hand over JSON objects as one window; on return the server has acknowledged them all.

        A kept connection that the server closed in the meantime, as it does with idle ones, is made anew once.
        Raises Unacknowledged, which says how many were taken, or Unavailable: it cannot be reached.
        """
        if not documents:
            return
        if self._line is not None and self._line.stale():
            self.close()
        if self._line is not None:
            try:
                self._line.hand_over(documents)
            except Unacknowledged as fault:
                self.close()
                if fault.acknowledged or not fault.dropped:
                    raise
            else:
                return
        self._line = self._connected()
        try:
            self._line.hand_over(documents)
        except Unacknowledged:
            self.close()
            raise

    def check(self) -> str:
        """Connect, and say in one line how; raises Unavailable."""
        line = self._connected()
        try:
            how = line.listen()
        finally:
            line.close()
        return f"{line.where} takes connections ({how}); whether it takes documents shows with the first"

    def close(self) -> None:
        """Hang up; the next window connects again."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _connected(self) -> Line:
        return Line(self._options, self._context() if self._options.tls else None)

    def _context(self) -> ssl.SSLContext:
        """Read afresh for every connection, since certificates are renewed. Raises Unavailable."""
        chosen, locked = self._options.client_cert, self._options.client_key_password
        password = "" if locked is None else locked.get_secret_value()
        shown = None if chosen is None else Certificate(chosen, self._options.client_key, password)
        return trusting(self._options.ca_file, shown)
