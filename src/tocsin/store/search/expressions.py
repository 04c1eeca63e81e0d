r"""RE2's regular expressions in the words of PostgreSQL.

The same letters mean different things to the two: `.`, `\d`, `\w`, `\b` and which letters are the same but for their
case. So an expression is taken apart and each piece written out: `\d` as `[0-9]`, `k` as `[kKK]`. Whether something is
found is all that is asked for, so laziness and the names of groups are left out.
"""

import re
from collections.abc import Iterator

from tocsin.errors import Malformed

_PIECE = re.compile(
    r"""
    (?P<quoted>\\Q.*?(?:\\E|\Z))
    | (?P<unicode>\\[pP](?:\{[^}]*\}|.))
    | (?P<code>\\x\{[0-9A-Fa-f]+\}|\\x[0-9A-Fa-f]{2}|\\[0-7]{1,3})
    | (?P<escape>\\.)
    | (?P<set>\[\^?\]?(?:\[:\^?\w+:\]|\\[pPx]\{[^}]*\}|\\.|[^\]\\])*\])
    | (?P<flags>\(\?[a-zA-Z]*(?:-[a-zA-Z]*)?[:)])
    | (?P<name>\(\?P?<\w+>)
    | (?P<repeat>(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_SET = re.compile(r"\[:(\^?)(\w+):\]|(\\x\{[0-9A-Fa-f]+\}|\\x[0-9A-Fa-f]{2}|\\[0-7]{1,3}|\\.|.)", re.DOTALL)
Ranges = list[tuple[int, int]]
_LAST = 0x10FFFF
_NAMED = {
    "alnum": "09AZaz", "alpha": "AZaz", "ascii": "\0\x7f", "blank": "\t\t  ", "cntrl": "\0\x1f\x7f\x7f", "digit": "09",
    "graph": "!~", "lower": "az", "print": " ~", "punct": "!/:@[`{~", "space": "\t\r  ", "upper": "AZ",
    "word": "09AZaz__", "xdigit": "09AFaf",
}  # fmt: skip
_LETTERED = {"d": "09", "w": "09AZaz__", "s": "\t\n\f\r  "}
_CONTROLS = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_WORD = "[0-9A-Za-z_]"
_EDGE = f"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))"
_NO_EDGE = f"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))"
_ALIKE = (
    "kK\u212a", "sS\u017f", "åÅ\u212b", "\u00b5μ\u039c", "θΘϑϴ", "βΒϐ", "εΕϵ", "κΚϰ", "πΠϖ", "ρΡϱ", "σΣς", "φΦϕ",
    "ιΙ\u0345\u1fbe", "ωΩ\u2126", "ßẞ", "ṡṠẛ",
)  # fmt: skip
"""Letters of which more than two are the same but for their case."""
_FEW = 2000
"""Letters of a range whose other cases are looked up one by one."""


def minds_case(expression: str) -> bool:
    """Whether a part of an RE2 expression takes small and capital letters for different ones."""
    return any(
        piece.lastgroup == "flags" and "i" in piece[0].partition("-")[2] for piece in _PIECE.finditer(expression)
    )


def postgres(expression: str) -> str:
    """An RE2 expression for PostgreSQL's `~`, any case. Raises Malformed for what it has no words for."""
    return "(?:" + "".join(_written(expression)) + ")"


def _written(expression: str) -> Iterator[str]:
    flags = [""]  # of each open group; s: a dot is a line feed too, m: ^ and $ are at every line's ends
    for piece in _PIECE.finditer(expression):
        text = piece[0]
        match piece.lastgroup:
            case "quoted":
                yield from (_letter(ord(letter)) for letter in text[2:].removesuffix("\\E"))
            case "unicode":
                raise _cannot(text, "write the letters out, as in [a-zà-ÿ]")
            case "code":
                yield _letter(_code(text))
            case "escape":
                yield _escape(text[1])
            case "set":
                yield _set(text)
            case "flags":
                now = _flags(flags[-1], text)
                if text.endswith(":"):
                    flags.append(now)
                    yield "(?:"
                else:
                    flags[-1] = now
            case "name":
                flags.append(flags[-1])
                yield "(?:"
            case "repeat":
                yield text if len(text) == 1 else text.removesuffix("?")
            case _:
                yield _sign(text, flags)


def _sign(text: str, flags: list[str]) -> str:
    if text == "(":
        flags.append(flags[-1])
        return "(?:"
    if text == ")":
        flags.pop()
    if text in ")|":
        return text
    if text == ".":
        return r"[\u0001-\U0010FFFF]" if "s" in flags[-1] else r"[^\n]"
    if text == "^":
        return r"(?:^|(?<=\n))" if "m" in flags[-1] else "^"
    if text == "$":
        return r"(?:$|(?=\n))" if "m" in flags[-1] else "$"
    return _letter(ord(text))


def _flags(before: str, text: str) -> str:
    on, _, off = text[2:-1].partition("-")
    return "".join(sorted((set(before) | set(on)) - set(off)))


def _escape(letter: str) -> str:
    if letter in "AZz":
        return {"A": "^", "z": "$"}[letter]
    if letter in "bB":
        return _EDGE if letter == "b" else _NO_EDGE
    if letter == "C":
        raise _cannot("\\C", "write . for any letter")
    if letter.lower() in _LETTERED:
        return _bracket(_lettered(letter))
    return _letter(_CONTROLS.get(letter, ord(letter)))


def _code(text: str) -> int:
    if text.startswith("\\x"):
        return int(text[2:].strip("{}"), 16)
    return int(text[1:], 8)


def _letter(code: int) -> str:
    """One letter in any case."""
    if not code:
        raise _cannot("\\x00", "leave it out")
    alike = sorted(_cases(code))
    return _shown(code) if len(alike) == 1 else f"[{''.join(map(_shown, alike))}]"


def _shown(code: int) -> str:
    letter = chr(code)
    if letter.isascii() and letter.isalnum():
        return letter
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _cases(code: int) -> set[int]:
    """The letters that are the same as this one but for their case."""
    letter = chr(code)
    for alike in _ALIKE:
        if letter in alike:
            return set(map(ord, alike))
    found = {letter, letter.lower(), letter.upper()}
    return {ord(one) for one in found if len(one) == 1 and (one == letter or letter in (one.lower(), one.upper()))}


def _set(text: str) -> str:
    inside = text[1:-1]
    negated = inside.startswith("^")
    found: Ranges = []
    items = list(_IN_SET.finditer(inside[negated:]))
    at = 0
    while at < len(items):
        item = items[at]
        at += 1
        if item[2]:
            named = _pairs(_NAMED.get(item[2], ""))
            found += _others(named) if item[1] else named
        elif item[0] in ("\\p", "\\P"):
            raise _cannot(item[0], "write the letters out, as in [a-zà-ÿ]")
        elif item[0][0] == "\\" and item[0][1:].lower() in _LETTERED:
            found += _lettered(item[0][1:])
        else:
            first = last = _point(item[0])
            if at + 1 < len(items) and items[at][0] == "-":
                last = _point(items[at + 1][0])
                at += 2
            found.append((first, last))
    folded = _any_case(found)
    return _bracket(_others(folded) if negated else folded)


def _point(text: str) -> int:
    if text[0] != "\\" or len(text) == 1:
        return ord(text)
    if text[1] in "x01234567":
        return _code(text)
    return _CONTROLS.get(text[1], ord(text[1]))


def _pairs(ends: str) -> Ranges:
    """Two letters each are the first and last of a range."""
    return [(ord(ends[at]), ord(ends[at + 1])) for at in range(0, len(ends), 2)]


def _lettered(letter: str) -> Ranges:
    found = _pairs(_LETTERED[letter.lower()])
    return _others(found) if letter.isupper() else found


def _any_case(found: Ranges) -> Ranges:
    folded = list(found)
    for first, last in found:
        if last - first <= _FEW:
            folded += [(code, code) for one in range(first, last + 1) for code in _cases(one)]
        else:
            folded += [(code, code) for one in range(128) if first <= one <= last for code in _cases(one)]
    return _merged(folded)


def _merged(found: Ranges) -> Ranges:
    merged: Ranges = []
    for first, last in sorted(found):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _others(found: Ranges) -> Ranges:
    """Every letter that is not among these."""
    rest: Ranges = []
    start = 0
    for first, last in _merged(found):
        if first > start:
            rest.append((start, first - 1))
        start = last + 1
    return [*rest, (start, _LAST)] if start <= _LAST else rest


def _bracket(found: Ranges) -> str:
    """As PostgreSQL writes a set: without NUL, which no text of its holds."""
    kept = [(max(first, 1), last) for first, last in _merged(found) if last]
    if not kept:
        return r"[^\u0001-\U0010FFFF]"
    return "[" + "".join(_shown(a) if a == b else f"{_shown(a)}-{_shown(b)}" for a, b in kept) + "]"


def _cannot(text: str, remedy: str) -> Malformed:
    return Malformed(f"PostgreSQL cannot search for {text} in a regular expression: {remedy}")
