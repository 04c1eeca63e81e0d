"""One connection to a syslog server, which never says that it took anything."""

import array
import contextlib
import fcntl
import select
import socket
import ssl
import termios
import time

from tocsin.errors import Unavailable
from tocsin.kit.http import Untrusted

LOOK_S = 0.005


class Line:
    """Connects when it is made. Raises Unavailable, saying why it cannot."""

    def __init__(self, host: str, port: int, timeout_s: float, context: ssl.SSLContext | None) -> None:
        self.where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._timeout_s = timeout_s
        try:
            plain = socket.create_connection((host, port), timeout_s)
        except (OSError, UnicodeError) as error:
            why = "no answer in time" if isinstance(error, TimeoutError) else getattr(error, "strerror", "") or error
            raise Unavailable(f"{self.where} cannot be reached: {why}") from None
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket: socket.socket = plain
        if context is not None:
            self._socket = self._behind_tls(plain, host, context)

    def send(self, frames: bytes) -> None:
        """On return the peer's TCP has acknowledged every byte, and the peer has not hung up. Raises Unavailable."""
        until = time.monotonic() + self._timeout_s
        try:
            self._socket.sendall(frames)
            while self._unacknowledged():
                if time.monotonic() > until:
                    raise Unavailable(f"{self.where} took not all within {self._timeout_s:g} s")
                if self.is_closed():
                    break
                time.sleep(LOOK_S)
        except TimeoutError:
            raise Unavailable(f"{self.where} took nothing for {self._timeout_s:g} s") from None
        except OSError as error:
            raise Unavailable(f"the line to {self.where} broke: {error.strerror or error}") from None
        if self.is_closed():
            raise Unavailable(f"{self.where} hung up; whether it took the records is not known")

    def is_closed(self) -> bool:
        """Whether the peer hung up. What it says is read and means nothing."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | select.POLLRDHUP)
        while found := poll.poll(0):
            if found[0][1] & (select.POLLHUP | select.POLLERR | select.POLLRDHUP):
                return True
            self._socket.settimeout(0)
            try:
                if not self._socket.recv(4096):
                    return True
            except (BlockingIOError, ssl.SSLWantReadError):
                return False  # a part of a TLS record, such as a session ticket
            except OSError:
                return True
            finally:
                self._socket.settimeout(self._timeout_s)
        return False

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def _unacknowledged(self) -> int:
        """Bytes that the peer's TCP has not acknowledged (SIOCOUTQ, tcp(7))."""
        waiting = array.array("i", [0])
        fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, waiting)
        return waiting[0]

    def _behind_tls(self, plain: socket.socket, host: str, context: ssl.SSLContext) -> ssl.SSLSocket:
        try:
            return context.wrap_socket(plain, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            plain.close()
            raise Untrusted(f"the certificate of {self.where} is not trusted: {error.verify_message}") from None
        except OSError as error:
            plain.close()
            why = getattr(error, "reason", "") or error.strerror or str(error)
            raise Unavailable(f"{self.where} does not speak TLS as expected: {why}") from None
