"""Column names, in any spelling and those of users."""

from typing import Any

import pytest

from detection.rows import end
from tocsin import detection
from tocsin.detection import DEFAULT, FIELDS, Names
from tocsin.errors import ConfigError
from tocsin.model import Alert, Detection, Severity


def read(row: dict[str, Any], names: Names = DEFAULT) -> Detection:
    return detection.read(Alert.of(row), names)


def test_column_names_are_known_in_any_spelling() -> None:
    for column in ("src_ip", "SrcIP", "Src IP", "src.ip", "src-ip", "SRC_IP"):
        assert read({column: "192.0.2.7"}).sources == end("192.0.2.7"), column


def test_columns_of_users_are_asked_first() -> None:
    names = DEFAULT.with_users({"src": ["My Client"], "name": ["what.happened"], "severity": ["grade"]})

    meant = read({"my_client": "192.0.2.7", "signature": "s", "what": {"happened": "w"}, "Grade": "low"}, names)

    assert (meant.sources, meant.name, meant.severity) == (end("192.0.2.7"), "w", Severity.LOW)
    assert detection.severity(Alert.of({"grade": "low", "severity": "high"}), names) is Severity.LOW
    assert read({"my_client": "192.0.2.7"}) == Detection(), "the built-in table is as it was"


def test_every_wrong_name_of_users_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        DEFAULT.with_users({"source_ip": ["x"], "src": ["---"], "dest": ["ok"]})

    assert [problem.key for problem in caught.value.problems] == ["detection.names.source_ip", "detection.names.src"]
    assert "src_port" in caught.value.problems[0].remedy


@pytest.mark.parametrize("field", FIELDS)
def test_users_may_add_columns_to_every_field(field: str) -> None:
    cell = {
        "severity": "low", "confidence": 0.5, "detected": 1622987986, "start": 1622987986, "end": 1622987986,
        "src_port": 1, "dest_port": 1, "src_mac": "00:1b:44:11:3a:b7", "dest_mac": "00:1b:44:11:3a:b7",
        "src_url": "ftp://x.example/", "dest_url": "ftp://x.example/", "src_email": "a@b.c", "dest_email": "a@b.c",
    }.get(field, "word")  # fmt: skip

    assert read({"mine": cell}, DEFAULT.with_users({field: ["mine"]})) != Detection()


def test_rows_of_ever_new_shapes_do_not_fill_the_memory() -> None:
    names = Names()
    for number in range(3000):
        read({f"column {number}": 1, "src": "192.0.2.7"}, names)

    assert len(names._all._shapes) <= 1024
    assert read({"column 99999": 1, "src": "192.0.2.7"}, names).sources == end("192.0.2.7")
