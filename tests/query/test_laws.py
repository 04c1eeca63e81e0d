"""What holds of every query, whatever it asks."""

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from query.trees import NOW, ROWS, joined, terms, trees, views
from tocsin.errors import BadQuery
from tocsin.model import Alert, Alertgroup
from tocsin.query import View, complete, parse, predicate, tree
from tocsin.query.syntax import LONGEST
from tocsin.query.tree import And, Not, Or, Row, Tree
from tocsin.query.words import normal, words

SIGNS = st.text(st.sampled_from('ab1 .:=<>!-+*?/\\"()[]{},&|@_\n') | st.characters(), max_size=40)


def pieces(text: str) -> list[str]:
    """Pieces with a blank between them; ~ is a blank in one."""
    return [piece.replace("~", " ") for piece in text.split(" ")]


PIECES = st.lists(
    st.sampled_from(
        pieces(
            'and or not to ( ) "a~b" tag: id>= 5 data.x: alert:{ } [ a~TO~b ] , * a* /a/ - ! && || received: now-1d/d'
            " src:10.0.0.0/8 \\ ~"
        )
    ),
    max_size=14,
)
HOSTILE = pieces(
    '( (( not~ ! - a:( alert:{ " \\ a~ a. data." [ a:[ & | / a:/ \\/ a- ~ a~or~ tag:a~or~ tag:(a, * tag:*a ? { @ a:b: é'
    " < data.a 1 now-1d ﷺ tag:*? data.a: id:5~ severity:high~or~"
)


def check_answer(text: str) -> None:
    """A tree that is read again from its text, or an error that points into the text and says what to do."""
    answered: Tree | BadQuery
    try:
        answered = parse(text)
    except BadQuery as error:
        answered = error
    if isinstance(answered, BadQuery):
        assert 0 <= answered.position <= len(text)
        assert answered.remedy
    else:
        assert parse(str(answered)) == answered


@given(trees)
@settings(max_examples=300)
def test_a_tree_is_read_again_from_its_text(asked: Tree) -> None:
    assert parse(str(asked)) == asked


@given(st.one_of(SIGNS, PIECES.map(" ".join), PIECES.map("".join)))
@example("\ud800")
@example("a\\")
@settings(max_examples=500)
def test_any_text_is_a_query_or_a_bad_query(text: str) -> None:
    check_answer(text)


@given(st.one_of(SIGNS, PIECES.map(" ".join)), st.integers(-1, 50))
def test_completion_takes_any_text(text: str, cursor: int) -> None:
    for offer in complete(text, cursor, {"tag": ["a b"], "data": ["x"]}):
        assert 0 <= offer.start <= offer.end <= len(text)


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("end", ["", ")", ":", '"', "/"])
def test_the_longest_hostile_text_is_answered(piece: str, end: str) -> None:
    text = (piece * LONGEST)[: LONGEST - 1] + end

    check_answer(text)
    assert len(complete(text, len(text))) <= 20


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tag:" + "*a" * 4000 + "b", False),
        ("tag:" + "*a" * 4000, True),
        ("data.x:" + "?*" * 4000, True),
        ("data.x:/" + "(a*)*" * 100 + "b/", False),
        ("subject:" + "*a" * 4000 + "*", True),
    ],
    ids=["stars", "stars found", "marks", "regex", "words"],
)
def test_a_hostile_pattern_is_laid_over_a_long_text(query: str, found: bool) -> None:
    text = "a" * 100_000
    view = View.fresh(Alertgroup(subject=text, tags=(text,), alerts=(Alert.of({"x": text}),)))

    assert predicate(parse(query), NOW)(view) is found


@pytest.mark.parametrize(
    "text", ["(" * 3000 + "a" + ")" * 3000, "!" * 3000 + "a", "tag:" + "(" * 900 + "a" + ")" * 900]
)
def test_deep_nesting_is_told_and_not_walked(text: str) -> None:
    with pytest.raises(BadQuery, match="nests too deep"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a " * 2001, "too many"),
        ("a" * 32_769, "too long"),
        ("a\x00b", "no character"),
        (f'data."{"x" * 257}":a', "name is too long"),
        ("ﷺ" * 3000, "too long when it is written out"),
    ],
)
def test_what_is_too_much_is_told(text: str, told: str) -> None:
    with pytest.raises(BadQuery, match=told):
        parse(text)


@given(trees, views)
@settings(max_examples=200)
def test_not_turns_the_answer_round(asked: Tree, view: View) -> None:
    assert predicate(tree.negation(asked), NOW)(view) is not predicate(asked, NOW)(view)
    assert predicate(Not(part=Not(part=asked)), NOW)(view) is predicate(asked, NOW)(view)


@given(trees, trees, views)
def test_de_morgan_holds(one: Tree, other: Tree, view: View) -> None:
    neither = predicate(Not(part=Or(parts=(one, other))), NOW)(view)
    not_both = predicate(Not(part=And(parts=(one, other))), NOW)(view)

    assert neither is predicate(And(parts=(Not(part=one), Not(part=other))), NOW)(view)
    assert not_both is predicate(Or(parts=(Not(part=one), Not(part=other))), NOW)(view)


@given(joined(terms(ROWS)), views)
def test_one_alert_that_fulfils_all_is_found_alone_too(asked: Tree, view: View) -> None:
    groups = [msgspec.structs.replace(view.group, alerts=(alert,)) for alert in view.group.alerts]
    alone = [predicate(asked, NOW)(View.fresh(group)) for group in groups]

    assert predicate(Row(part=asked), NOW)(view) is any(alone)


@given(st.text(max_size=30))
def test_words_of_words_are_the_same_words(text: str) -> None:
    found = words(text)

    assert words(" ".join(found)) == found
    assert normal(normal(text)) == normal(text)
    assert all(1 <= len(word) <= 100 for word in found)
