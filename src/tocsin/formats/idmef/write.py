"""Alertgroups as IDMEFv2: an Event for each alert, and an Incident, which names them in CorrelID, for several.

A message is a pure function of what it is made of. Profiles:
- `slips`: Version 2.0.3 as Slips 1.1 writes it: Severity (critical is High), Status one word, the rest as JSON in Note.
- `08`: draft 08: Priority, Status a list, categories of its own (IDEA0's in AltCategory), an ID for each source and
  target. Extensions have no place there but Note.

Ids are UUIDs: ours where they are, else made of them. One source or target holds one address; an endpoint of several
becomes several. What came as IDMEFv2 keeps its ID and CorrelID, and leaves whole if it is of the same version.

A recall is an Event that names what it replaces in PredID, with Confidence 0 ("surely false"); in draft 08 with the
Status FalsePositive besides.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from tocsin.formats.idea.categories import DEFAULT, Categories
from tocsin.formats.idea.mend import proto, texts
from tocsin.formats.idmef.categories import OF_IDEA
from tocsin.formats.idmef.read import came_as_idmef
from tocsin.formats.log_line import window
from tocsin.formats.slips import accumulated
from tocsin.formats.times import rfc3339, writable
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint, Micros, Severity, worst_of

Profile = Literal["08", "slips"]
VERSIONS: Mapping[str, str] = {"08": "2.D.V08", "slips": "2.0.3"}
EMPTY = Detection()
OURS = uuid.UUID("b0a5c0de-70c5-5140-9a1e-7d0c51401def")
"""The namespace of ids that are made of texts which are no UUIDs."""
Message = dict[str, Any]
_WORDS = {severity: severity.name.title() for severity in Severity} | {Severity.CRITICAL: "High"}
_encode = msgspec.json.Encoder().encode


class IdmefForm:
    """Writes alertgroups in one profile."""

    def __init__(
        self, profile: Profile = "08", name: str = "Tocsin", categories: Categories = DEFAULT, incidents: bool = True
    ) -> None:
        """`name` is the analyzer's; with `incidents` an alertgroup of several alerts has a message of its own."""
        self._slips = profile == "slips"
        self._version = VERSIONS[profile]
        self._categories = categories.of
        self._incidents = incidents
        kind = ["NIDS"] if self._slips else ["SIEM.SIEM"]
        data = ["Flow", "Network"] if self._slips else ["Alert", "Relay"]
        method = {"Method": ["Heuristic"]} if self._slips else {}
        self._analyzer: dict[str, Any] = {"IP": "0.0.0.0"} if self._slips else {}  # noqa: S104 - Slips' word for no address
        self._analyzer |= {"Name": name, "Category": kind, "Data": data} | method

    def lines(self, delivery: Delivery) -> bytes:
        """The messages of a delivery, each as one JSON object on a line; alerts need their detections set."""
        return b"".join(text + b"\n" for text in self.texts(delivery))

    def texts(self, delivery: Delivery) -> list[bytes]:
        """The messages of a delivery, each as one JSON object without a line end of any kind."""
        group = delivery.alertgroup
        messages = [self._recall(delivery)] if delivery.kind == "recall" else self.messages(group)
        return [_one_line(_encode(message)) for message in messages]

    def messages(self, group: Alertgroup) -> list[Message]:
        """An Event for each alert, then the Incident."""
        events = [self._event(group, alert) for alert in group.alerts]
        ids = [_id(event) for event in events]
        named = {id for event in events for id in _correlated(event)}
        if self._incidents and len(events) > 1 and named.isdisjoint(ids):
            events.append(self._incident(group, ids))
        return events

    def _event(self, group: Alertgroup, alert: Alert) -> Message:
        came = came_as_idmef(alert)
        if came is not None and came.version == self._version:
            return dict(came.cells)
        detection = alert.detection or EMPTY
        id = _uuid(alert.uid)
        start = _time(group, detection.start, detection.detected)
        message: Message = {"Version": self._version, "Analyzer": self._analyzer, "Status": "Event", "ID": id}
        if came is not None:
            message |= {"ID": _uuid(came.id or alert.uid)}
            if came.correlated:
                message |= {"Status": "Incident", "CorrelID": [_uuid(one) for one in came.correlated]}
        level = "Unknown" if detection.severity is None else _WORDS[detection.severity]
        message |= {"Severity" if self._slips else "Priority": level, "StartTime": start}
        if not self._slips and detection.end is not None and writable(detection.end):
            message["EndTime"] = rfc3339(detection.end)
        message["CreateTime"] = rfc3339(group.received)
        if detection.confidence is not None:
            message["Confidence"] = detection.confidence
        message["Description"] = detection.description or detection.name or group.subject
        sides = (("Source", detection.sources), ("Target", detection.targets))
        for side, endpoints in sides:
            if found := list(self._ends(endpoints, detection.protocols, side, id)):
                message[side] = found
        note = _note(alert, detection) if self._slips else _note_08(group, detection)
        if note:
            message["Note"] = json.dumps(note)
        return message if self._slips else self._as_08(message, [detection.category])

    def _incident(self, group: Alertgroup, ids: list[str]) -> Message:
        """The message of an alertgroup, as Slips writes one for an alert of its own."""
        meant = [alert.detection or EMPTY for alert in group.alerts]
        times = [time for each in meant for time in (each.start, each.detected, each.end) if time is not None]
        known = [time for time in times if writable(time)] or [group.created or group.received]
        message: Message = {"Version": self._version, "Analyzer": self._analyzer}
        sources = dict.fromkeys(address for each in meant for end in each.sources for address in end.addresses)
        if sources:
            message["Source"] = [{"IP": address} for address in sources]
        message |= {"ID": _uuid(group.uid), "Status": "Incident"}
        message |= {"StartTime": rfc3339(min(known)), "CreateTime": rfc3339(group.received), "CorrelID": ids}
        end = rfc3339(max(known))
        if self._slips:
            last = [level for alert in group.alerts if (level := accumulated(alert.data)) is not None]
            windows = [number for alert in group.alerts if (number := window(alert)) is not None]
            note = {"accumulated_threat_level": last[-1]} if last else {}
            message["Note"] = json.dumps(note | ({"timewindow": windows[0]} if windows else {}) | {"EndTime": end})
            return message
        for number, each in enumerate(message.get("Source", ())):
            each["ID"] = _uuid(f"{message['ID']}/Source/{number}")
        worst = worst_of(group)
        message |= {"EndTime": end, "Description": group.subject}
        message["Priority"] = "Unknown" if worst is None else _WORDS[worst]
        return self._as_08(message, [each.category for each in meant])

    def _recall(self, delivery: Delivery) -> Message:
        """The message that replaces all messages of an alertgroup. It names no source: nobody is accused once more."""
        group, moment = delivery.alertgroup, rfc3339(delivery.owed)
        ids = [_id(message) for message in self.messages(group)]
        message: Message = {
            "Version": self._version, "Analyzer": self._analyzer, "Status": "Event", "ID": _uuid(delivery.uid),
            "StartTime": moment, "CreateTime": moment, "Confidence": 0.0, "PredID": ids,
            "Description": f"Recalled: {group.subject}" if group.subject else "Recalled",
        }  # fmt: skip
        if delivery.reason:
            message["Note"] = delivery.reason
        if self._slips:
            return message
        message = self._as_08(message, [(alert.detection or EMPTY).category for alert in group.alerts])
        return message | {"Status": ["FalsePositive"]}

    def _as_08(self, message: Message, words: Iterable[str]) -> Message:
        """What only draft 08 has: lists, a type and categories."""
        idea = dict.fromkeys(category for word in dict.fromkeys(words) for category in self._categories(word))
        if len(idea) > 1:
            idea.pop("Other", None)
        found = dict.fromkeys(OF_IDEA.get(category, "Other.Uncategorised") for category in idea)
        return message | {
            "Status": [message["Status"]], "Type": ["Cyber"], "Category": list(found), "AltCategory": list(idea),
        }  # fmt: skip

    def _ends(
        self, endpoints: Iterable[Endpoint], protocols: tuple[str, ...], side: str, id: str
    ) -> Iterator[dict[str, Any]]:
        number = 0
        for end in endpoints:
            for place in _places(end):
                found: dict[str, Any] = {
                    key: value for key, value in zip(("IP", "Hostname", "Email"), place, strict=True) if value
                }
                ports = [port for port in end.ports if port or not self._slips]
                if ports:
                    found["Port"] = ports
                if side == "Source" and (names := [name for name in map(proto, protocols) if name]):
                    found["Protocol"] = [name.upper() for name in names] if self._slips else names
                note = {key: list(values) for key, values in (("URL", end.urls), ("MAC", end.macs)) if values}
                if note:
                    found["Note"] = json.dumps(note)
                if not self._slips:
                    found = {"ID": _uuid(f"{id}/{side}/{number}")} | found
                number += 1
                yield found


class _Place(NamedTuple):
    """What one source or target of IDMEFv2 can hold of an endpoint."""

    ip: str
    hostname: str
    email: str


def _places(end: Endpoint) -> list[_Place]:
    """An address with a name, then the addresses and names that are left; one place for an endpoint without either."""
    rows = max(len(end.addresses), len(end.hostnames), len(end.emails), 1)
    return [
        _Place(*("".join(values[number : number + 1]) for values in (end.addresses, end.hostnames, end.emails)))
        for number in range(rows)
    ]


def _note(alert: Alert, detection: Detection) -> dict[str, Any]:
    """What Slips puts into the Note: the flows' uids, the level, the confidence in a word, the time window."""
    note: dict[str, Any] = {"uids": list(detection.flow_uids)} if detection.flow_uids else {}
    level = accumulated(alert.data)
    number = window(alert)
    if level is not None:
        note["accumulated_threat_level"] = level
    if detection.severity is not None:
        note["threat_level"] = detection.severity.name.lower()
    if detection.confidence is not None:
        sure = detection.confidence
        note["confidence"] = "High" if sure >= 0.8 else "Medium" if sure >= 0.55 else "low"
    return note | ({} if number is None else {"timewindow": number})


def _note_08(group: Alertgroup, detection: Detection) -> dict[str, Any]:
    """What draft 08 has no word for."""
    told: dict[str, Any] = {
        "name": detection.name if detection.description else "",
        "category": detection.category,
        "uids": list(detection.flow_uids),
        "protocols": list(detection.protocols) if not detection.sources else [],
        "alertgroup": group.uid,
    }
    return {key: value for key, value in told.items() if value}


def _correlated(message: Message) -> list[str]:
    found = message.get("CorrelID", [])
    return texts(msgspec.json.decode(found) if isinstance(found, msgspec.Raw) else found)


def _id(message: Message) -> str:
    found: str = msgspec.json.decode(message["ID"]) if isinstance(message["ID"], msgspec.Raw) else message["ID"]
    return found


def _uuid(text: str) -> str:
    """The text if it is a UUID, else one made of it."""
    try:
        found = uuid.UUID(text)
    except ValueError:
        return str(uuid.uuid5(OURS, text))
    return text if str(found) == text.lower() else str(found)


def _time(group: Alertgroup, *moments: Micros | None) -> str:
    for moment in (*moments, group.created):
        if moment is not None and writable(moment):
            return rfc3339(moment)
    return rfc3339(group.received)


def _one_line(text: bytes) -> bytes:
    """JSON without line ends of any kind."""
    if b"\n" in text or b"\r" in text:
        text = msgspec.json.format(text, indent=-1)
    for end, written in ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029")):
        text = text.replace(end, written)
    return text
