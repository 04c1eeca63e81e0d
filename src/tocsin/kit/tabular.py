"""Rows of attachments: CSV, JSON and JSON lines. RFC 4180 as spreadsheets and search heads write it, RFC 8259."""

import csv
from collections.abc import Iterator

import msgspec

from tocsin.kit import mime
from tocsin.kit.columns import Cells, flat, unique
from tocsin.kit.letter import Attachment, Letter
from tocsin.model import Noun

_CSV = frozenset(("text/csv", "application/csv", "text/tab-separated-values", "text/comma-separated-values"))
_JSON = frozenset(("application/json", "application/x-ndjson", "application/jsonl", "application/json-lines"))
_SPREADSHEET = "application/vnd.ms-excel"  # what Windows calls a CSV file
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Sheet(Noun, frozen=True, kw_only=True):
    """The rows of one attachment; `uneven` when some had more or fewer cells than the header."""

    name: str
    rows: tuple[Cells, ...]
    uneven: bool = False


def sheets(mail: Letter) -> list[Sheet]:
    """The attachments that hold rows, in order; those that say so and do not are left out."""
    found = (sheet(each) for each in mail.attachments)
    return [each for each in found if each is not None and each.rows]


def sheet(attachment: Attachment) -> Sheet | None:
    """The rows of an attachment; None when it is neither CSV nor JSON."""
    ending = attachment.name.lower().rpartition(".")[2]
    media_type = attachment.media_type
    if ending in ("csv", "tsv") or (media_type in _CSV and ending != "json"):
        return _csv(attachment)
    if ending in ("json", "jsonl", "ndjson") or media_type in _JSON or media_type.endswith("+json"):
        rows = tuple(_json(attachment.body))
        return Sheet(name=attachment.name, rows=rows)
    return _csv(attachment) if media_type == _SPREADSHEET and ending in ("csv", "txt") else None


def json_lines(text: str | bytes) -> Iterator[Cells]:
    """The objects of JSON lines, flattened; a line that is none is left out."""
    for line in text.splitlines():
        line = line.strip()
        if line[:1] in ("{", b"{"):
            try:
                yield flat(line)
            except _NOT_JSON:
                continue


def _json(body: bytes) -> list[Cells]:
    """One object, a list of objects, or a line for each."""
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        if body[:1] == b"[":
            return [flat(bytes(raw)) for raw in _LIST.decode(body)]
        return [flat(body)]
    except _NOT_JSON:
        return list(json_lines(body))


def _csv(attachment: Attachment) -> Sheet | None:
    body = attachment.body
    charset = "utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    text, _ = mime.decoded(body, charset)
    first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    try:
        lines = [line for line in csv.reader(text.splitlines(keepends=True), delimiter=delimiter) if line]
    except csv.Error:
        return None
    if len(lines) < 2:
        return None
    width = max(len(line) for line in lines)
    names = unique(lines[0] + [""] * (width - len(lines[0])))
    rows = tuple(dict(zip(names, line, strict=False)) for line in lines[1:])
    return Sheet(name=attachment.name, rows=rows, uneven=any(len(line) != len(lines[0]) for line in lines))
