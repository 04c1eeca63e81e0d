"""A fault that was found, and the numbers it befell."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loss.evidence import StoredGroup
from loss.numbered import SUBJECT


@dataclass(frozen=True)
class Finding:
    """One kind of fault and the numbers it befell."""

    kind: str
    what: str
    numbers: tuple[int, ...] = ()


def finding(kind: str, what: str, numbers: Iterable[int]) -> Iterator[Finding]:
    """One of them, if it befell any number at all."""
    numbers = tuple(sorted(set(numbers)))
    if numbers:
        yield Finding(kind, what, numbers)


def number_of(group: StoredGroup) -> int:
    """The number in a group's subject, or 0."""
    found = SUBJECT.search(group.subject)
    return int(found[1]) if found else 0
