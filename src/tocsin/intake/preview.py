"""A mail as a person may look at it: headers, text, harmless HTML, and what is enclosed.

Mail is written by strangers, so all this is done in a child process, as parsing is (`apart.py`).
"""

import nh3

from tocsin.errors import NotFound, Unreadable
from tocsin.kit.html_depth import check_depth
from tocsin.kit.html_table import Page
from tocsin.kit.letter import Letter, letter
from tocsin.model import Link, Message, Noun

MOST_TEXT = 256 * 1024
MOST_LINKS = 200
MOST_HEADERS = 200
MOST_ENCLOSED = 500
LONGEST_HEADER = 4000

SHOWN = frozenset(
    {
        *("b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4"),
        *("h5", "h6", "hr", "i", "ins", "li", "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub", "sup"),
        *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul"),
    }
)
"""What is left of a mail's HTML. No link, picture, form, style, name or id: nothing that loads, leads or poses."""

SPANS = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}


def _only_small_numbers(_tag: str, _name: str, value: str) -> str | None:
    return value if value.isascii() and value.isdigit() and len(value) <= 3 else None


_cleaner = nh3.Cleaner(
    tags=set(SHOWN),
    clean_content_tags={"script", "style", "title", "textarea", "template", "svg", "math", "noscript", "iframe"},
    attributes=SPANS,
    attribute_filter=_only_small_numbers,
    generic_attribute_prefixes=set(),
    strip_comments=True,
    link_rel=None,
)


class Enclosed(Noun, frozen=True, kw_only=True):
    """An attachment: its name as the sender wrote it, its size in bytes, and, where asked for, its bytes."""

    name: str
    media_type: str
    size: int
    body: bytes = b""


class Preview(Noun, frozen=True, kw_only=True):
    """What a mail shows. `html` is harmless and may stand in a page; `reason` says why there is nothing to show.

    `cut` says that text or HTML is longer than what is shown here.
    """

    headers: tuple[tuple[str, str], ...] = ()
    text: str = ""
    html: str = ""
    links: tuple[Link, ...] = ()
    enclosed: tuple[Enclosed, ...] = ()
    notes: tuple[str, ...] = ()
    cut: bool = False
    reason: str = ""

    def header(self, name: str) -> str:
        """The first header of that name; empty without one."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), "")


def preview(message: Message) -> Preview:
    """The mail opened. Raises Unreadable when it is built to harm."""
    mail = letter(message)
    shown, notes = _harmless(mail)
    return Preview(
        headers=tuple((name[:100], value[:LONGEST_HEADER]) for name, value in mail.headers[:MOST_HEADERS]),
        text=mail.text[:MOST_TEXT],
        html=shown,
        links=_links(mail) if shown else (),
        enclosed=tuple(
            Enclosed(name=each.name, media_type=each.media_type, size=len(each.body))
            for each in mail.attachments[:MOST_ENCLOSED]
        ),
        notes=(*mail.notes, *notes),
        cut=len(mail.text) > MOST_TEXT or len(mail.html) > MOST_TEXT,
    )


def _harmless(mail: Letter) -> tuple[str, tuple[str, ...]]:
    try:
        check_depth(mail.html)
    except Unreadable as error:
        return "", (f"the HTML is not shown: {error}",)
    return _cleaner.clean(mail.html[:MOST_TEXT]), ()


def enclosed(message: Message, number: int) -> Enclosed:
    """An attachment of the mail, counted from 0. Raises NotFound, Unreadable."""
    found = letter(message).attachments
    if not 0 <= number < len(found):
        raise NotFound(f"the mail has no attachment {number}: it has {len(found)}")
    one = found[number]
    return Enclosed(name=one.name, media_type=one.media_type, size=len(one.body), body=one.body)


def _links(mail: Letter) -> tuple[Link, ...]:
    """Where the mail's links lead, as text: nobody is to follow one by mistake."""
    if "<a" not in mail.html.lower():
        return ()
    return tuple(Link(subject=one.subject[:500], link=one.link[:2000]) for one in Page(mail.html).links()[:MOST_LINKS])
