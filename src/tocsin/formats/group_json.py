"""The alertgroup as one JSON object, for programs of ours and of others.

The rows' own text is embedded as received, so no number, escape or order is lost. Times are RFC 3339 in UTC, statuses,
severities and TLP are words, and what is empty is left out, except for `alerts` and each alert's `data`.

A recall is another object: ids and uids of the alertgroup and its alerts, and under `recall` why and since when. It has
neither `subject` nor `alerts`, so that no reader takes it for an alertgroup.
"""

import msgspec

from tocsin.formats.times import rfc3339, writable
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint, Link, Micros


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A part of the object."""


class Machine(Struct, frozen=True, kw_only=True):
    """A `tocsin.model.Endpoint`."""

    addresses: tuple[str, ...] = ()
    hostnames: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    macs: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


class Meaning(Struct, frozen=True, kw_only=True):
    """A `tocsin.model.Detection`."""

    name: str = ""
    category: str = ""
    description: str = ""
    severity: str = ""
    confidence: float | None = None
    detected: str = ""
    start: str = ""
    end: str = ""
    sources: tuple[Machine, ...] = ()
    targets: tuple[Machine, ...] = ()
    protocols: tuple[str, ...] = ()
    flow_uids: tuple[str, ...] = ()


class Row(Struct, frozen=True, kw_only=True):
    """A `tocsin.model.Alert`; `data` is the row as received."""

    id: int = 0
    uid: str = ""
    status: str
    data: msgspec.Raw
    detection: Meaning | None = None


class Group(Struct, frozen=True, kw_only=True):
    """A `tocsin.model.Alertgroup`."""

    id: int = 0
    uid: str = ""
    subject: str
    message_id: str = ""
    status: str
    tlp: str = ""
    owner: str = ""
    created: str = ""
    received: str = ""
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    groups: dict[str, list[str]] = {}
    ahrefs: tuple[Link, ...] = ()
    body: str = ""
    body_plain: str = ""
    alerts: tuple[Row, ...]


class Answered(Struct, frozen=True, kw_only=True):
    """A `tocsin.model.Receipt`: what the reader answered."""

    remote_id: str = ""
    status: str = ""


class Recall(Struct, frozen=True, kw_only=True):
    """Why an alertgroup is recalled and since when; `earlier` are the answers to what was sent of it, oldest first."""

    reason: str
    at: str = ""
    earlier: tuple[Answered, ...] = ()


class Recalled(Struct, frozen=True, kw_only=True):
    """That an alertgroup was sent in error; `alert_uids` are of its alerts as sent."""

    id: int = 0
    uid: str = ""
    alert_uids: tuple[str, ...] = ()
    recall: Recall


_ENCODER = msgspec.json.Encoder()


def document(group: Alertgroup) -> bytes:
    """The group with all its alerts, one JSON object in UTF-8. The same group gives the same bytes."""
    return _ENCODER.encode(
        Group(
            id=group.id,
            uid=group.uid,
            subject=group.subject,
            message_id=group.message_id,
            status=group.status.value,
            tlp=group.tlp.value,
            owner=group.owner,
            created=_time(group.created),
            received=_time(group.received or None),
            tags=group.tags,
            sources=group.sources,
            columns=group.columns,
            groups=group.groups,
            ahrefs=group.ahrefs,
            body=group.body,
            body_plain=group.body_plain,
            alerts=tuple([_row(alert) for alert in group.alerts]),
        )
    )


def recalled(delivery: Delivery) -> bytes:
    """The object of a recall. The same delivery gives the same bytes."""
    group = delivery.alertgroup
    earlier = tuple([Answered(remote_id=each.remote_id, status=each.status) for each in delivery.earlier])
    return _ENCODER.encode(
        Recalled(
            id=group.id,
            uid=group.uid,
            alert_uids=tuple([alert.uid for alert in group.alerts if alert.uid]),
            recall=Recall(reason=delivery.reason, at=_time(delivery.owed or None), earlier=earlier),
        )
    )


def _row(alert: Alert) -> Row:
    return Row(
        id=alert.id,
        uid=alert.uid,
        status=alert.status.value,
        data=msgspec.Raw(alert.json),
        detection=None if alert.detection is None else meaning(alert.detection),
    )


def meaning(detection: Detection) -> Meaning:
    """A detection with its times and severity in words."""
    return Meaning(
        name=detection.name,
        category=detection.category,
        description=detection.description,
        severity="" if detection.severity is None else detection.severity.name.lower(),
        confidence=detection.confidence,
        detected=_time(detection.detected),
        start=_time(detection.start),
        end=_time(detection.end),
        sources=tuple([_machine(endpoint) for endpoint in detection.sources]),
        targets=tuple([_machine(endpoint) for endpoint in detection.targets]),
        protocols=detection.protocols,
        flow_uids=detection.flow_uids,
    )


def _machine(endpoint: Endpoint) -> Machine:
    return Machine(
        addresses=endpoint.addresses,
        hostnames=endpoint.hostnames,
        ports=endpoint.ports,
        macs=endpoint.macs,
        urls=endpoint.urls,
        emails=endpoint.emails,
    )


def _time(micros: Micros | None) -> str:
    return rfc3339(micros) if micros is not None and writable(micros) else ""
