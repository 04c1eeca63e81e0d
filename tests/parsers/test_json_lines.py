"""JSON lines of anybody become rows as they stand."""

import pytest

from tocsin.errors import Malformed, Unreadable
from tocsin.model import Message
from tocsin.parsers.json_lines import JsonLines


def lines(body: bytes, media_type: str = "application/x-ndjson") -> Message:
    return Message(source="files", sender="/var/log/ids.json", body=body, media_type=media_type, received=0)


def test_each_line_is_a_row_in_its_own_spelling() -> None:
    message = lines(b'{"n": 1.10}\n{"t": "\\u00e9", "n": 2}\n')
    (group,) = JsonLines().parse(message)

    assert JsonLines().claims(message)
    assert [alert.json for alert in group.alerts] == ['{"n": 1.10}', '{"t": "\\u00e9", "n": 2}']
    assert (group.subject, group.columns) == ("ids.json: 2 lines", ("n", "t"))


def test_other_media_types_are_not_claimed() -> None:
    assert not JsonLines().claims(lines(b"{}", "application/json"))


def test_what_is_no_line_of_json_is_named() -> None:
    with pytest.raises(Malformed, match="line 2"):
        list(JsonLines().parse(lines(b"{}\nx\n")))
    with pytest.raises(Unreadable, match="no JSON object"):
        list(JsonLines().parse(lines(b"\n")))
