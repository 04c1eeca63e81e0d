"""A message of IDMEFv2, of any version -> the detection in it. What is not there, or cannot be read, is left out."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tocsin.formats.idea.mend import texts, wholes
from tocsin.formats.slips import told
from tocsin.formats.times import since_1970
from tocsin.model import Alert, Detection, Endpoint, Micros, Severity

MARKS = ('"Analyzer"', '"Version"')
_LEVEL = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SEVERITIES = {severity.name.lower(): severity for severity in Severity}


class Idmef:
    """One message as it was received."""

    def __init__(self, text: bytes | str) -> None:
        """Raises msgspec.DecodeError, UnicodeDecodeError or RecursionError: it is no JSON object."""
        self.cells: Mapping[str, msgspec.Raw] = _LEVEL.decode(text)
        self._values: dict[str, Any] = msgspec.json.decode(text)

    @property
    def is_one(self) -> bool:
        """Whether it is a message of IDMEFv2 at all."""
        return self.version.startswith("2.") and isinstance(self._values.get("Analyzer"), dict) and bool(self.id)

    @property
    def version(self) -> str:
        """`2.0.3`, `2.D.V08` and the like."""
        return _text(self._values.get("Version"))

    @property
    def id(self) -> str:
        """Its id, or nothing."""
        return _text(self._values.get("ID"))

    @property
    def correlated(self) -> tuple[str, ...]:
        """The ids of the messages it was made of."""
        return tuple(texts(self._values.get("CorrelID")))

    @property
    def analyzer(self) -> str:
        """Who made it."""
        return _text(self._values["Analyzer"].get("Name")) if self.is_one else ""

    @property
    def created(self) -> Micros | None:
        """When it was written, else when it began."""
        return _moment(self._values.get("CreateTime")) or _moment(self._values.get("StartTime"))

    @property
    def subject(self) -> str:
        """What it says in a line."""
        said = _text(self._values.get("Description")).partition("\n")[0]
        if said:
            return said
        kind = " ".join(texts(self._values.get("Status"))) or "Message"
        ends = [end for end in _dicts(self._values.get("Source")) if _text(end.get("IP"))]
        window = told(self._values, "timewindow")
        during = f" in time window {window}" if isinstance(window, int) else ""
        return f"{kind} of {ends[0]['IP']}{during}" if ends else f"{kind} of {self.analyzer}"

    def detection(self) -> Detection:
        """What it means."""
        cells = self._values
        sources, targets = (list(_dicts(cells.get(side))) for side in ("Source", "Target"))
        protocols = [name.lower() for end in (*sources, *targets) for name in texts(end.get("Protocol"))]
        confidence = cells.get("Confidence")
        if not isinstance(confidence, int | float) or isinstance(confidence, bool) or not 0 <= confidence <= 1:
            confidence = None
        start = _moment(cells.get("StartTime"))
        return Detection(
            category=_text(told(cells, "category")) or next(iter(texts(cells.get("Category"))), ""),
            name=_text(told(cells, "name")),
            description=_text(cells.get("Description")),
            severity=self._severity(),
            confidence=confidence,
            detected=start or _moment(cells.get("CreateTime")),
            start=start,
            end=_moment(cells.get("EndTime")) or _moment(told(cells, "EndTime")),
            sources=tuple(_endpoints(sources)),
            targets=tuple(_endpoints(targets)),
            protocols=tuple(dict.fromkeys(protocols)),
            flow_uids=tuple(texts(told(cells, "uids"))),
        )

    def _severity(self) -> Severity | None:
        """Slips' own threat level, which knows `critical`, else Severity, else Priority, as it is called by now."""
        words = (told(self._values, "threat_level"), self._values.get("Severity"), self._values.get("Priority"))
        found = (_SEVERITIES.get(_text(word).lower()) for word in words)
        return next((severity for severity in found if severity is not None), None)


def came_as_idmef(alert: Alert) -> Idmef | None:
    """The message that a row is; None for any other row."""
    if any(mark not in alert.json for mark in MARKS):
        return None
    message = Idmef(alert.json)
    return message if message.is_one else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: Any) -> Micros | None:
    return since_1970(value) if isinstance(value, str) else None


def _dicts(value: Any) -> Iterable[dict[str, Any]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def _endpoints(ends: Iterable[dict[str, Any]]) -> Iterable[Endpoint]:
    for end in ends:
        note = end.get("Note")
        inner = told(end, "URL") if isinstance(note, str) else end.get("URL")
        found = Endpoint(
            addresses=tuple(dict.fromkeys(filter(None, map(_address, texts(end.get("IP")))))),
            hostnames=tuple(name.lower().removesuffix(".") for name in texts(end.get("Hostname")) if name),
            ports=tuple(wholes(end.get("Port"), 65535)),
            macs=tuple(texts(told(end, "MAC"))),
            urls=tuple(texts(inner)),
            emails=tuple(texts(end.get("Email"))),
        )
        if found != Endpoint():
            yield found


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""
