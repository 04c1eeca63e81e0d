"""How far files were read. Stored as the source's cursor, in one transaction with what was read."""

import hashlib
import os

import msgspec

HEAD = 1024
"""So many of a file's first bytes, or as many as were read, tell it from others that get its inode after it."""
MOST_DONE = 100
"""So many finished files of one path are remembered; older ones are told by their time of change."""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Behind the last byte that is stored. `changed`: the file's mtime (ns) when it was read last.

    `inside` a line that is too long: its beginning is stored. Device numbers change with mounts and containers, and
    the files of one path lie in one folder: they are kept for the reader of a cursor, and do not count.
    """

    device: int
    inode: int
    offset: int = 0
    known: int = 0
    head: str = ""
    changed: int = 0
    inside: bool = False

    @classmethod
    def at(cls, file: int, offset: int, *, inside: bool = False) -> "Place":
        """The place at an offset of an open file."""
        status, known = os.fstat(file), min(offset, HEAD)
        return cls(status.st_dev, status.st_ino, offset, known, digest(file, known), status.st_mtime_ns, inside)

    def begins(self, file: int) -> bool:
        """Whether the open file begins as this one did."""
        return digest(file, self.known) == self.head

    def fits(self, file: int) -> bool:
        """Whether the open file is this one, and holds at least what was read of it."""
        status = os.fstat(file)
        return status.st_ino == self.inode and status.st_size >= self.offset and self.begins(file)


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of one path: where reading goes on, and the files that were finished before."""

    at: Place
    done: tuple[Place, ...] = ()

    def finished(self, file: int) -> Place | None:
        """What is remembered of an open file that was read before; the last of it."""
        return next((place for place in reversed(self.done) if place.fits(file)), None)

    def then(self, at: Place) -> "Mark":
        """The next file after this one."""
        return Mark(at, (*self.done, self.at)[-MOST_DONE:])


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """All files by path, and the options' paths that were looked for once: what appears later is new."""

    files: dict[str, Mark] = {}
    begun: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Cursor":
        """From the stored text; an empty one at first. Raises msgspec.DecodeError for one that is none of ours."""
        return msgspec.json.decode(text, type=cls) if text else cls()

    def text(self) -> str:
        """As it is stored."""
        return msgspec.json.encode(self).decode()


def digest(file: int, known: int) -> str:
    """Of so many first bytes of an open file; of none it is empty."""
    first = os.pread(file, known, 0) if known else b""
    return hashlib.blake2b(first, digest_size=12).hexdigest() if first else ""
