"""A query -> which kinds of flows, which span of time and which rows it concerns."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal

import msgspec

from tocsin.flows import engine
from tocsin.flows.catalogue import Part
from tocsin.flows.dataset import Dataset
from tocsin.flows.kinds import KINDS, Column
from tocsin.flows.searching import conditions
from tocsin.flows.searching.fields import FLOWS, LABELLED, columns_of, texts_of
from tocsin.flows.searching.spans import Span, span
from tocsin.model import Micros, Noun
from tocsin.query import Tree, parse
from tocsin.query.tree import And, Everything, Exists, Is, Node, Not, Or, Range, Row, Words, both
from tocsin.query.values import Text

Order = Literal["newest", "oldest"]
MARK = "asked_"
"""How the columns begin that hold what was asked of a row before it was labelled."""
_TRUE, _FALSE = "true", "false"
_NAMED = "alert IS NOT NULL"


class Asked(Noun, frozen=True, kw_only=True):
    """What was asked for, in DuckDB's words.

    `kinds` can hold an answer at all, and `since` to `until` (behind the last) is the span in which it begins; None is
    open. `labelled` is the condition on the rows with their labels, to stand after WHERE; empty if labels play no part.
    """

    tree: Tree
    now: Micros
    kinds: tuple[str, ...]
    since: Micros | None = None
    until: Micros | None = None
    places: tuple[int | None, int | None] = (None, None)
    """The first `place` and the one behind the last."""
    plain: Node
    """What rows fulfil whatever their labels."""
    marks: tuple[Node, ...] = ()
    labelled: str = ""

    def named(self) -> "Asked":
        """The same of those flows that an alert names."""
        labelled = f"({self.labelled}) AND {_NAMED}" if self.labelled else _NAMED
        return msgspec.structs.replace(self, labelled=labelled)

    def parts(self, found: Sequence[Part]) -> list[Part]:
        """Those of the parts that can hold an answer."""
        first, end = self.places
        return [
            part
            for part in found
            if part.kind in self.kinds
            and (self.since is None or part.latest is None or part.latest >= self.since)
            and (self.until is None or part.earliest is None or part.earliest < self.until)
            and (first is None or part.last >= first)
            and (end is None or part.first < end)
        ]

    def rows(
        self,
        dataset: Dataset,
        parts: Sequence[Part],
        columns: Sequence[Column],
        more: str = "",
        naming: Sequence[str] = (),
    ) -> str:
        """SQL in brackets for the rows that may be meant: `kind` and those columns, as `Dataset.rows` gives them.

        Without `labelled` these are the answer. With it they are what is to be labelled: the answer is
        `SELECT columns… FROM labelled(rows) WHERE {asked.labelled}`. `more` is a further condition on common columns.
        Of `naming` one is to hold for kinds with one uid to a row, and no two of them can.
        """
        runs = [(kind, list(run)) for kind, run in groupby(self.parts(parts), key=lambda part: part.kind)]
        if not runs:
            marks = "".join(f", false AS {MARK}{number}" for number in range(len(self.marks)))
            return f"(SELECT *{marks} FROM {dataset.rows([], columns)})"
        found = [
            self._run(dataset, kind, run, columns, [each for each in (more, name) if each])
            for kind, run in runs
            for name in (naming if naming and not any(each.name == "uids" for each in KINDS[kind].own) else ("",))
        ]
        return "(" + " UNION ALL ".join(found) + ")"

    def _run(self, dataset: Dataset, kind: str, parts: list[Part], columns: Sequence[Column], more: list[str]) -> str:
        there = {column.name for column in KINDS[kind].columns}
        cells = [engine.text(kind) + " AS kind"]
        for column in columns:
            name = engine.name(column.name)
            cells.append(name if column.name in there else f"NULL::{column.type} AS {name}")
        cells += [
            f"coalesce({_where(node, kind, self.now)}, false) AS {MARK}{number}"
            for number, node in enumerate(self.marks)
        ]
        files = ", ".join(engine.text(dataset.folder / part.file) for part in parts)
        asked = " AND ".join([*self._limits(), _where(self.plain, kind, self.now), *more])
        read = f"read_parquet([{files}], hive_partitioning = false, union_by_name = true)"
        return f"SELECT {', '.join(cells)} FROM {read} WHERE {asked}"

    def _limits(self) -> Iterator[str]:
        """The span, so that DuckDB skips what lies outside of it whatever shape the query has."""
        if self.since is not None:
            yield f"start >= {self.since}"
        if self.until is not None:
            yield f"start < {self.until}"


def asked(query: str | Tree, now: Micros, *, since: Micros | None = None, until: Micros | None = None) -> Asked:
    """The meaning of a query, of flows that begin in the span: from `since`, before `until`.

    Raises BadQuery, which points at the character and says what to write instead.
    """
    tree = parse(query, FLOWS) if isinstance(query, str) else query
    parts = tree.parts if isinstance(tree, And) else (tree,)
    plain = both(part for part in parts if not _of_labels(part))
    after = [part for part in parts if _of_labels(part)]
    time = span(tree, "start", now).within(Span(since, until))
    marks: list[Node] = []
    labelled = _joined([_labelled(part, marks, now) for part in after], "AND")
    return Asked(
        tree=tree,
        now=now,
        kinds=tuple(kind for kind in KINDS if _where(plain, kind, now) != _FALSE and not time.empty),
        since=time.first,
        until=time.end,
        places=span(tree, "id", now),
        plain=plain,
        marks=tuple(marks),
        labelled="" if labelled == _TRUE else labelled,
    )


def _of_labels(node: Node) -> bool:
    match node:
        case And() | Or():
            return any(map(_of_labels, node.parts))
        case Not() | Row():
            return _of_labels(node.part)
        case Is() | Range() | Exists():
            return node.ref.field in LABELLED
    return False


def _labelled(node: Node, marks: list[Node], now: Micros) -> str:
    """The condition on a row with its label; what is asked of the row itself stands in `marks`."""
    if not _of_labels(node):
        marks.append(node)
        return f"{MARK}{len(marks) - 1}"
    match node:
        case And() | Or():
            return _joined([_labelled(part, marks, now) for part in node.parts], type(node).__name__.upper())
        case Not():
            return _not(_labelled(node.part, marks, now))
        case Row():
            return _labelled(node.part, marks, now)
    assert isinstance(node, Is | Range | Exists)
    column = Column(node.ref.field, "BIGINT" if node.ref.field.startswith("alert") else "VARCHAR")
    return conditions.condition(FLOWS.fields[node.ref.field], column, node, now)


def _where(node: Node, kind: str, now: Micros) -> str:
    """The condition on a row of a kind; `false` where no row of it can be meant."""
    match node:
        case Everything():
            return _TRUE
        case And() | Or():
            return _joined([_where(part, kind, now) for part in node.parts], type(node).__name__.upper())
        case Not():
            return _not(_where(node.part, kind, now))
        case Row():
            return _where(node.part, kind, now)
        case Words():
            return _joined([conditions.words(column, node.phrase) for column in texts_of(kind)], "OR")
    if node.ref.field in ("kind", "alternative"):
        said = kind if node.ref.field == "kind" else str(KINDS[kind].alternative).lower()
        return _TRUE if isinstance(node, Exists) or (isinstance(node, Is) and node.value == Text(said)) else _FALSE
    field = FLOWS.fields[node.ref.field]
    found = [conditions.condition(field, column, node, now) for column in columns_of(node.ref.field, kind)]
    return _joined(found, "OR")


def _joined(parts: list[str], word: str) -> str:
    """`AND` or `OR` of conditions, worked out as far as they are known."""
    empty, decided = (_TRUE, _FALSE) if word == "AND" else (_FALSE, _TRUE)
    if decided in parts:
        return decided
    found = [part for part in parts if part != empty]
    if len(found) < 2:
        return found[0] if found else empty
    return "(" + f" {word} ".join(found) + ")"


def _not(part: str) -> str:
    """Two values: what is not known to hold does not, so its contrary does."""
    return {_TRUE: _FALSE, _FALSE: _TRUE}.get(part) or f"NOT coalesce({part}, false)"
