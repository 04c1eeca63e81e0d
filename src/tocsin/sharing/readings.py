"""What a text says to those who read it in the end: a browser, a program that decodes it, somebody's eyes.

An address may be written in full-width digits, with characters of no width between them, as entities of HTML, with
percent signs, as escapes of JSON, or with a tag in its middle. Each reading knows where in the text as written each
part of it stands.
"""

import functools
import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import unquote

_MARKS = "\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f"
_ENTITY = r"&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[a-zA-Z][a-zA-Z0-9]{1,31};)"
_PERCENT = r"%u[0-9a-fA-F]{4}|%[0-7][0-9a-fA-F]|(?:%[89a-fA-F][0-9a-fA-F]){1,4}"
_ESCAPE = (
    r"(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]{1,6}\}"
    r"|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\[0-3][0-7]{2}|\\[^a-zA-Z0-9]|\\[bfnrtv0]"
)
_SILENT = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_CODED = re.compile(rf"{_ENTITY}|{_PERCENT}|{_ESCAPE}|{_SILENT}|[a-zA-Z0-9]?[{_MARKS}]+|[^\x00-\x7f][{_MARKS}]*")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<![^<>]*>")
_QUOTED = re.compile(r"=(?:[0-9A-F]{2}|\r?\n)")
_ANY = re.compile(r"[%&\\<=\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\U0010ffff]")
_DOTS = frozenset("。｡．․·•‧∙⋅・･")
_NOT_SEEN = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_NUMBERED = re.compile(r"%u|\\[uUx]\{?|\}")


class _Piece(NamedTuple):
    shown: int
    start: int
    end: int
    as_written: bool


class Reading:
    """A text as it is read, with the way back to the text as written."""

    def __init__(self, shown: str, ways: tuple[list[_Piece], ...]) -> None:
        self.shown, self.ways = shown, ways

    def written(self, start: int, end: int) -> tuple[int, int]:
        """Where in the text as written that part of `shown` stands."""
        for way in reversed(self.ways):
            first = way[bisect_right(way, start, key=_shown) - 1]
            last = way[bisect_right(way, end - 1, key=_shown) - 1]
            end = last.start + end - last.shown if last.as_written else last.end
            start = first.start + start - first.shown if first.as_written else first.start
        return start, end


def _shown(piece: _Piece) -> int:
    return piece.shown


Step = tuple[re.Pattern[str], Callable[[str], str]]


@functools.lru_cache(4096)
def _decoded(part: str) -> str:
    """One character however it is coded, in its plainest form; nothing for what nobody sees."""
    match part[0]:
        case "&":
            part = html.unescape(part)
        case "%" if part[1] != "u":
            part = unquote(part, errors="replace")
        case "%" | "\\" if _NUMBERED.match(part):
            units = [int(one, 16) for one in _NUMBERED.split(part) if one]
            if max(units) > 0x10FFFF:
                return part
            part = "".join(map(chr, units)).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        case "\\":
            part = chr(int(part[1:], 8)) if len(part) == 4 else part[1:] if not part[1].isalnum() else " "
    return "".join(map(_plain, unicodedata.normalize("NFKC", part)))


def _plain(sign: str) -> str:
    if sign in _DOTS:
        return "."
    kind = unicodedata.category(sign)
    if kind == "Nd":
        return str(unicodedata.digit(sign))
    hidden = kind in ("Cf", "Mn", "Me") or sign in _NOT_SEEN or (kind == "Cc" and sign not in "\t\n\r")
    return "" if hidden else sign


def _unquoted(part: str) -> str:
    return chr(int(part[1:], 16)) if len(part) == 3 and part[1] not in "\r\n" else ""


_CODES: Step = (_CODED, _decoded)
_TAGS: Step = (_TAG, lambda _: "")
_QUOTES: Step = (_QUOTED, _unquoted)
_ORDERS: tuple[tuple[Step, ...], ...] = (
    (_CODES,),
    (_CODES, _CODES),
    (_CODES, _CODES, _CODES),
    (_TAGS, _CODES),
    (_CODES, _TAGS, _CODES),
    (_QUOTES, _CODES),
    (_QUOTES, _TAGS, _CODES),
)


class Readings:
    """The ways in which a text may be read otherwise than it is written; nearly always none."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: dict[tuple[Step, ...], Reading | None] = {}

    def of(self, order: tuple[Step, ...]) -> Reading | None:
        """The text read so; None when a shorter order says the same."""
        if order not in self._known:
            self._known[order] = self._read(order)
        return self._known[order]

    def _read(self, order: tuple[Step, ...]) -> Reading | None:
        *before, (pattern, decoded) = order
        earlier = self.of(tuple(before)) if before else Reading(self._text, ())
        if earlier is None:
            return None
        taken = _taken(earlier.shown, pattern, decoded)
        if taken is None:
            return earlier if before and before[-1] is not _CODES else None
        return Reading(taken[0], (*earlier.ways, taken[1]))


def orders(text: str) -> Sequence[tuple[Step, ...]]:
    """In which orders the text is worth to be read."""
    return () if _ANY.search(text) is None else _ORDERS


def _taken(text: str, pattern: re.Pattern[str], decoded: Callable[[str], str]) -> tuple[str, list[_Piece]] | None:
    """What is read, and its pieces; None if that is what is written."""
    parts: list[str] = []
    way: list[_Piece] = []
    at = size = 0
    for found in pattern.finditer(text):
        part = decoded(found[0])
        if part == found[0]:
            continue
        if found.start() > at:
            way.append(_Piece(size, at, found.start(), True))
            parts.append(text[at : found.start()])
            size += found.start() - at
        if part:
            way.append(_Piece(size, found.start(), found.end(), False))
            parts.append(part)
            size += len(part)
        at = found.end()
    if not at:
        return None
    if at < len(text):
        way.append(_Piece(size, at, len(text), True))
        parts.append(text[at:])
    return "".join(parts), way
