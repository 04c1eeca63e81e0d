"""What the address bar asks of the flows: a query, a span of time, and where to go on. Read with mercy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tocsin.errors import BadQuery
from tocsin.flows.searching import asked
from tocsin.flows.searching.asked import Asked
from tocsin.model import Micros
from tocsin.query import dates
from tocsin.web.pages.trouble import Trouble, about, at_place

SPANS: Mapping[str, str] = {"1h": "last hour", "24h": "24 h", "7d": "7 days", "30d": "30 days"}
"""What a button asks for, and its words."""
ANY = "any"
_LONGEST_DATE = 60


@dataclass(frozen=True)
class Wish:
    """`query`, `since` and `until` as they were typed, and `asked` what they mean: None where that cannot be read."""

    query: str
    since: str
    until: str
    after: str
    asked: Asked | None
    wrong: BadQuery | None = None
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """It all as it stands in the address bar, without the place in the list."""
        return urlencode({name: said for name in ("query", "since", "until") if (said := getattr(self, name))})

    @property
    def suffix(self) -> str:
        """The same with its question mark, if there is anything."""
        return f"?{self.text}" if self.text else ""

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.text)

    def behind(self, after: str) -> str:
        """The address bar's text of the page behind this one."""
        return "?" + "&".join(filter(None, (self.text, urlencode({"after": after}))))

    def between(self, since: str, until: str) -> str:
        """The same of a narrower span."""
        return "?" + urlencode({name: said for name, said in (("query", self.query), *_span(since, until)) if said})

    @property
    def trouble(self) -> Trouble | None:
        """What is wrong with the query, or with the span."""
        if self.wrong is not None:
            return at_place(self.wrong, self.query)
        return next((about(words) for words in self.problems.values()), None)


def _span(since: str, until: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("since", since), ("until", until)


def read(params: Mapping[str, Sequence[str]], now: Micros) -> Wish:
    """Understand the query of a page. A button's `last` is a span that ends now."""

    def said(name: str) -> str:
        return " ".join(params.get(name, [""])[-1].split())

    query = " ".join(params.get("query", [""])[-1].splitlines()).strip()
    since, until = said("since"), said("until")
    if (last := said("last")) in SPANS:
        since, until = f"now-{last}", ""
    elif last == ANY:
        since = until = ""
    problems: dict[str, str] = {}
    first, end = (_time(name, text, now, problems) for name, text in _span(since, until))
    try:
        meant = asked.asked(query, now, since=first, until=end)
    except BadQuery as error:
        return Wish(query, since, until, "", None, error, problems)
    after = params.get("after", [""])[-1]
    return Wish(query, since, until, after, None if problems else meant, None, problems)


def _time(name: str, text: str, now: Micros, problems: dict[str, str]) -> Micros | None:
    if not text:
        return None
    date = dates.canonical(text)
    if date is None:
        words = {"since": "The beginning of the span", "until": "The end of the span"}[name]
        problems[name] = f"{words} must be a date in UTC, as in 2026-05-04T12:00 or now-7d, not {text[:_LONGEST_DATE]}"
        return None
    return dates.bounds(date, now)[0]
