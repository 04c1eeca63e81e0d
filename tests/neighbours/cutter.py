"""A line that is cut: passes bytes on to a port of this machine, and breaks connections as it is told."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Cutter:
    """Listens on `port`. `after` are the numbers of bytes after which the next connections are cut, one each.

    `at` cuts every connection over which these bytes come from the server.
    """

    def __init__(self, target: int) -> None:
        self.after: list[int] = []
        self.at = b""
        self.cuts = 0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(near,), daemon=True).start()

    def _pass(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as far:
            most = self.after.pop(0) if self.after else None
            back = threading.Thread(target=_copy, args=(near, far), daemon=True)
            back.start()
            try:
                self._forward(far, near, most)
            finally:
                for line in (near, far):
                    with contextlib.suppress(OSError):
                        line.shutdown(socket.SHUT_RDWR)
                back.join()

    def _forward(self, far: socket.socket, near: socket.socket, most: int | None) -> None:
        passed, tail = 0, b""
        while piece := far.recv(16384):
            tail = tail[-len(self.at) :] + piece
            if (most is not None and passed + len(piece) > most) or (self.at and self.at in tail):
                self.cuts += 1
                return
            near.sendall(piece)
            passed += len(piece)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(16384):
            target.sendall(piece)


@contextlib.contextmanager
def cutting(target: int) -> Iterator[Cutter]:
    """A line to a port, for as long as the context lasts."""
    cutter = Cutter(target)
    try:
        yield cutter
    finally:
        cutter.close()
