"""What the door makes of answers."""

import httpx2
import pytest

from tocsin.cli.door import read_answer
from tocsin.errors import NotFound, TocsinError


def answer(status: int, body: bytes) -> httpx2.Response:
    return httpx2.Response(status, content=body, request=httpx2.Request("GET", "http://tocsin.invalid/api/v2/key"))


def test_an_answer_is_its_json() -> None:
    assert read_answer(answer(200, b'{"key":"k"}')) == {"key": "k"}


def test_an_empty_answer_is_nothing() -> None:
    assert read_answer(answer(204, b"")) is None


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="There is no key 'x'"):
        read_answer(answer(404, b'{"error_msg":"There is no key \'x\'."}'))


@pytest.mark.parametrize("status", [400, 401, 403, 409, 500, 503])
def test_an_error_is_told_in_the_servers_words(status: int) -> None:
    with pytest.raises(TocsinError, match="no room"):
        read_answer(answer(status, b'{"error_msg":"no room"}'))


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'{"other":1}'])
def test_an_error_without_words_is_told_by_its_number(body: bytes) -> None:
    with pytest.raises(TocsinError, match="answered 502 to /api/v2/key"):
        read_answer(answer(502, body))
