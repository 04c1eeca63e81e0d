"""IPv4, IPv6, networks and MAC addresses in their one form (RFC 5952 for IPv6)."""

import functools
import ipaddress
import socket

HEX = frozenset("0123456789abcdefABCDEF")
DIGITS = frozenset("0123456789")
FINGERPRINTS = {16: "md5", 20: "sha1", 32: "sha256", 64: "sha512"}
"""Pairs with colons between them, as certificates' fingerprints are written."""


def ipv4(labels: list[str]) -> str:
    """Four decimal numbers up to 255 as an address, or "". `010` is ten, as SCOT reads it."""
    if len(labels) != 4:
        return ""
    text = ".".join(labels)
    try:
        socket.inet_pton(socket.AF_INET, text)  # knows the plain form, in a tenth of the time
    except (OSError, ValueError):
        pass
    else:
        return text
    text = "".join(labels)
    if not text.isdecimal() or not text.isascii() or not all(0 < len(label) <= 3 for label in labels):
        return ""
    numbers = list(map(int, labels))
    return ".".join(map(str, numbers)) if max(numbers) < 256 else ""


@functools.lru_cache(2048)
def ipv6(text: str) -> str:
    """An address in RFC 5952's form, one that carries an IPv4 address written with it, or ""."""
    try:
        packed = socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return ""
    shown = socket.inet_ntop(socket.AF_INET6, packed)
    if "." in shown or shown.startswith("::ffff:"):  # systems differ on which of them hold an IPv4 address
        parsed = ipaddress.IPv6Address(packed)
        return f"::ffff:{parsed.ipv4_mapped}" if parsed.ipv4_mapped else parsed.compressed
    return shown


@functools.lru_cache(2048)
def network(address: str, prefix: str) -> tuple[str, bool]:
    """`10.1.2.3` and `8` as `10.0.0.0/8` and whether the address has bits of its own; ("", False) if too long."""
    if int(prefix) > (128 if ":" in address else 32):
        return "", False
    net = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
    first = f"::ffff:{mapped}" if (mapped := getattr(net.network_address, "ipv4_mapped", None)) else net.network_address
    return f"{first}/{net.prefixlen}", net.network_address != ipaddress.ip_address(address)


def mac(digits: str) -> str:
    """Twelve hexadecimal digits as six lower-case pairs with colons."""
    digits = digits.lower()
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def with_colons(text: str) -> tuple[str, str, int, int] | None:
    """What a plain run of words with colons between them holds: type, value and where in it, or None.

    Words that are no part of an address may stand before and behind it: `src:2001:db8::1`, `2001:db8::1:https`.
    A full address may be followed by a port: `2001:db8:0:0:0:0:0:1:443`, as Suricata writes it, or with a dot, as the
    tools of BSD do.
    """
    head, _, tail = text.partition(".")
    words = (text if tail.count(".") == 2 else head).split(":")
    first, last = _longest(words)
    start = sum(len(word) + 1 for word in words[:first])
    kept = words[first:last]
    if (first and kept and not kept[0]) or (last < len(words) and kept and not kept[-1]):
        return None  # `std::ab1`: the colons belong to the word that is no part of an address
    if len(kept) > 2 and kept[-1] == "" and kept[-2] != "":
        kept.pop()  # a colon behind the address
    elif len(kept) > 2 and kept[0] == "" and kept[1] != "":
        kept, start = kept[1:], start + 1
    end = start + sum(len(word) + 1 for word in kept) - 1
    if kept and all(len(word) == 2 for word in kept):
        digits = "".join(kept)
        if len(kept) == 6:
            return "mac", mac(digits), start, end
        return (FINGERPRINTS[len(kept)], digits.lower(), start, end) if len(kept) in FINGERPRINTS else None
    if len(kept) == 9 and "" not in kept and DIGITS.issuperset(kept[8]):
        end -= len(kept.pop()) + 1
    value = _address(kept)
    return ("ipv6", value, start, end) if value else None


def _address(words: list[str]) -> str:
    if words == ["", "", ""]:
        return "::"
    if not any(words) or len(words) < 3 or ("" not in words and len(words) != 8 and "." not in words[-1]):
        return ""
    if sum(map(bool, words)) < 3 and DIGITS.isdisjoint("".join(words)):
        return ""  # `dead::beef`, `a::b`: as likely the name of something in a program
    return ipv6(":".join(words))


def _longest(words: list[str]) -> tuple[int, int]:
    """The longest row of words that may be parts of an address."""
    best, first = (0, 0), 0
    for at, word in enumerate([*words, "?"]):
        dotted = "." in word and at == len(words) - 1
        if dotted or (len(word) <= 5 and HEX.issuperset(word) and (len(word) < 5 or word.isdecimal())):
            continue
        if at - first > best[1] - best[0]:
            best = (first, at)
        first = at + 1
    return best
