"""What is asked for -> the queries that answer it, one for each portion, in the order in which they are written."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from tocsin.flows import engine
from tocsin.flows.catalogue import Part
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting import marking, shape
from tocsin.flows.exporting.portions import ROWS, Portion, portions
from tocsin.flows.kinds import ALTERNATIVE, FLOWS, KINDS
from tocsin.flows.labelling.expression import labelled
from tocsin.flows.labelling.prepared import Options
from tocsin.flows.searching.asked import asked
from tocsin.model import Micros

Form = Literal["tsv", "json", "parquet"]
Profile = Literal["slips", "flat"]
FORMS: tuple[Form, ...] = ("tsv", "json", "parquet")
PROFILES: tuple[Profile, ...] = ("slips", "flat")


class Wish(NamedTuple):
    """What is to be exported. `since` to `until` (behind the last): when a flow begins; one without a time is in it."""

    form: Form
    profile: Profile = "slips"
    alternative: bool = False
    """Whether what was seen inside connections comes behind them."""
    query: str = ""
    since: Micros | None = None
    until: Micros | None = None
    options: Options = Options()
    timewindow_s: float = 3600.0
    portion: int = ROWS
    """About as many rows are written in one go: what is lost when the export is cut off."""

    def kinds(self) -> tuple[str, ...]:
        """The kinds that are wanted, in the order in which they are written."""
        return FLOWS + ALTERNATIVE if self.alternative else FLOWS


class Step(NamedTuple):
    """One portion: its query, and about how many rows are looked at for it."""

    query: str
    rows: int
    marks: str = ""
    """What the variable of `marking` must hold before."""


class Plan(NamedTuple):
    """All of it. `digest` tells this plan from any other: of other flows, other words, another shape."""

    form: Form
    steps: list[Step]
    digest: str

    @property
    def rows(self) -> int:
        """About how many rows are looked at in all."""
        return sum(step.rows for step in self.steps)


class Planner:
    """Makes the queries of one wish. Raises BadQuery."""

    def __init__(self, dataset: Dataset, wish: Wish, now: Micros) -> None:
        self._dataset, self._wish = dataset, wish
        self._asked = asked(wish.query, now, since=wish.since, until=wish.until) if wish.query.strip() else None
        self.kinds = tuple(kind for kind in wish.kinds() if not self._asked or kind in self._asked.kinds)
        self.since, self.until = (self._asked.since, self._asked.until) if self._asked else (wish.since, wish.until)

    def plan(self, parts: Sequence[Part], first: Micros, labels: str) -> Plan:
        """The queries over those parts.

        `first` is the start of the data set's first flow, `labels` names what is known.
        """
        found = portions(parts, self.kinds, most=self._wish.portion) or [Portion(FLOWS[0], (), 0)]
        steps = [self._step(portion, first) for portion in found]
        said = (text for step in steps for text in (step.query, step.marks))
        digest = hashlib.sha256("\n".join((self._wish.form, labels, *said)).encode())
        return Plan(self._wish.form, steps, digest.hexdigest())

    def _step(self, portion: Portion, first: Micros) -> Step:
        """Marked where that says enough; else joined with the labels, and put in order afterwards."""
        wish, marks = self._wish, ""
        where = _where(self._conditions(portion))
        if wish.profile == "slips" and portion.parts and not portion.mixed and not self._asked:
            marks = marking.marks(self._dataset, portion.parts, where, wish.options)
            rows = marking.numbered(self._dataset, portion.parts)
            rows = shape.renamed(f"(SELECT * FROM {rows} AS every{where})" if where else rows, portion.kind)
            rows = marking.marked(rows, wish.options)
        else:
            rows = self._joined(portion, where)
        return Step(self._shaped(rows, portion.kind, first), portion.rows, marks)

    def _joined(self, portion: Portion, where: str) -> str:
        columns = KINDS[portion.kind].columns
        if self._asked:
            rows = self._asked.rows(self._dataset, portion.parts, columns)
        else:
            rows = self._dataset.rows(portion.parts, columns)
        if where:
            rows = f"(SELECT * FROM {rows} AS every{where})"
        uids = any(column.name == "uids" for column in KINDS[portion.kind].own)
        rows = labelled(shape.renamed(rows, portion.kind), self._wish.options, uids=uids)
        condition = f" WHERE {self._asked.labelled}" if self._asked and self._asked.labelled else ""
        return f"(SELECT * FROM {rows} AS labelled_row{condition} ORDER BY place)"

    def _shaped(self, rows: str, kind: str, first: Micros) -> str:
        wish = self._wish
        if wish.profile == "flat":
            kinds = (kind,) if wish.form == "json" else wish.kinds()
            return shape.flat(rows, kind, shape.fields(kinds), form=wish.form)
        return shape.slips(
            rows,
            kind,
            first=first,
            timewindow_s=wish.timewindow_s,
            alternative=wish.alternative,
            as_text=wish.form != "json",
        )

    def _conditions(self, portion: Portion) -> Iterator[str]:
        """What the rows of a portion fulfil, besides what a query asks of them."""
        if not self._asked and self.since is not None:
            yield f"(start IS NULL OR start >= {self.since})"
        if not self._asked and self.until is not None:
            yield f"(start IS NULL OR start < {self.until})"
        if portion.cut:
            yield f"place BETWEEN {portion.cut[0]} AND {portion.cut[1]}"


def _where(conditions: Iterable[str]) -> str:
    found = " AND ".join(conditions)
    return f" WHERE {found}" if found else ""


def options_of(form: Form, *, head: bool) -> str:
    """The options of COPY for a form. A line of TSV is quoted only where it must be; Python's csv reads it back."""
    if form == "tsv":
        return f"FORMAT csv, DELIMITER {engine.text(chr(9))}, HEADER {'true' if head else 'false'}"
    return "FORMAT json" if form == "json" else "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480"
