"""AID and Community ID, against worked examples and against the libraries that define them."""

import base64
import hashlib
import ipaddress
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import aid_hash
import communityid
import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.flows import fingerprint

Duck = duckdb.DuckDBPyConnection

PORTED = {"tcp": 6, "udp": 17, "icmp": 1, "icmp6": 58, "sctp": 132}


class Flow(NamedTuple):
    start: int | None
    saddr: str | None
    sport: int | None
    daddr: str | None
    dport: int | None
    proto: str | None

    def turned(self) -> "Flow":
        return self._replace(saddr=self.daddr, sport=self.dport, daddr=self.saddr, dport=self.sport)


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    connection.execute(
        "CREATE TABLE flow (line INTEGER, start UBIGINT, saddr VARCHAR, sport INTEGER, daddr VARCHAR,"
        " dport INTEGER, proto VARCHAR)"
    )
    for statement in fingerprint.macros():
        connection.execute(statement)
    yield connection
    connection.close()


def ids(duck: Duck, flows: Sequence[Flow]) -> list[tuple[str, str]]:
    """AID and Community ID of each."""
    duck.execute("DELETE FROM flow")
    duck.executemany("INSERT INTO flow VALUES (?, ?, ?, ?, ?, ?, ?)", [(i, *flow) for i, flow in enumerate(flows)])
    rows = duck.execute(fingerprint.with_ids("SELECT * FROM flow ORDER BY line")).fetchall()
    assert [row[0] for row in rows] == list(range(len(flows)))
    return [(aid, community) for *_, aid, community in rows]


# Slips' documentation and data, and flows worked out by hand: what is hashed stands beside it where it is known.
EXAMPLES = [
    (Flow(1680807896789000, "192.168.1.1", 12345, "192.168.1.2", 80, "tcp"), "2:QvutQFnBACLoMzzMRnfCDeD9p2Q="),
    (Flow(1680862520123000, "10.0.0.1", 53, "8.8.8.8", 53, "udp"), "2:oEZri3S+HOEAIC9NpaI+YymWO5g="),
    (Flow(1680971400000000, "172.16.1.100", 8, "172.16.1.1", 0, "icmp"), "2:XVH75J7X132sIZ4YUqF1bvnwsAg="),
    (Flow(1700000000000001, "10.0.0.5", 51000, "93.184.216.34", 443, "tcp"), "2:caHNsYNEDZEcpV54lWBHbFJe3cc="),
    (Flow(1700000000000001, "93.184.216.34", 443, "10.0.0.5", 51000, "tcp"), "2:caHNsYNEDZEcpV54lWBHbFJe3cc="),
    (Flow(1700000000000001, "2001:db8::1", 51000, "2001:db8::2", 443, "tcp"), "2:8+pmtGVqpFMImk7P0i8nJFqyH2Y="),
    (Flow(1700000000000001, "2001:db8::2", 443, "2001:db8::1", 51000, "tcp"), "2:8+pmtGVqpFMImk7P0i8nJFqyH2Y="),
    (Flow(1700000000000001, "10.0.0.5", 3, "10.0.0.9", 3, "icmp"), "2:vHpoOWkKB69rpztDu8R5sszC3/o="),
    (Flow(1700000000000001, "10.0.0.9", 3, "10.0.0.5", 3, "icmp"), "2:5xwUy68tfVN0OzpwNDsB7nVnpQ4="),
    (Flow(1700000000000001, "10.0.0.5", 2000, "10.0.0.5", 1000, "udp"), "2:mUQCUswRctAErEePVz2X8CshTIw="),
    (Flow(1700000000000001, "fe80::1", 135, "fe80::2", 0, "icmp6"), "2:RMX4lc3/WoLAYtg+RVeu9gN50Ek="),
    (Flow(1700000000000001, "10.0.0.5", 5000, "10.0.0.9", 6000, "sctp"), "2:dkPFyVrpnx2EN6f4B2zdXHJhaaA="),
    (Flow(1700000000000001, "10.0.0.5", None, "10.0.0.9", None, "gre"), "2:HjdwsOFg7ZulrqPZ1A1nlmlsrEw="),
    (Flow(1700000000000001, "10.0.0.5", 0, "10.0.0.9", 0, "47"), "2:HjdwsOFg7ZulrqPZ1A1nlmlsrEw="),
    (Flow(1677024003714845, "192.168.1.107", 65164, "66.63.168.35", 5888, "tcp"), "2:e8dvyLklKok9UtBWeD13nz4KFaA="),
    (Flow(30043784, "10.0.2.15", 49158, "195.113.232.73", 80, "tcp"), "2:4AEEqydRN7H7Ng1pz+Hpkm3YvHI="),
    (Flow(18836741, "::", 135, "ff02::1:ff4a:14f7", 136, "icmp"), "2:0kNKGu7FCQLMWUdbfZETEmaaLEY="),
    (Flow(1622990335855844, "192.168.1.132", 1900, "192.168.1.129", 44232, "udp"), "2:htag1o/2Z9/UIS8eVRRn5KXFxD8="),
    (Flow(1554394980325010, "10.8.0.69", 48427, "8.8.8.8", 53, "udp"), "2:Q6UA8i56I8tP8EZXabk1yOrGR0o="),
]

HASHED = [
    ("00000005f8af959fb008c0a80101c0a80102060030390050", "2:QvutQFnBACLoMzzMRnfCDeD9p2Q="),
    ("00000005f8bc4d6d9e78080808080a000001110000350035", "2:oEZri3S+HOEAIC9NpaI+YymWO5g="),
    ("00000005f8d5a72cb200ac100101ac100164010000000008", "2:XVH75J7X132sIZ4YUqF1bvnwsAg="),
    ("000000060a24181e40010a0000055db8d8220600c73801bb", "2:caHNsYNEDZEcpV54lWBHbFJe3cc="),
]

COMMUNITY = [  # corelight/community-id-spec, the baseline of its test vectors
    (Flow(0, "128.232.110.120", 34855, "66.35.250.204", 80, "tcp"), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (Flow(0, "192.168.1.52", 54585, "8.8.8.8", 53, "udp"), "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (Flow(0, "192.168.170.8", 7, "192.168.170.56", 80, "sctp"), "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="),
    (Flow(0, "192.168.0.89", 8, "192.168.0.1", 0, "icmp"), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    (
        Flow(0, "fe80::200:86ff:fe05:80da", 135, "fe80::260:97ff:fe07:69ea", 0, "icmp6"),
        "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=",
    ),
]


@pytest.mark.parametrize(("flow", "aid"), EXAMPLES)
def test_every_worked_example_has_the_aid_that_slips_gives_it(duck: Duck, flow: Flow, aid: str) -> None:
    assert ids(duck, [flow])[0][0] == aid


@pytest.mark.parametrize(("hashed", "aid"), HASHED)
def test_the_worked_examples_hash_the_bytes_that_are_written_beside_them(hashed: str, aid: str) -> None:
    assert "2:" + base64.b64encode(hashlib.sha1(bytes.fromhex(hashed)).digest()).decode() == aid
    assert aid in [known for _, known in EXAMPLES]


@pytest.mark.parametrize(("flow", "community"), COMMUNITY)
def test_the_standard_s_own_flows_have_its_community_ids(duck: Duck, flow: Flow, community: str) -> None:
    assert ids(duck, [flow])[0][1] == community


def test_icmp_over_ipv6_is_slips_icmp_in_an_aid_and_the_standard_s_icmpv6_in_a_community_id(duck: Duck) -> None:
    zeek = Flow(18836741, "::", 135, "ff02::1:ff4a:14f7", 136, "icmp")
    (aid, community), (standard_aid, standard_community) = ids(duck, [zeek, zeek._replace(proto="icmp6")])
    assert aid == "2:0kNKGu7FCQLMWUdbfZETEmaaLEY=" != standard_aid
    assert community == standard_community != ""


@pytest.mark.parametrize(
    "names",
    [
        ("tcp", "TCP", "Tcp", "6", "006"),
        ("icmp6", "IPv6-ICMP", "ICMPv6", "58"),
        ("sctp", "SCTP", "132"),
        ("gre", "GRE", "47"),
        ("icmp", "ICMP", "1"),
    ],
)
def test_a_protocol_is_the_same_by_any_of_its_names_and_by_number(duck: Duck, names: tuple[str, ...]) -> None:
    flow = Flow(1, "2001:db8::9", 4, "2001:db8::1", 5, None)
    assert len(set(ids(duck, [flow._replace(proto=name) for name in names]))) == 1


def test_ports_of_a_protocol_that_has_none_are_left_out(duck: Duck) -> None:
    flow = Flow(1, "10.0.0.5", 0, "10.0.0.9", 0, "esp")
    portless, other, none = ids(
        duck, [flow, flow._replace(sport=7, dport=70_000), flow._replace(sport=None, dport=None)]
    )
    assert portless == other == none


def test_a_time_with_more_decimals_is_hashed_as_its_digits(duck: Duck) -> None:
    ((aid, _),) = ids(duck, [Flow(17000000000000015, "10.0.0.5", 1, "10.0.0.9", 2, "tcp")])
    tuple_ = aid_hash.FlowTuple(6, "1700000000.0000015", "10.0.0.5", "10.0.0.9", 1, 2)
    assert aid == aid_hash.AID().calc(tuple_)


BAD_ADDRESSES = [
    *(None, "", " ", "-", "10.0.0", "10.0.0.1.2", "10.0.0.256", "10.0.0.01", "010.0.0.1", "10.0.0.1 ", " 10.0.0.1"),
    *("+1.0.0.1", "1e1.0.0.1", "0x1.0.0.1", "10.0.0.", "10..0.1", "10.0.0.1\n", "١.0.0.1", "167772161", ":", ":::"),
    *("1::2::3", "fe80::1%eth0", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "1::2:3:4:5:6:7:8"),
    *("::1:2:3:4:5:6:7:8", ":1::2", "1::2:", "1:2:3:4:5:6:7:", ":2:3:4:5:6:7:8", "12345::", "g::1", "::1.2.3"),
    *("::1.2.3.256", "::1.2.3.4:5", "1.2.3.4::", "::01.2.3.4", "::1.2.3.4.5", "1:2:3:4:5:6:7:1.2.3.4", "[::1]", "::/0"),
    *("00:11:22:33:44:55", "0x1::", "::-1", "::+1", ":: 1"),
]


def test_what_is_no_address_gives_no_fingerprint(duck: Duck) -> None:
    for good in ("10.0.0.9", "2001:db8::1"):
        bad = [Flow(1, address, 1, good, 2, "tcp") for address in BAD_ADDRESSES]
        assert [flow for flow, found in zip(bad, ids(duck, bad), strict=True) if found != ("", "")] == []
        bad = [flow.turned() for flow in bad]
        assert [flow for flow, found in zip(bad, ids(duck, bad), strict=True) if found != ("", "")] == []


def test_ends_of_two_families_give_no_fingerprint(duck: Duck) -> None:
    mixed = Flow(1, "10.0.0.9", 1, "2001:db8::1", 2, "tcp")
    assert ids(duck, [mixed, mixed.turned(), mixed._replace(proto="gre")]) == [("", "")] * 3


@pytest.mark.parametrize(
    "proto", [None, "", "-", "arp", "rtp", "256", "-1", "6.0", " 6", "6e0", "0x6", "1000", "unknown_transport"]
)
def test_an_unknown_protocol_gives_no_fingerprint(duck: Duck, proto: str | None) -> None:
    assert ids(duck, [Flow(1, "10.0.0.9", 1, "10.0.0.1", 2, proto)]) == [("", "")]


@pytest.mark.parametrize("port", [None, -1, 65536])
def test_a_port_that_is_missing_or_cannot_be_gives_no_fingerprint(duck: Duck, port: int | None) -> None:
    flow = Flow(1, "10.0.0.9", 1, "10.0.0.1", port, "tcp")
    six = flow._replace(saddr="::1", daddr="::2")
    assert ids(duck, [flow, flow.turned(), six, six.turned()]) == [("", "")] * 4


def test_without_a_time_there_is_a_community_id_and_no_aid(duck: Duck) -> None:
    flow = Flow(None, "10.0.0.9", 1, "10.0.0.1", 2, "tcp")
    assert [(aid, bool(community)) for aid, community in ids(duck, [flow, flow._replace(saddr="::", daddr="::1")])] == [
        ("", True),
        ("", True),
    ]
    before = "SELECT -1 AS start, '10.0.0.9' AS saddr, 1 AS sport, '10.0.0.1' AS daddr, 2 AS dport, 'tcp' AS proto"
    assert duck.execute(f"SELECT aid FROM ({fingerprint.with_ids(before)})").fetchall() == [("",)]


def test_the_macros_say_the_same_as_whole_tables(duck: Duck) -> None:
    flows = [flow for flow, _ in EXAMPLES] + [Flow(1, None, 1, "10.0.0.9", 2, "tcp")]
    wanted = ids(duck, flows)
    assert (
        wanted
        == duck.execute(
            "SELECT aid(start, saddr, sport, daddr, dport, proto), community_id(saddr, sport, daddr, dport, proto)"
            " FROM flow ORDER BY line"
        ).fetchall()
    )


def test_other_columns_stay_and_the_time_may_be_worked_out(duck: Duck) -> None:
    relation = (
        "SELECT 'C1' AS uid, 30.043784 AS ts,"
        " '10.0.2.15' AS saddr, 49158 AS sport, '195.113.232.73' AS daddr, 80 AS dport, 'tcp' AS proto"
    )
    found = duck.execute(fingerprint.with_ids(relation, start="ts * 1000000"))
    assert [column[0] for column in found.description or ()] == [
        "uid",
        "ts",
        "saddr",
        "sport",
        "daddr",
        "dport",
        "proto",
        "aid",
        "community_id",
    ]
    assert found.fetchall()[0][-2] == "2:4AEEqydRN7H7Ng1pz+Hpkm3YvHI="


def test_every_step_is_taken_once_and_not_written_out_again_in_each_later_one(duck: Duck) -> None:
    """DuckDB puts steps together where it thinks that it pays; with these it made the whole ten times slower."""
    query = f"CREATE TEMP TABLE kept AS {fingerprint.with_ids('FROM flow')}"
    plan = duck.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()
    for step in ("fp_s4", "fp_s", "fp_aid_answer", "fp_aid_turned", "fp_aid_a"):
        assert f'"{step}"' in plan[0][1]


addresses4 = st.ip_addresses(v=4).map(str)


@st.composite
def addresses6(draw: st.DrawFn) -> str:
    """An IPv6 address in any of its forms (RFC 4291, section 2.2)."""
    groups = draw(st.lists(st.sampled_from([0, 0, 1, 0xDB8, 0xFFFF]) | st.integers(0, 0xFFFF), min_size=8, max_size=8))
    last: list[str] = []
    if draw(st.booleans()):
        last, groups = [f"{groups[6] >> 8}.{groups[6] & 255}.{groups[7] >> 8}.{groups[7] & 255}"], groups[:6]
    words = [draw(st.sampled_from([f"{group:x}", f"{group:X}", f"{group:04x}"])) for group in groups]
    begin = draw(st.integers(0, len(words)))
    end = begin
    while end < len(words) and groups[end] == 0 and draw(st.integers(0, 9)):
        end += 1
    text = ":".join(words + last)
    if end > begin:
        text = ":".join(words[:begin]) + "::" + ":".join(words[end:] + last)
    ipaddress.IPv6Address(text)
    return text


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    address = draw(st.sampled_from([addresses4, addresses6()]))
    pool = [draw(address), draw(address)]
    port = st.integers(0, 65535) | st.integers(0, 20) | st.integers(125, 150)
    proto = draw(st.sampled_from([*PORTED, *map(str, PORTED.values()), "47", "0", "255"]))
    start = draw(st.integers(0, 2**63 - 1))
    return Flow(start, pool[0], draw(port), draw(st.sampled_from(pool)), draw(port), proto)


def by_the_libraries(flow: Flow) -> tuple[str | None, str | None]:
    assert flow.start is not None
    assert flow.proto is not None
    assert flow.saddr is not None
    number = PORTED.get(flow.proto) or int(flow.proto)
    standard = 58 if number == 1 and ":" in flow.saddr else number
    rest = (flow.saddr, flow.daddr, *((flow.sport, flow.dport) if number in PORTED.values() else ()))
    time = f"{flow.start // 1_000_000}.{flow.start % 1_000_000:06}"
    aid = aid_hash.AID().calc(aid_hash.FlowTuple(number, time, *rest))
    return aid, communityid.CommunityID().calc(communityid.FlowTuple(standard, *rest))


@settings(deadline=None, max_examples=30)
@given(st.lists(flows(), min_size=20, max_size=60))
def test_any_flow_has_the_fingerprints_of_both_libraries_from_either_end(duck: Duck, some: list[Flow]) -> None:
    both = some + [flow.turned() for flow in some]
    assert ids(duck, both) == [by_the_libraries(flow) for flow in both]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(alphabet="0123456789abcdefABCDEF:.%x ", max_size=20), min_size=20, max_size=60))
def test_any_text_is_an_address_to_us_if_it_is_one_to_the_standard_library(duck: Duck, texts: list[str]) -> None:
    found = ids(duck, [Flow(1, text, 1, text, 2, "tcp") for text in texts])
    assert [community != "" for _, community in found] == [_is_address(text) for text in texts]


def _is_address(text: str) -> bool:
    try:
        return getattr(ipaddress.ip_address(text), "scope_id", None) is None
    except ValueError:
        return False
