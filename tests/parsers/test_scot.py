"""SCOT's request: what is read of it, and what is refused with the place and the remedy."""

from typing import Any

import msgspec
import pytest

from tocsin.errors import Malformed
from tocsin.model import TLP, Alertgroup, Link, Message, Status
from tocsin.parsers.scot import Scot

DOCUMENTED: dict[str, Any] = {
    "message_id": "112233445566778899aabbccddeeff",
    "subject": "Detector A Detection",
    "data": [{"column1": "data1", "column2": "data2"}, {"column1": "data21", "column2": "data22"}],
    "tag": ["tag1", "tag2"],
    "source": ["detector a"],
    "columns": ["column1", "column2"],
}


def read(body: bytes | dict[str, Any]) -> Alertgroup:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    (group,) = Scot().parse(Message(source="rest", body=raw, media_type="application/json", received=0))
    return group


def test_reads_the_documented_request() -> None:
    group = read(DOCUMENTED)

    assert group.subject == "Detector A Detection"
    assert group.message_id == "112233445566778899aabbccddeeff"
    assert group.columns == ("column1", "column2")
    assert (group.tags, group.sources) == (("tag1", "tag2"), ("detector a",))
    assert [alert.data for alert in group.alerts] == DOCUMENTED["data"]


def test_reads_every_other_field() -> None:
    group = read(
        DOCUMENTED
        | {
            "tags": ["tag2", "tag3"],
            "sources": ["b"],
            "body": "<p>x</p>",
            "body_plain": "x",
            "ahrefs": [{"subject": "View", "link": "https://d.example/"}],
            "tlp": "AMBER",
            "groups": {"read": ["soc"], "modify": []},
            "created": 1_700_000_000,
            "owner": "ann",
            "status": "closed",
        }
    )

    assert (group.tags, group.sources) == (("tag1", "tag2", "tag3"), ("detector a", "b"))
    assert (group.body, group.body_plain, group.owner) == ("<p>x</p>", "x", "ann")
    assert group.ahrefs == (Link(subject="View", link="https://d.example/"),)
    assert (group.tlp, group.status, group.created) == (TLP.AMBER, Status.CLOSED, 1_700_000_000_000_000)
    assert group.groups == {"read": ["soc"], "modify": []}


def test_columns_not_given_are_the_union_of_keys_in_order_of_first_appearance() -> None:
    group = read({"subject": "s", "data": [{"b": 1, "a": 2}, {"c": 3, "a": 4}]})

    assert group.columns == ("b", "a", "c")


def test_a_row_keeps_its_exact_text() -> None:
    row = b'{"n": 1.10, "big": 123456789012345678901234567890, "t": "a\\u0000b <x@y> & \\u00e9", "l": [null, true]}'
    group = read(b'{"subject":"s","data":[' + row + b"]}")

    assert group.alerts[0].json == row.decode()
    assert group.alerts[0].data["big"] == 123456789012345678901234567890


def test_a_blank_message_id_is_none() -> None:
    assert read(DOCUMENTED | {"message_id": " "}).message_id == ""
    assert read(DOCUMENTED | {"message_id": None}).message_id == ""


def test_white_is_clear_as_in_tlp_1() -> None:
    assert read(DOCUMENTED | {"tlp": "white"}).tlp is TLP.CLEAR


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"subject": None}, "$.subject"),
        ({"subject": "a\0b"}, "$.subject"),
        ({"data": []}, "$.data"),
        ({"data": {}}, "$.data"),
        ({"data": [{"a": 1}, [2]]}, "$.data[1]"),
        ({"tag": "one"}, "$.tag"),
        ({"source": None}, "$.source"),
        ({"tag": [1]}, "$.tag[0]"),
        ({"tlp": "pink"}, "$.tlp"),
        ({"created": -1}, "$.created"),
        ({"created": 1.5}, "$.created"),
        ({"created": "yesterday"}, "$.created"),
        ({"created": 2**63}, "$.created"),
        ({"status": "done"}, "$.status"),
        ({"ahrefs": [{"link": 5}]}, "$.ahrefs[0].link"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(DOCUMENTED | change)

    assert f"`{place}`" in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"data":[{"a":1}]}',
        b'{"subject":"s"}',
        b'{"subject":"s","data":[{"a":NaN}]}',
        b'{"subject":"s","data":[{"a":1e999}]}',
        b'{"subject":"\\ud800","data":[{"a":1}]}',
        b'{"subject":"s","data":[{"a":"\\udfff"}]}',
        b'{"subject":"s\xff","data":[{"a":1}]}',
        b'{"subject":"s","data":[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_such_request_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        read(body)


def test_only_posted_json_is_claimed() -> None:
    def message(media_type: str) -> Message:
        return Message(source="rest", body=b"{}", media_type=media_type, received=0)

    assert Scot().claims(message("application/json"))
    assert not Scot().claims(message("message/rfc822"))
