"""What a word is, and which texts of an alertgroup are searched by free words.

A text's words are its runs of letters and digits, without marks above and below them and without case: `Café-2.exe`
is `cafe 2 exe`. A run longer than 100 characters is cut into pieces of 100. An index of words is to be filled with
what `words` gives and asked for what `words` gives, so that the engine's own rules have nothing left to decide.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from tocsin.model import Alertgroup

LONGEST_WORD = 100
"""Characters; tsvector takes up to 2046 bytes, FTS5 some more."""
_WORD = re.compile(rf"[^\W_]{{1,{LONGEST_WORD}}}")
_MARKS = re.compile(r"<[^<>]*>")


def words(text: str) -> tuple[str, ...]:
    """The words of a text, in order. `words(" ".join(words(text)))` is the same again."""
    if text.isascii():
        return tuple(_WORD.findall(text.lower()))
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return tuple(
        _WORD.findall("".join(letter for letter in folded if not unicodedata.category(letter).startswith("M")))
    )


def normal(text: str) -> str:
    """The words with one space before, between and behind them, or ""; a phrase is in a text if its normal text is."""
    found = words(text)
    return f" {' '.join(found)} " if found else ""


def texts(group: Alertgroup) -> Iterator[str]:
    """What free words search: the subject, the body, and every text, number, true and false in the rows' cells.

    The body is the plain one; where there is none, the HTML one without its tags. Names of columns are not searched.
    """
    yield group.subject
    yield group.body_plain or html.unescape(_MARKS.sub(" ", group.body))
    for alert in group.alerts:
        yield from _leaves(alert.data)


def _leaves(value: Any) -> Iterator[str]:
    """In the order in which they stand; without recursion, for the depth is the sender's."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))
        elif value is not None:
            yield scalar_text(value)


def scalar_text(value: str | float) -> str:
    """A cell's scalar as text: numbers as JSON writes them, `true` and `false`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
