"""An append-only file of lines that holds each owed line exactly once, whatever dies in between.

The cursor names the place behind the last settled line: device, inode, offset, and a seal, which is a digest of the
bytes before that offset. It is stored in the same transaction that settles the deliveries, so after a crash:

- what the file holds behind the cursor's offset is our own unsettled tail. If it is what has to be written now, or its
  beginning, writing goes on behind it and the file never shrinks; otherwise it is cut off first.
- if the path has another inode (rotated by rename), the renamed file is looked for in the same folder, its unsettled
  tail is cut off, and the new file is begun. If the seal does not fit (copied and truncated, replaced), writing goes on
  at the end of what is there, on a new line.
- such a new beginning is no place the stored cursor knows. So before anything is written there, it is noted in a small
  file beside it (`.NAME.place`: the cursor, then the place where it goes on); the note counts for that cursor alone.

One writer for one file: it is locked (flock) as long as it is open. Readers may follow, rename or remove it. Programs
that copy and truncate it (logrotate's `copytruncate`) may lose or double lines between their two steps, as they always
do; and a renamed file that was compressed before we came back keeps its unsettled tail.
"""

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from tocsin.errors import DeliveryError, Rejected, Unavailable
from tocsin.kit.disk import ask, cut, lock, read, refuse_others, seal, sync_folder, unavailable, write_all
from tocsin.model import Delivery, Receipt, Sent


class Place(NamedTuple):
    """Behind a line: `device:inode:offset:seal`."""

    device: int
    inode: int
    offset: int
    seal: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The place a cursor names; None for an empty or foreign text."""
        parts = text.split(":")
        if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts[:3]):
            return None
        return cls(int(parts[0]), int(parts[1]), int(parts[2]), parts[3])

    @classmethod
    def at(cls, file: int, offset: int) -> Self:
        """The place at an offset of an open file."""
        status = os.fstat(file)
        return cls(status.st_dev, status.st_ino, offset, seal(file, offset))

    def __str__(self) -> str:
        return ":".join(map(str, self))

    def fits(self, file: int) -> bool:
        """Whether the open file is the one meant: its inode, and the bytes before the offset.

        Device numbers change with mounts and containers, so they do not count.
        """
        return os.fstat(file).st_ino == self.inode and seal(file, self.offset) == self.seal


class LineFile:
    """One file of lines and where it stands. Not for several threads at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._note = path.with_name(f".{path.name}.place")
        self._noted: tuple[str, Place] | None = None
        self._note_was_read = False
        self._file = -1
        self._last = ""
        self._distrusted = False

    def deliver(self, deliveries: Sequence[Delivery], cursor: str | None, render: Callable[[Delivery], bytes]) -> Sent:
        """Append the lines of a batch and sync them: an outcome for each delivery, and the next cursor.

        A delivery that cannot be rendered (ValueError) is Rejected alone; a file that cannot be written is Unavailable
        for all, with the cursor unchanged. Receipts name the file and the byte at which the group's lines begin.
        """
        rejected: dict[int, Rejected] = {}
        sizes: dict[int, int] = {}

        def texts() -> Iterable[bytes]:
            for number, delivery in enumerate(deliveries):
                try:
                    text = render(delivery)
                except ValueError as error:
                    rejected[number] = Rejected(f"alertgroup {delivery.alertgroup.id} cannot be written: {error}")
                    continue
                sizes[number] = len(text)
                yield text

        try:
            begin, cursor = self.append(texts(), cursor)
        except Unavailable as error:
            return Sent([error] * len(deliveries), cursor or "")
        outcomes: list[Receipt | DeliveryError] = []
        for number in range(len(deliveries)):
            if number in rejected:
                outcomes.append(rejected[number])
                continue
            outcomes.append(Receipt(remote_id=f"{self.path.name}:{begin}", status="written"))
            begin += sizes[number]
        return Sent(outcomes, cursor)

    def deliver_one(self, delivery: Delivery, render: Callable[[Delivery], bytes]) -> Receipt:
        """As `deliver`, for one delivery without a cursor. Raises Rejected or Unavailable."""
        (outcome,) = self.deliver([delivery], None, render).outcomes
        if isinstance(outcome, DeliveryError):
            raise outcome
        return outcome

    def append(self, texts: Iterable[bytes], cursor: str | None) -> tuple[int, str]:
        """Write whole lines behind the cursor, sync them, and say at which byte they begin and the next cursor.

        `cursor` is what the last settled append returned, "" if there was none. None stands for the place where this
        object stopped last, or the file's end: for callers without a store, who are promised no more than order.

        Raises:
            Unavailable: the file cannot be written now; the text says what to mend. Call again with the same cursor.
        """
        try:
            begin = self._whole(self._stand(cursor))
            end = self._write(texts, begin)
            place = Place.at(self._file, end)
        except OSError as error:
            self.close()
            raise unavailable(self.path, error) from error
        self._distrusted = False
        self._last = str(place)
        return begin, self._last

    def check(self) -> str:
        """Say in one line that the file can be written, without touching it. Raises Unavailable."""
        folder = self.path.parent
        try:
            size = self._size()
            ask(folder, os.W_OK | os.X_OK)
            space = os.statvfs(folder)
            if space.f_flag & os.ST_RDONLY:
                raise OSError(errno.EROFS, "")
        except OSError as error:
            raise unavailable(self.path, error) from error
        return f"{self.path} can be written: {size} bytes, {space.f_bavail * space.f_frsize} free on its disk"

    def close(self) -> None:
        """Let go of the file and its lock."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        self.close()

    def _size(self) -> int:
        """The file's size, 0 if there is none. Raises OSError for one that cannot be read and written."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return 0
        refuse_others(status)
        ask(self.path, os.R_OK | os.W_OK)
        return status.st_size

    def _stand(self, cursor: str | None) -> int:
        """Open what stands at the path now; the offset at which to write."""
        known = self._known(cursor)
        if self._file >= 0 and not self._is_at_path():
            if known is not None and known.fits(self._file):
                cut(self._file, known.offset)
                known = None
            self.close()
        if self._file < 0:
            self._open()
        if known is not None:
            if known.fits(self._file):
                return known.offset
            if known.inode != os.fstat(self._file).st_ino:
                self._cut_renamed(known)
        place = Place.at(self._file, os.fstat(self._file).st_size)
        if cursor is not None:
            self._remember(cursor, place)
        return place.offset

    def _known(self, cursor: str | None) -> Place | None:
        """Where writing goes on for this cursor: as noted beside the file, or as the cursor itself says."""
        if cursor is None:
            return Place.parse(self._last)
        if not self._note_was_read:
            self._noted = self._read_note()
            self._note_was_read = True
        if self._noted is not None:
            if self._noted[0] == cursor:
                return self._noted[1]
            self._noted = None
            self._note.unlink(missing_ok=True)
        return Place.parse(cursor)

    def _is_at_path(self) -> bool:
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(self._file))

    def _open(self) -> None:
        new = not self.path.exists()
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o640)
        try:
            refuse_others(os.fstat(file))
            lock(file)
            if new:
                sync_folder(self.path.parent)
        except BaseException:
            os.close(file)
            raise
        self._file = file

    def _cut_renamed(self, known: Place) -> None:
        """Cut the unsettled tail off the file that stood at the path before, if it is still in the folder."""
        with os.scandir(self.path.parent) as entries:
            here = [
                each.path for each in entries if each.inode() == known.inode and each.is_file(follow_symlinks=False)
            ]
        for path in here:
            if Path(path).stat().st_size <= known.offset:
                continue
            file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if known.fits(file):
                    cut(file, known.offset)
            finally:
                os.close(file)

    def _whole(self, begin: int) -> int:
        """End the line before `begin`, if somebody left it torn; the offset behind it."""
        if begin == 0 or os.pread(self._file, 1, begin - 1) == b"\n":
            return begin
        if os.pread(self._file, 1, begin) != b"\n":
            os.ftruncate(self._file, begin)
            write_all(self._file, b"\n", begin)
        return begin + 1

    def _write(self, texts: Iterable[bytes], begin: int) -> int:
        """Write behind `begin`, over what is already there and the same; the offset behind the last line."""
        file = self._file
        size = os.fstat(file).st_size
        if self._distrusted and size > begin:
            # A failed fsync may have dropped pages that still read as written: only writing again makes sure.
            os.ftruncate(file, begin)
            size = begin
        end = begin
        for text in texts:
            there = min(max(size - end, 0), len(text))
            if there and read(file, there, end) != text[:there]:
                os.ftruncate(file, end)
                size, there = end, 0
            write_all(file, text[there:], end + there)
            end += len(text)
        try:
            os.fsync(file)
        except OSError:
            self._distrusted = True
            raise
        return end

    def _read_note(self) -> tuple[str, Place] | None:
        try:
            cursor, text = self._note.read_text("utf-8").split("\n")
        except (FileNotFoundError, ValueError):
            return None
        place = Place.parse(text)
        return None if place is None else (cursor, place)

    def _remember(self, cursor: str, place: Place) -> None:
        """Note on disk where writing goes on for a cursor that does not say so itself."""
        fresh = self._note.with_name(f"{self._note.name}.new")
        with fresh.open("w", encoding="utf-8") as note:
            note.write(f"{cursor}\n{place}")
            note.flush()
            os.fsync(note.fileno())
        fresh.replace(self._note)
        sync_folder(self.path.parent)
        self._noted = (cursor, place)
