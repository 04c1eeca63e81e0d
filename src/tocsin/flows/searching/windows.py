"""The span of a question cut into stretches, the first ones short: a page is mostly found before all of it is read."""

from collections.abc import Iterator, Sequence

from tocsin.flows.catalogue import Part
from tocsin.flows.searching.spans import Span

FIRST_ROWS = 20_000
"""So many rows the first stretch is to hold, by what the catalogue says of each part."""
GROWTH = 8
_HALVINGS = 24


def stretches(parts: Sequence[Part], span: Span, *, newest: bool, rows: int = FIRST_ROWS) -> Iterator[Span]:
    """Stretches of time that follow on each other from the newest, or the oldest; together they are all there is."""
    known = [(part.earliest, part.latest, part.rows) for part in parts if part.earliest is not None]
    spans = [(first, first if last is None else last, count) for first, last, count in known]
    if not spans:
        return
    whole = Span(min(one[0] for one in spans), max(one[1] for one in spans) + 1).within(span)
    if whole.empty or whole.first is None or whole.end is None:
        return
    # Turned round, the oldest come as the newest do.
    sign = 1 if newest else -1
    turned = spans if newest else [(-last, -first, count) for first, last, count in spans]
    turned.sort(key=lambda one: one[1], reverse=True)
    bottom, top = (whole.first, whole.end) if newest else (1 - whole.end, 1 - whole.first)
    while top > bottom:
        cut = max(bottom, _cut(turned, bottom, top, rows))
        yield Span(cut, top) if sign > 0 else Span(1 - top, 1 - cut)
        top, rows = cut, rows * GROWTH


def _cut(spans: Sequence[tuple[int, int, int]], bottom: int, top: int, rows: int) -> int:
    """Where a stretch begins that ends at `top` and holds about so many rows."""
    near, found = [], 0.0
    for one in spans:
        if one[0] < top and one[1] >= bottom:
            near.append(one)
            found += _held(one, bottom, top)
            if found >= rows and len(near) > 1:
                break
    if found <= rows:
        return bottom
    low, high = bottom, top
    for _ in range(_HALVINGS):
        middle = (low + high) // 2
        if sum(_held(one, middle, top) for one in near) > rows:
            low = middle
        else:
            high = middle
    return min(high, top - 1)


def _held(span: tuple[int, int, int], bottom: int, top: int) -> float:
    """How many of a part's rows lie in a stretch, if they lie evenly."""
    first, last, rows = span
    inside = min(last + 1, top) - max(first, bottom)
    return rows * max(0, inside) / (last + 1 - first)
