"""Events of Suricata's EVE log, JSON lines attached to a mail or in its text. Suricata manual, "Eve JSON Output"."""

from collections.abc import Iterator
from typing import ClassVar

from tocsin.errors import Unreadable
from tocsin.kit.columns import Cells
from tocsin.kit.letter import Letter, is_mail, letter
from tocsin.kit.tabular import json_lines
from tocsin.model import Alertgroup, Message
from tocsin.plugin import Parser

MARK = b'"event_type"'
OURS = (b'"signature_id"', b'"flow_id"', b'"app_proto"')  # others write events of types, too


class Suricata(Parser):
    """Alert events of Suricata's EVE log in a mail, one row each; nested values under dotted names."""

    order: ClassVar[int] = 50

    def claims(self, message: Message) -> bool:
        """A mail with EVE events in its text or in an attachment."""
        try:
            return is_mail(message) and bool(_logs(letter(message)))
        except Unreadable:
            return False

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """One alertgroup of the events of type `alert`. Raises Unreadable when there is none."""
        mail = letter(message)
        rows = [row for log in _logs(mail) for row in json_lines(log) if _is_alert(row)]
        if not rows:
            raise Unreadable('no JSON line with "event_type": "alert" in the text or in an attachment')
        yield mail.group(rows=rows, tags=("ids",), sources=("email", "suricata"))


def _logs(mail: Letter) -> list[bytes]:
    logs = (mail.text.encode(), *(each.body for each in mail.attachments))
    return [log for log in logs if MARK in log and any(mark in log for mark in OURS)]


def _is_alert(row: Cells) -> bool:
    return bytes(row.get("event_type", b"")) == b'"alert"'
