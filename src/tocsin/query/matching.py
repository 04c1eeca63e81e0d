"""What it means that a value is, or lies between: the comparisons, by the kind of the field."""

import re
from collections.abc import Callable

import re2

from tocsin.model import Micros
from tocsin.query import addresses, dates
from tocsin.query.fields import Field, Kind, rank
from tocsin.query.tree import Comparable, Is, Range
from tocsin.query.values import Date, Glob, Network, Number, Phrase, Regex, Text, letters
from tocsin.query.view import Raw
from tocsin.query.words import normal

Test = Callable[[Raw], bool]
_LETTERS = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_NUMBER = re.compile(r"[+-]?[0-9]{1,100}(?:\.[0-9]{1,100})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)


def fold(text: str) -> str:
    """The text with A to Z as a to z and nothing else changed: `lower()` of SQLite, and of PostgreSQL's "C" locale."""
    return text.lower() if text.isascii() else text.translate(_LETTERS)


def number(value: Raw) -> float | None:
    """A cell's value as a double: a JSON number, or a text that is a decimal number and nothing else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    try:
        return float(value)
    except OverflowError:
        return None


def is_value(field: Field, node: Is, now: Micros) -> Test:
    """Whether a value of the field is the node's."""
    value = node.value
    match value:
        case Phrase():
            needle = phrase_needle(value)
            return lambda raw: needle in normal(str(raw))
        case Glob():
            pattern = _glob(value)
            return lambda raw: (text := _shown(raw)) is not None and pattern.fullmatch(fold(text)) is not None
        case Regex():
            return _regex(value)
        case Network():
            whole = addresses.span(value.text)
            assert whole is not None
            return lambda raw: _within(raw, whole)
        case Date():
            first, end = dates.bounds(value.text, now)
            return lambda raw: isinstance(raw, int) and first <= raw < end
        case Number():
            return lambda raw: raw == value.number
        case Text():
            return _text(field, value)


def phrase_needle(phrase: Phrase) -> str:
    """What stands in a normal text if the phrase does."""
    return f" {' '.join(phrase.words)}{'' if phrase.prefix else ' '}"


def _text(field: Field, value: Text) -> Test:
    wanted = fold(value.text)
    amount = number(value.text) if field.kind is Kind.CELL else None

    def same(raw: Raw) -> bool:
        if isinstance(raw, str):
            return fold(raw) == wanted
        if isinstance(raw, bool):
            return wanted == ("true" if raw else "false")
        return amount is not None and number(raw) == amount

    return same


def _shown(raw: Raw) -> str | None:
    """What patterns are laid over: texts, booleans and whole numbers; how a fraction is written is not the point."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw) if isinstance(raw, int) else None


def _glob(value: Glob) -> re.Pattern[str]:
    """A regular expression that never goes back over what a `*` has passed: each part takes its first place."""
    parts: list[str] = [""]
    for letter, wild in letters(value.text):
        if wild and letter == "*":
            parts.append("")
        else:
            parts[-1] += "." if wild else re.escape(fold(letter))
    if len(parts) == 1:
        return re.compile(parts[0], re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in parts[1:-1] if part)
    return re.compile(f"{parts[0]}{middle}.*{parts[-1]}", re.DOTALL)


def _regex(value: Regex) -> Test:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    pattern = re2.compile(value.text, options)

    def found(raw: Raw) -> bool:
        text = _shown(raw)
        try:
            return text is not None and pattern.search(text) is not None
        except UnicodeEncodeError:  # half a surrogate pair: no text that the index could hold either
            return False

    return found


def _within(raw: Raw, whole: addresses.Span) -> bool:
    span = addresses.span(raw) if isinstance(raw, str) else None
    return span is not None and addresses.within(span, whole)


def in_range(field: Field, node: Range, now: Micros) -> Test:
    """Whether a value of the field lies between the node's bounds."""
    limits = [limit for limit in (node.low, node.high) if limit is not None]
    if isinstance(limits[0], Network):
        return _addresses_between(node)
    if isinstance(limits[0], Date):
        return _times_between(node, now)
    low, high = _amount(field, node.low), _amount(field, node.high)

    def between(raw: Raw) -> bool:
        value = rank(field, str(raw)) if field.kind is Kind.CHOICE else number(raw) if field.kind is Kind.CELL else raw
        if value is None or isinstance(value, str):
            return False
        above = low is None or (value >= low if node.low_in else value > low)
        return above and (high is None or (value <= high if node.high_in else value < high))

    return between


def _amount(field: Field, limit: Comparable | None) -> float | None:
    if isinstance(limit, Text):
        return rank(field, limit.text)
    if isinstance(limit, Number):
        return float(limit.number) if field.kind is Kind.CELL else limit.number
    return None


def _times_between(node: Range, now: Micros) -> Test:
    """Dates are spans: behind May is after its end, until May includes all of it."""
    low = dates.bounds(node.low.text, now)[0 if node.low_in else 1] if isinstance(node.low, Date) else dates.FIRST
    end = dates.bounds(node.high.text, now)[1 if node.high_in else 0] if isinstance(node.high, Date) else dates.LAST + 1
    return lambda raw: isinstance(raw, int) and low <= raw < end


def _addresses_between(node: Range) -> Test:
    low = addresses.span(node.low.text) if isinstance(node.low, Network) else None
    high = addresses.span(node.high.text) if isinstance(node.high, Network) else None
    known = low or high
    assert known is not None
    first, last = addresses.family(known[0])
    low_key, high_key = (low or (first, first))[0], (high or (last, last))[1]
    low_in, high_in = node.low_in or low is None, node.high_in or high is None

    def between(raw: Raw) -> bool:
        span = addresses.span(raw) if isinstance(raw, str) else None
        if span is None:
            return False
        above = span[0] >= low_key if low_in else span[0] > low_key
        return above and (span[1] <= high_key if high_in else span[1] < high_key)

    return between
