"""Comparing a text with what a query says: equal, like a pattern, or with a regular expression in it."""

from collections.abc import Sequence

import re2

from tocsin.errors import Malformed
from tocsin.query.matching import fold
from tocsin.query.tree import Comparable
from tocsin.query.values import Glob, Regex, Text, letters
from tocsin.store.search import expressions
from tocsin.store.search.writing import Statement, joined

LONGEST_PATTERN = 50_000
"""Bytes of a LIKE pattern that SQLite takes."""


def among(s: Statement, text: str, values: Sequence[Comparable], *, folded: bool = False) -> str:
    """Whether a text that is not NULL is one of the values; `folded`: it has A to Z as a to z already."""
    plain = text if folded else s.lower(text)
    whole = [fold(value.text) for value in values if isinstance(value, Text)]
    parts = [f"{plain} {s.texts(whole)}"] if whole else []
    for value in values:
        if isinstance(value, Glob):
            parts.append(like(s, plain, value))
        elif isinstance(value, Regex):
            parts.append(matches(s, text, value))
    return joined(parts, "OR")


def like(s: Statement, plain: str, glob: Glob) -> str:
    """Whether a folded text is as a glob says. Raises Malformed for one that is too long."""
    found = ((fold(letter), wild) for letter, wild in letters(glob.text))
    pattern = "".join(
        ("%" if letter == "*" else "_") if wild else f"\\{letter}" if letter in "%_\\" else letter
        for letter, wild in found
    )
    if len(pattern.encode()) > LONGEST_PATTERN:
        raise Malformed(f"the pattern {glob.text[:40]}… is too long to be searched for: leave some of it out")
    return f"{plain} LIKE {s.put(pattern)} ESCAPE '\\'"


def beginning(glob: Glob) -> str:
    """The folded letters that a text begins with if it is as the glob says."""
    found = letters(glob.text)
    end = next((at for at, (_, wild) in enumerate(found) if wild), len(found))
    return fold("".join(letter for letter, _ in found[:end]))


def matches(s: Statement, text: str, regex: Regex) -> str:
    """Whether the expression is found in a text. Raises Malformed for one that the engine cannot be asked."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(regex.text, options)
    except re2.error:
        raise Malformed(f"/{regex.text[:80]}/ is no regular expression") from None
    if expressions.minds_case(regex.text):
        raise Malformed("the search takes no expression that minds case: leave (?-i) out")
    if s.sqlite:
        return f"regexp({s.put(regex.text)}, {text})"
    return f"{text} ~ {s.put(expressions.postgres(regex.text))}"
