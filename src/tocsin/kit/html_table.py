"""HTML written by strangers: its tables, its links and its text. WHATWG HTML, section 4.9 (tables).

The parser behind it is quick, but holds still for minutes on a megabyte of tags that are never closed; so bytes and
depth are counted first (`html_depth.py`).
"""

import re
from collections.abc import Iterator, Mapping

from selectolax.lexbor import LexborHTMLParser, LexborNode

from tocsin.errors import Unreadable
from tocsin.kit.html_depth import check_depth
from tocsin.model import Link, Noun

MOST_BYTES = 32 * 1024 * 1024
MOST_SPAN = 1000
MOST_CELLS = 1_000_000

_BREAKS = frozenset(
    {
        *("address", "article", "blockquote", "br", "center", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5"),
        *("h6", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul"),
    }
)
_SILENT = frozenset(("script", "style", "template", "head", "title", "noscript", "-comment"))
_LONG_WAY = "[colspan], [rowspan], script, style, template, noscript"
_NOT_PLAIN = ("colspan", "rowspan", "<script", "<style", "<template", "<noscript")
_SPACES = re.compile(r"[ \t\r\n\f]+")
_KEPT = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.IGNORECASE)
_BETWEEN = "\ufdd0"  # no character of any text; one that holds it is read the long way


class Cell(Noun, frozen=True, kw_only=True, gc=False):
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
        check_depth(html)
        self._root = LexborHTMLParser(html).root
        lowered = html.lower()
        self._plain = not any(word in lowered for word in _NOT_PLAIN)

    def tables(self) -> list[Table]:
        """The outermost tables in order; what is nested in a cell is text of that cell.

        A table that only lays out others, one cell in a row and no header, is looked through.
        """
        return [] if self._root is None else [_table(node, self._plain) for node in _outermost(self._root)]

    def links(self) -> tuple[Link, ...]:
        """Every link with its text."""
        return _links(self._root) if self._root is not None else ()

    def text(self) -> str:
        """The text, blocks on lines of their own, words never glued together."""
        return "\n".join(_values(self._root)) if self._root is not None else ""


def _outermost(within: LexborNode) -> Iterator[LexborNode]:
    ended: set[int] = set()  # tables inside tables that were given out
    for node in within.css("table"):
        if node.mem_id in ended:
            continue
        inner = [each for each in node.css("table") if each.mem_id != node.mem_id]
        if inner and _only_lays_out(node):
            continue
        ended.update(each.mem_id for each in inner)
        yield node


def _only_lays_out(table: LexborNode) -> bool:
    for row in _rows(table):
        cells = [node.tag for node in row.iter() if node.tag in ("td", "th")]
        if len(cells) > 1 or "th" in cells:
            return False
    return True


def _table(table: LexborNode, plain: bool) -> Table:
    if len(table.css("table")) > 1:
        return _spanned_table(table)
    return _plain_table(table) if plain or table.css_first(_LONG_WAY) is None else _spanned_table(table)


def _plain_table(table: LexborNode) -> Table:
    """A table without tables in it and without spans, in one walk."""
    linked = {cell.mem_id for anchor in table.css("a") if (cell := _cell_around(anchor)) is not None}
    rows: list[Row] = []
    cells: list[Cell] = []
    for node in table.css("tr, td, th"):
        tag = node.tag
        if tag == "tr":
            rows.append(tuple(cells))
            cells = []
            continue
        links = _links(node) if linked and node.mem_id in linked else ()
        cells.append(Cell(values=_cell_values(node), links=links, header=tag == "th"))
    rows.append(tuple(cells))
    return tuple(rows[1:])


def _cell_around(node: LexborNode) -> LexborNode | None:
    above = node.parent
    while above is not None and above.tag not in ("td", "th", "table"):
        above = above.parent
    return above


def _spanned_table(table: LexborNode) -> Table:
    rows: list[Row] = []
    hanging: dict[int, tuple[int, Cell]] = {}
    count = 0
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
        count += len(cells)
        if count > MOST_CELLS:
            raise Unreadable(f"a table of the HTML spans more than {MOST_CELLS:,} cells")
    return tuple(rows)


def _cell(node: LexborNode) -> tuple[Cell, int, int]:
    """A cell, and how many rows and columns it spans."""
    attributes = node.attributes
    cell = Cell(values=tuple(_values(node)), links=_links(node), header=node.tag == "th")
    return cell, _span(attributes, "rowspan"), _span(attributes, "colspan")


def _cell_values(node: LexborNode) -> tuple[str, ...]:
    """As `_values`, the short way for the one piece of text that most cells hold."""
    text = node.text(deep=True, separator=_BETWEEN, strip=True, skip_empty=True)
    if not text:
        return ()
    if _BETWEEN not in text and "  " not in text and "\n" not in text and "\t" not in text:
        return (text,)
    return tuple(_values(node))


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
    """The text in pieces, cut where a browser would begin a new line.

    White space is folded as HTML does, and kept where the page says so (`pre`, `white-space: pre-wrap`).
    """
    pieces: list[str] = [""]
    kept: set[int] = set()
    stack: list[tuple[LexborNode, bool, bool]] = [(node, False, False)]
    while stack:
        here, leaving, keep = stack.pop()
        tag = here.tag or ""
        if tag in _BREAKS and here is not node:
            pieces.append("")
        elif tag in ("td", "th") and here is not node:
            pieces[-1] += " "
        if leaving or tag in _SILENT:
            continue
        if tag == "-text":
            text = here.text_content or ""
            pieces[-1] += text
            if keep and not text.isspace():
                kept.add(len(pieces) - 1)
            continue
        keep = keep or tag == "pre" or bool(_KEPT.search((here.attributes or {}).get("style") or ""))
        if tag in _BREAKS:
            stack.append((here, True, False))
        stack += [(child, False, keep) for child in reversed(list(here.iter(include_text=True)))]
    whole = (piece if n in kept else _SPACES.sub(" ", piece) for n, piece in enumerate(pieces))
    return [text for piece in whole if (text := piece.strip())]
