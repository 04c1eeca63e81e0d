"""A JSON document that grows by items in a list, of which whoever opens it finds a whole one, at any moment.

JSON cannot be appended to in place: while its end is written over, it has none. So there are two copies that share
their beginning, the one under the path and a hidden one (`.NAME.next`). New items are written to the hidden one, behind
what it lacks of the other; it is synced, and takes the other's place by a rename, which is atomic. The other is hidden
in its turn, until the next time. Each item is written twice, and nothing else again: an append costs what is new,
however long the document is. The price is its space, twice.

A reader who opened the document before the rename goes on reading what it was. So before a hidden copy is written to,
the kernel is asked whether somebody still has it open (a lease, fcntl(2)). If so, or if the file system knows no
leases or no hard links, the copy is left to the readers, and another one is made of the whole document. That is also
done once after each start.

What died in the middle leaves the document before or after, never one between. The cursor names the place behind the
last settled item: `offset:seal:name`, where the seal is a digest of the bytes before the offset. It is stored in the
same transaction that settles the deliveries; what stands behind it in the document is an unsettled tail, which the
next append replaces. A document that is not there is begun, one that the cursor does not know is moved aside to
`NAME.1` (`.2`, …) first, and where a new one begins is noted beside it before anything is written
(`.NAME.place`: the cursor, then the place where it goes on), for that cursor alone.

One writer for one document: it is locked (flock) as long as it is open.
"""

import contextlib
import errno
import fcntl
import os
import signal
import stat
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from tocsin.kit.disk import ask, lock, read, refuse_others, seal, sync_folder, unavailable, write_all

HEAD = '{"type":"bundle","id":"bundle--%s","objects":[\n'
BETWEEN = b",\n"
TAIL = b"\n]}\n"
BEGINNING = 16384
PIECE = 1 << 20


class Place(NamedTuple):
    """Behind an item of a document: `offset:seal:name`."""

    offset: int
    seal: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The place a cursor names; None for an empty or foreign text."""
        offset, _, rest = text.partition(":")
        digest, _, name = rest.partition(":")
        if not (offset.isascii() and offset.isdigit() and digest and name) or "/" in name:
            return None
        return cls(int(offset), digest, name)

    def __str__(self) -> str:
        return ":".join(map(str, self))

    def fits(self, file: int) -> bool:
        """Whether the open file goes as far, and has these bytes before the offset."""
        return os.fstat(file).st_size >= self.offset and seal(file, self.offset) == self.seal


class BundleFile:
    """One document and where it stands. Not for several threads at once."""

    def __init__(self, path: Path, note: Path | None = None) -> None:
        """The document under `path`. Those that follow one another under several paths share a `note`."""
        self.path = path
        self.beginning = b""
        """The first 16 KiB of what is settled, from the moment an append asks for its items."""
        self._note = note or path.with_name(f".{path.name}.place")
        self._next = path.with_name(f".{path.name}.next")
        self._before = path.with_name(f".{path.name}.before")
        self._file = self._spare = -1
        self._common = 0
        """So many bytes at their beginning the document and its spare copy have in common."""
        self._last = ""

    def append(self, items: Iterable[bytes], cursor: str | None, first: Sequence[bytes] = ()) -> tuple[list[int], str]:
        """Put items behind the cursor, and say at which bytes they begin and the next cursor.

        Args:
            items: JSON texts, each one value or several with `BETWEEN` between them; empty ones are passed by.
            cursor: what the last settled append returned, "" if there was none. None stands for the place where this
                object stopped last, or the document's end: for callers without a store.
            first: JSON texts that stand at the beginning of a document that has to be begun.

        Raises:
            Unavailable: it cannot be written now; the text says what to mend. Call again with the same cursor.
        """
        try:
            begin = self._stand(cursor, first)
            self.beginning = read(self._file, min(BEGINNING, begin), 0)
            text, places = bytearray(), []
            is_first = read(self._file, 2, begin - 2) == b"[\n"
            for item in items:
                text += b"" if not item or (is_first and not text) else BETWEEN
                places.append(begin + len(text))
                text += item
            self._publish(begin, bytes(text))
            self._last = str(Place(end := begin + len(text), seal(self._file, end), self.path.name))
        except OSError as error:
            self.close()
            raise unavailable(self.path, error) from error
        return places, self._last

    def check(self) -> str:
        """Say in one line that the document can be written, without touching it. Raises Unavailable."""
        folder = self.path.parent
        try:
            size = 0
            with contextlib.suppress(FileNotFoundError):
                status = self.path.stat()
                refuse_others(status)
                ask(self.path, os.R_OK | os.W_OK)
                size = status.st_size
            ask(folder, os.W_OK | os.X_OK)
            space = os.statvfs(folder)
            if space.f_flag & os.ST_RDONLY:
                raise OSError(errno.EROFS, "")
        except OSError as error:
            raise unavailable(self.path, error) from error
        return f"{self.path} can be written: {size} bytes, {space.f_bavail * space.f_frsize} free on its disk"

    def close(self) -> None:
        """Let go of the document and its lock; the spare copy is removed."""
        if self._spare >= 0:
            with contextlib.suppress(OSError):
                self._next.unlink(missing_ok=True)
            os.close(self._spare)
        if self._file >= 0:
            os.close(self._file)
        self._file = self._spare = -1

    def __del__(self) -> None:
        self.close()

    def _stand(self, cursor: str | None, first: Sequence[bytes]) -> int:
        """Open what stands at the path, or begin it; the offset at which to write."""
        known = self._known(cursor)
        if known is not None and known.name != self.path.name:
            BundleFile(self.path.with_name(known.name), self._note).end_at(known)
            known = None
        if self._file >= 0 and not self._is_at_path():
            self.close()
        if self._file < 0:
            self._open()
        if self._file >= 0:
            if known is not None and known.fits(self._file):
                return known.offset
            if cursor is None and (end := self._end()):
                return end
            self._move_aside()
        return self._begin(cursor, first)

    def _known(self, cursor: str | None) -> Place | None:
        """Where writing goes on for this cursor: as noted beside the document, or as the cursor itself says."""
        if cursor is None:
            return Place.parse(self._last)
        try:
            whose, text = self._note.read_text("utf-8").split("\n")
        except (FileNotFoundError, ValueError):
            return Place.parse(cursor)
        if whose == cursor:
            return Place.parse(text)
        self._note.unlink()
        return Place.parse(cursor)

    def _is_at_path(self) -> bool:
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def _open(self) -> None:
        """Open and lock the document, if there is one, and remove what a crash left beside it."""
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            file = -1
        self._file = file
        if file >= 0:
            refuse_others(os.fstat(file))
            lock(file)
        for left in (self._next, self._before):
            left.unlink(missing_ok=True)

    def _end(self) -> int:
        """Behind the last item of an open document that ends as ours do; 0 for any other."""
        end = os.fstat(self._file).st_size - len(TAIL)
        return end if end > 0 and read(self._file, len(TAIL), end) == TAIL else 0

    def end_at(self, place: Place) -> None:
        """Take what stands behind the place off the document, if it is the one meant, and close it. Raises OSError."""
        try:
            self._open()
            if self._file >= 0 and place.fits(self._file):
                self._publish(place.offset, b"")
        finally:
            self.close()

    def _move_aside(self) -> None:
        """Give a document that we do not know another name."""
        self.close()
        numbers = (self.path.with_name(f"{self.path.name}.{number}") for number in range(1, 10**9))
        self.path.rename(next(path for path in numbers if not path.exists()))
        sync_folder(self.path.parent)

    def _begin(self, cursor: str | None, first: Sequence[bytes]) -> int:
        """Put a new document under the path; the offset behind what it begins with."""
        text = (HEAD % uuid.uuid4()).encode() + BETWEEN.join(first)
        spare = self._fresh_spare()
        write_all(spare, text + TAIL, 0)
        os.fsync(spare)
        if cursor is not None:
            self._remember(cursor, Place(len(text), seal(spare, len(text)), self.path.name))
        self._swap()
        return len(text)

    def _publish(self, begin: int, text: bytes) -> None:
        """Make the document what it is up to `begin`, then `text` and the end."""
        ending = text + TAIL
        end = begin + len(ending)
        if os.fstat(self._file).st_size == end and read(self._file, len(ending), begin) == ending:
            return  # what a crash kept us from settling
        spare = self._spare
        if spare < 0 or self._common > begin or not nobody_reads(spare):
            spare = self._fresh_spare()
        while lacking := min(begin - self._common, PIECE):
            write_all(spare, read(self._file, lacking, self._common), self._common)
            self._common += lacking
        write_all(spare, ending, begin)
        os.ftruncate(spare, end)
        _same_rights(self._file, spare)
        os.fsync(spare)
        self._swap()

    def _fresh_spare(self) -> int:
        """An empty copy instead of the one there was."""
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1
        self._next.unlink(missing_ok=True)
        self._spare = os.open(self._next, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        lock(self._spare)
        self._common = 0
        return self._spare

    def _swap(self) -> None:
        """Let the spare copy be the document, and the document, if there is one, the spare copy."""
        kept = self._file >= 0 and self._keep()
        self._next.replace(self.path)
        self._file, self._spare = self._spare, self._file
        if kept:
            self._before.replace(self._next)
        elif self._spare >= 0:
            os.close(self._spare)
            self._spare = -1
        sync_folder(self.path.parent)

    def _keep(self) -> bool:
        """Give the document a second name; whether the file system can."""
        try:
            self._before.hardlink_to(self.path)
        except OSError as error:
            if error.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
                return False
            raise
        return True

    def _remember(self, cursor: str, place: Place) -> None:
        """Note on disk where writing goes on for a cursor that does not say so itself."""
        fresh = self._note.with_name(f"{self._note.name}.new")
        with fresh.open("w", encoding="utf-8") as note:
            note.write(f"{cursor}\n{place}")
            note.flush()
            os.fsync(note.fileno())
        fresh.replace(self._note)
        sync_folder(self.path.parent)


def nobody_reads(file: int) -> bool:
    """Whether an open file is open nowhere else, as far as the system can say."""
    try:
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # ignored by default; SIGIO would end the process
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError:
        return False
    return True


def _same_rights(of: int, to: int) -> None:
    """Let those read the one who may read the other."""
    wanted, there = os.fstat(of), os.fstat(to)
    if wanted.st_mode != there.st_mode:
        os.fchmod(to, stat.S_IMODE(wanted.st_mode))
    if (wanted.st_uid, wanted.st_gid) != (there.st_uid, there.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(to, wanted.st_uid, wanted.st_gid)
