"""Alertgroups as lines of IDEA0: one object for each alert, and one for the alertgroup of several.

A line is a pure function of what it is made of: the same alert gives the same bytes at every attempt. What is where:
- ID: the alert's uid. Category: the detector's word by the table of `categories`; a word nobody knows is `Other`,
  which the taxonomy has for that, and `Test` only where the detector said Test.
- DetectTime (mandatory): when it was detected, else when the alertgroup was made, else when it was received.
  CreateTime: when it was received; EventTime and CeaseTime: begin and end, where known.
- Description: the detection's name or sentence, else the alertgroup's subject. Note: the sentence, where
  there are both.
- Source and Target: one object for each endpoint. Proto stands at both, since a port means nothing without it.
  Anonymised: its addresses are pseudonyms, of space that nobody routes.
- TLP: as Mentat reads it, where somebody set it. uids: the flow ids, as Slips wrote them.
- _Tocsin: what IDEA0 has no word for: the detector's own category, the severity, the alertgroup.

The line of an alertgroup stands behind those of its alerts and names them in CorrelID; its ID is the alertgroup's uid.
An alertgroup that came as IDEA0 with such an event of its own has no second one. What came as IDEA0 is `relayed`.

IDEA0 has no revocation. A recall is an event of its own that names what it replaces in PredID, with Confidence 0, which
IDEA0 defines as "surely false", the same categories, so that whoever filters by them gets it too, and no source or
target, so that nobody counts an attack more; Note has the reason.
"""

import re
from functools import lru_cache
from typing import Literal

import msgspec

from tocsin.formats.idea import relay, slips
from tocsin.formats.idea.categories import DEFAULT, Categories
from tocsin.formats.idea.mend import proto
from tocsin.formats.idea.objects import GONE_NAMES, NSID, Event, Extra, Machine, Node, Written, is_pseudonym
from tocsin.formats.times import rfc3339, writable
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint, Micros, Severity, worst_of

Profile = Literal["idea", "slips"]
Line = Event | relay.Cells
UNSET = msgspec.UNSET
NODE_NAME = re.compile(NSID)
LINE_ENDS = ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))
"""Line ends of Unicode that JSON leaves as they are, though many line readers stop at them."""
EMPTY = Detection()
_ENCODER = msgspec.json.Encoder()


class IdeaForm:
    """Writes alertgroups as one hub's configuration has it."""

    def __init__(
        self,
        node: str = "tocsin",
        categories: Categories = DEFAULT,
        profile: Profile = "idea",
        alertgroups: bool = True,
    ) -> None:
        """Learn what all events have in common.

        Args:
            node: the name of this hub.
            categories: the words there are.
            profile: `slips` adds the fields of Slips 1.1.1.
            alertgroups: whether an alertgroup of several alerts has a line of its own.

        Raises ValueError for a name that IDEA0 does not allow.
        """
        if not NODE_NAME.fullmatch(node):
            raise ValueError(
                f"{node!r} is no node name: lower-case letters, digits and underscores, dots between labels"
            )
        self._node = (Node(name=node, type=("Relay",), sw=("Tocsin",)),)
        self._gatherer = (Node(name=node, type=("Relay", "Correlation"), sw=("Tocsin",)),)
        self._node_json = _ENCODER.encode(self._node[0])
        self._categories = categories.of
        self._slips = profile == "slips"
        self._alertgroups = alertgroups

    def lines(self, group: Alertgroup) -> bytes:
        """Every alert of a group as one JSON object on a line of its own; an alert needs its detection set."""
        return _encoded(self.events(group))

    def events(self, group: Alertgroup) -> list[Line]:
        """The same before it is JSON."""
        common = _Common(group)
        events: list[Line] = []
        gathered = not self._alertgroups or len(group.alerts) < 2 or not group.uid
        for alert in group.alerts:
            cells = relay.came_as_idea(alert)
            if cells is None:
                events.append(self._event(alert, alert.detection or EMPTY, common))
            else:
                events.append(relay.relayed(group, alert, cells, self._node_json, self._detected(alert, common)))
        if not gathered:
            ids = tuple([_id(event) for event in events])
            if not any(isinstance(event, dict) and relay.gathers(event, ids) for event in events):
                events.append(self._group(common, ids))
        return events

    def delivered(self, delivery: Delivery) -> bytes:
        """The lines of a delivery: the alertgroup, or its recall."""
        if delivery.kind == "recall":
            return _encoded([self._recall(delivery)])
        return self.lines(delivery.alertgroup)

    def _detected(self, alert: Alert, common: "_Common") -> str:
        return _time((alert.detection or EMPTY).detected) or common.detected

    def _event(self, alert: Alert, detection: Detection, common: "_Common") -> Event:
        """One stored alert as IDEA0."""
        protocols = _protocols(detection.protocols)
        description = detection.name or detection.description or common.subject
        slip = slips.extras(alert, detection, description) if self._slips else slips.NOTHING
        sources = [_machine(end, protocols) for end in detection.sources]
        if slip.tag and sources:
            sources[0] = msgspec.structs.replace(sources[0], type=(slip.tag,))
        return Written(
            format="IDEA0",
            id=alert.uid,
            create_time=common.created,
            detect_time=_time(detection.detected) or common.detected,
            event_time=UNSET if detection.start is None else _time(detection.start) or UNSET,
            cease_time=UNSET if detection.end is None else _time(detection.end) or UNSET,
            conn_count=slip.conn_count,
            category=self._categories(detection.category),
            confidence=UNSET if detection.confidence is None else detection.confidence,
            description=description,
            note=detection.description if detection.name else "",
            source=tuple(sources),
            target=tuple([_machine(end, protocols) for end in detection.targets]),
            attach=slip.attach,
            node=self._node,
            tlp=common.tlp,
            uids=detection.flow_uids,
            accumulated_threat_level=slip.accumulated,
            timewindow=slip.window,
            extra=common.own(detection, description),
        )

    def _group(self, common: "_Common", ids: tuple[str, ...]) -> Event:
        """The event of an alertgroup, made of those of its alerts."""
        group = common.group
        meant = [alert.detection or EMPTY for alert in group.alerts]
        begun = [time for each in meant if (time := each.start or each.detected) is not None and writable(time)]
        ended = [time for each in meant if (time := each.end or each.detected) is not None and writable(time)]
        sources = dict.fromkeys(
            Endpoint(addresses=e.addresses, hostnames=e.hostnames) for d in meant for e in d.sources
        )
        sources.pop(Endpoint(), None)
        worst = worst_of(group)
        slip = slips.extras_of_group(group) if self._slips else slips.NOTHING
        return Written(
            format="IDEA0",
            id=group.uid,
            correl_id=ids,
            create_time=common.created,
            detect_time=common.detected,
            event_time=rfc3339(min(begun)) if begun else UNSET,
            cease_time=rfc3339(max(ended)) if ended else UNSET,
            category=self._together(group),
            description=group.subject,
            source=tuple([_machine(end, ()) for end in sources]),
            attach=slip.attach,
            node=self._gatherer,
            tlp=common.tlp,
            accumulated_threat_level=slip.accumulated,
            timewindow=slip.window,
            profileid=slip.profile,
            threat_level=slip.accumulated,
            extra=Extra(
                alertgroup=group.id,
                alertgroup_uid=group.uid,
                sources=group.sources,
                severity="" if worst is None else worst.name.lower(),
            ),
        )

    def _recall(self, delivery: Delivery) -> Event:
        """The event that replaces all events of an alertgroup."""
        common = _Common(delivery.alertgroup)
        ids = dict.fromkeys(_id(event) for event in self.events(delivery.alertgroup))
        return Written(
            format="IDEA0",
            id=delivery.uid,
            pred_id=tuple(ids),
            create_time=rfc3339(delivery.owed),
            detect_time=rfc3339(delivery.owed),
            category=self._together(delivery.alertgroup),
            confidence=0.0,
            description=f"Recalled: {common.subject}" if common.subject else "Recalled",
            note=delivery.reason,
            node=self._node,
            tlp=common.tlp,
            extra=Extra(alertgroup=common.group.id, alertgroup_uid=common.group.uid, recalled=True),
        )

    def _together(self, group: Alertgroup) -> tuple[str, ...]:
        """The categories of all alerts, each once; `Other` only where there is nothing else."""
        words = dict.fromkeys((alert.detection or EMPTY).category for alert in group.alerts)
        found = dict.fromkeys(category for word in words for category in self._categories(word))
        if len(found) > 1:
            found.pop("Other", None)
        return tuple(found) or ("Other",)


class _Common:
    """What the alerts of one stored group have in common, made once."""

    def __init__(self, group: Alertgroup) -> None:
        self.group = group
        self.subject = group.subject
        self.created = _time(group.received or None) or UNSET
        self.detected = _time(group.created) or rfc3339(group.received)
        self.tlp = relay.tlp_word(group)
        self._extras: dict[tuple[str, Severity | None, bool], Extra] = {}

    def own(self, detection: Detection, description: str) -> Extra:
        """Our own key."""
        known = (detection.category, detection.severity, self.subject == description)
        if known not in self._extras:
            self._extras[known] = Extra(
                alertgroup=self.group.id,
                alertgroup_uid=self.group.uid,
                subject="" if self.subject == description else self.subject,
                sources=self.group.sources,
                category=detection.category,
                severity="" if detection.severity is None else detection.severity.name.lower(),
            )
        return self._extras[known]


def _encoded(events: list[Line]) -> bytes:
    text = _ENCODER.encode_lines(events)
    for end, written in LINE_ENDS:
        if end in text:
            text = text.replace(end, written)
    return text


def _id(event: Line) -> str:
    return relay.id_of(event) if isinstance(event, dict) else event.id


def _time(micros: Micros | None) -> str:
    return rfc3339(micros) if micros is not None and writable(micros) else ""


def _machine(endpoint: Endpoint, protocols: tuple[str, ...]) -> Machine:
    ip4, ip6, anonymised = _by_version(endpoint.addresses)
    if not (endpoint.hostnames or endpoint.macs or endpoint.urls or endpoint.emails):
        return Machine(ip4=ip4, ip6=ip6, port=endpoint.ports, proto=protocols, anonymised=anonymised)
    if any(GONE_NAMES in name for name in (*endpoint.hostnames, *endpoint.emails)):
        anonymised = True
    return Machine(
        ip4=ip4,
        ip6=ip6,
        hostname=endpoint.hostnames,
        mac=endpoint.macs,
        port=endpoint.ports,
        proto=protocols,
        url=endpoint.urls,
        email=endpoint.emails,
        anonymised=anonymised,
    )


@lru_cache(65536)
def _by_version(
    addresses: tuple[str, ...],
) -> tuple[tuple[str, ...], tuple[str, ...], Literal[True] | msgspec.UnsetType]:
    ip4 = tuple([address for address in addresses if ":" not in address])
    ip6 = tuple([address for address in addresses if ":" in address])
    hidden = any(map(is_pseudonym, addresses))
    return ip4, ip6, True if hidden else UNSET


@lru_cache(1024)
def _protocols(protocols: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the form IDEA0 takes."""
    return tuple([name for name in map(proto, protocols) if name])
