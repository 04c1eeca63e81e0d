"""A mail, decoded as far as it can be: headers, texts, attachments, and notes of what was guessed.

RFC 5322, MIME (RFC 2045 to 2049, 2183). Nothing in a mail is trusted: every limit here is one that a stranger reached.
`mime.py` takes the bytes apart.
"""

import email.message
import email.utils
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin.errors import Unreadable
from tocsin.kit import mime
from tocsin.model import Alert, Alertgroup, Message, Micros, Noun

MAIL = "message/rfc822"
DEEPEST = 40
MOST_PARTS = 2000
MOST_HEADER = 64 * 1024
MOST_ADDRESS = 2000
MOST_BODY = 1_000_000
LATEST = 253_402_300_799_000_000  # 9999-12-31T23:59:59Z

GUESSED = "charset_guessed"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE = re.compile(r"(?:[+-]\d{4}|\b(?:UTC?|GMT|Z|[ECMP][SD]T))\s*(?:\(.*)?$", re.DOTALL)
_ADDRESS = re.compile(r"[^\s<>()\"',;:]{1,200}@[^\s<>()\"',;:]{1,255}")


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

    def is_marked(self, subjects: Sequence[str], senders: Sequence[str]) -> bool:
        """Whether one of the words stands in the subject, or one in the sender's name or address."""
        subject, sender = self.subject.casefold(), f"{self.sender_name} {self.sender}".casefold()
        return any(word.casefold() in subject for word in subjects) or any(
            word.casefold() in sender for word in senders
        )

    def group(self, **fields: Any) -> Alertgroup:
        """The mail's alertgroup: its subject, id, date and texts; `fields` are those of `Alertgroup.of_rows`.

        A text of more than 1,000,000 characters is left to the original. A tag says that a charset was guessed.
        """
        if self.notes:
            fields["tags"] = (*fields.get("tags", ()), GUESSED)
        fields.setdefault("subject", self.subject or f"Mail from {self.sender or 'nobody'} without a subject")
        if "columns" in fields and "rows" in fields:
            fields["alerts"] = tuple(map(Alert.of, fields.pop("rows")))
        make = Alertgroup if "alerts" in fields else Alertgroup.of_rows
        return make(
            message_id=self.message_id,
            created=self.date,
            body=_kept(self.html),
            body_plain=_kept(self.text),
            **fields,
        )


def is_mail(message: Message) -> bool:
    """Whether the message is a mail."""
    return message.media_type == MAIL


def is_marked(message: Message, subjects: Sequence[str], senders: Sequence[str]) -> bool:
    """Whether the message is a mail that `Letter.is_marked`; one that cannot be read is nobody's."""
    try:
        return is_mail(message) and letter(message).is_marked(subjects, senders)
    except Unreadable:
        return False


def letter(message: Message) -> Letter:
    """The message as a mail; decoded once, however many parsers ask. Raises Unreadable when it is built to harm."""
    known = message.__dict__.get("letter")
    if known is None:
        try:
            known = _Opening().open(message.body)
        except Unreadable as error:
            known = error
        message.__dict__["letter"] = known
    if isinstance(known, Unreadable):
        raise Unreadable(str(known))
    assert isinstance(known, Letter)
    return known


def _kept(text: str) -> str:
    if len(text) <= MOST_BODY:
        return text
    return f"These are {len(text):,} characters, more than are shown here; they stand in the original message."


class _Opening:
    """One mail being opened."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._htmls: list[str] = []
        self._attachments: list[Attachment] = []
        self._notes: dict[str, None] = {}
        self._parts = 0

    def open(self, raw: bytes) -> Letter:
        fields, body = mime.split(raw)
        self._part(fields, body, 0)
        self._forwarded(0)
        headers = tuple((name, self._header(value)) for name, value in fields.raw_items())
        first = {name.lower(): value for name, value in reversed(headers)}
        name, address = _address(first.get("from", ""))
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

    def _part(self, fields: email.message.Message, body: bytes, depth: int) -> None:
        self._parts += 1
        if depth > DEEPEST or self._parts > MOST_PARTS:
            raise Unreadable(f"the mail is nested more than {DEEPEST} deep or has more than {MOST_PARTS} parts")
        media_type = fields.get_content_type()
        boundary = fields.get_boundary() if media_type.startswith("multipart/") else None
        found = False
        if boundary:
            for part in mime.parts(body, boundary):
                found = True
                self._part(*mime.split(part), depth + 1)
        if found:
            return
        body = mime.unpacked(body, str(fields.get("content-transfer-encoding", "")))
        name = self._name(fields)
        kept_apart = name or fields.get_content_disposition() == "attachment"
        if media_type == MAIL:
            if body:
                self._attachments.append(Attachment(name=name or "forwarded.eml", media_type=MAIL, body=body))
        elif kept_apart or media_type.partition("/")[0] not in ("text", "multipart"):
            if body:
                self._attachments.append(Attachment(name=name, media_type=media_type, body=body))
        elif media_type in ("text/plain", "text/html") or media_type.startswith("multipart/"):
            self._text(self._decoded(body, fields), html=media_type == "text/html")
        elif body:
            self._attachments.append(Attachment(name=name, media_type=media_type, body=body))

    def _text(self, text: str, *, html: bool) -> None:
        if html or text[:200].lstrip().lower().startswith(("<html", "<!doctype html")):
            self._htmls.append(text)
        else:
            self._texts.append(text)

    def _forwarded(self, depth: int) -> None:
        """A mail without text of its own that carries another: what the other says is what it says."""
        if any(text.strip() for text in (*self._texts, *self._htmls)):
            return
        inner = next((each for each in self._attachments if each.media_type == MAIL), None)
        if inner is None:
            return
        opened = _Opening()
        opened._parts = self._parts
        opened._part(*mime.split(inner.body), depth + 1)
        opened._forwarded(depth + 1)
        self._texts, self._htmls = opened._texts, opened._htmls
        self._attachments += opened._attachments
        self._notes |= opened._notes

    def _name(self, fields: email.message.Message) -> str:
        name = fields.get_filename() or ""
        return self._header(name).replace("\\", "/").rsplit("/", 1)[-1][:255]

    def _decoded(self, body: bytes, fields: email.message.Message) -> str:
        said = str(fields.get_content_charset() or "")
        text, exact = mime.decoded(body, said or "utf-8")
        if not exact:
            self._notes[f"the text is not the {said or 'UTF-8'} it says it is" if said else "no charset is said"] = None
        return text.replace("\r\n", "\n")

    def _header(self, value: object) -> str:
        text, exact = mime.decoded_header(str(value)[:MOST_HEADER])
        if not exact:
            self._notes["a header's charset was guessed"] = None
        return text


def _address(value: str) -> tuple[str, str]:
    """Display name and address of a From header."""
    value = value[:MOST_ADDRESS]
    if value.count("(") < 20:
        name, address = email.utils.parseaddr(value)
        if "@" in address:
            return name, address
    found = _ADDRESS.search(value)
    return value.strip(), found[0] if found else ""


def _date(text: str) -> Micros | None:
    """The Date header in UTC; None when it is missing, impossible or without a zone that RFC 5322 knows."""
    text = text[:200]
    parts = email.utils.parsedate_tz(text)
    if parts is None or _ZONE.search(text) is None:
        return None
    try:
        local = datetime(*parts[:6], tzinfo=UTC)
        micros = (local - _EPOCH - timedelta(seconds=parts[9] or 0)) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None
    return micros if 0 <= micros <= LATEST else None
