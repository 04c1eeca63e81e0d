"""Bytes of a file -> portions of whole lines, one message each."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tocsin.kit.json_objects import NOT_JSON, is_object, level

MARKS = ("Format", "Version", "event_type", "evidence_type", "correl_id")
"""Lines that have not the same of these keys are of different parsers, and go into different messages."""


class Portion(NamedTuple):
    """Lines that go together, or with a reason what is none; `end` and `inside` are for the place behind them.

    An empty body: there was nothing to hand over up to there.
    """

    body: bytes
    refused: str
    end: int
    inside: bool = False


class Cutter(NamedTuple):
    """How lines are put together. `only`: of lines with such a key those with one of these values are wanted."""

    most_lines: int
    longest: int
    only: Mapping[str, Sequence[str]]

    def portions(self, data: bytes, offset: int, *, inside: bool, ended: bool) -> Iterator[Portion]:
        """The portions of `data`, which stands at `offset`; half a line at its end waits unless the file has `ended`.

        `inside`: it begins within a line whose beginning was too long.
        """
        start = 0
        if inside:
            start = data.find(b"\n") + 1
            if start or ended or len(data) >= self.longest:
                start = start or len(data)
                still = not ended and not data[:start].endswith(b"\n")
                yield Portion(data[:start], self._too_long(offset, "goes on"), offset + start, still)
            if not data[:start].endswith(b"\n"):
                return
        end = len(data) if ended else data.rfind(b"\n") + 1
        if end > start:
            yield from self._whole(data[start:end], offset + start)
        elif len(data) - start > self.longest:
            body = data[start : start + self.longest]
            yield Portion(body, self._too_long(offset + start, "begins"), offset + start + len(body), inside=True)

    def _whole(self, data: bytes, offset: int) -> Iterator[Portion]:
        gathered: list[bytes] = []
        kind: object = None
        given = behind = offset
        for line in io.BytesIO(data):
            at, behind = behind, behind + len(line)
            text = line.strip()
            if not text:
                continue
            refused = self._refused(text, len(line), at)
            said = {} if refused else level(text)
            if not refused and not self._wanted(said):
                continue
            its = refused or tuple(mark in said for mark in MARKS)
            if gathered and (its != kind or len(gathered) >= self.most_lines):
                yield Portion(b"".join(gathered), "", at)
                gathered, given = [], at
            if refused:
                yield Portion(line, refused, behind)
                given = behind
            else:
                gathered.append(line)
                kind = its
        if behind > given:
            yield Portion(b"".join(gathered), "", behind)

    def _refused(self, text: bytes, length: int, at: int) -> str:
        if length > self.longest:
            return self._too_long(at, "stands")
        return "" if is_object(text) else f"the line at byte {at:,} is no JSON object"

    def _too_long(self, at: int, what: str) -> str:
        return f"a line longer than max_line_kib = {self.longest // 1024} {what} at byte {at:,}"

    def _wanted(self, said: Mapping[str, msgspec.Raw]) -> bool:
        return all(_text(said[key]) in values for key, values in self.only.items() if key in said)


def _text(value: msgspec.Raw) -> str:
    try:
        return str(msgspec.json.decode(value))
    except NOT_JSON:
        return ""
