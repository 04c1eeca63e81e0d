"""URLs, in RFC 3986's normal form as far as it leaves their meaning alone.

That is scheme and host in lower case, no default port, a path of at least `/`. Path, query and fragment stay as they
were written, defanged spellings undone.
"""

import functools
from collections.abc import Iterator
from typing import NamedTuple

import re2

from tocsin.entities.addresses import ipv4, ipv6
from tocsin.entities.skeleton import readable
from tocsin.entities.spelling import (
    AFTER_SCHEME,
    DOT,
    LABEL,
    SCHEME,
    SLASH,
    compiled,
    fanged,
    fanged_address,
    fanged_mail,
    fanged_path,
    place_of,
    spans,
)
from tocsin.entities.suffixes import ascii_name

LONGEST = 4096
"""Longer ones are no entity; the host in them is."""
_HOST_PART = rf"""(?:{DOT}{LABEL}|[^\x00-\x20"<>`\\^|/?#\x7f\x80])"""
_REST = r"""(?:\\?/|[^\x00-\x20"<>`\\^|\x7f\x80])"""
URL = compiled(rf"{SCHEME}{AFTER_SCHEME}{_HOST_PART}*{_REST}+")
_START = compiled(rf"{SCHEME}{AFTER_SCHEME}")
_AUTHORITY_END = compiled(rf"{SLASH}|[?#]|\\[^.@]|\\$")
_WORD = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DEFAULT_PORTS = {"http": "80", "https": "443", "ftp": "21", "ws": "80", "wss": "443", "ssh": "22", "ldap": "389"}
_TRAILING = ".,;:!?'*_~"
_PAIRS = {")": "(", "]": "[", "}": "{"}
_MAY_BE_SPARE = frozenset((_TRAILING + " ()[]{}").encode())
_SEAMS = frozenset(b",;()[]{}'")
_HOST = re2.compile(r"[\pL\pM\pN_.-]+")
_SURELY_A_SCHEME = (b"http", b"hxxp", b"ftp", b"fxp", b"meow")


class Written(NamedTuple):
    """A URL in the text: where it starts, where its authority does, where its host does, where it and the URL end."""

    start: int
    authority: int
    host: int
    authority_end: int
    end: int


def urls(skeleton: bytes) -> Iterator[Written]:
    """Every URL of a text, those in a list (`http://a,http://b`) apart."""
    for start, end in spans(URL, skeleton):
        run = skeleton[start:end]
        heads = _heads(run)
        for (first, authority), following in zip(heads, [*heads[1:], None], strict=True):
            stop = following[0] if following else len(run)
            stop = first + len(_trimmed(run[first:stop]))
            if _is_apart(skeleton, start + first, run[first:authority]) and authority < stop:
                yield _written(skeleton, start + first, start + authority, start + stop)


def _heads(run: bytes) -> list[tuple[int, int]]:
    """Where in a run URLs start, and their authorities."""
    found = spans(_START, run)
    head = next(found)
    if run.find(b":", head[1]) < 0:
        return [head]
    return [head, *(other for other in found if run[other[0] - 1] in _SEAMS)]


def _is_apart(skeleton: bytes, start: int, scheme: bytes) -> bool:
    """Whether a word starts here: `news://` holds no `ws://`; `xhttp://` and `3Dhttp://` do hold an `http://`."""
    return not start or skeleton[start - 1] not in _WORD or scheme[:4].lower().startswith(_SURELY_A_SCHEME)


def _trimmed(run: bytes) -> bytes:
    """Without the sentence's marks and closing brackets at its end."""
    if run[-1] not in _MAY_BE_SPARE:
        return run
    text = run.decode("latin-1")
    spare = {close: text.count(close) - text.count(start) for close, start in _PAIRS.items()}
    end = len(text)
    while end:
        last = text[end - 1]
        if last in _PAIRS and spare[last] > 0:
            spare[last] -= 1
        elif last not in _TRAILING and last != " ":
            if last not in "({[":
                break
            spare[{"(": ")", "{": "}", "[": "]"}[last]] += 1
        end -= 1
    return run[:end]


def _written(skeleton: bytes, start: int, authority: int, end: int) -> Written:
    stop = min(end, authority + LONGEST)
    authority_end = place_of(_AUTHORITY_END, skeleton, authority, stop)
    authority_end = stop if authority_end < 0 else authority_end
    sign = skeleton.rfind(b"@", authority, authority_end)
    host = sign + 1 if sign >= 0 else authority
    while sign >= 0 and host < authority_end and skeleton[host] in b"]})> ":
        host += 1
    return Written(start, authority, host, authority_end, end)


def url(text: str, scheme_end: int, authority_end: int) -> tuple[str, str]:
    """The value of a URL as written and its host in its one form; two empty texts if it is none."""
    return _url(text, scheme_end, authority_end) if len(text) <= LONGEST else ("", "")


@functools.lru_cache(2048)
def _url(text: str, scheme_end: int, authority_end: int) -> tuple[str, str]:
    scheme = _scheme(readable(text[:scheme_end]))
    authority = fanged_mail(fanged_address(readable(text[scheme_end:authority_end]))[0])
    rest = fanged_path(readable(text[authority_end:]))
    user, at, place = authority.rpartition("@")
    host, port = _host_and_port(place)
    if not host:
        return ("", "") if place or scheme != "file" or len(rest) < 2 else (f"file://{rest}", "")
    shown = f"[{host}]" if ":" in host else host
    port = "" if port == _DEFAULT_PORTS.get(scheme) else port
    rest = rest if rest.startswith("/") else f"/{rest}"
    return f"{scheme}://{user}{at}{shown}{':' * bool(port)}{port}{rest}", host


def _scheme(text: str) -> str:
    word = "".join(filter(str.isalnum, text.lower().partition(":")[0].replace("(s)", "s").replace("[s]", "s")))
    if word.startswith("meow"):
        return "https" if word.endswith("s") else "http"
    if word[:1] == "h" and "p" in word:
        return "https" if word.endswith("s") else "http"
    return word.replace("fxp", "ftp").replace("f*p", "ftp") if word != "fp" else "ftp"


def _is_plain(host: str) -> bool:
    return host.isascii() and host.replace(".", "").replace("-", "").replace("_", "").isalnum()


def _host_and_port(place: str) -> tuple[str, str]:
    if place.startswith("["):
        inner, closed, after = place[1:].partition("]")
        port = after.removeprefix(":")
        good = closed and (not after or (after[0] == ":" and port.isdecimal()))
        return (ipv6(inner.partition("%")[0]), port) if good else ("", "")
    host, colon, port = place.partition(":")
    if colon and port and not (port.isdecimal() and len(port) <= 5):
        return "", ""
    host = host.removesuffix(".")
    if not host or not (_is_plain(host) or _HOST.fullmatch(host)):
        return "", ""
    labels = fanged(host).split(".")
    if len(labels) == 4 and (address := ipv4(labels)):
        return address, port
    return ascii_name(host), port
