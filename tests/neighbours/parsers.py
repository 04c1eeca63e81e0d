"""Parsers that do as they are told, and the intake that asks them."""

import os
import time
from collections.abc import Iterator
from typing import ClassVar

from tocsin.errors import Unreadable
from tocsin.intake import Intake, Limits
from tocsin.kit.letter import letter
from tocsin.model import Alertgroup, Message
from tocsin.parsers.scot import Scot
from tocsin.plugin import Parser
from tocsin.store import Store


class Picky(Parser):
    """Reads what begins with its word, and fails as it is told."""

    order: ClassVar[int] = 10
    word: str = "picky"

    def claims(self, message: Message) -> bool:
        return message.body.startswith(self.word.encode())

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        order = message.body.split()[1:]
        if order == [b"crash"]:
            raise ZeroDivisionError("oops")
        if order == [b"unreadable"]:
            raise Unreadable("no line of the form x")
        rows = [{"n": n} for n in range(int(order[0]))]
        yield Alertgroup.of_rows("picky", rows)


class Slow(Picky):
    """Misbehaves as told."""

    order: ClassVar[int] = 20
    word: str = "slow"

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        match message.body.split()[1]:
            case b"hang":
                time.sleep(600)
            case b"grow":
                hoard = [b"x" * 50_000_000 for _ in range(100)]
                assert hoard
            case b"die":
                os._exit(1)
        return super().parse(message)


class Cells(Parser):
    """Reads `a=1 b=2` in mails of the source `box` as a row."""

    order: ClassVar[int] = 10

    def claims(self, message: Message) -> bool:
        return message.source == "box"

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        mail = letter(message)
        cells = dict(part.split("=") for part in mail.text.split() if "=" in part)
        if not cells:
            raise Unreadable("no cells")
        yield Alertgroup.of_rows(mail.subject, [cells])


class Lister(Parser):
    """Reads `list x,y;z` as two groups of rows; set otherwise it names, repeats or leaves out what it reads."""

    column: str = "a"
    every: int = 1
    most: int = 1000

    def claims(self, message: Message) -> bool:
        return message.body.startswith(b"list ")

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        groups = message.body.decode().removeprefix("list ").split(";") * self.every
        for group in groups[: self.most]:
            yield Alertgroup.of_rows("list", [{self.column: cell} for cell in group.split(",")])


def an_intake(store: Store, **limits: int) -> Intake:
    return Intake(store, {"scot": Scot(), "picky": Picky()}, ("one", "two"), Limits(**limits))
