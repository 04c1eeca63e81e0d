"""Text -> what was written, by the grammar in `grammar.lark`, before anybody asks which fields there are."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

from tocsin.errors import BadQuery

LONGEST = 32_768
"""Characters of a query."""
DEEPEST = 64
"""How deep brackets and negations may nest."""

SingleKind = Literal["value", "string", "regex", "word"]


class Single(NamedTuple):
    """One text to compare with, as written, quotes and slashes included."""

    kind: SingleKind
    text: str
    start: int
    end: int
    depth: int = 0


class Bounds(NamedTuple):
    """`[low TO high]`."""

    low: Single
    high: Single
    low_in: bool
    high_in: bool
    start: int
    end: int
    depth: int = 0


class Group(NamedTuple):
    """Parts joined: `beside` is without a word between them, in a list of values."""

    joined: Literal["and", "or", "beside", "not", "row"]
    parts: "tuple[Written, ...]"
    start: int
    end: int
    depth: int


class Compared(NamedTuple):
    """A field, an operator, and what it is compared with."""

    name: str
    operator: str
    with_what: "Written"
    start: int
    end: int
    depth: int


Written = Single | Bounds | Group | Compared


def _group(joined: Literal["and", "or", "beside", "not", "row"], parts: list[Written], start: int, end: int) -> Group:
    depth = 1 + max(part.depth for part in parts)
    if depth > DEEPEST:
        raise BadQuery("This nests too deep", start, f"use at most {DEEPEST} brackets in each other")
    return Group(joined, tuple(parts), start, end, depth)


@v_args(inline=True)
class _Shaper(Transformer[Token, Written]):
    """Called while the text is parsed, so no tree of the parser's own is ever walked."""

    def start(self, whole: Written | None = None) -> Written | None:
        return whole

    def either(self, *parts: Written) -> Written:
        return _group("or", list(parts), parts[0].start, parts[-1].end) if len(parts) > 1 else parts[0]

    def both(self, *parts: Written) -> Written:
        return _group("and", list(parts), parts[0].start, parts[-1].end) if len(parts) > 1 else parts[0]

    def beside(self, *parts: Written) -> Written:
        return _group("beside", list(parts), parts[0].start, parts[-1].end)

    def negated(self, sign: Token, part: Written) -> Written:
        return _group("not", [part], _start(sign), part.end)

    def grouped(self, part: Written) -> Written:
        # A bracket counts for itself: a thousand of them around one word would need no depth otherwise.
        return part._replace(depth=_group("and", [part], part.start, part.end).depth)

    def row(self, opening: Token, part: Written) -> Written:
        return _group("row", [part], _start(opening), part.end + 1)

    def field(self, name: Token, operator: Token, compared: Written) -> Written:
        return Compared(str(name), str(operator), compared, _start(name), compared.end, compared.depth)

    def range(self, opening: Token, low: Token, high: Token, closing: Token) -> Written:
        bounds = [_single("string" if bound.type == "STRING" else "value", bound) for bound in (low, high)]
        return Bounds(bounds[0], bounds[1], opening == "[", closing == "]", _start(opening), _end(closing))

    def bound(self, token: Token) -> Token:
        return token

    def value(self, token: Token) -> Written:
        return _single("value", token)

    def word(self, token: Token) -> Written:
        return _single("word", token)

    def string(self, token: Token) -> Written:
        return _single("string", token)

    def regex(self, token: Token) -> Written:
        return _single("regex", token)

    def lone_regex(self, token: Token) -> Written:
        remedy = f"name the field it is for, as in subject:{token[:40]}, or put it in quotes to find its words"
        raise BadQuery("A regular expression stands alone", _start(token), remedy)


def _single(kind: SingleKind, token: Token) -> Single:
    return Single(kind, str(token), _start(token), _end(token))


def _start(token: Token) -> int:
    return token.start_pos or 0


def _end(token: Token) -> int:
    return token.end_pos or 0


@lru_cache(1)
def _grammar() -> Lark:
    path = Path(__file__).with_name("grammar.lark")
    return Lark(path.read_text("utf-8"), parser="lalr", transformer=_Shaper(), maybe_placeholders=False)


def written(text: str) -> Written | None:
    """What was written, or None for nothing at all. Raises BadQuery."""
    if len(text) > LONGEST:
        raise BadQuery("This query is too long", LONGEST, f"use at most {LONGEST:,} characters")
    for at, letter in enumerate(text):
        if letter == "\x00" or "\ud800" <= letter <= "\udfff":
            raise BadQuery("This is no character", at, "leave it out")
    try:
        found: Any = _grammar().parse(text)
    except UnexpectedCharacters as error:
        place: int = getattr(error, "pos_in_stream", 0)  # lark declares it None and sets a number
        raise _unexpected(text, place) from None
    except UnexpectedEOF:
        raise _unexpected(text, len(text)) from None
    except UnexpectedToken as error:
        at = len(text) if error.token.type == "$END" else _start(error.token)
        raise _unexpected(text, at) from None
    result: Written | None = found
    return result


def _unexpected(text: str, at: int) -> BadQuery:
    rest = text[at:]
    before = text[:at].rstrip()
    if not rest.strip():
        if text.count("(") > text.count(")"):
            return BadQuery("A bracket is open", len(text), "close it with )")
        if text.count("{") > text.count("}"):
            return BadQuery("A bracket is open", len(text), "close it with }")
        return BadQuery("Something is missing at the end", len(text), f"write what follows {before[-20:]!r}")
    shown = rest[0]
    if shown == '"':
        return BadQuery("A quote is open", at, 'close it with ", and write \\" for a quote inside')
    if shown in ")}]":
        return BadQuery(f"{shown} closes nothing here", at, "leave it out, or put the text in quotes")
    if before.endswith((":", "=", "<", ">")):
        remedy = "write a value; put one with blanks, brackets or quotes in it in quotes"
        return BadQuery("A value is missing", at, remedy)
    return BadQuery(f"{shown!r} cannot stand here", at, "leave it out, or put text with signs in it in quotes")
