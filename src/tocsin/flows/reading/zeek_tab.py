r"""Zeek's logs as its ASCII writer makes them: a header of `#` lines, then fields between separators.

What the header says is followed: `#separator`, `#set_separator`, `#empty_field`, `#unset_field`, `#path` and the order
of `#fields`; a new header in the middle of a file (logs put together) holds from there. `\xNN` is the byte NN; a text
that is not UTF-8 once that is undone stays as Zeek wrote it. Labelled logs may have three spaces before their last
columns (the IoT-23 set has).
"""

import re
from typing import TYPE_CHECKING, NamedTuple, Self

from tocsin.flows.engine import text
from tocsin.flows.reading import zeek
from tocsin.flows.reading.reader import Found, Ignored, Piece, Reader, lines
from tocsin.flows.reading.zeek import LISTS, Field

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DIRECTIVES = "separator|set_separator|empty_field|unset_field|path|fields"
GAP = "   "
_ESCAPE = re.compile(rb"\\x([0-9a-fA-F]{2})")
_HEADER = re.compile(rf"[\ufeff \t]*#({DIRECTIVES})(.*)", re.DOTALL)
_PREFACE = b"\xef\xbb\xbf \t"


class Header(NamedTuple):
    """What a log's header says; the values are Zeek's own where it says nothing."""

    separator: str = "\t"
    set_separator: str = ","
    empty: str = "(empty)"
    unset: str = "-"
    path: str = ""
    fields: tuple[str, ...] = ()

    def after(self, line: str) -> Self:
        """The header once this line was read as well."""
        found = _HEADER.fullmatch(line.rstrip("\r\n"))
        if not found:
            return self
        word, rest = found.groups()
        if word == "separator":
            return self._replace(separator=unescaped(rest.strip(" ")) or "\t")
        value = unescaped(rest.removeprefix(self.separator))
        if word == "fields":
            return self._replace(fields=tuple(self._split(rest.removeprefix(self.separator))))
        match word:
            case "set_separator":
                return self._replace(set_separator=value)
            case "empty_field":
                return self._replace(empty=value)
            case "unset_field":
                return self._replace(unset=value)
        return self._replace(path=value)

    def _split(self, rest: str) -> list[str]:
        *fields, last = rest.split(self.separator)
        return [unescaped(field) for field in (*fields, *re.split(" {2,}", last))]

    @property
    def kind(self) -> str | None:
        """Of flow; None for a log that is not kept."""
        return zeek.kind_of(self.fields, self.path)

    @property
    def labelled(self) -> bool:
        """Whether somebody added columns with labels."""
        return any(field in self.fields for field in (*zeek.LABELS, *zeek.DETAILS))


def unescaped(escaped: str) -> str:
    r"""A text with each \xNN undone."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), escaped.encode()).decode(errors="backslashreplace")


def recognise(head: bytes) -> Reader | Ignored | None:
    """By the `#` lines at the beginning."""
    if not head.lstrip(_PREFACE).startswith((b"#separator", b"#fields", b"#path")):
        return None
    header = Header()
    for line in head.decode(errors="replace").split("\n"):
        if line and not line.lstrip("\ufeff \t").startswith("#"):
            break
        header = header.after(line)
    if header.kind is None:
        return Ignored(f"zeek {header.path or 'log'}")
    return ZeekTab(header)


class ZeekTab:
    """Reads one such log."""

    tool = zeek.TOOL

    def __init__(self, header: Header) -> None:
        self.form = f"zeek {header.kind}"
        self._header = header

    def passed(self, lines: bytes) -> None:
        """Take what headers stand in it."""
        if b"#" in lines:
            for line in re.findall(rb"^#[^\n]*", lines, re.MULTILINE):
                self._header = self._header.after(line.decode(errors="backslashreplace"))

    def read(self, piece: Piece, connection: "DuckDBPyConnection") -> Found:
        """Rows under each header that holds in the piece."""
        table = lines(piece, connection)
        comment = "starts_with(text, '#')"
        if piece.first == 1:
            comment = f"({comment} OR no = 1 AND starts_with(ltrim(text, {text(_PREFACE.decode())}), '#'))"
        (skipped,) = connection.execute(f"SELECT count(*) FROM {table} WHERE text = '' OR {comment}").fetchall()[0]
        rows: dict[str, str] = {}
        for header, first, after in self._spans(piece, table, comment if skipped else "", connection):
            where = f"no >= {first} AND no < {after} AND text <> '' AND NOT {comment}"
            if header.kind is None:
                (left,) = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchall()[0]
                skipped += left
                continue
            sql = _select(header, header.kind, f"(SELECT no, text FROM {table} WHERE {where})", escapes=piece.escapes)
            rows[header.kind] = f"{rows[header.kind]} UNION ALL BY NAME {sql}" if header.kind in rows else sql
        return Found(rows, skipped=skipped)

    def _spans(
        self, piece: Piece, table: str, comment: str, connection: "DuckDBPyConnection"
    ) -> list[tuple[Header, int, int]]:
        """Which header holds from which line to before which."""
        spans, first = [], piece.first
        headers = []
        if comment:
            pattern = text(f"#({DIRECTIVES})")
            asked = f"SELECT no, text FROM {table} WHERE {comment} AND regexp_matches(text, {pattern}) ORDER BY no"
            headers = connection.execute(asked).fetchall()
        for no, line in headers:
            after = self._header.after(line)
            if after != self._header and no > first:
                spans.append((self._header, first, no))
                first = no
            self._header = after
        return [*spans, (self._header, first, piece.first + piece.lines)]


def _select(header: Header, kind: str, given: str, *, escapes: bool) -> str:
    fields = [field for field in zeek.fields_of(kind) if field.name in header.fields]
    cut = f"string_split(text, {text(header.separator)})"
    many = len(header.fields)
    if header.labelled:
        tail = f"string_split_regex({cut}[-1], ' {{2,}}')"
        cut = (
            f"CASE WHEN len({cut}) < {many} AND contains({cut}[-1], {text(GAP)})"
            f" THEN list_concat({cut}[:-2], {tail}) ELSE {cut} END"
        )
    count = text(f" fields instead of {many}")
    broken = f"CASE WHEN len(f) <> {many} THEN len(f) || {count} END"

    def raw(field: Field) -> str:
        value = f"f[{header.fields.index(field.name) + 1}]"
        unset, empty = text(header.unset), text(header.empty)
        if field.type == LISTS:
            one = f"nullif(one, {unset})"
            each = f"lambda one: {_bytes(one) if escapes else one}"
            listed = f"list_transform(string_split({value}, {text(header.set_separator)}), {each})"
            return f"CASE {value} WHEN {unset} THEN NULL WHEN {empty} THEN []::VARCHAR[] ELSE {listed} END"
        if field.type == "VARCHAR":
            whole = _bytes(value) if escapes else value
            return f"CASE {value} WHEN {unset} THEN NULL WHEN {empty} THEN '' ELSE {whole} END"
        return f"nullif({value}, {unset})"

    return zeek.select(kind, fields, f"(SELECT no, {cut} AS f FROM {given})", raw, broken)


def _bytes(value: str) -> str:
    r"""SQL that undoes each \xNN of a text, through the way in which DuckDB writes and reads bytes as text."""
    written = f"encode({value})::VARCHAR"
    undone = rf"decode(regexp_replace({written}, '\\x5Cx([0-9a-fA-F]{{2}})', '\\x\1', 'g')::BLOB)"
    return f"CASE WHEN contains({value}, '\\x') THEN coalesce(TRY({undone}), {value}) ELSE {value} END"
