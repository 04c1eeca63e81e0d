"""`control.json`: how the commands of this machine find the running server of a data folder, and prove themselves.

The server holds a lock on the file for as long as it runs. A file that nobody holds is a leftover of a server that
was killed, and counts as none. Only the owner of the data folder can read the token in it.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

FILE_NAME = "control.json"
WRITING_S = 2.0


class Control(msgspec.Struct, frozen=True):
    """Where the server listens, the token that makes a caller its operator, and its certificate if it has one."""

    url: str
    token: str
    pid: int
    certificate: str = ""


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


@contextmanager
def announcing(data: Path) -> Iterator[Callable[[Control], None]]:
    """Hold the file while a server runs; call what is given once the server listens. Raises OSError."""
    path = data / FILE_NAME
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)

        def announce(control: Control) -> None:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, msgspec.json.encode(control), 0)

        yield announce
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


def running(data: Path) -> Control | None:
    """The server that runs on the data folder, if one does; waits a little for one that is just starting."""
    until = time.monotonic() + WRITING_S
    while True:
        try:
            descriptor = os.open(data / FILE_NAME, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if not _held(descriptor):
                return None
            return msgspec.json.decode(os.read(descriptor, 65536), type=Control)
        except msgspec.DecodeError:
            if time.monotonic() > until:
                return None
            time.sleep(0.05)
        finally:
            os.close(descriptor)


def _held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
