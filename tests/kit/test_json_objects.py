"""Posted JSON is taken apart into objects, and events gather those that they were made of."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tocsin.errors import Malformed, TooLarge
from tocsin.kit.gathering import gathered
from tocsin.kit.json_objects import MOST, first_object, objects


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a": 1.0}', [b'{"a": 1.0}']),
        (b'\xef\xbb\xbf \n{"a":\n {"b": 1}\n}\n', [b'{"a":\n {"b": 1}\n}']),
        (b'[{"a":1}, \n {"b":2} ]', [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\r\n\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
        (b"[]", []),
        (b" ", []),
    ],
)
def test_an_object_an_array_and_lines_are_taken_apart(body: bytes, found: list[bytes]) -> None:
    assert objects(body) == found
    assert first_object(body) == (found[0] if found else b"")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a":1}\n{"b"', "line 2 is not JSON"),
        (b'{"a":1}\n3', "line 2 is no JSON object"),
        (b'[{"a":1},"x"]', "item 2 is no JSON object"),
        (b'[{"a":1}', "no JSON array"),
        (b'{"a":"\xff"}', "line 1 is not JSON"),
        (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
    ],
)
def test_what_is_no_object_is_told_with_its_place(body: bytes, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        objects(body)
    assert isinstance(first_object(body), bytes)


@pytest.mark.parametrize("body", [b'{"a":1}\n' * (MOST + 1), b'[{"a":1}' + b',{"a":1}' * MOST + b"]"])
def test_more_objects_than_are_read_are_too_many(body: bytes) -> None:
    with pytest.raises(TooLarge, match="10,001 objects: hand over at most 10,000"):
        objects(body)
    assert first_object(body) == b'{"a":1}'


def test_an_event_gathers_those_it_names_whatever_came_first() -> None:
    assert gathered(["e1", "i", "e2", "x"], [[], ["e2", "e1", "elsewhere"], [], []]) == [[1, 2, 0], [3]]
    assert gathered(["i", "j", "e"], [["e"], ["e"], []]) == [[0, 2], [1]]
    assert gathered(["i", "j"], [["j", "i"], ["i"]]) == [[0], [1]]
    assert gathered(["", ""], [[], [""]]) == [[0], [1]]


IDS = st.lists(st.sampled_from(["a", "b", "c", "d", ""]), max_size=6)


@given(IDS.flatmap(lambda ids: st.tuples(st.just(ids), st.lists(IDS, min_size=len(ids), max_size=len(ids)))))
def test_each_event_stands_in_one_group_and_in_one_only(case: tuple[list[str], list[list[str]]]) -> None:
    ids, correlated = case

    assert sorted(place for group in gathered(ids, correlated) for place in group) == list(range(len(ids)))


@given(st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=3), max_size=5))
def test_whatever_is_written_in_lines_or_an_array_comes_out_the_same(rows: list[dict[str, object]]) -> None:
    lines = [json.dumps(row).encode() for row in rows]

    assert objects(b"\n".join(lines)) == lines
    assert objects(b"[" + b", ".join(lines) + b"]") == lines
