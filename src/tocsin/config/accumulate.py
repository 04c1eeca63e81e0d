"""The accumulate rules of the configuration: what is evidence, and how much of it is enough."""

from typing import Annotated, Literal

from pydantic import Field

from tocsin.config.sections import Name, Query, Section
from tocsin.model import Severity
from tocsin.rules import accumulate

Level = Literal["info", "low", "medium", "high", "critical"]
Weight = Annotated[float, Field(ge=0, le=1000)]
SHORTEST_H = 0.01
LONGEST_H = 366 * 24


class AccumulateTable(Section):
    """Single detections gathered until there is enough against one address ([how that works](../accumulate.md)).

    What the first rule gathers that means it is kept and shown as evidence, and sent to nobody. Without a table nothing
    is gathered.
    """

    query: Query = Field(
        default="", description="Which alertgroups are evidence, in the query language; empty is every one."
    )
    by: Literal["src"] = Field(default="src", description="What evidence is gathered by: the source address.")
    window_h: float = Field(
        default=1,
        ge=SHORTEST_H,
        le=LONGEST_H,
        description="Hours of detection that are added up; windows begin at multiples of it since 1970, in UTC.",
    )
    threshold: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000_000,
        description="What the evidence of one address and window has to weigh together. "
        "Without it a quarter for each minute of the window, as Slips: 15 for an hour.",
    )
    weights: dict[Level, Weight] = Field(
        default={},
        description="What a detection weighs by its severity, times its confidence. Without an entry as in Slips: "
        "info 0, low 0.2, medium 0.5, high 0.8, critical 1.",
    )
    enabled: bool = Field(default=True, description="Whether it is asked.")

    def rule(self, name: str) -> accumulate.Rule:
        """The same as the rules take it."""
        width = round(self.window_h * accumulate.HOUR)
        given = {Severity[level.upper()]: round(weight * accumulate.ONE) for level, weight in self.weights.items()}
        enough = accumulate.enough(width) if self.threshold is None else round(self.threshold * accumulate.ONE)
        return accumulate.Rule(
            name=name, query=self.query, width=width, threshold=max(enough, 1), weights={**accumulate.WEIGHTS, **given}
        )


AccumulateTables = dict[Name, AccumulateTable]
