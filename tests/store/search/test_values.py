"""Values that are easily taken for something else: the SQL, and the predicate, are asked about each of them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neighbours.laid import lay, passing
from query.samples import NOW
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Entity, Severity
from tocsin.query import View, parse, predicate
from tocsin.store import Store, alertgroup, search
from tocsin.store.engine import Tx

LONG = "y" * 400
SPELLINGS = (
    "10.0.0.1", "10.0.0.9/31", "10.0.0.1/08", "::ffff:10.0.0.1", "::ffff:a00:1", "0:0:0:0:0:FFFF:0A00:1", "1::", "::",
    "2001:DB8:0::5", "2001:db8::0.0.0.5", "2001:0db8:0000:0000:0000:0000:0000:0005/64", "1:2:3:4:5:6:7::", "fe80::1%a",
    "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1::2::3", ":1::", "010.0.0.1", "10.0.0.256", "10.0.0",
    "10.0.0.1/33", "10.0.0.1/", "::ffff:0:0/96", "0:0:0:0:0:ffff:a01::", "1:2:3:4:5:6:1.2.3.4", "::1.2.3", "12345::",
    "1.2.3.4:80", "deadbeef", ":::",
)  # fmt: skip
"""Addresses as they are spelled, and what only looks like one."""


def view(id: int, *rows: str, said: Detection | None = None, **fields: object) -> View:
    """An alertgroup of rows as JSON; the first of them has the detection."""
    alerts = tuple(
        Alert(json=row, id=id * 10 + at, detection=said if not at else None) for at, row in enumerate(rows or ("{}",))
    )
    of_view = {name: fields.pop(name) for name in ("viewed", "created", "entities", "deliveries") if name in fields}
    fields = {"subject": "s", "received": NOW, **fields}
    return View.fresh(Alertgroup(id=id, alerts=alerts, **fields), message=id, **of_view)  # type: ignore[arg-type] # handed on


def check(store: Store, views: list[View], query: str, finds: list[int]) -> None:
    """Both the store and the predicate find these."""
    tree = parse(query)

    def answer(tx: Tx) -> list[int]:
        lay(tx, views)
        return search.ids(tx, tree, NOW)

    assert [one.group.id for one in views if predicate(tree, NOW)(one)] == finds
    assert passing(store, answer) == finds


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("not severity:high", [2]),
        ("not severity>=info", [2]),
        ("not owner:a", [2]),
        ("not repeats:5", [1, 2]),
        ("not viewed<now", [2]),
        ("not src:10.0.0.0/8", [2]),
        ("not detected<now", [2]),
        ("not confidence>=0", [2]),
        ("not data.x:a", [2]),
        ("not data.x>1", [1, 2]),
        ("not body:a", [1, 2]),
        ("not (owner:a or severity:high)", [2]),
        ("not entity:a", [1, 2]),
        ("not delivery:failed", [1, 2]),
        ("not via:rest", [1, 2]),
        ("not alert:{not data.x:a}", [1]),
    ],
)
def test_what_has_no_value_is_found_by_not(store: Store, query: str, finds: list[int]) -> None:
    side = Endpoint(addresses=("10.0.0.1",))
    said = Detection(severity=Severity.HIGH, detected=NOW - 1, confidence=0.5, sources=(side,))

    check(store, [view(1, '{"x":"a"}', said=said, owner="A", viewed=NOW - 1), view(2)], query, finds)


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("alert:{data.x:a and data.y:b}", [2]),
        ("alert:{data.x:a and not src:10.0.0.1}", [2]),
        ("alert:{data.y:b and not src:10.0.0.1}", [1, 2]),
        ("alert:{src:10.0.0.1 and data.y:b}", [2]),
        ("alert:{src:10.0.0.0/8 and name:rule and detected:*}", [1, 2]),
        ("alert:{not src:* and not data.x:*}", [1]),
        ("alert:{alert.id:21 or alert.id:12}", [2]),
        ("not alert:{data.x:a and data.y:b}", [1]),
    ],
)
def test_one_and_the_same_row_is_asked(store: Store, query: str, finds: list[int]) -> None:
    said = Detection(name="A rule", detected=NOW, sources=(Endpoint(addresses=("10.0.0.1",)),))
    apart = view(1, '{"x":"a"}', '{"y":"b"}', said=said)
    together = view(2, '{"y":"b"}', '{"x":"a","y":"b"}', said=said)

    check(store, [apart, together], query, finds)


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ('owner:"50%"', [1]),
        ("owner:50%*", [1]),
        ("owner:*_x", [2]),
        ("owner:*\\\\x", [3]),
        (r"data.c:*\\*", [3]),
        ("data.c:a_b*", [2]),
        ("data.c:*%", [1]),
        ("tag:*%*", [1]),
        ("tag:a_b", [2]),
        ("category:50%*", [1]),
        ("category:a_*", [2]),
        (r"category:a\\*", [3]),
    ],
)
def test_signs_of_patterns_are_themselves(store: Store, query: str, finds: list[int]) -> None:
    texts = {1: ("50%", '"50%"'), 2: ("a_x", '"a_bc"'), 3: ("a\\x", '"a\\\\b"'), 4: ("axx", '"axbc"')}
    tags = {1: "5%5", 2: "a_b", 3: "a\\b", 4: "axb"}
    views = [
        view(id, f'{{"c":{cell}}}', said=Detection(category=text), owner=text, tags=(tags[id],))
        for id, (text, cell) in texts.items()
    ]

    check(store, views, query, finds)


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ('data."my col":v', [1]),
        ('data."it\'s":v', [1]),
        (r'data."x\"y\\":v', [1]),
        ('data."a.b":v', [1]),
        ("data.a.b:v", [1]),
        ('data."%":v', [1]),
        ("data.é:v", [1]),
        ("data.É:v", []),
        ("data.*:V", [1]),
        ('data."{x}":v', [1]),
        ('data.":p0":v', [1]),
    ],
)
def test_columns_of_any_name_are_found(store: Store, query: str, finds: list[int]) -> None:
    row = r'{"my col":"v","it\'s":"v","x\"y\\":"v","a":[{"b":"v"}],"%":"v","é":"v","{x}":"v",":p0":"v"}'

    check(store, [view(1, row.replace("\\'", "'")), view(2)], query, finds)


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("data.c:a*b", [1, 2]),
        ("data.c:a?b", [1]),
        (r"data.c:*\\u0000*", [2]),
        ("data.c:ab", []),
        ("data.d:x", [1, 2]),
        ("data.*:x", [1, 2]),
        ("data.e:😀", [1]),
        ("name:foo", [1]),
        ("category:a?b", [1]),
        ("column:*", [1]),
        ('"a b"', [1]),
    ],
)
def test_nul_in_a_row_hides_nothing(store: Store, query: str, finds: list[int]) -> None:
    said = Detection(name="foo\x00bar", category="a\x00b")
    first = view(1, r'{"c":"a\u0000b","d":"x","e":"\ud83d\ude00","n\u0000":1}', said=said, columns=("n\x00",))

    check(store, [first, view(2, r'{"c":"a\\u0000b","d":"x"}')], query, finds)


def test_half_of_a_surrogate_pair_spoils_no_search(store: Store) -> None:
    def answer(tx: Tx) -> list[int]:
        lay(tx, [view(1, '{"c":"x"}')])
        tx.run("UPDATE alert SET data = :data", data=r'{"c":"x","d":"\ud800"}')
        return search.ids(tx, parse("data.c:y* or data.d:* or data.*>5 or id:1"), NOW)

    assert passing(store, answer) == [1]


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        (f"src_url:http://x/{LONG}a", [1]),
        (f"src_url:http://x/{LONG}A", [1]),
        (f"src_url:http://x/{LONG}*", [1, 2]),
        (f"src_url:http://x/{LONG}?", [1, 2]),
        ("src_url:*b", [2]),
        ("src_url:/ya$/", [1]),
        (f"entity:{LONG}b", [2]),
        (f"entity:{LONG}B", [2]),
        (f"tag:{LONG}a", [1]),
        (f"data.c:{LONG}b", [2]),
        (f"message_id:{LONG}a", [1]),
        (f"{LONG}b", [2]),
    ],
)
def test_long_values_are_whole(store: Store, query: str, finds: list[int]) -> None:
    def of(id: int, end: str) -> View:
        text = LONG + end
        said = Detection(sources=(Endpoint(urls=(f"http://x/{text}",)),))
        seen = (Entity(type="own", value=text),)
        return view(id, f'{{"c":"{text}"}}', said=said, tags=(text,), message_id=text, entities=seen)

    check(store, [of(1, "a"), of(2, "b")], query, finds)


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ('"cobalt strike"', [1]),
        ('"strike beacon"', []),
        ("cobalt beacon", [1]),
        ("beac*", [1]),
        ('"cobalt str"*', []),
        ("cobalt\\ str*", [1]),
        ("subject:fail*", [1]),
        ("subject:cobalt", []),
        ("body:night", [1]),
        ("not beacon", [2]),
        ("name:/strike$/ or subject:/^x$/", [2]),
    ],
)
def test_phrases_stay_within_a_cell_and_prefixes_go_on(store: Store, query: str, finds: list[int]) -> None:
    first = view(1, '{"a":"Cobalt Strike","b":["beacon"]}', subject="Failed logins", body="<p>at <b>night</b></p>")

    check(store, [first, view(2, subject="x")], query, finds)


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("data.n:9007199254740993", [1, 2]),
        ("data.n>9007199254740992", [3]),
        ("data.n>=9007199254740992", [1, 2, 3]),
        ("data.n:123456789012345678901234567890", [3]),
        ("data.n:1234567890*", [3]),
        ("data.n>1e300", []),
        ("data.n:*", [1, 2, 3, 4]),
        ("data.n<0", []),
        ("src_port:9223372036854775807", []),
        ("id:9223372036854775807", []),
    ],
)
def test_huge_numbers_are_compared_as_doubles(store: Store, query: str, finds: list[int]) -> None:
    numbers = ("9007199254740993", "9007199254740992", "123456789012345678901234567890", "1" + "0" * 400)

    check(store, [view(id, f'{{"n":{n}}}') for id, n in enumerate(numbers, 1)], query, finds)


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("detected:1969-12-31", [1]),
        ("detected<1970", [1]),
        ("created<1970", [1]),
        ("created:1960-05", [1]),
        ("viewed<1970", []),
        ("detected>=1970", [2]),
        ("alert:{detected<1970}", [1]),
        ("received<1970", []),
    ],
)
def test_times_before_1970_are_times(store: Store, query: str, finds: list[int]) -> None:
    old = view(1, said=Detection(detected=-1), created=-304_000_000_000_000)

    check(store, [old, view(2, said=Detection(detected=0))], query, finds)


def test_deleted_alertgroups_are_never_found(store: Store) -> None:
    def answer(tx: Tx) -> tuple[list[int], set[int], int]:
        lay(tx, [view(1, '{"c":"x"}'), view(2, '{"c":"x"}')])
        tx.run("INSERT INTO viewer (alertgroup, who, at, ip) VALUES (1, 'a', 0, '')")
        alertgroup.delete(tx, 1, "alice", NOW)
        tree = parse("data.c:x or id:1 or x")
        return search.ids(tx, tree, NOW), search.matching(tx, tree, [1, 2], NOW), search.count_up_to(tx, tree, 9, NOW)

    assert passing(store, answer) == ([2], {2}, 1)


@pytest.mark.parametrize(
    "query",
    [
        "data.a:10.0.0.1", "data.a:10.0.0.0/8", "data.a:10.0.0.0/24", "data.a:2001:db8::5", "data.a:2001:db8::/32",
        "data.a:::/0", "data.a:0.0.0.0/0", "data.a>=10.0.0.1", "data.a<2001:db8::6", "data.a:1:2:3:4:5:6:7:0",
    ],
)  # fmt: skip
def test_addresses_in_cells_are_read_in_any_spelling(store: Store, query: str) -> None:
    views = [view(id, f'{{"a":"{text}"}}') for id, text in enumerate(SPELLINGS, 1)]
    found = [one.group.id for one in views if predicate(parse(query), NOW)(one)]

    assert found
    check(store, views, query, found)


RAW = (
    *(f'"{text}"' for text in ("5", "05", "5.0", "5e0", "+5", "1e99", "1E5", "1_0", " 5", "1.", "٥", "0x5", "K", "é")),
    *("5", "5.0", "5e0", "-0", "-0.0", "1e308", "1e-400", "1E5", "100000", "true", "null", '""', "[]", "{}", '"true"'),
    *(r'"\u0000"', r'"\u212a"', r'"a\nb"', '"A%B_C"', '["a",["b"],{"b":"x"}]', '[{"b":1},{"b":[2,"c"]}]', '"a-b c"'),
    *('{"b":{"c":"deep"},"b.c":"flat"}', '{"b":[{"c":1},[{"c":2}]]}', '"Cobalt strike beacon"', '"CVE-2024-3094"'),
)
ASKED = (
    *("5", "5.0", "+5", "1e5", "100000", "0", "true", "k", "K", "É", "a", "c", "deep", "a%b_c", "*", "5*", "-*", "*0"),
    *("1*", "?", "a*b", "*strike*", "cobalt*", "*e bea*", "CVE-2024-*", "*-3094", "/^5$/", "/k/", "/^[^a]+$/", "/a.b/"),
    *("/(?s)a.b/", r"/\bstrike\b/", "/É/", r"/[[:digit:]]{4}/", "a-*", "1_0", "flat", "[0 TO 5]", "{5 TO 100000]"),
)


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(("a", "b", "a.b", "a.b.c")), st.sampled_from(RAW)), max_size=3),
        min_size=1,
        max_size=4,
    ),
    st.lists(
        st.tuples(st.sampled_from(("a", "b", "a.b", '"a.b.c"', "*")), st.sampled_from(ASKED)), min_size=6, max_size=20
    ),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cells_of_any_kind_are_compared_as_the_predicate_does(
    store: Store, rows: list[list[tuple[str, str]]], asked: list[tuple[str, str]]
) -> None:
    views = [view(id, "{" + ",".join(f'"{k}":{v}' for k, v in row) + "}") for id, row in enumerate(rows, 1)]
    trees = [parse(f"data.{name}:{value}") for name, value in asked]
    expected = [[one.group.id for one in views if predicate(tree, NOW)(one)] for tree in trees]

    def answers(tx: Tx) -> list[list[int]]:
        lay(tx, views)
        return [search.ids(tx, tree, NOW) for tree in trees]

    for tree, one, other in zip(trees, passing(store, answers), expected, strict=True):
        assert one == other, str(tree)
