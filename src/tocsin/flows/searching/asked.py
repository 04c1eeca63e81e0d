"""A query -> which kinds of flows, which span of time and which rows it concerns."""

from collections.abc import Sequence
from typing import Literal

from tocsin.flows.catalogue import Part
from tocsin.flows.dataset import Dataset
from tocsin.flows.kinds import Column
from tocsin.model import Micros, Noun
from tocsin.query import Tree


class Asked(Noun, frozen=True, kw_only=True):
    """What was asked for, in DuckDB's words.

    `kinds` can hold an answer at all, and `since` to `until` (behind the last) is the span in which it begins; None is
    open. `labelled` is the condition on the rows with their labels, to stand after WHERE; empty if labels play no part.
    """

    tree: Tree
    kinds: tuple[str, ...]
    since: Micros | None = None
    until: Micros | None = None
    labelled: str = ""

    def rows(self, dataset: Dataset, parts: Sequence[Part], columns: Sequence[Column]) -> str:
        """SQL in brackets for the rows that may be meant: `kind` and those columns, as `Dataset.rows` gives them.

        Without `labelled` these are the answer. With it they are what is to be labelled: the answer is
        `SELECT columns… FROM labelled(rows) WHERE {asked.labelled}`.
        """
        raise NotImplementedError


def asked(query: str, now: Micros, *, since: Micros | None = None, until: Micros | None = None) -> Asked:
    """The meaning of a query, of flows that begin in the span.

    Raises BadQuery, which points at the character and says what to write instead.
    """
    raise NotImplementedError


Order = Literal["newest", "oldest"]
