"""Which files were read how far, and which parts of the data set count: one small SQLite file beside the Parquet.

It is the data set's own, not the hub's store: parts and what names them are copied, moved and removed together, and a
command reads and writes them whether a server runs or not (decisions/0010). Several processes may use it at once; one
at a time imports (`importing`).
"""

import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import apsw

from tocsin.errors import FlowsError
from tocsin.model import Micros

FILE = "catalogue.sqlite"
LOCK = "import.lock"
READING = "reading.lock"
BUSY_MS = 60_000
_LINE_BITS, _IMPORT_BITS = 33, 30
"""Of a place. Folders of fifteen logs that grow every five seconds make 260,000 imports a day: that is eleven years."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS import (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    path       TEXT NOT NULL,
    form       TEXT NOT NULL,
    begin      INTEGER NOT NULL,
    size       INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    lines      INTEGER NOT NULL,
    rows       INTEGER NOT NULL,
    malformed  INTEGER NOT NULL,
    skipped    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    done       INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS import_size ON import (size) WHERE done = 1;
CREATE INDEX IF NOT EXISTS import_head ON import (substr(digest, 1, 16), size) WHERE done = 1;
CREATE TABLE IF NOT EXISTS part (
    file      TEXT PRIMARY KEY,
    import    INTEGER NOT NULL,
    day       TEXT NOT NULL,
    kind      TEXT NOT NULL,
    rows      INTEGER NOT NULL,
    first     INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    earliest  INTEGER,
    latest    INTEGER
);
CREATE INDEX IF NOT EXISTS part_day ON part (day, kind);
CREATE TABLE IF NOT EXISTS gone (file TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS malformed (
    import  INTEGER NOT NULL,
    line    INTEGER NOT NULL,
    text    TEXT NOT NULL,
    reason  TEXT NOT NULL,
    PRIMARY KEY (import, line)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS total (
    imports    INTEGER NOT NULL,
    lines      INTEGER NOT NULL,
    rows       INTEGER NOT NULL,
    malformed  INTEGER NOT NULL,
    skipped    INTEGER NOT NULL,
    last       INTEGER NOT NULL
);
"""
_TOTAL = """
INSERT INTO total
    SELECT count(*), coalesce(sum(lines), 0), coalesce(sum(rows), 0), coalesce(sum(malformed), 0),
        coalesce(sum(skipped), 0), coalesce(max(at), 0)
    FROM import WHERE done = 1 HAVING NOT EXISTS (SELECT 1 FROM total)
"""


_IMPORTED = "id, path, form, begin, size, digest, lines, rows, malformed, skipped, at"


class Part(NamedTuple):
    """One Parquet file: rows of one kind and day, of one import or of several that were put together.

    `file` is relative to the data set's folder; `first` and `last` are the least and greatest `place` in it, `earliest`
    and `latest` the least and greatest `start`.
    """

    file: str
    importing: int
    day: str
    kind: str
    rows: int
    first: int
    last: int
    earliest: Micros | None
    latest: Micros | None


class Malformed(NamedTuple):
    """A line that could not be read; `line` counts from 1 in the file."""

    line: int
    text: str
    reason: str


class Imported(NamedTuple):
    """A file, or the part of it from byte `begin`, that was read. `size` is where it ended, in uncompressed bytes.

    `digest` is of its uncompressed content from the file's very beginning up to `size`, and in front of that the
    beginning of the digest of its first 4096 bytes: the same content under another name, compressed or rotated, is the
    same file. `skipped` lines are sound and none of ours.
    """

    id: int
    path: str
    form: str
    begin: int
    size: int
    digest: str
    lines: int
    rows: int
    malformed: int
    skipped: int
    at: Micros


class Totals(NamedTuple):
    """What was ever read, and the parts and rows that count now; `last` is when it was read last, 0 for never."""

    imports: int
    lines: int
    rows: int
    malformed: int
    skipped: int
    last: Micros
    parts: int
    kept: int


class Catalogue:
    """The file, opened for one task of one thread, for `with`: what SQLite cannot do comes out of it as FlowsError."""

    def __init__(self, folder: Path) -> None:
        """Raises FlowsError where the folder cannot be used."""
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._sql = apsw.Connection(str(folder / FILE))
            self._sql.set_busy_timeout(BUSY_MS)
            self._sql.execute("PRAGMA journal_mode = wal; PRAGMA synchronous = full")
            self._sql.execute(_SCHEMA)
            if not self._sql.execute("SELECT 1 FROM total").fetchall():
                self._sql.execute(_TOTAL)
        except (OSError, apsw.Error) as error:
            raise FlowsError(f"{folder / FILE} cannot be used: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._sql.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.close()
        if isinstance(error, apsw.Error):  # the disk is full, say
            raise FlowsError(f"{self.folder / FILE} cannot be used: {error}") from error

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Be the only one that imports or puts parts together; what died in the middle of it is swept out first."""
        with (self.folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._sweep()
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Be one of those who read parts: files that were listed within stay until it is left."""
        with (self.folder / READING).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody reads parts; while it is so, those who begin to read wait."""
        with (self.folder / READING).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def begin(self, path: str, form: str) -> int:
        """An id for an import; nothing of it counts before `finish`."""
        (id,) = self._one(
            "INSERT INTO import (path, form, begin, size, digest, lines, rows, malformed, skipped, at)"
            " VALUES (?, ?, 0, 0, '', 0, 0, 0, 0, ?) RETURNING id",
            (path, form, time.time_ns() // 1000),
        )
        return int(id)

    def finish(self, done: Imported, parts: Sequence[Part], malformed: Iterable[Malformed] = ()) -> None:
        """Make an import count, in one transaction: its parts are synced before."""
        with self._sql:
            self._sql.execute(
                "UPDATE import SET path = ?, form = ?, begin = ?, size = ?, digest = ?, lines = ?, rows = ?,"
                " malformed = ?, skipped = ?, at = ?, done = 1 WHERE id = ?",
                (*done[1:], done.id),
            )
            self._sql.execute(
                "UPDATE total SET imports = imports + 1, lines = lines + ?, rows = rows + ?,"
                " malformed = malformed + ?, skipped = skipped + ?, last = ?",
                done[6:],
            )
            self._sql.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", parts)
            self._sql.executemany("INSERT INTO malformed VALUES (?, ?, ?, ?)", ((done.id, *line) for line in malformed))

    def abandon(self, importing: int) -> None:
        """Forget an import that was begun; it has no parts."""
        self._sql.execute("DELETE FROM import WHERE id = ? AND done = 0", (importing,))

    def imports(self) -> list[Imported]:
        """What was read, in order."""
        rows = self._sql.execute(f"SELECT {_IMPORTED} FROM import WHERE done = 1 ORDER BY id")
        return [Imported(*row) for row in rows]

    def imported(self, id: int) -> Imported | None:
        """One of them; None for one that is not, or not yet."""
        row = next(iter(self._sql.execute(f"SELECT {_IMPORTED} FROM import WHERE done = 1 AND id = ?", (id,))), None)
        return None if row is None else Imported(*row)

    def totals(self) -> Totals:
        """Without a look at every import: there are many of files that grow."""
        return Totals(
            *self._one(
                "SELECT *, (SELECT count(*) FROM part), (SELECT coalesce(sum(rows), 0) FROM part) FROM total", ()
            )
        )

    def known(self, head: str, small: int) -> dict[int, set[str]]:
        """The digests of contents that begin alike, by their sizes, and of all that are smaller than so many bytes."""
        found: dict[int, set[str]] = {}
        for size, digest in self._sql.execute(
            "SELECT size, digest FROM import WHERE done = 1 AND size >= ?1 AND substr(digest, 1, 16) = ?2"
            " UNION SELECT size, digest FROM import WHERE done = 1 AND size < ?1",
            (small, head),
        ):
            found.setdefault(size, set()).add(digest)
        return found

    def malformed(self, importing: int, most: int = 1000) -> list[Malformed]:
        """The lines kept aside of an import, at most so many."""
        rows = self._sql.execute(
            "SELECT line, text, reason FROM malformed WHERE import = ? ORDER BY line LIMIT ?", (importing, most)
        )
        return [Malformed(*row) for row in rows]

    def parts(
        self, kinds: Sequence[str] = (), *, since: Micros | None = None, until: Micros | None = None
    ) -> list[Part]:
        """The parts that count, in the order of their rows; only of those kinds, and of what may start in the span.

        Rows without a start are in every span.
        """
        rows = self._sql.execute(
            "SELECT * FROM part WHERE (?1 IS NULL OR latest IS NULL OR latest >= ?1)"
            " AND (?2 IS NULL OR earliest IS NULL OR earliest < ?2) ORDER BY first, file",
            (since, until),
        )
        parts = [Part(*row) for row in rows]
        return [part for part in parts if not kinds or part.kind in kinds]

    def replace(self, old: Sequence[Part], new: Sequence[Part]) -> None:
        """Have other parts count, in one transaction: put together, or removed.

        The old files stay for those who listed them before; `keeping.sweep` removes them a while later.
        """
        now = time.time_ns() // 1000
        with self._sql:
            self._sql.executemany("DELETE FROM part WHERE file = ?", ((part.file,) for part in old))
            self._sql.executemany("INSERT OR REPLACE INTO gone VALUES (?, ?)", ((part.file, now) for part in old))
            self._sql.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", new)

    def gone(self, until: Micros) -> list[str]:
        """Files that count no more since before then, and are still there."""
        return [str(file) for (file,) in self._sql.execute("SELECT file FROM gone WHERE at < ?", (until,))]

    def forget(self, files: Iterable[str]) -> None:
        """Those files are removed."""
        with self._sql:
            self._sql.executemany("DELETE FROM gone WHERE file = ?", ((file,) for file in files))

    def note(self, name: str) -> str:
        """What was noted under a name; empty if nothing was."""
        found = next(iter(self._sql.execute("SELECT value FROM note WHERE name = ?", (name,))), None)
        return "" if found is None else str(found[0])

    def take_note(self, name: str, value: str) -> None:
        """Note it."""
        self._sql.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    def _one(self, statement: str, values: Sequence[Any]) -> tuple[Any, ...]:
        (row,) = self._sql.execute(statement, values).fetchall()
        return tuple(row)

    def _sweep(self) -> None:
        """Remove what imports left that died: their parts are named after them and count nowhere."""
        for (id,) in self._sql.execute("SELECT id FROM import WHERE done = 0").fetchall():
            for file in self.folder.glob(f"day=*/kind=*/{id}-*.parquet"):
                file.unlink(missing_ok=True)
            self._sql.execute("DELETE FROM import WHERE id = ?", (id,))


def readable(path: str | Path) -> str:
    r"""A file's name, or a sentence with it, as text that everything can hold: what is not UTF-8 in it as \xNN."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def place(importing: int, line: int = 0) -> int:
    """Where a line stands among all lines of all imports. Raises FlowsError: there are more than places."""
    if line >> _LINE_BITS:
        raise FlowsError(f"more than {1 << _LINE_BITS:,} lines in one file: divide it")
    if importing >> _IMPORT_BITS:
        raise FlowsError(f"more than {1 << _IMPORT_BITS:,} imports: begin another data folder")
    return importing << _LINE_BITS | line


def line_of(place: int) -> tuple[int, int]:
    """The import and the line of a place."""
    return place >> _LINE_BITS, place & (1 << _LINE_BITS) - 1


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
