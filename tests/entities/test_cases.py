from pathlib import Path

import pytest

from tocsin.entities import TYPES, find, marked

TABLE = Path(__file__).parent / "cases.txt"
LINES = [line for line in TABLE.read_text().splitlines() if line.strip() and not line.startswith("# ")]


def read(line: str) -> tuple[str, list[tuple[str, str, int, int]]]:
    """The text, and type, value, start and end of everything expected in it."""
    text, _, right = line.partition(" =>")
    expected = []
    start = 0
    for item in filter(None, map(str.strip, right.split(" ; "))):
        type, _, rest = item.partition(" ")
        value, _, written = rest.partition(" <- ")
        written = written or (value if value in text else next(w for w in words(text) if w.lower() == value))
        start = text.index(written, start)
        expected.append((type, value, start, start + len(written)))
    return text, expected


def words(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize("line", LINES)
def test_the_table_says_what_stands_in_a_text_and_where(line: str) -> None:
    text, expected = read(line)

    founds = find(text)

    assert [(f.entity.type, f.entity.value, f.start, f.end) for f in founds] == expected
    assert [f.text for f in founds] == [text[start:end] for _, _, start, end in expected]
    assert "".join(piece.text for piece in marked(text, founds)) == text


def test_the_table_is_long_and_holds_every_type_and_many_texts_without_any() -> None:
    cases = [read(line) for line in LINES]

    assert len(cases) >= 200
    assert {type for _, expected in cases for type, *_ in expected} == set(TYPES)
    assert sum(not expected for _, expected in cases) >= 60
