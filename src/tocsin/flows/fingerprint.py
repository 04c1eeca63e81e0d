"""AID and Community ID of flows, as SQL for DuckDB: whole tables at once, with nothing but what DuckDB carries itself.

Both are SHA-1 over what names a flow, in base64, the same seen from either end:

    Community ID v1   "1:"  seed 0 (2 bytes)            | A | B | protocol | 0 | port A | port B
    AID               "2:"  seed 0 (2 bytes) | time (8) | A | B | protocol | 0 | port A | port B

Numbers are big-endian; an address has 4 or 16 bytes, protocol and the zero one byte each, ports two. A is the lower
address, or with equal addresses the end with the lower port. The time is the digits of the flow's start in seconds, as
one number: with six decimals these are microseconds since the epoch. Community ID: corelight/community-id-spec; AID:
stratosphereips/AID.

- Protocols are names in any case (`PROTOCOLS`) or numbers as text ("6").
- ICMP as Zeek has it: the source's port is the type; the other is the code, or the type of its answer. A type that has
  an answer goes both ways; any other belongs to its direction, so that A is the source.
- Zeek calls ICMPv6 "icmp" too. The AID of it takes protocol 1, as Slips does; Community ID takes 58, as Zeek does.
- Protocols other than TCP, UDP, SCTP and ICMP have no ports: given ones are left out, as the standard says.

Where something is missing or cannot be (no address, an address with a zone, two families, a port out of range, a name
that is not known) the fingerprint is the empty text.
"""

from collections.abc import Mapping

TCP, UDP, SCTP, ICMP, ICMP6 = 6, 17, 132, 1, 58

PROTOCOLS = {
    "tcp": TCP,
    "udp": UDP,
    "icmp": ICMP,
    "icmp6": ICMP6,
    "icmpv6": ICMP6,
    "ipv6-icmp": ICMP6,
    "sctp": SCTP,
    "igmp": 2,
    "ipencap": 4,
    "ipip": 4,
    "dccp": 33,
    "ipv6": 41,
    "rsvp": 46,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "eigrp": 88,
    "ospf": 89,
    "pim": 103,
    "vrrp": 112,
    "udplite": 136,
}
"""Number of each name that sensors write (IANA, protocol numbers), in the order in which they are looked for."""

_ICMP_ANSWERS = {8: 0, 13: 14, 15: 16, 10: 9, 17: 18}
_ICMP6_ANSWERS = {128: 129, 130: 131, 133: 134, 135: 136, 139: 140, 144: 145}

_COLUMNS = ("start", "saddr", "sport", "daddr", "dport", "proto")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_DOTTED = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
_GROUP = "[0-9A-Fa-f]{1,4}"
_FULL = f"(?:{_GROUP}:){{7}}{_GROUP}"
_SHORTENED = f"(?:{_GROUP}(?::{_GROUP})*)?::(?:{_GROUP}(?::{_GROUP})*)?"


def macros() -> list[str]:
    """Statements that give a DuckDB connection `aid` and `community_id`, both as text.

        aid(start, saddr, sport, daddr, dport, proto)
        community_id(saddr, sport, daddr, dport, proto)

    `start` is the number that is hashed: microseconds, or the digits of a time that was written with more decimals
    (at most 2^64 - 1). Addresses and the protocol are texts, ports are numbers. For a question now and then: over many
    rows `with_ids` is twice as fast.
    """
    names = [f"_{column}" for column in _COLUMNS]
    given = ", ".join(f"_{column} AS {column}" for column in _COLUMNS)
    timed = with_ids(f"SELECT {given}")
    untimed = with_ids(f"SELECT {given.replace('_start', '0', 1)}")
    return [
        f"CREATE OR REPLACE TEMP MACRO aid({', '.join(names)}) AS (SELECT aid FROM ({timed}))",
        f"CREATE OR REPLACE TEMP MACRO community_id({', '.join(names[1:])}) AS (SELECT community_id FROM ({untimed}))",
    ]


def with_ids(relation: str, *, start: str = "start") -> str:
    """A query whose rows are those of another, in their order, with `aid` and `community_id` beside them.

    `relation` has the columns saddr, daddr, proto (texts) and sport, dport (numbers), and none that begins with `fp_`;
    `start` is the number that is hashed, as SQL over them (see `macros`). Write the rows somewhere before they are
    grouped or searched by a fingerprint: there DuckDB works out every step again wherever it is used.
    """
    return f"""
WITH fp_read AS (
    SELECT *,
        TRY_CAST({start} AS UBIGINT) AS fp_time,
        {_protocol("proto")} AS fp_aid_proto,
        TRY_CAST(sport AS USMALLINT) AS fp_from, TRY_CAST(dport AS USMALLINT) AS fp_to,
        contains(saddr, ':') AND contains(daddr, ':') AS fp_v6,
        {_octets("saddr")} AS fp_s4, {_plain("saddr")} AS fp_s6,
        {_octets("daddr")} AS fp_d4, {_plain("daddr")} AS fp_d6
    FROM ({relation})
), fp_split AS (
    SELECT * REPLACE ({_groups("fp_s6")} AS fp_s6, {_groups("fp_d6")} AS fp_d6) FROM fp_read
), fp_numbered AS (
    SELECT *,
        CASE WHEN fp_v6 THEN {_sixteen("fp_s6")} ELSE {_four("fp_s4")} END AS fp_s,
        CASE WHEN fp_v6 THEN {_sixteen("fp_d6")} ELSE {_four("fp_d4")} END AS fp_d,
        {_ported("fp_aid_proto")} AS fp_ported,
        CASE WHEN fp_v6 AND fp_aid_proto = {ICMP} THEN {ICMP6} ELSE fp_aid_proto END AS fp_cid_proto
    FROM fp_split
), fp_answered AS (
    SELECT *, {_answer("fp_aid")}, {_answer("fp_cid")} FROM fp_numbered
), fp_turned AS (
    SELECT *, {_turn("fp_aid")}, {_turn("fp_cid")} FROM fp_answered
), fp_ordered AS (
    SELECT *, {_order("fp_aid")}, {_order("fp_cid")} FROM fp_turned
)
SELECT COLUMNS(lambda name: NOT starts_with(name, 'fp_')),
    {_hashed("2:", _timed_message("fp_aid"))} AS aid,
    {_hashed("1:", _message("fp_cid"))} AS community_id
FROM fp_ordered
"""


def _protocol(name: str) -> str:
    """Its number; the frequent spellings are found without a second look."""
    named = " ".join(f"WHEN '{known}' THEN {number}" for known, number in PROTOCOLS.items())
    return (
        f"CASE {name} WHEN 'tcp' THEN {TCP} WHEN 'udp' THEN {UDP} WHEN 'TCP' THEN {TCP} WHEN 'UDP' THEN {UDP}"
        f" ELSE CASE lower({name}) {named} ELSE CASE WHEN regexp_full_match({name}, '[0-9]{{1,3}}')"
        f" THEN TRY_CAST({name} AS UTINYINT) END END END::UTINYINT"
    )


def _octets(address: str) -> str:
    """The four numbers of an IPv4 address in the strict form (RFC 6943, section 3.1.1); NULL for any other text."""
    return f"CASE WHEN regexp_full_match({address}, '{_DOTTED}') THEN string_split({address}, '.')::UTINYINT[] END"


def _four(octets: str) -> str:
    """The number of an IPv4 address; a dot product of doubles, exact up to 2^53, is the fastest sum there is."""
    return f"list_dot_product({octets}::DOUBLE[], [16777216, 65536, 256, 1]::DOUBLE[])::UHUGEINT"


def _plain(address: str) -> str:
    """An IPv6 address in which an embedded IPv4 address is written as two groups (RFC 4291, section 2.2)."""
    last = f"string_split({address}, ':')[-1]"
    octets = ", ".join(f"({_octets(last)})[{i}]" for i in range(1, 5))
    return (
        f"CASE WHEN NOT contains({address}, ':') THEN NULL WHEN NOT contains({address}, '.') THEN {address}"
        f" ELSE left({address}, length({address}) - length({last})) || printf('%02x%02x:%02x%02x', {octets}) END"
    )


def _groups(plain: str) -> str:
    """The eight numbers of an IPv6 address; `::` stands for one zero or more. NULL for any other text."""
    groups = (
        f"length({plain}) - length(replace({plain}, ':', ''))"
        f" - starts_with({plain}, '::')::INTEGER - ends_with({plain}, '::')::INTEGER"
    )
    zeros = f"8 - ({groups})"
    full = (
        f"CASE WHEN NOT fp_v6 THEN NULL WHEN regexp_full_match({plain}, '{_FULL}') THEN {plain}"
        f" WHEN regexp_full_match({plain}, '{_SHORTENED}') AND {zeros} > 0"
        f" THEN trim(replace({plain}, '::', ':' || repeat('0:', {zeros})), ':') END"
    )
    return f"string_split('0x' || replace({full}, ':', ':0x'), ':')::USMALLINT[]"


def _sixteen(groups: str) -> str:
    """The number of an IPv6 address."""
    return "(" + " | ".join(f"({groups}[{i}]::UHUGEINT << {128 - 16 * i})" for i in range(1, 9)) + ")"


def _ported(protocol: str) -> str:
    """Whether flows of a protocol have ports, or what stands for them."""
    known = " ".join(f"WHEN {number} THEN true" for number in (TCP, UDP, ICMP, ICMP6, SCTP))
    return f"CASE {protocol} {known} ELSE false END"


def _answer(fp: str) -> str:
    """The type that answers an ICMP type, if any does."""
    four, six = _case(_ICMP_ANSWERS), _case(_ICMP6_ANSWERS)
    return f"CASE {fp}_proto WHEN {ICMP} THEN {four} WHEN {ICMP6} THEN {six} END AS {fp}_answer"


def _case(answers: Mapping[int, int]) -> str:
    pairs = {**answers, **{answer: asked for asked, answer in answers.items()}}
    return "CASE fp_from " + " ".join(f"WHEN {asked} THEN {answer}" for asked, answer in pairs.items()) + " END"


def _turn(fp: str) -> str:
    """Whether the flow goes from B to A."""
    return (
        f"({fp}_answer IS NOT NULL OR {fp}_proto NOT IN ({ICMP}, {ICMP6}))"
        f" AND (fp_s > fp_d OR (fp_s = fp_d AND fp_from > coalesce({fp}_answer, fp_to))) AS {fp}_turned"
    )


def _order(fp: str) -> str:
    """A, B, and what follows them: protocol, zero and ports as one number."""
    to = f"coalesce({fp}_answer, fp_to)::UBIGINT"
    ports = f"CASE WHEN {fp}_turned THEN ({to} << 16) | fp_from ELSE (fp_from::UBIGINT << 16) | {to} END"
    return (
        f"CASE WHEN {fp}_turned THEN fp_d ELSE fp_s END AS {fp}_a,"
        f" CASE WHEN {fp}_turned THEN fp_s ELSE fp_d END AS {fp}_b,"
        f" ({fp}_proto::UBIGINT << 40) | CASE WHEN fp_ported THEN {ports} ELSE 0 END AS {fp}_tail"
    )


def _message(fp: str) -> str:
    """What a Community ID hashes; the frequent case, 16 bytes, as one number."""
    return (
        f"CASE WHEN fp_ported AND NOT fp_v6"
        f" THEN ((((({fp}_a << 32) | {fp}_b) << 48) | {fp}_tail)::UUID::BLOB)"
        f" ELSE '\\x00\\x00'::BLOB || {_ends(fp)} END"
    )


def _timed_message(fp: str) -> str:
    """What an AID hashes; the frequent case, 24 bytes, as two numbers."""
    return (
        f"CASE WHEN fp_ported AND NOT fp_v6"
        f" THEN ((fp_time::UHUGEINT << 48) | ({fp}_a << 16) | ({fp}_b >> 16))::UUID::BLOB"
        f" || ((({fp}_b & 65535) << 48)::UBIGINT | {fp}_tail)::BIT::BLOB"
        f" ELSE '\\x00\\x00'::BLOB || fp_time::BIT::BLOB || {_ends(fp)} END"
    )


def _ends(fp: str) -> str:
    """Both addresses and what follows them, as bytes."""
    return (
        f"CASE WHEN fp_v6 THEN {fp}_a::UUID::BLOB || {fp}_b::UUID::BLOB"
        f" ELSE {fp}_a::UINTEGER::BIT::BLOB || {fp}_b::UINTEGER::BIT::BLOB END"
        f" || ({fp}_tail >> 32)::USMALLINT::BIT::BLOB"
        f" || CASE WHEN fp_ported THEN ({fp}_tail & 4294967295)::UINTEGER::BIT::BLOB ELSE ''::BLOB END"
    )


def _hashed(version: str, message: str) -> str:
    """The fingerprint of bytes; empty where there are none."""
    return f"coalesce('{version}' || base64(unhex(sha1({message}))), '')"
