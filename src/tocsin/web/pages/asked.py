"""What the address bar asks of the list: a filter, an order and where to go on. Read with mercy, written back exactly.

Whatever cannot be read is left out of the filter and named in `problems`, so that a mistyped id is no error page.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import urlencode

from tocsin.errors import Malformed
from tocsin.model import Micros, Status
from tocsin.store.alertgroup import Cursor, Order, Summary
from tocsin.store.filters import Filter
from tocsin.web.pages import ranges

SPANS: Mapping[str, tuple[str, Micros]] = {
    "1h": ("last hour", 3_600_000_000),
    "24h": ("last 24 h", 86_400_000_000),
    "7d": ("last 7 days", 7 * 86_400_000_000),
}
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
FIELDS = ("id", "status", "subject", "source", "tag", "from", "to", "last")
MOST_LABELS = 20


@dataclass(frozen=True)
class Asked:
    """`fields` as the reader typed them, `problems` by field, `after` where the last page ended."""

    where: Filter
    sort: str
    after: Cursor | None
    fields: Mapping[str, str]
    problems: Mapping[str, str]

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
        return any(self.fields.values())

    @cached_property
    def text(self) -> str:
        """The query as it stands in the address bar, without the place in the list."""
        pairs = [(name, value) for name, value in self.fields.items() if value]
        if self.sort != NEWEST:
            pairs.append(("sort", self.sort))
        return urlencode(pairs)

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

    @property
    def range_words(self) -> str:
        """The time range in a few words."""
        if span := SPANS.get(self.fields["last"]):
            return span[0]
        return "range set" if self.fields["from"] or self.fields["to"] else "any time"

    def in_utc(self, name: str) -> str:
        """A time of the filter as a field of a form takes it: without a zone, meaning UTC."""
        when = _when(self.fields[name])
        return when.replace(tzinfo=None).isoformat() if when else ""

    def only(self, ids: Sequence[int]) -> Filter:
        """The same filter, for some alertgroups only."""
        wanted = [one for one in ids if not self.where.ids or one in self.where.ids]
        return Filter(**{name: getattr(self.where, name) for name in Filter.__struct_fields__} | {"ids": tuple(wanted)})

    def at_start(self) -> "Asked":
        """The same from the first page."""
        return replace(self, after=None)


def read(params: Mapping[str, Sequence[str]], now: Micros) -> Asked:
    """Understand the query of a page."""
    fields = {name: params.get(name, [""])[-1].strip() for name in FIELDS}
    if fields["last"] not in SPANS:
        fields["last"] = ""
    # A time range chosen by its button stands behind the hidden one; dates that were typed win over the hidden one.
    if fields["last"] and (fields["from"] or fields["to"]):
        outdated = ("from", "to") if len(params["last"]) > 1 else ("last",)
        fields |= dict.fromkeys(outdated, "")
    elif params.get("last", [""])[-1] == "any":
        fields |= {"from": "", "to": ""}
    problems: dict[str, str] = {}
    sort = params.get("sort", [NEWEST])[-1]
    if sort.lstrip("-") not in COLUMNS or sort.startswith("--"):
        sort = NEWEST
    where = Filter(
        ids=_ids(fields["id"], problems),
        statuses=(Status(fields["status"]),) if fields["status"] in Status._value2member_map_ else (),
        subject=fields["subject"],
        sources=_labels(fields["source"]),
        tags=_labels(fields["tag"]),
        received_from=_moment(fields["from"], 0, problems) if not fields["last"] else now - SPANS[fields["last"]][1],
        received_to=_moment(fields["to"], 999_999, problems),
    )
    found = Asked(where=where, sort=sort, after=None, fields=fields, problems=problems)
    return replace(found, after=_cursor(params.get("after", [""])[-1], found.order))


def _ids(text: str, problems: dict[str, str]) -> tuple[int, ...]:
    try:
        found = tuple(ranges.read(text.replace(" ", ","))) if text else ()
    except Malformed as error:
        problems["id"] = str(error)
        return ()
    if len(found) > 1000:
        problems["id"] = "The id filter takes at most 1,000 ids."
    return found[:1000]


def _labels(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))[:MOST_LABELS]


def _moment(text: str, rest: Micros, problems: dict[str, str]) -> Micros | None:
    """A time of the form; without a zone it is UTC. `rest` fills up the second it names."""
    if not text:
        return None
    when = _when(text)
    if when is None:
        problems["received"] = f"{text[:40]!r} is not a date and time such as 2026-05-04T13:30."
        return None
    return round(when.timestamp() * 1_000_000) + (rest if when.microsecond == 0 else 0)


def _when(text: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(text)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _cursor(text: str, order: Order) -> Cursor | None:
    try:
        value, last = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
    kind = str if order.column in ("subject", "status") else int
    sane = isinstance(value, kind) and isinstance(last, int) and abs(last) < 1 << 63
    return (value, last) if sane and (isinstance(value, str) or abs(value) < 1 << 63) else None
