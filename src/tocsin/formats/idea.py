"""IDEA0: one object for each alert (idea.cesnet.cz, the strict schema).

An event is a pure function of the alertgroup, the alert and its detection: the same alert gives the same bytes at
every attempt. What stands where:
- ID: the alert's uid. Category: the detector's word by the table of `idea_categories`; a word nobody knows is `Other`,
  which the taxonomy has for that, and `Test` only where the detector said Test.
- DetectTime (mandatory): when it was detected, else when the alertgroup was made, else when it was received.
  CreateTime: when it was received; EventTime and CeaseTime: begin and end, where known.
- Description: the detection's name or sentence, else the alertgroup's subject. Note: the sentence, where
  there are both.
- Source and Target: one object for each endpoint. Proto stands at both, since a port means nothing without it.
- TLP: as Mentat reads it, where somebody set it. uids: the flow ids, as Slips wrote them.
- _Tocsin: what IDEA0 has no word for: the detector's own category, the severity, the alertgroup.
"""

import re
from functools import lru_cache

import msgspec

from tocsin.formats.idea_categories import DEFAULT, Categories
from tocsin.formats.times import rfc3339, writable
from tocsin.model import TLP, Alert, Alertgroup, Detection, Endpoint, Micros, Severity

NODE_NAME = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")
"""NSID: labels of lower-case letters, digits and underscores with dots between, none beginning with a digit."""

LINE_ENDS = ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))
"""Line ends of Unicode that JSON leaves as they are, though many line readers stop at them."""
EMPTY = Detection()


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="pascal", gc=False):
    """A part of an event; what is empty is left out."""


class Node(Struct, frozen=True, kw_only=True):
    """Who saw or relayed the event."""

    name: str
    type: tuple[str, ...] = ()
    sw: tuple[str, ...] = msgspec.field(default=(), name="SW")


class Machine(Struct, frozen=True, kw_only=True):
    """A source or target."""

    ip4: tuple[str, ...] = msgspec.field(default=(), name="IP4")
    ip6: tuple[str, ...] = msgspec.field(default=(), name="IP6")
    hostname: tuple[str, ...] = ()
    mac: tuple[str, ...] = msgspec.field(default=(), name="MAC")
    port: tuple[int, ...] = ()
    proto: tuple[str, ...] = ()
    url: tuple[str, ...] = msgspec.field(default=(), name="URL")
    email: tuple[str, ...] = ()


class Extra(Struct, frozen=True, kw_only=True):
    """Ours, under the one private key `_Tocsin`."""

    alertgroup: int = 0
    alertgroup_uid: str = msgspec.field(default="", name="AlertgroupUID")
    subject: str = ""
    sources: tuple[str, ...] = ()
    category: str = ""
    severity: str = ""


class Event(Struct, frozen=True, kw_only=True):
    """One IDEA0 object."""

    format: str
    id: str = msgspec.field(default="", name="ID")
    create_time: str = ""
    detect_time: str
    event_time: str = ""
    cease_time: str = ""
    category: tuple[str, ...]
    confidence: float | None = None
    description: str = ""
    note: str = ""
    source: tuple[Machine, ...] = ()
    target: tuple[Machine, ...] = ()
    node: tuple[Node, ...] = ()
    tlp: str = msgspec.field(default="", name="TLP")
    uids: tuple[str, ...] = msgspec.field(default=(), name="uids")
    extra: Extra | None = msgspec.field(default=None, name="_Tocsin")


def lines(group: Alertgroup, node: str = "tocsin", categories: Categories = DEFAULT) -> bytes:
    """Every alert of a group as one JSON object on a line of its own, in order; an alert needs its detection set."""
    writer = Writer(group, node, categories)
    text = _ENCODER.encode_lines([writer.event(alert, alert.detection or EMPTY) for alert in group.alerts])
    for end, written in LINE_ENDS:
        if end in text:
            text = text.replace(end, written)
    return text


class Writer:
    """Writes the alerts of one stored group; what they share is made once."""

    def __init__(self, group: Alertgroup, node: str = "tocsin", categories: Categories = DEFAULT) -> None:
        """`node` names this hub. Raises ValueError if it is no `NODE_NAME`."""
        self._group = group
        self._node = _node(node)
        self._categories = categories.of
        self._created = _time(group.received or None)
        self._detected = _time(group.created) or rfc3339(group.received)
        self._tlp = "" if group.tlp is TLP.UNSET else group.tlp.value.upper().replace("+", "-")
        self._extras: dict[tuple[str, Severity | None, bool], Extra] = {}

    def event(self, alert: Alert, detection: Detection) -> Event:
        """One stored alert as IDEA0."""
        proto = _proto(detection.protocols)
        description = detection.name or detection.description or self._group.subject
        return Event(
            format="IDEA0",
            id=alert.uid,
            create_time=self._created,
            detect_time=_time(detection.detected) or self._detected,
            event_time=_time(detection.start),
            cease_time=_time(detection.end),
            category=self._categories(detection.category),
            confidence=detection.confidence,
            description=description,
            note=detection.description if detection.name else "",
            source=tuple([_machine(end, proto) for end in detection.sources]),
            target=tuple([_machine(end, proto) for end in detection.targets]),
            node=self._node,
            tlp=self._tlp,
            uids=detection.flow_uids,
            extra=self._extra(detection, description),
        )

    def _extra(self, detection: Detection, description: str) -> Extra:
        group = self._group
        known = (detection.category, detection.severity, group.subject == description)
        if known not in self._extras:
            self._extras[known] = Extra(
                alertgroup=group.id,
                alertgroup_uid=group.uid,
                subject="" if group.subject == description else group.subject,
                sources=group.sources,
                category=detection.category,
                severity="" if detection.severity is None else detection.severity.name.lower(),
            )
        return self._extras[known]


def _time(micros: Micros | None) -> str:
    return rfc3339(micros) if micros is not None and writable(micros) else ""


def _machine(endpoint: Endpoint, proto: tuple[str, ...]) -> Machine:
    ip4, ip6 = _by_version(endpoint.addresses)
    return Machine(
        ip4=ip4,
        ip6=ip6,
        hostname=endpoint.hostnames,
        mac=endpoint.macs,
        port=endpoint.ports,
        proto=proto,
        url=endpoint.urls,
        email=endpoint.emails,
    )


@lru_cache(4096)
def _by_version(addresses: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (
        tuple([address for address in addresses if ":" not in address]),
        tuple([address for address in addresses if ":" in address]),
    )


@lru_cache(64)
def _node(name: str) -> tuple[Node, ...]:
    if not NODE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no node name: lower-case letters, digits and underscores, dots between labels")
    return (Node(name=name, type=("Relay",), sw=("Tocsin",)),)


@lru_cache(1024)
def _proto(protocols: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the form IDEA0 takes: letters, digits and single dashes, at least one letter."""
    names = ("-".join(re.findall(r"[a-z0-9]+", protocol.lower())) for protocol in protocols)
    return tuple(name for name in names if re.search("[a-z]", name))


_ENCODER = msgspec.json.Encoder()
