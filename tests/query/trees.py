"""Trees and alertgroups made up by Hypothesis, small enough in their words to meet each other often."""

from typing import Any

from hypothesis import strategies as st

from tocsin.model import TLP, Alert, Alertgroup, Detection, Endpoint, Entity, Severity, Status
from tocsin.query import FIELDS, Kind, View, tree
from tocsin.query.addresses import span
from tocsin.query.tree import Comparable, Exists, Is, Node, Range, Ref, Row, Words
from tocsin.query.values import Date, Glob, Network, Number, Phrase, Text, regex
from tocsin.query.words import words

NOW = 1_777_896_000_000_000
ADDRESSES = ("10.0.0.1", "10.0.0.9", "192.0.2.7", "2001:db8::1", "2001:db8::ff")
NETWORKS = (*ADDRESSES, "10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32")
TEXTS = (
    "a",
    "A",
    "b",
    "ab",
    "a b",
    "and",
    "to",
    "*",
    "a*b",
    "C:\\x",
    'say "a"',
    "é",
    "É",
    "17",
    "0.5",
    "-3",
    "a,b",
    "!a",
    "/a/",
)
SHORT = st.one_of(
    st.sampled_from(TEXTS), st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6)
)


def _free(text: str) -> bool:
    """Whether a text stays a text: not empty, no address, no MAC address."""
    return bool(text.strip()) and span(text) is None and len(text) < 12


def phrases() -> st.SearchStrategy[Phrase]:
    found = SHORT.map(words).filter(bool)
    return st.builds(Phrase, found, st.booleans())


def globs() -> st.SearchStrategy[Glob]:
    """With a wildcard that is not all there is; the backslash escapes what it has to and nothing else."""
    literal = SHORT.map(lambda text: "".join(f"\\{letter}" if letter in "*?\\" else letter for letter in text))
    return st.builds(
        lambda a, wild, b: Glob(f"{wild}{a}{b}"), literal, st.sampled_from("*?"), st.sampled_from(("", "*", "?"))
    )


def dates() -> st.SearchStrategy[Date]:
    texts = (
        "now",
        "now-15m",
        "now-1d/d",
        "now+1M/M",
        "2026",
        "2026-05",
        "2026-05-04T10",
        "2026-05-04T10:30:01.5+02:00",
    )
    return st.sampled_from(texts).map(Date)


def values(name: str) -> st.SearchStrategy[Comparable]:
    field = FIELDS[name]
    texts = SHORT.filter(_free).map(Text)
    match field.kind:
        case Kind.WHOLE:
            return st.builds(Number, st.one_of(st.integers(-2, 20), st.integers(-(2**63), 2**63 - 1)))
        case Kind.FRACTION:
            return st.builds(Number, st.floats(0, 1))
        case Kind.CHOICE:
            return st.sampled_from(field.choices).map(Text)
        case Kind.DATE:
            return dates()
        case Kind.WORDS:
            inside = globs().filter(lambda glob: glob.text[0] in "*?")
            return st.one_of(phrases(), inside, st.sampled_from(("a", "a/b", "^a|b$")).map(regex))
        case Kind.KEYWORD:
            return st.one_of(SHORT.filter(lambda text: bool(text.strip())).map(Text), globs(), st.just(regex("a.?b")))
        case Kind.ADDRESS:
            return st.sampled_from(NETWORKS).map(Network)
        case Kind.MAC:
            return st.just(Text("00:00:5e:00:53:01"))
        case _:
            return st.one_of(st.sampled_from(NETWORKS).map(Network), texts, globs())


def refs(names: list[str]) -> st.SearchStrategy[Ref]:
    def of(name: str) -> st.SearchStrategy[Ref]:
        behind = FIELDS[name].behind
        if behind == "NAME":
            return st.builds(
                Ref, st.just(name), st.one_of(st.sampled_from(("a", "b", "a.b", "*", "my col", 'x"y\\')), SHORT)
            )
        if behind:
            return st.builds(Ref, st.just(name), st.sampled_from(("", "a", "b", "two words")))
        return st.just(Ref(name))

    return st.sampled_from(names).flatmap(of)


def _range(ref: Ref) -> st.SearchStrategy[Node]:
    field = FIELDS[ref.field]
    match field.kind:
        case Kind.DATE:
            limits: st.SearchStrategy[Any] = dates()
        case Kind.ADDRESS | Kind.ENDPOINT:
            limits = st.sampled_from(ADDRESSES[:3]).map(Network)
        case Kind.CELL:
            limits = st.one_of(st.integers(-9, 20), st.just(0.5)).map(Number)
        case Kind.CHOICE:
            limits = st.sampled_from([choice for choice in field.choices if choice != "unset"]).map(Text)
        case _:
            limits = values(ref.field)
    return st.one_of(
        st.builds(Range, ref=st.just(ref), low=limits, low_in=st.booleans()),
        st.builds(Range, ref=st.just(ref), high=limits, high_in=st.booleans()),
        st.builds(Range, ref=st.just(ref), low=limits, high=limits, low_in=st.booleans(), high_in=st.booleans()),
    )


def terms(names: list[str]) -> st.SearchStrategy[Node]:
    ordered = [name for name in names if FIELDS[name].ordered or FIELDS[name].kind not in
               (Kind.WORDS, Kind.KEYWORD, Kind.MAC, Kind.CHOICE)]  # fmt: skip
    compared = refs(names).flatmap(lambda ref: st.builds(Is, ref=st.just(ref), value=values(ref.field)))
    return st.one_of(compared, st.builds(Exists, ref=refs(names)), refs(ordered).flatmap(_range))


def joined(leaves: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.recursive(
        leaves,
        lambda parts: st.one_of(
            st.builds(tree.negation, parts),
            st.lists(parts, min_size=1, max_size=3).map(tree.both),
            st.lists(parts, min_size=1, max_size=3).map(tree.either),
        ),
        max_leaves=6,
    )


ROWS = [name for name, field in FIELDS.items() if field.row]
free_words = st.builds(Words, phrase=phrases())
rows = st.builds(Row, part=joined(terms(ROWS)))
trees = joined(st.one_of(terms(list(FIELDS)), free_words, rows))
"""Any tree that a query can mean."""

_cells = st.one_of(
    SHORT, st.integers(-3, 20), st.sampled_from((0.5, 17.0, True, None, ["a", 17, ["b"]], {"b": ["a", 5]}))
)
_endpoints = st.builds(
    Endpoint,
    addresses=st.lists(st.sampled_from(ADDRESSES), max_size=2).map(tuple),
    hostnames=st.sampled_from(((), ("a",), ("ab.example",))),
    ports=st.sampled_from(((), (17,), (80, 443))),
)
_times = st.one_of(st.none(), st.integers(NOW - 3 * 86_400_000_000, NOW + 1))
_detections = st.builds(
    Detection,
    name=SHORT,
    category=st.sampled_from(("", "a", "AB")),
    severity=st.sampled_from((None, *Severity)),
    confidence=st.sampled_from((None, 0.0, 0.5, 1.0)),
    detected=_times,
    sources=st.lists(_endpoints, max_size=2).map(tuple),
    targets=st.lists(_endpoints, max_size=1).map(tuple),
    protocols=st.sampled_from(((), ("tcp",))),
)
_alerts = st.builds(
    Alert.of,
    st.dictionaries(st.sampled_from(("a", "b", "a.b", "my col")), _cells, max_size=3),
    st.one_of(st.none(), _detections),
)
_labels = st.lists(st.sampled_from(("a", "B", "a b", "é")), max_size=2).map(tuple)
groups = st.builds(
    Alertgroup,
    subject=SHORT,
    alerts=st.lists(_alerts, max_size=3).map(tuple),
    tags=_labels,
    sources=_labels,
    tlp=st.sampled_from(TLP),
    owner=st.sampled_from(("", "a", "B")),
    status=st.sampled_from(Status),
    id=st.integers(0, 9),
    received=st.integers(NOW - 3 * 86_400_000_000, NOW),
    body=st.sampled_from(("", "<b>a</b>b &amp; c")),
)
views = st.builds(
    View.fresh,
    groups,
    entities=st.lists(
        st.builds(Entity, type=st.sampled_from("ab"), value=st.sampled_from((*NETWORKS, "a"))), max_size=2
    ).map(tuple),
    deliveries=st.lists(
        st.tuples(st.sampled_from(("a", "two words")), st.sampled_from(("due", "failed"))), max_size=3
    ).map(tuple),
)
"""Alertgroups with their detections, entities and deliveries."""
