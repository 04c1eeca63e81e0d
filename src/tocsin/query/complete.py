"""What may be typed next: names of fields, then values of the field that stands before the cursor."""

import re
from collections.abc import Iterable, Mapping, Sequence

from tocsin.model import Noun
from tocsin.query.fields import ALERTGROUPS, Field, Kind, Table
from tocsin.query.syntax import LONGEST
from tocsin.query.values import literal

MOST = 20
"""Offers at a time."""
_DATES = {
    "now-15m": "a quarter of an hour ago",
    "now-1h": "an hour ago",
    "now-24h": "a day ago",
    "now-7d": "a week ago",
    "today": "all of today, UTC",
    "yesterday": "all of yesterday, UTC",
}
_CONNECTING = {"and": "both hold", "or": "one of them holds", "not": "the next does not hold"}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_NAME = r"[^\W\d@][\w-]*+(?:\.[\w*-]*+)*+|@\w*+"
_VALUE = re.compile(rf"(?P<name>(?:{_NAME}))\s*(?P<operator>:?[<>]=?|!?=|:)\s*(?P<group>\([^()]*)?$")
_LAST = re.compile(r'[^\s()\[\]{}",:<>=!]*+$')


class Offer(Noun, frozen=True, kw_only=True):
    """One suggestion: `text` goes in place of the query's characters from `start` to `end`."""

    start: int
    end: int
    text: str
    about: str = ""


def complete(
    text: str, cursor: int, known: Mapping[str, Sequence[str]] | None = None, table: Table = ALERTGROUPS
) -> list[Offer]:
    """What may stand at the cursor (characters from the start), best first; nothing inside of quotes.

    `known` gives the values that there are for fields of free text (`tag`, `source`, `parser` …), and under `data`,
    `entity` and `delivery` the names that may stand behind the dot; under `entity:` values of entities of any type,
    under `entity:TYPE` those of one.
    """
    before = text[: max(0, min(cursor, len(text), LONGEST))]
    blank = _STRING.sub(lambda found: "_" * len(found[0]), before)
    if '"' in blank:
        return []
    known = known or {}
    start = len(blank)
    while start and blank[start - 1] not in ' \t\r\n()[]{}",:<>=!':
        start -= 1
    typed, place = blank[start:], (start, len(before))
    asked = _VALUE.search(blank[max(0, start - 400) : start])
    if asked is not None:
        return _values(table, asked["name"], asked["operator"], typed, place, known)
    return _names(table, typed, place, known)


def _values(
    table: Table, name: str, operator: str, typed: str, place: tuple[int, int], known: Mapping[str, Sequence[str]]
) -> list[Offer]:
    found = table.find(name)
    if found is None:
        return []
    field, behind = found
    ordered = operator.lstrip(":") in (">", ">=", "<", "<=")
    if field.name == "entity":
        return _offers(typed, place, [(literal(value), "") for value in known.get(f"entity:{behind.lower()}", ())])
    return _offers(typed, place, _of_field(field, ordered, known))


def _of_field(field: Field, ordered: bool, known: Mapping[str, Sequence[str]]) -> Iterable[tuple[str, str]]:
    if field.kind is Kind.CHOICE:
        return [(choice, "") for choice in field.choices if not (ordered and (choice == "unset" or not field.ordered))]
    if field.kind is Kind.DATE:
        return _DATES.items()
    return [] if field.behind or ordered else [(literal(value), "") for value in known.get(field.name, ())]


def _names(table: Table, typed: str, place: tuple[int, int], known: Mapping[str, Sequence[str]]) -> list[Offer]:
    head, dot, _ = typed.partition(".")
    home = table.fields.get(head.lower())
    if dot and home is not None and home.behind:
        names = [(f"{head.lower()}.{literal(name)}:", home.about) for name in known.get(home.name, ())]
        names += [(f"{name}:", field.about) for name, field in table.fields.items() if name.startswith(f"{home.name}.")]
        return _offers(typed, place, names)
    own = [(f"{name}{'.' if field.behind == 'NAME' else ':'}", field.about) for name, field in table.fields.items()]
    if table.rows:
        own.append(("alert:{", "one and the same alert fulfils all of it"))
    aliases = [(f"{alias}:", table.fields[name].about) for alias, name in table.names.items() if alias != name]
    return _offers(typed, place, [*own, *(_CONNECTING.items() if typed else ()), *(aliases if typed else ())])


def _offers(typed: str, place: tuple[int, int], texts: Iterable[tuple[str, str]]) -> list[Offer]:
    """Those that begin with what was typed, then those that have it somewhere inside."""
    plain = typed.lower()
    bare = [(text.replace('"', "").lower(), text, about) for text, about in texts]
    beginning = [(text, about) for shown, text, about in bare if shown.startswith(plain)]
    inside = [(text, about) for shown, text, about in bare if plain in shown and not shown.startswith(plain)]
    found = (beginning + inside)[:MOST]
    return [Offer(start=place[0], end=place[1], text=text, about=about) for text, about in found]
