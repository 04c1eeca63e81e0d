"""Parsing apart: mail is written by strangers, so it is read in child processes with limits of time and memory.

A child that takes too long, grows too large or dies costs its message a place in quarantine and nobody else anything.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal, TypeVar

import msgspec

from tocsin.errors import NotFound, TocsinError, Unreadable
from tocsin.intake.preview import Enclosed, Preview, enclosed, preview
from tocsin.intake.reading import NOBODY, Answer, Named, Reading, read, tried
from tocsin.kit import children
from tocsin.kit.children import Lost
from tocsin.model import Message, Noun

children.preload(__name__)
_encode = msgspec.msgpack.Encoder().encode
T = TypeVar("T", Reading, Answer, Preview, Enclosed)


class Question(Noun, frozen=True, kw_only=True):
    """What a child is asked of a message: to read it (with one parser, if one is named), or to show what is in it."""

    message: Message
    what: Literal["read", "try", "preview", "enclosed"] = "read"
    parser: str = ""
    number: int = 0


class Said(Noun, frozen=True, kw_only=True):
    """A child's answer: the value asked for, packed, or why there is none."""

    value: msgspec.Raw = msgspec.Raw(b"\xc0")  # nil
    reason: str = ""
    missing: bool = False


_said = msgspec.msgpack.Decoder(Said)
_question = msgspec.msgpack.Decoder(Question)


class Children:
    """A few children that read, one message at a time each; started when they are first needed."""

    def __init__(self, parsers: Sequence[Named], seconds: float, mib: int, most: int = 4) -> None:
        self._parsers, self._seconds = list(parsers), seconds
        self._children = children.Children(partial(_reader, self._parsers), mib, most)

    def read(self, message: Message, only: str = "") -> Reading:
        """What the parsers make of the message; never raises for what is in it. `only` names one that must."""
        if not self._parsers:
            return Reading(reason=NOBODY, fault="unreadable")
        try:
            return self._ask(Question(message=message, parser=only), Reading, self._seconds)
        except Lost as error:
            return Reading(parser=only, reason=str(error), fault="failed")

    def answer(self, message: Message, parser: str, seconds: float) -> Answer:
        """What one parser says to the message; never raises for what is in it."""
        try:
            return self._ask(Question(message=message, what="try", parser=parser), Answer, seconds)
        except Lost as error:
            lost = Reading(parser=parser, reason=str(error), fault="failed")
            return Answer(parser=parser, claims=False, reading=lost)

    def preview(self, message: Message) -> Preview:
        """A mail opened; one that cannot be opened says why in `reason`."""
        try:
            return self._ask(Question(message=message, what="preview"), Preview, self._seconds)
        except Unreadable as error:
            return Preview(reason=str(error))

    def enclosed(self, message: Message, number: int) -> Enclosed:
        """An attachment of a mail, counted from 0. Raises NotFound, Unreadable."""
        return self._ask(Question(message=message, what="enclosed", number=number), Enclosed, self._seconds)

    def _ask(self, question: Question, wanted: type[T], seconds: float) -> T:
        said = _said.decode(self._children.ask(_encode(question), seconds))
        if said.reason:
            raise (NotFound if said.missing else Unreadable)(said.reason)
        return msgspec.msgpack.decode(said.value, type=wanted)

    def close(self) -> None:
        """End them all."""
        self._children.close()


def _reader(parsers: list[Named]) -> children.Answer:
    return partial(_answer, parsers)


def _answer(parsers: list[Named], question: bytes) -> bytes:
    asked = _question.decode(question)
    try:
        value = _encode(_found(parsers, asked))
    except TocsinError as error:
        return _encode(Said(reason=str(error), missing=isinstance(error, NotFound)))
    except Exception as error:
        # Only what opens a mail gets here, and mails are made to break that: the reason is shown instead.
        return _encode(Said(reason=f"it cannot be opened: {type(error).__name__}: {error}"[:500]))
    return _encode(Said(value=msgspec.Raw(value)))


def _found(parsers: list[Named], asked: Question) -> Reading | Answer | Preview | Enclosed:
    match asked.what:
        case "read":
            return read(parsers, asked.message, asked.parser) or Reading(reason=NOBODY, fault="unreadable")
        case "try":
            return tried(asked.parser, dict(parsers)[asked.parser], asked.message)
        case "preview":
            return preview(asked.message)
        case "enclosed":
            return enclosed(asked.message, asked.number)
