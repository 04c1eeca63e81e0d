"""The page of the query language: `tocsin/query/language.md`, its examples ready to be tried, and the fields.

The text is ours, and its tables are run as tests, so what the page says of a query is what the query does.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import urlencode

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from tocsin.query import FIELDS, Field
from tocsin.web.pages.drawing import draw

EXAMPLES = "query"
"""The heading of a column whose cells are queries."""
_OWN_WORDS = {"data": "data.NAME", "entity": "entity, entity.TYPE", "delivery": "delivery, delivery.DESTINATION"}


class Section(NamedTuple):
    """A heading of the text, and the id it is reached by."""

    id: str
    title: str


class Told(NamedTuple):
    """The text as a page shows it: what stands before the first section, the sections, and all that they say."""

    opening: Markup
    sections: Sequence[Section]
    text: Markup


def language(request: Request) -> Response:
    """GET /query: how to write a query."""
    kinds = (
        ("Fields of an alertgroup", [field for field in FIELDS.values() if not field.row]),
        ("Fields of its rows", [field for field in FIELDS.values() if field.row]),
    )
    return draw(request, "language.html", here="query", told=told(), kinds=kinds, written=written)


def written(field: Field) -> str:
    """The field as one writes it, with what stands behind its dot."""
    return _OWN_WORDS.get(field.name, field.name) if field.behind else field.name


@cache
def told() -> Told:
    """The text, drawn once."""
    drawer = MarkdownIt("commonmark", {"html": False}).enable("table")
    drawer.add_render_rule("fence", _fence)
    tokens = drawer.parse(files("tocsin.query").joinpath("language.md").read_text(encoding="utf-8"))
    sections = list(_sections(tokens))
    _link_examples(tokens)
    drawn = [drawer.renderer.render(part, drawer.options, {}) for part in _parts(tokens)]
    # Our own text, of which the drawer escapes every letter: no HTML of it is let through.
    return Told(Markup(drawn[0]), sections, Markup("".join(drawn[1:])))  # noqa: S704 - see above


def _sections(tokens: Sequence[Token]) -> Iterator[Section]:
    for token, inside in pairwise(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            found = Section("about-" + re.sub(r"\W+", "-", inside.content.lower()), inside.content)
            token.attrSet("id", found.id)
            yield found


def _parts(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """What stands before the first section, then section by section."""
    part: list[Token] = []
    for token in tokens:
        if token.type == "heading_open" and token.tag == "h2":
            yield part
            part = []
        part.append(token)
    yield part


def _fence(_drawer: object, tokens: Sequence[Token], at: int, _options: object, _env: object) -> str:
    """The long sample folded away, a query as a link."""
    text = tokens[at].content.rstrip()
    if tokens[at].info:
        return Markup('<details><summary>The three alertgroups</summary><pre class="raw">{}</pre></details>').format(
            text
        )
    return Markup('<p class="example"><a href="{}"><code>{}</code></a></p>').format(address(text), text)


def _link_examples(tokens: Sequence[Token]) -> None:
    """Make each query a link that asks it, and cells of headings that say nothing plain cells."""
    column, columns = 0, [""]
    for at, token in enumerate(tokens):
        match token.type:
            case "table_open":
                columns = []
            case "tr_open":
                column = 0
            case "th_open":
                columns.append(tokens[at + 1].content)
                if not columns[-1]:
                    token.tag = tokens[at + 2].tag = "td"
            case "td_open":
                column += 1
            case "inline" if tokens[at - 1].type == "td_open" and columns[column - 1] == EXAMPLES:
                token.children = [each for child in token.children or () for each in _linked(child)]


def _linked(child: Token) -> list[Token]:
    if child.type != "code_inline":
        return [child]
    return [Token("link_open", "a", 1, {"href": address(child.content)}), child, Token("link_close", "a", -1)]


def address(query: str) -> str:
    """Where a query is asked."""
    return f"/alerts?{urlencode({'q': query})}"
