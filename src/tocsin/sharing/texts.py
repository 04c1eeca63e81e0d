"""What is to be hidden, taken out of a text.

First what `entities` finds, in any spelling; then sweeps that ask no questions: four numbers in a row, eight groups,
anything that ends in an own domain, whatever it looks like from outside. Then the same for each of its `readings`. A
sweep may take out too much, never too little.
"""

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import idna
import re2

from tocsin.entities import Known, find
from tocsin.entities.find import Found
from tocsin.sharing.profile import Profile
from tocsin.sharing.pseudonyms import Address, Pseudonyms
from tocsin.sharing.readings import Readings, orders

GONE = "[redacted]"
LONGEST_REMEMBERED = 200
LONGEST_RUN = 1000
"""A longer run of groups and colons is not taken apart, but left out whole when one may begin an own address."""
_DOT = r"(?: ?[\[({<]{1,2} ?(?:\.|dot) ?[\])}>]{1,2} ?|[\[({]\.| ?\\?\.[\])}]? ?|[。．｡]|[ _-]dot[ _-])"
_AT = r"(?: ?[\[({<]{1,2} ?(?:@|at) ?[\])}>]{1,2} ?|@)"
_NUMBER = "(?:0x[0-9a-f]{1,8}|0{0,8}[0-9]{1,3})"
_NAME_LETTER = r"[\pL\pN_-]"
_QUOTED = r'"[^"\s]{1,64}(?: [^"\s]{1,64}){0,4}"'
_MAIL_LETTER = r"[\pL\pN.!#$&'*+/=?^_{|}~-]"


class Cut(NamedTuple):
    """A part of a text, and what stands there from now on."""

    start: int
    end: int
    text: str


Sweep = Callable[[str], Iterable[Cut]]


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    return re2.compile(pattern, options)


_QUADS = _compiled(rf"{_NUMBER}(?:(?:{_DOT}|[-_,]){_NUMBER}){{3,}}")
_DIGIT_OR_COLON = _compiled("[0-9]|::")
_NUMBERS = re.compile("0[xX][0-9a-fA-F]+|[0-9]+")
_DOTS = _compiled(_DOT)
_ATS = _compiled(_AT)
_GROUPS = _compiled(r"[0-9a-f]{0,4}(?:[\[({]?::?[\])}]?[0-9a-f.]{0,15}){2,}(?:/[0-9]{1,3})?")
_MANY_COLONS = re.compile("(:::+)")
_ARPA = _compiled(r"(?:[0-9a-f]{1,3}\.)+(?:in-addr|ip6)\.arpa")
_LITERAL = _compiled(r"([0-9a-f-]{2,40})(?:s[0-9a-z]{1,16})?\.ipv6-literal")
_PACKED = _compiled(
    r"//(?:[^/@\s]{0,200}@)?((?:0x[0-9a-f]{1,8}|[0-9]{1,12})(?:\.(?:0x[0-9a-f]{1,8}|[0-9]{1,12})){0,3})"
    r"(?:[^0-9a-z.]|$)"
)
_LEFT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class Texts:
    """Takes out of texts what a profile hides."""

    def __init__(self, profile: Profile, pseudonyms: Pseudonyms) -> None:
        self._profile, self._names = profile, pseudonyms
        self._drop = profile.way == "drop"
        self._known = Known(own_networks=profile.networks, own_domains=profile.domains)
        self._domains = _sweep_of(profile.domains)
        self._remembered = functools.lru_cache(8192)(self._cleaned)
        self._addresses = functools.lru_cache(65536)(self._address)
        self._sweeps: list[Sweep] = [self._entities]
        if profile.networks:
            self._sweeps += [self._reversed, self._packed, self._quads, self._groups]
        if self._domains is not None:
            self._sweeps.append(self._hosts)
        self._firsts = pseudonyms.first_octets()

    def clean(self, text: str, users: Sweep | None = None) -> str:
        """The text without anything that is to be hidden; `users` finds user names that are known besides."""
        text = self._remembered(text) if len(text) <= LONGEST_REMEMBERED else self._cleaned(text)
        return text if users is None else _swept(text, [users])

    def _cleaned(self, text: str) -> str:
        return _swept(text, self._sweeps)

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
        return self._addresses(text)

    def _address(self, text: str) -> str | None:
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
        if _DIGIT_OR_COLON.search(text) is None:
            return
        for run in _QUADS.finditer(text):
            base = run.start()
            numbers = [(base + each.start(), base + each.end()) for each in _NUMBERS.finditer(run[0])]
            at = 0
            while at + 4 <= len(numbers):
                start, end = numbers[at]
                if end - start < 3 and text[start] != "0" and int(text[start:end]) not in self._firsts:
                    at += 1
                    continue
                (first, after), *_, (before, last) = numbers[at : at + 4]
                first = max(first, after - 2) if text[first:after] > "255" else first
                last = min(last, before + 2) if text[before:last] > "255" else last
                inner = (text[start:end] for start, end in numbers[at + 1 : at + 3])
                shown = self._octets([text[first:after], *inner, text[before:last]])
                if shown is None:
                    at += 1
                else:
                    yield Cut(first, last, shown)
                    at += 4

    def _octets(self, numbers: Sequence[str]) -> str | None:
        """What stands for an own address of four numbers: decimal, hexadecimal, with a leading zero also octal."""
        for eight in (False, True) if any(one[0] == "0" for one in numbers) else (False,):
            octets = [_number(one, eight) for one in numbers]
            if octets[0] in self._firsts and max(octets) < 256:
                shown = self.address(".".join(map(str, octets)))
                if shown is not None:
                    return shown
        return None

    def _packed(self, text: str) -> Iterator[Cut]:
        """Hosts of URLs that are fewer than four numbers, as browsers read them (WHATWG URL, "IPv4 parser")."""
        if "//" not in text:
            return
        for found in _PACKED.finditer(text):
            *before, last = (_number(one, True) for one in found[1].split("."))
            if max(before, default=0) < 256 and last < 256 ** (4 - len(before)):
                number = sum(octet << (24 - 8 * place) for place, octet in enumerate(before)) + last
                shown = self.address(str(ipaddress.IPv4Address(number)))
                if shown is not None:
                    yield Cut(found.start(1), found.end(1), shown)

    def _groups(self, text: str) -> Iterator[Cut]:
        if text.count(":") < 2:
            return
        for run in _GROUPS.finditer(text):
            at = run.start()
            for part in _MANY_COLONS.split(run[0]) if ":::" in run[0] else [run[0]]:
                yield from self._windows(part, at)
                at += len(part)

    def _windows(self, run: str, at: int) -> Iterator[Cut]:
        """The run if it is an address; of one that is none, every piece of up to nine groups that is."""
        plain = run.translate(_BRACKETS)
        if len(plain) < 60 and _address(plain.partition("/")[0]) is not None:
            shown = self.address(plain) or self.address(plain.partition("/")[0])
            if shown is not None:
                yield Cut(at, at + len(run), shown)
            return
        pieces = plain.partition("/")[0].split(":")
        for first, piece in enumerate(pieces):
            if not self._names.may_begin(piece):
                continue
            if len(run) > LONGEST_RUN:
                yield Cut(at, at + len(run), GONE)
                return
            for last in range(min(len(pieces), first + 9), first + 2, -1):
                if self.address(":".join(pieces[first:last]).strip(".")) is not None:
                    yield Cut(at, at + len(run), GONE)
                    return

    def _reversed(self, text: str) -> Iterator[Cut]:
        """Names of the reverse tree (RFC 1035, section 3.5; RFC 3596, section 2.5), and Windows' for IPv6."""
        lower = text.lower()
        for found in _ARPA.finditer(text) if ".arpa" in lower else ():
            labels = found[0].lower().split(".")[:-2][::-1]
            address = _unreversed(labels, found[0].lower().endswith("ip6.arpa"))
            if address is not None and self._names.holds(address):
                yield Cut(found.start(), found.end(), GONE)
        for found in _LITERAL.finditer(text) if ".ipv6-literal" in lower else ():
            if self.address(found[1].replace("-", ":")) is not None:
                yield Cut(found.start(), found.end(), GONE)

    def _hosts(self, text: str) -> Iterator[Cut]:
        """Names under own domains, and mail addresses there."""
        for found in self._domains.finditer(text):
            start, end = found.span(1)
            before = text[start - 1 : start]
            if not before or before not in _LEFT:
                written = _DOTS.sub(".", text[start:end])
                mailbox, at, host = _ATS.sub("@", written).rpartition("@")
                yield Cut(start, end, self.mail(f"{mailbox}@{host}") if at else self.host(written))


_BRACKETS = {ord(sign): None for sign in "[](){}"}


def _swept(text: str, sweeps: Sequence[Sweep]) -> str:
    for sweep in sweeps:
        text = _cut(text, sweep(text))
    known = Readings(text)
    for order in orders(text):
        for sweep in sweeps:
            reading = known.of(order)
            if reading is None or not reading.shown:
                break
            cuts = [Cut(*reading.written(one.start, one.end), one.text) for one in sweep(reading.shown)]
            if cuts:
                text = _cut(text, cuts)
                known = Readings(text)
    return text


def _number(text: str, eight: bool) -> int:
    """A number as written; with `eight`, one that begins with 0 is octal if it can be."""
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    return int(text, 8 if eight and text[0] == "0" and not {"8", "9"} & set(text) else 10)


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
    return _compiled(
        rf"((?:(?:{_MAIL_LETTER}+|{_QUOTED}){_AT})?(?:{_NAME_LETTER}+{_DOT})*(?:{endings}))(?:$|[^\pL\pN])"
    )


def _cut(text: str, cuts: Iterable[Cut]) -> str:
    """The text with the cuts made; of two that overlap, the one that begins first, then the longer."""
    parts: list[str] = []
    at = 0
    for cut in sorted(cuts, key=lambda one: (one.start, -one.end)):
        if cut.start >= at:
            parts += (text[at : cut.start], cut.text)
            at = cut.end
    return "".join((*parts, text[at:])) if parts else text
