"""One connection: what was read is stored before more is read."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from threading import Event

import structlog

from tocsin.formats.syslog import Frame, Frames

log = structlog.get_logger()

PIECE = 262_144
LOOK_S = 0.5
HANDSHAKE_S = 30
HandOver = Callable[[Sequence[Frame], str], bool]


class Stream:
    """Reads a connection to its end, or until `stop`."""

    def __init__(
        self,
        peer: socket.socket,
        sender: str,
        longest: int,
        context: ssl.SSLContext | None,
        stop: Event,
        hand_over: HandOver,
    ) -> None:
        self._peer, self._sender, self._context = peer, sender, context
        self._frames = Frames(longest)
        self._stop, self._hand_over = stop, hand_over

    def run(self) -> None:
        """Return when it is over."""
        try:
            with contextlib.closing(self._protected()) as peer:
                self._read(peer)
        except OSError as error:
            log.info("a syslog connection broke", sender=self._sender, reason=error.strerror or str(error))
            self._hand_over(self._frames.end(), self._sender)

    def _protected(self) -> socket.socket:
        self._peer.settimeout(HANDSHAKE_S)
        self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        try:
            peer = self._context.wrap_socket(self._peer, server_side=True) if self._context else self._peer
        except OSError:
            self._peer.close()
            raise
        peer.settimeout(LOOK_S)
        return peer

    def _read(self, peer: socket.socket) -> None:
        while not self._stop.is_set():
            try:
                piece = peer.recv(PIECE)
            except TimeoutError:
                continue
            if not piece:
                self._hand_over(self._frames.end(), self._sender)
                return
            if not self._hand_over(self._frames.feed(piece), self._sender):
                return
