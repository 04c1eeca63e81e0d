"""Any mail that no other parser claims: rows of its CSV and JSON attachments, or its text as one alert."""

from collections.abc import Iterator
from typing import Any, ClassVar

from tocsin.errors import Unreadable
from tocsin.kit import tabular
from tocsin.kit.html_table import Page
from tocsin.kit.letter import MOST_BODY, Letter, is_mail, letter
from tocsin.model import Alert, Alertgroup, Detection, Message
from tocsin.plugin import Parser

SOURCES = ("email", "generic")


class Generic(Parser):
    """Any mail: an alertgroup for each attached table, else one alert with sender, subject and text."""

    order: ClassVar[int] = 100

    def claims(self, message: Message) -> bool:
        """Every mail."""
        return is_mail(message)

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """At least one alertgroup. Raises Unreadable for a mail in which nothing stands."""
        mail = letter(message)
        found = tabular.sheets(mail)
        for sheet in found:
            subject = mail.subject if len(found) == 1 and mail.subject else f"{mail.subject} {sheet.name}".strip()
            tags = ("uneven_rows",) if sheet.uneven else ()
            yield mail.group(subject=subject, rows=sheet.rows, tags=tags, sources=SOURCES)
        if not found:
            row = _row(mail, message)
            # Who sent the mail attacked nobody: the columns are not to be read for endpoints.
            known = Detection(name=mail.subject, detected=mail.date)
            yield mail.group(alerts=(Alert.of(row, known),), columns=tuple(row), sources=SOURCES)


def _row(mail: Letter, message: Message) -> dict[str, Any]:
    text = (mail.text if mail.text.strip() or not mail.html else Page(mail.html).text()).strip()
    names = [each.name or each.media_type for each in mail.attachments]
    if not (text or names or mail.subject or mail.headers):
        raise Unreadable(f"nothing stands in the mail's {len(message.body)} bytes")
    if len(text) > MOST_BODY:
        text = f"{text[:MOST_BODY]}… ({len(text):,} characters; all of them stand in the original message)"
    row: dict[str, Any] = {"sender": mail.sender or mail.sender_name, "subject": mail.subject, "alert": text}
    if names:
        row["attachments"] = names
    return {name: value for name, value in row.items() if value or name in ("sender", "alert")}
