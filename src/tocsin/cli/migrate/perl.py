"""Perl's data, as configuration files hold it: hashes, lists, texts and numbers. Nothing is ever run.

What is no such literal (a variable, a call, texts put together) is an `Unread` with its text, and what stands around it
is read all the same.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tocsin.errors import Malformed

DEEPEST = 60
CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
ENDS = (",", "=>", ";", ")", "]", "}")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b"}
_POD = re.compile(r"^=[a-zA-Z].*?(?:^=cut\b[^\n]*$|\Z)", re.MULTILINE | re.DOTALL)
_END = re.compile(r"^__(?:END|DATA)__\s*$", re.MULTILINE)
_TOKEN = re.compile(
    r"(?P<space>\s+|\#[^\n]*)"
    r"|(?P<quoting>\b(?:qr|qq|qw|q|m)\b(?!\s*(?:=>|,))\s*(?P<open>[^\s\w,;=]))"
    r"|(?P<quote>['\"])"
    r"|(?P<number>-?(?:0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w]))"
    r"|(?P<variable>[$@%&]\{?\^?\w[\w:]*\}?)"
    r"|(?P<word>-?[A-Za-z_]\w*(?:::\w+)*)"
    r"|(?P<mark>=>|[()\[\]{},;=]|.)",
    re.DOTALL,
)


class Unread(NamedTuple):
    """Something that only Perl could work out."""

    text: str


class Token(NamedTuple):
    """A piece of the file: what it is (text, pattern, words, number, variable, word or mark), its value, and where."""

    kind: str
    value: Any
    start: int
    end: int


def hashes(text: str) -> Iterator[dict[str, Any]]:
    """Every hash of the file's top, in its order: `%name = ( … )`, `$name = { … }`, or one that only stands there.

    Raises Malformed: a text or a bracket without an end, or too much depth.
    """
    text = _END.split(text, maxsplit=1)[0]
    text = _POD.sub(lambda found: "\n" * found[0].count("\n"), text)
    tokens = list(_tokens(text))
    at = 0
    while at < len(tokens):
        if tokens[at].kind == "mark" and tokens[at].value in ("(", "{"):
            items, at = _Reading(text, tokens).items(at)
            if found := _paired(items):
                yield found
        else:
            at += 1


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found is not None  # the last branch takes any character
        kind, value, at = str(found.lastgroup), found[0], found.end()
        if kind == "space":
            continue
        if kind == "open" or found["quoting"]:
            word = found["quoting"][:2].strip(found["open"] + " ")
            inner, at = _enclosed(text, at, found["open"])
            yield _quoted(word, inner, found.start(), at)
        elif kind == "quote":
            inner, at = _enclosed(text, at, value)
            yield _quoted("q" if value == "'" else "qq", inner, found.start(), at)
        else:
            yield Token(kind, value, found.start(), at)


def _enclosed(text: str, start: int, opening: str) -> tuple[str, int]:
    """What stands up to the closing mark, escapes as they are, and the place behind the mark."""
    closing, depth, at = CLOSING.get(opening, opening), 1, start
    while at < len(text):
        letter = text[at]
        if letter == "\\":
            at += 1
        elif letter == closing:
            depth -= 1
            if not depth:
                return text[start:at], at + 1
        elif letter == opening:
            depth += 1
        at += 1
    raise Malformed(f"line {text.count(chr(10), 0, start) + 1}: what {opening} begins has no end")


def _quoted(word: str, inner: str, start: int, end: int) -> Token:
    if word == "qw":
        return Token("words", inner.split(), start, end)
    if word in ("qr", "m"):
        return Token("pattern", inner, start, end)
    if word == "q":
        return Token("text", re.sub(r"\\([\\'])", r"\1", inner), start, end)
    if re.search(r"(?<!\\)(?:\\\\)*\$[\w{]", inner):
        return Token("variable", inner, start, end)
    return Token("text", re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), inner), start, end)


class _Reading:
    def __init__(self, text: str, tokens: list[Token]) -> None:
        self._text, self._tokens = text, tokens

    def items(self, at: int, depth: int = 0) -> tuple[list[Any], int]:
        """The values between the bracket at `at` and its end, and the place behind."""
        opening = self._tokens[at]
        if depth > DEEPEST:
            raise Malformed(f"{self._line(at)}: nested too deeply")
        closing = CLOSING[opening.value]
        found: list[Any] = []
        at += 1
        while at < len(self._tokens):
            token = self._tokens[at]
            if token.kind == "mark" and token.value == closing:
                return found, at + 1
            if token.kind == "mark" and token.value in (")", "]", "}"):
                raise Malformed(f"{self._line(at)}: {token.value} ends nothing")
            if token.kind == "mark" and token.value in (",", "=>", ";"):
                at += 1
                continue
            values, at = self._value(at, depth)
            found += values
        raise Malformed(f"{self._line(at - 1)}: what {opening.value} begins has no end")

    def _value(self, at: int, depth: int) -> tuple[list[Any], int]:
        """What one place of a list holds: mostly one value; a list in parentheses is part of the one around it."""
        token, begun = self._tokens[at], at
        values: list[Any]
        if token.kind == "mark" and token.value in ("(", "[", "{"):
            inner, at = self.items(at, depth + 1)
            values = inner if token.value == "(" else [inner if token.value == "[" else _paired(inner) or {}]
        else:
            values, at = _literal(token), at + 1
        if self._goes_on(at):
            text, at = self._skipped(begun)
            return [Unread(text)], at
        return values, at

    def _goes_on(self, at: int) -> bool:
        """Whether something stands behind a value that is no end of it, such as an operator."""
        if at >= len(self._tokens):
            return False
        token = self._tokens[at]
        return not (token.kind == "mark" and token.value in ENDS)

    def _skipped(self, at: int) -> tuple[str, int]:
        """The text from `at` up to where its value ends, whatever stands in brackets, and the place there."""
        begun, inside = at, 0
        while at < len(self._tokens):
            token = self._tokens[at]
            mark = token.value if token.kind == "mark" else ""
            if not inside and mark in ENDS:
                break
            inside += (mark in ("(", "[", "{")) - (mark in (")", "]", "}"))
            at += 1
        return self._text[self._tokens[begun].start : self._tokens[at - 1].end], at

    def _line(self, at: int) -> str:
        return f"line {self._text.count(chr(10), 0, self._tokens[at].start) + 1}"


def _literal(token: Token) -> list[Any]:
    if token.kind == "words":
        return list(token.value)
    if token.kind == "text":
        return [token.value]
    if token.kind == "number":
        return [_number(token.value.replace("_", ""))]
    if token.kind == "word":
        return [None if token.value == "undef" else token.value]
    return [Unread(str(token.value))]


def _number(text: str) -> int | float | str:
    if len(text) > 40:
        return text
    if text.lower().lstrip("-").startswith("0x"):
        return int(text, 16)
    return float(text) if re.search(r"[.eE]", text) else int(text)


def _paired(items: list[Any]) -> dict[str, Any]:
    """A list as a hash: names and values in turn. A last name without a value has none."""
    values = [*items, None] if len(items) % 2 else items
    return {str(name): value for name, value in zip(values[::2], values[1::2], strict=True)}
