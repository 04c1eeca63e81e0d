"""Texts made to hold the scanner up."""

import pytest

from tocsin.entities import find, spelling
from tocsin.entities.skeleton import skeleton

MADE_TO_HOLD_UP = [
    ".", "a.", "[.]", "a[.]", " [", "@", "a@", "a=@", "a[at]", ":", "a:", "::", "[:]", "abcdef01", "http://",
    "http://a,",
    "http://a)", "<", "<a@", "<a@b", "HKLM\\a B", "HKLM\\", "\\", "1", "1.", "1.2.3.4/", "中.文", "\u200b", "AS1",
    "aa-",
    "CVE-2021-",
    "%2F", "\\n", "{", "(", ")", "hxxp[:]//", "www.", "x@y.", "/", "-", "_", "dot", "\ud800", "ｅ。", "'",
]  # fmt: skip


@pytest.mark.parametrize("unit", MADE_TO_HOLD_UP)
@pytest.mark.parametrize("end", ["", "evil.com", "@evil.com", ")", "\\x"])
def test_much_of_anything_is_read_to_its_end(unit: str, end: str) -> None:
    text = unit * (200_000 // len(unit)) + end

    founds = find(text + "\n192.0.2.1")

    assert founds[-1].entity.value == "192.0.2.1"


@pytest.mark.parametrize("unit", MADE_TO_HOLD_UP)
def test_twice_the_text_gives_twice_the_candidates_at_most(unit: str) -> None:
    def candidates(times: int) -> int:
        bytes_ = skeleton(unit * times)
        return sum(1 for _ in spelling.spans(spelling.compiled(spelling.DOTTED), bytes_))

    assert candidates(2000) <= 2 * candidates(1000) + 1


def test_a_run_that_is_too_long_for_any_name_hides_no_other() -> None:
    assert [f.entity.value for f in find("a." * 100_000 + " evil.com")] == ["evil.com"]
    assert [f.entity.value for f in find("http://evil.com/" + "a" * 100_000)] == ["evil.com"]
