"""Numbered messages. Each row carries a mark made of its message's number and its place."""

import json
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

MARK = re.compile(r"N(\d{7})R(\d{3})")
"""What is looked for in a line, a cell, a posted body: number and row."""

SUBJECT = re.compile(r"loss N(\d{7})\b")

TAGS = ("lab", "office", "plant")
TLPS = ("clear", "green", "green", "amber", "red", "")

NOTES = (
    "plain",
    "two\nlines\r\nand a third",
    'quoted "text" and \\ backslash',
    "<b>markup</b> & more",
    "gr\u00fc\u00dfe \u2028 \u2029 \x0b \x85 end",
    "\U0001f514 bell",
    "",
)

Mark = tuple[int, int]
"""Number and row."""


def mark(number: int, row: int) -> str:
    return f"N{number:07d}R{row:03d}"


def marks(text: str) -> set[Mark]:
    return {(int(number), int(row)) for number, row in MARK.findall(text)}


def numbers(text: str) -> set[int]:
    """The numbers of the subjects that stand in a text."""
    return {int(number) for number in SUBJECT.findall(text)}


@dataclass
class Attempt:
    """One post of a message and what came back: a status, or `error` when nothing did."""

    at: float
    took: float
    status: int = 0
    error: str = ""
    alertgroup: int = 0
    text: str = ""

    def __str__(self) -> str:
        came = f"{self.status} {self.text[:120]}" if self.status else self.error
        return f"{self.at:7.3f} s, after {self.took * 1000:.0f} ms: {came}"


@dataclass
class Numbered:
    """One message with its number, and everything that happened when it was sent."""

    number: int
    sender: int
    rows: list[dict[str, Any]]
    message_id: str = ""
    idempotency_key: str = ""
    tag: str = ""
    tlp: str = ""
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def may_be_sent_again(self) -> bool:
        return bool(self.message_id or self.idempotency_key)

    @property
    def acknowledged(self) -> bool:
        return any(attempt.status == 200 for attempt in self.attempts)

    @property
    def refused(self) -> bool:
        """Every attempt was answered, and none with a yes: the server said that nothing was stored."""
        return bool(self.attempts) and all(attempt.status not in (0, 200) for attempt in self.attempts)

    @property
    def answers(self) -> set[int]:
        """The alertgroup ids it was told."""
        return {attempt.alertgroup for attempt in self.attempts if attempt.status == 200}

    def body(self) -> bytes:
        fields: dict[str, Any] = {"subject": f"loss N{self.number:07d} of sender {self.sender}", "data": self.rows}
        fields |= {"tag": [self.tag]} if self.tag else {}
        fields |= {"tlp": self.tlp} if self.tlp else {}
        if self.message_id:
            fields["message_id"] = self.message_id
        return json.dumps(fields, ensure_ascii=self.number % 2 == 0).encode()


def draw(chance: random.Random, number: int, sender: int, earlier: Iterable[str]) -> Numbered:
    """A message of 1 to 20 rows, known by a message id, an idempotency key, both or neither.

    Now and then it takes the message id of an `earlier` one, as careless detectors do: other content, so another
    message.
    """
    drawn = Numbered(number, sender, [_row(chance, number, row) for row in range(chance.choice((1, 1, 2, 5, 20)))])
    drawn.tag, drawn.tlp = chance.choice(TAGS), chance.choice(TLPS)
    kind = chance.random()
    if kind < 0.45:
        reused = chance.choice(list(earlier) or [""]) if chance.random() < 0.15 else ""
        drawn.message_id = reused or f"<{number}.{chance.getrandbits(32):08x}@loss.example>"
    if 0.4 <= kind < 0.7:
        drawn.idempotency_key = f"{number}-{chance.getrandbits(64):016x}"
    return drawn


def _row(chance: random.Random, number: int, row: int) -> dict[str, Any]:
    note = chance.choice(NOTES)
    return {
        "signature": f"ET LOSS {mark(number, row)} {note}",
        "timestamp": f"2026-03-0{1 + row % 9}T12:{number % 60:02d}:00.{number % 1000:03d}Z",
        "src_ip": f"192.0.2.{chance.randrange(1, 255)}",
        "src_port": chance.randrange(1024, 65536),
        "dest_ip": f"2001:db8::{chance.randrange(1, 65536):x}",
        "dest_port": chance.choice((22, 53, 443)),
        "proto": "TCP",
        "note": note,
        "big": 12345678901234567 + number,
        "none": None,
    }
