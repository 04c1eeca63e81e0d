"""Alert events among the flows, handed to the analysts: at least once, under a key that makes it once.

The line of each is kept with its flow (kind `alert`), and the catalogue notes up to which place they were handed over.
What was handed over but not noted before a crash comes again, cut at the same lines and under the same key.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from tocsin.flows.catalogue import line_of, place
from tocsin.flows.dataset import Dataset
from tocsin.flows.kinds import Column

NOTE = "alerts handed over"
MOST = 500
MOST_BYTES = 1 << 20

_COLUMNS = (Column("place", "BIGINT"), Column("event", "VARCHAR"))


class Events(NamedTuple):
    """Some alert events of one import, as its file has them: `body` is one JSON object a line."""

    key: str
    """Of the content, so the same each time these events are offered."""
    body: bytes
    lines: int
    through: int
    """The place of the last of them."""


def due(dataset: Dataset) -> Iterator[Events]:
    """What was not handed over yet, in order: at most MOST events each, and MOST_BYTES unless a single one is longer.

    Say `handed_over` of each before the next is asked for. Raises NotInstalled, FlowsError.
    """
    if not dataset.exists():
        return
    with dataset.catalogue() as catalogue:
        after = int(catalogue.note(NOTE) or -1)
    while (events := _next(dataset, after)) is not None:
        yield events
        after = events.through


def handed_over(dataset: Dataset, events: Events) -> None:
    """Note that these events need not be offered again."""
    with dataset.catalogue() as catalogue:
        if events.through > int(catalogue.note(NOTE) or -1):
            catalogue.take_note(NOTE, str(events.through))


def _next(dataset: Dataset, after: int) -> Events | None:
    with dataset.reading(("alert",)) as parts:
        waiting = [part for part in parts if part.last > after]
        if not waiting:
            return None
        with dataset.connection() as connection:
            rows = f"FROM {dataset.rows(waiting, _COLUMNS)} WHERE place > {after}"
            ((first,),) = connection.execute(f"SELECT min(place) {rows}").fetchall()
            # An import never changes once it counts, and others come behind it: a portion ends with its import.
            end = place(line_of(first)[0] + 1)
            found = connection.execute(
                f"SELECT place, event {rows} AND place < {end} ORDER BY place LIMIT {MOST}"
            ).fetchall()
    return _portion([(int(at), str(event)) for at, event in found])


def _portion(found: list[tuple[int, str]]) -> Events:
    lines: list[bytes] = []
    size = 0
    for _, event in found:
        line = event.strip().encode() + b"\n"
        if lines and size + len(line) > MOST_BYTES:
            break
        lines.append(line)
        size += len(line)
    body = b"".join(lines)
    key = f"eve-{hashlib.sha256(body).hexdigest()}"
    return Events(key, body, len(lines), found[len(lines) - 1][0])
