"""Alertgroups as documents of the Elastic Common Schema (ECS 8): one for each alert, nested, every key of its type.

A document is a pure function of what it is made of: the same alert gives the same bytes at every attempt.
- event.id: the alert's uid, the same for ever; who stores documents under it stores none twice.
- @timestamp: when it was detected, else when the alertgroup was made, else when it was received (event.created).
- event.kind alert, event.category by the table of IDEA's categories, event.type info, which ECS expects of them all.
- event.severity: 0, 21, 47, 73 or 99, as Elastic counts from info to critical; the word is in tocsin.severity.
- source, destination: the first of each side, as ECS has room for one; all addresses and names are in `related`.
- event.original: the row as received. tocsin: what ECS has no word for.

A recall is a document for each alert with the same event.id, event.kind `event` and event.action `recalled`.
"""

import ipaddress
from functools import lru_cache

import msgspec
from msgspec import UNSET, UnsetType

from tocsin.formats.idea.categories import DEFAULT, Categories
from tocsin.formats.times import rfc3339, writable
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Detection, Endpoint, Micros

VERSION = "8.11.0"
SEVERITIES = ((0, "info"), (21, "low"), (47, "medium"), (73, "high"), (99, "critical"))
"""By our severity: Elastic's number and the word."""
CATEGORIES = {
    "Abusive.Spam": "email",
    "Anomaly.Connection": "network",
    "Anomaly.Protocol": "network",
    "Anomaly.Traffic": "network",
    "Attempt.Login": "authentication",
    "Availability": "network",
    "Fraud.Phishing": "email",
    "Intrusion.Botnet": "malware",
    "Malware": "malware",
    "Recon": "network",
    "Vulnerable": "vulnerability",
}
"""IDEA's categories, or the tops of them, whose events have a category of their own beside intrusion_detection."""
TRANSPORTS = frozenset(
    ("tcp", "udp", "udplite", "icmp", "ipv6-icmp", "icmp6", "sctp", "dccp", "igmp", "gre", "esp", "ah")
)
EMPTY = Detection()
_ENCODER = msgspec.json.Encoder()


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A part of a document; what is empty is left out."""


class Version(Part, frozen=True, kw_only=True):
    """Which ECS this is."""

    version: str


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What happened; what is not set is left out."""

    kind: str = "alert"
    id: str
    category: tuple[str, ...] = ("intrusion_detection",)
    type: tuple[str, ...] = ("info",)
    module: str = "tocsin"
    dataset: str = "tocsin.alert"
    action: str | UnsetType = UNSET
    provider: str | UnsetType = UNSET
    severity: int | UnsetType = UNSET
    start: str | UnsetType = UNSET
    end: str | UnsetType = UNSET
    created: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    original: str | UnsetType = UNSET


class Rule(Part, frozen=True, kw_only=True):
    """What the detector calls it."""

    name: str = ""
    category: str = ""


class Side(Part, frozen=True, kw_only=True):
    """A source or destination; `address` is its IP address or else its name."""

    address: str = ""
    ip: str = ""
    port: int | UnsetType = UNSET
    domain: str = ""
    mac: str = ""


class Network(Part, frozen=True, kw_only=True):
    """What is spoken between them."""

    type: str = ""
    transport: str = ""
    protocol: str = ""


class Related(Part, frozen=True, kw_only=True):
    """Everybody in it."""

    ip: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


class Url(Part, frozen=True, kw_only=True):
    """The first URL in it, if possible of the target."""

    full: str = ""


class Addresses(Part, frozen=True, kw_only=True):
    """Of mail."""

    address: tuple[str, ...] = ()


NOBODY = Addresses()


class Email(Part, frozen=True, kw_only=True):
    """Who wrote to whom."""

    sender: Addresses = msgspec.field(default=NOBODY, name="from")
    to: Addresses = NOBODY


NO_EMAIL = Email()


class Group(Part, frozen=True, kw_only=True):
    """The alertgroup."""

    id: int = 0
    uid: str = ""
    subject: str = ""


class Own(Part, frozen=True, kw_only=True):
    """Ours."""

    alertgroup: Group
    sources: tuple[str, ...] = ()
    severity: str = ""
    confidence: float | UnsetType = UNSET
    flow_uids: tuple[str, ...] = ()
    recalled: bool = False


class Document(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One alert; what is not set is left out."""

    timestamp: str = msgspec.field(name="@timestamp")
    message: str
    ecs: Version = Version(version=VERSION)
    event: Event
    rule: Rule | UnsetType = UNSET
    source: Side | UnsetType = UNSET
    destination: Side | UnsetType = UNSET
    network: Network | UnsetType = UNSET
    related: Related | UnsetType = UNSET
    url: Url | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    labels: dict[str, str] | UnsetType = UNSET
    tocsin: Own


class EcsForm:
    """Writes alertgroups as one destination's configuration has it."""

    def __init__(self, link: str = "", categories: Categories = DEFAULT, *, original: bool = True) -> None:
        """`link`: where this Tocsin is, for event.url; `original`: whether the row stands in event.original."""
        self._link = link.rstrip("/")
        self._categories = categories.of
        self._original = original

    def documents(self, delivery: Delivery) -> list[bytes]:
        """A JSON object for each alert of the alertgroup or of its recall; an alert needs its detection set."""
        common = _Common(delivery.alertgroup, self._link)
        alerts = delivery.alertgroup.alerts
        if delivery.kind == "recall":
            made = [_recalled(alert, delivery, common) for alert in alerts]
        else:
            made = [self._document(alert, common) for alert in alerts]
        return _ENCODER.encode_lines(made).split(b"\n")[:-1]  # all at once: no line feed stands in JSON but as \n

    def _document(self, alert: Alert, common: "_Common") -> Document:
        meant = alert.detection or EMPTY
        message = meant.name or meant.description or common.group.subject
        grade, word = (UNSET, "") if meant.severity is None else SEVERITIES[meant.severity]
        url, email = _links(meant.sources, meant.targets)
        return Document(
            timestamp=_time(meant.detected) or common.timestamp,
            message=_one_line(message),
            event=Event(
                id=alert.uid,
                category=_ecs_categories(self._categories(meant.category)),
                provider=common.provider,
                severity=grade,
                start=UNSET if meant.start is None else _time(meant.start) or UNSET,
                end=UNSET if meant.end is None else _time(meant.end) or UNSET,
                created=common.received,
                reason=meant.description or UNSET,
                url=common.url,
                original=alert.json if self._original else UNSET,
            ),
            rule=_rule(meant.name, meant.category),
            source=_side(meant.sources),
            destination=_side(meant.targets),
            network=_network(meant.protocols, _version(meant.sources) or _version(meant.targets)),
            related=_related(meant.sources, meant.targets),
            url=url,
            email=email,
            tags=common.tags,
            labels=common.labels,
            tocsin=common.own(word, meant.confidence, meant.flow_uids),
        )


class _Common:
    """What the documents of one alertgroup have in common."""

    def __init__(self, group: Alertgroup, link: str) -> None:
        self.group = group
        self.received = _time(group.received or None) or UNSET
        self.timestamp = _time(group.created) or rfc3339(group.received)
        self.provider = group.sources[0] if group.sources else UNSET
        self.url = f"{link}/alerts/{group.id}" if link and group.id else UNSET
        self.tags = group.tags or UNSET
        self.labels = UNSET if group.tlp is TLP.UNSET else {"tlp": group.tlp.value.upper()}
        self.name = Group(id=group.id, uid=group.uid, subject=group.subject)
        self._own: dict[str, Own] = {}

    def own(self, severity: str, confidence: float | None, flow_uids: tuple[str, ...]) -> Own:
        """Our own key."""
        if severity not in self._own:
            self._own[severity] = Own(alertgroup=self.name, sources=self.group.sources, severity=severity)
        own = self._own[severity]
        if confidence is None and not flow_uids:
            return own
        sure = UNSET if confidence is None else confidence
        return msgspec.structs.replace(own, confidence=sure, flow_uids=flow_uids)


def _recalled(alert: Alert, delivery: Delivery, common: _Common) -> Document:
    """What takes the place of an alert that was sent in error."""
    subject = common.group.subject
    return Document(
        timestamp=rfc3339(delivery.owed),
        message=_one_line(f"Recalled: {subject}") if subject else "Recalled",
        event=Event(
            kind="event",
            id=alert.uid,
            action="recalled",
            provider=common.provider,
            created=common.received,
            reason=delivery.reason or UNSET,
            url=common.url,
        ),
        labels=common.labels,
        tocsin=Own(alertgroup=common.name, recalled=True),
    )


def _one_line(text: str) -> str:
    return " ".join(text.split()) if "\n" in text else text


def _time(micros: Micros | None) -> str:
    return rfc3339(micros) if micros is not None and writable(micros) else ""


@lru_cache(1024)
def _ecs_categories(categories: tuple[str, ...]) -> tuple[str, ...]:
    own = [CATEGORIES.get(each) or CATEGORIES.get(each.partition(".")[0]) for each in categories]
    return tuple(dict.fromkeys(["intrusion_detection", *filter(None, own)]))


def _side(ends: tuple[Endpoint, ...]) -> Side | UnsetType:
    if not ends:
        return UNSET
    end = ends[0]
    said = end.addresses[0] if end.addresses else ""
    ip = said if said and is_address(said) else ""
    port = end.ports[0] if end.ports else UNSET
    if not end.hostnames and not end.macs:
        return Side(address=said, ip=ip, port=port) if said or end.ports else UNSET
    domain = end.hostnames[0] if end.hostnames else ""
    mac = end.macs[0].upper().replace(":", "-") if end.macs else ""
    return Side(address=said or domain, ip=ip, port=port, domain=domain, mac=mac)


def _related(sources: tuple[Endpoint, ...], targets: tuple[Endpoint, ...]) -> Related | UnsetType:
    """Every address and name once."""
    addresses: dict[str, None] = {}
    names: dict[str, None] = {}
    for ends in (sources, targets):
        for end in ends:
            for address in end.addresses:
                if is_address(address):
                    addresses[address] = None
            if end.hostnames:
                names |= dict.fromkeys(end.hostnames)
    return Related(ip=tuple(addresses), hosts=tuple(names)) if addresses or names else UNSET


@lru_cache(16384)
def is_address(text: str) -> bool:
    """Whether Elasticsearch takes it for an address: no network, no range, no zone."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


@lru_cache(1024)
def _network(protocols: tuple[str, ...], version: str) -> Network | UnsetType:
    if not protocols:
        return UNSET
    names = [name.lower() for name in protocols]
    transport = next((name for name in names if name in TRANSPORTS), "")
    protocol = next((name for name in names if name not in TRANSPORTS), "")
    return Network(type=version, transport=transport, protocol=protocol)


@lru_cache(4096)
def _rule(name: str, category: str) -> Rule | UnsetType:
    return Rule(name=name, category=category) if name or category else UNSET


def _version(ends: tuple[Endpoint, ...]) -> str:
    """Which IP they speak, by the first that has an address."""
    for end in ends:
        if end.addresses:
            return "ipv6" if ":" in end.addresses[0] else "ipv4"
    return ""


def _links(sources: tuple[Endpoint, ...], targets: tuple[Endpoint, ...]) -> tuple[Url | UnsetType, Email | UnsetType]:
    """URLs and mail addresses, which few alerts have."""
    for end in (*targets, *sources):
        if end.urls or end.emails:
            break
    else:
        return UNSET, UNSET
    urls = [url for end in (*targets, *sources) for url in end.urls]
    email = Email(sender=_addresses(sources), to=_addresses(targets))
    return Url(full=urls[0]) if urls else UNSET, UNSET if email == NO_EMAIL else email


def _addresses(ends: tuple[Endpoint, ...]) -> Addresses:
    found = tuple([address for end in ends for address in end.emails])
    return Addresses(address=found) if found else NOBODY
