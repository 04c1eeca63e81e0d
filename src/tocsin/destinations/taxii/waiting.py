"""Which deliveries wait for which statuses, as it is kept in the lane's cursor."""

import time
from collections.abc import Mapping, Sequence

import msgspec

KEPT_S = 7 * 24 * 3600
"""Servers keep a status for a day or so."""
MOST = 2000
"""Deliveries; of those that waited longest the objects are posted again instead, which does no harm."""


class Waiting(msgspec.Struct, frozen=True):
    """By the uid of a delivery: the ids of the statuses that all its objects stand under which were not taken yet."""

    pending: dict[str, tuple[list[str], int]] = {}

    @classmethod
    def of(cls, cursor: str) -> "Waiting":
        """From a cursor; nothing if there is none, or if it is none of ours."""
        try:
            return msgspec.json.decode(cursor, type=cls)
        except msgspec.MsgspecError:
            return cls()

    def statuses(self, uid: str) -> list[str]:
        """What a delivery waits for."""
        return self.pending.get(uid, ([], 0))[0]

    def after(self, settled: Mapping[str, Sequence[str]]) -> str:
        """The cursor once these deliveries were tried: what each of them waits for now, or nothing."""
        now = int(time.time())
        kept = {
            uid: (ids, since)
            for uid, (ids, since) in self.pending.items()
            if uid not in settled and now - since < KEPT_S
        }
        kept |= {uid: (list(ids), now) for uid, ids in settled.items() if ids}
        return msgspec.json.encode(Waiting(dict(list(kept.items())[-MOST:]))).decode() if kept else ""
