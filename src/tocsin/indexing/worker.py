"""The worker: what waits to be indexed is read apart and put in, right after it is stored and whenever it changed.

The intake has right of way: while others write, the index rests four times as long as it wrote. What cannot be read is
indexed without its entities, and what cannot be put in is found by its columns alone; neither waits for ever.
"""

import hashlib
import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import msgspec
import structlog

from tocsin.detection import Names
from tocsin.errors import StoreError
from tocsin.indexing.apart import Answer, Readers, Told, nothing
from tocsin.kit.children import NotStarted
from tocsin.store import Change, Store, index, unread
from tocsin.store.engine import Tx
from tocsin.store.index import Indexed, Lag, Waiting
from tocsin.store.unread import Unread

log = structlog.get_logger()

OUT_OF_LINE = (
    "[entities] or [detection] was changed: `tocsin entities rebuild` brings what was stored before in line with it"
)
READERS = 2 if (os.cpu_count() or 1) >= 4 else 1

GROUPS, ROWS, BYTES = 200, 1000, 4 * 2**20
"""A portion has at most so many alertgroups, alerts and bytes of them, or one alertgroup that has more."""
ITEMS, FEW_ITEMS = 2000, 600
"""One transaction puts in about so many terms, moments and entities, and fewer while others write."""
PAUSE_S = 0.2
LOOK_S = 60.0
"""What another Tocsin on the same database left is looked for that often."""
TURN_S = 1.0
"""How long to leave another Tocsin on the same database its turn."""
WAIT_S = 10.0
"""While the store cannot be used."""
SHARE, LONGEST_REST_S = 4, 3.0
"""While others write, the index rests that many times as long as it wrote, and never longer than that."""


class Indexer:
    """Follows what is stored and changed."""

    def __init__(self, store: Store, names: Names, told: Told, digest: str) -> None:
        """`told` makes the entities' configuration in each child; `digest` tells two configurations apart."""
        self._store, self._digest = store, digest
        self._readers = Readers(names, told, READERS)
        self._pool = ThreadPoolExecutor(READERS, "tocsin-reader")
        self._news, self._ended, self._others = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._follow, name="tocsin-indexer", daemon=True)
        self._took = 0.0
        self.failed = 0
        """Alertgroups since the start that are not found by all that they could be found by."""

    def start(self) -> None:
        """Begin with what waited since the last time."""
        self._store.on_commit(self._told)
        self._news.set()
        self._thread.start()

    def stop(self) -> None:
        """End after the transaction under way; what was not put in waits for the next start."""
        self._ended.set()
        self._news.set()
        self._readers.close()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown()

    def lag(self, most: int = 100_000) -> Lag:
        """How far it is behind, looking at no more than `most` that wait. Raises StoreUnavailable."""
        return self._store.read(partial(index.lag, most=most))

    def behind(self) -> int:
        """How many alertgroups wait, up to 100,000. Raises StoreUnavailable."""
        return self.lag().waiting

    def in_line(self) -> bool:
        """Whether all of the index was made with today's configuration. Raises StoreUnavailable."""
        return self._store.read(partial(index.in_line, digest=self._digest))

    def rebuild(self) -> int:
        """Have every alertgroup indexed again; how many there are. They are read by the worker, or by `look`."""
        count = self._store.write(lambda tx: index.anew(tx, self._digest, time.time_ns() // 1000))
        self._news.set()
        return count

    def look(self) -> bool:
        """Index the next that wait; whether there are more. Raises StoreError."""
        portions = self._store.read(_portions)
        for groups, answers in zip(portions, self._pool.map(self._readers.read, portions), strict=True):
            if self._ended.is_set():
                return False
            self._put_all(groups, answers)
        return bool(portions)

    def _told(self, change: Change) -> None:
        if change.kind == "created":
            self._others.set()
        if change.kind != "indexed" and change.alertgroups:
            self._news.set()

    def _follow(self) -> None:
        agreed = False
        while not self._ended.is_set():
            self._news.wait(LOOK_S)
            self._news.clear()
            try:
                agreed = agreed or self._agree()
                while not self._ended.is_set() and self.look():
                    pass
            except (StoreError, NotStarted) as error:
                log.warning("the index waits", reason=str(error))
                self._ended.wait(WAIT_S)
                self._news.set()
            except Exception:
                # Nobody may take the index's worker away; what it was at waits, and is tried again.
                log.exception("the index waits")
                self._ended.wait(WAIT_S)
                self._news.set()
            self._ended.wait(PAUSE_S)

    def _agree(self) -> bool:
        if not self._store.write(partial(index.agree, digest=self._digest)):
            log.warning(OUT_OF_LINE)
        return True

    def _put_all(self, groups: Sequence[Unread], answers: Sequence[Answer]) -> None:
        large = self._store.read(partial(index.in_parts, groups=[each.group for each in groups]))
        for group, number in large:
            self._give_way()
            self._store.write(partial(index.lighten, group=group, part=number))
        batch: list[Indexed] = []
        size = 0
        for asked, answer in zip(groups, answers, strict=True):
            if answer.fault:
                self._failed(asked.group, answer.fault)
            for part in answer.parts:
                batch.append(part)
                size += len(part.terms) + len(part.moments) + len(part.entities) + 5
                if size >= (FEW_ITEMS if self._others.is_set() else ITEMS):
                    self._put(batch)
                    batch, size = [], 0
        if batch:
            self._put(batch)

    def _put(self, batch: list[Indexed]) -> None:
        self._give_way()
        try:
            began = time.monotonic()
            done = self._store.write(partial(index.put, batch=batch))
            self._took = time.monotonic() - began
        except StoreError:
            raise
        except Exception as error:
            groups = {each.group: [one for one in batch if one.group == each.group] for each in batch}
            if len(groups) > 1:
                for parts in groups.values():
                    self._put(parts)
                return
            # What an engine cannot hold, though it was mended: a person reads of it, and nobody waits for it.
            self._failed(batch[0].group, f"{type(error).__name__}: {error}"[:500])
            done = self._store.write(partial(index.put, batch=[nothing(batch[0])]))
        if not done:
            self._ended.wait(TURN_S)

    def _give_way(self) -> None:
        if self._others.is_set():
            self._others.clear()
            self._ended.wait(min(LONGEST_REST_S, SHARE * self._took))

    def _failed(self, group: int, why: str) -> None:
        self.failed += 1
        log.error("alertgroup indexed in part only", alertgroup=group, reason=why)


def digest(names: Mapping[str, Sequence[str]], told: Mapping[str, Any]) -> str:
    """Tells two configurations of detections and entities apart."""
    return hashlib.sha256(msgspec.json.encode((names, told), order="deterministic")).hexdigest()


def _portions(tx: Tx) -> list[list[Unread]]:
    """As many portions as there are readers."""
    found: list[list[Unread]] = []
    waiting: list[Waiting] = []
    rows = 0
    for each in index.waiting(tx, GROUPS * READERS):
        if waiting and (rows + each.rows > ROWS or len(waiting) == GROUPS):
            found.append(unread.load(tx, waiting, BYTES))
            waiting, rows = [], 0
        if len(found) == READERS:
            return found
        waiting.append(each)
        rows += each.rows
    return [*found, unread.load(tx, waiting, BYTES)] if waiting else found
