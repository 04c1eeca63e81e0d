"""What is wrong with a query, in words, and where: a few letters around the place, the one that is meant marked."""

from typing import NamedTuple

from tocsin.errors import TocsinError
from tocsin.web.pages.asked import Asked

AROUND = 48
"""Letters shown on either side of the place."""


class Trouble(NamedTuple):
    """`mark` is the letter in question, a blank at the query's end; all three are empty where there is no place."""

    words: str
    before: str = ""
    mark: str = ""
    after: str = ""


def trouble_of(asked: Asked, error: TocsinError | None = None) -> Trouble | None:
    """What is wrong with the query, or with how it was answered."""
    if error is not None:
        return Trouble(_sentence(str(error)))
    if asked.wrong is None:
        return None
    at, text = asked.wrong.position, asked.query
    before, after = text[max(0, at - AROUND) : at], text[at + 1 : at + 1 + AROUND]
    return Trouble(
        words=_sentence(f"{asked.wrong.wrong}: {asked.wrong.remedy}"),
        before=("…" if at > AROUND else "") + before,
        mark=text[at : at + 1].replace("\n", " ") or " ",
        after=after + ("…" if len(text) > at + 1 + AROUND else ""),
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?", ")")) else ".")
