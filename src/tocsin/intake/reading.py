"""What parsers make of a message, here or in a child: alertgroups, or the reason why not."""

from collections.abc import Sequence
from typing import Literal

import structlog

from tocsin.errors import Malformed, TooLarge, Unreadable
from tocsin.model import Alertgroup, Message, Noun
from tocsin.plugin import Parser

log = structlog.get_logger()

Named = tuple[str, Parser]
Fault = Literal["", "malformed", "too_large", "unreadable", "failed"]
NOBODY = "no parser claims it"


class Reading(Noun, frozen=True, kw_only=True):
    """What came of a message: `groups`, or a `reason` and whose `fault` it is.

    `failed` is the parser's own fault, or that of its limits; the others are the message's.
    """

    parser: str = ""
    version: str = ""
    groups: tuple[Alertgroup, ...] = ()
    reason: str = ""
    fault: Fault = ""

    def raise_for_sender(self) -> None:
        """Tell a sender who can mend it. Raises Malformed or TooLarge; a parser's fault is not the sender's."""
        if self.fault == "too_large":
            raise TooLarge(self.reason)
        if self.fault in ("malformed", "unreadable"):
            raise Malformed(self.reason)


class Answer(Noun, frozen=True, kw_only=True):
    """What one parser says to a message: whether it `claims` it, and what it makes of it if it is told to read it."""

    parser: str
    claims: bool
    reading: Reading


def tried(name: str, parser: Parser, message: Message) -> Answer:
    """Ask one parser, whatever the others say. Never raises."""
    try:
        claims = parser.claims(message)
    except Exception as error:
        # The same promise as in `read`: a parser's own fault is told, not passed on.
        reason = f"parser {name} failed to say whether it claims it: {type(error).__name__}: {error}"[:500]
        return Answer(parser=name, claims=False, reading=Reading(parser=name, reason=reason, fault="failed"))
    reading = read([(name, parser)], message, only=name)
    return Answer(parser=name, claims=claims, reading=reading or Reading(parser=name, reason=NOBODY))


def read(parsers: Sequence[Named], message: Message, only: str = "") -> Reading | None:
    """Ask the parsers in order; the first that claims the message reads it. None: nobody claims it. Never raises.

    The parser named by `only` reads the message whether it claims it or not, and no other does.
    """
    name, version = "", ""
    fault: Fault
    try:
        for name, parser in parsers:
            if name == only or (not only and parser.claims(message)):
                version = parser.version
                return Reading(parser=name, version=version, groups=tuple(parser.parse(message)))
    except TooLarge as error:
        fault, reason = "too_large", str(error)
    except Malformed as error:
        fault, reason = "malformed", str(error)
    except Unreadable as error:
        fault, reason = "unreadable", str(error)
    except MemoryError:
        fault, reason = "failed", f"parser {name} needed more memory than is allowed"
    except Exception as error:
        # A parser's own fault must not cost the message: it is kept, and the reason says whose fault it was.
        log.exception("parser failed", parser=name, source=message.source)
        fault, reason = "failed", f"parser {name} failed: {type(error).__name__}: {error}"[:500]
    else:
        return None
    return Reading(parser=name, version=version, reason=reason, fault=fault)
