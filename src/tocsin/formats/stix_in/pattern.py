"""Patterns (STIX 2.1 section 9) -> the values they look for. Linear in the pattern's length, whatever stands in it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

LONGEST = 65_536
"""Characters of a pattern that are looked into; all of it stays in its row."""
MOST_VALUES = 1000
_PATH = r"[A-Za-z][A-Za-z0-9-]{0,60}+:[A-Za-z_](?:[A-Za-z0-9_-]|\.|\[(?:\d{1,9}|\*)\]|'[^'\\]{1,200}')*"
_TOKEN = re.compile(
    rf"(?P<path>{_PATH})|(?P<text>'(?:[^'\\]|\\.)*+')|(?P<typed>[thb]'[^']*+')|(?P<number>-?\d{{1,18}}(?:\.\d{{1,18}})?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_-]*+)|(?P<sign>!=|<>|<=|>=|==?|[<>()\[\],])|(?P<rest>[^'\s]|\s+)",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TELLING = frozenset(("=", "==", "IN", "ISSUBSET"))


class Value(NamedTuple):
    """A value and the path of the property that is to have it: `ipv4-addr:value`, `file:hashes.'SHA-256'`."""

    path: str
    value: str

    @property
    def type(self) -> str:
        """The type of object that is looked at."""
        return self.path.partition(":")[0]


def values(pattern: str) -> list[Value]:
    """What a pattern says is there: equal, in a list or a network; nothing that is excluded, compared or matched."""
    found: dict[Value, None] = {}
    for value in _values(pattern[:LONGEST]):
        found[value] = None
        if len(found) >= MOST_VALUES:
            break
    return list(found)


def _values(pattern: str) -> Iterator[Value]:
    path, telling, denied = "", False, False
    at = 0
    while token := _TOKEN.match(pattern, at):
        at, text = token.end(), token[0]
        match token.lastgroup:
            case "path":
                path, telling, denied = text, False, denied and not path
            case "word":
                word = text.upper()
                if word in ("AND", "OR", "FOLLOWEDBY"):
                    path, telling, denied = "", False, False
                denied = denied or word == "NOT"
                telling = word in _TELLING and not denied
            case "sign" if text not in "(),":
                telling = text in _TELLING and not denied
            case "text" if telling and path:
                yield Value(path, _ESCAPED.sub(r"\1", text[1:-1]).replace("\0", ""))
            case "number" if telling and path:
                yield Value(path, text)
