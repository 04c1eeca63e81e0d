"""The page of the query language: the text the tests hold queries to, each example a link, and every field."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from query.samples import tables
from tocsin.query import FIELDS, parse
from tocsin.query.tree import And
from tocsin.web.pages.language import told
from web.conftest import Caller

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])


def linked(page: str) -> list[str]:
    """The queries that the page's links ask."""
    found = re.findall(r'<a href="(/alerts\?q=[^"]*)"><code>(.*?)</code></a>', page)
    for address, shown in found:
        assert parse_qs(urlsplit(unescape(address)).query)["q"] == [unescape(shown)]
    return [unescape(shown) for _, shown in found]


def test_every_example_of_the_text_is_a_link_that_asks_it(viewer: Caller, engine: str) -> None:
    examples = [query for query, _, _ in (*tables("| query | finds |"), *tables("| query | character |")) if query]
    first, *others = linked(viewer.get("/query").text)

    assert isinstance(parse(first), And)
    assert others == examples


def test_every_field_stands_on_the_page_with_its_type_and_its_other_names(viewer: Caller, engine: str) -> None:
    page = unescape(viewer.get("/query").text)

    for field in FIELDS.values():
        (row,) = re.findall(rf'<tr id="field-{re.escape(field.name)}">.*?</tr>', page)
        assert field.about in row
        assert field.kind in row
        for word in (*field.aliases, *field.choices):
            assert word in row


def test_the_sections_of_the_text_can_be_reached_and_nothing_of_it_is_markup(viewer: Caller, engine: str) -> None:
    answer = viewer.get("/query")
    wanted = re.findall(r'<a href="#([\w-]+)">', answer.text)

    assert len(wanted) >= 8
    assert set(wanted) <= set(re.findall(r'id="([\w-]+)"', answer.text))
    assert "<wiki" not in answer.text
    assert "&lt;m3@example.org&gt;" in answer.text
    assert "<th></th>" not in told().text


def test_a_sender_is_not_shown_the_page(sender: Caller, engine: str) -> None:
    assert sender.get("/query").status_code == 403
