"""Markings -> how far an object may travel: FIRST TLP 1.0 (STIX 2.0 and 2.1) and TLP 2.0, by object and by id."""

from collections.abc import Iterable, Mapping
from typing import Any

from tocsin.formats.stix.markings import EXTENSION, MARKINGS
from tocsin.formats.stix_in.document import Thing, objects_in
from tocsin.model import TLP

PUBLISHED: Mapping[str, TLP] = {marking.id: tlp for tlp, marking in MARKINGS.items()} | {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": TLP.CLEAR,
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": TLP.GREEN,
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": TLP.AMBER,
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": TLP.RED,
}
"""The objects that OASIS published, by their ids; the last four are TLP 1.0."""
_GUARD = {tlp: guard for guard, tlp in enumerate(TLP)}


def guarded(marks: Iterable[TLP]) -> TLP:
    """The most guarded of them; unset if nobody said."""
    return max(marks, key=_GUARD.__getitem__, default=TLP.UNSET)


def refs(thing: Thing) -> list[str]:
    """The ids of all its markings, those of parts of it too: what guards a part guards the row it stands in."""
    granular = objects_in(thing.properties.get("granular_markings"))
    parts = [ref for one in granular if isinstance(ref := one.get("marking_ref"), str)]
    return list(dict.fromkeys((*thing.listed("object_marking_refs"), *parts)))


def definition(marking: Mapping[str, Any]) -> TLP:
    """What a marking definition says; one that speaks of TLP in words that are none guards most."""
    if (known := PUBLISHED.get(str(marking.get("id")))) is not None:
        return known
    word = None
    extensions, inner = marking.get("extensions"), marking.get("definition")
    if isinstance(extensions, dict) and isinstance(extension := extensions.get(EXTENSION), dict):
        word = extension.get("tlp_2_0", "")
    elif isinstance(inner, dict):
        word = inner.get("tlp")
    if word is None:
        return TLP.RED if marking.get("definition_type") == "tlp" else TLP.UNSET
    try:
        return TLP(word) if isinstance(word, str) and word.strip() else TLP.RED
    except ValueError:
        return TLP.RED


def statement(marking: Mapping[str, Any]) -> str:
    """The words of a marking: its name, or what it states."""
    inner = marking.get("definition")
    stated = inner.get("statement") if isinstance(inner, dict) else None
    return next((one for one in (stated, marking.get("name")) if isinstance(one, str) and one), "")
