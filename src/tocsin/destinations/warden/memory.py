"""What is known of deliveries that were tried before, as it is kept in the lane's cursor.

A server keeps no duplicates away, so an event that was saved must not be sent again, and one of which nobody knows has
to be looked for first. In doubt is also what an attempt left behind that never came to its end: then the number of the
attempt is not the one behind the last that is known.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from tocsin.model import Delivery

MOST = 1000
"""Deliveries; what is known of older ones is forgotten, and so in doubt if they are tried again."""


class Known(msgspec.Struct, frozen=True, array_like=True):
    """How a delivery stood after an attempt: which of so many events were `saved`, and whether others may have been."""

    attempt: int
    events: int
    saved: str
    doubt: bool


class Memory(msgspec.Struct, frozen=True):
    """By the uid of a delivery."""

    tried: dict[str, Known] = {}

    @classmethod
    def of(cls, cursor: str) -> "Memory":
        """From a cursor; nothing if there is none, or if it is none of ours."""
        try:
            return msgspec.json.decode(cursor, type=cls)
        except msgspec.MsgspecError:
            return cls()

    def saved(self, delivery: Delivery, events: int) -> frozenset[int]:
        """The places of those events that the server has."""
        known = self.tried.get(delivery.uid)
        return frozenset() if known is None or known.events != events else frozenset(_places(known.saved))

    def doubtful(self, delivery: Delivery, events: int) -> bool:
        """Whether the server may have others too."""
        known = self.tried.get(delivery.uid)
        if known is None:
            return delivery.attempt > 1
        return known.doubt or known.events != events or known.attempt != delivery.attempt - 1

    def after(self, settled: Mapping[str, Known | None]) -> str:
        """The cursor once these deliveries were tried; None: all of it arrived, and nobody will ask again."""
        kept = {uid: known for uid, known in self.tried.items() if uid not in settled}
        kept |= {uid: known for uid, known in settled.items() if known is not None}
        return msgspec.json.encode(Memory(dict(list(kept.items())[-MOST:]))).decode() if kept else ""


def spelled(places: Collection[int]) -> str:
    """Places as text: "0-41 43"."""
    runs: list[list[int]] = []
    for place in sorted(places):
        if runs and runs[-1][-1] == place - 1:
            runs[-1][1:] = [place]
        else:
            runs.append([place])
    return " ".join("-".join(map(str, run)) for run in runs)


def _places(text: str) -> Iterable[int]:
    for run in text.split():
        first, _, last = run.partition("-")
        yield from range(int(first), int(last or first) + 1)
