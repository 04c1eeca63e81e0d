"""Addresses and networks as SQL over texts, with nothing but what DuckDB carries itself.

An address that is asked for alone is looked for in the spellings that sensors write (RFC 5952, and all eight groups
with or without leading zeros, in small or capital letters): a comparison of texts, which skips whole pieces of a file.
A span of addresses compares numbers, after a look at the beginning of the text that spares most of them the reading. An
IPv4 address carried in an IPv6 one (`::ffff:192.0.2.7`) is the IPv4 address.
"""

import ipaddress
from itertools import takewhile

from tocsin.flows import engine
from tocsin.query import addresses

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_DOTTED = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_GROUP = "[0-9A-Fa-f]{1,4}"
_GROUPS = f"(?:{_GROUP}(?::{_GROUP})*)?"
_MAPPED = 0xFFFF << 32
_LAST4, _LAST6 = (1 << 32) - 1, (1 << 128) - 1


def same(column: str, text: str) -> str:
    """Whether it is that address."""
    found = ipaddress.ip_address(text)
    wide = ipaddress.IPv6Address(_MAPPED + int(found)) if isinstance(found, ipaddress.IPv4Address) else found
    number = f"{int(wide):032x}"
    groups = [number[at : at + 4] for at in range(0, 32, 4)]
    spelled = [str(found), str(wide), ":".join(groups), ":".join(group.lstrip("0") or "0" for group in groups)]
    if wide is not found:
        spelled += [f"::ffff:{found}", f"::ffff:{groups[6].lstrip('0') or '0'}:{groups[7].lstrip('0') or '0'}"]
    every = dict.fromkeys([*spelled, *(one.upper() for one in spelled)])
    return f"{column} IN ({', '.join(map(engine.text, every))})"


def between(column: str, first: str, last: str) -> str:
    """Whether it lies between two keys of `query.addresses`, of one family, both included."""
    low, high = int(first[1:], 16), int(last[1:], 16)
    if low > high:
        return "false"
    carried = f"(starts_with({column}, ':') OR starts_with({column}, '0'))"
    if first[0] == "4":
        plain = f"{_beginning4(column, low, high)} AND {_number4(column)} BETWEEN {low} AND {high}"
        in6 = f"{carried} AND {_number6(column)} BETWEEN {_wide(_MAPPED + low)} AND {_wide(_MAPPED + high)}"
        return f"(({plain}) OR ({in6}))"
    found = f"{_beginning6(column, low, high)} AND {_number6(column)} BETWEEN {_wide(low)} AND {_wide(high)}"
    if low <= _MAPPED + _LAST4 and high >= _MAPPED:
        found += f" AND {_number6(column)} NOT BETWEEN {_wide(_MAPPED)} AND {_wide(_MAPPED + _LAST4)}"
    return f"({found})"


def after(key: str) -> str:
    """The key behind a key; behind the last one of a family there is none, and this lies behind every one."""
    return f"{key[0]}{int(key[1:], 16) + 1:0{len(key) - 1}x}"


def before(key: str) -> str | None:
    """The key before a key, if there is one."""
    number = int(key[1:], 16)
    return f"{key[0]}{number - 1:0{len(key) - 1}x}" if number else None


def whole(key: str) -> tuple[str, str]:
    """First and last key of a key's family."""
    return addresses.family(key)


def _wide(number: int) -> str:
    return f"{number}::UHUGEINT"


def _beginning4(column: str, low: int, high: int) -> str:
    """What every text of the span begins with."""
    octets = zip(low.to_bytes(4), high.to_bytes(4), strict=True)
    start = ""
    for one, other in octets:
        if one != other:
            break
        start += f"{one}."
    return f"starts_with({column}, '{start[:-1] if start.count('.') == 4 else start}')"


def _beginning6(column: str, low: int, high: int) -> str:
    """What every text of the span begins with, as far as no group of it can be left out, or at least has in it."""
    groups = [(low >> shift & 0xFFFF, high >> shift & 0xFFFF) for shift in range(112, -16, -16)]
    alike = list(takewhile(lambda pair: pair[0] == pair[1], groups))[:7]
    if alike and not alike[0][0]:
        return f"(starts_with({column}, ':') OR starts_with({column}, '0'))"
    begin = "".join(f"0*{one:x}:" for one, _ in takewhile(lambda pair: pair[0], alike))
    return f"regexp_matches({column}, '^(?i:{begin})')" if begin else f"contains({column}, ':')"


def _number4(text: str) -> str:
    """The number of an IPv4 address in the strict form (RFC 6943, section 3.1.1); NULL for any other text."""
    parts = " | ".join(f"(split_part({text}, '.', {at})::UBIGINT << {32 - 8 * at})" for at in (1, 2, 3, 4))
    return f"CASE WHEN regexp_full_match({text}, '{_DOTTED}') THEN {parts} END"


def _number6(text: str) -> str:
    """The number of an IPv6 address (RFC 4291, section 2.2); NULL for any other text."""
    tail = f"split_part({text}, ':', -1)"
    octets = ", ".join(f"split_part({tail}, '.', {at})::INTEGER" for at in (1, 2, 3, 4))
    plain = (
        f"CASE WHEN NOT contains({text}, '.') THEN {text} WHEN regexp_full_match({tail}, '{_DOTTED}')"
        f" THEN left({text}, length({text}) - length({tail})) || printf('%02x%02x:%02x%02x', {octets}) END"
    )
    left, right = (f"list_filter(string_split(split_part(g, '::', {at}), ':'), lambda h: h <> '')" for at in (1, 2))
    groups = (
        f"CASE WHEN regexp_full_match(g, '(?:{_GROUP}:){{7}}{_GROUP}') THEN string_split(g, ':')"
        f" WHEN regexp_full_match(g, '{_GROUPS}::{_GROUPS}') AND len({left}) + len({right}) < 8"
        f" THEN {left} || list_resize([]::VARCHAR[], 8 - len({left}) - len({right}), '0') || {right} END"
    )
    digits = f"array_to_string(list_transform({groups}, lambda h: lpad(h, 4, '0')), '')"
    number = f"CASE WHEN contains(g, ':') THEN TRY_CAST('0x' || {digits} AS UHUGEINT) END"
    return f"list_transform([{plain}], lambda g: {number})[1]"
