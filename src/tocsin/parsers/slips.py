"""Evidence and alerts of Slips in the JSON form of its dataclasses: what its channel `export_evidence` carries."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from tocsin import detection
from tocsin.errors import Malformed
from tocsin.formats.slips import EVIDENCE
from tocsin.kit.gathering import gathered
from tocsin.kit.json_objects import NOT_JSON, first_object, level, objects
from tocsin.kit.letter import is_mail
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Message, Severity, union_of_keys
from tocsin.plugin import Parser

MARKS = ((b'"evidence_type"', b'"attacker"'), (b'"correl_id"', b'"accumulated_threat_level"'))
NOTHING: Mapping[str, Any] = {}


class Slips(Parser):
    """Slips' evidence, an alertgroup each; an alert gathers the evidence that it names in `correl_id`."""

    order: ClassVar[int] = 44
    apart: ClassVar[bool] = False  # decoded by a strict decoder

    def claims(self, message: Message) -> bool:
        """What was posted and begins with an evidence or an alert."""
        if is_mail(message) or not any(all(mark in message.body for mark in marks) for marks in MARKS):
            return False
        try:
            return _is_one(msgspec.json.decode(first_object(message.body)))
        except NOT_JSON:
            return False

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """The alertgroups. Raises Malformed, naming the object that is neither, or TooLarge."""
        texts = objects(message.body)
        rows: list[dict[str, Any]] = [msgspec.json.decode(text) for text in texts]
        for number, row in enumerate(rows, 1):
            if not _is_one(row):
                raise Malformed(f"object {number} of {len(rows)} is neither an evidence nor an alert of Slips")
        ids = [str(row.get("id") or "") for row in rows]
        named = [[str(id) for id in _list(row.get("correl_id"))] for row in rows]
        for places in gathered(ids, named):
            alerts = tuple(_alert(texts[place], rows[place]) for place in places)
            first = alerts[0].detection or Detection()
            yield Alertgroup(
                subject=_text(first.description or first.name),
                alerts=alerts,
                columns=union_of_keys(level(texts[place]) for place in places),
                sources=("slips",),
                message_id=_text(ids[places[0]]),
                created=first.detected,
            )


def _is_one(row: dict[str, Any]) -> bool:
    evidence = isinstance(row.get("evidence_type"), str) and isinstance(row.get("attacker"), dict)
    return evidence or (isinstance(row.get("correl_id"), list) and isinstance(row.get("profile"), dict))


def _alert(text: bytes, row: dict[str, Any]) -> Alert:
    alert = Alert.as_received(text.decode(), row)
    return msgspec.structs.replace(alert, detection=_of_alert(row) if "correl_id" in row else _of_evidence(alert, row))


def _of_evidence(alert: Alert, row: dict[str, Any]) -> Detection:
    """What its columns say; and what the table of types says, where they are silent."""
    name = row["evidence_type"].upper()
    found, known = detection.read(alert), EVIDENCE.get(name)
    severity = found.severity if known is None or found.severity is not None else known.severity
    said = found.description or ("" if known is None else known.line)
    return msgspec.structs.replace(found, name=name, category=name, severity=severity, description=said)


def _of_alert(row: dict[str, Any]) -> Detection:
    """An alert is of one machine, whose evidence together was too much."""
    read = detection.read(
        Alert.of({"detected": row.get("last_flow_datetime"), "src_ip": _inner(row, "profile").get("ip")})
    )
    window = _inner(row, "timewindow")
    times = detection.read(Alert.of({"start": window.get("start_time"), "end": window.get("end_time")}))
    ip = next((address for end in read.sources for address in end.addresses), "")
    level = str(row.get("threat_level")).upper()
    return Detection(
        name="ALERT",
        description=f"Enough evidence against {ip or 'a machine'} in time window {window.get('number', '?')}",
        severity=Severity.__members__.get(level, Severity.CRITICAL),
        detected=read.detected,
        start=times.start,
        end=times.end,
        sources=(Endpoint(addresses=(ip,)),) if ip else (),
    )


def _inner(row: dict[str, Any], key: str) -> Mapping[str, Any]:
    return found if isinstance(found := row.get(key), dict) else NOTHING


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(text: str) -> str:
    """Text that both engines can hold."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
