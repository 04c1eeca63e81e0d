"""How deeply HTML nests, counted from its tags before anything parses it. WHATWG HTML, section 13.2.5 (tokenization).

It may count too much, never too little by more than a person would write: what stands in comments, in attributes and
in scripts closes nothing.
"""

import re
from collections import Counter

from tocsin.errors import Unreadable

DEEPEST = 400

_VOID = (
    *("area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link"),
    *("meta", "param", "source", "track", "wbr"),
)
_CLOSED_BY_THE_NEXT = (
    *("html", "head", "body", "p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "colgroup", "option"),
)
_LEAVES_FOREIGN_CONTENT = ("br", "dd", "dt", "embed", "hr", "img", "li", "meta", "p", "head", "body")

_VALUE = r"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s"'>][^\s>]*+)"""
_USUAL = r"""(?:\s++[\w:-]++="[^"]*+")*+>"""
_ANY = rf"(?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+{_VALUE}?+)?+)*+(?:>|\Z)"
_ATTRIBUTES = rf"(?=[\s/>])(?:{_USUAL}|{_ANY})"
_RAW = ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
_LEAVES = ("pre", "div", "span", "b", "a", "font", "strong", "i", "o:p", "h1", "h2", "h3", "code", "em")


def _pattern(never_nest: tuple[str, ...]) -> re.Pattern[str]:
    """The next tag that may change the depth; skipped is what cannot, an element without elements among it.

    No group stands in the part that repeats: Python's `re` loses count of those.
    """
    leaves = "|".join(rf"{name}{_ATTRIBUTES}[^<]*+</{name}>" for name in _LEAVES)
    raw = "|".join(rf"{name}{_ATTRIBUTES}.*?(?:</{name}(?=[\s/>])|\Z)" for name in _RAW)
    return re.compile(
        rf"""(?:[^<]++
            |</?(?:{"|".join(never_nest)}){_ATTRIBUTES}
            |<(?:{leaves})
            |<(?:{raw})
            |<!--(?:-?>|.*?--!?>|.*\Z)
            |<(?![a-z/])
            |</(?![a-z])
        )*+(?:<(/?)([a-z][^\s/>]*+){_ATTRIBUTES}|.|\Z)""",
        re.IGNORECASE | re.DOTALL | re.VERBOSE,
    )


_IN_HTML = _pattern((*_VOID, *_CLOSED_BY_THE_NEXT))
_WITH_FOREIGN = _pattern(_LEAVES_FOREIGN_CONTENT)
_FOREIGN = re.compile(r"<(?:svg|math)", re.IGNORECASE)


def check_depth(html: str) -> None:
    """Raises Unreadable when more than `DEEPEST` tags are open inside each other."""
    tags = _WITH_FOREIGN if _FOREIGN.search(html) else _IN_HTML
    opened: Counter[str] = Counter()
    depth = 0
    for match in tags.finditer(html):
        name = match[2]
        if name is None:
            continue
        name = name.lower()
        if not match[1]:
            opened[name] += 1
            depth += 1
            if depth > DEEPEST:
                raise Unreadable(f"the HTML has more than {DEEPEST} open tags inside each other")
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
