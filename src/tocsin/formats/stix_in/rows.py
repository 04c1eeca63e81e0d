"""Objects -> rows: what a person looks for first, then everything else that stands in the object, as it was spelled.

What an object refers to is told in its row where the document has it: who made it, what was sighted and observed, what
it is related to. What is told so needs no row of its own.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from tocsin.formats.stix_in import marks, meaning, observed, slips
from tocsin.formats.stix_in.document import Thing, clean, objects_in
from tocsin.formats.stix_in.pattern import Value, values
from tocsin.model import TLP, Alert, Detection

T = TypeVar("T")

FIRST = (
    "type", "name", "value", "evidence_type", "threat_level", "description", "content", "attacker", "victim", "profile",
    "timewindow", "src_port", "dst_port", "pattern", "values", "pattern_type", "indicator_types", "labels",
    "confidence", "revoked", "valid_from", "valid_until", "sighted", "observed", "count", "number_observed",
    "first_seen", "last_seen", "first_observed", "last_observed", "where_sighted", "relationships", "refers_to",
    "created_by", "tlp", "markings", "external_references", "created", "modified", "id", "stix_id",
)  # fmt: skip
"""The columns in their order; those of an author's own come behind."""
RANK = {name: rank for rank, name in enumerate(FIRST)}
DERIVED = frozenset(("values", "sighted", "observed", "where_sighted", "relationships", "refers_to", "created_by",
                     "tlp", "markings"))  # fmt: skip
VERSIONED = frozenset(("type", "id", "spec_version", "created", "modified", "created_by_ref", "object_marking_refs"))
_RELATED = VERSIONED | {"relationship_type", "source_ref", "target_ref"}
_TOLD_OTHERWISE = frozenset(("created_by_ref", "object_marking_refs", "sighting_of_ref", "observed_data_refs",
                             "where_sighted_refs"))  # fmt: skip

MOST_TOLD = 30_000
"""Mentions of objects in rows of others, in a whole document, and …"""
MOST_CHARACTERS = 1_000_000
"""… their characters, besides some times its own length: a stranger's references shall not multiply it."""
MOST_REFS = 1000
MOST_COLUMNS = 1000
LONGEST = 200
"""Characters of a name that is told in another row."""


Inside = list[tuple[observed.Properties, observed.Known]]
"""Observables, each with those that it may refer to."""


class Rows:
    """The objects of a document, and the row of each that was asked for."""

    def __init__(self, things: Sequence[Thing]) -> None:
        self.told: set[str] = set()
        self._latest: dict[str, Thing] = {}
        self._related: dict[str, list[Thing]] = {}
        self._made: dict[int, Alert] = {}
        self._tlp: dict[int, TLP] = {}
        self._columns: set[str] = set(FIRST)
        self._insides: dict[int, Inside] = {}
        self._means: dict[int, tuple[Detection, list[str]]] = {}
        self._left, self._characters = MOST_TOLD, MOST_CHARACTERS + 4 * sum(len(one.text) for one in things)
        for thing in things:
            known = self._latest.get(thing.id)
            if thing.id and (known is None or known.version < thing.version):
                self._latest[thing.id] = thing
        self._observables = {id: one.properties for id, one in self._latest.items()}
        for thing in self._latest.values():
            if thing.type == "relationship":
                for end in dict.fromkeys((thing.said("source_ref"), thing.said("target_ref"))):
                    self._related.setdefault(end, []).append(thing)

    def latest(self, id: str) -> Thing | None:
        """The object of that id, in its latest version."""
        return self._latest.get(id)

    def is_latest(self, thing: Thing) -> bool:
        """Whether no later version of it is here."""
        return self._latest.get(thing.id) is thing

    def is_quiet(self, thing: Thing) -> bool:
        """Whether another row may tell all of it; where none does, it is a row like any other."""
        if not self.is_latest(thing):
            return False
        match thing.type:
            case "identity" | "marking-definition":
                return not thing.revoked
            case "relationship":
                ends = (self._latest.get(thing.said(end)) for end in ("source_ref", "target_ref"))
                loud = any(end is not None and not self._stays_quiet(end) for end in ends)
                return loud and _RELATED.issuperset(thing.properties)
        return observed.is_told(thing.properties)

    @staticmethod
    def _stays_quiet(thing: Thing) -> bool:
        return thing.type in ("identity", "marking-definition", "relationship", "grouping", "report") or (
            observed.is_told(thing.properties)
        )

    def tlp(self, thing: Thing) -> TLP:
        """How far an object may travel, by all its markings."""
        known = self._tlp.get(id(thing))
        if known is None:
            found = (self._latest.get(ref) for ref in marks.refs(thing))
            here = [marks.definition(one.properties) for one in found if one is not None]
            known = marks.guarded([marks.PUBLISHED.get(ref, TLP.UNSET) for ref in marks.refs(thing)] + here)
            self._tlp[id(thing)] = known
        return known

    def alert(self, thing: Thing) -> Alert:
        """Its row, the same one whoever asks."""
        known = self._made.get(id(thing))
        if known is None:
            known = self._made[id(thing)] = self._alert(thing)
        return known

    def author(self, thing: Thing) -> str:
        """The name of who made it; the id of one who is not here."""
        ref = thing.said("created_by_ref")
        return self._name(ref) if ref else ""

    def _alert(self, thing: Thing) -> Alert:
        cells, detection = self._cells(thing)
        if not self._columns.issuperset(cells):
            if len(self._columns) + len(cells) > MOST_COLUMNS:
                cells = {name: cell for name, cell in cells.items() if name in RANK} | _whole(thing)
            self._columns.update(cells)
        return Alert.of(dict(sorted(cells.items(), key=lambda item: RANK.get(item[0], len(RANK)))), detection)

    def _cells(self, thing: Thing) -> tuple[dict[str, Any], Detection]:
        if not thing.properties:
            return {"type": ""} | _whole(thing), Detection()
        cells: dict[str, Any] = {}
        detection = self._told_of(thing, cells)
        cells["created_by"] = self.author(thing)
        cells["markings"] = [word for ref in marks.refs(thing)[:MOST_REFS] if (word := self._marking(ref))]
        cells["tlp"] = tlp.value if (tlp := self.tlp(thing)) is not TLP.UNSET else ""
        cells["relationships"] = list(self._relationships(thing))
        cells = {name: cell for name, cell in cells.items() if cell not in ("", [], None)}
        for name, raw in thing.spelling.items():
            if "evidence_type" in cells and slips.is_told(name, thing.properties[name]):
                continue
            if name == "external_references":
                cells[name] = _references(thing, raw)
            elif name in cells or name in DERIVED:
                cells[f"stix_{name}" if f"stix_{name}" not in thing.spelling else f"stix.{name}"] = raw
            else:
                cells[name] = raw
        return cells, detection

    def _told_of(self, thing: Thing, cells: dict[str, Any]) -> Detection:
        """Put into the cells what the object's type makes worth telling; and say what it means."""
        match thing.type:
            case "indicator":
                found = _looked_for(thing)
                if slips.is_slips(thing):
                    cells |= slips.cells(thing, found[0].value if found else "")
                cells["values"] = list(dict.fromkeys(value.value for value in found))
                return meaning.of_indicator(thing, found)
            case "sighting":
                return self._sighting(thing, cells)
            case "observed-data":
                inside = list(self._mentioned(self._inside(thing)))
                cells["observed"] = self._texts(inside)
                return meaning.of_observed(thing, _flows(inside))
            case "network-traffic":
                inside = [(thing.properties, self._observables)]
                cells["observed"] = self._texts(inside)
                return meaning.of_observed(thing, _flows(inside))
        cells["refers_to"] = [self._name(ref) for ref in _refs(thing)]
        return meaning.plain(thing)

    def _sighting(self, thing: Thing, cells: dict[str, Any]) -> Detection:
        seen = self._latest.get(thing.said("sighting_of_ref"))
        what, short = self._meant(seen) if seen is not None else (Detection(), [])
        cells["values"] = [value for value in self._mentioned(short) if self._has_room(value)]
        cells["sighted"] = self._name(thing.said("sighting_of_ref"))
        cells["where_sighted"] = [self._name(ref) for ref in thing.listed("where_sighted_refs")[:MOST_REFS]]
        data = (self._latest.get(ref) for ref in thing.listed("observed_data_refs")[:MOST_REFS])
        each = (one for each in data if each is not None for one in self._inside(each))
        inside = list(self._mentioned(each))
        cells["observed"] = self._texts(inside)
        return meaning.of_sighting(thing, what, _flows(inside))

    def _meant(self, thing: Thing) -> tuple[Detection, list[str]]:
        """What a sighted object means, and the values that it looks for, as far as they are told of a sighting."""
        known = self._means.get(id(thing))
        if known is None:
            found = _looked_for(thing) if thing.type == "indicator" else []
            means = meaning.of_indicator(thing, found) if thing.type == "indicator" else meaning.plain(thing)
            short = dict.fromkeys(value.value for value in found if len(value.value) <= LONGEST)
            known = self._means[id(thing)] = (means, list(short))
        return known

    def _inside(self, thing: Thing) -> Inside:
        """The observables of an observed-data, as far as they are looked into."""
        found = self._insides.get(id(thing))
        if found is None:
            objects = thing.properties.get("objects")
            inner = objects.items() if isinstance(objects, dict) else ()
            known = {key: one for key, one in inner if isinstance(one, dict)}
            found = [(one, known) for one in list(known.values())[:MOST_REFS]]
            others = (self._latest.get(ref) for ref in thing.listed("object_refs")[:MOST_REFS])
            found += [(one.properties, self._observables) for one in others if one is not None]
            self._insides[id(thing)] = found
        return found

    def _texts(self, inside: Inside) -> list[str]:
        """What observables are; that they were told is noted, of those too that stand in the text of a connection."""
        told: list[str] = []
        for one, known in inside:
            texts = observed.texts(one, known)
            if not texts or not self._has_room(*texts):
                continue
            told += texts
            refs = (one.get("src_ref"), one.get("dst_ref")) if one.get("type") == "network-traffic" else ()
            self.told.update(id for id in (one.get("id"), *refs) if isinstance(id, str))
        return told

    def _relationships(self, thing: Thing) -> Iterator[str]:
        """`indicates malware Emotet`, and from the other end `indicator Emotet's server indicates this`."""
        if not self.is_latest(thing) or thing.type == "relationship":
            return
        for one in self._mentioned(self._related.get(thing.id, ())):
            word = one.said("relationship_type")[:LONGEST]
            source, target = one.said("source_ref"), one.said("target_ref")
            text = f"{word} {self._name(target)}" if source == thing.id else f"{self._name(source)} {word} this"
            if not self._has_room(text):
                return
            self.told.add(one.id)
            yield f"no longer: {text}" if one.revoked else text

    def _name(self, ref: str) -> str:
        """What an object is called: its type and name; an identity's name alone; its id if it is not here."""
        thing = self._latest.get(ref)
        if thing is None:
            return clean(ref)[:LONGEST]
        name = thing.said("name")
        if thing.type == "identity" and name:
            self.told.add(ref)
            return name[:LONGEST]
        words = [] if name else observed.texts(thing.properties, self._observables)
        if words and self._has_room(*words):
            self.told.add(ref)
            return " ".join((thing.type, *words))
        return f"{thing.type} {name[:LONGEST]}" if name else clean(ref)[:LONGEST]

    def _marking(self, ref: str) -> str:
        """What a marking states; one of the published ones needs no telling."""
        thing = self._latest.get(ref)
        if thing is None or thing.type != "marking-definition":
            return ""
        said = marks.statement(thing.properties)
        if len(said) > LONGEST or not said:
            return ""
        self.told.add(ref)
        return "" if marks.definition(thing.properties) is not TLP.UNSET else clean(said)

    def _mentioned(self, things: Iterable[T]) -> Iterator[T]:
        """As many of them as may still be told in rows of others."""
        for thing in itertools.islice(things, MOST_REFS):
            if self._left <= 0:
                return
            self._left -= 1
            yield thing

    def _has_room(self, *texts: str) -> bool:
        """Whether so much may still be told in rows of others; from then on there is less."""
        size = sum(map(len, texts))
        if size > self._characters:
            return False
        self._characters -= size
        return True


def _flows(inside: Inside) -> Iterator[observed.Flow]:
    return (observed.flow(one, known) for one, known in inside if one.get("type") == "network-traffic")


def _looked_for(thing: Thing) -> list[Value]:
    """The values of an indicator's pattern; a rule of Snort or YARA has none that are its own."""
    return values(thing.said("pattern")) if thing.said("pattern_type") in ("", "stix") else []


def _refs(thing: Thing) -> list[str]:
    """The ids of everything that it refers to and that no other cell tells."""
    found: dict[str, None] = {}
    for name, value in thing.properties.items():
        if name in _TOLD_OTHERWISE:
            continue
        if name.endswith("_ref") and isinstance(value, str):
            found[value] = None
        elif name.endswith("_refs"):
            found |= dict.fromkeys(thing.listed(name)[:MOST_REFS])
    return list(found)[:MOST_REFS]


def _references(thing: Thing, raw: msgspec.Raw) -> Any:
    """`mitre-attack T1059 https://…` for each reference; as it is, if there stands more in one."""
    value = thing.properties.get("external_references")
    plain = list(objects_in(value))
    if not isinstance(value, list) or len(plain) != len(value) or not plain:
        return raw
    if any(not {"source_name", "external_id", "url"}.issuperset(one) for one in plain):
        return raw
    if any(not isinstance(text, str) for one in plain for text in one.values()):
        return raw
    return [" ".join(one[key] for key in ("source_name", "external_id", "url") if one.get(key)) for one in plain]


def _whole(thing: Thing) -> dict[str, Any]:
    """All of it in one cell: as JSON, or as text if it is none that can be read."""
    try:
        msgspec.json.decode(thing.text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"object": clean(thing.text.decode("utf-8", "replace"))}
    return {"object": msgspec.Raw(thing.text)}
