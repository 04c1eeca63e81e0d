"""The outside of a mail: who sent it, under which id, with which subject; and the mail as a message.

RFC 5322. Read from the first bytes of the header alone, by code that cannot be made slow and never raises: it runs
before anybody has decided whether the sender may be heard. What the mail says is `letter`'s to read, in a child.
"""

import email.errors
import email.header
import re
from collections.abc import Iterator

from tocsin.kit.letter import MAIL
from tocsin.model import Message, Micros, Noun

MOST_HEAD = 256 * 1024
LONGEST_ID = 998
"""RFC 5322 section 2.1.1: no line is longer. A longer id is none; the mail is then known by its bytes."""
MOST_SUBJECT = 2000

_END = re.compile(rb"(?:\A|\r?\n)\r?\n")
_FIELD = re.compile(r"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_ADDRESS = re.compile(r"[^\s<>@,;:\\\"()\[\]]{1,255}@[^\s<>@,;:\\\"()\[\]]{1,255}")
_ENVELOPE_LINE = re.compile(rb"From [^\r\n]*\r?\n")


class Envelope(Noun, frozen=True, kw_only=True):
    """What the header says. `senders` are the addresses of every From, in lower case, empty if one cannot be read."""

    senders: tuple[str, ...] = ()
    message_id: str = ""
    subject: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def sender(self) -> str:
        """The first address of From; empty without a readable one."""
        return self.senders[0] if self.senders else ""

    def all(self, name: str) -> list[str]:
        """Every value of a header, top first."""
        return [value for known, value in self.headers if known == name]


def envelope(raw: bytes) -> Envelope:
    """Read the header of a mail. Never raises, whatever the bytes."""
    headers = tuple(_fields(head(raw)))
    ids = [value for name, value in headers if name == "message-id"]
    subjects = [value for name, value in headers if name == "subject"]
    return Envelope(
        senders=_senders([value for name, value in headers if name == "from"]),
        message_id=_id(ids[0]) if ids else "",
        subject=_decoded(subjects[0]) if subjects else "",
        headers=headers,
    )


def head(raw: bytes) -> bytes:
    """The header's bytes, at most `MOST_HEAD` of them."""
    first = raw[:MOST_HEAD]
    end = _END.search(first)
    return first[: end.start()] if end else first


def as_message(raw: bytes, received: Micros, source: str = "", known: Envelope | None = None) -> Message:
    """A mail as a source hands it over: known by its Message-ID, else by its bytes."""
    outside = known or envelope(raw)
    return Message(
        source=source,
        sender=outside.sender,
        message_id=outside.message_id,
        by_bytes=not outside.message_id,
        body=raw,
        media_type=MAIL,
        received=received,
    )


def without_envelope_line(raw: bytes) -> bytes:
    """The mail without the line `From sender date` that mbox files and mail servers put before it."""
    found = _ENVELOPE_LINE.match(raw)
    return raw[found.end() :] if found else raw


def _fields(raw: bytes) -> Iterator[tuple[str, str]]:
    """Names in lower case, values on one line. As in the stdlib's parser, what is no field ends the header."""
    text = raw.decode("utf-8", "replace").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    for field in re.split(r"\n(?![ \t])", text):
        found = _FIELD.fullmatch(field)
        if found:
            yield found[1].lower(), " ".join(found[2].split())
        elif not field.startswith("From "):
            return


def _id(value: str) -> str:
    """The id without white space, as `letter` gives it; empty when it is too long to be one."""
    found = "".join(value.split())
    return found if len(found) <= LONGEST_ID else ""


def _senders(values: list[str]) -> tuple[str, ...]:
    """Every address of every From header. One that cannot be read makes the whole unreadable: no half-truths."""
    found: list[str] = []
    for value in values:
        for mailbox in _mailboxes(value):
            if not _ADDRESS.fullmatch(mailbox):
                return ()
            found.append(mailbox.lower())
    return tuple(dict.fromkeys(found))


def _mailboxes(value: str) -> Iterator[str]:
    """The address of each mailbox of a list; display names, comments and quoted words are left out. Linear."""
    address, angle, inside = "", None, False
    for letter in _bare(value) + ",":
        if letter == "<":
            # A second one in a mailbox is nobody's address: `<` cannot be in one, so it will not be taken.
            angle = "<" if angle is not None else ""
            inside = True
        elif letter == ">":
            inside = False
        elif inside and angle is not None:
            angle += letter
        elif letter in ",;":
            whole = (address if angle is None else angle).strip()
            if whole:
                yield whole
            address, angle = "", None
        else:
            address += letter


def _bare(value: str) -> str:
    """Without comments; a quoted string is replaced by `"`, which no address that we take can hold."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for letter in value:
        if escaped:
            escaped = False
        elif letter == "\\" and (quoted or depth):
            escaped = True
        elif quoted:
            quoted = letter != '"'
        elif letter == '"' and not depth:
            quoted = True
            kept.append('"')
        elif letter == "(":
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(letter)
    return "".join(kept)


def _decoded(subject: str) -> str:
    """RFC 2047 words decoded as far as they can be."""
    subject = subject[:MOST_SUBJECT]
    try:
        return " ".join(str(email.header.make_header(email.header.decode_header(subject))).split())
    except (email.errors.MessageError, LookupError, ValueError):
        return subject
