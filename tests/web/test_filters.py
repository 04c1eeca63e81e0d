"""SCOT's listing grammar: what each form finds, on both engines, and what a bad one is told."""

import contextlib
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import Malformed
from tocsin.store.filters import Clause
from tocsin.web.api.filters import ALERTGROUPS, asked
from web.conftest import Caller

COLUMNS = ("id", "subject")


def clauses(**query: str | list[str]) -> list[Clause]:
    raw = {name: values if isinstance(values, list) else [values] for name, values in query.items()}
    return asked(raw, ALERTGROUPS, COLUMNS).clauses


def clause(field: str, op: Any, *values: int | str) -> Clause:
    return Clause(field=field, op=op, values=values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", [clause("views", "eq", 5)]),
        ('"5"', [clause("views", "eq", 5)]),
        ("!5", [clause("views", "ne", 5)]),
        ("[5,6]", [clause("views", "in", 5, 6)]),
        (["5", "6"], [clause("views", "in", 5, 6)]),
        ('["!5",6]', [clause("views", "not_in", 5, 6)]),
        ("x>5", [clause("views", "gt", 5)]),
        ("x>=5", [clause("views", "ge", 5)]),
        ("x < 5", [clause("views", "lt", 5)]),
        ("x<=5", [clause("views", "le", 5)]),
        ("x=5", [clause("views", "eq", 5)]),
        ("3<=x<=5", [clause("views", "ge", 3), clause("views", "le", 5)]),
        ("4<x<8", [clause("views", "gt", 4), clause("views", "lt", 8)]),
        ("9>x>=2", [clause("views", "lt", 9), clause("views", "ge", 2)]),
        ("5<x", [clause("views", "gt", 5)]),
    ],
)
def test_numbers_are_compared_in_every_form(text: str | list[str], expected: list[Clause]) -> None:
    assert clauses(views=text) == expected


@pytest.mark.parametrize("text", [["7", "3"], "[3,7]", '["7","3"]', "3,7", " 7 , 3 "])
def test_two_times_in_any_order_are_a_range_with_both_ends(text: str | list[str]) -> None:
    assert clauses(created=text) == [clause("created", "between", 3_000_000, 7_999_999)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", [clause("tag", "all", "a")]),
        ("!a", [clause("tag", "none", "a")]),
        ("a,b", [clause("tag", "all", "a", "b")]),
        ("a,!b", [clause("tag", "all", "a"), clause("tag", "none", "b")]),
        ("a|b", [clause("tag", "any", "a", "b")]),
        ('["a","b,c"]', [clause("tag", "all", "a", "b,c")]),
        (["a", "!b"], [clause("tag", "all", "a"), clause("tag", "none", "b")]),
        ("007", [clause("tag", "all", "007")]),
        ("5", [clause("tag", "all", "5")]),
    ],
)
def test_labels_are_joined_in_every_form(text: str | list[str], expected: list[Clause]) -> None:
    assert clauses(tag=text) == clauses(tags=text) == expected


def test_words_are_exact_and_texts_are_patterns() -> None:
    assert clauses(status="open") == [clause("status", "in", "open")]
    assert clauses(status='["open","closed"]') == [clause("status", "in", "open", "closed")]
    assert clauses(tlp="WHITE") == [clause("tlp", "in", "clear")]
    assert clauses(subject='"foo"') == [clause("subject", "regex", "foo")]
    assert clauses(subject="123") == [clause("subject", "regex", "123")]
    assert clauses(subject="") == []
    assert clauses(message_id="<a.b+c@x>") == [clause("message_id", "matches", "<a.b+c@x>")]
    assert clauses(message_id="a(") == [clause("message_id", "eq", "a(")]
    assert clauses(when="1,2") == [clause("received", "between", 1_000_000, 2_999_999)]


@pytest.mark.parametrize(
    ("query", "remedy"),
    [
        ({"views": ">=5"}, "x>5"),
        ({"views": "five"}, "whole number"),
        ({"views": "1.5"}, "whole number"),
        ({"views": "9223372036854775808"}, "whole number"),
        ({"views": "[1,null]"}, "texts and numbers"),
        ({"created": "7"}, "two times"),
        ({"created": "[1,2,3]"}, "two times"),
        ({"created": "yesterday,today"}, "two times"),
        ({"tag": ""}, "name is missing"),
        ({"tag": "a,,b"}, "name is missing"),
        ({"tag": "a|!b"}, "between |"),
        ({"status": "lost"}, "open, closed, promoted"),
        ({"tlp": "mauve"}, "amber"),
        ({"subject": "a("}, "regular expression"),
        ({"subject": "[(]"}, None),
        ({"subject": '["a","b"]'}, "a|b"),
        ({"limit": "-1"}, "0 or more"),
        ({"limit": "many"}, "0 or more"),
        ({"offset": "1.5"}, "0 or more"),
        ({"sort": "colour"}, "sort by"),
        ({"sort": "tag"}, "sort by"),
        ({"sort": '{"id":"down"}'}, "1 or -1"),
        ({"columns": "colour"}, "there are"),
        ({"nonsense": "1"}, "use alert_count"),
        ({"subject": '"a\\u0000"'}, "NUL"),
    ],
)
def test_a_bad_filter_names_the_parameter_and_the_remedy(query: dict[str, str], remedy: str | None) -> None:
    if remedy is None:
        assert clauses(**query)
        return
    with pytest.raises(Malformed) as told:
        clauses(**query)
    assert next(iter(query)) in str(told.value)
    assert remedy in str(told.value)


Find = Callable[[str], list[int]]


@pytest.fixture
def find(sender: Caller, viewer: Caller, analyst: Caller) -> Find:
    """Three alertgroups, and who finds which."""
    sender.post_group(subject="Beacon C2", tag=["c2", "dns"], source=["splunk"], created=1000, message_id="<a.b+c@x>")
    sender.post_group(subject="Phish (mail)", tag=["mail"], source=["splunk", "mail"], created=2000, data=[{"n": 1}])
    sender.post_group(subject="beacon again", tag=["c2"], created=3000, tlp="red", message_id="bbb", owner="Kim")
    analyst.put("/api/v2/alertgroup/2", json={"status": "closed"})

    def found(query: str) -> list[int]:
        listed = viewer.json(f"/scot/api/v2/alertgroup?{query}")
        assert listed["totalRecordCount"] == len(listed["records"])
        return sorted(record["id"] for record in listed["records"])

    return found


def test_what_each_form_finds(find: Find) -> None:
    cases = {
        "": [1, 2, 3],
        "id=2": [2],
        "id=!2": [1, 3],
        "id=[1,3]": [1, 3],
        'id=["!1","!3"]': [2],
        "id=x>1": [2, 3],
        "id=1<x<3": [2],
        "alert_count=1": [2],
        "open_count=0": [2],
        "closed_count=x>0": [2],
        "entry_count=0": [1, 2, 3],
        "severity=!4": [1, 2, 3],
        "created=1000,2000": [1, 2],
        "created=2000&created=3000": [2, 3],
        "when=0,9": [],
        "tag=c2": [1, 3],
        "tag=!c2": [2],
        "tag=c2,dns": [1],
        "tag=c2,!dns": [3],
        "tag=dns|mail": [1, 2],
        'tag=["c2","!dns"]': [3],
        "source=splunk&source=mail": [2],
        "source=!splunk": [3],
        "status=open": [1, 3],
        "status=open&status=closed": [1, 2, 3],
        "tlp=black": [3],
        "subject=BEACON": [1, 3],
        "subject=^beacon.*n$": [3],
        r"subject=\bc2\b": [1],
        r"subject=\(mail\)": [2],
        "subject=a|b": [1, 2, 3],
        "message_id=<a.b+c@x>": [1],
        "message_id=^b": [3],
        "owner=kim": [3],
        "tag=c2&status=open&id=x<3": [1],
        "subject=%27%3B+DROP+TABLE+alertgroup%3B--": [],
        "tag=%27%20OR%201=1": [],
    }
    found = {query: find(query.replace("+", "%2B") if "%" not in query else query) for query in cases}
    assert found == cases


def test_a_pattern_only_one_engine_reads_is_told_so_or_works(find: Find) -> None:
    """PostgreSQL refuses some patterns that RE2 takes; nobody gets a 500 for it."""
    assert find(r"subject=c2\z") == [1]
    assert find(r"subject=\Bagain") == []
    assert find(r"subject=\Bacon") == [1, 3]


def test_a_bad_filter_is_a_400_over_http(viewer: Caller) -> None:
    answer = viewer.get("/scot/api/v2/alertgroup?views=lots")

    assert answer.status_code == 400
    assert "views=lots" in answer.json()["error_msg"]
    assert viewer.get("/scot/api/v2/alertgroup?subject=%ff").status_code == 400
    assert viewer.get("/scot/api/v2/alertgroup?subject=%00").status_code == 400


@pytest.mark.parametrize("pattern", ["a{300}", "(?s)a", "[[:word:]]", r"\pL", r"\Qa.b\E", "(?P<n>a)", "a**", "x{2}{3}"])
def test_no_pattern_breaks_the_door(viewer: Caller, pattern: str) -> None:
    assert viewer.get(f"/api/v2/alertgroup?subject={quote(pattern)}").status_code in (200, 400)


PARAMETERS = [*ALERTGROUPS, "limit", "offset", "sort", "columns"]


@given(st.dictionaries(st.sampled_from(PARAMETERS), st.lists(st.text(), min_size=1)))
def test_any_query_is_read_or_refused(query: dict[str, list[str]]) -> None:
    with contextlib.suppress(Malformed):
        assert all(one.values for one in asked(query, ALERTGROUPS, COLUMNS).clauses)


@given(st.text(alphabet="ab(.+[]\\{}^$|*?", max_size=12))
def test_a_pattern_that_is_taken_is_one_re2_takes(pattern: str) -> None:
    try:
        taken = clauses(subject=pattern)
    except Malformed:
        return
    for one in taken:
        options = re2.Options()
        options.log_errors = False
        assert re2.compile(one.values[0], options)


def test_times_are_told_apart_from_milliseconds() -> None:
    with pytest.raises(Malformed, match=re.escape("whole seconds")):
        clauses(created="1700000000000000,1700000000000001")
