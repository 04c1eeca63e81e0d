"""What the page of the query language (src/tocsin/query/language.md) says of queries is true."""

import pytest

from query.samples import NOW, found, tables, views
from tocsin.errors import BadQuery
from tocsin.query import FIELDS, parse, predicate

FINDING = tables("| query | finds |")
WRONG = tables("| query | character |")


def test_the_page_has_its_tables() -> None:
    assert len(FINDING) >= 120
    assert len(WRONG) >= 10


@pytest.mark.parametrize(("query", "finds", "_about"), FINDING, ids=lambda cell: str(cell)[:40])
def test_a_query_of_the_page_finds_what_stands_beside_it(query: str, finds: str, _about: str) -> None:
    wanted = [] if finds == "none" else [int(id) for id in finds.split(",")]

    assert found(views(), predicate(parse(query), NOW)) == wanted


@pytest.mark.parametrize(("query", "_finds", "_about"), FINDING, ids=lambda cell: str(cell)[:40])
def test_the_canonical_text_of_a_query_is_the_same_query(query: str, _finds: str, _about: str) -> None:
    tree = parse(query)

    assert parse(str(tree)) == tree
    assert str(parse(str(tree))) == str(tree)


@pytest.mark.parametrize(("query", "character", "told"), WRONG, ids=lambda cell: str(cell)[:40])
def test_a_mistake_of_the_page_is_pointed_at_and_told(query: str, character: str, told: str) -> None:
    with pytest.raises(BadQuery) as caught:
        parse(query)

    assert caught.value.position == int(character) - 1
    assert told in caught.value.remedy


def test_every_field_is_asked_for_by_some_query_of_the_page() -> None:
    asked = " ".join(query for query, _, _ in FINDING)
    told_elsewhere = {name for name in FIELDS if name not in asked}

    assert told_elsewhere <= {"created", "updated", "promoted", "message", "sender", "alert.id", "alert.status",
        "description", "start", "end", "endpoint", "host", "mac", "email", "src_host", "src_url", "src_email",
        "dst_ip", "dst_mac", "dst_url", "dst_email"}  # fmt: skip
