"""A text with its entities marked: as pieces for our pages, and in SCOT's markup."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import msgspec

from tocsin.entities.find import Found
from tocsin.entities.group import in_text
from tocsin.entities.known import DEFAULT, Known
from tocsin.model import Entity

SCOT_TYPES = {
    "ipv4": "ipaddr",
    "ipv6": "ipv6",
    "cidr": "cidr",
    "domain": "domain",
    "email": "email",
    "url": "url",
    "file": "file",
    "md5": "md5",
    "sha1": "sha1",
    "sha256": "sha256",
    "sha512": "sha512",
    "jarm": "jarm_hash",
    "cve": "cve",
    "guid": "clsid",
    "mac": "mac",
    "asn": "asn",
    "registry_key": "winregistry",
    "message_id": "message_id",
    "technique": "technique",
}
"""Ours -> SCOT's. SCOT knows no url, sha512, mac, asn and technique: they keep our names. A GUID of version 1 is a
`uuid1` there. Types of own strings and patterns are the same on both sides."""
NOT_MARKED = frozenset(("columns", "_raw", "search"))
"""Keys of a row that SCOT leaves as they are."""


class Piece(NamedTuple):
    """A part of a text and the entities it lies in, outermost first."""

    text: str
    founds: tuple[Found, ...] = ()


def marked(text: str, founds: Iterable[Found]) -> list[Piece]:
    """The text in pieces, in order; their texts joined are the text unchanged, whatever `founds` are.

    A found outside the text, or that crosses one before it, marks nothing.
    """
    pieces: list[Piece] = []
    around: list[Found] = []
    at = 0

    def leave(until: int) -> None:
        nonlocal at
        while around and around[-1].end <= until:
            if at < around[-1].end:
                pieces.append(Piece(text[at : around[-1].end], tuple(around)))
                at = around[-1].end
            around.pop()
        if at < until:
            pieces.append(Piece(text[at:until], tuple(around)))
            at = until

    for found in _nested(founds, len(text)):
        leave(found.start)
        around.append(found)
    leave(len(text))
    return pieces


def _nested(founds: Iterable[Found], size: int) -> Iterator[Found]:
    """In order of their places, without what lies outside the text or crosses one before it."""
    ends: list[int] = []
    for found in sorted(founds, key=lambda one: (one.start, -one.end)):
        while ends and ends[-1] <= found.start:
            ends.pop()
        if 0 <= found.start < found.end <= (ends[-1] if ends else size):
            ends.append(found.end)
            yield found


def scot(entity: Entity) -> tuple[str, str]:
    """SCOT's type and value: in small letters, IPv6 addresses with all their eight groups; message ids as written."""
    type, value = SCOT_TYPES.get(entity.type, entity.type), entity.value
    if type == "ipv6":
        groups = ipaddress.IPv6Address(value).exploded.split(":")
        return type, ":".join(f"{int(group, 16):x}" for group in groups)
    if type == "clsid" and value[14] == "1":
        type = "uuid1"
    return type, value if type == "message_id" else value.lower()


def flair(text: str, founds: Iterable[Found]) -> str:
    """The text as HTML with SCOT's spans around its entities. All of the text is escaped and shown as written."""
    shown: list[str] = []
    open_: Sequence[Found] = ()
    for piece in marked(text, founds):
        kept = 0
        while kept < min(len(open_), len(piece.founds)) and open_[kept] is piece.founds[kept]:
            kept += 1
        shown.append("</span>" * (len(open_) - kept))
        shown += map(_span, piece.founds[kept:])
        shown.append(escape(piece.text))
        open_ = piece.founds
    shown.append("</span>" * len(open_))
    return "".join(shown)


def _span(found: Found) -> str:
    type, value = map(escape, scot(found.entity))
    return f'<span class="entity {type}" data-entity-type="{type}" data-entity-value="{value}">'


def flaired_row(row: Mapping[str, Any], known: Known = DEFAULT) -> dict[str, Any]:
    """A row as SCOT's `data_with_flair`: each text in a `<div>` with its spans, lists item by item without blanks.

    What is neither text nor a list stands there as its JSON.
    """
    return {
        column: cell if column in NOT_MARKED else _flaired_cell(cell, column, known) for column, cell in row.items()
    }


def _flaired_cell(cell: Any, column: str, known: Known) -> str | list[str]:
    if isinstance(cell, list):
        return [_flaired_text(item, column, known) for item in cell if item is not None and item not in ("", " ")]
    return _flaired_text(cell, column, known)


def _flaired_text(value: Any, column: str, known: Known) -> str:
    text = value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
    return f"<div>{flair(text, in_text(text, column, known))}</div>"
