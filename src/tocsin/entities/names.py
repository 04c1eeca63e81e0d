"""Dotted words: an IPv4 address, a host name, a file name, a MAC address in Cisco's form, or nothing."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from tocsin.entities import suffixes
from tocsin.entities.addresses import HEX, ipv4, mac
from tocsin.entities.skeleton import readable
from tocsin.entities.spelling import compiled, fanged, last_dot

LONGEST_RUN = 600
"""No name is longer, spelled however; a longer run of dotted words is none."""
_EDGES = "-\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_LOOK_BACK = 128
_PATH = compiled(r"(?:^|[^0-9a-z])[a-z]:\\|%\\|\\\\[0-9a-z]")


class Part(msgspec.Struct, frozen=True, gc=False):
    """An entity in a run, and where in the run it stands."""

    type: str
    value: str
    start: int
    end: int
    host: str = ""
    """A URL's host, in its one form."""

    def moved(self, by: int) -> "Part":
        """The same further behind."""
        return Part(self.type, self.value, self.start + by, self.end + by)


class Around(NamedTuple):
    """What the text around a run says of it."""

    host: bool = False
    """It is the host of a URL or mail address."""
    path: str = ""
    """It stands in a path: the slash or backslash before it."""
    below: bool = False
    """A slash follows it."""
    called: bool = False
    """An opening parenthesis follows it: `console.log(`."""


_NOTHING = Around()
HOST = Around(host=True)


def around(skeleton: bytes, start: int, end: int) -> Around:
    """What stands directly before and behind a run that is no known host."""
    before, behind = skeleton[start - 1 : start], skeleton[end : end + 1]
    if before == b"\\" and skeleton[max(0, start - 3) : start] in (b" \\\\", b"\\\\", b'"\\\\', b"=\\\\"):
        return HOST  # \\server.example.com\share
    path = before.decode() if before == b"/" or (before == b"\\" and _in_path(skeleton, start)) else ""
    return Around(path=path, below=behind == b"/", called=behind == b"(")


def _in_path(skeleton: bytes, start: int) -> bool:
    r"""Whether a drive, a server or a variable stands before the backslash: else it may begin an escape (`\n`)."""
    return _PATH.search(skeleton[max(0, start - _LOOK_BACK) : start]) is not None


def escaped(skeleton: bytes, start: int, end: int) -> int:
    r"""How many characters at the start of a run belong to an escape before it: `%2Fevil.com`, `\nevil.com`."""
    before = skeleton[start - 1 : start]
    if before == b"%":
        return 2 if HEX.issuperset(skeleton[start : start + 2].decode("latin-1")) and start + 2 < end else 0
    if before != b"\\" or skeleton[start - 2 : start - 1] == b"\\":
        return 0
    first = skeleton[start : start + 1]
    if first == b"u" and HEX.issuperset(skeleton[start + 1 : start + 5].decode("latin-1")) and start + 5 < end:
        return 5
    return 1 if first in (b"n", b"r", b"t") else 0


def parts(run: str, place: Around, own: frozenset[str]) -> tuple[Part, ...]:
    """The entities of one run as written. `own` are suffixes beside the public ones."""
    return _parts(run, place, own) if len(run) <= LONGEST_RUN else ()


@functools.lru_cache(64)
def alone(own: frozenset[str]) -> Callable[[str], tuple[Part, ...]]:
    """As `parts`, for runs around which nothing says anything of them."""

    @functools.lru_cache(2048)
    def parts(run: str) -> tuple[Part, ...]:
        return _read(run, _NOTHING, own) if len(run) <= LONGEST_RUN else ()

    return parts


@functools.lru_cache(2048)
def _parts(run: str, place: Around, own: frozenset[str]) -> tuple[Part, ...]:
    return _read(run, place, own)


def _read(run: str, place: Around, own: frozenset[str]) -> tuple[Part, ...]:
    start, end = 0, len(run)
    core = run
    if not run.isascii() or run[0] == "-" or run[-1] == "-":
        start = len(run) - len(run.lstrip(_EDGES))
        end = len(run.rstrip(_EDGES))
        core = run[start:end]
    plain = readable(core)
    name = fanged(plain)
    labels = name.split(".")
    if len(labels) < 2:
        return ()
    part = _number(labels) or _named(name, labels, place, own, defanged=name != plain)
    if part:
        return (Part(part[0], part[1], start, end),)
    if all(label.isdecimal() for label in labels):
        return ()
    return tuple(part.moved(start) for part in _smaller(core, name, labels, place, own))


def _number(labels: list[str]) -> tuple[str, str] | None:
    digits = "".join(labels)
    has_form = (
        len(labels) == 3 and len(digits) == 12 and HEX.issuperset(digits) and all(len(one) == 4 for one in labels)
    )
    if has_form and (digits.startswith("00") or (not digits.isdecimal() and not digits.isalpha())):
        return "mac", mac(digits)
    address = ipv4(labels) if len(labels) == 4 and labels[3].isdecimal() else ""
    return ("ipv4", address) if address else None


def _named(
    name: str, labels: list[str], place: Around, own: frozenset[str], *, defanged: bool
) -> tuple[str, str] | None:
    host = suffixes.domain(name, own)
    if place.host:
        return ("domain", host) if host else None
    last, stem = labels[-1].lower(), labels[-2]
    file = ("file", name.lower()) if _is_file(labels, last, place) else None
    if not host or (file and last in suffixes.FILE_FIRST and not _says_host(host, labels, place, defanged=defanged)):
        return file
    if defanged or labels[0].lower() == "www":
        return "domain", host
    if last in suffixes.HOST_FIRST and _says_file(labels, last, place):
        return "file", name.lower()
    if _is_code(labels, last, stem, place):
        return None
    return "domain", host


def _is_file(labels: list[str], last: str, place: Around) -> bool:
    if last not in suffixes.EXTENSIONS:
        return len(labels) > 2 and last.isdecimal() and "so" in labels[1:-1]  # libc.so.6
    if place.called:
        return False
    stem = "".join(labels[:-1])
    return len(last) > 1 or (len(stem) > 1 and not stem.isdecimal())


def _says_host(host: str, labels: list[str], place: Around, *, defanged: bool) -> bool:
    if place.path:
        return False
    compressed = labels[-1].lower() in ("zip", "mov")
    return (
        defanged or labels[0].lower() == "www" or (place.below and not compressed) or suffixes.suffix_length(host) > 1
    )


def _says_file(labels: list[str], last: str, place: Around) -> bool:
    if place.path and (place.path == "\\" or last not in suffixes.BACKSLASH_ONLY):
        return True
    return len(labels) == 2 and labels[0].lower() in suffixes.STEMS and not place.below and last != "com"


def _is_code(labels: list[str], last: str, stem: str, place: Around) -> bool:
    """Whether it reads as a field, a class or the seam of two sentences rather than as a host."""
    if place.below:
        return False
    if len(labels) == 2 and last in suffixes.FIELD_ENDINGS and stem.lower() in suffixes.FIELDS:
        return True
    if labels[0].lower() in suffixes.NAMESPACES and all(label[:1].isupper() for label in labels):
        return not all(label.isupper() for label in labels)
    return _is_seam(labels)


def _is_seam(labels: list[str]) -> bool:
    """`done.In the morning`: a capital after the dot, none before it."""
    last = labels[-1]
    if len(last) < 2 or not (last[0].isupper() and last[1:].islower()) or last.lower() in suffixes.PLAIN_ENDINGS:
        return False
    return not any(label[:1].isupper() for label in labels[:-1])


def _smaller(core: str, name: str, labels: list[str], place: Around, own: frozenset[str]) -> list[Part]:
    """What is left of a run that is nothing as a whole.

    That is both ends of a range, all but the next sentence's first word, the ASCII in a text of another script.
    """
    if "-" in name:
        ends = core.split("-")
        if len(ends) == 2 and (found := [ipv4(fanged(readable(text)).split(".")) for text in ends]) and all(found):
            second = len(ends[0]) + 1
            return [Part("ipv4", found[0], 0, second - 1), Part("ipv4", found[1], second, len(core))]
    if not core.isascii():
        return _in_ascii(core, place, own)
    if _is_seam(labels) and len(labels) > 2:
        return list(_parts(core[: last_dot(core)], place, own))
    return []


def _in_ascii(core: str, place: Around, own: frozenset[str]) -> list[Part]:
    found: list[Part] = []
    at = 0
    spaced = "".join(character if character.isascii() else "\n" for character in core)
    for piece in spaced.split("\n"):
        if "." in piece and piece != core:
            found += (part.moved(at) for part in _parts(piece, place, own))
        at += len(piece) + 1
    return found
