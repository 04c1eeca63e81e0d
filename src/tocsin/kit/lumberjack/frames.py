"""Frames of Lumberjack v2, numbers in network order.

2 W  count          a window: so many documents follow
2 J  number length  a document as JSON; they are numbered from 1 in every window, so that servers which answer with
                    the number and servers which count both say the same
2 C  length         compressed frames (zlib)
2 A  number         the answer: all documents up to that number are taken; 0 or the number before: still busy
"""

import struct
import zlib
from collections.abc import Sequence

ACK_LENGTH = 6
_WINDOW, _DOCUMENT = struct.Struct(">2sI"), struct.Struct(">2sII")


def window(documents: Sequence[bytes], compression: int) -> bytes:
    """The frames that hand over so many documents, of which there is at least one; `compression` from 0 to 9."""
    parts = [b""] * (2 * len(documents))
    parts[::2] = [_DOCUMENT.pack(b"2J", number, len(one)) for number, one in enumerate(documents, 1)]
    parts[1::2] = documents
    frames = b"".join(parts)
    if compression:
        packed = zlib.compress(frames, compression)
        frames = _WINDOW.pack(b"2C", len(packed)) + packed
    return _WINDOW.pack(b"2W", len(documents)) + frames


def acknowledged(frame: bytes) -> int | None:
    """The number that an answer of `ACK_LENGTH` bytes says; None for what is no answer."""
    kind, number = _WINDOW.unpack(frame)
    return int(number) if kind == b"2A" else None
