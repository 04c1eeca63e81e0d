"""The data set kept in order: small parts put together, days removed that are over, files removed that nobody reads.

A part that is replaced counts no more from that moment on, but its file stays: for as long as anybody reads parts under
`Dataset.reading`, and `GRACE_S` in any case, for those who listed parts without it.
"""

import datetime as dt
import os
import time
import uuid
from collections.abc import Callable, Iterator
from itertools import groupby, islice, pairwise
from pathlib import Path

from tocsin.flows import engine
from tocsin.flows.catalogue import Catalogue, Part, sync_folder
from tocsin.flows.dataset import Dataset
from tocsin.flows.storing import OPTIONS, UNKNOWN
from tocsin.model import Micros

GRACE_S = 600.0
FEW, MANY = 8, 64
"""From so many neighbours on parts are put together, and no more than so many at once."""
TIERS = (10_000, 80_000, 640_000)
"""Rows: parts are put together once there are a few between two of these bounds, so that large ones seldom are."""
MOST_ROWS = 6_000_000
"""In what is put together at once."""
TOGETHER = "together-"
"""How the names of parts begin that were put together."""

_DAY = dt.timedelta(days=1)
_SECOND = 1_000_000


def put_together(dataset: Dataset, wait: Callable[[], bool] = lambda: False) -> int:
    """Make one part of many small ones of one day and kind; how many are gone by that. `wait` says when to stop.

    Their rows keep their order: neighbours only are put together. Importing waits meanwhile, for one of them at a time.
    """
    gone = 0
    while not wait():
        with dataset.catalogue() as catalogue, catalogue.importing():
            run = next(_runs(catalogue.parts()), None)
            if run is None:
                return gone
            catalogue.replace(run, [_one_of(dataset, run)])
            gone += len(run) - 1
    return gone


def _runs(parts: list[Part]) -> Iterator[list[Part]]:
    """Neighbours that are worth it."""
    ordered = sorted(parts, key=lambda part: (part.day, part.kind, part.first, part.file))
    for _, same in groupby(ordered, key=lambda part: (part.day, part.kind)):
        siblings = list(same)
        for least, most in pairwise((0, *TIERS)):
            for small, run in groupby(siblings, key=lambda part: part.rows < most):
                found = _at_once(run)
                if small and sum(part.rows >= least for part in found) >= FEW:
                    yield found


def _at_once(run: Iterator[Part]) -> list[Part]:
    """The first of them, so many that importing does not wait long for it."""
    found: list[Part] = []
    rows = 0
    for part in islice(run, MANY):
        rows += part.rows
        if rows > MOST_ROWS:
            break
        found.append(part)
    return found


def _one_of(dataset: Dataset, parts: list[Part]) -> Part:
    """The rows of those parts in a new one, on disk."""
    first = parts[0]
    name = f"{Path(first.file).parent}/{TOGETHER}{uuid.uuid4().hex}.parquet"
    path = dataset.folder / name
    half = path.with_suffix(".half")
    files = ", ".join(engine.text(dataset.folder / part.file) for part in parts)
    with dataset.connection() as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_parquet([{files}], hive_partitioning = false, union_by_name = true))"
            f" TO {engine.text(half)} ({OPTIONS})"
        )
    with half.open("rb") as written:
        os.fsync(written.fileno())
    half.replace(path)
    sync_folder(path.parent)
    return Part(
        file=name,
        importing=max(part.importing for part in parts),
        day=first.day,
        kind=first.kind,
        rows=sum(part.rows for part in parts),
        first=min(part.first for part in parts),
        last=max(part.last for part in parts),
        earliest=min((part.earliest for part in parts if part.earliest is not None), default=None),
        latest=max((part.latest for part in parts if part.latest is not None), default=None),
    )


def forget(dataset: Dataset, keep_days: int, now: Micros) -> int:
    """Remove the flows of days that are so long ago, unless they were imported since; how many. 0 keeps all."""
    if not keep_days:
        return 0
    since = dt.datetime.fromtimestamp(now / _SECOND, dt.UTC) - keep_days * _DAY
    with dataset.catalogue() as catalogue, catalogue.importing():
        day, at = since.date().isoformat(), since.timestamp() * _SECOND
        long_ago = [part for part in catalogue.parts() if part.day < day or part.day == UNKNOWN]
        read = {part.importing: catalogue.imported(part.importing) for part in long_ago}
        old = [part for part in long_ago if (one := read[part.importing]) is None or one.at < at]
        if old:
            catalogue.replace(old, [])
    return sum(part.rows for part in old)


def sweep(dataset: Dataset, *, grace_s: float = GRACE_S) -> int:
    """Remove the files of parts that were replaced, and what putting together left that was killed; how many files."""
    with dataset.catalogue() as catalogue, catalogue.importing():
        removed = _sweep_halves(dataset, catalogue)
        gone = catalogue.gone(time.time_ns() // 1000 - int(grace_s * _SECOND))
        with catalogue.alone() as alone:
            if not alone:
                return removed
            for file in gone:
                (dataset.folder / file).unlink(missing_ok=True)
        catalogue.forget(gone)
        for folder in {(dataset.folder / file).parent for file in gone}:
            _leave(folder)
    return removed + len(gone)


def _sweep_halves(dataset: Dataset, catalogue: Catalogue) -> int:
    """Nobody puts together now; what is no part, and never was one, is what a killed process left."""
    known = {part.file for part in catalogue.parts()} | set(catalogue.gone(time.time_ns()))
    halves = [
        path
        for path in dataset.folder.glob(f"day=*/kind=*/{TOGETHER}*")
        if str(path.relative_to(dataset.folder)) not in known
    ]
    for path in halves:
        path.unlink(missing_ok=True)
    return len(halves)


def _leave(folder: Path) -> None:
    """Remove the folder of a kind, and of its day, where nothing is left in it."""
    for each in (folder, folder.parent):
        try:
            each.rmdir()
        except OSError:  # something is in it again, or another process was quicker
            return
