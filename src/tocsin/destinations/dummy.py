"""Fails on purpose, by configured probabilities: for testing delivery."""

import os
import random
import time
from functools import cached_property
from typing import ClassVar, Self

from pydantic import Field, model_validator

from tocsin.errors import Rejected, Unavailable
from tocsin.kit.paths import DataPath
from tocsin.model import Delivery, Kind, Receipt
from tocsin.plugin import Destination

CHANCE = "Probability, 0 to 1, that an attempt "


class Dummy(Destination):
    """Fails on purpose, by configured probabilities, and writes down what it accepted: for testing delivery."""

    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "update", "recall"))

    refuse: float = Field(default=0, ge=0, le=1, description=f"{CHANCE}is refused for good.")
    drop: float = Field(default=0, ge=0, le=1, description=f"{CHANCE}fails for now.")
    hang: float = Field(default=0, ge=0, le=1, description=f"{CHANCE}hangs, then fails for now.")
    slow: float = Field(default=0, ge=0, le=1, description=f"{CHANCE}takes its time, then is accepted.")
    hang_s: float = Field(default=60, ge=0, description="How long a hang lasts, in seconds.")
    slow_s: float = Field(default=1, ge=0, description="How long a slow attempt takes, in seconds.")
    seed: int | None = Field(default=None, description="The same seed fails in the same order; none: as it comes.")
    path: DataPath | None = Field(default=None, description="A file that gets the uid of each accepted delivery.")

    @model_validator(mode="after")
    def _one_fate(self) -> Self:
        if self.refuse + self.drop + self.hang + self.slow > 1:
            raise ValueError("refuse, drop, hang and slow together may not exceed 1")
        return self

    def send(self, delivery: Delivery) -> Receipt:
        """Draw a fate for this attempt."""
        fate = self._chance.random()
        for chance, befall in ((self.refuse, _refuse), (self.drop, _drop), (self.hang, self._hang)):
            if fate < chance:
                befall()
            fate -= chance
        if fate < self.slow:
            time.sleep(self.slow_s)
        if self.path is not None:
            self._write_down(delivery.uid)
        return Receipt(remote_id=delivery.uid, status="accepted")

    def check(self) -> str:
        """Always there."""
        return "dummy: always there, fails as configured"

    @cached_property
    def _chance(self) -> random.Random:
        return random.Random(self.seed)  # noqa: S311 - chances of a test, not of cryptography

    def _hang(self) -> None:
        time.sleep(self.hang_s)
        raise Unavailable(f"dummy hung for {self.hang_s:g} s")

    def _write_down(self, uid: str) -> None:
        assert self.path is not None
        try:
            with self.path.open("a", encoding="utf-8") as book:
                book.write(f"{uid}\n")
                book.flush()
                os.fsync(book.fileno())
        except OSError as error:
            raise Unavailable(f"cannot write {self.path}: {error.strerror}") from error


def _refuse() -> None:
    raise Rejected("dummy refused")


def _drop() -> None:
    raise Unavailable("dummy dropped it")
