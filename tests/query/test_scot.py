"""SCOT's filter parameters mean what the same words of the language mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.samples import NOW, found, views
from tocsin.model import Noun
from tocsin.query import parse, predicate
from tocsin.query.scot import tree_of
from tocsin.web.api import filters

CASES = [
    ({"id": ["2"]}, "id:2", [2]),
    ({"id": ["!2"]}, "not id:2", [1, 3]),
    ({"id": ["[1,3]"]}, "id:(1 or 3)", [1, 3]),
    ({"id": ["1", "3"]}, "id:(1 or 3)", [1, 3]),
    ({"id": ['["!1","!3"]']}, "not id:(1 or 3)", [2]),
    ({"views": ["x>=2"]}, "views>=2", [1, 3]),
    ({"views": ["2<x<=31"]}, "views>2 and views<=31", [3]),
    ({"alert_count": ["x>1"]}, "rows>1", [1]),
    ({"open_count": ["0"]}, "open:0", []),
    ({"entry_count": ["0"]}, "", [1, 2, 3]),
    ({"entry_count": ["x>0"]}, "not id:*", []),
    ({"severity": ["x>=3"]}, "severity:(high or critical)", [1, 2]),
    ({"severity": ["!3"]}, "not severity:high", [2, 3]),
    ({"severity": ["x>7"]}, "not id:*", []),
    (
        {"when": ["[1777852800,1777895999]"]},
        "received:[2026-05-04T00:00:00.000000Z TO 2026-05-04T11:59:59.999999Z]",
        [1],
    ),
    (
        {"created": ["1777852799", "1777852700"]},
        "created:[2026-05-03T23:58:20.000000Z TO 2026-05-03T23:59:59.999999Z]",
        [2],
    ),
    ({"tag": ["malware"]}, "tag:malware", [2]),
    ({"tag": ["malware,!test"]}, "tag:malware and not tag:test", []),
    ({"tag": ["auth|malware"]}, "tag:(auth or malware)", [1, 2]),
    ({"tag": ["malware,test"]}, "tag:malware and tag:test", [2]),
    ({"source": ["!splunk"]}, "not source:splunk", [2, 3]),
    ({"source": ['["email","!splunk"]']}, "source:email and not source:splunk", [3]),
    ({"status": ["open", "closed"]}, "status:(open or closed)", [1, 2]),
    ({"tlp": ["white", "amber"]}, "tlp:(clear or amber)", [1]),
    ({"subject": ["^splunk.*(view|x)"]}, "subject:/^splunk.*(view|x)/", [1]),
    ({"subject": ["a/b"]}, r"subject:/a\/b/", []),
    ({"owner": ["^b"]}, "owner:/^b/", [3]),
    ({"message_id": ["<m3@example.org>"]}, 'message_id:("<m3@example.org>" or /<m3@example.org>/)', [3]),
    ({"message_id": ["(("]}, 'message_id:"(("', []),
    ({"tag": ["auth"], "status": ["open"]}, "tag:auth and status:open", [1]),
    ({}, "", [1, 2, 3]),
]


@pytest.mark.parametrize(("parameters", "query", "ids"), CASES, ids=lambda value: str(value)[:50])
def test_parameters_become_the_tree_of_a_query(parameters: dict[str, list[str]], query: str, ids: list[int]) -> None:
    tree = tree_of(filters.asked(parameters, filters.ALERTGROUPS, ()).clauses)

    assert str(tree) == query
    assert parse(query) == tree
    assert found(views(), predicate(tree, NOW)) == ids


class Clause(Noun, frozen=True, kw_only=True):
    field: str
    op: str
    values: tuple[int | str, ...]


@given(
    st.sampled_from(("id", "views", "created", "updated", "severity", "entry_count", "alert_count")),
    st.sampled_from(("eq", "ne", "in", "not_in", "lt", "le", "gt", "ge", "between")),
    st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(-9, 9)),
)
def test_any_numbers_and_times_become_a_query_that_can_be_read(field: str, op: str, values: tuple[int, int]) -> None:
    tree = tree_of([Clause(field=field, op=op, values=values)])

    assert parse(str(tree)) == tree


def test_what_no_parameter_gives_is_refused() -> None:
    with pytest.raises(KeyError):
        tree_of([Clause(field="views", op="words", values=(1,))])
