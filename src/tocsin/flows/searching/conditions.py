"""One condition on one column, as SQL; NULL where the column says nothing."""

from collections.abc import Callable
from itertools import pairwise

from tocsin.flows import engine
from tocsin.flows.kinds import Column
from tocsin.flows.searching import addresses
from tocsin.model import Micros
from tocsin.query import dates
from tocsin.query.addresses import span
from tocsin.query.fields import Field, Kind
from tocsin.query.tree import Comparable, Exists, Is, Range
from tocsin.query.values import Date, Glob, Network, Number, Phrase, Regex, Text, letters
from tocsin.query.words import LONGEST_WORD

_Test = Callable[[str], str]
"""The name of a value -> the condition on it."""
_LIST = "[]"
_BETWEEN = r"[\x00-/:-@\[-`{-\x{A0}\x{2000}-\x{206F}]"
"""What stands between words: signs of ASCII and general punctuation. RE2's own classes of letters take long to make."""


def condition(field: Field, column: Column, node: Is | Range | Exists, now: Micros) -> str:
    """Whether some value in the column is what the node says. Dates such as `now-1h` are those of `now`."""
    match node:
        case Exists():
            return _exists(column)
        case Is():
            return _some(column, lambda value: _is(field, column, value, node.value, now))
        case Range():
            return _some(column, lambda value: _between(value, node, now))


def words(column: Column, phrase: Phrase) -> str:
    """Whether the words stand in it one behind the other; marks above letters, and case, do not count."""
    return _some(column, lambda value: _worded(value, phrase))


def _some(column: Column, test: _Test) -> str:
    name = engine.name(column.name)
    if column.type.endswith(_LIST):
        return f"len(list_filter({name}, lambda v: v <> '' AND {test('v')})) > 0"
    return test(name)


def _exists(column: Column) -> str:
    name = engine.name(column.name)
    if column.type.endswith(_LIST):
        return f"len(list_filter({name}, lambda v: v <> '')) > 0"
    return f"{name} <> ''" if column.type == "VARCHAR" else f"{name} IS NOT NULL"


def _is(field: Field, column: Column, name: str, value: Comparable, now: Micros) -> str:
    match value:
        case Number():
            return f"{name} = {_number(value)}"
        case Date():
            first, end = dates.bounds(value.text, now)
            return f"({name} >= {first} AND {name} < {end})"
        case Network():
            return _within(name, value)
        case Glob():
            return _glob(name, value)
        case Regex():
            return f"({name} <> '' AND regexp_matches({name}, {engine.text(value.text)}, 'i'))"
        case Phrase():
            return _worded(name, value)
        case Text():
            if column.type.startswith("BOOLEAN"):
                return f"{name} = {value.text}"
            if field.kind is Kind.MAC:
                return f"regexp_replace(lower({name}), '[^0-9a-f]', '', 'g') = '{value.text.replace(':', '')}'"
            return _same(name, value.text)


def _same(name: str, text: str) -> str:
    if text.lower() == text.upper():
        return f"{name} = {engine.text(text)}"
    return f"lower({name}) = lower({engine.text(text)})"


def _number(value: Number) -> str:
    return f"{value.number!r}::DOUBLE" if isinstance(value.number, float) else str(value.number)


def _within(name: str, value: Network) -> str:
    found = span(value.text)
    assert found is not None  # the parser reads no other
    return addresses.same(name, value.text) if found[0] == found[1] else addresses.between(name, *found)


def _between(name: str, node: Range, now: Micros) -> str:
    if isinstance(node.low or node.high, Network):
        return _addresses_between(name, node)
    parts = []
    if isinstance(node.low, Date):
        parts.append(f"{name} >= {dates.bounds(node.low.text, now)[0 if node.low_in else 1]}")
    if isinstance(node.high, Date):
        parts.append(f"{name} < {dates.bounds(node.high.text, now)[1 if node.high_in else 0]}")
    if isinstance(node.low, Number):
        parts.append(f"{name} {'>=' if node.low_in else '>'} {_number(node.low)}")
    if isinstance(node.high, Number):
        parts.append(f"{name} {'<=' if node.high_in else '<'} {_number(node.high)}")
    return f"({' AND '.join(parts)})"


def _addresses_between(name: str, node: Range) -> str:
    low = span(node.low.text) if isinstance(node.low, Network) else None
    high = span(node.high.text) if isinstance(node.high, Network) else None
    known = low or high
    assert known is not None  # one of the bounds is an address
    least, most = addresses.whole(known[0])
    first = least if low is None else low[0] if node.low_in else addresses.after(low[0])
    last = most if high is None else high[1] if node.high_in else addresses.before(high[1])
    return "false" if last is None else addresses.between(name, first, last)


def _glob(name: str, value: Glob) -> str:
    """A pattern over the whole text, in any case: with `*` alone DuckDB looks for its pieces, else RE2 does."""
    found = letters(value.text)
    if all(letter not in "%_\\" if not wild else letter == "*" for letter, wild in found):
        pattern = "".join("%" if wild else letter for letter, wild in found)
        return f"lower({name}) LIKE lower({engine.text(pattern)})"
    signs = {("*", True): ".*", ("?", True): "."}
    expression = "".join(signs.get(each) or _plain(each[0]) for each in found)
    return f"regexp_full_match({name}, {engine.text(f'(?is){expression}')})"


def _plain(letter: str) -> str:
    """A letter of RE2's that means itself."""
    return letter if not letter.isascii() or letter.isalnum() or letter == "_" else f"\\{letter}"


def _worded(name: str, phrase: Phrase) -> str:
    """The longest word is looked for first, which is quick; then whether it stands among the others, as a word.

    A run of letters longer than a word can be is several words with nothing between them.
    """
    text = phrase.words[0]
    for before, word in pairwise(phrase.words):
        text += f"{_BETWEEN}{'*' if len(before) == LONGEST_WORD else '+'}{word}"
    expression = f"(?i)(?:^|{_BETWEEN}){text}{'' if phrase.prefix else f'(?:$|{_BETWEEN})'}"
    plain = f"strip_accents({name})"
    first = f"contains(lower({plain}), lower({engine.text(max(phrase.words, key=len))}))"
    return f"({first} AND regexp_matches({plain}, {engine.text(expression)}))"
