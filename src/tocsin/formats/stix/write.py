"""Alertgroups as STIX 2.1: what their alerts truly say, and no more.

For each alert the observables that stand in it and one observed-data; for each value that an alertgroup says is bad an
indicator, with a sighting and a relationship `based-on` for each alert that says so; one grouping around all of it,
with a link back; our identity, and the TLP 2.0 marking that everything bears.

Bad is who attacked: the addresses, names, URLs and mail addresses of a detection's sources, unless they are our own or
of nobody (`values.nobodys`), and unless the detection says that it is a test or not severe enough. Types of entities
may be named that are bad wherever they stand in such an alert; `port` and `user_agent` among them are the ports that
were attacked and the cells of columns of that name.

All ids come from ours, so what is sent twice is the same object twice; `modified` is the time the caller gives it.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypedDict

from tocsin.formats.stix import observables, values
from tocsin.formats.stix.ids import ours
from tocsin.formats.stix.markings import MARKINGS
from tocsin.formats.stix.objects import (
    SPEC,
    Grouping,
    Identity,
    Indicator,
    Object,
    ObservedData,
    Reference,
    Refs,
    Relationship,
    Sighting,
)
from tocsin.formats.stix.patterns import pattern
from tocsin.formats.times import rfc3339, writable
from tocsin.model import Alert, Alertgroup, Detection, Entity, Micros, Severity

Own = Callable[[str, str], bool]
"""Whether a value (type, value) is ours: an own address, network, name."""
EMPTY = Detection()
ASSERTABLE = frozenset(("ipv4", "ipv6", "domain", "url", "email"))
"""What an attacker is known by; a MAC address names a device of our own network."""
TRANSPORTS = frozenset(("tcp", "udp", "sctp"))
NOT_LETTERS = re.compile(r"[^a-z]")
ANOMALIES = ("anomal", "unusual", "suspicious", "weird")
ANONYMIZERS = ("tor_exit", "tor exit", "proxy", "vpn")


class Written(NamedTuple):
    """What became of an alertgroup."""

    objects: tuple[Object, ...]
    indicators: int

    @property
    def asserts_nothing(self) -> bool:
        """Whether no value was said to be bad: there may be observations, or nothing at all."""
        return not self.indicators


class Common(TypedDict):
    """What all objects of a group with versions have alike."""

    spec_version: str
    created_by_ref: str
    created: str
    modified: str
    object_marking_refs: Refs


class Claim(NamedTuple):
    """What an indicator says, of all alerts that say it."""

    id: str
    pattern: str
    detection: Detection
    since: Micros
    confidence: int | None


class Writer:
    """Writes stored alertgroups in one identity's name."""

    def __init__(
        self,
        identity: Identity,
        own: Own,
        *,
        link: str = "",
        least: Severity = Severity.LOW,
        asserted: frozenset[str] = frozenset(),
        hub: str = "",
    ) -> None:
        """What to write by.

        Args:
            identity: whose word it is; see `identity`.
            own: what is never said to be bad.
            link: where this Tocsin is, `https://tocsin.example`, for the link back; empty for none.
            least: an alert of lower severity says of nothing that it is bad; one that has none may.
            asserted: types of entities that are bad wherever they stand in an alert that may say so, such as `sha256`.
            hub: the uid of this Tocsin, so that no other one makes the same ids.
        """
        self._identity = identity
        self._own = own
        self._link = link.rstrip("/")
        self._least = least
        self._asserted = asserted
        self.hub = hub
        self._judged = lru_cache(8192)(self._judge)

    def write(
        self,
        group: Alertgroup,
        entities: Mapping[int, Sequence[Entity]] | None = None,
        modified: Micros | None = None,
        about: Sequence[Entity] = (),
    ) -> Written:
        """All objects of a stored group, in an order in which none comes before what it refers to.

        Args:
            group: with its uid and its alerts' detections.
            entities: what stands in each alert, by its index.
            modified: when the group last changed; when it was received, if not given.
            about: what stands in subject and body. Nothing of it was observed, but vulnerabilities and techniques are
                referred to.

        Raises:
            ValueError: the group has no uid.
        """
        return _Group(self, group, entities or {}, modified, about).written()

    def bad(self, alert: Alert, entities: Iterable[Entity]) -> Iterator[tuple[str, str, str]]:
        """The values that an alert says are bad: type, value and pattern of each."""
        detection = alert.detection or EMPTY
        if detection.category.casefold() == "test":
            return
        if detection.severity is not None and detection.severity < self._least:
            return
        named = (one for source in detection.sources for one in observables.entities_of(source))
        found = [one for one in named if one[0] in ASSERTABLE]
        if self._asserted:
            found += [(one.type, one.value) for one in entities if one.type in self._asserted]
            found += [one for one in _besides(alert, detection) if one[0] in self._asserted]
        for type, value in dict.fromkeys(found):
            if made := self._judged(type, value):
                yield type, value, made

    def _judge(self, type: str, value: str) -> str:
        """The pattern of a value that may be said to be bad; "" for any other."""
        made = pattern(type, value)
        return "" if made and is_ours(self._own, type, value) else made

    @property
    def identity(self) -> Identity:
        """Whose word it is."""
        return self._identity

    def page(self, group: Alertgroup) -> str:
        """Where a group stands in this Tocsin; empty for nowhere that can be linked to."""
        return values.url(f"{self._link}/alerts/{group.id}") if self._link and group.id else ""


class _Group:
    """One alertgroup being written."""

    def __init__(
        self,
        writer: Writer,
        group: Alertgroup,
        entities: Mapping[int, Sequence[Entity]],
        modified: Micros | None,
        about: Sequence[Entity],
    ) -> None:
        if not group.uid:
            raise ValueError("an alertgroup is written once it is stored: it has no uid")
        self._writer = writer
        self._group = group
        self._entities = entities
        self._about = about
        self._at = group.received if writable(group.received) else 0
        marking = MARKINGS.get(group.tlp)
        self._marking = () if marking is None else (marking,)
        self._marked: Refs = tuple(one.id for one in self._marking)
        later = modified if modified is not None and writable(modified) else self._at
        self._common = Common(
            spec_version=SPEC,
            created_by_ref=writer.identity.id,
            created=stamp(self._at),
            modified=stamp(max(later, self._at)),
            object_marking_refs=self._marked,
        )
        self._page = writer.page(group)
        self._found: dict[str, Object] = {}
        self._claims: dict[tuple[str, str], Claim] = {}
        self._seen: list[Object] = []

    def written(self) -> Written:
        for index, alert in enumerate(self._group.alerts):
            self._alert(index, alert)
        indicators = [self._indicator(value, claim) for (_, value), claim in self._claims.items()]
        inner = [*self._found.values(), *indicators, *self._seen]
        if not inner:
            return Written((), 0)
        objects = (*self._marking, self._writer.identity, *inner, self._grouping([one.id for one in inner]))
        return Written(objects, len(indicators))

    def _alert(self, index: int, alert: Alert) -> None:
        detection = alert.detection or EMPTY
        entities = self._entities.get(index, ())
        first, last = self._times(detection)
        span = tuple(stamp(time) if time is not None and writable(time) else "" for time in _span(detection))
        seen = observables.of_alert(detection, entities, (span[0], span[1]), self._marked)
        uid = alert.uid or f"{self._group.uid}/{index}"
        observed: Refs = ()
        if seen:
            self._found.update((one.id, one) for one in seen)
            data = ObservedData(
                id=self._id("observed-data", uid),
                first_observed=stamp(first),
                last_observed=stamp(last),
                number_observed=1,
                object_refs=tuple(one.id for one in seen),
                external_references=self._references(uid),
                **self._common,
            )
            self._found[data.id] = data
            observed = (data.id,)
        for type, value, made in self._writer.bad(alert, entities):
            claim = self._learn(type, value, made, detection, first)
            self._seen += self._saying(claim.id, uid, (first, last), observed)

    def _learn(self, type: str, value: str, made: str, detection: Detection, first: Micros) -> Claim:
        claim, sure = self._claims.get((type, value)), percent(detection.confidence)
        if claim is None:
            claim = Claim(self._id("indicator", self._group.uid, type, value), made, detection, first, sure)
        elif first < claim.since or (sure is not None and (claim.confidence is None or sure > claim.confidence)):
            both = [one for one in (claim.confidence, sure) if one is not None]
            claim = claim._replace(since=min(claim.since, first), confidence=max(both, default=None))
        self._claims[type, value] = claim
        return claim

    def _id(self, type: str, *key: str) -> str:
        return ours(type, self._writer.hub, *key)

    def _indicator(self, value: str, claim: Claim) -> Indicator:
        name = claim.detection.name or claim.detection.category or self._group.subject
        return Indicator(
            id=claim.id,
            name=f"{name}: {value}" if name else value,
            description=claim.detection.description
            or self._group.subject
            or name
            or f"Seen by {self._writer.identity.name}",
            indicator_types=(kind(claim.detection),),
            pattern=claim.pattern,
            pattern_type="stix",
            pattern_version=SPEC,
            valid_from=stamp(claim.since),
            confidence=claim.confidence,
            labels=self._labels(),
            external_references=self._references(self._group.uid),
            **self._common,
        )

    def _saying(self, indicator: str, uid: str, span: tuple[Micros, Micros], observed: Refs) -> Iterator[Object]:
        """That one alert saw what an indicator is for."""
        yield Sighting(
            id=self._id("sighting", indicator, uid),
            first_seen=stamp(span[0]),
            last_seen=stamp(span[1]),
            count=1,
            sighting_of_ref=indicator,
            observed_data_refs=observed,
            where_sighted_refs=(self._writer.identity.id,),
            **self._common,
        )
        for data in observed:
            yield Relationship(
                id=self._id("relationship", indicator, data),
                relationship_type="based-on",
                source_ref=indicator,
                target_ref=data,
                **self._common,
            )

    def _grouping(self, refs: Sequence[str]) -> Grouping:
        standing = {one for entities in (self._about, *self._entities.values()) for one in entities}
        cves = sorted(one.value for one in standing if one.type == "cve")
        techniques = sorted(one.value for one in standing if one.type == "technique")
        return Grouping(
            id=grouping_id(self._writer.hub, self._group),
            name=self._group.subject,
            context="suspicious-activity",
            object_refs=tuple(refs),
            labels=self._labels(),
            external_references=(
                *self._references(self._group.uid),
                *(Reference(source_name="cve", external_id=cve) for cve in cves),
                *(Reference(source_name="mitre-attack", external_id=one) for one in techniques),
            ),
            **self._common,
        )

    def _labels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(filter(None, self._group.tags)))

    def _references(self, uid: str) -> tuple[Reference, ...]:
        return (Reference(source_name="tocsin", external_id=uid, url=self._page),)

    def _times(self, detection: Detection) -> tuple[Micros, Micros]:
        """When it began and ended; in want of better when the detector made its message, or it was received."""
        start, end = _span(detection)
        times = (start, detection.detected, end, self._group.created)
        first = next((time for time in times if time is not None and writable(time)), self._at)
        return first, max(first, end) if end is not None and writable(end) else first


def grouping_id(hub: str, group: Alertgroup) -> str:
    """The id of the grouping around all that is said of an alertgroup."""
    return ours("grouping", hub, group.uid)


def _besides(alert: Alert, detection: Detection) -> Iterator[tuple[str, str]]:
    """What is no entity and yet may be said to be bad: attacked ports, and user agents."""
    spoken = {word.lower() for word in detection.protocols} & TRANSPORTS
    protocol = f"{spoken.pop()}/" if len(spoken) == 1 else ""
    for target in detection.targets:
        for port in target.ports:
            yield "port", f"{protocol}{port}"
    for column, cell in alert.data.items():
        if isinstance(cell, str) and NOT_LETTERS.sub("", column.lower()).endswith("useragent"):
            yield "user_agent", cell


def is_ours(own: Own, type: str, value: str) -> bool:
    """Whether a value with a pattern is ours, or nobody's at all: then it is never said to be bad."""
    if type == "url":
        value = values.host(value)
        type = "domain"
    version, address = values.network(value)
    if version:
        return values.nobodys(address) or own("cidr" if "/" in address else f"ipv{version}", address)
    if type in ("domain", "email") and values.nobodys(value):
        return True
    return own(type, values.name(value) if type == "domain" else value)


def _span(detection: Detection) -> tuple[Micros | None, Micros | None]:
    """Begin and end of what was detected; no end that lies before the begin."""
    start, end = detection.start, detection.end
    return start, None if start is not None and end is not None and end < start else end


def identity(name: str, id: str = "", identity_class: str = "organization", since: Micros = 0) -> Identity:
    """Whose word it is. The same name has the same id, unless one is given; `since` is when it first spoke."""
    when = stamp(since)
    return Identity(
        spec_version=SPEC,
        id=id or ours("identity", name),
        created=when,
        modified=when,
        name=name,
        identity_class=identity_class,
    )


@lru_cache(4096)
def stamp(micros: Micros) -> str:
    """A time to the microsecond, so that times compare as their texts do. Raises ValueError before 1970, after 9999."""
    text = rfc3339(micros)
    return text if "." in text else f"{text[:-1]}.000000Z"


def percent(confidence: float | None) -> int | None:
    """A confidence of 0 to 1 in percent."""
    return None if confidence is None or not math.isfinite(confidence) else round(min(max(confidence, 0), 1) * 100)


def kind(detection: Detection) -> str:
    """The word of STIX's vocabulary for what an indicator finds."""
    words = f"{detection.category} {detection.name}".casefold()
    if any(word in words for word in ANONYMIZERS):
        return "anonymization"
    return "anomalous-activity" if any(word in words for word in ANOMALIES) else "malicious-activity"
