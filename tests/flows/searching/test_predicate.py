"""The SQL of a query means the flows that trying each of them one by one means."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neighbours.flows import Row, lay, means
from neighbours.labels import between, naive, told, triaged
from tocsin.flows.dataset import Dataset
from tocsin.flows.kinds import KINDS
from tocsin.flows.labelling.prepared import Options
from tocsin.flows.searching import addresses
from tocsin.flows.searching.asked import asked
from tocsin.flows.searching.counting import Count, count
from tocsin.flows.searching.fields import FLOWS, LABELLED
from tocsin.flows.searching.paging import MOST, search
from tocsin.flows.searching.warm import Warm
from tocsin.model import Detection
from tocsin.query import parse, tree
from tocsin.query.addresses import span, within
from tocsin.query.fields import Field, Kind
from tocsin.query.tree import Exists, Is, Node, Range, Ref, Words
from tocsin.query.values import Date, Glob, Network, Number, Phrase, Regex, Text

S = 1_000_000
NOW = 1_700_000_000 * S
ADDRESSES = (
    "10.0.0.1", "10.0.0.9", "10.200.3.4", "172.16.0.1", "192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "2001:DB8::FF",
    "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8:0:0:0:0:0:9", "fe80::1", "::1", "::", "10.0.0.300", "10.1",
    "not.an.address", "fe80::1%eth0", "::ffff:c000:207", "1:2:3:4:5:6:7:8", "1::3:4:5:6:7:8", "64:ff9b::192.0.2.7",
)  # fmt: skip
NETWORKS = (
    "10.0.0.0/8", "10.0.0.0/30", "10.128.0.0/9", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::/120", "fe80::/10",
    "192.0.2.0/24", "::ffff:192.0.2.0/120", "::/127", "64:ff9b::/96",
)  # fmt: skip
ASKED = ("10.0.0.1", "192.0.2.7", "2001:db8::1", "::1", "10.200.3.4", "2001:db8::ff", "1:2:3:4:5:6:7:8")
TEXTS = ("a", "A", "ab", "a b", "tcp", "TCP", "%", "a_b", "100%", "a*b", "www.a.example", "café a-b", "", "it's", "\\d")
MACS = ("00:00:5e:00:53:01", "00-00-5E-00-53-01", "0000.5e00.5301", "00:00:5e:00:53:02")
KINDS_LAID = ("conn", "dns", "http", "ssl", "dhcp", "notice", "files", "alert")
NUMBERS = (0, 1, 53, 80, 443, 70_000)


def _cell(random: Random, name: str, type_: str) -> Any:
    if random.random() < 0.3:
        return None
    if type_.endswith("[]"):
        pool = ADDRESSES if "hosts" in name else ("C1", "C2") if name == "uids" else TEXTS
        return [random.choice(pool) for _ in range(random.randrange(3))]
    match type_:
        case "BOOLEAN":
            return random.random() < 0.5
        case "DOUBLE":
            return random.choice((0.0, 0.5, 1.0, 2.25))
        case "BIGINT" | "INTEGER":
            return random.choice(NUMBERS)
    if name.endswith("addr") or name in ("dst", "scanning_ip"):
        return random.choice(ADDRESSES)
    if name.endswith("mac"):
        return random.choice(MACS)
    return random.choice(("C1", "C2", "C3")) if name == "uid" else random.choice(TEXTS)


def _row(random: Random) -> Row:
    kind = random.choice(KINDS_LAID)
    row = {one.name: _cell(random, one.name, one.type) for one in KINDS[kind].columns}
    start = random.choice((NOW, NOW - S, NOW - 3600 * S, NOW - 86_400 * S + random.randrange(9)))
    row["start"] = None if random.random() < 0.1 else start
    row["finish"] = None if row["start"] is None or random.random() < 0.5 else start + random.randrange(3) * S
    return row | {"kind": kind}


class Laid:
    """A few hundred flows of all kinds, some of which two alertgroups name."""

    def __init__(self, folder: Path) -> None:
        self.warm = Warm(Dataset(folder / "flows", memory_mb=300, threads=2), Options(), longest_s=60)
        random = Random(7)
        self.rows = lay(self.warm.dataset, (_row(random) for _ in range(200)), 40)
        self.rows += lay(self.warm.dataset, (_row(random) for _ in range(60)))
        groups = [
            triaged(3, Detection(flow_uids=("C1",), category="a b"), Detection(flow_uids=("C9",))),
            triaged(4, between("10.0.0.1", "10.0.0.9", category="Ab", start=NOW - 3600 * S, end=NOW)),
            triaged(5, between("192.0.2.7", "172.16.0.1")),
        ]
        told(self.warm.dataset, *groups)
        alerts = [judged.alert for one in groups for judged in one.alerts]
        category = {alert.id: alert.detection.category for alert in alerts if alert.detection is not None}
        flows = [{"uids": None} | row for row in self.rows]
        for row, (_, label, alert) in zip(self.rows, naive(groups, flows, Options()), strict=True):
            row["said"] = {"label": label}
            if alert is not None:
                row["said"] |= {"alert": alert, "alertgroup": alert // 100, "category": category[alert]}

    def found(self, node: Node) -> list[int]:
        """The places of the flows that a query means, newest first."""
        return [flow.place for flow in search(self.warm, asked(node, NOW), limit=MOST).flows]

    def meant(self, node: Node) -> list[int]:
        """The same, one by one."""
        rows = [row for row in self.rows if means(node, row, NOW)]
        rows.sort(key=lambda row: (row["start"] is not None, row["start"] or 0, row["place"]), reverse=True)
        return [row["place"] for row in rows]


@pytest.fixture(scope="module")
def laid() -> Iterator[Laid]:
    with TemporaryDirectory() as folder:
        found = Laid(Path(folder))
        yield found
        found.warm.close()


def values(field: Field) -> st.SearchStrategy[Any]:
    match field.kind:
        case Kind.WHOLE:
            return st.builds(Number, st.sampled_from((*NUMBERS, 3, 4, 5, 300, 400, 500)))
        case Kind.AMOUNT:
            return st.builds(Number, st.sampled_from((0, 0.5, 1, 2.25, 7)))
        case Kind.CHOICE:
            return st.builds(Text, st.sampled_from(field.choices))
        case Kind.DATE:
            return st.builds(Date, st.sampled_from(("now", "now-1h", "now-1d/d", "now-1d", "2023-11-14", "now/h")))
        case Kind.MAC:
            return st.just(Text(MACS[0]))
        case Kind.ADDRESS:
            return st.builds(Network, st.sampled_from((*ASKED, *NETWORKS))) | patterns
    plain = [text for text in TEXTS if text]
    return st.builds(Text, st.sampled_from([*plain, "C1", "malicious", "Benign"])) | patterns


patterns = st.one_of(
    st.builds(Glob, st.sampled_from(("a*", "*a*", "?", "a?b", "*%*", "10.*", "*:*", "*a*b*", "c?", "\\*", "*."))),
    st.builds(Regex, st.sampled_from(("^a", "a.b", "[0-9]+", "b$", "^C1$", "(?:a|t)", "x*"))),
)


def leaves(field: Field) -> st.SearchStrategy[Node]:
    ref = Ref(field.name)
    found: list[st.SearchStrategy[Node]] = [st.builds(Is, ref=st.just(ref), value=values(field))]
    found.append(st.just(Exists(ref=ref)))
    bounds: st.SearchStrategy[Any] = values(field)
    if field.kind is Kind.ADDRESS:
        bounds = st.builds(Network, st.sampled_from([one for one in ASKED if ":" not in one]))
    if field.kind in (Kind.WHOLE, Kind.AMOUNT, Kind.DATE, Kind.ADDRESS):
        sides = st.tuples(bounds, bounds, st.booleans(), st.booleans(), st.sampled_from(("low", "high", "both")))
        found.append(sides.map(lambda said: _range(ref, *said)))
    return st.one_of(found)


def _range(ref: Ref, low: Any, high: Any, low_in: bool, high_in: bool, which: str) -> Node:
    if which == "low":
        return Range(ref=ref, low=low, low_in=low_in)
    if which == "high":
        return Range(ref=ref, high=high, high_in=high_in)
    return Range(ref=ref, low=low, high=high, low_in=low_in, high_in=high_in)


words = st.sampled_from(("a", "ab", "b", "www", "example", "tcp", "10", "cafe", "it"))
phrases = st.builds(Phrase, st.lists(words, min_size=1, max_size=2).map(tuple), st.booleans())
often = [field for field in FLOWS.fields.values() if field.name in (*LABELLED, "start", "kind", "uid", "ip", "proto")]
anything: st.SearchStrategy[Node] = st.one_of(
    st.sampled_from(list(FLOWS.fields.values())).flatmap(leaves),
    st.sampled_from(often).flatmap(leaves),
    st.builds(Words, phrase=phrases),
)
queries = st.recursive(
    anything,
    lambda parts: st.one_of(
        parts.map(tree.negation),
        st.lists(parts, min_size=2, max_size=3).map(tree.both),
        st.lists(parts, min_size=2, max_size=3).map(tree.either),
    ),
    max_leaves=5,
)


@settings(max_examples=25)
@given(node=queries)
def test_a_query_means_the_flows_that_trying_each_one_means(laid: Laid, node: Node) -> None:
    assert laid.found(node) == laid.meant(node)


def test_every_field_can_be_asked_for(laid: Laid) -> None:
    for name in FLOWS.fields:
        node = parse(f"{name}:*", FLOWS)

        assert asked(node, NOW).kinds, name
    every = tree.either([Exists(ref=Ref(name)) for name in FLOWS.fields if name not in ("id", "kind", "alternative")])

    assert laid.found(tree.negation(every)) == laid.meant(tree.negation(every))


@settings(max_examples=60)
@given(node=queries)
def test_what_is_written_out_is_read_as_the_same(node: Node) -> None:
    assert parse(str(node), FLOWS) == node


@pytest.mark.parametrize("query", ["src:10.0.0.0/8", "label:malicious", "a", "start>=now-1h", "not uid:C1"])
def test_flows_are_counted_up_to_a_bound(laid: Laid, query: str) -> None:
    there = len(laid.meant(parse(query, FLOWS)))

    assert count(laid.warm, asked(query, NOW)) == Count(number=there)
    assert count(laid.warm, asked(query, NOW), 2) == Count(number=2, more=True)


def test_a_span_of_addresses_holds_what_lies_in_it(laid: Laid) -> None:
    texts = " UNION ALL ".join(f"SELECT '{address}' AS a" for address in ADDRESSES)
    for network in (*NETWORKS, *ASKED):
        whole = span(network)
        assert whole is not None
        sql = addresses.same("a", network) if network in ASKED else addresses.between("a", *whole)
        with laid.warm.reading() as reading:
            found = reading.rows(f"SELECT a FROM ({texts}) WHERE {sql}")
        expected = [one for one in ADDRESSES if (there := span(one)) is not None and within(there, whole)]

        assert sorted(row[0] for row in found) == sorted(expected), network


def test_the_kinds_that_can_answer_are_all_that_is_read() -> None:
    assert asked("query:*", NOW).kinds == ("dns",)
    assert asked("kind:(http or ssl) and method:get", NOW).kinds == ("http",)
    assert asked("alternative:no", NOW).kinds == ("conn", "argus", "nfdump")
    assert asked("host:a and query:b", NOW).kinds == ()
    assert len(asked("label:malicious", NOW).kinds) == len(KINDS)


def test_the_span_that_can_answer_is_all_that_is_read() -> None:
    found = asked("start>=2023-11-01 and (start<2023-11-03 or start:2023-11-05)", NOW, until=1_700_000_000 * S)

    assert (found.since, found.until) == (1_698_796_800 * S, 1_699_228_800 * S)
    assert asked("not start:2023-11-05", NOW).since is None
    assert asked("start>2023-11-05 and start<2023-11-03", NOW).kinds == ()
