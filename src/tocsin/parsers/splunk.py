"""Alert and report mails of Splunk: the search's name and text, the results as a table or a CSV file, the links back.

Splunk's `sendemail.py` writes a table `summary` (Alert, Search String, Trigger, Trigger Time) and a table `results`.
Mail programs on the way put tables before and between them and make `td` of `th`, so tables are known by what is in
them. Column names are kept as they are: nothing here minds a dot.
"""

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from tocsin.kit import tabular
from tocsin.kit.columns import free
from tocsin.kit.html_table import Page
from tocsin.kit.letter import Letter, is_marked, letter
from tocsin.kit.result_table import Results, labelled, labels, results
from tocsin.model import Alertgroup, Link, Message
from tocsin.plugin import Parser

NAME = re.compile(r"^(?:name|alert|report|saved search|alert title|report title|search name)$", re.IGNORECASE)
SEARCH = re.compile(r"^(?:search string|search|query terms|query)$", re.IGNORECASE)
IN_TEXT = re.compile(
    r"^(?:alert|report) title:[ \t]*(.+)$|^name:[ \t]*'(.+)'[ \t]*$|the alert condition for '(.+?)' was triggered",
    re.IGNORECASE | re.MULTILINE,
)
SEARCH_IN_TEXT = re.compile(r"^(?:search string|query terms):[ \t]*(.+)$", re.IGNORECASE | re.MULTILINE)
IN_SUBJECT = re.compile(r"splunk (?:alert|report)\s*:?\s*(.+)", re.IGNORECASE)
TAG = re.compile(r"(?<![\w.])(sourcetype|index|tag|source)\s*=\s*(?:\"([^\"]+)\"|'([^']+)'|([^\s\"'|()\[\],]+))")
NO_TABLE, NO_RESULTS, UNEVEN = "no_table", "no_results", "uneven_rows"
"""Tags: no table of results was found; there is one without rows; rows have more or fewer cells than the header."""


class Splunk(Parser):
    """Search results mailed by Splunk, one row each."""

    order: ClassVar[int] = 10
    subjects: tuple[str, ...] = Field(
        default=("splunk alert", "splunk report"), description="Words one of which stands in the mail's subject, or …"
    )
    senders: tuple[str, ...] = Field(
        default=("splunk",), description="… words one of which stands in the sender's name or address."
    )

    def claims(self, message: Message) -> bool:
        """A mail whose subject or sender says so."""
        return is_marked(message, self.subjects, self.senders)

    def parse(self, message: Message) -> Iterator[Alertgroup]:
        """One alertgroup; a mail without a table of results is one alert that holds its text."""
        mail = letter(message)
        page = Page(mail.html) if mail.html else None
        tables = page.tables() if page else []
        at = labelled(tables, NAME.match)
        summary = labels(tables[at]) if at >= 0 else {}
        known = {"alert_name": _name(mail, summary, page), "search": _search(mail, summary, page)}
        found = results(tables[at + 1 :]) or results(tables[: max(at, 0)])
        if (found is None or not found.rows) and (sheets := tabular.sheets(mail)):
            sheet = sheets[0]
            found = Results(columns=tuple(sheet.rows[0]), rows=sheet.rows, uneven=sheet.uneven)
        tags = [f"{tag[1]}={tag[2] or tag[3] or tag[4]}" for tag in TAG.finditer(known["search"])]
        columns, rows = (found.columns, found.rows) if found and found.rows else ((), ())
        if found is None:
            tags.append(NO_TABLE)
            rows = ({"alert": _text(mail, page).strip() or mail.subject},)
        elif not rows:
            tags.append(NO_RESULTS)
            rows = ({"results": 0, "alert": _text(mail, page).strip() or mail.subject},)
        elif found.uneven:
            tags.append(UNEVEN)
        said = {free(name, set(columns)): value for name, value in known.items() if value}
        whole = not found or not found.rows
        yield mail.group(
            rows=[said | row for row in rows] if whole else [row | said for row in rows],
            columns=(*said, *rows[0]) if whole else columns,
            tags=tuple(dict.fromkeys(tags)),
            sources=("email", "splunk"),
            ahrefs=_links(page, mail.text),
        )


def _text(mail: Letter, page: Page | None) -> str:
    return mail.text if page is None or mail.text.strip() else page.text()


def _name(mail: Letter, summary: Mapping[str, str], page: Page | None) -> str:
    said = next((value for label, value in summary.items() if NAME.match(label) and value), "")
    said = said or mail.header("x-splunk-name")
    for pattern, where in () if said else ((IN_TEXT, _text(mail, page)), (IN_SUBJECT, mail.subject)):
        found = None if said else pattern.search(where)
        said = next(filter(None, found.groups()), "") if found else said
    return (said or mail.subject).strip()


def _search(mail: Letter, summary: Mapping[str, str], page: Page | None) -> str:
    if said := next((value for label, value in summary.items() if SEARCH.match(label)), ""):
        return said
    found = SEARCH_IN_TEXT.search(_text(mail, None if summary else page))
    return found[1].strip(" '\"") if found else ""


def _links(page: Page | None, text: str) -> tuple[Link, ...]:
    if page is not None:
        return tuple(dict.fromkeys(page.links()))
    lines = re.findall(r"^([^:\n]{1,60}):[ \t]+(https?://\S+)[ \t]*$", text, re.MULTILINE)
    return tuple(Link(subject=label.strip(), link=target) for label, target in lines)
