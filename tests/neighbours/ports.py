"""Ports for neighbours that must be told theirs before they listen."""

import random
import socket

FIRST, END = 12_000, 32_000
"""Below those that the system hands to outgoing connections (from 32768 on), of which every test makes many: a port of
that range may be taken again by the time its neighbour listens. And above those that Chromium refuses."""

_chance = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A port of the loopback on which nothing listens now; each is given once."""
    while True:
        port = _chance.randrange(FIRST, END)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
