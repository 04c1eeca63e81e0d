"""Records of syslog as source `syslog` hands them over, each with its length in front; CEF and LEEF are read."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from tocsin import detection
from tocsin.errors import Unreadable
from tocsin.formats import cef, leef
from tocsin.formats.syslog import BAD, Frames, Record, record
from tocsin.model import Alert, Alertgroup, Detection, Message, Severity, union_of_keys
from tocsin.plugin import Parser

MEDIA_TYPE = "application/x-syslog"
COLUMNS = {
    "src_ip": ("src", "c6a2"),
    "src_host": ("shost", "srcHostName", "identHostName"),
    "src_port": ("spt", "srcPort"),
    "src_mac": ("smac", "srcMAC"),
    "dest_ip": ("dst", "c6a3"),
    "dest_host": ("dhost", "dstHostName"),
    "dest_port": ("dpt", "dstPort"),
    "dest_mac": ("dmac", "dstMAC"),
    "url": ("request", "url"),
    "proto": ("proto", "app"),
    "category": ("cat", "signature_id"),
    "description": ("msg",),
    "start": ("start",),
    "end": ("end",),
}
"""Columns of a detection, and the keys of CEF and LEEF that fill them."""
WORDS = {"low": 3, "medium": 6, "high": 8, "very-high": 10}


class Syslog(Parser):
    """Records of syslog, a row each; those of one name from one sender are an alertgroup."""

    order: ClassVar[int] = 50
    apart: ClassVar[bool] = True

    def claims(self, message: Message) -> bool:
        """What source `syslog` made."""
        return message.media_type == MEDIA_TYPE

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """The alertgroups. Raises Unreadable: there is no record in it."""
        frames = Frames(len(message.body))
        found: dict[str, list[tuple[dict[str, Any], Detection]]] = {}
        for frame in [*frames.feed(message.body), *frames.end()]:
            said = record(frame.record)
            told = cef.read(said.message) or leef.read(said.message)
            meant = _of_event(said, told) if told else _of_record(said)
            found.setdefault(_subject(said, meant, told), []).append((_cells(said, told), meant))
        if not found:
            raise Unreadable("no record of syslog stands in it")
        for subject, rows in found.items():
            alerts = tuple(Alert.of(cells, meant) for cells, meant in rows)
            columns = union_of_keys(cells for cells, _ in rows)
            yield Alertgroup(subject=subject, alerts=alerts, columns=columns, sources=("syslog",))


def _cells(said: Record, told: Mapping[str, str]) -> dict[str, Any]:
    """What the event says under its own names, then what the record says of itself."""
    head = {
        "syslog_time": said.time,
        "syslog_host": said.host,
        "app_name": said.app,
        "procid": said.process,
        "msgid": said.msgid,
        "facility": said.facility,
        "syslog_severity": said.severity,
        "structured_data": said.data,
        "message": said.message,
    }
    return {**told, **{name: value for name, value in head.items() if value not in ("", None, {}) and name not in told}}


def _subject(said: Record, meant: Detection, told: Mapping[str, str]) -> str:
    if told:
        return meant.name or meant.category or told.get("product") or "an event without a name"
    return " on ".join(filter(None, (said.app or said.msgid or "syslog", said.host)))


def _of_record(said: Record) -> Detection:
    severity = None if said.severity is None else BAD[said.severity]
    return Detection(name=said.msgid, description=said.message, severity=severity, detected=_moment(said.time))


def _of_event(said: Record, told: Mapping[str, str]) -> Detection:
    cells: dict[str, Any] = {
        column: [told[key] for key in keys if told.get(key)]
        for column, keys in COLUMNS.items()
        if set(keys) & set(told)
    }
    read = detection.read(Alert.of(cells))
    moments = (_moment(told[key]) for key in ("rt", "devTime", "start") if key in told)
    detected = next((moment for moment in moments if moment is not None), None) or _moment(said.time)
    name = told.get("name") or told.get("signature_id", "")
    severity = _severity(told.get("severity") or told.get("sev", ""))
    return msgspec.structs.replace(read, name=name, severity=severity, detected=detected)


def _moment(text: str) -> int | None:
    return detection.read(Alert.of({"detected": text})).detected if text else None


def _severity(text: str) -> Severity | None:
    """Of CEF and LEEF: 0 to 10, or CEF's words."""
    number = WORDS.get(text.strip().lower(), int(text) if text.isascii() and text.isdigit() and len(text) < 3 else -1)
    if not 0 <= number <= 10:
        return None
    steps = ((0, Severity.INFO), (3, Severity.LOW), (6, Severity.MEDIUM), (8, Severity.HIGH), (10, Severity.CRITICAL))
    return next(severity for most, severity in steps if number <= most)
