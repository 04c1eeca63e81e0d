"""Alerts of Microsoft Forefront (Endpoint Protection, Client Security), mailed as `Key: value` lines."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from tocsin.errors import Unreadable
from tocsin.kit.html_table import Page
from tocsin.kit.letter import is_marked, letter
from tocsin.model import Alertgroup, Message
from tocsin.plugin import Parser

PAIR = re.compile(r"^[ \t]*(?P<key>[^\W\d_][\w .()/#'-]{0,60}?)[ \t]*:(?=\s|\"|$)[ \t]*(?P<value>.*)$")
CONTINUED = re.compile(r"^[ \t]{2,}\S")


class Forefront(Parser):
    """Malware alerts mailed by Microsoft Forefront, one row for each block of `Key: value` lines."""

    order: ClassVar[int] = 40
    subjects: tuple[str, ...] = Field(
        default=("microsoft forefront", "forefront endpoint protection"),
        description="Words one of which stands in the mail's subject, or …",
    )
    senders: tuple[str, ...] = Field(
        default=("forefront",), description="… words one of which stands in the sender's name or address."
    )

    def claims(self, message: Message) -> bool:
        """A mail whose subject or sender says so."""
        return is_marked(message, self.subjects, self.senders)

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """One alertgroup. Raises Unreadable when the text holds no `Key: value` line."""
        mail = letter(message)
        text = mail.text if mail.text.strip() or not mail.html else Page(mail.html).text()
        rows = _blocks(text)
        if not rows:
            raise Unreadable("no line of the form `Key: value` in the text")
        yield mail.group(rows=rows, sources=("email", "forefront"))


def _blocks(text: str) -> list[dict[str, Any]]:
    """A block begins where its first key comes again; another key that comes again has several values."""
    rows: list[dict[str, Any]] = [{}]
    last = ""
    for line in text.splitlines():
        pair = PAIR.match(line)
        if pair is None:
            if last and CONTINUED.match(line):
                before = rows[-1].pop(last, "")
                *several, value = before if isinstance(before, list) else [before]
                whole = f"{value}\n{line.strip()}".strip()
                rows[-1][last] = [*several, whole] if several else whole
            else:
                last = ""
            continue
        last, value = pair["key"], pair["value"].strip()
        if rows[-1] and last == next(iter(rows[-1])) and value:
            rows.append({})
        if value:
            _add(rows[-1], last, value[1:-1] if value[0] == value[-1] == '"' and len(value) > 1 else value)
    return [row for row in rows if row]


def _add(row: dict[str, Any], key: str, value: str) -> None:
    before = row.get(key)
    if isinstance(before, list):
        before.append(value)
    else:
        row[key] = value if before is None else [before, value]
