"""Logs of flows as lines of fields with a delimiter between them and nothing quoted: Argus' and nfdump's."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tocsin.flows.engine import text as quoted
from tocsin.flows.reading.cells import Cell, complaint, selected, stable_uid
from tocsin.flows.reading.reader import Found, Piece, lines

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def field(number: int) -> str:
    """SQL for the text of a field, counted from 1; NULL where it is empty."""
    return f"nullif(trim(f[{number}]), '')"


class Delimited:
    """One such file, of one kind, with a header or without."""

    def __init__(
        self, form: str, kind: str, cells: Sequence[Cell], *, delimiter: str, header: str, fields: int, until: str = ""
    ) -> None:
        """`fields` is how many a line has to have. Lines like the header are left, as is all from a line `until` on."""
        self.form, self.tool = form, kind
        self._kind, self._cells, self._delimiter, self._header, self._fields = kind, cells, delimiter, header, fields
        self._until, self._over = until, False

    def read(self, piece: Piece, connection: "DuckDBPyConnection") -> Found:
        """Rows of the lines; one with too few fields or one that cannot be read is malformed."""
        given = lines(piece, connection)
        end = self._end(given, connection)
        # What comes after the last field of the header is empty where a line ends in a delimiter.
        beyond = f"list_filter(f[{self._fields + 1}:], lambda each: trim(each) <> '')"
        miscounted = (
            f"CASE WHEN len(f) < {self._fields} OR len({beyond}) > 0"
            f" THEN len(f) || ' fields, and not {self._fields}' END"
        )
        values = f"{stable_uid('no', 'line')} AS uid, {selected(self._cells)}"
        wrong = complaint(self._cells, ("start",), beside=True)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE delimited AS"
            f" SELECT * EXCLUDE (f, line), coalesce({miscounted}, {wrong}) AS reason"
            f" FROM (SELECT *, {values} FROM (SELECT *, string_split(line, {quoted(self._delimiter)}) AS f"
            f" FROM (SELECT no, text, rtrim(text, chr(13)) AS line FROM {given} WHERE no < {end})"
            f" WHERE trim(line) <> '' AND line <> {quoted(self._header)}))"
        )
        ((kept, malformed),) = connection.execute(
            "SELECT count(*) FILTER (reason IS NULL), count(reason) FROM delimited"
        ).fetchall()
        rows = "SELECT * EXCLUDE (text, reason) FROM delimited WHERE reason IS NULL"
        return Found(
            rows={self._kind: rows} if kept else {},
            malformed="SELECT no, text, reason FROM delimited WHERE reason IS NOT NULL" if malformed else "",
            skipped=piece.lines - kept - malformed,
        )

    def passed(self, lines: bytes) -> None:
        """The header is in the file's first bytes, which its form has seen."""

    def _end(self, given: str, connection: "DuckDBPyConnection") -> int:
        """The number of the line from which on all are left; beyond any where there is none yet."""
        if self._until and not self._over:
            ((first,),) = connection.execute(
                f"SELECT min(no) FROM {given} WHERE rtrim(text, chr(13)) = {quoted(self._until)}"
            ).fetchall()
            if first is not None:
                self._over = True
                return int(first)
        return 0 if self._over else 1 << 62
