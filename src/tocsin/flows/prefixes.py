"""What is known of a file's content: how far it was read before, under whatever name."""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from tocsin.flows.catalogue import Catalogue
from tocsin.flows.reading.pieces import BLOCK, HEAD_DIGESTED, Content, Known
from tocsin.flows.reading.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 1_000
"""So many growing files are remembered."""


def digest(known: Known) -> str:
    """The digest of a content up to a place, as the catalogue has it; it begins with that of its first 4096 bytes."""
    return _of_head(known.head) + known.hasher.hexdigest()


def known(catalogue: Catalogue, file: Path) -> Known:
    """The farthest place up to which the content of a file was read before. Raises FlowsError, OSError."""
    found = Known.nothing()
    with Content(file) as content:
        so_far = found.then(content.read(HEAD_DIGESTED))
        content.put_back(so_far.head)
        there = catalogue.known(_of_head(so_far.head), HEAD_DIGESTED)
        so_far = found
        for size in sorted(there):
            for block in _up_to(content, size - so_far.size):
                so_far = so_far.then(block)
            if so_far.size < size:
                break
            if digest(so_far) in there[size]:
                found = so_far
    return found


def whole(file: Path) -> Known:
    """All of a file's content. Raises FlowsError, OSError."""
    known = Known.nothing()
    with Content(file) as content:
        while block := content.read():
            known = known.then(block)
    return known


def passed(reader: Reader, file: Path, known: Known) -> None:
    """Show a reader what of its file was read before. Raises FlowsError, OSError."""
    if known.size:
        with Content(file) as content:
            rest = b""
            for block in _up_to(content, known.size):
                end = block.rfind(b"\n") + 1
                reader.passed(rest + block[:end] if end else b"")
                rest = block[end:] if end else rest + block


def _up_to(content: Content, size: int) -> "Iterator[bytes]":
    while size > 0 and (block := content.read(min(size, BLOCK))):
        size -= len(block)
        yield block


def _of_head(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()[:16]


class Remembered(NamedTuple):
    """A growing file, as it was left."""

    known: Known
    reader: Reader


class Memory:
    """What a process remembers of files that grow, so that it need not read them anew; for one thread."""

    def __init__(self) -> None:
        self._files: dict[tuple[int, int], Remembered] = {}

    def get(self, file: Path) -> Remembered | None:
        """Of this very file, unless it became shorter. Raises OSError."""
        there = file.stat()
        kept = self._files.get((there.st_dev, there.st_ino))
        return kept if kept and self._same(file, kept, there) else None

    def keep(self, file: Path, known: Known, reader: Reader) -> Self:
        """Remember it; the file that was remembered first is forgotten for it, if there are too many."""
        there = file.stat()
        self._files.pop((there.st_dev, there.st_ino), None)
        self._files[there.st_dev, there.st_ino] = Remembered(known, reader)
        if len(self._files) > MOST:
            del self._files[next(iter(self._files))]
        return self

    def _same(self, file: Path, kept: Remembered, there: os.stat_result) -> bool:
        """An inode is given again, and a file is written over: its beginning says whether it still is what it was."""
        with Content(file) as content:
            begins = content.read(len(kept.known.head))
        return begins == kept.known.head and (content.compressed or there.st_size >= kept.known.size)
