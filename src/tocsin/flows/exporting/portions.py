"""What of a data set is exported in one go, and in which order: kinds in turn, rows of each in the order they came.

Parts of one kind mostly follow one another. Those of two days overlap where lines of both days alternate (around
midnight), or where they were put together; there the rows are put in order again, and only there.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from tocsin.flows.catalogue import Part

ROWS = 500_000
FILES = 64


class Portion(NamedTuple):
    """Rows of one kind: those of some parts, from one place to another. `rows` of a cut portion is a guess."""

    kind: str
    parts: tuple[Part, ...]
    rows: int
    cut: tuple[int, int] | None = None
    mixed: bool = False
    """Whether the parts overlap, so that their rows are to be ordered by place."""


def portions(parts: Sequence[Part], kinds: Sequence[str], *, most: int) -> list[Portion]:
    """The portions of those kinds, in order. Parts come in the order of their first place."""
    found: list[Portion] = []
    for kind in kinds:
        of_kind = [part for part in parts if part.kind == kind]
        for cluster in _clusters(of_kind):
            rows = sum(part.rows for part in cluster)
            if len(cluster) > 1:
                mixed = Portion(kind, tuple(cluster), rows, mixed=True)
                found += [mixed] if rows <= most else _segments(mixed)
            elif found and _joins(found[-1], kind, rows, most):
                last = found[-1]
                found[-1] = last._replace(parts=(*last.parts, *cluster), rows=last.rows + rows)
            else:
                found.append(Portion(kind, tuple(cluster), rows))
    return found


def _joins(last: Portion, kind: str, rows: int, most: int) -> bool:
    whole = last.kind == kind and last.cut is None and not last.mixed
    return whole and last.rows + rows <= most and len(last.parts) < FILES


def _clusters(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Parts that overlap one another, directly or through others; most stand alone."""
    cluster: list[Part] = []
    end = -1
    for part in parts:
        if cluster and part.first > end:
            yield cluster
            cluster = []
        cluster.append(part)
        end = max(end, part.last)
    if cluster:
        yield cluster


def _segments(mixed: Portion) -> Iterator[Portion]:
    """The cluster cut wherever a part begins or ends, so that no more is put in order than overlaps."""
    edges = sorted({part.first for part in mixed.parts} | {part.last + 1 for part in mixed.parts})
    for low, end in pairwise(edges):
        there = tuple(part for part in mixed.parts if part.first < end and part.last >= low)
        if there:
            rows = sum(round(part.rows * (end - low) / (part.last - part.first + 1)) for part in there)
            yield Portion(mixed.kind, there, rows, (low, end - 1), len(there) > 1)
