"""Small writes that may wait: when keys were last used, and how many posts were refused.

They are gathered in memory and stored together every few seconds, so that neither a busy sender nor a flood of
refused posts costs a commit of its own. A crash loses at most the last few seconds of them, and no alert.
"""

import asyncio
import time
from collections import Counter

import structlog

from tocsin.errors import StoreError
from tocsin.model import Micros
from tocsin.store import Store, access, tally
from tocsin.store.engine import Tx
from tocsin.web.waiting import committed

log = structlog.get_logger()


def now_micros() -> Micros:
    """The time."""
    return time.time_ns() // 1000


class Notes:
    """What is noted and not yet stored. `close` is called when the server stops."""

    every_s = 2.0

    def __init__(self, store: Store) -> None:
        self._store = store
        self._used: dict[int, Micros] = {}
        self._refused: Counter[tuple[str, int]] = Counter()
        self._planned: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._storing: asyncio.Task[None] | None = None

    def key_used(self, key: int) -> None:
        """Note that a key was used now."""
        self._used[key] = now_micros()
        self._plan()

    def refused(self, source: str) -> None:
        """Note that a message was refused with an answer."""
        self._refused[source, tally.day_of(now_micros())] += 1
        self._plan()

    def _plan(self) -> None:
        loop = asyncio.get_running_loop()
        if self._planned is None or self._loop is not loop:
            self._loop = loop
            self._planned = loop.call_later(self.every_s, self._begin)

    def _begin(self) -> None:
        self._planned = None
        self._storing = asyncio.get_running_loop().create_task(self.flush())

    async def flush(self) -> None:
        """Store what was noted; if the store cannot write now, keep it for the next time."""
        used, self._used = self._used, {}
        refused, self._refused = self._refused, Counter()
        if not used and not refused:
            return

        def store(tx: Tx) -> None:
            if used:
                access.touch_keys(tx, used)
            tally.add(tx, [(day, source, 0, 0, n, 0) for (source, day), n in refused.items()])

        try:
            await committed(self._store.submit(store))
        except StoreError as error:
            log.warning("could not note the use of keys and refused posts; will try again", reason=str(error))
            self._used = used | self._used
            self._refused.update(refused)
            self._plan()

    async def close(self) -> None:
        """Store what was noted, once, and plan nothing more."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
        await self.flush()
