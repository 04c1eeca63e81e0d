"""HTML written by strangers: its tables, its links and its text. WHATWG HTML, section 4.9 (tables).

The parser behind it is quick, but holds still for minutes on a megabyte of tags that are never closed; so bytes and
depth are counted first.
"""

import re
from collections.abc import Mapping

from selectolax.lexbor import LexborHTMLParser, LexborNode

from tocsin.errors import Unreadable
from tocsin.model import Link, Noun

MOST_BYTES = 32 * 1024 * 1024
DEEPEST = 400
MOST_SPAN = 1000

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
_END_TAG_OPTIONAL = {
    *("html", "head", "body", "p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "colgroup"),
    *("option", "optgroup", "rt", "rp"),
}
_NEVER_CLOSED = frozenset(_VOID | _END_TAG_OPTIONAL)
_BREAKS = frozenset(
    {
        *("address", "article", "br", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol"),
        *("p", "pre", "section", "tr", "ul"),
    }
)
_SILENT = frozenset(("script", "style", "template", "head", "title", "noscript", "-comment"))
_SPACES = re.compile(r"[ \t\r\n\f]+")


class Cell(Noun, frozen=True, kw_only=True):
    """A cell: its values (one for each line or block in it) and the links that stand there."""

    values: tuple[str, ...]
    links: tuple[Link, ...] = ()
    header: bool = False

    @property
    def text(self) -> str:
        """All of it on one line."""
        return " ".join(self.values)


Row = tuple[Cell, ...]
Table = tuple[Row, ...]


class Page:
    """A parsed page. Raises Unreadable when it is too large or nested too deeply to be read safely."""

    def __init__(self, html: str) -> None:
        if len(html) > MOST_BYTES:
            raise Unreadable(f"the HTML is larger than {MOST_BYTES // 2**20} MiB")
        _check_depth(html)
        self._root = LexborHTMLParser(html).root

    def tables(self) -> list[Table]:
        """The outermost tables in order; what is nested in a cell is text of that cell."""
        if self._root is None:
            return []
        return [_table(node) for node in self._root.css("table") if not _inside_table(node)]

    def links(self) -> tuple[Link, ...]:
        """Every link with its text."""
        return _links(self._root) if self._root is not None else ()

    def text(self) -> str:
        """The text, blocks on lines of their own, words never glued together."""
        return "\n".join(_values(self._root)) if self._root is not None else ""


def _check_depth(html: str) -> None:
    depth = 0
    for match in _TAG.finditer(html):
        if match[2].lower() in _NEVER_CLOSED:
            continue
        depth += -1 if match[1] else 1
        if depth > DEEPEST:
            raise Unreadable(f"the HTML has more than {DEEPEST} open tags inside each other")


def _inside_table(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag == "table":
            return True
        parent = parent.parent
    return False


def _table(table: LexborNode) -> Table:
    rows: list[Row] = []
    hanging: dict[int, tuple[int, Cell]] = {}
    for row in _rows(table):
        cells: list[Cell] = []
        for node in row.iter():
            if node.tag not in ("td", "th"):
                continue
            _take_hanging(cells, hanging)
            cell, down, across = _cell(node)
            for _ in range(across):
                if down > 1:
                    hanging[len(cells)] = (down - 1, cell)
                cells.append(cell)
        _take_hanging(cells, hanging)
        rows.append(tuple(cells))
    return tuple(rows)


def _cell(node: LexborNode) -> tuple[Cell, int, int]:
    """A cell, and how many rows and columns it spans."""
    header = node.tag == "th"
    attributes = node.attributes
    down, across = _span(attributes, "rowspan"), _span(attributes, "colspan")
    only = node.child
    if only is None:
        return Cell(values=(), header=header), down, across
    if only.next is None and only.tag == "-text":  # nearly every cell of a long table
        text = _SPACES.sub(" ", only.text_content or "").strip()
        return Cell(values=(text,) if text else (), header=header), down, across
    return Cell(values=tuple(_values(node)), links=_links(node), header=header), down, across


def _take_hanging(cells: list[Cell], hanging: dict[int, tuple[int, Cell]]) -> None:
    """Cells of rows above that reach down into this one."""
    while (place := len(cells)) in hanging:
        left, cell = hanging.pop(place)
        cells.append(cell)
        if left > 1:
            hanging[place] = (left - 1, cell)


def _rows(table: LexborNode) -> list[LexborNode]:
    """The table's own rows, not those of tables inside it."""
    found: list[LexborNode] = []
    for child in table.iter():
        if child.tag == "tr":
            found.append(child)
        elif child.tag in ("tbody", "thead", "tfoot"):
            found += [row for row in child.iter() if row.tag == "tr"]
    return found


def _span(attributes: Mapping[str, str | None], name: str) -> int:
    if not attributes:
        return 1
    said = str(attributes.get(name) or "1").strip()
    return min(max(int(said), 1), MOST_SPAN) if said.isascii() and said.isdigit() and len(said) < 6 else 1


def _links(node: LexborNode) -> tuple[Link, ...]:
    return tuple(
        Link(subject=_SPACES.sub(" ", anchor.text(deep=True)).strip(), link=target)
        for anchor in node.css("a")
        if (target := (anchor.attributes.get("href") or "").strip())
    )


def _values(node: LexborNode) -> list[str]:
    """The text in pieces, cut where a browser would begin a new line; white space folded as HTML does."""
    pieces: list[str] = [""]
    stack: list[tuple[LexborNode, bool]] = [(node, False)]
    while stack:
        here, leaving = stack.pop()
        tag = here.tag or ""
        if tag in _BREAKS and here is not node:
            pieces.append("")
        elif tag in ("td", "th") and here is not node:
            pieces[-1] += " "
        if leaving or tag in _SILENT:
            continue
        if tag == "-text":
            pieces[-1] += here.text_content or ""
            continue
        if tag in _BREAKS:
            stack.append((here, True))
        stack += [(child, False) for child in reversed(list(here.iter(include_text=True)))]
    return [text for piece in pieces if (text := _SPACES.sub(" ", piece).strip())]
