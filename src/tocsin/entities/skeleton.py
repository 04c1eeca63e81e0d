"""A text as bytes, one byte for each character, so that a place in the bytes is a place in the text.

The scanner sees ASCII and four other bytes. Full-width letters and the dots and dashes of other scripts become their
ASCII brothers, so `ｅｖｉｌ。com` is scanned as `evil.com`.
"""

import codecs
import unicodedata

LETTER = 0xFF
"""A letter, digit or mark of another script."""
UNSEEN = 0x81
"""A character that takes no room: soft hyphen, zero-width space and their like."""
OTHER = 0x80
"""Anything else: a symbol, a control, half of a broken pair."""

DOTS = "\u3002\uff61\u2024"
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"
QUOTES = "\u00ab\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u2039\u203a"
ZERO_WIDTH = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
FULL_WIDTH = range(0xFF01, 0xFF5F)


class _Bytes(dict[str, int]):
    """Character -> byte, learnt as characters come."""

    def __missing__(self, character: str) -> int:
        byte = _byte(character)
        self[character] = byte
        return byte


def _byte(character: str) -> int:
    if ord(character) in FULL_WIDTH:
        return ord(character) - 0xFEE0
    for among, byte in ((DOTS, "."), (DASHES, "-"), (QUOTES, '"')):
        if character in among:
            return ord(byte)
    if character in ZERO_WIDTH:
        return UNSEEN
    if character.isspace():
        return 0x20
    return LETTER if character.isalnum() or unicodedata.category(character)[0] == "M" else OTHER


_BYTES = _Bytes()


def _stand_in(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return bytes(map(_BYTES.__getitem__, error.object[error.start : error.end])), error.end


codecs.register_error("tocsin.skeleton", _stand_in)


def skeleton(text: str) -> bytes:
    """The text with one byte for each character."""
    return text.encode("ascii", "tocsin.skeleton")


def readable(text: str) -> str:
    """The text as its skeleton reads, other scripts kept and what takes no room left out."""
    if text.isascii():
        return text
    return "".join(
        character if byte == LETTER else chr(byte)
        for character, byte in zip(text, skeleton(text), strict=True)
        if byte != UNSEEN
    )
