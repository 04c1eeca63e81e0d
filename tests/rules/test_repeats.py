"""What makes two alertgroups the same thing that came again."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detection import DEFAULT
from tocsin.model import TLP, Alert, Alertgroup, Status
from tocsin.rules.repeats import BY, HOUR, Rule, fingerprint, is_time, rule_for

RULE = Rule(window=24 * HOUR, longest=168 * HOUR)
ROWS: list[dict[str, Any]] = [
    {"_time": "2026-05-04T11:50:00Z", "user": "root", "count": 5, "event": {"created": 1777895400, "what": ["a", "b"]}},
    {"_time": "2026-05-04T11:51:00Z", "user": "eve", "count": 6, "event": {"created": 1777895460, "what": []}},
]


def a_group(rows: list[dict[str, Any]] | None = None, **rest: Any) -> Alertgroup:
    said: dict[str, Any] = {"sources": ("splunk", "prod"), "tags": ("t",), "tlp": TLP.AMBER, **rest}
    return Alertgroup.of_rows(said.pop("subject", "5 failed logins"), ROWS if rows is None else rows, **said)


def same(one: Alertgroup, other: Alertgroup, **options: Any) -> bool:
    rule = msgspec.structs.replace(RULE, **options)
    return fingerprint(one, rule) == fingerprint(other, rule)


def test_the_same_again_is_a_repeat_whatever_its_times_and_the_order_of_everything() -> None:
    later = [
        {"user": "eve", "_time": 1777982340.5, "event": {"what": [], "created": "2026-05-05 11:51:00"}, "count": 6},
        {"user": "root", "_time": "1777982340", "event": {"what": ["a", "b"], "created": 0x6A000000}, "count": 5},
    ]

    assert same(a_group(), a_group(later, sources=("prod", "splunk"), message_id="another", created=5, tags=()))
    assert same(a_group(), a_group(body="another text", owner="ann"))


@pytest.mark.parametrize(
    "other",
    [
        a_group(subject="6 failed logins"),
        a_group(sources=("splunk",)),
        a_group(sources=()),
        a_group(tlp=TLP.RED),
        a_group(status=Status.PROMOTED),
        a_group(ROWS[:1]),
        a_group([*ROWS, ROWS[0]]),
        a_group([{**ROWS[0], "user": "toor"}, ROWS[1]]),
        a_group([{**ROWS[0], "count": "5"}, ROWS[1]]),
        a_group([{**ROWS[0], "event": {"what": ["b", "a"]}}, ROWS[1]]),
        a_group(columns=("_time", "user", "count")),
        a_group([{**ROWS[0], "note": ""}, ROWS[1]]),
    ],
)
def test_what_differs_in_anything_that_counts_is_no_repeat(other: Alertgroup) -> None:
    assert not same(a_group(), other)


def test_numbers_of_the_subject_can_be_told_not_to_count() -> None:
    one, other = a_group(subject="5 failures on web-1"), a_group(subject="317 failures on web-02")

    assert not same(one, other)
    assert same(one, other, numbers=False)
    assert not same(one, a_group(subject="5 failures on db-1"), numbers=False)


def test_columns_can_be_told_not_to_count() -> None:
    other = a_group([{**ROWS[0], "count": 9, "search_id": "x1"}, ROWS[1]])

    assert not same(a_group(), other)
    assert same(a_group(), other, without=("count", "search_id"))


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (("subject",), [True, True, False]),
        (("source", "subject"), [True, False, False]),
        (("data.user",), [True, True, True]),
        (("data.event.what", "source"), [True, False, True]),
        (("data.count",), [False, True, True]),
        (("tag", "data.user"), [True, False, True]),
        (("body", "subject"), [True, True, False]),
    ],
)
def test_what_counts_can_be_chosen(by: tuple[str, ...], told: list[bool]) -> None:
    others = [
        a_group([{**ROWS[0], "count": 9}, ROWS[1]]),
        a_group(sources=("sensor",), tags=("other",)),
        a_group(subject="another"),
    ]

    assert [same(a_group(), other, by=by) for other in others] == told


def test_the_rule_of_the_first_label_with_one_is_taken() -> None:
    mine, every, off = (msgspec.structs.replace(RULE, window=n) for n in (1, 2, 0))

    assert rule_for(a_group(), {}) is None
    assert rule_for(a_group(), {"other": mine}) is None
    assert rule_for(a_group(), {"prod": mine, "*": every}) == mine
    assert rule_for(a_group(), {"prod": mine, "splunk": every}) == every
    assert rule_for(a_group(sources=()), {"*": every}) == every
    assert rule_for(a_group(), {"splunk": off, "*": every}) is None


@pytest.mark.parametrize(
    ("cell", "anywhere", "among_times"),
    [
        ("2026-05-04T11:50:00Z", True, True),
        (" 2026-05-04 11:50:00.123456 ", True, True),
        ("2026/05/04 11:50:00+0200", True, True),
        ("2026-05-04T11:50", True, True),
        ("2026-05-04", False, True),
        ("11:50:00 CEST", False, True),
        ("Mon May  4 11:50:00 2026", False, True),
        ("5/4/2026 11:50:00 AM", False, True),
        ("04/May/2026:11:50:00 +0000", False, True),
        ("1777895400.5", False, True),
        (1777895400, False, True),
        (1777895400123, False, True),
        (5, False, False),
        (True, False, False),
        (None, False, False),
        ("", False, False),
        ("192.0.2.1", False, False),
        ("10:20::30", False, False),
        ("1.2.2026.4", False, False),
        ("at 11:50 root logged in", False, False),
        ("2026-05-04T11:50:00Z root", False, False),
        ("marmarmarmar" * 5 + "!", False, False),
        ("9" * 5000, False, False),
    ],
)
def test_a_time_is_known_by_its_form(cell: object, anywhere: bool, among_times: bool) -> None:
    assert (is_time(cell, False), is_time(cell, True)) == (anywhere, among_times)


def test_columns_of_times_are_those_of_the_table_and_those_named_like_times() -> None:
    def counts(column: str, names: Any = DEFAULT) -> bool:
        group = [a_group([{column: at, "x": 1}]) for at in (1777895400, 1777895500)]
        return fingerprint(group[0], RULE, names) != fingerprint(group[1], RULE, names)

    for column in ("_time", "eventTime", "Detection Time", "updated_at", "ts", "flow.start", "date"):
        assert not counts(column), column
    for column in ("count", "bytes", "uid", "serial", "format", "lifetime", "whatever"):
        assert counts(column), column
    assert not counts("Zeitpunkt", DEFAULT.with_users({"detected": ["zeitpunkt"]}))


def test_a_range_that_begins_at_an_address_is_no_time() -> None:
    assert not same(a_group([{"start": "192.0.2.1"}]), a_group([{"start": "192.0.2.9"}]))


def test_rows_nested_too_deep_to_look_into_are_compared_as_they_stand() -> None:
    deep = '{"a":' * 900 + "1" + "}" * 900
    groups = [Alertgroup(subject="s", alerts=(Alert(json=text),)) for text in (deep, deep, deep.replace("1", "2"))]
    one, again, other = (fingerprint(group, RULE) for group in groups)

    assert one == again
    assert one != other


CELLS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=5), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
)
GROUPS = st.builds(
    lambda rows, by, without: (rows, by, without),
    st.lists(st.dictionaries(st.sampled_from(["a", "b", "_time", "ts", "c.d"]), CELLS, max_size=4), max_size=4),
    st.sets(st.sampled_from([*BY, "tag", "body", "data.a", "data.c.d"]), min_size=1),
    st.sets(st.sampled_from(["a", "_time"])),
)


@given(GROUPS, st.randoms())
def test_order_never_counts_and_every_cell_is_taken(
    made: tuple[list[dict[str, Any]], set[str], set[str]], chance: Any
) -> None:
    rows, by, without = made
    rule = msgspec.structs.replace(RULE, by=tuple(by), without=tuple(without))
    shuffled = [dict(chance.sample(list(row.items()), len(row))) for row in chance.sample(rows, len(rows))]
    one, other = (Alertgroup.of_rows("s", each, columns=("a",)) for each in (rows, shuffled))

    assert fingerprint(one, rule) == fingerprint(other, rule)
    assert len(fingerprint(one, rule)) == 32
