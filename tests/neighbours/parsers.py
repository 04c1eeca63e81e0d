"""Parsers that do as they are told, and the intake that asks them."""

import os
import time
from collections.abc import Iterator
from typing import ClassVar

from tocsin.errors import Unreadable
from tocsin.intake import Intake, Limits
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


def an_intake(store: Store, **limits: int) -> Intake:
    return Intake(store, {"scot": Scot(), "picky": Picky()}, ("one", "two"), Limits(**limits))
