"""One connection to a server that speaks Lumberjack."""

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Sequence

from tocsin.errors import Unavailable
from tocsin.kit.http import Untrusted
from tocsin.kit.lumberjack import frames
from tocsin.kit.lumberjack.options import LumberjackOptions

PIECE = 2**18
"""Bytes handed over at once, so that a slow server shows as slow and not as silent."""
LISTEN_S = 1.0
"""How long a check waits for a server to hang up."""


class Unacknowledged(Unavailable):
    """Not all documents of a window were taken for certain: the first `acknowledged` were.

    `dropped`: the server ended the connection, which is also how it refuses a document.
    """

    def __init__(self, reason: str, acknowledged: int = 0, *, dropped: bool = False) -> None:
        super().__init__(reason)
        self.acknowledged = acknowledged
        self.dropped = dropped


class Line:
    """Connects when it is made. Raises Unavailable, saying why it cannot."""

    def __init__(self, options: LumberjackOptions, context: ssl.SSLContext | None) -> None:
        self._options = options
        self.where = f"[{options.host}]:{options.port}" if ":" in options.host else f"{options.host}:{options.port}"
        try:
            plain = socket.create_connection((options.host, options.port), options.timeout_s)
        except TimeoutError:
            raise Unavailable(f"{self.where} did not accept a connection within {options.timeout_s:g} s") from None
        except socket.gaierror as error:
            raise Unavailable(f"{self.where} cannot be reached: there is no address for that name ({error})") from None
        except (OSError, UnicodeError) as error:
            raise Unavailable(f"{self.where} cannot be reached: {getattr(error, 'strerror', '') or error}") from None
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket: socket.socket = plain if context is None else self._behind_tls(plain, context)

    def hand_over(self, documents: Sequence[bytes]) -> None:
        """Send one window and wait until all of it is acknowledged. Raises Unacknowledged."""
        taken, text = 0, memoryview(frames.window(documents, self._options.compression))
        try:
            for start in range(0, len(text), PIECE):
                self._socket.sendall(text[start : start + PIECE])
            until = time.monotonic() + self._options.blocked_s
            while taken < len(documents):
                number = self._answer()
                if number > len(documents):
                    raise Unacknowledged(f"{self.where} acknowledges {number} of {len(documents)} documents", taken)
                if number > taken:
                    taken, until = number, time.monotonic() + self._options.blocked_s
                elif time.monotonic() > until:
                    raise Unacknowledged(
                        f"{self.where} says that it is busy, for {self._options.blocked_s:g} s now", taken
                    )
        except TimeoutError:
            raise Unacknowledged(f"{self.where} said nothing for {self._options.timeout_s:g} s", taken) from None
        except (ssl.SSLEOFError, ConnectionError):
            raise Unacknowledged(f"{self.where} dropped the connection", taken, dropped=True) from None
        except ssl.SSLError as error:
            raise Unacknowledged(f"{self.where} ended TLS: {_reason(error)}", taken) from None
        except OSError as error:
            raise Unacknowledged(f"the line to {self.where} broke: {error.strerror or error}", taken) from None

    def stale(self) -> bool:
        """Whether it said something unasked, or hung up: then an answer might be that of an earlier window."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def listen(self) -> str:
        """Make sure that it does not hang up at once; how it is spoken to. Raises Unavailable."""
        self._socket.settimeout(LISTEN_S)
        try:
            said = self._socket.recv(1)
        except TimeoutError:
            return (self._socket.version() or "TLS") if isinstance(self._socket, ssl.SSLSocket) else "without TLS"
        except ssl.SSLError as error:
            raise Unavailable(f"{self.where} ended TLS: {_reason(error)}") from None
        except OSError as error:
            raise Unavailable(f"{self.where} dropped the connection at once: {error.strerror or error}") from None
        wrong = "spoke first, so it is no Beats input" if said else "dropped the connection at once"
        raise Unavailable(f"{self.where} {wrong}")

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def _answer(self) -> int:
        frame = b""
        while len(frame) < frames.ACK_LENGTH:
            part = self._socket.recv(frames.ACK_LENGTH - len(frame))
            if not part:
                raise ConnectionAbortedError
            frame += part
        number = frames.acknowledged(frame)
        if number is None:
            raise Unacknowledged(
                f"{self.where} does not speak Lumberjack v2: is it a Beats input, and with TLS or not?"
            )
        return number

    def _behind_tls(self, plain: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        try:
            return context.wrap_socket(plain, server_hostname=self._options.host)
        except ssl.SSLCertVerificationError as error:
            plain.close()
            raise Untrusted(f"the certificate of {self.where} is not trusted: {error.verify_message}") from None
        except TimeoutError:
            plain.close()
            raise Unavailable(f"{self.where} said nothing of TLS for {self._options.timeout_s:g} s") from None
        except OSError as error:  # ssl.SSLError is one
            plain.close()
            why = _reason(error) if isinstance(error, ssl.SSLError) else error.strerror or str(error)
            raise Unavailable(f"{self.where} does not speak TLS as expected: {why}") from None


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or "no reason given").replace("_", " ").lower()
