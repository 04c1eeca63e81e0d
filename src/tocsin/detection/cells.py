"""Single values of a row in normal form: addresses, host names, ports, MACs, URLs, mail addresses, protocols.

Each reader takes one scalar and gives the value or nothing. What it cannot read is nothing, never a guess.
"""

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

BLANKS = frozenset(
    ("", "-", "--", "?", "(empty)", "n/a", "na", "none", "null", "nil", "unknown", "undefined", "any", "failed")
)
"""What detectors write for nothing; Zeek's unset `-` and `(empty)`, Suricata's `failed` among them."""
LONGEST_BLANK = max(map(len, BLANKS))

PROTOCOLS = {
    "1": "icmp", "2": "igmp", "4": "ipip", "6": "tcp", "17": "udp", "41": "ipv6", "47": "gre", "50": "esp", "51": "ah",
    "58": "ipv6-icmp", "88": "eigrp", "89": "ospf", "103": "pim", "112": "vrrp", "132": "sctp", "136": "udplite",
}  # fmt: skip
"""IANA protocol numbers that alerts carry."""

WITHOUT_PORTS = frozenset(("icmp", "icmp6", "icmpv6", "ipv6-icmp", "igmp"))
"""Where a sensor's port columns hold an ICMP type and code."""

MAC = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}")
HOSTNAME = re.compile(r"(?=.{1,253}\Z)(?!-)[\w-]{1,63}(?<!-)(?:\.(?!-)[\w-]{1,63}(?<!-))*")
HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s\x00-\x20\"<>]{1,8000}")
EMAIL = re.compile(r"[^\s\x00-\x20<>@,;:\"()]{1,64}@(?=.{1,253}\Z)[\w-]+(?:\.[\w-]+)*")
PROTOCOL = re.compile(r"(?=[^a-z]*[a-z])[a-z0-9][a-z0-9._+-]{0,31}", re.ASCII)
ADDRESS_PORT = re.compile(r"(?:\[([^\]\s]+)\]|([0-9.]{7,15})):(\d{1,5})", re.ASCII)
IPV6_CHARACTERS = frozenset("0123456789abcdefABCDEF:.")


def scalars(cell: Any) -> Sequence[str | int | float]:
    """A cell's values: text without surrounding space, numbers; blanks, booleans and nested things left out."""
    if type(cell) is str:
        text = cell.strip()
        return () if len(text) <= LONGEST_BLANK and text.lower() in BLANKS else (text,)
    if isinstance(cell, list):
        return [value for item in cell if not isinstance(item, list) for value in scalars(item)]
    return (cell,) if isinstance(cell, int | float) and not isinstance(cell, bool) else ()


def texts(cell: Any) -> list[str]:
    """A cell's values as text, one for each line of it (Splunk joins multi values with line feeds)."""
    found: list[str] = []
    for value in scalars(cell):
        if isinstance(value, str):
            if "\n" not in value:
                found.append(value)
            else:
                found += [text for line in value.splitlines() for text in texts(line)]
        elif value == value // 1:
            found.append(str(int(value)))
    return found


@lru_cache(16384)
def address(text: str) -> str:
    """An IP address in canonical text (RFC 5952 for IPv6, without a zone), or ""."""
    if ":" not in text:
        if text.count(".") != 3:
            return ""
        try:
            return str(ipaddress.IPv4Address(text))
        except ValueError:
            return ""
    text = text.partition("%")[0].removeprefix("[").removesuffix("]")
    if not IPV6_CHARACTERS.issuperset(text):
        return ""
    try:
        parsed = ipaddress.IPv6Address(text)
    except ValueError:
        return ""
    # RFC 5952 section 5: an address known to carry an IPv4 one is written with it.
    return f"::ffff:{parsed.ipv4_mapped}" if parsed.ipv4_mapped else parsed.compressed


@lru_cache(4096)
def address_and_port(text: str) -> tuple[str, int | None]:
    """`192.0.2.7:80` or `[2001:db8::1]:80` (Snort's `src_ap`), or ("", None)."""
    parts = ADDRESS_PORT.fullmatch(text)
    if parts is None:
        return "", None
    return address(parts[1] or parts[2]), port(parts[3])


def port(value: str | float) -> int | None:
    """A port from a number, decimal text or hexadecimal text with `0x`, or None."""
    if isinstance(value, str):
        try:
            number = int(value, 16) if value[:2].lower() == "0x" else int(value)
        except ValueError:
            return None
        if not value.isalnum():
            return None
    elif value == value // 1:
        number = int(value)
    else:
        return None
    return number if 0 <= number <= 65535 else None


def mac(text: str) -> str:
    """A MAC address as six lower-case pairs with colons, or ""."""
    text = text.lower()
    if not MAC.fullmatch(text):
        return ""
    digits = re.sub(r"[^0-9a-f]", "", text)
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


@lru_cache(4096)
def hostname(text: str) -> str:
    """A host name in lower case without the closing dot, or ""."""
    name = text.removesuffix(".").lower()
    if not HOSTNAME.fullmatch(name) or name in BLANKS or HASH.fullmatch(name):
        return ""
    last = name.rpartition(".")[2]
    return name if any(map(str.isalpha, last)) or (name == last and any(map(str.isalpha, name))) else ""


def url(text: str) -> str:
    """An absolute URL as written, or ""."""
    return text if URL.fullmatch(text) else ""


def email(text: str) -> str:
    """The mail address of `bob@example.com` or `Bob <bob@example.com>`, its host in lower case, or ""."""
    _, opened, rest = text.rpartition("<")
    bare = rest.removesuffix(">").strip() if opened else text
    if not EMAIL.fullmatch(bare):
        return ""
    local, _, host = bare.rpartition("@")
    return f"{local}@{host.lower()}"


@lru_cache(1024)
def protocols(text: str) -> tuple[str, ...]:
    """The protocols of `TCP`, `6`, `tcp/http` or Zeek's `ssl,http`, in lower case."""
    names = (PROTOCOLS.get(part.strip(), part.strip()) for part in re.split(r"[,/\s]+", text.lower()))
    return tuple(name for name in names if PROTOCOL.fullmatch(name) and name not in BLANKS and name[:7] != "unknown")
