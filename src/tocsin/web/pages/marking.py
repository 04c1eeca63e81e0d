"""Entities marked where they stand: found in the text that a page is about to show, counted from the index.

First everything is looked at, then one question to the store tells how often each entity stands elsewhere, then it is
shown. So an alertgroup that is not indexed yet has its marks at once, only without numbers.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload
from urllib.parse import quote, urlsplit

from tocsin.entities import Found, Known, in_text, marked
from tocsin.model import Entity
from tocsin.store import entity
from tocsin.store.engine import Tx
from tocsin.store.entity import Seen
from tocsin.web.pages.shown import Cell, Mark, Marked, Piece, Words, brief

LONGEST = 20_000
"""Characters of one cell in which entities are marked; a table shows far less of it."""
LONGEST_TEXT = 200_000
_MARGIN = 1024
NOT_LOOKED_INTO = "columns"

LOOKS: Mapping[str, str] = (
    dict.fromkeys(("ipv4", "ipv6", "cidr", "mac", "asn"), "address")
    | dict.fromkeys(("domain", "email", "url"), "name")
    | dict.fromkeys(("md5", "sha1", "sha256", "sha512", "jarm"), "hash")
    | dict.fromkeys(("file", "registry_key"), "file")
    | dict.fromkeys(("cve", "guid", "message_id", "technique"), "id")
)
"""Type -> colour; the users' own types have one for all of them."""
WORDS: Mapping[str, str] = {
    "ipv4": "IPv4 address",
    "ipv6": "IPv6 address",
    "cidr": "network",
    "email": "mail address",
    "url": "URL",
    "file": "file name",
    "md5": "MD5 hash",
    "sha1": "SHA-1 hash",
    "sha256": "SHA-256 hash",
    "sha512": "SHA-512 hash",
    "jarm": "JARM hash",
    "cve": "CVE",
    "guid": "GUID",
    "mac": "MAC address",
    "asn": "AS number",
    "registry_key": "registry key",
    "message_id": "message id",
    "technique": "ATT&CK technique",
}
_MAY_BE_OWN = {
    "ipv4": "network",
    "ipv6": "network",
    "cidr": "network",
    "domain": "domain",
    "email": "domain",
    "url": "host",
}


def type_words(type: str) -> str:
    """What a type is called in a sentence."""
    return WORDS.get(type, type.replace("_", " "))


def address_of(one: Entity | Seen | entity.Known) -> str:
    """The page of an entity."""
    return f"/entity?type={one.type}&value={quote(one.value, safe='', errors='replace')}"


def is_own(known: Known, one: Entity | entity.Known) -> bool:
    """Whether an entity, or the host of the URL that it is, is ours."""
    if one.type == "url":
        try:
            host = urlsplit(one.value).hostname
        except ValueError:
            return False
        return bool(host) and known.owns_host(host or "")
    return known.is_own(one.type, one.value)


def own_words(type: str, own: bool) -> str:
    """`own network` or `not own`; empty for types that nobody owns."""
    if type not in _MAY_BE_OWN:
        return ""
    return f"own {_MAY_BE_OWN[type]}" if own else "not own"


def mark_of(one: Entity | Seen | entity.Known, own: bool, elsewhere: int | None) -> Mark:
    """How an entity is shown that stands in so many other alertgroups; None while that is not known."""
    seen = ""
    if elsewhere is not None:
        others = "other alertgroup" if elsewhere == 1 else "other alertgroups"
        seen = f"seen in {elsewhere:,} {others}" if elsewhere else "seen in no other alertgroup"
    title = ", ".join(filter(None, (type_words(one.type), own_words(one.type, own), seen)))
    look = f"{LOOKS.get(one.type, 'told')}{' own' if own else ''}"
    return Mark(address_of(one), look, title, brief(elsewhere) if elsewhere else "")


class Marking:
    """The marks of one page. `look_at` all that it shows, `look_up` once, then `show` it."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._founds: dict[tuple[str, str], list[Found]] = {}
        self._own: dict[Entity, bool] = {}
        self._marks: dict[Entity, Mark] = {}

    def look_at(self, value: Cell, column: str = "", longest: int = LONGEST) -> None:
        """Find what stands in a text, or in every text of a list."""
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and column != NOT_LOOKED_INTO and (column, text) not in self._founds:
                found = _found(text, column, self._known, longest)
                self._founds[column, text] = found
                self._own |= {one.entity: one.own for one in found}

    def look_up(self, tx: Tx, group: int) -> None:
        """Ask how often everything found stands in other alertgroups."""
        pairs = [(one.type, one.value) for one in self._own if one.value.isascii() or _storable(one.value)]
        known = entity.elsewhere(tx, group, pairs)
        indexed = entity.is_indexed(tx, group)
        for one, own in self._own.items():
            self._marks[one] = mark_of(one, own, known.get((one.type, one.value), 0 if indexed else None))

    @overload
    def show(self, value: Words, column: str = "") -> Words: ...
    @overload
    def show(self, value: Cell, column: str = "") -> Cell: ...
    def show(self, value: Cell, column: str = "") -> Cell:
        """The same with its entities marked."""
        if isinstance(value, list):
            return [self._shown(text, column) for text in value]
        return value if value is None or isinstance(value, int) else self._shown(value, column)

    def _shown(self, text: Words, column: str) -> Words:
        founds = self._founds.get((column, text)) if isinstance(text, str) else None
        if not founds or not isinstance(text, str):
            return text
        pieces: list[Piece] = []
        end = 0
        for words, around in marked(text, founds):
            end += len(words)
            if around:
                pieces.append(Piece(words, self._marks.get(around[-1].entity), end == around[-1].end))
            else:
                pieces.append(Piece(words))
        return Marked(tuple(pieces))


def _found(text: str, column: str, known: Known, longest: int) -> list[Found]:
    if len(text) <= longest:
        return in_text(text, column, known)
    # What may go on behind the cut is left out.
    return [one for one in in_text(text[: longest + _MARGIN], column, known) if one.end <= longest]


def _storable(value: str) -> bool:
    """Whether a database takes it: no half of a pair of surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def as_json(rows: Iterable[tuple[int, str, Sequence[Cell]]]) -> dict[str, Any]:
    """Rows for the grid: `[id, status, [cell, …]]`; a marked text is `{"p": [text or [text, mark, ends], …]}`.

    `marks` holds each mark once, as `[address, look, title, elsewhere]`.
    """
    marks: dict[Mark, int] = {}

    def words(value: Words) -> Any:
        if not isinstance(value, Marked):
            return value
        pieces: list[Any] = []
        for text, mark, ends in value.pieces:
            pieces.append(text if mark is None else [text, marks.setdefault(mark, len(marks)), int(ends)])
        return {"p": pieces}

    def cell(value: Cell) -> Any:
        if isinstance(value, list):
            return [words(part) for part in value]
        return words(value) if isinstance(value, Marked) else value

    lines = [[id, status, [cell(one) for one in cells]] for id, status, cells in rows]
    return {"rows": lines, "marks": list(marks)}
