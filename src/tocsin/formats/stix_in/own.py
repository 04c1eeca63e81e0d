"""Knows what this Tocsin wrote itself when it comes back from others, so that no alert feeds on itself."""

from collections.abc import Iterable, Sequence

from tocsin.formats.stix.feed import identity_id
from tocsin.formats.stix.ids import ours
from tocsin.formats.stix_in.document import Thing, thing
from tocsin.formats.stix_in.marks import PUBLISHED
from tocsin.formats.stix_in.slips import PREFIX


class Own:
    """What was written under these names; `hub` is the uid of this Tocsin."""

    def __init__(self, hub: str, names: Iterable[str]) -> None:
        self._hub = hub
        self._identities = frozenset(identity_id(hub, name) for name in names)

    def is_ours(self, one: Thing) -> bool:
        """Whether we wrote it: one of our identities, what names it as its author, or what Slips might have written.

        The last has no author; it is known by its id, where the alert was no evidence of a Slips.
        """
        if one.id in self._identities or one.said("created_by_ref") in self._identities:
            return True
        evidence = one.said(f"{PREFIX}evidence_id")
        return bool(evidence) and one.id == ours("indicator", self._hub, "slips", evidence)

    def others(self, texts: Sequence[bytes]) -> list[bytes]:
        """The objects of others, in order, each as it was.

        Values and markings have no author: those that nothing but ours refers to are ours. The markings that OASIS
        published are nobody's news: they are left out where nothing refers to them.
        """
        things = [thing(text) for text in texts]
        mine = [one for one in things if self.is_ours(one) or one.id in PUBLISHED]
        if not mine:
            return list(texts)
        without_author = {one.id: one for one in things if one.id and "created_by_ref" not in one.properties}
        gone = {id(one) for one in mine}
        told = _reached(mine, without_author)
        kept = [one for one in things if id(one) not in gone and one.id not in told]
        needed = _reached(kept, without_author)
        for one in mine:
            if one.id in PUBLISHED and one.id in needed:
                gone.discard(id(one))
        return [one.text for one in things if id(one) not in gone and (one.id not in told or one.id in needed)]


def ends_unexplained(texts: Sequence[bytes]) -> bool:
    """Whether the last object is a value, a marking or an identity: what it was handed in for may come behind it."""
    if not texts:
        return False
    last = thing(texts[-1])
    return last.type in ("identity", "marking-definition") or not last.said("created")


def _reached(things: Iterable[Thing], shared: dict[str, Thing]) -> set[str]:
    """The ids of those without an author that are referred to, directly or by one that is."""
    found: set[str] = set()
    waiting = list(things)
    while waiting:
        one = waiting.pop()
        for ref in _refs(one):
            if ref in shared and ref not in found:
                found.add(ref)
                waiting.append(shared[ref])
    return found


def _refs(one: Thing) -> Iterable[str]:
    for name, value in one.properties.items():
        if name.endswith("_ref") and isinstance(value, str):
            yield value
        elif name.endswith("_refs"):
            yield from one.listed(name)
