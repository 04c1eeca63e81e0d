"""A file that appears under its name once it is complete; what there is of it until then stands beside it.

`FILE.partial/` holds `data` (what was written so far; for Parquet a piece for each portion), `state.json` (how far that
is sound, and of what) and `lock`. Whoever is killed leaves it there, and the next export of the same goes on behind
the last whole portion.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tocsin.errors import FlowsError
from tocsin.flows.catalogue import sync_folder


class State(NamedTuple):
    """How much of an export is there: so many portions, with so many rows, in so many bytes of `data`."""

    digest: str
    """Of everything that decides what is written."""
    portions: int = 0
    rows: int = 0
    size: int = 0


class Growing:
    """An export on its way to a file."""

    def __init__(self, file: Path, folder: Path) -> None:
        self.file, self.folder = file, folder
        self.data = folder / "data"
        self._state = folder / "state.json"

    def begin(self, digest: str) -> tuple[State, bool]:
        """How far it is already, and whether what was there had to go because it was of something else."""
        found = self._found()
        if found and found.digest == digest and self._is_there(found):
            return found, False
        for left in self.folder.iterdir():
            if left.name != "lock":
                left.unlink()
        self.reached(State(digest))
        return State(digest), found is not None and found.digest != digest

    def piece(self, number: int) -> Path:
        """The file of one portion, where portions are files of their own."""
        return self.folder / f"{number:06}.parquet"

    @contextmanager
    def appending(self, state: State) -> Iterator["Appending"]:
        """A handle to write behind what is sound; what stands behind that goes. All lasts when this is left."""
        handle = os.open(self.data, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.ftruncate(handle, state.size)
            os.lseek(handle, state.size, os.SEEK_SET)
            with ThreadPoolExecutor(1, "export-sync") as pool:
                appending = Appending(self, handle, pool)
                yield appending
                appending.wait()
        finally:
            os.close(handle)

    def reached(self, state: State) -> None:
        """Note how far it is; what was written lasts already."""
        new = self._state.with_suffix(".new")
        with new.open("w") as out:
            json.dump(state._asdict(), out)
            out.flush()
            os.fsync(out.fileno())
        new.replace(self._state)
        sync_folder(self.folder)

    def end(self) -> None:
        """Put the complete `data` under the file's name."""
        self.data.chmod(0o600)
        self.data.replace(self.file)
        sync_folder(self.file.parent)
        shutil.rmtree(self.folder)

    def _is_there(self, state: State) -> bool:
        """Whether all of it is: who was killed at the very end may have put it under the file's name already."""
        if state.size:
            return self.data.exists() and self.data.stat().st_size >= state.size
        return all(self.piece(number).exists() for number in range(state.portions))

    def _found(self) -> State | None:
        try:
            return State(**json.loads(self._state.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            return State("")


class Appending:
    """The end of `data`. Portions are brought to disk while the next one is written."""

    def __init__(self, growth: Growing, handle: int, pool: ThreadPoolExecutor) -> None:
        self.handle = handle
        self._growth, self._pool = growth, pool
        self._before: Future[None] | None = None

    def settle(self, state: State) -> None:
        """Have it noted how far it is, once all of that lasts. Raises OSError of the portion before."""
        self.wait()
        self._before = self._pool.submit(self._settle, state)

    def wait(self) -> None:
        """Until the last one is noted. Raises OSError."""
        if self._before is not None:
            self._before.result()

    def _settle(self, state: State) -> None:
        os.fsync(self.handle)
        self._growth.reached(state)


@contextmanager
def growing(file: Path) -> Iterator[Growing]:
    """What there is of that file, for one at a time. Raises FlowsError: another one writes it; and OSError."""
    folder = file.with_name(f"{file.name}.partial")
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FlowsError(f"another export writes {file} already") from None
        yield Growing(file, folder)


def lasting(file: Path) -> None:
    """Make what stands in a file last."""
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
