"""Emptying a lane into a file: what is owed, or what is parked, as JSON lines, through the gate.

Portion by portion: take, write, fsync, settle. Whoever breaks off in between leaves lines that are not settled yet;
they are written again. A line is never settled before it is on disk.
"""

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from tocsin import detection
from tocsin.delivery.patience import SECOND
from tocsin.delivery.ready import Made, Ready, told
from tocsin.errors import StoreUnavailable, Taken
from tocsin.formats import group_json
from tocsin.model import Alertgroup, Micros
from tocsin.sharing import Gate, Withheld
from tocsin.store import Store, Tx, delivery, sending
from tocsin.store.sending import Claimed, Outcome, Settled

PORTION = 50
LEASE: Micros = 30 * SECOND
"""What a killed one had taken is owed again after so long; a portion is written much sooner."""
CHUNK = 2**20


class Drained(NamedTuple):
    """What one run did; `more` says that it stopped before the end."""

    written: int
    withheld: int
    failed: int
    """Could not be made ready: they stand parked, with the reason."""
    more: bool


class Drains:
    """The files that lanes were emptied into, one a lane, in one folder of the data folder."""

    def __init__(
        self, store: Store, gate: Gate, names: detection.Names, folder: Path, clock: Callable[[], Micros]
    ) -> None:
        self._store, self._gate, self._names, self._folder, self._now = store, gate, names, folder, clock
        self._busy = threading.Lock()

    def path(self, lane: str) -> Path:
        """Where a lane's file stands."""
        return self._folder / f"{quote(lane, safe='')[:200]}.jsonl"

    def size(self, lane: str) -> int:
        """The bytes in a lane's file; 0 when there is none."""
        try:
            return self.path(lane).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return 0

    def content(self, lane: str, size: int) -> Iterator[bytes]:
        """The first `size` bytes of a lane's file, in pieces. It may grow meanwhile."""
        with self.path(lane).open("rb") as file:
            while size > 0 and (piece := file.read(min(CHUNK, size))):
                size -= len(piece)
                yield piece

    def remove(self, lane: str, size: int, who: str) -> None:
        """Remove a lane's file, by one who has its `size` bytes. Raises Taken when it grew since."""
        with self._busy:
            if (there := self.size(lane)) != size:
                raise Taken(f"The file has {there:,} bytes, not {size:,}: get it again, then remove it.")
            self.path(lane).unlink(missing_ok=True)
        self._store.write(lambda tx: delivery.note(tx, lane, who, self._now(), "removed the file it was drained into"))

    def run(self, lane: str, parked: bool, who: str, most_s: float) -> Drained:
        """Drain what is owed, or what is parked, until nothing is left or the time is up.

        Raises StoreUnavailable when the store or the file cannot be written; what was not settled by then stays owed.
        """
        until, counts, after, more = self._now() + int(most_s * SECOND), Counter[str](), 0, True
        ready = Ready(lane, self._store, self._gate, self._names)
        with self._busy:
            while more and self._now() < until:
                portion = self._parked(lane, after) if parked else self._owed(lane)
                more = bool(portion)
                if portion:
                    counts.update(self._drain(lane, portion, parked, ready, who))
                    after = portion[-1].id
        if counts:
            what = f"drained {counts['delivered']:,} {'parked' if parked else 'owed'} deliveries into a file"
            self._store.write(lambda tx: delivery.note(tx, lane, who, self._now(), what))
        return Drained(counts["delivered"], counts["withheld"], counts["failed"], more)

    def _owed(self, lane: str) -> list[Claimed]:
        at = self._now()
        return self._store.write(lambda tx: sending.take(tx, lane, PORTION, at, at + LEASE))

    def _parked(self, lane: str, after: int) -> list[Claimed]:
        return self._store.read(lambda tx: sending.parked(tx, lane, PORTION, self._now(), after))

    def _drain(self, lane: str, portion: Sequence[Claimed], parked: bool, ready: Ready, who: str) -> Mapping[str, int]:
        settled: list[Settled] = []
        try:
            made = ready.made([item.alertgroup for item in portion])
            self._append(lane, [made[item.alertgroup] for item in portion if item.kind == "alert"])
            for item in portion:
                outcome, detail = _came_of(item, made[item.alertgroup], who)
                settled.append(
                    Settled(id=item.id, attempt=item.attempt, outcome=outcome, at=self._now(), detail=detail)
                )
        except OSError as error:
            self._give_back(portion, parked)
            raise StoreUnavailable(f"{self.path(lane)} cannot be written: {error.strerror}") from error
        except StoreUnavailable:
            self._give_back(portion, parked)
            raise
        try:
            return self._store.write(lambda tx: _settle(tx, lane, portion, settled, parked))
        except StoreUnavailable:
            self._give_back(portion, parked)
            raise

    def _give_back(self, portion: Sequence[Claimed], parked: bool) -> None:
        """What was taken is owed again; where the store is away, once its lease has run out."""
        if not parked:
            with contextlib.suppress(StoreUnavailable):
                self._store.write(lambda tx: sending.give_back(tx, portion))

    def _append(self, lane: str, made: Sequence[Made]) -> None:
        """Write what may go out, and see it on disk. A line that was torn when a machine died goes first."""
        self._folder.mkdir(mode=0o700, exist_ok=True)  # a file in its place: FileExistsError, told as what it is
        path = self.path(lane)
        new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            file.seek(_whole(file.fileno()))
            file.truncate()
            file.writelines(group_json.document(group) + b"\n" for group in made if isinstance(group, Alertgroup))
            file.flush()
            os.fsync(file.fileno())
        if new:
            folder = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _whole(descriptor: int) -> int:
    """The bytes of a file's whole lines."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - CHUNK)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _came_of(item: Claimed, made: Made, who: str) -> tuple[Outcome, str]:
    if item.kind != "alert":
        return "skipped", f"the lane was drained by {who}; the file holds alerts and no {item.kind}s"
    if isinstance(made, Alertgroup):
        return "delivered", f"drained into a file by {who}"
    return ("withheld", made.reason) if isinstance(made, Withheld) else ("failed", told(made))


def _settle(tx: Tx, lane: str, portion: Sequence[Claimed], settled: list[Settled], parked: bool) -> Mapping[str, int]:
    """Settle what is still ours; how many, by outcome."""
    if parked:
        taken = sending.take_parked(tx, portion)
        settled = [_again(item, taken[item.id]) for item in settled if item.id in taken]
    accepted = sending.settle(tx, lane, settled, None, reached=False)
    counts = Counter[str](item.outcome for item in settled)
    return counts if accepted == len(settled) else Counter({"delivered": accepted})


def _again(item: Settled, attempt: int) -> Settled:
    return Settled(id=item.id, attempt=attempt, outcome=item.outcome, at=item.at, detail=item.detail)
