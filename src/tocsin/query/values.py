"""What a field is compared with, and how each kind is written so that it is read again as the same."""

import re

import msgspec

from tocsin.query.words import words


class Value(msgspec.Struct, frozen=True, tag=True):
    """One thing to compare with; `str` is the text that is read as it."""


class Text(Value, frozen=True, tag=True):
    """A whole text, compared with ASCII letters folded; for a choice its one spelling."""

    text: str

    def __str__(self) -> str:
        return literal(self.text)


class Phrase(Value, frozen=True, tag=True):
    """Words that stand one behind the other; with `prefix` the last one may go on."""

    words: tuple[str, ...]
    prefix: bool = False

    def __str__(self) -> str:
        if self.prefix:
            return "\\ ".join(self.words) + "*"
        return literal(" ".join(self.words))


class Glob(Value, frozen=True, tag=True):
    r"""A pattern laid over a whole text: `*` any characters, `?` one; `\*`, `\?` and `\\` are those characters."""

    text: str

    def __str__(self) -> str:
        found = letters(self.text)
        return "".join(letter if wild else escaped(letter, at == 0) for at, (letter, wild) in enumerate(found))


class Regex(Value, frozen=True, tag=True):
    """An RE2 expression, found anywhere in a text, case folded. No slash in it is escaped: see `regex`."""

    text: str

    def __str__(self) -> str:
        return f"/{re.sub(_ESCAPE_OR_SLASH, lambda found: found[0].replace('/', SLASH), self.text)}/"


class Number(Value, frozen=True, tag=True):
    """A whole number, or a fraction where the field has them."""

    number: int | float

    def __str__(self) -> str:
        return repr(self.number)


class Date(Value, frozen=True, tag=True):
    """A date as `dates.canonical` spells it; which span of time it is depends on now."""

    text: str

    def __str__(self) -> str:
        return self.text


class Network(Value, frozen=True, tag=True):
    """An address, or a network in CIDR form, as `addresses.canonical` spells it."""

    text: str

    def __str__(self) -> str:
        return self.text


class Place(msgspec.Struct, frozen=True, eq=False):
    """Where a node stands in the text. Equal to every other place, so that trees compare by what they mean."""

    start: int = 0
    end: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place)

    def __hash__(self) -> int:
        return 0


SLASH = r"\/"
_ESCAPE_OR_SLASH = re.compile(r"\\.|/", re.DOTALL)
_PLAIN = re.compile(r"[^\W_][\w.:@%=+/-]*")
RESERVED = frozenset({"and", "or", "not", "to"})


def regex(text: str) -> Regex:
    """A regular expression from its text with or without escaped slashes."""
    return Regex(re.sub(_ESCAPE_OR_SLASH, lambda found: "/" if found[0] == SLASH else found[0], text))


def literal(text: str) -> str:
    """A text as it stands in a query: bare if it can, else in quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in RESERVED:
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """A text in quotes, in which only a quote and a backslash are escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def escaped(letter: str, first: bool) -> str:
    """One letter of a bare text that is meant as itself."""
    return letter if letter.isalnum() or (letter in "_.:@%=+/-" and not first) else f"\\{letter}"


def letters(pattern: str) -> list[tuple[str, bool]]:
    """The letters of a glob's text, each with whether it is a wildcard."""
    found: list[tuple[str, bool]] = []
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\" and at + 1 < len(pattern):
            found.append((pattern[at + 1], False))
            at += 2
        else:
            found.append((pattern[at], pattern[at] in "*?"))
            at += 1
    return found


def glob(found: list[tuple[str, bool]]) -> Glob:
    """The glob of these letters."""
    return Glob("".join(letter if wild or letter not in "*?\\" else f"\\{letter}" for letter, wild in found))


def phrase(found: list[tuple[str, bool]]) -> Phrase | None:
    """Letters without wildcards but perhaps one `*` at the end, as words; None if there is another one."""
    prefix = bool(found) and found[-1] == ("*", True)
    kept = found[:-1] if prefix else found
    if any(wild for _, wild in kept):
        return None
    text = "".join(letter for letter, _ in kept)
    return Phrase(words(text), prefix)
