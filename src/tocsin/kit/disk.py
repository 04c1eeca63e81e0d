"""Files that outlive crashes: reading, writing, locking, syncing, and the remedies for what the system says."""

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
from pathlib import Path

from tocsin.errors import Unavailable

SEALED = 1024
"""So many bytes before the offset are sealed."""

REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space on it",
    errno.EDQUOT: "the disk quota is used up: raise it, or remove files",
    errno.EFBIG: "the file is as large as it may get: rotate it",
    errno.EROFS: "the file system is mounted read-only: mount it for writing",
    errno.EACCES: "permission denied: let the user that runs Tocsin write the file and its folder",
    errno.EPERM: "not permitted: let the user that runs Tocsin write the file and its folder",
    errno.EISDIR: "it is a folder: remove it, or choose another path",
    errno.ENOENT: "its folder does not exist: create it, or choose another path",
    errno.ENOTDIR: "a part of the path is not a folder: choose another path",
    errno.EIO: "the disk reports an error: look at the system's log, and at the disk",
    errno.ELOOP: "its links lead in a circle: choose another path",
}


def seal(file: int, offset: int) -> str:
    """A digest of the bytes before an offset; of what is there, if the file is shorter."""
    begin = max(0, offset - SEALED)
    return hashlib.blake2b(read(file, offset - begin, begin), digest_size=8).hexdigest()


def read(file: int, size: int, offset: int) -> bytes:
    """So many bytes from there; fewer, if the file ends before."""
    parts = []
    while size > 0 and (part := os.pread(file, size, offset)):
        parts.append(part)
        size -= len(part)
        offset += len(part)
    return b"".join(parts)


def write_all(file: int, text: bytes, offset: int) -> None:
    """Write there, however often the system takes only a part."""
    rest = memoryview(text)
    while rest:
        written = os.pwrite(file, rest, offset)
        rest = rest[written:]
        offset += written


def cut(file: int, offset: int) -> None:
    """Make the file end there, on disk."""
    if os.fstat(file).st_size > offset:
        os.ftruncate(file, offset)
        os.fsync(file)


def lock(file: int) -> None:
    """Be the one writer of an open file, for as long as it is open. Raises OSError: somebody else is."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(errno.EBUSY, "another destination or program writes it: give each a file of its own") from None
    except OSError as error:
        # Some network file systems have no locks; the promise of one writer is the operator's there.
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP):
            raise


def refuse_others(status: os.stat_result) -> None:
    """Raises OSError for what is no ordinary file."""
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is a device or pipe: lines are kept in ordinary files only")


def ask(path: Path, mode: int) -> None:
    """Raises OSError where the path does not permit `mode`, as `os.access` takes it."""
    path.stat()  # says more than access does
    if not os.access(path, mode):
        raise PermissionError(errno.EACCES, "")


def sync_folder(folder: Path) -> None:
    """Bring names that were made or changed in a folder to disk."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # some file systems cannot sync a folder
            os.fsync(file)
    finally:
        os.close(file)


def unavailable(path: Path, error: OSError) -> Unavailable:
    """What is wrong with a file, and what to do about it."""
    why = REMEDIES.get(error.errno or 0) or error.strerror or type(error).__name__
    return Unavailable(f"cannot write {path}: {why}")
