"""A query changed in one of its conditions, the rest left as it was typed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query.trees import joined, terms, trees
from tocsin.errors import BadQuery
from tocsin.query import editing, parse, tree
from tocsin.query.tree import Tree

CASES = [
    ("", "status", "status:open", "status:open"),
    ("tag:a", "status", "status:open", "tag:a and status:open"),
    ("tag:a or tag:b", "status", "status:open", "(tag:a or tag:b) and status:open"),
    ("(tag:a or tag:b)", "status", "status:open", "(tag:a or tag:b) and status:open"),
    ("tag:a  AND  Status:closed && x", "status", "status:open", "tag:a  AND  status:open && x"),
    ("tag:a  AND  status:closed && x", "status", "", "tag:a && x"),
    ("status:closed && x", "status", "", "x"),
    ("x status:closed", "status", "", "x"),
    ("status:closed", "status", "", ""),
    ("status:closed x status:open", "status", "status:promoted", "status:promoted x"),
    ("((status:closed)) and ((x or y))", "status", "status:open", "status:open and ((x or y))"),
    ("(status:closed and x) and y", "status", "status:open", "status:open and x and y"),
    ("(x or y) status:(open, closed) not (z)", "status", "status:closed", "(x or y) status:closed not (z)"),
    ("alert:{ src:10.0.0.1 } and status:closed alert:{uid:a }", "status", "", "alert:{ src:10.0.0.1 } alert:{uid:a }"),
    ('"a ) and (" and status:open', "status", "status:closed", '"a ) and (" and status:closed'),
    ("subject:(a* b*) foo", "subject", "subject:c*", "subject:c* foo"),
    ("x", "id", "id:1 or id>8", "x and (id:1 or id>8)"),
    ("status:open or x", "status", "status:closed", "(status:open or x) and status:closed"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "field", "new", "after"), CASES)
def test_one_condition_is_exchanged_and_the_rest_stays_as_it_was_typed(
    text: str, field: str, new: str, after: str
) -> None:
    assert editing.changed(text, editing.only_of((field,)), new) == after


joints = st.sampled_from([" ", " and ", "  AND\t", " && "])


@given(st.lists(trees, max_size=4), joints, joined(terms(["status", "id", "tag"])))
@settings(max_examples=200)
def test_what_comes_out_means_the_others_and_the_new_one(kept: list[Tree], joint: str, new: Tree) -> None:
    def old(node: Tree) -> bool:
        return editing.only_of(("status", "tag"))(node)

    text = joint.join(f"({one})" if str(one) else "*" for one in kept)
    before = [node for one in kept for node in editing.flat(one)]
    found = parse(editing.changed(text, old, str(new)))

    first = next((at for at, node in enumerate(before) if old(node)), len(before))
    rest = [node for node in before[first:] if not old(node)]
    assert found == tree.both([*before[:first], new, *rest])


def test_a_query_that_cannot_be_read_is_not_changed() -> None:
    with pytest.raises(BadQuery, match="did you mean source"):
        editing.changed("sorce:x", editing.only_of(("status",)), "status:open")
