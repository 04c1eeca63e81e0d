"""What is wrong with a query, in words, and where: a few letters around the place, the one that is meant marked."""

from typing import NamedTuple

from tocsin.errors import BadQuery, TocsinError
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
        return about(str(error))
    return None if asked.wrong is None else at_place(asked.wrong, asked.query)


def about(words: str) -> Trouble:
    """What is wrong, as a sentence."""
    return Trouble(_sentence(words))


def at_place(wrong: BadQuery, text: str) -> Trouble:
    """What is wrong with a query that cannot be read, with the place in its text."""
    at = wrong.position
    before, after = text[max(0, at - AROUND) : at], text[at + 1 : at + 1 + AROUND]
    return Trouble(
        words=_sentence(f"{wrong.wrong}: {wrong.remedy}"),
        before=("…" if at > AROUND else "") + before,
        mark=text[at : at + 1].replace("\n", " ") or " ",
        after=after + ("…" if len(text) > at + 1 + AROUND else ""),
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?", ")")) else ".")
