"""Mail addresses and message ids (RFC 5322), as far as people and programs write them in texts."""

from collections.abc import Iterator
from typing import NamedTuple

from tocsin.entities.names import escaped
from tocsin.entities.skeleton import readable
from tocsin.entities.spelling import AT, DOT, LABEL, compiled, fanged, fanged_mail, spans
from tocsin.entities.suffixes import domain

LONGEST_LOCAL = 200
_LOCAL = r"[0-9a-z._%+'~=\xff\x81-]"
MAIL = compiled(rf"{_LOCAL}+(?:{DOT}{_LOCAL}+)*{AT}{LABEL}(?:{DOT}{LABEL})*")
MESSAGE_ID = compiled(r"<[^\x00-\x20<>@]+@[^\x00-\x20<>@]+>")
_SIGN = compiled(AT)
_MAY_SPELL = frozenset(b"[({<\\])}>")
_WITH_EQUALS = (b"srs0", b"srs1", b"prvs", b"btv1", b"msprvs1", b"bounce")
_FIELD = "message[-_ ]?id|in-reply-to|references|resent-message-id"
_NAMED = compiled(rf"""(?:{_FIELD})['" ]{{0,2}}[:=][ '"\[]{{0,3}}(?:<[^<>]*>[ ,]{{0,2}})*$""")
_LOOK_BACK = 400


class Written(NamedTuple):
    """A mail address in the text: where it starts, where its host does, and where it ends."""

    start: int
    host: int
    end: int


def mails(skeleton: bytes) -> Iterator[Written]:
    """Everything of the form local@host; whether the host is one is seen by `mail`."""
    for start, end in spans(MAIL, skeleton):
        run = skeleton[start:end]
        sign = run.find(b"@")
        sign, host = (sign, sign + 1) if _MAY_SPELL.isdisjoint(run) else next(spans(_SIGN, run))
        yield Written(start + _before(skeleton, start, start + sign), start + host, end)


def _before(skeleton: bytes, start: int, sign: int) -> int:
    """How much at the start of a local part is none of it: escapes, the name of a field, quotes and dots."""
    at = start + escaped(skeleton, start, sign)
    while skeleton[at : at + 1] == b"%" and sign - at > 3:
        at += 3
    local = skeleton[at:sign].lower()
    if b"=" in local and not local.startswith(_WITH_EQUALS) and b"+" not in local:
        at += local.rfind(b"=") + 1
    while at < sign and skeleton[at] in b".-%~'\x81":
        at += 1
    return at - start


def mail(text: str, own: frozenset[str]) -> str:
    """The mail address as written in its one form, lower case with the host in punycode, or ""."""
    local, _, host = fanged_mail(readable(text)).rpartition("@")
    if not local or len(local) > LONGEST_LOCAL:
        return ""
    host = domain(fanged(host).strip("-"), own)
    return f"{local.lower()}@{host}" if host else ""


def message_ids(skeleton: bytes, own: frozenset[str]) -> Iterator[tuple[int, int]]:
    """The message ids of a text, with their angle brackets.

    `<a@b>` may be either; it is an id where a field's name says so, where its host is none that gets mail, or where
    what stands before the @ looks made by a program: eight digits or more, or twenty characters with a digit.
    """
    for start, end in spans(MESSAGE_ID, skeleton):
        if end - start <= 1000 and (_named(skeleton, start) or _looks_made(skeleton[start + 1 : end - 1], own)):
            yield start, end


def _named(skeleton: bytes, start: int) -> bool:
    return _NAMED.search(skeleton[max(0, start - _LOOK_BACK) : start]) is not None


def _looks_made(inner: bytes, own: frozenset[str]) -> bool:
    local, _, host = inner.decode("latin-1").rpartition("@")
    digits = sum(map(str.isdecimal, local))
    if digits >= 8 or (len(local) >= 20 and digits) or "$" in local:
        return True
    return "\xff" not in host and not domain(fanged(host), own)
