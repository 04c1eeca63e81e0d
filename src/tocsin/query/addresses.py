"""Addresses and networks as spans of keys that sort as text, so that containment is two comparisons.

A key is the family and the address in hexadecimal: `4c0000207`, `620010db8…`. An IPv4 address carried in an IPv6 one
(`::ffff:192.0.2.7`) is the IPv4 address.
"""

import ipaddress
import re
from functools import lru_cache

_CHARACTERS = re.compile(r"[0-9a-fA-F:.]{2,45}(?:/[0-9]{1,3})?", re.ASCII)
_MAPPED = int(ipaddress.IPv6Address("::ffff:0:0"))
Span = tuple[str, str]
"""First and last key; the same for a single address."""


@lru_cache(16384)
def span(text: str) -> Span | None:
    """The span of an address or a network (bits behind the prefix are ignored), or None for any other text."""
    if not _CHARACTERS.fullmatch(text) or ("." not in text and ":" not in text):
        return None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.version == 6 and first >= _MAPPED and last < _MAPPED + (1 << 32):
        first, last, version = first - _MAPPED, last - _MAPPED, 4
    else:
        version = network.version
    return _key(version, first), _key(version, last)


def _key(version: int, number: int) -> str:
    return f"{version}{number:0{8 if version == 4 else 32}x}"


def canonical(text: str) -> str:
    """An address or network that `span` can read in one spelling, without the prefix of a single address."""
    network = ipaddress.ip_network(text, strict=False)
    single = network.num_addresses == 1
    address: ipaddress.IPv4Address | ipaddress.IPv6Address = network.network_address
    prefix = network.prefixlen
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped and prefix >= 96:
        address, prefix = address.ipv4_mapped, prefix - 96
    return str(address) if single else f"{address}/{prefix}"


def family(key: str) -> Span:
    """The span of the whole family of a key."""
    return (_key(4, 0), _key(4, (1 << 32) - 1)) if key.startswith("4") else (_key(6, 0), _key(6, (1 << 128) - 1))


def within(inner: Span, outer: Span) -> bool:
    """Whether all of `inner` lies in `outer`."""
    return outer[0] <= inner[0] and inner[1] <= outer[1]
