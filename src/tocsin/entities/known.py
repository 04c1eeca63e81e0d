"""What the people who run this Tocsin told it: their networks, names, strings and patterns."""

import ipaddress
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence

import ahocorasick_rs
import re2

from tocsin.entities.addresses import ipv4
from tocsin.entities.names import Part
from tocsin.entities.skeleton import LETTER
from tocsin.entities.suffixes import ascii_name
from tocsin.errors import ConfigError, Problem

PRIVATE = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip
"""Own by nature: RFC 1918, 1122, 3927, 6598, 4291, 4193."""
SUFFIXES = ("onion",)
"""Endings of names that are no public suffixes and yet names (RFC 7686)."""
LONGEST_PATTERN_MATCH = 1024
"""A pattern's match is no longer, so that a pattern cannot look through the whole text at every place."""
_WINDOW = 4096
_WORD = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_" + bytes([LETTER]))

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Known:
    """Own networks and domains, own suffixes, own strings and patterns."""

    def __init__(
        self,
        own_networks: Iterable[str] = PRIVATE,
        own_domains: Iterable[str] = (),
        strings: Mapping[str, str] | None = None,
        patterns: Sequence[tuple[str, str]] = (),
        suffixes: Iterable[str] = SUFFIXES,
    ) -> None:
        """Learn them once; `find` is then as quick with ten thousand strings as with none.

        Args:
            own_networks: addresses and networks, `192.0.2.0/24`.
            own_domains: names; what is below them is own too.
            strings: text -> type. Found whatever the case of its letters, as a whole word.
            patterns: (type, RE2 pattern), case as written. A match is at most 1,024 characters long.
            suffixes: endings of names beside the public ones: `corp.example`, `lan`.

        Raises:
            ConfigError: a network, name, string or pattern that cannot be used; it lists them all.
        """
        problems: list[Problem] = []
        self._networks = _networks(own_networks, problems)
        self._domains = _names("own_domains", own_domains, problems)
        self.suffixes = _names("suffixes", suffixes, problems)
        self._types, self._automaton = _strings(strings or {}, problems)
        self.patterns = tuple(_patterns(patterns, problems))
        if problems:
            raise ConfigError(problems)
        self.looks_further = bool(self._types or self.patterns)
        """Whether there are own strings or patterns: then the plainest word may be an entity."""

    def is_own(self, type: str, value: str) -> bool:
        """Whether an address, network, name, mail address or URL's host is ours."""
        if type in ("ipv4", "ipv6", "cidr"):
            return self._lies_in(value)
        if type in ("domain", "email") and self._domains:
            labels = value.rpartition("@")[2].split(".")
            return any(".".join(labels[at:]) in self._domains for at in range(len(labels)))
        return False

    def owns_host(self, host: str) -> bool:
        """As `is_own`, for a host that may be an address or a name."""
        is_address = ":" in host or ipv4(host.split("."))  # `http://host.1/` has neither address nor domain
        return self.is_own("ipv6" if is_address else "domain", host)

    def _lies_in(self, value: str) -> bool:
        if "/" not in value and ":" not in value:
            version, length, bits = 4, 32, 32
            address = int.from_bytes(socket.inet_aton(value))
        else:
            net: Network = ipaddress.ip_network(value)
            if isinstance(net, ipaddress.IPv6Network) and net.network_address.ipv4_mapped and net.prefixlen >= 96:
                net = ipaddress.ip_network((net.network_address.ipv4_mapped, net.prefixlen - 96))
            version, length, bits = net.version, net.prefixlen, net.max_prefixlen
            address = int(net.network_address)
        for prefix, starts in self._networks[version].items():
            if prefix <= length and address >> (bits - prefix) in starts:
                return True
        return False

    def strings(self, text: str) -> Iterator[tuple[str, str, int, int]]:
        """Type, string and place of every own string, of those that end at one place the longest first."""
        if not self._types:
            return
        for number, start, end in self._automaton.find_matches_as_indexes(_lower(text), overlapping=True):
            string, type = self._types[number]
            yield type, string, start, end

    def matches(self, skeleton: bytes, text: str) -> Iterator[Part]:
        """What the own patterns match, letters of other scripts being any letter to them."""
        for type, pattern in self.patterns:
            at = 0
            for start in range(0, len(skeleton) or 1, _WINDOW):
                at = max(at, start)
                while at < min(start + _WINDOW, len(skeleton)):
                    match = pattern.search(skeleton, at, min(len(skeleton), start + _WINDOW + LONGEST_PATTERN_MATCH))
                    if match is None or match.start() >= start + _WINDOW:
                        break
                    first, at = match.start(), max(match.end(), match.start() + 1)
                    if first < match.end() <= first + LONGEST_PATTERN_MATCH:
                        yield Part(type, text[first : match.end()], first, match.end())


def whole(skeleton: bytes, start: int, end: int) -> bool:
    """Whether the string is a word of its own, at those of its ends that are letters or digits."""
    if start and skeleton[start] in _WORD and skeleton[start - 1] in _WORD:
        return False
    return end >= len(skeleton) or skeleton[end] not in _WORD or skeleton[end - 1] not in _WORD


def _lower(text: str) -> str:
    """In lower case, each character staying one: only the Turkish İ becomes two."""
    return text.replace("\u0130", "i").lower()


def _networks(written: Iterable[str], problems: list[Problem]) -> dict[int, dict[int, set[int]]]:
    found: dict[int, dict[int, set[int]]] = {4: {}, 6: {}}
    for text in written:
        try:
            net: Network = ipaddress.ip_network(text.strip(), strict=False)
        except ValueError:
            problems.append(_problem("own_networks", text, "write an address or a network, such as 192.0.2.0/24"))
            continue
        start = int(net.network_address) >> (net.max_prefixlen - net.prefixlen)
        found[net.version].setdefault(net.prefixlen, set()).add(start)
    return found


def _names(key: str, written: Iterable[str], problems: list[Problem]) -> frozenset[str]:
    names = {text: ascii_name(text.strip().strip(".")) for text in written}
    problems += [_problem(key, text, "write a name, such as example.com") for text, name in names.items() if not name]
    return frozenset(names.values())


def _strings(
    strings: Mapping[str, str], problems: list[Problem]
) -> tuple[list[tuple[str, str]], ahocorasick_rs.AhoCorasick]:
    known: dict[str, tuple[str, str]] = {}
    for text, type in strings.items():
        if len(text.strip()) < 2 or not _is_type(type):
            remedy = "a string has two characters at least, and its type is a word of letters, digits, - and _"
            problems.append(_problem("strings", f"{text!r} = {type!r}", remedy))
        else:
            known[_lower(text.strip())] = (_lower(text.strip()), type)
    return list(known.values()), ahocorasick_rs.AhoCorasick(known)


def _patterns(patterns: Sequence[tuple[str, str]], problems: list[Problem]) -> Iterator[tuple[str, "re2._Regexp"]]:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    for type, pattern in patterns:
        try:
            yield type, re2.compile(pattern.encode("latin-1"), options)
        except UnicodeEncodeError:
            problems.append(
                _problem("patterns", pattern, r"write letters of other scripts as \xff, which is any of them")
            )
        except re2.error as error:
            reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
            problems.append(_problem("patterns", pattern, f"RE2 cannot read it: {reason}"))
        else:
            if not _is_type(type):
                problems.append(_problem("patterns", type, "a type is a word of letters, digits, - and _"))


def _is_type(type: str) -> bool:
    return bool(type) and len(type) <= 64 and type.isascii() and type.replace("-", "").replace("_", "").isalnum()


def _problem(key: str, value: str, remedy: str) -> Problem:
    return Problem(file="entities", key=key, value=value, remedy=remedy)


DEFAULT = Known()
"""Private networks are own; no strings, no patterns."""
