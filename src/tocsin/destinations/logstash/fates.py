"""Many deliveries' documents as windows, and what became of them as outcomes."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from tocsin.errors import DeliveryError, Rejected, Skipped
from tocsin.model import Receipt

MOST, MOST_BYTES = 1000, 2**21
"""Documents and bytes of one window."""
Fate: TypeAlias = DeliveryError | None
"""What became of a document; None: taken."""


def parts(documents: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The documents in windows."""
    part: list[bytes] = []
    size = 0
    for one in documents:
        if part and (len(part) == MOST or size + len(one) > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(one)
        size += len(one)
    if part:
        yield part


def within(fates: Iterator[Fate], count: int) -> list[Fate]:
    """The fates of the next delivery's documents."""
    return list(islice(fates, count))


def outcome(fates: Sequence[Fate]) -> Receipt | DeliveryError:
    """What came of a delivery: it waits for each of its documents, and fails with any of them."""
    faults = [fate for fate in fates if fate is not None]
    waiting = [fault for fault in faults if not isinstance(fault, Rejected)]
    if not fates:
        return Skipped("there is no alert in it")
    if waiting:
        return waiting[0]
    if faults:
        return Rejected(f"{len(faults)} of {len(fates)} documents were refused: {faults[0]}")
    return Receipt(status=f"{len(fates)} acknowledged")
