"""What alerts say of flows, kept beside the flows: brought up to date from the store, the latest of each counts.

Parquet in `detections/` of the data set: a base, and changes behind it that are put together with it when they are
many. A note in the catalogue names the files that count and how far the store was followed, in one transaction; what
a killed refresh left is written again under the same name.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from tocsin.detection import DEFAULT, Names
from tocsin.errors import FlowsError
from tocsin.flows import engine
from tocsin.flows.catalogue import Catalogue, sync_folder
from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling.said import COLUMNS, Row, rows
from tocsin.model import News, Noun, Since

FOLDER = "detections"
NOTE = "detections"
LOCK = "detections.lock"

FALSE = ("false_positive", "false-positive", "fp")
"""An alert closed with one of these tags, on itself or its alertgroup, was a false alarm."""

PORTION = 200_000
"""So many rows, uids and addresses together are brought in at a time."""
MOST_FILES, MOST_ROWS = 16, 200_000
"""Changes of more files, or of more rows than these and the base has, are put together with the base."""
KEPT_S = 600.0
"""Files that do not count any more are left so long to those who read them."""


class Refreshed(NamedTuple):
    """What a refresh brought in: alertgroups that are new or changed, and rows of detections written."""

    alertgroups: int
    rows: int


class _File(Noun, frozen=True, kw_only=True, array_like=True):
    name: str
    rows: int


class _Kept(Noun, frozen=True, kw_only=True):
    """The note. The first of the files is the base; `number` is the last one given to a file."""

    since: Since = Since()
    files: tuple[_File, ...] = ()
    number: int = 0
    meaning: str = ""


class _Pending:
    """Rows by alertgroup that wait to be written; the latest of an alertgroup counts."""

    def __init__(self) -> None:
        self.groups: dict[int, list[Row]] = {}
        self.weight = 0

    def put(self, group: int, rows: list[Row]) -> None:
        self.weight += sum(1 + (len(row.uids or ()) + len(row.sources or ()) + len(row.targets or ())) for row in rows)
        self.groups[group] = rows

    def rows(self) -> int:
        return sum(map(len, self.groups.values()))


def refresh(
    dataset: Dataset,
    changed: Callable[[Since], Iterable[News]],
    *,
    false: Sequence[str] = FALSE,
    names: Names = DEFAULT,
    meaning: str = "",
) -> Refreshed:
    """Bring the detections up to date; `changed` is `store.detected.changed` with its store.

    `meaning` tells two sets of `names` apart; after a change of it, or of the tags, all is read anew. Where nothing is
    new this takes no longer than asking. Raises FlowsError, NotInstalled, and what `changed` raises: what was brought
    in until then stays.
    """
    tags = frozenset(tag.casefold() for tag in false)
    digest = hashlib.sha256(msgspec.json.encode((sorted(tags), meaning))).hexdigest()[:16]
    with dataset.catalogue() as catalogue, _alone(dataset.folder):
        kept = _kept(catalogue)
        if kept.meaning != digest:
            kept = msgspec.structs.replace(kept, since=Since(), meaning=digest)
        work = _Work(dataset, catalogue, kept)
        for news in changed(kept.since):
            work.take(news, names, tags)
        work.write()
        work.put_together()
        return Refreshed(work.alertgroups, work.rows)


class _Work:
    """One refresh, under the lock."""

    def __init__(self, dataset: Dataset, catalogue: Catalogue, kept: _Kept) -> None:
        self.dataset, self.catalogue, self.kept = dataset, catalogue, kept
        self.folder = dataset.folder / FOLDER
        self.since, self.files = kept.since, kept.files
        self.pending = _Pending()
        self.alertgroups = self.rows = 0

    def take(self, news: News, names: Names, tags: frozenset[str]) -> None:
        """Add what is new; written down once there is enough of it."""
        if news.anew:
            self.pending, self.files = _Pending(), ()
        for group in news.groups:
            self.pending.put(group.id, list(rows(group, names, tags)))
        self.alertgroups += len(news.groups)
        self.since = news.since
        if self.pending.weight >= PORTION:
            self.write()

    def write(self) -> None:
        """Write what waits as a file of changes, and how far the store was followed."""
        pending, self.pending = self.pending, _Pending()
        written = pending.rows()
        if not written:
            if self.since is not self.kept.since:
                self._note(self.files, self.kept.number)
            return
        number = self.kept.number + 1
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = self.folder / f"{number}.json"
        try:
            with lines.open("wb") as out:
                encoder = msgspec.json.Encoder()
                out.writelines(encoder.encode(row) + b"\n" for rows in pending.groups.values() for row in rows)
            columns = ", ".join(f"{engine.name(name)}: {engine.text(type)}" for name, type in COLUMNS.items())
            source = f"read_json({engine.text(lines)}, format = 'newline_delimited', columns = {{{columns}}})"
            self._copy(f"SELECT * FROM {source}", number)
        finally:
            lines.unlink(missing_ok=True)
        self._note((*self.files, _File(name=f"{number}.parquet", rows=written)), number)
        self.rows += written

    def put_together(self) -> None:
        """Make one base of all files where the changes are many; marks that say nothing are left out."""
        changes = self.files[1:]
        many = sum(file.rows for file in changes)
        if len(changes) <= MOST_FILES and (len(changes) < 2 or many <= max(MOST_ROWS, self.files[0].rows)):
            return
        number = self.kept.number + 1
        latest = _latest(self.folder, self.files)
        count = self._copy(f'SELECT * FROM {latest} WHERE alert IS NOT NULL OR "false"', number)
        self._note((_File(name=f"{number}.parquet", rows=count),), number)

    def _copy(self, select: str, number: int) -> int:
        file = self.folder / f"{number}.parquet"
        with self.dataset.connection() as connection:
            (count,) = connection.execute(f"COPY ({select}) TO {engine.text(file)} (FORMAT parquet)").fetchall()[0]
        with file.open("rb") as written:
            os.fsync(written.fileno())
        sync_folder(self.folder)
        return int(count)

    def _note(self, files: tuple[_File, ...], number: int) -> None:
        for file in set(self.kept.files) - set(files):
            with suppress(FileNotFoundError):
                os.utime(self.folder / file.name)  # from now on it counts no more
        self.kept = _Kept(since=self.since, files=files, number=number, meaning=self.kept.meaning)
        self.files = files
        self.catalogue.take_note(NOTE, msgspec.json.encode(self.kept).decode())
        self._sweep()

    def _sweep(self) -> None:
        """Remove what has not counted for a while."""
        counts = {file.name for file in self.files}
        for file in self.folder.glob("*"):
            if file.name not in counts and time.time() - file.stat().st_mtime > KEPT_S:
                file.unlink(missing_ok=True)


def latest(dataset: Dataset) -> str:
    """SQL for the rows of `said.COLUMNS` that count now, marks among them; in brackets, to stand after FROM.

    Raises FlowsError.
    """
    with dataset.catalogue() as catalogue:
        kept = _kept(catalogue)
    return _latest(dataset.folder / FOLDER, kept.files)


def stamp(dataset: Dataset) -> str:
    """Names what is known of detections: it differs after whatever refresh brought something in. Raises FlowsError."""
    with dataset.catalogue() as catalogue:
        kept = _kept(catalogue)
    return f"{kept.number}-{len(kept.files)}-{kept.meaning}"


def _latest(folder: Path, files: Sequence[_File]) -> str:
    names = ", ".join(f"{engine.name(name)}" for name in COLUMNS)
    if not files:
        nothing = ", ".join(f"NULL::{type} AS {engine.name(name)}" for name, type in COLUMNS.items())
        return f"(SELECT {nothing} WHERE false)"
    if len(files) == 1:
        return f"(SELECT {names} FROM read_parquet({engine.text(folder / files[0].name)}))"
    parts = [
        f"SELECT {number} AS turn, {names} FROM read_parquet({engine.text(folder / file.name)})"
        for number, file in enumerate(files)
    ]
    changes = [part.replace(names, "alertgroup", 1) for part in parts[1:]]
    last = f"SELECT alertgroup, max(turn) AS last FROM ({' UNION ALL '.join(changes)}) GROUP BY alertgroup"
    return (
        f"(SELECT {names} FROM ({' UNION ALL '.join(parts)}) AS every"
        f" LEFT JOIN (SELECT alertgroup AS changed, last FROM ({last})) AS newest ON changed = alertgroup"
        " WHERE last IS NULL OR last = turn)"
    )


def _kept(catalogue: Catalogue) -> _Kept:
    note = catalogue.note(NOTE)
    try:
        return msgspec.json.decode(note, type=_Kept) if note else _Kept()
    except msgspec.ValidationError as error:
        raise FlowsError(f"{catalogue.folder}: what is noted of detections cannot be read: {error}") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
