"""How records stand in a stream (RFC 6587): each with its length in front, or each on a line of its own.

A record that begins with a digit is counted (3.4.1), any other ends at a line feed or NUL (3.4.2).
"""

import re
from typing import NamedTuple

_COUNT = re.compile(rb"([1-9][0-9]{0,9}) ")
_END = re.compile(rb"[\n\0]")
LONGEST_COUNT = 11


class Frame(NamedTuple):
    """A record, or with a reason the beginning of one."""

    record: bytes
    refused: str = ""


class Frames:
    """Takes a stream piece by piece. Of a record longer than `longest` the beginning is kept and the rest passed by."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._held = b""
        self._passing = 0
        self._to_line_end = False

    def feed(self, piece: bytes) -> list[Frame]:
        """The records that are whole now."""
        self._held += piece
        found: list[Frame] = []
        while (one := self._next()) is not None:
            if one.record or one.refused:
                found.append(one)
        return found

    def end(self) -> list[Frame]:
        """What the stream ended with: a line without its end is a record, half a counted one is refused."""
        rest, self._held = self._held.strip(b"\r\n\0"), b""
        if not rest or self._passing or self._to_line_end:
            return []
        return [Frame(rest, "the connection ended within a record" if rest[:1].isdigit() else "")]

    def _next(self) -> Frame | None:
        """The next record, an empty one for what is passed by; None: more is needed."""
        if self._passing:
            passed = min(self._passing, len(self._held))
            self._held, self._passing = self._held[passed:], self._passing - passed
            return Frame(b"") if passed else None
        if self._held[:1] in (b"\n", b"\r", b"\0"):
            self._held = self._held.lstrip(b"\r\n\0")
            self._to_line_end = False
            return Frame(b"")
        counted = None if self._to_line_end else _COUNT.match(self._held)
        if counted is not None:
            return self._counted(int(counted[1]), counted.end())
        if not self._to_line_end and self._held.isdigit() and len(self._held) < LONGEST_COUNT:
            return None
        return self._line()

    def _counted(self, length: int, start: int) -> Frame | None:
        kept = min(length, self._longest)
        if len(self._held) - start < kept:
            return None
        record, self._held = self._held[start : start + kept], self._held[start + kept :]
        self._passing = length - kept
        return Frame(record, self._too_long(f"{length:,} bytes") if self._passing else "")

    def _line(self) -> Frame | None:
        found = _END.search(self._held)
        end = found.start() if found else len(self._held)
        if self._to_line_end:
            self._held, self._to_line_end = self._held[end:], found is None
            return Frame(b"") if found else None
        if end > self._longest:
            record, self._held, self._to_line_end = self._held[: self._longest], self._held[self._longest :], True
            return Frame(record, self._too_long("no end"))
        if found is None:
            return None
        record, self._held = self._held[:end].rstrip(b"\r"), self._held[end + 1 :]
        return Frame(record)

    def _too_long(self, what: str) -> str:
        return f"the record has {what}, more than max_bytes = {self._longest:,}: its beginning is kept here"
