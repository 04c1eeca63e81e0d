"""An alertgroup as a query sees it, and the values that each field has in it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Self

import msgspec

from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Entity, Micros, Noun, Severity, Status
from tocsin.query.tree import Ref
from tocsin.query.words import normal, texts

Raw = str | int | float
"""A value as the alertgroup has it: text, number, time in microseconds, or a boolean of a cell."""


class View(Noun, frozen=True, kw_only=True, dict=True):
    """What is asked of an alertgroup. Its alerts carry their detections; times in microseconds, -1 for never viewed."""

    group: Alertgroup
    severity: Severity | None = None
    created: Micros = 0
    updated: Micros = 0
    viewed: Micros = -1
    views: int = 0
    message: int = 0
    repeats: int | None = None
    folded: int | None = None
    gathered: str | None = None
    seen: int = 1
    last_seen: Micros | None = None
    """None where it is when the group was received."""
    via: str = ""
    sender: str = ""
    parser: str = ""
    entities: tuple[Entity, ...] = ()
    deliveries: tuple[tuple[str, str], ...] = ()
    """Destination and state of each; a destination that also had updates or a recall stands there more than once."""

    @classmethod
    def fresh(cls, group: Alertgroup, **rest: Any) -> Self:
        """As it will be seen when it has just been stored: nobody looked, the worst alert gives the severity."""
        found = (alert.detection.severity for alert in group.alerts if alert.detection is not None)
        rest.setdefault("severity", max((one for one in found if one is not None), default=None))
        rest.setdefault("created", group.received if group.created is None else group.created)
        rest.setdefault("updated", group.received)
        return cls(group=group, **rest)

    @cached_property
    def searched(self) -> str:
        """The normal text of everything that free words search; a line feed keeps phrases from crossing texts."""
        return "\n".join(normal(text) for text in texts(self.group))


def of_group(ref: Ref) -> Callable[[View], Iterable[Raw]]:
    """What gives a group's values of a field that is not the rows'."""
    name = ref.of
    if ref.field == "entity":
        wanted = name.lower()
        return lambda view: [one.value for one in view.entities if not wanted or one.type.lower() == wanted]
    if ref.field == "delivery":
        return lambda view: [state for lane, state in view.deliveries if not name or lane == name]
    return _OF_GROUP[ref.field]


def of_alert(ref: Ref) -> Callable[[Alert], Iterable[Raw]]:
    """What gives an alert's values of a field of rows."""
    if ref.field == "data":
        return lambda alert: cells(alert.data, ref.of)
    return _OF_ALERT[ref.field]


def cells(data: Mapping[str, Any], name: str) -> Iterator[Raw]:
    """The values of the cells a name means, empty texts and nulls left out.

    The name is a column's as it is written, or a path of names with dots between them, or `*` for every column. A list
    stands for its items, on the path and at its end; what is a list or an object inside of a list at the end is no
    value, nor is an object.
    """
    found = list(data.values()) if name == "*" else [data[name]] if name in data else []
    if "." in name:
        found += _behind(data, name.split("."))
    for cell in found:
        for value in cell if isinstance(cell, list) else (cell,):
            if isinstance(value, str | int | float) and value != "":
                yield value


def _behind(data: Mapping[str, Any], path: list[str]) -> list[Any]:
    found: list[Any] = [data]
    for name in path:
        objects = (item for one in found for item in (one if isinstance(one, list) else (one,)))
        found = [item[name] for item in objects if isinstance(item, dict) and name in item]
    return found


def _some(*values: Raw | None) -> list[Raw]:
    return [value for value in values if value is not None and value != ""]


def _standing(view: View, status: Status) -> list[Raw]:
    return [sum(alert.status == status for alert in view.group.alerts)]


_OF_GROUP: Mapping[str, Callable[[View], Iterable[Raw]]] = {
    "id": lambda view: [view.group.id],
    "subject": lambda view: _some(view.group.subject),
    "body": lambda view: _some(list(texts(msgspec.structs.replace(view.group, alerts=())))[1]),
    "status": lambda view: [str(view.group.status)],
    "source": lambda view: _some(*view.group.sources),
    "tag": lambda view: _some(*view.group.tags),
    "tlp": lambda view: [str(view.group.tlp)],
    "owner": lambda view: _some(view.group.owner),
    "severity": lambda view: _level(view.severity),
    "received": lambda view: [view.group.received],
    "created": lambda view: [view.created],
    "updated": lambda view: [view.updated],
    "viewed": lambda view: [view.viewed] if view.viewed >= 0 else [],
    "rows": lambda view: [len(view.group.alerts)],
    "open": lambda view: _standing(view, Status.OPEN),
    "closed": lambda view: _standing(view, Status.CLOSED),
    "promoted": lambda view: _standing(view, Status.PROMOTED),
    "views": lambda view: [view.views],
    "column": lambda view: _some(*view.group.columns),
    "message_id": lambda view: _some(view.group.message_id),
    "message": lambda view: [view.message] if view.message else [],
    "repeats": lambda view: _some(view.repeats),
    "folded": lambda view: _some(view.folded),
    "gathered": lambda view: _some(view.gathered),
    "seen": lambda view: [view.seen],
    "last_seen": lambda view: [view.group.received if view.last_seen is None else view.last_seen],
    "via": lambda view: _some(view.via),
    "sender": lambda view: _some(view.sender),
    "parser": lambda view: _some(view.parser),
    "entity.type": lambda view: [one.type for one in view.entities],
}

_NOTHING = Detection()


def _said(alert: Alert) -> Detection:
    return alert.detection or _NOTHING


def _level(severity: Severity | None) -> list[Raw]:
    return [] if severity is None else [Severity(severity).name.lower()]


def _any_part(side: Endpoint) -> Iterable[Raw]:
    return (*side.addresses, *side.hostnames, *side.macs, *side.urls, *side.emails)


_PARTS: Mapping[str, Callable[[Endpoint], Iterable[Raw]]] = {
    "": _any_part,
    "ip": lambda side: side.addresses,
    "host": lambda side: side.hostnames,
    "port": lambda side: side.ports,
    "mac": lambda side: side.macs,
    "url": lambda side: side.urls,
    "email": lambda side: side.emails,
}


def _endpoint_readers() -> Iterator[tuple[str, Callable[[Alert], Iterable[Raw]]]]:
    for part, read in _PARTS.items():
        yield "_".join(filter(None, ("src", part))), _reader(read, src=True)
        yield "_".join(filter(None, ("dst", part))), _reader(read, dst=True)
        yield part or "endpoint", _reader(read, src=True, dst=True)


def _reader(
    read: Callable[[Endpoint], Iterable[Raw]], *, src: bool = False, dst: bool = False
) -> Callable[[Alert], Iterable[Raw]]:
    def values(alert: Alert) -> list[Raw]:
        said = _said(alert)
        sides = (*(said.sources if src else ()), *(said.targets if dst else ()))
        return [value for side in sides for value in read(side)]

    return values


_OF_ALERT: Mapping[str, Callable[[Alert], Iterable[Raw]]] = {
    "alert.id": lambda alert: [alert.id],
    "alert.status": lambda alert: [str(alert.status)],
    "alert.severity": lambda alert: _level(_said(alert).severity),
    "name": lambda alert: _some(_said(alert).name),
    "category": lambda alert: _some(_said(alert).category),
    "description": lambda alert: _some(_said(alert).description),
    "confidence": lambda alert: _some(_said(alert).confidence),
    "detected": lambda alert: _some(_said(alert).detected),
    "start": lambda alert: _some(_said(alert).start),
    "end": lambda alert: _some(_said(alert).end),
    "proto": lambda alert: _some(*_said(alert).protocols),
    "uid": lambda alert: _some(*_said(alert).flow_uids),
    **dict(_endpoint_readers()),
}
