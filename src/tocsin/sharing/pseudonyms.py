"""Keyed names in place of real ones: the same for the same, so that a partner can still correlate.

Addresses keep their common prefixes within a network (J. Xu, J. Fan, M. Ammar, S. Moon: "Prefix-preserving IP address
anonymization", ICNP 2002, with keyed BLAKE2 as the pseudo-random function), and move into space that nobody routes:
240.0.0.0/4 (RFC 1112, section 4) and 4000::/3 (unassigned by RFC 4291). So no pseudonym is ever an address of the
networks that are to be hidden.
"""

import functools
import hashlib
import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SPACE: dict[int, Network] = {4: ipaddress.IPv4Network("240.0.0.0/4"), 6: ipaddress.IPv6Network("4000::/3")}
NAMES = "redacted.invalid"
"""Where pseudonyms of names live: a name that never resolves (RFC 2606)."""


class Pseudonyms:
    """Pseudonyms under one key, for addresses of some networks and for any name."""

    def __init__(self, key: bytes, networks: Iterable[str] = ()) -> None:
        """Give each network its block of the space; the widest first, so that all lie on their bounds.

        Raises ValueError: a text is no network, or together they are wider than the space.
        """
        self._key = hashlib.blake2b(key, digest_size=32).digest()
        self._blocks: list[tuple[Network, int]] = []
        for version, space in SPACE.items():
            known = [net for net in map(ipaddress.ip_network, networks) if net.version == version]
            at = int(space.network_address)
            merged: list[Network] = list(ipaddress.collapse_addresses(known))  # type: ignore[type-var] # of one version
            for net in sorted(merged, key=lambda one: (one.prefixlen, int(one.network_address))):
                if net.overlaps(space):
                    raise ValueError(f"{net} overlaps {space}, where pseudonyms live")
                if at + net.num_addresses - 1 > int(space.broadcast_address):
                    raise ValueError(f"{net}: the networks are together wider than {space}, where pseudonyms live")
                self._blocks.append((net, at))
                at += net.num_addresses
        sixes = [net for net, _ in self._blocks if net.version == 6]
        self._sixes = [(int(net[0]) >> 112, int(net[-1]) >> 112) for net in sixes]
        self.address = functools.lru_cache(65536)(self._address)

    def holds(self, address: Address) -> bool:
        """Whether the address, or an IPv4 address it carries, lies in one of the networks."""
        return any(self._block(one) is not None for one in carried(address))

    def touches(self, net: Network) -> bool:
        """Whether the network has addresses in common with one of ours."""
        return any(net.version == own.version and net.overlaps(own) for own, _ in self._blocks)

    def first_octets(self) -> frozenset[int]:
        """The numbers with which an IPv4 address of ours may begin."""
        own = [net for net, _ in self._blocks if net.version == 4]
        return frozenset(
            octet
            for net in own
            for octet in range(net[0].packed[0], net[-1].packed[0] + 1)  # widest first: 16 a /4
        )

    def may_begin(self, group: str) -> bool:
        """Whether an IPv6 address of ours, or one that carries an IPv4 address of ours, may begin with that group."""
        if not group:
            return True
        if not 0 < len(group) <= 4 or not group.isalnum():
            return False
        number = int(group, 16)
        return number in _CARRYING or any(low <= number <= high for low, high in self._sixes)

    def _address(self, address: Address, length: int) -> str | None:
        """The pseudonym of an address, of whose bits the first `length` count (less for a network); None: not ours."""
        for one in carried(address):
            block = self._block(one)
            if block is not None:
                bits = length if one is address else one.max_prefixlen
                return str(type(one)(self._scrambled(one, bits, *block)))
        return None

    def _block(self, address: Address) -> tuple[Network, int] | None:
        return next(((net, at) for net, at in self._blocks if address.version == net.version and address in net), None)

    def _scrambled(self, address: Address, length: int, net: Network, at: int) -> int:
        bits = address.max_prefixlen
        number, found = int(address), 0
        for place in range(net.prefixlen, bits):
            bit = 0
            if place < length:
                prefix = number >> (bits - place)
                said = f"{bits}:{place}:{prefix:x}".encode()
                bit = (number >> (bits - place - 1)) & 1
                bit ^= hashlib.blake2b(said, key=self._key, digest_size=1).digest()[0] & 1
            found = found << 1 | bit
        return at + found

    def name(self, kind: str, value: str) -> str:
        """`host-3f9a2c71`: the same for the same value whatever the case of its letters; 64 bits of a keyed digest."""
        said = f"{kind}:{value.casefold()}".encode("utf-8", "surrogatepass")
        return f"{kind}-{hashlib.blake2b(said, key=self._key, digest_size=8).hexdigest()}"

    def host(self, name: str) -> str:
        """A host's pseudonym, a name that never resolves."""
        return f"{self.name('host', name)}.{NAMES}"

    def mail(self, address: str) -> str:
        """A mail address's pseudonym."""
        return f"{self.name('user', address)}@{NAMES}"


_CARRYING = frozenset((0, 0x64, 0x2001, 0x2002, 0xFE80))
"""First groups of addresses that carry others."""
_ISATAP = (0x00005EFE, 0x02005EFE)


def carried(address: Address) -> list[Address]:
    """The address, and the IPv4 addresses that an IPv6 one carries.

    RFC 4291 mapped and compatible, RFC 2765 translated, RFC 3056 6to4, RFC 4380 Teredo, RFC 5214 ISATAP, RFC 6052 and
    RFC 8215 NAT64.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    number = int(address)
    inner: list[Address] = [one for one in (address.ipv4_mapped, address.sixtofour) if one is not None]
    inner += address.teredo or ()
    nat64 = number >> 80 == 0x64FF9B0001
    if number >> 32 in (0, 0xFFFF << 16, 0x64FF9B << 64) or nat64 or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        inner.append(ipaddress.IPv4Address(number & 0xFFFFFFFF))
    return [address, *inner]
