"""Notifications of FireEye appliances: JSON (concise, normal, extended) and their indented text.

{"msg": "normal", "product": "Web MPS", "appliance": "mps.example.com", "alert": {"src": {"ip": …}, …}}
"""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec
from pydantic import Field

from tocsin.errors import Unreadable
from tocsin.kit.columns import Cells, flat, free
from tocsin.kit.html_table import Page
from tocsin.kit.letter import is_marked, letter
from tocsin.model import Alertgroup, Message
from tocsin.plugin import Parser

MOST_TRIES = 200
BLOCK = re.compile(r"^(?P<key>[A-Za-z][\w-]*)\s*\((?P<inside>[^()]*)\)\s*:?\s*$")
LINE = re.compile(r"^(?P<key>[A-Za-z][\w .-]{0,60}?)\s*:(?:\s+(?P<value>.*))?$")
ENDS = ("ip", "mac", "host", "vlan", "port", "url")  # what stands below `src:` and `dst:`, indented or not
ENVELOPE = {"msg": "format"}  # `extended` is no message
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_LEVEL = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Fireeye(Parser):
    """Alerts mailed by FireEye appliances, one row each; nested values under dotted names."""

    order: ClassVar[int] = 30
    subjects: tuple[str, ...] = Field(
        default=("fireeye",), description="Words one of which stands in the mail's subject, or …"
    )
    senders: tuple[str, ...] = Field(
        default=("fireeye",), description="… words one of which stands in the sender's name or address."
    )

    def claims(self, message: Message) -> bool:
        """A mail whose subject or sender says so."""
        return is_marked(message, self.subjects, self.senders)

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """One alertgroup. Raises Unreadable when neither JSON nor text tells of an alert."""
        mail = letter(message)
        text = mail.text if mail.text.strip() or not mail.html else Page(mail.html).text()
        texts = [text, *(each.body.decode("utf-8", "replace") for each in mail.attachments if b"{" in each.body)]
        rows = [row for each in texts for row in _from_json(each)] or _from_text(text)
        if not rows:
            raise Unreadable('no JSON with an "alert", nor lines "alert (id:…, name:…):" with what is known of it')
        yield mail.group(rows=rows, sources=("email", "fireeye"))


def _from_json(text: str) -> Iterator[Cells]:
    at, reader = text.find("{"), json.JSONDecoder(strict=False)
    for _ in range(MOST_TRIES):
        if at < 0:
            return
        try:
            whole, end = reader.raw_decode(text, at)
            # Mail breaks long lines, also inside strings; without the breaks it is JSON as it was sent.
            written = text[at:end] if "\n" not in text[at:end] else re.sub(r"\r?\n", "", text[at:end])
            rows = list(_rows(written)) if isinstance(whole, dict) and "alert" in whole else []
        except (ValueError, RecursionError):
            end, rows = at + 1, []
        yield from rows
        at = text.find("{", end)


def _rows(written: str) -> Iterator[Cells]:
    envelope = _LEVEL.decode(written)
    alert = bytes(envelope.pop("alert")).strip()
    known = flat(msgspec.json.encode({ENVELOPE.get(name, name): raw for name, raw in envelope.items()}))
    for raw in _LIST.decode(alert) if alert[:1] == b"[" else [alert]:
        row = flat(bytes(raw), spread=True)
        for name, value in known.items():
            row[free(name, row)] = value
        yield row


def _from_text(text: str) -> list[Cells]:
    """A row for each `alert (…):`; what stands before the first belongs to all of them."""
    before, rows = Cells(), list[Cells]()
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        indent, line = len(line) - len(line.lstrip()), line.strip()
        block, pair = BLOCK.match(line), LINE.match(line)
        if not block and not pair:
            continue
        of_end = pair is not None and pair["key"] in ENDS
        while path and path[-1][0] >= indent and not (of_end and path[-1] in ((indent, "src"), (indent, "dst"))):
            path.pop()
        if block and block["key"] == "alert":
            rows.append(copy.deepcopy(before))
            path = []
        row = rows[-1] if rows else before
        if block:
            path += [] if block["key"] == "alert" else [(indent, block["key"])]
            for each in block["inside"].split(","):
                name, _, value = each.partition(":")
                _add(row, path, name.strip(), value.strip())
        elif pair and (pair["value"] or "").strip():
            _add(row, path, ENVELOPE.get(pair["key"], pair["key"]), pair["value"].strip())
        elif pair:
            path.append((indent, pair["key"]))
    return rows


def _add(row: dict[str, Any], path: list[tuple[int, str]], name: str, value: str) -> None:
    if not name or not value:
        return
    column = ".".join([*(key for _, key in path), name])
    before = row.get(column)
    if isinstance(before, list):
        before.append(value)
    else:
        row[column] = value if before is None else [before, value]
