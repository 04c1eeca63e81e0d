"""Reading apart: what alertgroups are found by is worked out in child processes, in bytes, so that intake never waits.

What a child makes of an alertgroup is as much as it can: everything, or everything but entities, or nothing.
"""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from tocsin import detection
from tocsin.detection import Names
from tocsin.entities import Known
from tocsin.indexing.reading import mended, read
from tocsin.kit import children
from tocsin.kit.children import Lost, NotStarted
from tocsin.model import Alert, Alertgroup, Detection, Noun
from tocsin.store.index import Indexed
from tocsin.store.unread import Unread

children.preload(__name__)

MIB = 2048
SECONDS, ROWS_A_SECOND = 20.0, 100
"""A question may take so long, and a second more for so many rows: ten times what it takes."""

_encode = msgspec.msgpack.Encoder().encode
_DETECTION = msgspec.json.Decoder(Detection)

Told = Callable[[], Known]
"""Makes what the people who run this Tocsin told it; pickled into each child."""


class Question(Noun, frozen=True, kw_only=True, array_like=True):
    """What to read, and whether to look for entities."""

    groups: Sequence[Unread]
    entities: bool = True


class Answer(Noun, frozen=True, kw_only=True, array_like=True):
    """The parts of an alertgroup's index; `fault` says why they are not all they could be."""

    parts: list[Indexed]
    fault: str = ""


_question = msgspec.msgpack.Decoder(Question)
_answers = msgspec.msgpack.Decoder(list[Answer])


class Readers:
    """A few children that read."""

    def __init__(self, names: Names, told: Told, most: int) -> None:
        self._children = children.Children(partial(_reader, names, told), MIB, most, yielding=True)

    def read(self, groups: Sequence[Unread]) -> list[Answer]:
        """What each of them is found by, in their order; never raises for what is in them. Raises NotStarted."""
        try:
            return self._ask(Question(groups=groups))
        except NotStarted:
            raise
        except Lost as error:
            if len(groups) > 1:  # one of them is at fault: each for itself
                return [answer for group in groups for answer in self.read([group])]
            fault = str(error)
        try:
            (answer,) = self._ask(Question(groups=groups, entities=False))
        except NotStarted:
            raise
        except Lost:
            answer = Answer(parts=[nothing(groups[0])])
        return [Answer(parts=answer.parts, fault=answer.fault or fault)]

    def _ask(self, question: Question) -> list[Answer]:
        seconds = SECONDS + sum(len(each.rows) for each in question.groups) / ROWS_A_SECOND
        return _answers.decode(self._children.ask(_encode(question), seconds))

    def close(self) -> None:
        """End them all, whatever they are at."""
        self._children.close(at_once=True)


def nothing(group: Unread | Indexed) -> Indexed:
    """An alertgroup that is found by nothing but what stands in its own columns."""
    return Indexed(group=group.group, since=group.since, received=group.received)


def _reader(names: Names, told: Told) -> children.Answer:
    return partial(_answer, names, told())


def _answer(names: Names, known: Known, question: bytes) -> bytes:
    asked = _question.decode(question)
    return _encode([_read(each, names, known if asked.entities else None) for each in asked.groups])


def _read(unread: Unread, names: Names, known: Known | None) -> msgspec.Raw:
    fault = ""
    for learned in dict.fromkeys((known, None)):
        try:
            parts = read(detection.known(_group(unread), names), unread.since, learned)
            return msgspec.Raw(_encode(Answer(parts=parts, fault=mended(fault))))
        except Exception as error:
            # Whatever strangers wrote that breaks the finding of entities: the rest is indexed, and the fault is told.
            fault = fault or f"{type(error).__name__}: {error}"[:500]
    return msgspec.Raw(_encode(Answer(parts=[nothing(unread)], fault=mended(fault))))


def _group(unread: Unread) -> Alertgroup:
    return Alertgroup(
        subject=unread.subject,
        body=unread.body,
        body_plain=unread.body_plain,
        alerts=tuple(
            Alert(id=id, json=json, detection=None if said is None else _DETECTION.decode(said))
            for id, json, said in unread.rows
        ),
        id=unread.group,
        received=unread.received,
    )
