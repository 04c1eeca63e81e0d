"""One written value -> the value its field is compared with. What the field cannot hold is told where it stands."""

import math
import re

import re2

from tocsin.errors import BadQuery
from tocsin.query import addresses, dates
from tocsin.query.fields import Field, Kind, nearest
from tocsin.query.syntax import Single
from tocsin.query.tree import Comparable
from tocsin.query.values import Date, Network, Number, Phrase, Text, glob, phrase, regex

Letters = list[tuple[str, bool]]
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_FRACTION = re.compile(r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]{0,300})?|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_MAC = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}", re.ASCII)
_CONNECTING = frozenset({"and", "or", "not"})
_TEXTS = (Kind.WORDS, Kind.KEYWORD, Kind.ADDRESS, Kind.ENDPOINT, Kind.MAC, Kind.CELL)


def letters(written: Single) -> Letters:
    r"""The letters meant, each with whether it is a wildcard.

    In quotes there are no wildcards, and a backslash means itself unless a quote or a backslash follows. Outside, a
    backslash takes the meaning from the sign behind it; before a letter or digit it means itself (`DOMAIN\user`).
    """
    if written.kind == "string":
        return [(letter, False) for letter in re.sub(r'\\(["\\])', r"\1", written.text[1:-1])]
    found: Letters = []
    signs = iter(written.text)
    for sign in signs:
        if sign != "\\":
            found.append((sign, sign in "*?"))
            continue
        escaped = next(signs)
        found += [(sign, False), (escaped, False)] if escaped.isalnum() else [(escaped, False)]
    return found


def is_star(written: Single) -> bool:
    """Whether it is nothing but `*`: any value at all, or an open bound."""
    return written.kind in ("value", "word") and bool(written.text) and not written.text.strip("*")


def value(field: Field, written: Single) -> Comparable:
    """The value to compare the field with. Raises BadQuery."""
    if written.kind == "regex":
        return _regex(field, written)
    if written.kind == "value" and written.text.lower() in _CONNECTING:
        remedy = f'write one before {written.text}; for the word itself, "{written.text}"'
        raise BadQuery("A value is missing", written.start, remedy)
    found = letters(written)
    if any(wild for _, wild in found):
        if field.kind not in _TEXTS:
            raise BadQuery(f"{field.name} takes no wildcard", written.start, _takes(field))
        whole = phrase(found) if field.kind is Kind.WORDS else None
        return _some_words(whole, written) if whole is not None else glob(found)
    text = "".join(letter for letter, _ in found)
    if not text.strip():
        raise BadQuery("This is empty", written.start, f"to find those without any, write not {field.name}:*")
    if field.kind is Kind.WORDS:
        return _some_words(phrase(found), written)
    return _plain(field, text, written)


def _plain(field: Field, text: str, written: Single) -> Comparable:
    match field.kind:
        case Kind.WHOLE | Kind.FRACTION | Kind.AMOUNT:
            return _number(field, text, written)
        case Kind.CHOICE:
            return _choice(field, text, written)
        case Kind.DATE:
            if (date := dates.canonical(text)) is not None:
                return Date(date)
        case Kind.KEYWORD:
            return Text(text)
        case Kind.MAC:
            if _MAC.fullmatch(text.lower()):
                return Text(_mac(text))
        case _:
            if addresses.span(text) is not None:
                return Network(addresses.canonical(text))
            if field.kind is Kind.ENDPOINT and _MAC.fullmatch(text.lower()):
                return Text(_mac(text))
            if field.kind is not Kind.ADDRESS:
                return Text(text)
    raise _wrong(field, text, written)


def bound(field: Field, written: Single) -> Number | Date | Network | Text:
    """A bound of a range, or what follows `>=`. Raises BadQuery."""
    if field.kind in (Kind.WORDS, Kind.KEYWORD, Kind.MAC) or (field.kind is Kind.CHOICE and not field.ordered):
        raise BadQuery(f"{field.name} has no order", written.start, f"write {field.name}:value")
    if field.kind is Kind.CELL:
        text = "".join(letter for letter, _ in letters(written))
        if _FRACTION.fullmatch(text) and math.isfinite(float(text)):
            return Number(_as_number(text))
    found = value(field, written)
    single = isinstance(found, Network) and "/" not in found.text
    if single or isinstance(found, Number | Date) or (field.kind is Kind.CHOICE and found != Text("unset")):
        assert isinstance(found, Number | Date | Network | Text)
        return found
    needed = {Kind.CELL: "a number or an address", Kind.CHOICE: f"one of {', '.join(field.choices[1:])}"}
    raise BadQuery(
        f"{written.text[:40]!r} is no bound", written.start, f"write {needed.get(field.kind, 'a single address')}"
    )


def words_of(written: Single) -> Phrase:
    """Free words. Raises BadQuery."""
    whole = phrase(letters(written))
    if whole is None:
        remedy = f"free words take * only at their end; for other patterns name a field: subject:{written.text[:40]}"
        raise BadQuery("A wildcard stands inside a word", written.start, remedy)
    return _some_words(whole, written)


def _some_words(found: Phrase | None, written: Single) -> Phrase:
    if found is None or not found.words:
        raise BadQuery("There is no letter or digit in this", written.start, "write a word; signs are not searched")
    return found


def _regex(field: Field, written: Single) -> Comparable:
    if field.kind not in _TEXTS:
        raise BadQuery(f"{field.name} takes no regular expression", written.start, _takes(field))
    found = regex(written.text[1:-1])
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(found.text, options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        remedy = "put \\ before . + ( [ to mean them, or quotes around the text"
        raise BadQuery(f"This is no regular expression: {reason}", written.start, remedy) from None
    return found


def _number(field: Field, text: str, written: Single) -> Number:
    if field.kind is Kind.WHOLE:
        if _WHOLE.fullmatch(text) and -(2**63) <= int(text) < 2**63:
            return Number(int(text))
    elif field.kind is Kind.AMOUNT:
        if _FRACTION.fullmatch(text) and math.isfinite(float(text)):
            return Number(_as_number(text))
    elif _FRACTION.fullmatch(text.removesuffix("%")):
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        if 0 <= number <= 1:
            return Number(number)
    raise _wrong(field, text, written)


def _as_number(text: str) -> int | float:
    """Whole numbers a double can hold stay whole; the rest is a double."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _choice(field: Field, text: str, written: Single) -> Text:
    plain = text.strip().lower()
    plain = field.spellings.get(plain, plain)
    if plain in field.choices:
        return Text(plain)
    near = nearest(plain, (*field.choices, *field.spellings))
    offer = f"did you mean {field.spellings.get(near, near)}? " if near else ""
    raise BadQuery(f"{field.name} is never {text[:40]!r}", written.start, f"{offer}{_takes(field)}")


def _mac(text: str) -> str:
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def _wrong(field: Field, text: str, written: Single) -> BadQuery:
    return BadQuery(f"{text[:40]!r} is nothing {field.name} can be", written.start, _takes(field))


def _takes(field: Field) -> str:
    match field.kind:
        case Kind.WHOLE:
            return f"write a whole number, as in {field.name}:5 or {field.name}>=5"
        case Kind.FRACTION:
            return f"write a number from 0 to 1 or a percentage, as in {field.name}>=80%"
        case Kind.AMOUNT:
            return f"write a number, as in {field.name}:0.5 or {field.name}>=10"
        case Kind.CHOICE:
            return f"write one of {', '.join(field.choices)}"
        case Kind.DATE:
            return (
                f"write a date, as in {field.name}>=now-1h, {field.name}:2026-05-04 or {field.name}>2026-05-04T10:30Z"
            )
        case Kind.MAC:
            return f"write a MAC address, as in {field.name}:00:00:5e:00:53:01"
        case _:
            return f"write an address or a network, as in {field.name}:10.0.0.0/8"
