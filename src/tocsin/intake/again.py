"""Reading again: what stands in quarantine is looked at, read by any parser, taken as it is, or let go.

Parsers are asked in children of their own, so that looking at a harmful mail never holds up the mail that comes in.
"""

import time
from collections.abc import Mapping, Sequence

from tocsin.errors import Malformed, NotFound, Refused, Unreadable
from tocsin.intake import Intake, Limits
from tocsin.intake.apart import Children
from tocsin.intake.preview import Enclosed, Preview
from tocsin.intake.reading import Answer, Reading
from tocsin.kit.letter import is_mail
from tocsin.model import Alert, Alertgroup, Message, Micros, Noun
from tocsin.plugin import Parser
from tocsin.store import Part, Store, again, message
from tocsin.store.engine import Tx
from tocsin.store.message import Kept

GENERIC = "generic"
BY_HAND = "as it stands"
"""What stands for a parser where a person accepted a message that no parser can read."""

LOOK_S = 3.0
"""How long one parser may take when a person only looks."""
LOOKS_S = 20.0
"""How long all of them may take together."""
MOST_TEXT = 256 * 1024
LONGEST_NOTE = 1000


class Outcome(Noun, frozen=True, kw_only=True):
    """What came of reading a message again: its alertgroups, or the reason why it stays in quarantine."""

    message: int
    parser: str
    version: str
    alertgroups: tuple[int, ...] = ()
    reason: str = ""


class Again:
    """Looks at messages that were kept, and reads them again."""

    def __init__(
        self, store: Store, intake: Intake, parsers: Mapping[str, Parser], limits: Limits | None = None
    ) -> None:
        limits = limits or Limits()
        self._store, self._intake = store, intake
        self.parsers = sorted(parsers.items(), key=lambda item: (item[1].order, item[0]))
        self._children = Children(self.parsers, limits.parse_s, limits.parse_mib, most=2)

    def close(self) -> None:
        """End the children."""
        self._children.close()

    def message(self, number: int) -> Message:
        """A message with its original bytes. Raises NotFound: no such message, or retention removed the bytes."""
        return self._store.read(lambda tx: _message(tx, message.get(tx, number)))

    def reread(self, original: Message, parser: str = "") -> Reading:
        """What the parsers, or the one that is named, make of a message now. Raises Malformed: no such parser."""
        known = [name for name, _ in self.parsers]
        if parser and parser not in known:
            raise Malformed(f"there is no parser {parser[:60]!r}: choose one of {', '.join(known) or 'none'}")
        return self._children.read(original, parser)

    def answers(self, original: Message) -> list[Answer]:
        """What each parser says to a message, in the order in which they are asked."""
        return answers(self._children, [name for name, _ in self.parsers], original)

    def preview(self, original: Message) -> Preview | None:
        """A mail opened; None for what is no mail."""
        return self._children.preview(original) if is_mail(original) else None

    def enclosed(self, original: Message, number: int) -> Enclosed:
        """An attachment of a mail, counted from 0. Raises NotFound."""
        if not is_mail(original):
            raise NotFound("this message is no mail: it has no attachments")
        try:
            return self._children.enclosed(original, number)
        except Unreadable as error:
            raise NotFound(f"the mail cannot be opened: {error}") from error

    def read_again(self, number: int, who: str, parser: str = "") -> Outcome:
        """Read a message in quarantine again: it is released, or stays with the new reason.

        Raises:
            NotFound: no such message, or its bytes are gone.
            Malformed: it does not stand in quarantine, or there is no such parser.
        """
        original = self._standing(number)
        return self._settle(original, who, self.reread(original, parser))

    def accept(self, number: int, who: str) -> Outcome:
        """Release a message from quarantine whatever it holds: as the generic parser reads it, else as its text.

        Raises NotFound, Malformed as `read_again` does.
        """
        original = self._standing(number)
        if any(name == GENERIC for name, _ in self.parsers):
            reading = self._children.read(original, GENERIC)
            if not self._parts(reading, original)[1]:
                return self._settle(original, who, reading)
        group = as_it_stands(original, self.preview(original))
        return self._settle(original, who, Reading(parser=BY_HAND, version="1", groups=(group,)))

    def discard(self, number: int, who: str, note: str = "") -> None:
        """Take a message out of quarantine, understood or not. Raises NotFound, Malformed."""
        if len(note) > LONGEST_NOTE or "\0" in note:
            raise Malformed(f"a note has at most {LONGEST_NOTE:,} characters, and no NUL")
        self._store.write(lambda tx: again.discard(tx, number, note, who, now()))

    def restore(self, number: int, who: str) -> None:
        """Put a discarded message back into quarantine. Raises NotFound, Malformed."""
        self._store.write(lambda tx: again.undiscard(tx, number, who, now()))

    def _standing(self, number: int) -> Message:
        def work(tx: Tx) -> Message:
            kept = message.get(tx, number)
            if kept.state != again.QUARANTINED:
                raise Malformed(f"message {number} does not stand in quarantine: it is {kept.state}")
            return _message(tx, kept)

        return self._store.read(work)

    def _parts(self, reading: Reading, original: Message) -> tuple[Sequence[Part], str]:
        """What is to be stored, or the reason why nothing is."""
        if reading.reason:
            return (), reading.reason
        try:
            return self._intake.parts(reading.groups, original, reading.parser), ""
        except Refused as error:
            return (), str(error)

    def _settle(self, original: Message, who: str, reading: Reading) -> Outcome:
        number = original.id
        parts, reason = self._parts(reading, original)
        groups: tuple[int, ...] = ()
        name, version = reading.parser, reading.version
        if reason:
            self._store.write(lambda tx: again.stays(tx, number, name, version, reason, who, now()))
        else:
            groups = self._store.write(lambda tx: again.release(tx, number, parts, name, version, who, now()))
        return Outcome(message=number, parser=name, version=version, alertgroups=groups, reason=reason)


def answers(children: Children, parsers: Sequence[str], original: Message) -> list[Answer]:
    """What each of the parsers says to a message, in their order; a slow one costs the others nothing but time."""
    found = []
    until = time.monotonic() + LOOKS_S
    for name in parsers:
        left = min(LOOK_S, until - time.monotonic())
        if left > 0:
            found.append(children.answer(original, name, left))
        else:
            late = Reading(parser=name, reason="not asked: the others took too long", fault="failed")
            found.append(Answer(parser=name, claims=False, reading=late))
    return found


def as_it_stands(original: Message, mail: Preview | None) -> Alertgroup:
    """A message as one alert that holds its text."""
    raw = original.body[:MOST_TEXT].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    text = (mail.text if mail else "") or raw
    subject = (mail.header("subject") if mail else "").strip() or f"Message {original.id} from {original.source}"
    return Alertgroup(
        subject=subject[:1000],
        alerts=(Alert.of({"text": text}),),
        columns=("text",),
        sources=(original.source,),
        message_id=original.message_id,
        body_plain=text,
    )


def now() -> Micros:
    """The present moment."""
    return time.time_ns() // 1000


def _message(tx: Tx, kept: Kept) -> Message:
    return Message(
        source=kept.source,
        body=message.original(tx, kept.id),
        media_type=kept.media_type,
        received=kept.received,
        sender=kept.sender,
        message_id=kept.message_id,
        id=kept.id,
    )
