"""Events of IDEA0 (idea.cesnet.cz) that were posted: one object, an array, or JSON lines such as Slips' alerts.json."""

from collections.abc import Iterator
from typing import ClassVar

from tocsin.errors import Malformed
from tocsin.formats.idea.read import Idea
from tocsin.kit.gathering import gathered
from tocsin.kit.json_objects import NOT_JSON, first_object, level, objects
from tocsin.kit.letter import is_mail
from tocsin.model import TLP, Alert, Alertgroup, Message, union_of_keys
from tocsin.plugin import Parser

MARK = b'"IDEA0"'
SLIPS_ALERT = b'"Json"'
"""The format that Slips 1.1.1 wrote at its alerts, between evidence of IDEA0."""


class IdeaParser(Parser):
    """IDEA0: an alertgroup for each event; one that names others in CorrelID gathers them as its rows."""

    order: ClassVar[int] = 40
    apart: ClassVar[bool] = False  # decoded by a strict decoder, level by level

    def claims(self, message: Message) -> bool:
        """What was posted, speaks of IDEA0 and begins with an event of it, or with an alert of Slips 1.1.1."""
        if MARK not in message.body or is_mail(message):
            return False
        return _format(first_object(message.body)) in (MARK, SLIPS_ALERT)

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """The alertgroups. Raises Malformed, naming the object that is none of IDEA0, or TooLarge."""
        texts = objects(message.body)
        for number, text in enumerate(texts, 1):
            if _format(text) not in (MARK, SLIPS_ALERT):
                raise Malformed(f'object {number} of {len(texts)} is no event of IDEA0: "Format" must be "IDEA0"')
        events = [Idea(text) for text in texts]
        for places in gathered([event.id for event in events], [event.correlated for event in events]):
            yield _group([(texts[place], events[place]) for place in places])


def _group(rows: list[tuple[bytes, Idea]]) -> Alertgroup:
    """One alertgroup; the first row is what it is called by."""
    first = rows[0][1]
    alerts = tuple(Alert(json=text.decode(), detection=event.detection()) for text, event in rows)
    told = [name for _, event in rows for name in (event.node, *event.software) if name]
    return Alertgroup(
        subject=_text(first.subject),
        alerts=alerts,
        columns=union_of_keys(level(text) for text, _ in rows),
        sources=tuple(dict.fromkeys(("idea", *map(_text, told)))),
        tlp=max((event.tlp for _, event in rows), key=list(TLP).index),
        message_id=first.id,
        created=first.created,
    )


def _text(text: str) -> str:
    """Text that both engines can hold."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _format(text: bytes) -> bytes:
    try:
        return bytes(level(text).get("Format", b"")).strip()
    except NOT_JSON:
        return b""
