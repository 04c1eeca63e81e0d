"""Events of Suricata's EVE log: JSON lines as they stand, attached to a mail or in its text.

Suricata manual, "Eve JSON Output".
"""

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from tocsin.errors import Unreadable
from tocsin.kit.columns import Cells, flat
from tocsin.kit.json_objects import first_object, level, objects
from tocsin.kit.letter import Letter, is_mail, letter
from tocsin.kit.tabular import json_lines
from tocsin.model import Alert, Alertgroup, Message, union_of_keys
from tocsin.plugin import Parser

MARK = b'"event_type"'
OURS = (b'"signature_id"', b'"flow_id"', b'"app_proto"')  # others write events of types, too


class Suricata(Parser):
    """Alert events of Suricata's EVE log, as they stand or in a mail: one row each; nested values under dotted names.

    Of bare lines each signature is an alertgroup.
    """

    order: ClassVar[int] = 50

    def claims(self, message: Message) -> bool:
        """A mail with EVE events in its text or in an attachment, and JSON that begins with one."""
        if not is_mail(message):
            return MARK in message.body and _is_event(first_object(message.body))
        try:
            return bool(_logs(letter(message)))
        except Unreadable:
            return False

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """The alertgroups of the events of type `alert`. Raises Unreadable when there is none."""
        if not is_mail(message):
            yield from _of_lines(message)
            return
        mail = letter(message)
        rows = [row for log in _logs(mail) for row in json_lines(log) if _is_alert(row)]
        if not rows:
            raise Unreadable('no JSON line with "event_type": "alert" in the text or in an attachment')
        yield mail.group(rows=rows, tags=("ids",), sources=("email", "suricata"))


def _of_lines(message: Message) -> Iterator[Alertgroup]:
    """An alertgroup for each signature, in order of appearance."""
    found: dict[str, list[Cells]] = {}
    for text in objects(message.body):
        row = flat(text)
        if _is_alert(row):
            found.setdefault(_signature(row), []).append(row)
    if not found:
        raise Unreadable('no object with "event_type": "alert"')
    for signature, rows in found.items():
        alerts = tuple(Alert.of(row) for row in rows)
        columns = union_of_keys(rows)
        yield Alertgroup(subject=signature, alerts=alerts, columns=columns, tags=("ids",), sources=("suricata",))


def _signature(row: Cells) -> str:
    """What the alert is called; text that both engines can hold."""
    try:
        name = str(msgspec.json.decode(row.get("alert.signature", msgspec.Raw(b'""')), strict=False))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        name = ""
    return name.replace("\0", "\N{REPLACEMENT CHARACTER}").strip() or "an alert without a signature"


def _is_event(text: bytes) -> bool:
    """Whether a JSON object is an event of Suricata."""
    return b'"event_type"' in text and any(mark in text for mark in OURS) and "event_type" in level(text)


def _logs(mail: Letter) -> list[bytes]:
    logs = (mail.text.encode(), *(each.body for each in mail.attachments))
    return [log for log in logs if MARK in log and any(mark in log for mark in OURS)]


def _is_alert(row: Cells) -> bool:
    return bytes(row.get("event_type", b"")) == b'"alert"'
