"""What stands in a text: `find`.

The text is scanned in linear time, kind after kind. Founds may stand inside each other, as a domain does in a mail
address and that in a URL; two that would overlap in part do not occur: the one that begins first stays, of two that
begin together the longer. Nothing is looked for inside a message id.
"""

from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from tocsin.entities import ids, mail, names, urls
from tocsin.entities.addresses import network, with_colons
from tocsin.entities.known import DEFAULT, Known, whole
from tocsin.entities.names import Around, Part
from tocsin.entities.skeleton import readable, skeleton
from tocsin.entities.spelling import COLON, DOT, DOTTED, compiled, fanged_address, spans
from tocsin.model import Entity

LONGEST_ADDRESS = 400
"""A longer run of hexadecimal words and colons is no address."""

SHORTEST_HASH = 32

_DOTTED = compiled(DOTTED)
_COLONS = compiled(rf"[0-9a-z_]*(?:{COLON}[0-9a-z_]*){{2,}}(?:{DOT}[0-9]{{1,3}}){{0,3}}")
_BRACKETS = compiled(r"[\[({]")
_PREFIX = compiled(r"(?:/|[\[({]/[\])}])([0-9]{1,3})")
_VERSIONS = frozenset(
    b"""version versions ver v rev revision release build firmware productversion fileversion appversion
    clientversion""".split()
)
_PRODUCTS = frozenset(
    b"""chrome chromium crios edg edge edga edgios opr opera firefox fxios safari applewebkit mozilla vivaldi yabrowser
    skype teams electron curl wget java jre jdk headlesschrome samsungbrowser openssl openssh trident gecko""".split()
)
_ENDINGS = tuple(_VERSIONS | _PRODUCTS)
_LAST_WORD = compiled(r"[a-z]+$")
_BETWEEN = b" \t:=/_#\"'.(-"
_OPENS_PREFIX = frozenset((b"/", b"[", b"(", b"{"))
_NOTHING = Around()
_SAYS_NOTHING = frozenset(range(256)) - frozenset(b"/\\%(")
"""What may stand around a dotted run without saying anything of it."""
_ALPHANUMERIC = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_\xff")


class Found(NamedTuple):
    """An entity in a text: where it starts and ends, the text as written, and whether it is one of ours."""

    entity: Entity
    start: int
    end: int
    text: str
    own: bool = False


def find(text: str, known: Known = DEFAULT) -> list[Found]:
    """Every entity of a text, in order of its place, those outside before those inside them."""
    return list(_in_order(_all(text, known), text, known))


def _all(text: str, known: Known) -> list[Part]:
    bytes_ = skeleton(text)
    parts: list[Part] = []
    if known.looks_further:
        parts += (
            Part(type, value, start, end)
            for type, value, start, end in known.strings(text)
            if whole(bytes_, start, end)
        )
        parts += known.matches(bytes_, text)
    if len(bytes_) < SHORTEST_HASH and bytes_.isalpha():
        return parts
    muted: list[tuple[int, int]] = []
    hosts: set[int] = set()
    if b":" in bytes_:
        parts += _urls(bytes_, text, muted, hosts)
        parts += _with_colons(bytes_, text)
    opaque: list[tuple[int, int]] = []
    has_sign = b"@" in bytes_
    if has_sign or b"at" in bytes_ or b"AT" in bytes_ or b"At" in bytes_:
        if has_sign and b"<" in bytes_:
            opaque = list(mail.message_ids(bytes_, known.suffixes))
            parts += (Part("message_id", text[start:end], start, end) for start, end in opaque)
        parts += _mails(bytes_, text, known, muted, hosts)
    if b"." in bytes_ or b"dot" in bytes_.lower():
        parts += _dotted(bytes_, text, known, sorted(muted), hosts)
    parts += ids.hexes(bytes_)
    parts += ids.words(bytes_)
    if b"\\" in bytes_:
        parts += ids.keys(bytes_, text)
    return [part for part in parts if not _inside(part, opaque)] if opaque else parts


def _urls(bytes_: bytes, text: str, muted: list[tuple[int, int]], hosts: set[int]) -> Iterator[Part]:
    for written in urls.urls(bytes_):
        hosts.add(written.host)
        if written.host > written.authority:
            muted.append((written.authority, written.host))
        start = written.start
        value, host = urls.url(text[start : written.end], written.authority - start, written.authority_end - start)
        if value:
            yield Part("url", value, start, written.end, host)


def _mails(bytes_: bytes, text: str, known: Known, muted: list[tuple[int, int]], hosts: set[int]) -> Iterator[Part]:
    userinfo = iter(sorted(muted))
    skipped = next(userinfo, None)
    for start, host, end in mail.mails(bytes_):
        while skipped and skipped[1] < host:
            skipped = next(userinfo, None)
        if skipped and skipped[0] <= start and host <= skipped[1]:
            continue
        muted.append((start, host))
        hosts.add(host)
        value = mail.mail(text[start:end], known.suffixes) if end - start <= names.LONGEST_RUN else ""
        if value:
            yield Part("email", value, start, start + len(text[start:end].rstrip("-")))


def _dotted(bytes_: bytes, text: str, known: Known, muted: list[tuple[int, int]], hosts: set[int]) -> Iterator[Part]:
    silent = iter(muted)
    quiet = next(silent, None)
    padded = b"\n" + bytes_ + b"\n"
    suffixes = known.suffixes
    for start, end in spans(_DOTTED, bytes_):
        if padded[start] in _SAYS_NOTHING and padded[end + 1] in _SAYS_NOTHING and start not in hosts:
            place = _NOTHING
            found = names.parts(text[start:end], place, suffixes)
        else:
            start, place, found = _looked_around(bytes_, text, start, end, hosts, known)
        if not found:
            continue
        while quiet and quiet[1] <= start:
            quiet = next(silent, None)
        is_quiet = quiet is not None and quiet[0] <= start
        for type, value, first, last, _ in found:
            if type == "ipv4":
                yield from _ipv4(bytes_, Part(type, value, start + first, start + last), is_host=place.host)
            elif not is_quiet:  # `anna.it@example.com`: what stands before the @ is somebody's name
                yield Part(type, value, start + first, start + last)


def _looked_around(
    bytes_: bytes, text: str, start: int, end: int, hosts: set[int], known: Known
) -> tuple[int, Around, tuple[Part, ...]]:
    """Where a run starts once the escape before it is cut off, what stands around it, and its parts."""
    place = Around(host=True) if start in hosts else names.around(bytes_, start, end)
    found = names.parts(text[start:end], place, known.suffixes)
    cut = 0 if place.host else names.escaped(bytes_, start, end)
    if cut > 1 or (cut and not place.path and not any(part.type == "file" for part in found)):
        start, place = start + cut, place._replace(path="")
        found = names.parts(text[start:end], place, known.suffixes)
    return start, place, found


def _ipv4(bytes_: bytes, part: Part, *, is_host: bool) -> tuple[Part, ...]:
    """The address or the network, unless it is the version of something or a part of an object identifier."""
    _, _, start, end, _ = part
    if not is_host and (bytes_[start - 1 : start] == b"." or _is_version(bytes_, start)):
        return ()
    return (part,) if is_host or bytes_[end : end + 1] not in _OPENS_PREFIX else tuple(_address(bytes_, part))


def _address(bytes_: bytes, part: Part) -> Iterator[Part]:
    """The network, if the length of a prefix follows, and the address unless that has no bits of its own."""
    prefix = _PREFIX.match(bytes_, part.end) if bytes_[part.end : part.end + 1] in _OPENS_PREFIX else None
    if prefix and not _goes_on(bytes_, prefix.end()):
        value, has_bits = network(part.value, prefix[1].decode())
        if value:
            yield Part("cidr", value, part.start, prefix.end())
            if has_bits:
                yield part
            return
    if part.value != "::":
        yield part


def _goes_on(bytes_: bytes, end: int) -> bool:
    """Whether the word or the path goes on: `1.2.3.4/24/x`, `1.2.3.4/24.5`."""
    if end >= len(bytes_):
        return False
    follows = bytes_[end]
    return follows in _ALPHANUMERIC or (
        follows in b"./-" and end + 1 < len(bytes_) and bytes_[end + 1] in _ALPHANUMERIC
    )


def _is_version(bytes_: bytes, start: int) -> bool:
    """`version: 1.2.3.4`, `Chrome/103.0.0.1`: a word for it stands before it, or a program's name and a slash."""
    before = bytes_[start - 32 if start > 32 else 0 : start]
    before_it = before.rstrip(_BETWEEN)
    if not before_it.lower().endswith(_ENDINGS):
        return False
    word = _LAST_WORD.search(before_it)
    return word[0].lower() in (_PRODUCTS | _VERSIONS if before.endswith(b"/") else _VERSIONS)


def _with_colons(bytes_: bytes, text: str) -> Iterator[Part]:
    for start, end in spans(_COLONS, bytes_):
        run = bytes_[start:end]
        if end - start > LONGEST_ADDRESS or (run.count(b":") < 5 and b"::" not in run and not _BRACKETS.search(run)):
            continue
        if start and (bytes_[start - 1] in _ALPHANUMERIC or bytes_[start - 1] == 0x2E):
            continue
        if _goes_on_after_dot(bytes_, end):
            continue
        plain, places = fanged_address(readable(text[start:end]))
        found = with_colons(plain)
        if not found:
            continue
        type, value, first, last = found
        part = Part(type, value, start + places[first], start + places[last])
        yield from _address(bytes_, part) if type == "ipv6" else (part,)


def _goes_on_after_dot(bytes_: bytes, end: int) -> bool:
    """`abc::def.method` is no address; `2001:db8::1.443` is one with a port, as BSD's tools write it."""
    follows = bytes_[end : end + 2]
    return follows[:1] == b"." and follows[1:].isalpha()


def _inside(part: Part, spans: list[tuple[int, int]]) -> bool:
    return any(start <= part.start and part.end <= end and part.type != "message_id" for start, end in spans)


def _in_order(parts: list[Part], text: str, known: Known) -> Iterator[Found]:
    """Sorted, without doubles, and without what crosses a found that begins before it."""
    parts.sort(key=itemgetter(3), reverse=True)
    parts.sort(key=itemgetter(2))
    ends = [len(text)]
    last: Part | None = None
    known_entity = known.entity
    for part in parts:
        type, value, start, end, host = part
        while ends[-1] <= start:
            ends.pop()
        if ends[-1] < end or part == last:
            continue
        ends.append(end)
        last = part
        entity, own = known_entity(type, value, host)
        yield Found(entity, start, end, text[start:end], own)
