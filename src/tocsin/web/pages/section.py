"""The entities of an alertgroup, by type: a part of its page, and a page of their own when there are many."""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.entities import Known
from tocsin.store import entity
from tocsin.store.engine import Tx
from tocsin.store.entity import Seen
from tocsin.web.pages.marking import LOOKS, is_own, mark_of, type_words
from tocsin.web.pages.shown import Marked, Piece

FEW = 12
"""Entities of a type that the alertgroup's own page shows."""
MANY = 300
"""Of more entities than that, the alertgroup's own page only looks at those that stand in it most often."""
MOST = 2000
"""Entities of a type on the page that is for them alone; the API has them all."""
_ORDER = ("address", "name", "hash", "file", "id", "told")


class Kind(NamedTuple):
    """The entities of one type: some of them marked, and how many there are; None where they were not counted."""

    words: str
    n: int | None
    shown: list[Marked]

    @property
    def left_out(self) -> int:
        """How many are not shown."""
        return (self.n or len(self.shown)) - len(self.shown)


class Section(NamedTuple):
    """All types of an alertgroup. `indexed` is no while its entities are not known yet."""

    kinds: list[Kind]
    n: int
    indexed: bool

    @property
    def some(self) -> bool:
        """Whether only those are shown that stand in it most often."""
        return any(kind.n is None for kind in self.kinds)


def section_of(tx: Tx, group: int, known: Known, most: int = FEW, many: int | None = MANY) -> Section:
    """The entities of an alertgroup, of each type those that stand in it most often; `many` None looks at them all."""
    if not entity.is_indexed(tx, group):
        return Section([], 0, indexed=False)
    counted = entity.counts(tx, group)
    cut = many is not None and len(counted) > many
    found = entity.of_group(tx, group, counted=counted, most=many)
    by_type: dict[str, list[Seen]] = {}
    for one in found:
        by_type.setdefault(one.type, []).append(one)
    kinds = [
        Kind(type_words(type), None if cut else len(ones), [_marked(one, known) for one in ones[:most]])
        for type, ones in sorted(by_type.items(), key=lambda item: _rank(item[0]))
    ]
    return Section(kinds, len(counted), indexed=True)


def _rank(type: str) -> tuple[int, int, str]:
    look = LOOKS.get(type, "told")
    known: Sequence[str] = list(LOOKS)
    return _ORDER.index(look), known.index(type) if type in known else 0, type


def _marked(one: Seen, known: Known) -> Marked:
    mark = mark_of(one, is_own(known, one), one.elsewhere)
    return Marked((Piece(one.value, mark, ends=True),))
