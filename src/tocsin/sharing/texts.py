"""What is to be hidden, taken out of a text.

First what `entities` finds, in any spelling; then sweeps that ask no questions: four numbers in a row, eight groups,
anything that ends in an own domain, whatever it looks like from outside. A sweep may take out too much, never too
little.
"""

import functools
import ipaddress
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import idna
import re2

from tocsin.entities import Known, find
from tocsin.entities.find import Found
from tocsin.sharing.profile import Profile
from tocsin.sharing.pseudonyms import Address, Pseudonyms

GONE = "[redacted]"
LONGEST_REMEMBERED = 200
_DOT = r"(?: ?[\[({<]{1,2} ?(?:\.|dot) ?[\])}>]{1,2} ?|[\[({]\.|\\?\.[\])}]?|[。．｡]|%2e|&#46;|&#x2e;|&period;|\\u002e)"
_NUMBER = "[0-9]{1,3}"
_NAME_LETTER = r"[\pL\pN_-]"


class Cut(NamedTuple):
    """A part of a text, and what stands there from now on."""

    start: int
    end: int
    text: str


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    return re2.compile(pattern, options)


_QUADS = _compiled(rf"{_NUMBER}(?:(?:{_DOT}|[-_]){_NUMBER}){{3,}}")
_DIGIT_OR_COLON = _compiled("[0-9]|::")
_NUMBERS = _compiled("[0-9]+")
_DOTS = _compiled(_DOT)
_GROUPS = _compiled(r"[0-9a-f]{0,4}(?:[\[({]?::?[\])}]?[0-9a-f.]{0,15}){2,}(?:/[0-9]{1,3})?")
_ARPA = _compiled(r"(?:[0-9a-f]{1,3}\.)+(?:in-addr|ip6)\.arpa")
_LEFT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class Texts:
    """Takes out of texts what a profile hides."""

    def __init__(self, profile: Profile, pseudonyms: Pseudonyms) -> None:
        self._profile, self._names = profile, pseudonyms
        self._drop = profile.way == "drop"
        self._known = Known(own_networks=profile.networks, own_domains=profile.domains)
        self._domains = _sweep_of(profile.domains)
        self._remembered = functools.lru_cache(8192)(self._cleaned)

    def clean(self, text: str, users: Callable[[str], str] = str) -> str:
        """The text without anything that is to be hidden; `users` takes out user names that are known besides."""
        return users(self._remembered(text) if len(text) <= LONGEST_REMEMBERED else self._cleaned(text))

    def _cleaned(self, text: str) -> str:
        text = _cut(text, self._entities(text))
        if self._profile.networks and _DIGIT_OR_COLON.search(text):
            if "arpa" in text.lower():
                text = _cut(text, self._reversed(text))
            text = _cut(text, self._quads(text))
            if text.count(":") > 1:
                text = _cut(text, self._groups(text))
        if self._domains is not None:
            text = _cut(text, self._hosts(text))
        return text

    def user(self, name: str) -> str:
        """What stands for a user's name."""
        return GONE if self._drop else self._names.name("user", name)

    def host(self, name: str) -> str:
        """What stands for an own host's name."""
        return GONE if self._drop else self._names.host(name)

    def mail(self, address: str) -> str:
        """What stands for a mail address."""
        return GONE if self._drop else self._names.mail(address)

    def hides_mail(self, own: bool) -> bool:
        """Whether a mail address, own or not, is to be hidden."""
        return self._profile.mail == "all" or own

    def address(self, text: str) -> str | None:
        """What stands for an address or network; None if it may be seen."""
        try:
            net = ipaddress.ip_network(text, strict=False)
        except ValueError:
            return None
        if not self._names.holds(net.network_address):
            return GONE if self._names.touches(net) else None
        if self._drop:
            return GONE
        found = self._names.address(net.network_address, net.prefixlen)
        return found if net.num_addresses == 1 or found is None else f"{found}/{net.prefixlen}"

    def is_own_host(self, name: str) -> bool:
        """Whether a name is one of our domains or lies under it."""
        return self._known.owns_host(name) if "." in name else name.lower() in self._profile.domains

    def _entities(self, text: str) -> Iterator[Cut]:
        for found in find(text, self._known):
            shown = self._entity(found)
            if shown is not None:
                yield Cut(found.start, found.end, shown)

    def _entity(self, found: Found) -> str | None:
        entity = found.entity
        if entity.type in ("ipv4", "ipv6", "cidr"):
            return self.address(entity.value)
        if entity.type == "email" and self.hides_mail(found.own):
            return self.mail(entity.value)
        return self.host(entity.value) if entity.type == "domain" and found.own else None

    def _quads(self, text: str) -> Iterator[Cut]:
        """Every four numbers in a row that are an own address, whatever stands between and around them."""
        for run in _QUADS.finditer(text):
            numbers = [(run.start() + each.start(), run.start() + each.end()) for each in _NUMBERS.finditer(run[0])]
            at = 0
            while at + 4 <= len(numbers):
                octets = [int(text[start:end]) for start, end in numbers[at : at + 4]]
                shown = self.address(".".join(map(str, octets))) if max(octets) < 256 else None
                if shown is None:
                    at += 1
                else:
                    yield Cut(numbers[at][0], numbers[at + 3][1], shown)
                    at += 4

    def _groups(self, text: str) -> Iterator[Cut]:
        for run in _GROUPS.finditer(text):
            yield from self._windows(run[0], run.start())

    def _windows(self, run: str, at: int) -> Iterator[Cut]:
        """The run if it is an address; of one that is none, every piece of up to nine groups that is."""
        plain = run.translate({ord(sign): None for sign in "[](){}"})
        if _address(plain.partition("/")[0]) is not None:
            shown = self.address(plain) or self.address(plain.partition("/")[0])
            if shown is not None:
                yield Cut(at, at + len(run), shown)
            return
        pieces = plain.split(":")
        for first in range(len(pieces)):
            for last in range(min(len(pieces), first + 9), first + 2, -1):
                if self.address(":".join(pieces[first:last]).strip(".")) is not None:
                    yield Cut(at, at + len(run), GONE)
                    return

    def _reversed(self, text: str) -> Iterator[Cut]:
        """Names of the reverse tree (RFC 1035, section 3.5; RFC 3596, section 2.5)."""
        for found in _ARPA.finditer(text):
            labels = found[0].lower().split(".")[:-2][::-1]
            address = _unreversed(labels, found[0].lower().endswith("ip6.arpa"))
            if address is not None and self._names.holds(address):
                yield Cut(found.start(), found.end(), GONE)

    def _hosts(self, text: str) -> Iterator[Cut]:
        for found in self._domains.finditer(text):
            start, end = found.span(1)
            before = text[start - 1 : start]
            if not before or before not in _LEFT:
                yield Cut(start, end, self.host(_DOTS.sub(".", text[start:end])))


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _unreversed(labels: list[str], six: bool) -> Address | None:
    """The first address of what a reverse name stands for."""
    try:
        if not six:
            return ipaddress.IPv4Address(".".join((labels + ["0"] * 4)[:4]))
        digits = ("".join(labels) + "0" * 32)[:32]
        return ipaddress.IPv6Address(int(digits, 16))
    except ValueError:
        return None


def _sweep_of(domains: Iterable[str]) -> Any:
    """What finds any name that ends in one of the domains, in small or capital letters, in Unicode or punycode."""
    spelled: dict[str, None] = {}
    for domain in domains:
        spelled[domain] = None
        for other in (idna.encode, idna.decode):
            try:
                found = other(domain)
            except idna.IDNAError:
                continue
            spelled[found.decode() if isinstance(found, bytes) else found] = None
    if not spelled:
        return None
    endings = "|".join(_DOT.join(map(re2.escape, one.split("."))) for one in sorted(spelled, key=len, reverse=True))
    return _compiled(rf"((?:{_NAME_LETTER}+{_DOT})*(?:{endings}))(?:$|[^\pL\pN_-])")


def _cut(text: str, cuts: Iterable[Cut]) -> str:
    """The text with the cuts made; of two that overlap, the one that begins first, then the longer."""
    parts: list[str] = []
    at = 0
    for cut in sorted(cuts, key=lambda one: (one.start, -one.end)):
        if cut.start >= at:
            parts += (text[at : cut.start], cut.text)
            at = cut.end
    return "".join((*parts, text[at:])) if parts else text
