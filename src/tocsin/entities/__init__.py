"""What stands in a text: addresses, names, hashes, identifiers, and the users' own strings and patterns.

`skeleton.py` turns a text into bytes that RE2 scans in linear time, `spelling.py` knows the defanged forms; `names.py`,
`addresses.py`, `urls.py`, `mail.py` and `ids.py` each know their kinds; `find.py` puts them together, `group.py` goes
through an alertgroup, `marks.py` shows a text with what was found.
"""

from tocsin.entities.defang import defanged
from tocsin.entities.find import Found, find
from tocsin.entities.group import Sighting, by_alert, in_cell, in_group, in_text
from tocsin.entities.known import DEFAULT, PRIVATE, SUFFIXES, Known
from tocsin.entities.marks import SCOT_TYPES, Piece, flair, flaired_row, marked, scot

TYPES = tuple(SCOT_TYPES)
"""The types found without being told, in no order of rank."""

__all__ = [
    "DEFAULT",
    "PRIVATE",
    "SCOT_TYPES",
    "SUFFIXES",
    "TYPES",
    "Found",
    "Known",
    "Piece",
    "Sighting",
    "by_alert",
    "defanged",
    "find",
    "flair",
    "flaired_row",
    "in_cell",
    "in_group",
    "in_text",
    "marked",
    "scot",
]
