"""One path that is followed: which file holds what comes next, whatever was renamed, copied or truncated.

The file is known by its inode and its first bytes. It is left only when it was read to its end and its successor, the
new file at the path or one rotated away since, has something: whoever writes that has left the old one.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tocsin.kit.rotation import rotated
from tocsin.sources.follow.place import Mark, Place


class Gone(Exception):
    """The file was taken away while nobody looked; what came after the place is not here."""


class Trail:
    """One path. Keeps its file open, so that one that is renamed or removed can be finished."""

    def __init__(self, path: Path, mark: Mark) -> None:
        self.path, self.mark = path, mark
        self._file: int | None = None

    @property
    def at(self) -> Place:
        """Where reading goes on."""
        return self.mark.at

    def file(self) -> int:
        """The open file that holds what comes next. Raises Gone, OSError."""
        if self._file is None or not self.at.fits(self._file):
            self.close()
            self._file = self._found()
        return self._file

    def successor(self) -> Place | None:
        """The beginning of what is to be read after this file; None: nothing yet. Raises OSError."""
        if self.at.offset and inode(self.path) == self.at.inode:
            return None
        found: list[tuple[bool, int, int, Place]] = []
        for path in [self.path, *self._rotated()]:
            with opened(path) as file:
                if file is None:
                    continue
                status, before = os.fstat(file), self.mark.finished(file)
                start = before.offset if before else 0
                current = path == self.path
                since = current or status.st_mtime_ns >= self.at.changed
                if status.st_ino != self.at.inode and status.st_size > start and since:
                    place = before or msgspec.structs.replace(Place.at(file, 0), changed=status.st_mtime_ns)
                    found.append((current, status.st_mtime_ns, -_number(path.name), place))
        return min(found, key=lambda each: each[:3])[3] if found else None

    def is_after(self, next_: Place, file: int) -> bool:
        """Whether the open file, of which nothing was read, was cut since the next one was copied of it."""
        if self.at.offset or next_.inode == inode(self.path):
            return False
        status = os.fstat(file)
        return status.st_ino == inode(self.path) or next_.changed < status.st_mtime_ns

    def follow(self, next_: Place) -> None:
        """Go over to the next file. One of which nothing was read comes later, and is not finished."""
        self.close()
        self.mark = self.mark.then(next_) if self.at.offset else Mark(next_, self.mark.done)

    def is_over(self) -> bool:
        """Whether the file was removed, not renamed, and nothing stands at the path."""
        return self._file is not None and os.fstat(self._file).st_nlink == 0 and not self.path.exists()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def _found(self) -> int:
        """The file of the place, wherever it was renamed to; else a copy of it that was made before it was cut."""
        here = [path for path in (self.path, *self._siblings()) if inode(path) == self.at.inode]
        for path in here:
            with opened(path) as file:
                if file is not None and self.at.fits(file):
                    return os.dup(file)
        for path in self._rotated() if self.at.known else ():
            with opened(path) as file:
                if file is not None and self.at.begins(file):
                    # What was read after it was copied stands in no copy.
                    offset = min(self.at.offset, os.fstat(file).st_size)
                    self.mark = Mark(Place.at(file, offset, inside=self.at.inside), self.mark.done)
                    return os.dup(file)
        for path in here:
            with opened(path) as file:
                if file is not None and os.fstat(file).st_ino == self.at.inode:
                    # What was copied since it was read last comes before it.
                    at = msgspec.structs.replace(Place.at(file, 0), changed=self.at.changed)
                    self.mark = Mark(at, self.mark.done)
                    return os.dup(file)
        raise Gone

    def _rotated(self) -> list[Path]:
        pattern = rotated(self.path.name)
        return [path for path in self._siblings() if pattern.fullmatch(path.name)]

    def _siblings(self) -> list[Path]:
        return [Path(entry.path) for entry in os.scandir(self.path.parent)]


def first_sight(path: Path, *, at_end: bool, longest: int) -> Mark | None:
    """The mark of a path that is new; what was rotated before is not read. None: there is no such file. OSError."""
    with opened(path) as file:
        if file is None:
            return None
        at = _end(file, longest) if at_end else Place.at(file, 0)
    done = []
    pattern = rotated(path.name)
    for entry in os.scandir(path.parent):
        if pattern.fullmatch(entry.name):
            with contextlib.suppress(OSError), opened(Path(entry.path)) as old:
                if old is not None:
                    done.append(Place.at(old, os.fstat(old).st_size))
    return Mark(at, tuple(sorted(done, key=lambda place: place.changed))[-50:])


def _end(file: int, longest: int) -> Place:
    """Behind the last whole line."""
    size = os.fstat(file).st_size
    start = max(0, size - longest)
    last = os.pread(file, size - start, start).rfind(b"\n") + 1
    if last or not start:
        return Place.at(file, start + last)
    return Place.at(file, size, inside=True)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int | None]:
    """A regular file, open to be read; None: there is none. Raises OSError."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        yield file if stat.S_ISREG(os.fstat(file).st_mode) else None
    finally:
        os.close(file)


def _number(name: str) -> int:
    """Of eve.json.3 the 3: of files changed in one instant that of the highest number is the oldest."""
    last = name.rpartition(".")[2]
    return int(last) if last.isascii() and last.isdigit() and len(last) < 5 else 0


def inode(path: Path) -> int:
    """Of what stands at a path; 0: nothing that can be seen."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0
