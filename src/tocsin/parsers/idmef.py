"""Messages of IDMEFv2 that were posted: one object, an array, or JSON lines such as Slips' alerts.json."""

from collections.abc import Iterator
from typing import ClassVar

from tocsin.errors import Malformed
from tocsin.formats.idmef.read import Idmef
from tocsin.kit.gathering import gathered
from tocsin.kit.json_objects import NOT_JSON, first_object, level, objects
from tocsin.kit.letter import is_mail
from tocsin.model import Alert, Alertgroup, Message, union_of_keys
from tocsin.plugin import Parser

MARKS = (b'"Analyzer"', b'"Version"')


class IdmefParser(Parser):
    """IDMEFv2: an alertgroup for each message; an Incident gathers the Events that it names in CorrelID."""

    order: ClassVar[int] = 42
    apart: ClassVar[bool] = False  # decoded by a strict decoder

    def claims(self, message: Message) -> bool:
        """What was posted and begins with a message of IDMEFv2."""
        if any(mark not in message.body for mark in MARKS) or is_mail(message):
            return False
        try:
            return Idmef(first_object(message.body)).is_one
        except NOT_JSON:
            return False

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """The alertgroups. Raises Malformed, naming the object that is none of IDMEFv2, or TooLarge."""
        texts = objects(message.body)
        found = [Idmef(text) for text in texts]
        for number, one in enumerate(found, 1):
            if not one.is_one:
                raise Malformed(
                    f"object {number} of {len(found)} is no message of IDMEFv2: it needs Version 2, Analyzer and ID"
                )
        for places in gathered([one.id for one in found], [one.correlated for one in found]):
            yield _group([(texts[place], found[place]) for place in places])


def _group(rows: list[tuple[bytes, Idmef]]) -> Alertgroup:
    """One alertgroup; the first row is what it is called by."""
    first = rows[0][1]
    alerts = tuple(Alert(json=text.decode(), detection=one.detection()) for text, one in rows)
    return Alertgroup(
        subject=_text(first.subject),
        alerts=alerts,
        columns=union_of_keys(level(text) for text, _ in rows),
        sources=tuple(dict.fromkeys(("idmef", *(_text(one.analyzer) for _, one in rows if one.analyzer)))),
        message_id=_text(first.id),
        created=first.created,
    )


def _text(text: str) -> str:
    """Text that both engines can hold."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
