"""What the address bar asks of the list: a query, an order and where to go on. Read with mercy, written back exactly.

`q` is the query. The fields under the headers of the list write into it: a form sends with them the query that they
showed (`was`), so that what was changed in them is known from what merely stood there. Addresses of old, which have
the fields and no `q`, are read in the same way. What cannot be read is told in `wrong` or, by field, in `problems`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from urllib.parse import urlencode

from tocsin.errors import BadQuery
from tocsin.model import Micros
from tocsin.query import Tree, parse
from tocsin.query.tree import Everything
from tocsin.store.alertgroup import Cursor, Order, Summary
from tocsin.web.pages import headers
from tocsin.web.pages.headers import FIELDS, SPANS, Said

COLUMNS: Mapping[str, str] = {
    "received": "id",
    "id": "id",
    "subject": "subject",
    "status": "status",
    "views": "views",
    "alert_count": "alert_count",
    "updated": "updated",
    "created": "created",
}
"""What a list may be sorted by, and the column that holds it: ids are given out in the order of receiving."""
NEWEST = "-received"
NOTHING = dict.fromkeys(FIELDS, "")


@dataclass(frozen=True)
class Asked:
    """`query` as the reader typed it and `tree` what it means, None where it is `wrong`; `now` is when it was asked.

    `fields` is what stands under the headers, `problems` what is wrong there, `after` where the last page ended.
    `form`: it came from the form of the list, and has an address of its own that says the same.
    """

    query: str
    tree: Tree | None
    sort: str
    after: Cursor | None
    fields: Mapping[str, str]
    range_words: str
    now: Micros
    wrong: BadQuery | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    form: bool = False

    @property
    def order(self) -> Order:
        """The order for the store."""
        return Order(column=COLUMNS[self.sort.lstrip("-")], descending=self.sort.startswith("-"))

    @property
    def newest_first(self) -> bool:
        """Whether a new alertgroup belongs at the top."""
        return self.order.column == "id" and self.order.descending

    @property
    def first_page(self) -> bool:
        """Whether this is the beginning of the list."""
        return self.after is None

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return not isinstance(self.tree, Everything)

    @cached_property
    def text(self) -> str:
        """The query as it stands in the address bar, without the place in the list."""
        pairs = [("q", self.query)] if self.query else []
        if self.sort != NEWEST:
            pairs.append(("sort", self.sort))
        return urlencode(pairs)

    @property
    def shown(self) -> Mapping[str, str]:
        """What stands in the form of the list, by the names of its fields."""
        return {"q": self.query, "was": self.query, **self.fields}

    @property
    def suffix(self) -> str:
        """The query with its question mark, if there is any."""
        return f"?{self.text}" if self.text else ""

    def _with(self, **more: object) -> str:
        return "?" + "&".join(filter(None, (self.text, urlencode(more))))

    def with_alert(self, alert: int) -> str:
        """The query that shows one alert in full."""
        return self._with(alert=alert)

    def with_rows(self, after: int) -> str:
        """The query that shows the rows behind one."""
        return self._with(rows=after)

    def behind(self, last: Summary) -> str:
        """The query of the page behind an alertgroup."""
        value: int | str = getattr(last, self.order.column)
        return self._with(after=json.dumps([value, last.id], separators=(",", ":")))

    def sorted(self, column: str) -> str:
        """The aria-sort of a heading; empty if the list is sorted by something else."""
        if self.sort.lstrip("-") != column:
            return ""
        return "descending" if self.sort.startswith("-") else "ascending"

    def turned(self, column: str) -> str:
        """What a click on the heading sorts by: the other way round, or its natural way at first."""
        if current := self.sorted(column):
            return column if current == "descending" else f"-{column}"
        return column if column in ("subject", "status") else f"-{column}"


def read(params: Mapping[str, Sequence[str]], now: Micros) -> Asked:
    """Understand the query of a page."""
    query = " ".join(params.get("q", [""])[-1].splitlines()).strip()
    form = "was" in params
    before = _said(params.get("was", [""])[-1], now).fields
    fields = {name: params.get(name, [""])[-1].strip() for name in FIELDS}
    span = params.get("last", [""])[-1]
    try:
        query, problems = headers.written(query, fields, before, span if span in (*SPANS, "any") else "")
        found, tree, wrong = headers.said(query, now), parse(query), None
    except BadQuery as error:
        problems, found, tree, wrong = {}, Said(fields, "any time"), None, error
    mistyped = {name: fields[name] for problem in problems for name in _held_by(problem)}
    asked = Asked(
        query=query,
        tree=tree,
        sort=_sort(params.get("sort", [NEWEST])[-1]),
        after=None,
        fields={**found.fields, **mistyped},
        range_words=found.span,
        now=now,
        wrong=wrong,
        problems=problems,
        form=form,
    )
    return replace(asked, after=_cursor(params.get("after", [""])[-1], asked.order))


def _said(query: str, now: Micros) -> Said:
    """What the fields showed of a query; nothing of one that could not be read."""
    try:
        return headers.said(query, now)
    except BadQuery:
        return Said(NOTHING, "")


def _held_by(problem: str) -> tuple[str, ...]:
    return ("from", "to") if problem == "received" else (problem,)


def _sort(text: str) -> str:
    return NEWEST if text.lstrip("-") not in COLUMNS or text.startswith("--") else text


def _cursor(text: str, order: Order) -> Cursor | None:
    try:
        value, last = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
    kind = str if order.column in ("subject", "status") else int
    sane = isinstance(value, kind) and isinstance(last, int) and abs(last) < 1 << 63
    return (value, last) if sane and (isinstance(value, str) or abs(value) < 1 << 63) else None
