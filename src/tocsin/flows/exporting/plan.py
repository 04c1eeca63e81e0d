"""What is asked for -> the queries that answer it, one for each portion, in the order in which they are written."""

import hashlib
from collections.abc import Sequence
from typing import Literal, NamedTuple

from tocsin.flows import engine
from tocsin.flows.catalogue import Part
from tocsin.flows.dataset import Dataset
from tocsin.flows.exporting import shape
from tocsin.flows.exporting.portions import Portion, portions
from tocsin.flows.kinds import ALTERNATIVE, FLOWS, KINDS
from tocsin.flows.labelling.expression import labelled
from tocsin.flows.labelling.prepared import Options
from tocsin.flows.searching.asked import Asked, asked
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

    def kinds(self) -> tuple[str, ...]:
        """The kinds that are wanted, in the order in which they are written."""
        return FLOWS + ALTERNATIVE if self.alternative else FLOWS


class Step(NamedTuple):
    """One portion: its query, and about how many rows are looked at for it."""

    query: str
    rows: int


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
        found = portions(parts, self.kinds) or [Portion(FLOWS[0], (), 0)]
        steps = [Step(self._query(portion, first), portion.rows) for portion in found]
        digest = hashlib.sha256("\n".join((self._wish.form, labels, *(step.query for step in steps))).encode())
        return Plan(self._wish.form, steps, digest.hexdigest())

    def _query(self, portion: Portion, first: Micros) -> str:
        wish, kind = self._wish, portion.kind
        rows = labelled(
            shape.renamed(self._rows(portion, self._asked), kind),
            wish.options,
            uids=any(column.name == "uids" for column in KINDS[kind].own),
        )
        condition = f" WHERE {self._asked.labelled}" if self._asked and self._asked.labelled else ""
        order = " ORDER BY place" if portion.mixed else ""
        if condition or order:
            rows = f"(SELECT * FROM {rows} AS labelled_row{condition}{order})"
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

    def _rows(self, portion: Portion, asked: Asked | None) -> str:
        columns = KINDS[portion.kind].columns
        conditions = []
        if asked:
            rows = asked.rows(self._dataset, portion.parts, columns)
        else:
            rows = self._dataset.rows(portion.parts, columns)
            if self.since is not None:
                conditions.append(f"(start IS NULL OR start >= {self.since})")
            if self.until is not None:
                conditions.append(f"(start IS NULL OR start < {self.until})")
        if portion.cut:
            conditions.append(f"place BETWEEN {portion.cut[0]} AND {portion.cut[1]}")
        return f"(SELECT * FROM {rows} AS every WHERE {' AND '.join(conditions)})" if conditions else rows


def options_of(form: Form, *, head: bool) -> str:
    """The options of COPY for a form. A line of TSV is quoted only where it must be; Python's csv reads it back."""
    if form == "tsv":
        return f"FORMAT csv, DELIMITER {engine.text(chr(9))}, HEADER {'true' if head else 'false'}"
    return "FORMAT json" if form == "json" else "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480"
