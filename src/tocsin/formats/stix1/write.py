"""An alertgroup as a STIX 1.2 package: what it says is bad as indicators, each sighting of them, and what was seen.

Ids come from the hub's uid and ours, so the same alertgroup is the same package at every attempt. What is bad is
decided by the writer of STIX 2.1.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lxml import etree

from tocsin.formats.stix import Writer
from tocsin.formats.stix.observables import entities_of
from tocsin.formats.stix.write import EMPTY, kind, percent, stamp
from tocsin.formats.stix1 import cybox, names
from tocsin.formats.stix1.names import under
from tocsin.formats.times import writable
from tocsin.model import TLP, Alert, Alertgroup, Detection, Entity, Micros

COLOURS = {TLP.CLEAR: "WHITE", TLP.GREEN: "GREEN", TLP.AMBER: "AMBER", TLP.AMBER_STRICT: "RED", TLP.RED: "RED"}
"""TLP 2.0 -> the colours that STIX 1.2 knows. It has no AMBER+STRICT: who knows colours alone gets the stricter one."""
STRICT = "TLP:AMBER+STRICT"
Value = tuple[str, str]
"""Type and value."""


class _Sighting(NamedTuple):
    at: Micros
    seen: tuple[str, ...]  # ids of observables


class _Claim:
    """What an indicator says, of all alerts that say it."""

    def __init__(self, detection: Detection) -> None:
        self.detection = detection
        self.confidence: int | None = None
        self.sightings: list[_Sighting] = []


class Package:
    """One alertgroup on its way to one partner."""

    def __init__(self, writer: Writer, hub: str, group: Alertgroup, entities: Mapping[int, Sequence[Entity]]) -> None:
        """`entities`: what stands in each alert, by its index. Raises ValueError: the group has no uid."""
        if not group.uid:
            raise ValueError("an alertgroup is written once it is stored: it has no uid")
        self._writer, self._hub, self._group = writer, hub, group
        self._at = group.received if writable(group.received) else 0
        self._observables = etree.Element(names.tag("stix:Observables"), nsmap=names.SPACES)
        for part, said in (("major", "2"), ("minor", "1"), ("update", "0")):
            self._observables.set(f"cybox_{part}_version", said)
        self._ids: dict[Value, str] = {}
        self._claims: dict[Value, _Claim] = {}
        for index, alert in enumerate(group.alerts):
            self._learn(alert, entities.get(index, ()))

    @property
    def asserts_nothing(self) -> bool:
        """Whether no value is said to be bad."""
        return not self._claims

    def written(self) -> bytes:
        """The package."""
        root = self._root(self._package, self._at)
        self._header(root, self._group.subject)
        if len(self._observables):
            root.append(self._observables)
        if self._claims:
            indicators = under(root, "stix:Indicators")
            for value, claim in self._claims.items():
                self._indicator(indicators, value, claim)
        self._incident(root, self._at, "New")
        return _encoded(root)

    def revoked(self, owed: Micros, reason: str = "") -> bytes:
        """That the package was sent in error (VersioningVocab-1.0, `Revokes`): of all of it, and of each indicator.

        STIX 1.2 has no flag for it: what revokes is a new construct of a later time, related to the one it revokes.
        The incident has a time and may be said anew, under its id: rejected.
        """
        at = max(owed if writable(owed) else 0, self._at + 1)
        root = self._root(self._id("Package", "recall"), at)
        self._header(root, f"Recalled: {self._group.subject}" if self._group.subject else "Recalled", reason)
        if self._claims:
            indicators = under(root, "stix:Indicators")
            for value in self._claims:
                self._revocation(indicators, value, at)
        self._incident(root, at, "Rejected", reason)
        related = under(under(root, "stix:Related_Packages"), "stix:Related_Package")
        under(related, "stixCommon:Relationship", "Revokes", type="stixVocabs:VersioningVocab-1.0")
        under(related, "stix:Package", idref=self._package, timestamp=stamp(self._at))
        return _encoded(root)

    def _learn(self, alert: Alert, entities: Sequence[Entity]) -> None:
        detection = alert.detection or EMPTY
        sides = (*detection.sources, *detection.targets)
        seen = [one for side in sides for one in entities_of(side)]
        seen += [(one.type, one.value) for one in entities]
        ids = tuple(dict.fromkeys(filter(None, map(self._observable, seen))))
        at = self._when(detection)
        for type, text, _ in self._writer.bad(alert, entities):
            value = (type, text)
            if not self._observable(value):
                continue
            claim = self._claims.setdefault(value, _Claim(detection))
            sure = [one for one in (claim.confidence, percent(detection.confidence)) if one is not None]
            claim.confidence = max(sure, default=None)
            claim.sightings.append(_Sighting(at, ids))

    def _observable(self, value: Value) -> str:
        """The id of what was seen, said once in a package; "" if CybOX has no object for it."""
        if value not in self._ids:
            id = names.identifier("Observable", self._hub, *value)
            made = under(self._observables, "cybox:Observable", id=id)
            fits = cybox.described(made, names.identifier("Object", self._hub, *value), *value, pattern=False)
            if not fits:
                self._observables.remove(made)
            self._ids[value] = id if fits else ""
        return self._ids[value]

    def _when(self, detection: Detection) -> Micros:
        times = (detection.start, detection.detected, detection.end, self._group.created)
        return next((time for time in times if time is not None and writable(time)), self._at)

    def _root(self, id: str, at: Micros) -> etree._Element:
        spaces = {**names.SPACES, names.PREFIX: names.namespace(self._hub)}
        return etree.Element(
            names.tag("stix:STIX_Package"), {"id": id, "version": "1.2", "timestamp": stamp(at)}, nsmap=spaces
        )

    def _header(self, root: etree._Element, title: str, said: str = "") -> None:
        header = under(root, "stix:STIX_Header")
        under(header, "stix:Title", title)
        under(header, "stix:Package_Intent", "Indicators", type="stixVocabs:PackageIntentVocab-1.0")
        if said:
            under(header, "stix:Description", said)
        if self._group.tlp in COLOURS:
            marking = under(under(header, "stix:Handling"), "marking:Marking")
            under(marking, "marking:Controlled_Structure", "//node() | //@*")
            colour = COLOURS[self._group.tlp]
            under(marking, "marking:Marking_Structure", type="tlpMarking:TLPMarkingStructureType", color=colour)
            if self._group.tlp is TLP.AMBER_STRICT:
                simple = under(marking, "marking:Marking_Structure", type="simpleMarking:SimpleMarkingStructureType")
                under(simple, "simpleMarking:Statement", STRICT)
        source = under(header, "stix:Information_Source")
        identity = under(source, "stixCommon:Identity", id=self._identity)
        under(identity, "stixCommon:Name", self._writer.identity.name)
        under(under(source, "stixCommon:Time"), "cyboxCommon:Produced_Time", stamp(self._at))
        page = self._writer.page(self._group)
        if page:
            under(under(source, "stixCommon:References"), "stixCommon:Reference", page)

    def _indicator(self, parent: etree._Element, value: Value, claim: _Claim) -> None:
        indicator = self._dated(parent, "stix:Indicator", self._id("indicator", *value), self._at)
        indicator.set("version", "2.2")
        said = claim.detection
        name = said.name or said.category or self._group.subject
        under(indicator, "indicator:Title", f"{name}: {value[1]}" if name else value[1])
        for type in _types(value[0], said):
            under(indicator, "indicator:Type", type, type="stixVocabs:IndicatorTypeVocab-1.1")
        under(indicator, "indicator:Description", said.description or self._group.subject or name)
        valid = under(indicator, "indicator:Valid_Time_Position")
        under(valid, "indicator:Start_Time", stamp(min(each.at for each in claim.sightings)))
        pattern = under(indicator, "indicator:Observable", id=self._id("Observable", "pattern", *value))
        cybox.described(pattern, self._id("Object", "pattern", *value), *value, pattern=True)
        if claim.confidence is not None:
            confidence = under(indicator, "indicator:Confidence")
            word = _confidence(claim.confidence)
            under(confidence, "stixCommon:Value", word, type="stixVocabs:HighMediumLowVocab-1.0")
            under(confidence, "stixCommon:Description", f"{claim.confidence} %")
        self._sightings(indicator, claim.sightings)
        under(under(indicator, "indicator:Producer"), "stixCommon:Identity", idref=self._identity)

    def _sightings(self, indicator: etree._Element, sightings: Sequence[_Sighting]) -> None:
        listed = under(indicator, "indicator:Sightings", sightings_count=str(len(sightings)))
        for each in sightings:
            sighting = under(listed, "indicator:Sighting", timestamp=stamp(each.at))
            under(under(sighting, "indicator:Source"), "stixCommon:Identity", idref=self._identity)
            related = under(sighting, "indicator:Related_Observables")
            for id in each.seen:
                under(under(related, "indicator:Related_Observable"), "stixCommon:Observable", idref=id)

    def _revocation(self, parent: etree._Element, value: Value, at: Micros) -> None:
        indicator = self._dated(parent, "stix:Indicator", self._id("indicator", "recall", *value), at)
        indicator.set("version", "2.2")
        under(indicator, "indicator:Title", f"Recalled: {value[1]}")
        related = under(under(indicator, "indicator:Related_Indicators"), "indicator:Related_Indicator")
        under(related, "stixCommon:Relationship", "Revokes", type="stixVocabs:VersioningVocab-1.0")
        under(related, "stixCommon:Indicator", idref=self._id("indicator", *value), timestamp=stamp(self._at))

    def _incident(self, root: etree._Element, at: Micros, status: str, said: str = "") -> None:
        incident = self._dated(under(root, "stix:Incidents"), "stix:Incident", self._id("incident"), at)
        incident.set("version", "1.2")
        page = self._writer.page(self._group)
        if page:
            incident.set("URL", page)
        under(incident, "incident:Title", self._group.subject)
        under(incident, "incident:External_ID", self._group.uid, source="tocsin")
        under(under(incident, "incident:Time"), "incident:Incident_Reported", stamp(self._at))
        if said:
            under(incident, "incident:Description", said)
        under(under(incident, "incident:Reporter"), "stixCommon:Identity", idref=self._identity)
        under(incident, "incident:Status", status, type="stixVocabs:IncidentStatusVocab-1.0")
        if self._claims and status == "New":
            related = under(incident, "incident:Related_Indicators")
            for value in self._claims:
                one = under(related, "incident:Related_Indicator")
                under(one, "stixCommon:Indicator", idref=self._id("indicator", *value), timestamp=stamp(self._at))

    def _dated(self, parent: etree._Element, name: str, id: str, at: Micros) -> etree._Element:
        space = "indicator" if name.endswith("Indicator") else "incident"
        type = f"{space}:{space.capitalize()}Type"
        return under(parent, name, type=type, id=id, timestamp=stamp(at))

    @property
    def _package(self) -> str:
        return self._id("Package")

    @property
    def _identity(self) -> str:
        return names.identifier("Identity", self._hub, self._writer.identity.name)

    def _id(self, kind: str, *key: str) -> str:
        return names.identifier(kind, self._hub, self._group.uid, *key)


def _encoded(root: etree._Element) -> bytes:
    etree.cleanup_namespaces(root, keep_ns_prefixes=[*names.SPACES, names.PREFIX])
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _types(type: str, detection: Detection) -> Iterator[str]:
    if kind(detection) == "anonymization":
        yield "Anonymization"
    if type in cybox.WATCHLISTS:
        yield cybox.WATCHLISTS[type]


def _confidence(percent: int) -> str:
    """The words for percents of STIX 2.1, appendix A."""
    if percent == 0:
        return "None"
    return "Low" if percent < 30 else "Medium" if percent < 70 else "High"
