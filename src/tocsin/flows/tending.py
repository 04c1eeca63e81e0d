"""What goes on beside the reading: labels follow the alerts, small parts are put together, days go, exports are made.

Alerts among the flows are handed to the analysts before. Two threads of the server: alerts and labels do not wait until
an export is written. Each task shows what ails it and never stops the others. Commands call `fresh` and `export`
themselves where no server runs.
"""

import fcntl
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import structlog

from tocsin.errors import TocsinError
from tocsin.flows import alerts, engine, keeping
from tocsin.flows.dataset import Dataset
from tocsin.flows.labelling.detections import Refreshed
from tocsin.model import Message, Micros

log = structlog.get_logger()

DELAY_S = 1.0
"""Alerts that come together are taken in together."""
SHARE, LONGEST_REST_S = 4, 30.0
"""After labels were brought up to date they rest that many times as long as it took, and never longer than that."""
TIDY_S = 30.0
EXPORTED, LABELLED = "exported", "labelled"
"""Notes in the catalogue: when the last export began, and when labels changed last."""
LOCK = "export.lock"
LINES = "application/x-ndjson"


class Exports(NamedTuple):
    """What is exported by itself: `write` writes the files; `every_s` 0: at the end of an import only."""

    write: Callable[[], Sequence[Path]]
    every_s: float


class Tending:
    """The threads, and what they know.

    `accept` stores a message and raises StoreUnavailable where it cannot; `refresh` brings detections up to date.
    """

    def __init__(
        self,
        dataset: Dataset,
        accept: Callable[[Message], object],
        refresh: Callable[[], Refreshed],
        *,
        keep_days: int = 0,
        exports: Exports | None = None,
    ) -> None:
        self._dataset, self._accept, self._refresh = dataset, accept, refresh
        self._keep_days, self._exports = keep_days, exports
        self._ended, self._news = threading.Event(), threading.Event()
        self._fresh_lock, self._hand_lock = threading.Lock(), threading.Lock()
        self._threads = [
            threading.Thread(target=self._follow, name="tocsin-flows-labels", daemon=True),
            threading.Thread(target=self._keep, name="tocsin-flows-parts", daemon=True),
        ]
        self._troubles: dict[str, str] = {}

    def start(self) -> None:
        """Begin; labels are brought up to date first."""
        self._news.set()
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> None:
        """End after the tasks under way; one that takes longer than so many seconds leaves nothing half behind."""
        self._ended.set()
        self._news.set()
        until = time.monotonic() + timeout
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))

    def wake(self) -> None:
        """There are new alerts, or others than before, or flows."""
        self._news.set()

    def troubles(self) -> Mapping[str, str]:
        """What ails which task now: `labels`, `parts`, `days`, `export`."""
        return dict(self._troubles)

    def fresh(self) -> Refreshed:
        """Hand over alerts among the flows, and bring the labels up to date with all alerts.

        Raises FlowsError, NotInstalled, StoreError.
        """
        self.hand_over()
        with self._fresh_lock:
            found = self._refresh()
        if found.rows:
            _note(self._dataset, LABELLED, time.time_ns() // 1000)
        return found

    def hand_over(self, within_s: float = math.inf) -> bool:
        """Hand alerts among the flows to the analysts, for about so long; whether all were.

        One that was stored, but of which that was not noted before a crash, comes under the same key again: it is
        known. Raises as `fresh` does.
        """
        until = time.monotonic() + within_s
        with self._hand_lock:
            for events in alerts.due(self._dataset):
                now = time.time_ns() // 1000
                self._accept(
                    Message(source="", body=events.body, media_type=LINES, received=now, idempotency_key=events.key)
                )
                alerts.handed_over(self._dataset, events)
                if time.monotonic() > until or self._ended.is_set():
                    return False
        return True

    def _follow(self) -> None:
        while not self._ended.is_set():
            if not self._there():
                self._ended.wait(TIDY_S / 10)
                continue
            # Other nodes on the same store do not wake this one; and what failed is tried again.
            if self._news.wait(TIDY_S):
                self._ended.wait(DELAY_S)
            self._news.clear()
            began = time.monotonic()
            self._do("labels", self.fresh)
            self._ended.wait(min(SHARE * (time.monotonic() - began), LONGEST_REST_S))

    def _keep(self) -> None:
        while not self._ended.is_set():
            if self._there():
                self._do("parts", self._tidy)
                self._do("days", lambda: keeping.forget(self._dataset, self._keep_days, time.time_ns() // 1000))
                self._do("export", self._export)
                self._ended.wait(TIDY_S)
            else:
                self._ended.wait(TIDY_S / 10)

    def _there(self) -> bool:
        return self._dataset.exists() and engine.installed()

    def _tidy(self) -> None:
        keeping.put_together(self._dataset, self._ended.is_set)
        keeping.sweep(self._dataset)

    def _export(self) -> None:
        if self._exports is not None and export_due(self._dataset, self._exports, time.time_ns() // 1000):
            self.fresh()
            export(self._dataset, self._exports)

    def _do(self, task: str, work: Callable[[], object]) -> None:
        """Do it, and show what ails it until it is done without fault."""
        if self._ended.is_set():
            return
        try:
            work()
        except (TocsinError, OSError) as error:
            reason = str(error)
            if self._troubles.get(task) != reason:
                log.warning("flows cannot be tended", task=task, reason=reason)
            self._troubles[task] = reason
        else:
            self._troubles.pop(task, None)


def export_due(dataset: Dataset, exports: Exports, now: Micros) -> bool:
    """Whether an export by itself is due."""
    if not exports.every_s or not dataset.exists():
        return False
    with dataset.catalogue() as catalogue:
        exported = int(catalogue.note(EXPORTED) or 0)
        changed = max(int(catalogue.note(LABELLED) or 0), catalogue.totals().last)
    return changed >= exported and now - exported >= exports.every_s * 1_000_000


def export(dataset: Dataset, exports: Exports) -> Sequence[Path]:
    """Write the labelled flows to their files; one process at a time. Raises FlowsError, NotInstalled, OSError."""
    with _alone(dataset):
        began = time.time_ns() // 1000
        files = exports.write()
        _note(dataset, EXPORTED, began)
    return files


@contextmanager
def _alone(dataset: Dataset) -> Iterator[None]:
    with (dataset.folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _note(dataset: Dataset, name: str, value: Micros) -> None:
    with dataset.catalogue() as catalogue:
        catalogue.take_note(name, str(value))
