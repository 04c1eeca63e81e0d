"""Long texts for PostgreSQL, whose tsvector ends at 2^20 bytes: cut into parts that overlap."""

from collections.abc import Iterator

PART_WORDS, PART_BYTES, OVERLAP_WORDS = 20_000, 1_000_000, 500
"""On PostgreSQL a text is cut into parts of at most so many words and bytes, each of which begins with the last of the
one before: a phrase longer than that is not looked for across two parts."""


def parts(group: int, subject: str, body: str, cells: str) -> Iterator[tuple[int, str, int, str, list[str]]]:
    """Rows of `word_index`: alertgroup, field, part, its text between spaces, its words each once."""
    for field, text in (("subject", subject), ("body", body), ("cells", cells)):
        words = text.split()
        start, end, part = 0, 0, 0
        while end < len(words):
            cut = _cut(words, start)
            end = start + len(cut)
            yield group, field, part, f" {' '.join(cut)} ", sorted(set(cut))
            start, part = end - OVERLAP_WORDS, part + 1


def _cut(words: list[str], start: int) -> list[str]:
    """As many words as one part holds; a tsvector ends at 2^20 bytes."""
    cut = words[start : start + PART_WORDS]
    size = sum(len(word.encode()) for word in cut)
    while size > PART_BYTES:
        half = cut[: max(2 * OVERLAP_WORDS, len(cut) // 2)]
        cut, size = half, sum(len(word.encode()) for word in half)
    return cut
