"""Zeek's logs with `LogAscii::use_json`: one object a line, unset fields left out."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from tocsin.flows.engine import text
from tocsin.flows.reading import zeek
from tocsin.flows.reading.reader import Found, Ignored, Piece, Reader, lines
from tocsin.flows.reading.zeek import LISTS, Field

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def recognise(head: bytes) -> Reader | Ignored | None:
    """By the fields of the first lines, all of them together."""
    fields: set[str] = set()
    path = ""
    for line in _objects(head):
        fields |= line.keys()
        path = path or str(line.get("_path", ""))
    if kind := zeek.kind_of(fields, path) if "ts" in fields else None:
        return ZeekJson(kind)
    scripts = fields == {"name"} and b".zeek" in head
    return Ignored(f"zeek {path or 'log'}") if "ts" in fields or scripts else None


def _objects(head: bytes) -> Iterator[dict[str, Any]]:
    for line in head.removeprefix(b"\xef\xbb\xbf").splitlines():
        if not line.lstrip().startswith(b"{"):
            continue
        try:
            decoded = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):  # the last is cut off, others may be torn: the importer says so
            continue
        yield decoded


class ZeekJson:
    """Reads one such log."""

    tool = zeek.TOOL

    def __init__(self, kind: str) -> None:
        self.form = f"zeek {kind}, JSON"
        self._kind = kind
        self._fields = zeek.fields_of(kind)

    def passed(self, lines: bytes) -> None:
        """Nothing before a line says anything about it."""

    def read(self, piece: Piece, connection: "DuckDBPyConnection") -> Found:
        """Its rows."""
        table = lines(piece, connection)
        (skipped,) = connection.execute(f"SELECT count(*) FROM {table} WHERE trim(text) = ''").fetchall()[0]
        pointers = ", ".join(text("/" + field.name) for field in self._fields)
        read = f"(SELECT no, TRY(json_extract_string(text, [{pointers}])) AS f FROM {table} WHERE trim(text) <> '')"
        sql = zeek.select(self._kind, self._fields, read, self._raw, "CASE WHEN f IS NULL THEN 'not JSON' END")
        return Found({self._kind: sql}, skipped=skipped)

    def _raw(self, field: Field) -> str:
        value = f"f[{self._fields.index(field) + 1}]"
        return f"TRY(from_json({value}, '[\"VARCHAR\"]'))" if field.type == LISTS else value
