"""Files that grow, followed: what each gained in whole lines is imported every few seconds, and shown where it fails.

How far a file was read is known by its content (`importing`), so one that was renamed, copied or packed goes on where
it was left. Files that grow are held open: one that is renamed out of sight is read to its end before its successor.
"""

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import structlog

from tocsin.errors import FlowsError, NotInstalled
from tocsin.flows import prefixes
from tocsin.flows.catalogue import readable
from tocsin.flows.dataset import Dataset
from tocsin.flows.importing import import_growth
from tocsin.flows.reading.forms import recognise
from tocsin.flows.reading.pieces import head_of
from tocsin.flows.reading.reader import Translator
from tocsin.kit.rotation import rotated
from tocsin.model import Micros
from tocsin.plugin import Desk

log = structlog.get_logger()

PACKED = ".gz"
ENDED_S = 3600.0
"""A file that has not changed for so long is finished: what stands behind its last line end is a line, too."""
AGAIN_S = 60.0
"""A file that could not be read and has not changed is tried again that late."""
WHOLE_S = 300.0
"""The same of files that are no text (captures, nfcapd's), which are read as a whole once they are finished."""
PACKED_S = 10.0
"""A packed file is read when it has not changed for so long: until then it is being written."""
MOST_HELD = 512
NOTE = "followed "


class Seen(NamedTuple):
    """A file as it was when it was looked at: another one, or a longer one, is looked at again."""

    inode: int
    size: int
    changed: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Seen":
        """From its status."""
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


class Followed(NamedTuple):
    """How far a file is read. `behind`: bytes that wait, as far as it was looked at; `trouble`: what ails it."""

    path: str
    size: int
    behind: int
    trouble: str = ""
    since: Micros = 0
    """Since when something waits or it is in trouble; 0: neither."""


class Following:
    """All files that are followed: runs as a source does, and tells its desk how it fares.

    `told` is called when something was imported.
    """

    def __init__(
        self,
        dataset: Dataset,
        paths: Sequence[Path],
        *,
        zone: str = "UTC",
        interval_s: float = 5,
        told: Callable[[], object] = lambda: None,
    ) -> None:
        self._dataset, self._paths, self._zone, self._interval_s = dataset, tuple(paths), zone, interval_s
        self._told = told
        self._memory = prefixes.Memory()
        self._seen: dict[Path, Seen] = {}
        self._ended: dict[Path, Seen] = {}
        self._failed: dict[Path, tuple[Seen, float]] = {}
        self._held: dict[Path, int] = {}
        self._read: dict[Path, int] = {}
        self._limits: dict[Path, tuple[int, float]] = {}
        self._state: dict[Path, Followed] = {}
        self._lock = threading.Lock()

    def state(self) -> list[Followed]:
        """Of every file that is there, in order."""
        with self._lock:
            return [self._state[path] for path in sorted(self._state)]

    def run(self, desk: Desk) -> None:
        """Read on, every few seconds, until the desk says stop."""
        try:
            while not desk.stop.is_set():
                desk.tell(self.once(desk.stop))
                desk.stop.wait(self._interval_s)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of all files."""
        for path in list(self._held):
            self._let_go(path)

    def once(self, stop: threading.Event) -> str:
        """Import what all files gained; what ails one of them, or "". One that fails does not stop the others."""
        found, ailing = self._found()
        self._finish(found)
        for path, status in found.items():
            if stop.is_set():
                return ""
            self._look(path, status)
        with self._lock:
            for path in self._state.keys() - found.keys():
                del self._state[path]
            troubles = [f"{one.path}: {one.trouble}" for one in self._state.values() if one.trouble]
        if len(troubles) > 1:
            troubles[0] += f" (and {len(troubles) - 1} more)"
        return troubles[0] if troubles else ailing

    def _found(self) -> tuple[dict[Path, os.stat_result], str]:
        """The files there are, what was changed first before others: a rotated one comes before its successor."""
        found: dict[Path, os.stat_result] = {}
        ailing = ""
        for pattern in self._paths:
            matching = False
            paths: list[Path] = []
            try:
                paths.extend(_matching(pattern))
            except OSError as error:
                ailing = f"{readable(pattern)} cannot be listed ({error.strerror}): let Tocsin read the folder"
            for path in paths:
                try:
                    status = path.stat()
                except FileNotFoundError:
                    continue  # renamed a moment ago: under its other name it is found now or the next time
                except OSError as error:
                    ailing = f"{readable(path)} cannot be read ({error.strerror}): let Tocsin read it"
                    continue
                if stat.S_ISREG(status.st_mode):
                    found[path] = status
                    matching = True
            if not matching:
                ailing = ailing or f"there is no file {pattern} yet"
        return dict(sorted(found.items(), key=lambda item: (item[1].st_mtime_ns, -len(item[0].name), item[0]))), ailing

    def _finish(self, found: Mapping[Path, os.stat_result]) -> None:
        """Read files to their ends that were renamed out of sight or removed, before what came in their places."""
        here = {status.st_ino for status in found.values()}
        for path, file in list(self._held.items()):
            status = os.fstat(file)
            now = found.get(path)
            if now is not None and now.st_ino == status.st_ino:
                continue
            if status.st_ino in here:
                self._let_go(path)  # it is read under its other name
                continue
            is_left = now is not None and now.st_size > 0
            is_left = is_left or time.time() - status.st_mtime > ENDED_S
            if self._import(Path(f"/proc/self/fd/{file}"), path, status, ended=is_left) and is_left:
                self._let_go(path)

    def _look(self, path: Path, status: os.stat_result) -> None:
        """Import what the file gained, if it did."""
        seen, age = Seen.of(status), time.time() - status.st_mtime
        if path not in self._ended:
            self._ended[path] = self._remembered(path)
        if self._ended[path] == seen:
            return
        ended = age > self._limit(path, seen.inode)
        if self._rests(path, seen, ended=ended):
            return
        if not ended and path not in self._held and len(self._held) < MOST_HELD:
            with suppress(OSError):  # what ails it is said by the import
                self._held[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if not self._import(path, path, status, ended=ended):
            self._failed[path] = (seen, time.monotonic())
            return
        self._seen[path] = seen
        if ended:
            self._let_go(path)
            self._remember(path, seen)

    def _limit(self, path: Path, inode: int) -> float:
        """How long a file must have rested to be taken for finished."""
        if path.suffix == PACKED:
            return PACKED_S
        known, limit = self._limits.get(path, (0, 0.0))
        if known != inode:
            limit = WHOLE_S if _is_whole(path) else ENDED_S
            self._limits[path] = (inode, limit)
        return limit

    def _rests(self, path: Path, seen: Seen, *, ended: bool) -> bool:
        """Whether there is nothing to be had of the file now."""
        if not ended and (path.suffix == PACKED or self._seen.get(path) == seen):
            return True
        failed, at = self._failed.get(path, (None, 0.0))
        return failed == seen and time.monotonic() - at < AGAIN_S

    def _import(self, path: Path, name: Path, status: os.stat_result, *, ended: bool) -> bool:
        """Whether all of it was read that can be."""
        now = time.time_ns() // 1000
        before = self._state.get(name)
        try:
            done = import_growth(self._dataset, path, name=name, ended=ended, zone=self._zone, memory=self._memory)
        except NotInstalled:
            raise
        except (FlowsError, OSError) as error:
            reason = readable(str(error)) if isinstance(error, FlowsError) else f"{error.strerror}: let Tocsin read it"
            if before is None or before.trouble != reason:
                log.warning("followed flows cannot be read", file=readable(name), reason=reason)
            since = before.since if before is not None and before.trouble else now
            self._put(name, Followed(readable(name), status.st_size, status.st_size, reason, since))
            return False
        if done is not None:
            self._told()
            self._read[name] = done.size
        whole = ended or name not in self._read
        behind = 0 if whole else max(0, status.st_size - self._read[name])
        since = 0 if not behind else before.since if before is not None and before.behind else now
        self._put(name, Followed(readable(name), status.st_size, behind, "", since))
        return True

    def _put(self, path: Path, state: Followed) -> None:
        with self._lock:
            self._state[path] = state

    def _let_go(self, path: Path) -> None:
        file = self._held.pop(path, None)
        if file is not None:
            os.close(file)

    def _remembered(self, path: Path) -> Seen:
        """As it was when all of it had been read, before the last stop."""
        with self._dataset.catalogue() as catalogue:
            words = catalogue.note(f"{NOTE}{readable(path)}").split()
        return Seen(*map(int, words)) if len(words) == len(Seen._fields) else Seen(0, 0, 0)

    def _remember(self, path: Path, seen: Seen) -> None:
        with self._dataset.catalogue() as catalogue:
            catalogue.take_note(f"{NOTE}{readable(path)}", " ".join(map(str, seen)))
        self._ended[path] = seen


def _is_whole(path: Path) -> bool:
    """Whether a program has to read the file as a whole."""
    try:
        return isinstance(recognise(head_of(path)), Translator)
    except (FlowsError, OSError):
        return False  # it is told when the file is read


def _matching(pattern: Path) -> Iterator[Path]:
    """The files a pattern means: all in a folder, what rotation made of a file before it; hidden ones are none."""
    whole = pattern.absolute()
    for path in Path(whole.anchor).glob(str(whole.relative_to(whole.anchor))):
        if path.is_dir():
            yield from (each for each in path.rglob("*") if not each.name.startswith("."))
        else:
            yield path
            names = rotated(path.name, packed=True)
            yield from (each for each in path.parent.iterdir() if names.fullmatch(each.name))
