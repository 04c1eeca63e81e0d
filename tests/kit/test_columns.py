"""Names of columns, and nested values under dotted names."""

import msgspec
import pytest

from tocsin.kit.columns import flat, free, unique


def text(row: object) -> str:
    return msgspec.json.encode(row).decode()


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a", "b"], ("a", "b")),
        (["a", "a", "a"], ("a", "a_2", "a_3")),
        (["a", "a", "a_2"], ("a", "a_3", "a_2")),
        (["", " ", "c1"], ("c1", "c2", "c1_2")),
        ([" a ", "a"], ("a", "a_2")),
        ([], ()),
    ],
)
def test_every_name_stands_once(names: list[str], found: tuple[str, ...]) -> None:
    assert unique(names) == found


def test_a_free_name_is_the_first_that_is_not_taken() -> None:
    assert free("a", {"b"}) == "a"
    assert free("a", {"a", "a_2"}) == "a_3"


def test_objects_become_dotted_names_and_values_keep_their_spelling() -> None:
    row = flat('{"a": {"b": {"c": 1.10, "d": {}}}, "l": [1, {"x": 2}], "n": null, "big": 12345678901234567890123}')

    assert text(row) == '{"a.b.c":1.10,"a.b.d":{},"l":[1, {"x": 2}],"n":null,"big":12345678901234567890123}'


def test_names_that_meet_are_both_kept() -> None:
    assert text(flat('{"a": {"b": 1}, "a.b": 2}')) == '{"a.b":1,"a.b_2":2}'


def test_lists_of_objects_spread_into_columns_when_asked() -> None:
    assert text(flat('{"a": [{"x": 1, "y": {"z": 2}}, {"x": 3}]}', spread=True)) == '{"a.x":[1,3],"a.y.z":[2,null]}'
    assert text(flat('{"a": [{"x": 1}]}', spread=True)) == '{"a.x":1}'
    assert text(flat('{"a": [1, {"x": 1}], "b": []}', spread=True)) == '{"a":[1, {"x": 1}],"b":[]}'


def test_depth_ends_and_the_rest_stays_as_it_is() -> None:
    assert len(flat('{"a":' * 100 + "1" + "}" * 100)) == 1


@pytest.mark.parametrize("bad", ["", "[]", "1", '{"a":', '{"a":"\\ud800"}', '{"a":1e999}'])
def test_what_is_no_object_is_said(bad: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        flat(bad)
