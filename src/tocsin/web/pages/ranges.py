"""Many ids in little text: `3-7,9`. Ten thousand alerts of one alertgroup are a few letters in a form."""

from collections.abc import Iterable

from tocsin.errors import Malformed

MOST = 1_000_000


def written(ids: Iterable[int]) -> str:
    """The ids, ascending, as ranges."""
    ranges: list[list[int]] = []
    for one in sorted(set(ids)):
        if ranges and ranges[-1][1] == one - 1:
            ranges[-1][1] = one
        else:
            ranges.append([one, one])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def read(text: str) -> list[int]:
    """The ids of ranges. Raises Malformed, also above a million of them."""
    found: list[int] = []
    for part in filter(None, text.replace(" ", "").split(",")):
        first, dash, last = part.partition("-")
        if not _is_id(first) or (dash and not _is_id(last)):
            raise Malformed(f"{part[:40]!r} is not an id or a range of ids such as 3-7.")
        low, high = int(first), int(last or first)
        if high - low + len(found) >= MOST:
            raise Malformed(f"More than {MOST:,} ids at once.")
        found.extend(range(low, high + 1))
    return found


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18
