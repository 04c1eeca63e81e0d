"""Words: asking the index of words for phrases, and which words a text must have to be as a query wants it.

The index answers for whole alertgroups; `needed` is for what is compared letter by letter afterwards.
"""

import re
from collections.abc import Sequence

from tocsin.errors import Malformed
from tocsin.query import addresses
from tocsin.query.matching import number, phrase_needle
from tocsin.query.tree import Comparable
from tocsin.query.values import Glob, Network, Phrase, Text, letters
from tocsin.query.words import words
from tocsin.store.cutting import OVERLAP_WORDS
from tocsin.store.search.writing import Statement, joined

LONGEST_PHRASE = OVERLAP_WORDS
"""Words of a phrase that PostgreSQL's index surely has in one part."""
_SIGNS = re.compile(r"[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+")
_LEAST = 3
"""Letters of a beginning that is worth asking for."""
_MOST = 60
"""Words and phrases that are worth asking for."""
Needed = list[list[Phrase]]
"""One phrase of each list."""


def names(s: Statement, needed: Needed, field: str = "") -> str:
    """A SELECT of the alertgroups that have the phrases in one field (subject, body, cells), or in any."""
    if s.sqlite:
        return f"SELECT w.rowid AS id FROM word_index w WHERE w.word_index MATCH {s.put(_fts5(needed, field))}"
    first, *rest = needed
    others = [f"w.alertgroup IN ({names(s, [one], field)})" for one in rest]
    return f"SELECT w.alertgroup AS id FROM word_index w WHERE {joined([_parts(s, first, field), *others], 'AND')}"


def holds(s: Statement, needed: Needed, field: str = "") -> str:
    """Whether `g` has them."""
    if s.sqlite:
        return f"g.id IN ({names(s, needed, field)})"
    found = (
        f"EXISTS (SELECT 1 FROM word_index w WHERE w.alertgroup = g.id AND {_parts(s, one, field)})" for one in needed
    )
    return joined(list(found), "AND")


def _fts5(needed: Needed, field: str) -> str:
    one_of = (" OR ".join(f'"{" ".join(one.words)}"{" *" * one.prefix}' for one in phrases) for phrases in needed)
    found = " AND ".join(f"({each})" for each in one_of)
    return f"{{{field}}} : ({found})" if field else found


def _parts(s: Statement, phrases: Sequence[Phrase], field: str) -> str:
    """A condition on a part of a text as PostgreSQL has it: lexemes by their index, their order in the normal text."""
    found = []
    for phrase in phrases:
        if len(phrase.words) > LONGEST_PHRASE:
            raise Malformed(f"a phrase of {len(phrase.words):,} words is too long: use at most {LONGEST_PHRASE:,}")
        *whole, last = phrase.words
        lexemes = [*(f"'{word}'" for word in dict.fromkeys(whole)), f"'{last}'{':*' * phrase.prefix}"]
        condition = f"w.words @@ CAST({s.put(' & '.join(lexemes))} AS tsquery)"
        if whole:
            condition = f"({condition} AND strpos(w.normal, {s.put(phrase_needle(phrase))}) > 0)"
        found.append(condition)
    where = joined(found, "OR")
    return f"(w.field = '{field}' AND {where})" if field else where


def needed(values: Sequence[Comparable]) -> Needed:
    """The words that a cell has if it is one of the values; none where nothing is known of its words."""
    if len(values) == 1:
        return _of_value(values[0])
    firsts = [_of_value(value)[:1] for value in values]
    found = [phrase for first in firsts for phrases in first for phrase in phrases]
    return [found] if all(firsts) and len(found) <= _MOST else []


def _of_value(value: Comparable) -> Needed:
    match value:
        case Text(text=text):
            found = words(text)[:_MOST]
            return [[Phrase(found)]] if found and number(text) is None else []
        case Glob():
            return _of_glob(value)[:_MOST]
        case Network(text=text):
            return _of_address(text)
    return []


def _of_glob(glob: Glob) -> Needed:
    """What stands between two wildcards has its words, but for those that a wildcard may lengthen."""
    found: Needed = []
    runs: list[tuple[str, bool, bool]] = []  # letters, and whether a wildcard stands before and behind
    run, before = "", False
    for letter, wild in letters(glob.text):
        if wild:
            runs.append((run, before, True))
            run, before = "", True
        else:
            run += letter
    runs.append((run, before, False))
    for text, begun, behind in runs:
        pieces = _SIGNS.split(text)
        last = words(pieces[-1]) if len(pieces) > 1 or not begun else ()
        whole = words(" ".join(pieces[1 if begun else 0 : -1]))
        if not behind:
            phrase = Phrase((*whole, *last))
        elif last and len(last[-1]) >= _LEAST:
            phrase = Phrase((*whole, *last), prefix=True)
        else:
            phrase = Phrase(whole)
        if phrase.words:
            found.append([phrase])
    return found


def _of_address(text: str) -> Needed:
    """The words of an address in any spelling, or of the whole bytes that the addresses of a network begin with."""
    low, high = addresses.span(text) or ("", "")
    same = next((at for at, (one, other) in enumerate(zip(low, high, strict=True)) if one != other), len(low))
    if low.startswith("4"):
        octets = [str(int(low[at : at + 2], 16)) for at in range(1, same - 1, 2)]
        if len(octets) < 2:
            return []
        # An IPv4 address may stand in an IPv6 one, and that in hexadecimal digits. There :: may stand for noughts.
        first, second = low[1:5], low[5:9]
        if not int(first, 16):
            return []
        mapped: list[tuple[str, ...]] = [("ffff", one) for one in _spellings(first)]
        if same == len(low) and int(second, 16):
            mapped = [(*one, other) for one in mapped for other in _spellings(second)]
        return [[Phrase(tuple(octets)), *map(Phrase, mapped)]]
    # The last two groups may be written as an IPv4 address.
    groups = [low[at : at + 4] for at in range(1, 25, 4) if at + 4 <= same]
    return [[Phrase((one,)) for one in _spellings(group)] for group in groups if int(group, 16)]


def _spellings(group: str) -> list[str]:
    """A group of four hexadecimal digits with and without the noughts before it."""
    return [group[at:] for at in range(len(group)) if not group[:at].strip("0")]
