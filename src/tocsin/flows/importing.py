"""Files of sensors -> parts that count, each content once: `import_paths` for what is there, `import_growth` for more.

A content is known by its digest up to where it was read. The same content under another name, compressed or rotated
away, is the same file; one that grew is read from where it had ended. One import at a time; a killed one leaves nothing
that counts, and the next removes its traces.
"""

import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from tocsin.errors import FlowsError, NotInstalled
from tocsin.flows import prefixes
from tocsin.flows.catalogue import Catalogue, Imported, readable
from tocsin.flows.dataset import Dataset
from tocsin.flows.engine import SPILL
from tocsin.flows.reading.forms import recognise
from tocsin.flows.reading.pieces import Content, Cut, Cutter, Known, head_of
from tocsin.flows.reading.reader import HEAD, Ignored, Reader, Translator
from tocsin.flows.storing import Storing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STEM = "import"
TRANSLATED = "translated-"

Progress = Callable[[Path, int], None]
"""Hears how many more bytes of which file were read."""


class Outcome(NamedTuple):
    """What came of a file: `imported` where rows or at least lines of it are in the data set, now or from before."""

    path: Path
    said: str
    """read, known (nothing new in it), ignored (no flows by its form), unknown (no form that is read), failed."""
    form: str = ""
    imported: Imported | None = None
    note: str = ""
    """What else is to be said: why it failed, or that a torn line waits."""


def import_paths(
    dataset: Dataset, paths: Iterable[Path], *, progress: Progress | None = None, zone: str = "UTC"
) -> list[Imported]:
    """Import files and folders; what is in the data set of them that was read now.

    Raises FlowsError for the first file that cannot be read; those before it count.
    """
    done = []
    for outcome in import_each(dataset, paths, progress=progress, zone=zone):
        if outcome.said == "failed":
            raise FlowsError(outcome.note)
        if outcome.said == "read" and outcome.imported:
            done.append(outcome.imported)
    return done


def import_each(
    dataset: Dataset, paths: Iterable[Path], *, progress: Progress | None = None, zone: str = "UTC"
) -> Iterator[Outcome]:
    """Import files and folders, one after the other; each counts by itself. `zone` is of times that do not say theirs.

    Raises FlowsError for what concerns all: no such zone, or a data set that cannot be used.
    """
    with _importing(dataset, zone) as desk:
        for file in files_of(paths):
            try:
                yield _File(desk, file, readable(file.absolute()), progress).read(growing=False)
            except (FlowsError, NotInstalled, OSError) as error:
                yield Outcome(file, "failed", note=str(error))


def import_growth(
    dataset: Dataset,
    path: Path,
    *,
    name: str | Path | None = None,
    ended: bool = False,
    zone: str = "UTC",
    memory: prefixes.Memory | None = None,
) -> Imported | None:
    """Import what a growing file gained in whole lines; None for nothing new, and for a file of no known form.

    `path` may be an open file's (`/proc/self/fd/7`); `name` is what the catalogue then calls it. `ended`: nothing more
    comes, a last line without an end is one. `memory` spares reading the whole file again for its digest.
    Raises FlowsError, OSError.
    """
    with _importing(dataset, zone) as desk:
        outcome = _File(desk, path, readable(name or path)).read(growing=not ended, memory=memory)
    return outcome.imported if outcome.said == "read" else None


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """The files, and those of the folders, in the order of their names; hidden ones only where named."""
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob("*"))
            yield from (file for file in inside if file.is_file() and not _hidden(file.relative_to(path)))
        else:
            yield path


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


class _Desk(NamedTuple):
    """The data set, for one importer alone."""

    catalogue: Catalogue
    connection: "DuckDBPyConnection"
    folder: Path

    @property
    def spill(self) -> Path:
        """Where pieces lie while they are worked on."""
        return self.folder / SPILL

    def storing(self, path: str, form: str) -> Storing:
        """For one import; it is begun with its first rows."""
        return Storing(self.folder, self.connection, partial(self.catalogue.begin, path, form), self.catalogue.abandon)

    def clear(self) -> None:
        """Remove what an import has left there."""
        for file in self.spill.glob(f"{STEM}-*"):
            file.unlink()
        for folder in self.spill.glob(f"{TRANSLATED}*"):
            shutil.rmtree(folder)


@contextmanager
def _importing(dataset: Dataset, zone: str) -> Iterator[_Desk]:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise FlowsError(f"there is no time zone {zone!r}; write one like Europe/Prague") from error
    with dataset.connection() as connection, dataset.catalogue() as catalogue, catalogue.importing():
        connection.execute("SET VARIABLE zone = ?", [zone])
        desk = _Desk(catalogue, connection, dataset.folder)
        desk.spill.mkdir(exist_ok=True)
        desk.clear()
        try:
            yield desk
        finally:
            desk.clear()


class _File:
    """One file on its way in."""

    def __init__(self, desk: _Desk, path: Path, called: str, progress: Progress | None = None) -> None:
        self._desk, self._path, self._called, self._progress = desk, path, called, progress

    def read(self, *, growing: bool, memory: prefixes.Memory | None = None) -> Outcome:
        """Have it read from where it is known to."""
        if not stat.S_ISREG(
            self._path.stat().st_mode
        ):  # a pipe can be read only once, and its content is looked at before
            raise FlowsError(
                f"{self._path} is no file that can be read again: write its content to one, and import that"
            )
        if memory and (kept := memory.get(self._path)):
            known, reader = kept
        else:
            head = head_of(self._path)
            found = recognise(head)
            if found is None:
                return Outcome(self._path, "unknown", note="" if head else "empty")
            if isinstance(found, Ignored):
                return Outcome(self._path, "ignored", found.form)
            if isinstance(found, Translator):
                return self._translate(found, growing=growing)
            reader, known = found, prefixes.known(self._desk.catalogue, self._path)
            prefixes.passed(reader, self._path, known)
        outcome, known = self._take(reader, known, growing=growing)
        if memory:
            memory.keep(self._path, known, reader)
        return outcome

    def _take(self, reader: Reader, begin: Known, *, growing: bool) -> tuple[Outcome, Known]:
        """Read a file of text on from a place."""
        with Content(self._path, self._told) as content:
            content.go_to(begin.size)
            storing = self._desk.storing(self._called, reader.form)
            known, waits = self._store(content, reader, storing, begin, growing=growing)
        if known.size == begin.size:
            storing.leave()
            return Outcome(self._path, "known", reader.form, note=waits), known
        return self._counts(storing, reader.form, begin.size, known, waits), known

    def _store(
        self,
        content: Content,
        reader: Reader,
        storing: Storing,
        begin: Known,
        *,
        growing: bool = False,
        before: int = 0,
    ) -> tuple[Known, str]:
        """Store what follows in a content; what is known of it then, and what is to be said."""
        known, waits = begin, ""
        with closing(_ahead(Cutter(content, begin, self._desk.spill / STEM, growing=growing))) as cuts:
            for cut in cuts:
                if storing.store(reader, cut, before):
                    known = cut.known
                else:
                    waits = f"line {cut.piece.first} is not whole and waits for its end"
                cut.piece.file.unlink()
        return known, waits

    def _translate(self, translator: Translator, *, growing: bool) -> Outcome:
        """Read a file that is no text through its program, as a whole."""
        if growing:
            return Outcome(self._path, "ignored", translator.form, note="is read when it is finished")
        whole = prefixes.whole(self._path)
        before = prefixes.known(self._desk.catalogue, self._path)
        if before.size == whole.size:
            return Outcome(self._path, "known", translator.form)
        if before.size:
            raise FlowsError(f"{self._path} grew since it was read; such files are read once, when they are finished")
        storing = self._desk.storing(self._called, translator.form)
        lines = 0
        with (
            tempfile.TemporaryDirectory(dir=self._desk.spill, prefix=TRANSLATED) as unpacked,
            tempfile.TemporaryDirectory(dir=self._desk.spill, prefix=TRANSLATED) as folder,
            translator.translated(_unpacked(self._path, Path(unpacked)), Path(folder)) as files,
        ):
            for file in files:
                with Content(file) as content:
                    head = content.read(HEAD)
                    content.put_back(head)
                    reader = recognise(head)
                    if reader is None or isinstance(reader, Ignored | Translator):
                        continue
                    known, _ = self._store(content, reader, storing, Known.nothing(), before=lines)
                    lines += known.lines
        self._told(self._path.stat().st_size)
        return self._counts(storing, translator.form, 0, whole, "")

    def _counts(self, storing: Storing, form: str, begin: int, known: Known, note: str) -> Outcome:
        """Have it count."""
        storing.finish()
        lines = storing.rows + storing.malformed + storing.skipped
        counts = (lines, storing.rows, storing.malformed, storing.skipped, time.time_ns() // 1000)
        done = Imported(storing.id, self._called, form, begin, known.size, prefixes.digest(known), *counts)
        self._desk.catalogue.finish(done, storing.parts, storing.kept)
        return Outcome(self._path, "read", form, done, note)

    def _told(self, more: int) -> None:
        if self._progress:
            self._progress(self._path, more)


def _unpacked(file: Path, folder: Path) -> Path:
    """The file itself, or a copy that is not compressed."""
    with Content(file) as content:
        if not content.compressed:
            return file
        copy = folder / file.stem
        with copy.open("wb") as out:
            while block := content.read():
                out.write(block)
        return copy


def _ahead(cutter: Cutter) -> Generator[Cut, None, None]:
    """The same, each made while the one before it is worked on."""
    made = iter(cutter)
    with ThreadPoolExecutor(1) as pool:
        due = pool.submit(next, made, None)
        try:
            while (cut := due.result()) is not None:
                due = pool.submit(next, made, None)
                yield cut
        finally:
            wait([due])
            made.close()
