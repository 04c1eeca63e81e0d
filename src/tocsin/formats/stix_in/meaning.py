"""What an object means, in normal form. Only indicators, sightings and observations speak of sides and times."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from tocsin.formats.stix_in import slips
from tocsin.formats.stix_in.document import Thing
from tocsin.formats.stix_in.observed import Flow, endpoint
from tocsin.formats.stix_in.pattern import Value
from tocsin.model import Detection, Endpoint, Severity

SEVERITIES = {
    "info": Severity.INFO, "informational": Severity.INFO, "none": Severity.INFO, "low": Severity.LOW,
    "medium": Severity.MEDIUM, "moderate": Severity.MEDIUM, "high": Severity.HIGH, "critical": Severity.CRITICAL,
}  # fmt: skip
_LABEL = re.compile(
    r'(?:[a-z0-9-]{1,40}:)?(?:severity|threat[-_ ]level)\s*[:=]\s*"?([a-z]{1,20})(?:-risk)?"?', re.IGNORECASE
)
_SAYING = re.compile(r"(?:x_[a-z0-9_]{1,60}_)?(?:severity|threat_level)")
MOST_SIDES = 64


def plain(thing: Thing) -> Detection:
    """Of any object: what it is called, how sure and how bad somebody says it is, and when it was said."""
    return Detection(
        name=thing.said("name"),
        description=thing.said("description"),
        severity=Severity.INFO if thing.revoked else severity(thing),
        confidence=confidence(thing),
        detected=thing.time("modified", "created"),
    )


def of_indicator(thing: Thing, looked_for: Sequence[Value]) -> Detection:
    """An indicator: its values are the attacking side, unless it was taken back."""
    if slips.is_slips(thing) and not thing.revoked:
        return slips.detection(thing, looked_for[0].value if looked_for else "")
    bad = None if thing.revoked else endpoint(looked_for)
    kinds = thing.listed("indicator_types") or thing.listed("labels")
    return msgspec.structs.replace(
        plain(thing),
        category=kinds[0] if kinds else "",
        detected=thing.time("valid_from", "created"),
        sources=() if bad is None else (bad,),
    )


def of_observed(thing: Thing, flows: Iterable[Flow]) -> Detection:
    """What was seen: the sides of its connections. Who of single addresses attacked, it does not say."""
    sources, targets, protocols = _sides(flows, frozenset())
    start, end = thing.time("first_observed"), thing.time("last_observed")
    return msgspec.structs.replace(
        plain(thing),
        detected=thing.time("last_observed", "first_observed", "modified", "created"),
        start=start,
        end=end,
        sources=sources,
        targets=targets,
        protocols=protocols,
    )


def of_sighting(thing: Thing, seen: Detection, flows: Iterable[Flow]) -> Detection:
    """That something was seen: `seen` is what that means, `flows` are those that were observed with it."""
    bad = frozenset(value for side in seen.sources for value in (*side.addresses, *side.hostnames))
    sources, targets, protocols = _sides(flows, bad)
    first, last = thing.time("first_seen"), thing.time("last_seen")
    own = plain(thing)
    return msgspec.structs.replace(
        own,
        name=own.name or seen.name,
        category=seen.category,
        description=own.description or seen.description,
        severity=own.severity if own.severity is not None else seen.severity,
        confidence=own.confidence if own.confidence is not None else seen.confidence,
        detected=thing.time("last_seen", "first_seen", "modified", "created"),
        start=first,
        end=last,
        sources=() if thing.revoked else seen.sources or sources,
        targets=targets or seen.targets,
        protocols=protocols,
        flow_uids=seen.flow_uids,
    )


def confidence(thing: Thing) -> float | None:
    """0 to 100 in STIX, 0 to 1 here."""
    value = thing.properties.get("confidence")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    return value / 100


def severity(thing: Thing) -> Severity | None:
    """STIX has none; what authors say of their own, in a property or a label of that name, is understood as a word."""
    for name, value in thing.properties.items():
        if isinstance(value, str) and _SAYING.fullmatch(name) and (found := SEVERITIES.get(value.lower())) is not None:
            return found
    labels = (_LABEL.fullmatch(label) for label in thing.listed("labels")[:100])
    words = (SEVERITIES.get(found[1].lower()) for found in labels if found)
    return next((one for one in words if one is not None), None)


def _sides(
    flows: Iterable[Flow], bad: frozenset[str]
) -> tuple[tuple[Endpoint, ...], tuple[Endpoint, ...], tuple[str, ...]]:
    """Who began and who was spoken to; where one of the `bad` is spoken to, the sides are the other way round."""
    sources: dict[Endpoint, None] = {}
    targets: dict[Endpoint, None] = {}
    protocols: dict[str, None] = {}
    for one in flows:
        source, target = one.source, one.target
        if target is not None and not bad.isdisjoint((*target.addresses, *target.hostnames)):
            source, target = target, source
        if source is not None and len(sources) < MOST_SIDES:
            sources[source] = None
        if target is not None and len(targets) < MOST_SIDES:
            targets[target] = None
        protocols |= dict.fromkeys(one.protocols)
    return tuple(sources), tuple(targets), tuple(protocols)[:MOST_SIDES]
