"""A mail, decoded as far as it can be: headers, texts, attachments, and notes of what was guessed.

RFC 5322, MIME (RFC 2045 to 2049, 2183). Nothing in a mail is trusted: every limit here is one that a stranger reached.
The stdlib's `compat32` parser is used: it never raises and is eight times as quick as the modern one.
"""

import email
import email.header
import email.message
import email.policy
import email.utils
import re
from collections.abc import Iterator

from tocsin.errors import Unreadable
from tocsin.model import Message, Micros, Noun

MAIL = "message/rfc822"
DEEPEST = 40
MOST_PARTS = 2000
MOST_HEADER = 64 * 1024
FALLBACKS = ("utf-8", "cp1252")


class Attachment(Noun, frozen=True, kw_only=True):
    """A part that is not the text itself."""

    name: str
    media_type: str
    body: bytes


class Letter(Noun, frozen=True, kw_only=True):
    """What a mail says. `text` and `html` are empty where there is no such part; `notes` say what was guessed."""

    subject: str
    sender: str
    sender_name: str
    message_id: str
    date: Micros | None
    text: str
    html: str
    attachments: tuple[Attachment, ...]
    headers: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    def header(self, name: str) -> str:
        """The first header of that name, decoded; empty without one."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), "")


def is_mail(message: Message) -> bool:
    """Whether the message is a mail."""
    return message.media_type == MAIL


def letter(message: Message) -> Letter:
    """The message as a mail; decoded once, however many parsers ask. Raises Unreadable when it is built to harm."""
    known = message.__dict__.get("letter")
    if known is None:
        known = message.__dict__["letter"] = _Opening().open(message.body)
    return known


class _Opening:
    """One mail being opened."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._htmls: list[str] = []
        self._attachments: list[Attachment] = []
        self._notes: dict[str, None] = {}
        self._parts = 0

    def open(self, raw: bytes) -> Letter:
        mail = email.message_from_bytes(raw, policy=email.policy.compat32)
        self._part(mail, 0)
        if not self._texts and not self._htmls:
            self._forwarded()
        headers = tuple((name, self._header(value)) for name, value in mail.raw_items())
        first = {name.lower(): value for name, value in reversed(headers)}
        name, address = email.utils.parseaddr(first.get("from", ""))
        return Letter(
            subject=" ".join(first.get("subject", "").split()),
            sender=address.lower(),
            sender_name=name,
            message_id="".join(first.get("message-id", "").split()),
            date=_date(first.get("date", "")),
            text="\n".join(self._texts),
            html="\n".join(self._htmls),
            attachments=tuple(self._attachments),
            headers=headers,
            notes=tuple(self._notes),
        )

    def _part(self, part: email.message.Message, depth: int) -> None:
        self._parts += 1
        if depth > DEEPEST or self._parts > MOST_PARTS:
            raise Unreadable(f"the mail is nested more than {DEEPEST} deep or has more than {MOST_PARTS} parts")
        media_type = part.get_content_type()
        if media_type == MAIL and part.is_multipart():
            for inner in _children(part):
                body = inner.as_bytes(policy=email.policy.compat32)
                self._attachments.append(
                    Attachment(name=self._name(part) or "forwarded.eml", media_type=MAIL, body=body)
                )
        elif part.is_multipart():
            for inner in _children(part):
                self._part(inner, depth + 1)
        else:
            self._leaf(part, media_type)

    def _leaf(self, part: email.message.Message, media_type: str) -> None:
        body = part.get_payload(decode=True)
        body = body if isinstance(body, bytes) else b""
        name = self._name(part)
        kept_apart = name or part.get_content_disposition() == "attachment"
        if not kept_apart and media_type == "text/plain":
            self._texts.append(self._decoded(body, part))
        elif not kept_apart and media_type == "text/html":
            self._htmls.append(self._decoded(body, part))
        elif body:
            self._attachments.append(Attachment(name=name, media_type=media_type, body=body))

    def _forwarded(self) -> None:
        """A mail without text of its own that carries another: what the other says is what it says."""
        inner = next((each for each in self._attachments if each.media_type == MAIL), None)
        if inner is None:
            return
        opened = _Opening()
        opened._part(email.message_from_bytes(inner.body, policy=email.policy.compat32), 1)
        self._texts, self._htmls = opened._texts, opened._htmls
        self._attachments += opened._attachments
        self._notes["the text is that of the forwarded mail"] = None

    def _name(self, part: email.message.Message) -> str:
        name = part.get_filename() or ""
        return self._header(name).replace("\\", "/").rsplit("/", 1)[-1][:255]

    def _decoded(self, body: bytes, part: email.message.Message) -> str:
        said = str(part.get_content_charset() or "utf-8")
        for charset in (said, *FALLBACKS):
            try:
                text = body.decode(charset)
            except (LookupError, UnicodeDecodeError, ValueError):
                self._notes[f"the text is not the {said} it says it is"] = None
                continue
            return text.replace("\r\n", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")
        return body.decode("latin-1").replace("\r\n", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")

    def _header(self, value: object) -> str:
        """RFC 2047 words decoded; bytes that are no ASCII are read as UTF-8, else as they most likely were."""
        text = str(value)[:MOST_HEADER]
        if "=?" not in text and text.isascii():
            return re.sub(r"[\r\n]+\s*", " ", text).replace("\0", "")
        words: list[str] = []
        for word, charset in email.header.decode_header(_unsurrogated(text)):
            words.append(word if isinstance(word, str) else self._word(word, charset))
        return re.sub(r"[\r\n]+\s*", " ", "".join(words)).replace("\0", "")

    def _word(self, word: bytes, charset: str | None) -> str:
        for known in (charset or "ascii", *FALLBACKS):
            try:
                return word.decode(known)
            except (LookupError, UnicodeDecodeError, ValueError):
                self._notes["a header's charset was guessed"] = None
        return word.decode("latin-1")


def _unsurrogated(text: str) -> str:
    """The parser hides bytes that are no ASCII in surrogates; take them out again."""
    raw = text.encode("ascii", "surrogateescape") if not _has_real(text) else text.encode("utf-8", "surrogateescape")
    for charset in FALLBACKS:
        try:
            return raw.decode(charset)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _has_real(text: str) -> bool:
    return any(ord(each) > 127 and not 0xDC80 <= ord(each) <= 0xDCFF for each in text)


def _children(part: email.message.Message) -> Iterator[email.message.Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (each for each in payload if isinstance(each, email.message.Message))


def _date(text: str) -> Micros | None:
    """The Date header in UTC; None when it is missing, impossible or without a zone."""
    try:
        parts = email.utils.parsedate_tz(text)
        if parts is None or parts[9] is None:
            return None
        return email.utils.mktime_tz(parts) * 1_000_000
    except (ValueError, OverflowError, IndexError):
        return None
