"""A file cut into pieces of whole lines, while its uncompressed content is digested."""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from tocsin.errors import FlowsError
from tocsin.flows.catalogue import Malformed
from tocsin.flows.reading.reader import HEAD, Piece

if TYPE_CHECKING:
    from hashlib import _Hash

BLOCK = 4 << 20
PIECE = 64 << 20
MOST_LINES = 1_000_000
"""Of a piece, give or take a block's: short lines take more memory than their bytes."""
LONGEST = 16 << 20
"""A line that is longer is kept aside."""
SHOWN = 2_000
"""So many characters are kept of a line that could not be read."""
SUFFIX = ".lines"
HEAD_DIGESTED = 4096
"""Contents that begin otherwise need not be compared."""
_GZIP = b"\x1f\x8b"


class Known(NamedTuple):
    """A file's content up to a place: its size in uncompressed bytes, its line feeds, its digest, its beginning."""

    size: int
    lines: int
    hasher: "_Hash"
    head: bytes = b""

    @classmethod
    def nothing(cls) -> Self:
        """Of a file that is not read yet."""
        return cls(0, 0, hashlib.sha256())

    def then(self, content: bytes) -> Self:
        """With more of it."""
        hasher = self.hasher.copy()
        hasher.update(content)
        head = self.head + content[: HEAD_DIGESTED - len(self.head)]
        return self._replace(
            size=self.size + len(content), lines=self.lines + content.count(b"\n"), hasher=hasher, head=head
        )


class Content:
    """The uncompressed content of a file, for `with`; `told` hears of bytes read from the file itself.

    Raises FlowsError for a compressed file that is broken or not written to its end, OSError.
    """

    def __init__(self, file: Path, told: Callable[[int], None] | None = None) -> None:
        self.file, self._told, self._at, self._back = file, told, 0, b""
        self._raw = file.open("rb")
        self.compressed = self._raw.peek(2)[:2] == _GZIP  # also where the name says nothing
        self._stream = gzip.GzipFile(fileobj=self._raw) if self.compressed else self._raw

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def read(self, most: int = BLOCK) -> bytes:
        """Up to so many bytes; fewer only at the end, or from a pipe."""
        if self._back:
            read, self._back = self._back[:most], self._back[most:]
            return read
        try:
            read = self._stream.read(most)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FlowsError(f"{self.file} is broken, or not written to its end: {error}") from error
        if self._told and self._raw.seekable():
            at = self._raw.tell()
            self._told(at - self._at)
            self._at = at
        return read

    def put_back(self, read: bytes) -> None:
        """Have bytes read again."""
        self._back = read

    def go_to(self, place: int) -> None:
        """Leave out what stands before a place, unread where the file allows it."""
        self._stream.seek(place)


def head_of(file: Path) -> bytes:
    """The first bytes of a file's uncompressed content. Raises FlowsError, OSError."""
    with Content(file) as content:
        return content.read(HEAD)


class Cut(NamedTuple):
    """A piece, and what is known of the file once it is read."""

    piece: Piece
    known: Known
    torn: bool = False
    """Whether it is a last line without its end."""
    long: tuple[Malformed, ...] = ()
    """Lines that were too long; an empty line stands for each."""


class Cutter:
    """Cuts a file from a place on; what is left after the last line feed is one torn line, unless `growing`."""

    def __init__(self, content: Content, begin: Known, stem: Path, *, growing: bool) -> None:
        self._content, self._stem, self._growing = content, stem, growing
        self._known, self._number = begin, 0
        self._hasher, self._head = begin.hasher.copy(), begin.head
        self._open()

    def _open(self) -> None:
        self._file = self._stem.with_name(f"{self._stem.name}-{self._number}{SUFFIX}")
        self._out = self._file.open("wb")
        self._number += 1
        self._size = self._lines = 0
        self._escapes = False
        self._long: list[Malformed] = []

    def __iter__(self) -> Generator[Cut, None, None]:
        """The pieces; each one's file is there until it is removed."""
        try:
            yield from self._pieces()
        finally:
            self._out.close()
            self._file.unlink(missing_ok=True)

    def _pieces(self) -> Iterator[Cut]:
        rest = b""
        while block := self._content.read():
            end = block.rfind(b"\n") + 1
            if end:
                self._take(rest + block[:end])
                rest = block[end:]
            else:
                rest += block
            if len(rest) > LONGEST:
                if self._lines:
                    yield self._closed()
                if not self._leave_out(rest):
                    return
                rest = b""
            if self._out.tell() >= PIECE or self._lines >= MOST_LINES:
                yield self._closed()
        if self._lines:
            yield self._closed()
        if rest and not self._growing:
            self._take(rest, end=b"\n")
            yield self._closed(torn=True)

    def _take(self, whole: bytes, end: bytes = b"") -> None:
        """Some whole lines."""
        self._digest(whole)
        text = whole + end if end else whole
        if not text.isascii():
            try:
                text.decode()
            except UnicodeDecodeError:
                text = text.decode(errors="backslashreplace").encode()
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        self._lines += text.count(b"\n")
        self._escapes = self._escapes or b"\\" in text
        self._out.write(text)

    def _digest(self, content: bytes) -> None:
        self._hasher.update(content)
        self._size += len(content)
        self._head += content[: HEAD_DIGESTED - len(self._head)]

    def _leave_out(self, beginning: bytes) -> bool:
        """Read on to the end of a line that is too long; false where the file ends before it does."""
        block = beginning
        while not (end := block.find(b"\n") + 1):
            self._digest(block)
            if not (block := self._content.read()):
                return False
        self._digest(block[:end])
        said = f"longer than {LONGEST >> 20} MiB"
        shown = beginning[:SHOWN].decode(errors="backslashreplace")[:SHOWN]
        self._long.append(Malformed(self._known.lines + self._lines + 1, shown, said))
        self._out.write(b"\n")
        self._lines += 1
        if rest := block[end:]:
            self._content.put_back(rest)
        return True

    def _closed(self, *, torn: bool = False) -> Cut:
        self._out.close()
        piece = Piece(self._file, self._known.lines + 1, self._lines, self._escapes)
        ended = self._lines - 1 if torn else self._lines
        known = Known(self._known.size + self._size, self._known.lines + ended, self._hasher.copy(), self._head)
        cut = Cut(piece, known, torn, tuple(self._long))
        self._known = known
        self._open()
        return cut
