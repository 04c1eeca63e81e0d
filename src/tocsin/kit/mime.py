"""A mail's bytes taken apart: header fields, parts, transfer encodings, charsets. RFC 5322, RFC 2045 to 2049, RFC 2231.

The stdlib reads line by line, which costs a long mail ten times what finding its boundaries does; so only header
blocks are given to it. Nothing here raises for what stands in a mail, `Unreadable` excepted.
"""

import binascii
import codecs
import email
import email.message
import email.policy
import re
from collections.abc import Iterator
from functools import lru_cache

from tocsin.errors import Unreadable

MOST_HEAD = 1024 * 1024
MOST_FIELDS = 5000
MOST_PARAMETERS = 2000

FALLBACKS = ("utf-8", "cp1252")
_HARMFUL = frozenset(("punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape", "unicode-escape"))
"""Codecs that need quadratic time or decode programs, not mail."""

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_END_OF_BOUNDARY = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\n]*)\?=")
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_SHORTENED = ("content-type", "content-disposition", "content-transfer-encoding")


def split(raw: bytes) -> tuple[email.message.Message, bytes]:
    """A part's header fields and its body. Raises Unreadable for headers no mail has."""
    if raw[:1] == b"\n" or raw[:2] == b"\r\n":
        return email.message.Message(email.policy.compat32), raw.lstrip(b"\r\n")
    end = _END_OF_HEAD.search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    if len(head) > MOST_HEAD or head.count(b"\n") > MOST_FIELDS * 4:
        if b":" not in head.partition(b"\n")[0]:
            return email.message.Message(email.policy.compat32), raw
        raise Unreadable(f"the headers are larger than {MOST_HEAD // 1024} KiB or have too many lines")
    fields = email.message_from_string(_text_of(head), policy=email.policy.compat32)
    rest = fields.get_payload()
    if isinstance(rest, str) and rest:  # what stands there is no header
        return fields, rest.encode("utf-8", "surrogatepass") + raw[len(head) :]
    for name in _SHORTENED:
        value = fields.get(name)
        if value is not None and (len(value) > MOST_PARAMETERS or "\0" in value):
            fields.replace_header(name, value[:MOST_PARAMETERS].replace("\0", ""))
    return fields, body


def _text_of(head: bytes) -> str:
    try:
        return head.decode()
    except UnicodeDecodeError:
        return "\n".join(_decoded_line(line) for line in head.split(b"\n"))


def _decoded_line(line: bytes) -> str:
    for charset in FALLBACKS:
        try:
            return line.decode(charset)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


def parts(body: bytes, boundary: str) -> Iterator[bytes]:
    """The parts of a multipart body; one that is never closed ends with the body."""
    mark = b"--" + boundary.encode("utf-8", "replace")
    at, start = body.find(mark), -1
    while at >= 0:
        ending = _END_OF_BOUNDARY.match(body, at + len(mark)) if at == 0 or body[at - 1] == 10 else None
        if ending is None:
            at = body.find(mark, at + len(mark))
            continue
        if start >= 0:
            end = at - 1 if at > start else at
            yield body[start : end - 1 if end > start and body[end - 1] == 13 else end]
        if ending[1]:
            return
        start = ending.end()
        at = body.find(mark, start)
    if start >= 0:
        yield body[start:]


def unpacked(body: bytes, encoding: str) -> bytes:
    """Without its transfer encoding; bytes that are not what the encoding says are kept as they are."""
    encoding = encoding.strip().lower()
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    if encoding != "base64":
        return body
    try:
        return binascii.a2b_base64(body) or body
    except binascii.Error:
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4)) if letters else body


@lru_cache(256)
def known_charset(name: str) -> str:
    """The codec of a charset's name, or "" when there is none that a mail should need."""
    name = name.strip().lower().partition("*")[0]
    try:
        found = codecs.lookup(name).name if name.isascii() and "\0" not in name else ""
    except (LookupError, ValueError):
        return ""
    return "" if found in _HARMFUL or name in _HARMFUL else found


def decoded(body: bytes, charset: str) -> tuple[str, bool]:
    """The text, and whether it was in that charset; if not, it was read as UTF-8 or as what it most likely is."""
    said = known_charset(charset)
    for name in (said, *FALLBACKS, "latin-1"):
        if not name:
            continue
        try:
            return clean(body.decode(name)), name == said
        except (LookupError, ValueError):
            continue
    raise AssertionError("latin-1 decodes everything")


def clean(text: str) -> str:
    """Text that every engine and every encoder can hold: no NUL, no lone surrogate, no byte order mark."""
    text = text.removeprefix("\ufeff").replace("\0", "\N{REPLACEMENT CHARACTER}")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def decoded_header(value: str) -> tuple[str, bool]:
    """RFC 2047 words decoded, and whether each was what it said."""
    if "=?" not in value:
        return clean(_FOLD.sub(" ", value)), True
    pieces = _WORD.split(value)
    text, exact = pieces[0], True
    held, charset = b"", ""
    for at in range(1, len(pieces), 4):
        name, kind, packed, after = pieces[at : at + 4]
        if held and name.lower() != charset:
            word, same = decoded(held, charset)
            text, exact, held = text + word, exact and same, b""
        charset = name.lower()
        held += _word(kind, packed)
        if after.strip() or at + 4 >= len(pieces):
            word, same = decoded(held, charset)
            text, exact, held = text + word + after, exact and same, b""
    return clean(_FOLD.sub(" ", text)), exact


def _word(kind: str, packed: str) -> bytes:
    raw = packed.encode("ascii", "replace")
    return unpacked(raw, "base64") if kind in "bB" else binascii.a2b_qp(raw, header=True)
