r"""Defanged spellings: how people write an address so that nobody clicks it.

`[.]`, `{.}`, `(.)`, `<.>`, `[dot]`, `[[.]]`, half of a pair (`[.`, `.]`), an escape (`\.`), with one space on either
side of a pair; the same for `@`/`at`, `:`, `/`, `//` and `://`; `hxxp`, `hXXp`, `h**p`, `fxp`, `meow`, `http[s]`.
All patterns are for RE2 on a skeleton, without regard to case; what follows a repetition never reaches back into it.
"""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import re2

from tocsin.entities.skeleton import UNSEEN

_OPEN = r"[\[({<]{1,2} ?"
_CLOSE = r" ?[\])}>]{1,2}"


def _paired(inner: str) -> str:
    return rf" ?{_OPEN}(?:{inner}){_CLOSE} ?"


LABEL = rf"[0-9a-z_\xff\x{UNSEEN:02x}-]+"
"""What stands between two dots."""
DOT = rf"(?:{_paired('[.]|dot')}|[\[({{][.]|[.][\])}}]|\\?[.])"
DOTTED = rf"{LABEL}(?:{DOT}{LABEL})+"
AT = rf"(?:{_paired('@|at')}|[\[({{]@|@[\])}}]|\\?@)"
COLON = r"(?:[\[({]::?[\])}]|:)"
SLASH = r"(?:[\[({]/[\])}]|\\?/)"

_WEB = r"h[tx*_#]{2,3}ps?|hxxxps?|h[tx]{2}p[\[({]s[\])}]|meows?|f[tx]ps?|https?"
_REST = (
    "sftp|ssh|tcp|udp|tls|ldaps?|smb|file|wss?|rtsp|telnet|git|svn|ircs?|rdp|vnc|mysql|postgres|postgresql|mongodb"
    "|redis|amqps?|mqtts?|gopher|nntp|imaps?|pop3s?|smtps?|sips?|s3|gs|nfs|afp|socks[45]?|magnet"
)
SCHEME = rf"(?:{_WEB}|{_REST})"
AFTER_SCHEME = rf"(?:[\[({{]://[\])}}]|(?:[\[({{]:[\])}}]|:)(?:[\[({{]//[\])}}]|{SLASH}{SLASH}|\\\\))"


def compiled(pattern: str, *, case: bool = False) -> Any:
    """The pattern for skeletons (bytes). Raises re2.error."""
    return re2.compile(pattern.encode("latin-1"), _options(case))


def spans(pattern: Any, skeleton: bytes) -> Iterator[tuple[int, int]]:
    """Where a pattern that matches no empty text matches, as `finditer` says it, in a third of the time."""
    match = pattern._regexp.Match  # noqa: SLF001 - a match object and its spans would cost twice the match itself
    at, size = 0, len(skeleton)
    while True:
        start, at = match(_UNANCHORED, skeleton, at, size)[0]
        if start < 0:
            return
        yield start, at


def place_of(pattern: Any, skeleton: bytes, at: int, end: int) -> int:
    """Where between two places a pattern first matches; -1 for nowhere."""
    found: int = pattern._regexp.Match(_UNANCHORED, skeleton, at, end)[0][0]  # noqa: SLF001 - as in `spans`
    return found


@functools.cache
def _options(case: bool) -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = case
    options.log_errors = False
    return options


def _for_text(pattern: str) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    return re2.compile(pattern, options)


_DOTS = _for_text(DOT)
_SIGNS = _for_text(rf"[\[({{](::?)[\])}}]|{DOT}")
_ATS = _for_text(AT)
_PAIRED_DOTS = _for_text(_paired("[.]|dot"))
_PAIRED_SIGNS = _for_text(r"[\[({<]([:/@]|//|\?|=)[\])}>]")
_UNANCHORED: Any = re2._Anchor.UNANCHORED  # noqa: SLF001 - see `spans`
_FANGS = frozenset("[](){}<>\\")


def fanged(text: str) -> str:
    """A readable dotted name with plain dots."""
    if _FANGS.isdisjoint(text):
        return text
    if " " not in text and "<" not in text:
        for plain in ("[.]", "(.)", "{.}", "[dot]"):  # nearly all of them: RE2's `sub` costs thirty times as much
            text = text.replace(plain, ".")
        if _FANGS.isdisjoint(text):
            return text
    return str(_DOTS.sub(".", text))


def fanged_address(text: str) -> tuple[str, Sequence[int]]:
    """A readable IPv6 or MAC address with plain colons and dots, and for each place in it the place in the text."""
    if _FANGS.isdisjoint(text):
        return text, range(len(text) + 1)
    plain: list[str] = []
    places: list[int] = []
    at = 0
    for match in _SIGNS.finditer(text):
        start, end = match.span()
        sign = match[1] or "."
        plain += (text[at:start], sign)
        places += (*range(at, start), *[start] * len(sign))
        at = end
    return "".join((*plain, text[at:])), (*places, *range(at, len(text) + 1))


def fanged_mail(text: str) -> str:
    """A readable mail address with a plain @ and plain dots."""
    return text if _FANGS.isdisjoint(text) else fanged(_ATS.sub("@", text))


def fanged_path(text: str) -> str:
    """The part of a readable URL after its host: only whole pairs are spellings, brackets are its own letters."""
    if _FANGS.isdisjoint(text):
        return text
    plain = _PAIRED_SIGNS.sub(r"\1", _PAIRED_DOTS.sub(".", text))
    return str(plain.replace("\\/", "/"))


def last_dot(text: str) -> int:
    """Where the last dot of a dotted name begins, however it is spelled; -1 for none."""
    return max((match.start() for match in _DOTS.finditer(text)), default=-1)
