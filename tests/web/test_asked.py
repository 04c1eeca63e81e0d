"""What the address bar and the fields under the headers ask for: all of it one query."""

import pytest

from tocsin.query import parse
from tocsin.web.pages.asked import Asked, read
from tocsin.web.pages.headers import FIELDS

NOW = 1_795_000_000_000_000


def asked(**params: str) -> Asked:
    names = {"from_": "from", "id_": "id"}
    return read({names.get(name, name): [value] for name, value in params.items()}, NOW)


def submitted(was: str, **changed: str) -> Asked:
    """The form of the list as it stands for a query, with some of its fields changed."""
    shown = {**asked(q=was).shown, **{name.rstrip("_"): value for name, value in changed.items()}}
    return read({name: [value] for name, value in shown.items() if value or name == "was"}, NOW)


@pytest.mark.parametrize(
    ("address", "query"),
    [
        ({"status": "open"}, "status:open"),
        ({"subject": "heron lake"}, "subject:(heron* lake*)"),
        ({"subject": '"failed logins" web-1'}, 'subject:("failed logins" web-1*)'),
        ({"subject": "and – or"}, "subject:(and* or*)"),
        ({"tag": "c2,!test"}, "tag:c2 and not tag:test"),
        ({"source": 'say "hi"'}, 'source:"say \\"hi\\""'),
        ({"id": "4, 7-9 12"}, "id:(4 or [7 TO 9] or 12)"),
        ({"from_": "2020-01-01T00:30"}, "received>=2020-01-01T00:30:00Z"),
        ({"from_": "2020-01-01T00:30+01:00"}, "received>=2019-12-31T23:30:00Z"),
        ({"from_": "2020-01-01T00:30", "to": "2020-02-01T00:00"},
         "received:[2020-01-01T00:30:00Z TO 2020-02-01T00:00:00Z]"),
        ({"last": "1h"}, "received>=now-1h"),
        ({"q": "tag:a or tag:b", "status": "closed"}, "(tag:a or tag:b) and status:closed"),
        ({"status": "melted", "last": "9y"}, ""),
    ],
)  # fmt: skip
def test_an_address_of_old_is_read_as_a_query(address: dict[str, str], query: str) -> None:
    found = asked(**address)

    assert found.query == query
    assert found.tree == parse(query)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status:open and severity>=high", {"status": "open"}),
        ("status:(open or promoted)", {"status": "…"}),
        ("not status:closed", {"status": "…"}),
        ("id:(4 or [7 TO 9])", {"id": "4,7-9"}),
        ("id>5", {"id": "…"}),
        ("subject:heron* lake", {"subject": "heron"}),
        ('subject:"failed logins"', {"subject": '"failed logins"'}),
        ("tag:a not tag:v* tag:(b or c)", {"tag": "a, !v*"}),
        ("received:[2026-05-04 TO 2026-05-05]", {"from": "2026-05-04T00:00:00", "to": "2026-05-05T23:59:59"}),
        ("received>now-15m", {}),
        ("tag:a or status:open", {}),
    ],
)
def test_the_fields_show_what_they_can_of_a_query(query: str, shown: dict[str, str]) -> None:
    assert asked(q=query).fields == {**dict.fromkeys(FIELDS, ""), **shown}


@pytest.mark.parametrize(
    ("was", "changed", "query"),
    [
        ("tag:a  AND x", {"status": "open"}, "tag:a  AND x and status:open"),
        ("x status:open", {"status": ""}, "x"),
        ("status:(open or closed) x", {"status": "promoted"}, "status:promoted x"),
        ("status:(open or closed) x", {"status": ""}, "x"),
        ("status:(open or closed) x", {"tag": "a"}, "status:(open or closed) x and tag:a"),
        ("tag:(a or b)", {"tag": "c"}, "tag:(a or b) and tag:c"),
        ("tag:a x", {"tag": "a, b"}, "tag:a and tag:b x"),
        ("received:today x", {"last": "7d"}, "received>=now-7d x"),
        ("received>=now-1h x", {"last": "any"}, "x"),
        ("status:open x", {"q": "status:open y"}, "status:open y"),
        ("status:open x", {"q": "x"}, "x"),
        ("status:open x", {"q": "y", "tag": "a"}, "y and tag:a"),
        ("", {"subject": "web-1"}, "subject:web-1*"),
        ("subject:web-1*", {"subject": "web-1"}, "subject:web-1*"),
        ("id:5", {"id_": "7"}, "id:7"),
    ],
)  # fmt: skip
def test_only_what_was_changed_in_the_fields_is_written_into_the_query(
    was: str, changed: dict[str, str], query: str
) -> None:
    assert submitted(was, **changed).query == query


def test_a_field_that_cannot_be_read_is_named_and_the_rest_goes_into_the_query() -> None:
    found = asked(id_="abc", status="open", from_="yesterday")

    assert found.query == "status:open"
    assert set(found.problems) == {"id", "received"}
    assert (found.fields["id"], found.fields["from"]) == ("abc", "yesterday")


def test_a_query_that_cannot_be_read_keeps_all_that_was_typed() -> None:
    found = asked(q="sorce:x", tag="a", was="tag:b")

    assert found.wrong is not None
    assert found.wrong.position == 0
    assert (found.query, found.tree, found.fields["tag"]) == ("sorce:x", None, "a")


def test_an_address_says_the_same_again() -> None:
    found = asked(q=' tag:"a b"\n and\nx ', sort="-views", after="[3,7]")

    assert found.suffix == "?q=tag%3A%22a+b%22++and+x&sort=-views"
    assert found.after == (3, 7)
    assert asked(q=found.query).tree == found.tree
