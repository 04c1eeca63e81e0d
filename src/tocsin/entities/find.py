"""What stands in a text: `find`.

The text is scanned in linear time, kind after kind. Founds may stand inside each other, as a domain does in a mail
address and that in a URL; two that would overlap in part do not occur: the one that begins first stays, of two that
begin together the longer. Nothing is looked for inside a message id.
"""

import functools
from collections.abc import Iterator
from operator import attrgetter

import msgspec

from tocsin.entities import ids, mail, names, urls
from tocsin.entities.addresses import ipv4, network, with_colons
from tocsin.entities.known import DEFAULT, Known, whole
from tocsin.entities.names import Part
from tocsin.entities.skeleton import readable, skeleton
from tocsin.entities.spelling import COLON, DOT, DOTTED, compiled, fanged_address, place_of, spans
from tocsin.model import Entity

LONGEST_ADDRESS = 400
"""A longer run of hexadecimal words and colons is no address."""

SHORTEST_HASH = 32
LONGEST_REMEMBERED = 250
REMEMBERED = 8192

_DOTTED = compiled(DOTTED)
_WORD = "[0-9a-z_]"
_MANY = rf"{_WORD}*(?:{COLON}{_WORD}*){{5,}}"
_DOUBLED = rf"{_WORD}*(?::{_WORD}*)*(?:::|[\[({{]::?[\])}}])(?:{_WORD}|{COLON})*"
_COLONS = compiled(rf"(?:{_MANY}|{_DOUBLED})(?:{DOT}[0-9]{{1,3}}){{0,3}}")
"""Times of day are passed by."""
_TIME = compiled(
    r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
    r"(?:[.,][0-9]{1,9})? ?(?:Z|[+-][0-9:]{2,5})?$"
)
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
_LAST_TWO = frozenset(word[-2:] for word in _ENDINGS)
_LAST_WORD = compiled(r"[a-z]+$")
_BETWEEN = b" \t:=/_#\"'.(-"
_OPENS_PREFIX = frozenset((b"/", b"[", b"(", b"{"))
_SAYS_NOTHING = frozenset(range(256)) - frozenset(b"/\\%(")
"""What may stand around a dotted run without saying anything of it."""
_MAY_BE_OWN = frozenset(("ipv4", "ipv6", "cidr", "domain", "email"))
_SILENT = bytes(frozenset(range(256)) - frozenset(b"0123456789.:@\\[({<-"))
"""Where nothing else stands, nothing is found but a hash."""
_ALPHANUMERIC = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_\xff")


class Found(msgspec.Struct, frozen=True, gc=False):
    """An entity in a text: where it starts and ends, the text as written, and whether it is one of ours."""

    entity: Entity
    start: int
    end: int
    text: str
    own: bool = False


def find(text: str, known: Known = DEFAULT) -> list[Found]:
    """Every entity of a text, in order of its place, those outside before those inside them.

    Short texts, as most cells are, come again and again: what stands in the latest of them is remembered.
    """
    return list(_remembered(text, known)) if len(text) <= LONGEST_REMEMBERED else _found(text, known)


@functools.lru_cache(REMEMBERED)
def _remembered(text: str, known: Known) -> tuple[Found, ...]:
    return tuple(_found(text, known))


def _found(text: str, known: Known) -> list[Found]:
    bytes_ = skeleton(text)
    few = _few(bytes_) if len(bytes_) < SHORTEST_HASH else None
    parts = _all(bytes_, text, known) if few is None else few
    if known.looks_further:
        opaque = [(part.start, part.end) for part in parts if part.type == "message_id"]
        parts = [*(part for part in _told(bytes_, text, known) if not _inside(part, opaque)), *parts]
    return _in_order(parts, text, known) if parts else []


def _told(bytes_: bytes, text: str, known: Known) -> Iterator[Part]:
    """The own strings and patterns."""
    for type, value, start, end in known.strings(text):
        if whole(bytes_, start, end):
            yield Part(type, value, start, end)
    yield from known.matches(bytes_, text)


def _few(bytes_: bytes) -> list[Part] | None:
    """What stands in a text too short for a hash, if that is quickly seen; else None."""
    signs = bytes_.translate(None, _SILENT)
    if not signs:
        return []
    if signs.isdigit():
        return [] if bytes_.isdigit() else list(ids.words(bytes_))
    if not signs.strip(b"0123456789-"):
        return [*ids.hexes(bytes_), *ids.words(bytes_)]
    if len(signs) == len(bytes_) and (address := ipv4(bytes_.decode().split("."))):
        return [Part("ipv4", address, 0, len(bytes_))]
    return [] if bytes_[:1].isdigit() and place_of(_TIME, bytes_, 0, len(bytes_)) == 0 else None


def _all(bytes_: bytes, text: str, known: Known) -> list[Part]:
    parts: list[Part] = []
    muted: list[tuple[int, int]] = []
    hosts: set[int] = set()
    bracketed = b"[" in bytes_ or b"(" in bytes_ or b"{" in bytes_ or b"<" in bytes_
    escaped = b"\\" in bytes_
    if b":" in bytes_:
        if escaped or b"/" in bytes_:
            parts += _urls(bytes_, text, muted, hosts)
        if bracketed or bytes_.count(b":") > 4 or b"::" in bytes_:
            parts += _with_colons(bytes_, text)
    opaque: list[tuple[int, int]] = []
    if b"@" in bytes_:
        if b"<" in bytes_:
            opaque = list(mail.message_ids(bytes_, known.suffixes))
            parts += (Part("message_id", text[start:end], start, end) for start, end in opaque)
        parts += _mails(bytes_, text, known, muted, hosts)
    elif bracketed and b"at" in bytes_.lower():
        parts += _mails(bytes_, text, known, muted, hosts)
    if b"." in bytes_ or (bracketed and b"dot" in bytes_.lower()):
        parts += _dotted(bytes_, text, known, sorted(muted), hosts)
    parts += ids.hexes(bytes_)
    parts += ids.words(bytes_)
    if escaped:
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
    alone = names.alone(known.suffixes)
    for start, end in spans(_DOTTED, bytes_):
        is_host = start in hosts
        if padded[start] in _SAYS_NOTHING and padded[end + 1] in _SAYS_NOTHING and not is_host:
            found = alone(text[start:end])
        else:
            start, is_host, found = _looked_around(bytes_, text, start, end, known, is_host=is_host)
        if not found:
            continue
        while quiet and quiet[1] <= start:
            quiet = next(silent, None)
        is_quiet = quiet is not None and quiet[0] <= start
        for part in found:
            if part.type == "ipv4":
                yield from _ipv4(bytes_, part.moved(start), is_host=is_host)
            elif not is_quiet:  # `anna.it@example.com`: what stands before the @ is somebody's name
                yield part.moved(start)


def _looked_around(
    bytes_: bytes, text: str, start: int, end: int, known: Known, *, is_host: bool
) -> tuple[int, bool, tuple[Part, ...]]:
    """Where a run starts once the escape before it is cut off, whether it is a host, and its parts."""
    place = names.HOST if is_host else names.around(bytes_, start, end)
    found = names.parts(text[start:end], place, known.suffixes)
    cut = 0 if place.host else names.escaped(bytes_, start, end)
    if cut > 1 or (cut and not place.path and not any(part.type == "file" for part in found)):
        start, place = start + cut, place._replace(path="")
        found = names.parts(text[start:end], place, known.suffixes)
    return start, place.host, found


def _ipv4(bytes_: bytes, part: Part, *, is_host: bool) -> tuple[Part, ...]:
    """The address or the network, unless it is the version of something or a part of an object identifier."""
    start, end = part.start, part.end
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
    if before_it[-2:].lower() not in _LAST_TWO and before_it[-1:] not in (b"v", b"V"):
        return False
    if not before_it.lower().endswith(_ENDINGS):
        return False
    word = _LAST_WORD.search(before_it)
    return word[0].lower() in (_PRODUCTS | _VERSIONS if before.endswith(b"/") else _VERSIONS)


def _with_colons(bytes_: bytes, text: str) -> Iterator[Part]:
    for start, end in spans(_COLONS, bytes_):
        if end - start > LONGEST_ADDRESS:
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


def _in_order(parts: list[Part], text: str, known: Known) -> list[Found]:
    """Sorted, without doubles, and without what crosses a found that begins before it."""
    parts.sort(key=attrgetter("end"), reverse=True)
    parts.sort(key=attrgetter("start"))
    ends = [len(text)]
    last: Part | None = None
    founds: list[Found] = []
    is_own = known.is_own
    for part in parts:
        start, end = part.start, part.end
        while ends[-1] <= start:
            ends.pop()
        if ends[-1] < end or part == last:
            continue
        ends.append(end)
        last = part
        type, value = part.type, part.value
        own = known.owns_host(part.host) if part.host else type in _MAY_BE_OWN and is_own(type, value)
        founds.append(Found(Entity(type=type, value=value), start, end, text[start:end], own))
    return founds
