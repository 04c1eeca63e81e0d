"""How text, times and numbers of strangers stand on a page: escaped, isolated, and with nothing hidden in them.

Whatever a sender wrote is text. A character that would turn, hide or imitate text (Unicode categories Cc, Cf, Cs and
the invisible fillers) stays in the text but shows its number; the whole is isolated, so that a right-to-left name
cannot rearrange its neighbours (Unicode Technical Report 36, section 2.3; HTML `bdi`).
"""

import re
import sys
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import NamedTuple

from markupsafe import Markup, escape

from tocsin.model import Micros

FILLERS = "\u115f\u1160\u17b4\u17b5\u2028\u2029\u2800\u3164\uffa0"
"""Characters that show as nothing though they count as letters, symbols or separators."""

KEPT = "\n\t"
"""Control characters that a page may show as what they are."""


@cache
def _hidden() -> re.Pattern[str]:
    """One of the characters to mark, as ranges. All of Unicode is looked through: when first needed, not at start."""
    marked = [
        code
        for code in range(sys.maxunicode + 1)
        if (unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs") and chr(code) not in KEPT) or chr(code) in FILLERS
    ]
    ranges: list[list[int]] = []
    for code in marked:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return re.compile("[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges) + "]")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=512)
def _mark(character: str) -> Markup:
    name = unicodedata.name(character, "control character")
    inner = "\ufffd" if character == "\0" or unicodedata.category(character) == "Cs" else character
    return Markup('<span class="ctl" data-c="{}" title="{}">{}</span>').format(
        f"{ord(character):04X}", f"U+{ord(character):04X} {name}", inner
    )


def text(value: object) -> Markup:
    """Text of a stranger as a piece of a page; empty for nothing."""
    words = str(value)
    if not words:
        return Markup("")
    return Markup("<bdi>{}</bdi>").format(_visible(words))


def _visible(words: str) -> Markup:
    if _hidden().search(words) is None:
        return escape(words)
    pieces: list[Markup] = []
    end = 0
    for found in _hidden().finditer(words):
        pieces += escape(words[end : found.start()]), _mark(found.group())
        end = found.end()
    return Markup("").join([*pieces, escape(words[end:])])


def harmless(html: str) -> Markup:
    """HTML cleaned before (`intake/preview.py`): tags that lead nowhere, and text with nothing hidden in it."""
    return Markup(_hidden().sub(lambda found: _mark(found.group()), html))  # noqa: S704 - cleaned by an allow-list


def plain(value: object) -> str:
    """The text for a title, a tooltip or a label, where no mark-up can stand: hidden characters become U+FFFD."""
    return _hidden().sub("\ufffd", str(value))


class Mark(NamedTuple):
    """An entity where it stands in a text: its own page, its looks, what is said of it, and how often it is elsewhere.

    `elsewhere` is short, and empty for never or not known yet.
    """

    address: str
    look: str
    title: str
    elsewhere: str


class Piece(NamedTuple):
    """A part of a text; `mark` is the innermost entity it lies in, `ends` whether that one ends with it."""

    text: str
    mark: Mark | None = None
    ends: bool = False


class Marked(NamedTuple):
    """A text in which entities stand; the texts of its pieces, joined, are the text."""

    pieces: tuple[Piece, ...]


Words = str | Marked
Cell = Words | list[Words] | int | None
"""A cell as pages show it: its text; the texts of a list; None for null; 0 where the row has no such column."""


def cell(value: Cell, *, tab: bool = True) -> Markup:
    """A cell of a row, its text exact. Where `tab` is no, the keyboard reaches its entities another way."""
    match value:
        case None:
            return Markup('<span class="null">null</span>')
        case int():
            return Markup("")
        case list():
            return Markup('<span class="sep">, </span>').join(words(part, tab=tab) for part in value)
    return words(value, tab=tab)


def words(value: Words, *, tab: bool = True) -> Markup:
    """Text of a stranger, each entity in it a link to its own page."""
    if not isinstance(value, Marked):
        return text(value)
    parts = ["<bdi>"]
    for piece, mark, ends in value.pieces:
        shown = _visible(piece)
        if mark is None:
            parts.append(shown)
            continue
        parts += _opening(mark), _ending(mark) if ends else "", "" if tab else ' tabindex="-1"', ">", shown, "</a>"
    return Markup("".join([*parts, "</bdi>"]))  # noqa: S704 - every part is escaped, or ours


def _ending(mark: Mark) -> Markup:
    return Markup(' data-n="{}"').format(mark.elsewhere) if mark.elsewhere else Markup(' data-n=""')


@lru_cache(maxsize=4096)
def _opening(mark: Mark) -> Markup:
    return Markup('<a class="en {}" href="{}" title="{}"').format(mark.look, mark.address, plain(mark.title))


def moment(at: Micros) -> datetime | None:
    """The time as a datetime, UTC; None where the calendar ends."""
    try:
        return _EPOCH + timedelta(microseconds=at)
    except OverflowError:
        return None


def _time(at: Micros | None, how: str, form: str) -> Markup:
    if at is None:
        return Markup('<span class="faint">–</span>')
    when = moment(at)
    if when is None:
        return Markup('<span class="num">{}</span>').format(f"{at} µs")
    iso = when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    shown = when.strftime(form)
    if how == "exact":
        shown += f".{when.microsecond // 1000:03d}"
    return Markup('<time datetime="{}" data-show="{}" title="{} UTC">{}</time>').format(
        iso, how, when.strftime("%Y-%m-%d %H:%M:%S"), shown
    )


def clock(at: Micros | None) -> Markup:
    """Date and time to the second; UTC until the reader's browser says otherwise."""
    return _time(at, "clock", "%Y-%m-%d %H:%M:%S")


def exactly(at: Micros | None) -> Markup:
    """Date and time to the millisecond."""
    return _time(at, "exact", "%Y-%m-%d %H:%M:%S")


def ago(at: Micros | None) -> Markup:
    """How long ago, or how soon; date and time where no script runs, since a page stands longer than a minute."""
    return _time(at, "ago", "%m-%d %H:%M")


def since(at: Micros | None) -> Markup:
    """As `ago`, behind a time: where no script runs, the zone of that time."""
    return _time(at, "since", "UTC")


def number(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def brief(value: int) -> str:
    """A count where room is short: 12345 is 12k; its whole stands in the tooltip."""
    return str(value) if value < 1000 else f"{value // 1000}k"
