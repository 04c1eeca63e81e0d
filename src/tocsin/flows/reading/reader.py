"""What the form of a file is, and what its reader does: lines of text -> SQL for rows, and for lines kept aside.

A form recognises a file by its first bytes, never by its name. The importer then cuts the file into pieces of whole
lines and gives them to the form's reader one after the other; all work on lines is DuckDB's.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HEAD = 65_536
"""So many bytes of a file's beginning, uncompressed, a form gets to see."""

LINES = "lines"


class Piece(NamedTuple):
    r"""Some lines of a file, in a file of their own: UTF-8, each ends in a line feed alone; what was not UTF-8 is \xNN.

    `first` is the number of the first of them in the whole file, which begins at 1.
    """

    file: Path
    first: int
    lines: int
    escapes: bool
    """Whether there is a backslash anywhere."""


class Found(NamedTuple):
    """What a piece holds.

    `rows` has, by kind, a SELECT that yields `no` (the line's number in the whole file) and columns of
    `kinds.KINDS[kind]` by their names and types, in any order; what is left out is NULL. Leave out `place`, `tool`
    (it is the reader's), `finish`, `pkts` and `bytes` (they are start + dur and the sums, unless you yield them),
    `dir` ("->" unless you yield it), `aid` and `community_id`. `start` and `finish` are microseconds since the epoch.
    Yield `wrong` (VARCHAR, NULL for sound lines) where a line cannot be read: it is kept aside with these few words,
    and with its text from the table `lines`. Rows come in the order of `no`, one for a line.

    Yield `aid_time` as well (VARCHAR: seconds since the epoch, "1700000000.1234567") where a start has more than six
    decimals: the fingerprint is of all of them. And `aid_proto` where the protocol is known and the log does not say
    it.

    `malformed` is a SELECT of `no, text, reason` (a few words: "dur is not a number: 'x'"), empty for none.
    `skipped` lines are sound and none of ours: headers, events that nobody keeps.
    """

    rows: dict[str, str]
    malformed: str = ""
    skipped: int = 0


class Reader(Protocol):
    """Reads one file, piece after piece in their order; it may remember what it saw (a header)."""

    form: str
    """Its name, as shown and kept in the catalogue: `zeek conn, tab-separated`."""
    tool: str
    """What stands in the column `tool`: zeek, suricata, argus or nfdump."""

    def read(self, piece: Piece, connection: "DuckDBPyConnection") -> Found:
        """What the piece holds. May make temporary tables (CREATE OR REPLACE TEMP TABLE); raises no error for a line.

        Statements in the answer are run before the next piece comes, each any number of times.
        """
        ...

    def passed(self, lines: bytes) -> None:
        """Some bytes of the file that were read by an earlier import, and are not read now; a header may be in them."""
        ...


@runtime_checkable
class Translator(Protocol):
    """For files that are no text: a program turns one into files that are."""

    form: str

    def translated(self, file: Path, folder: Path) -> AbstractContextManager[Sequence[Path]]:
        """Files to read in place of this one, in that (empty, passing) folder; each is recognised on its own.

        They may be named pipes that the program writes to. Lines are counted on from one to the next, and all is one
        import, known by the digest of the file itself. Raises NotInstalled where the program is missing, FlowsError
        where it fails (also when the context is left).
        """
        ...


class Ignored(NamedTuple):
    """A file of a sensor that holds no flows, as Zeek's loaded_scripts.log."""

    form: str


class Form(Protocol):
    """One module of this folder, as `forms` lists them: a function that looks at a file's first bytes."""

    def __call__(self, head: bytes) -> Reader | Translator | Ignored | None:
        """A reader for the file that begins so; None where it is of another form. `head` is uncompressed."""
        ...


def lines(piece: Piece, connection: "DuckDBPyConnection") -> str:
    """The lines of a piece as a temporary table `(no BIGINT, text VARCHAR)`; answers its name.

    Exact for any text: nothing in a line ends it but its line feed.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {LINES} AS SELECT no + ? AS no, text FROM"
        " (SELECT unnest(cut) AS text, generate_subscripts(cut, 1) AS no"
        " FROM (SELECT string_split(content, chr(10)) AS cut FROM read_text(?))) WHERE no <= ?",
        [piece.first - 1, str(piece.file), piece.lines],
    )
    return LINES
