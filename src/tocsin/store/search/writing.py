"""What all conditions are written with: parameters, lists, and the words in which the engines differ."""

from collections.abc import Sequence

from tocsin.model import Micros

Params = dict[str, object]
TRUE, FALSE = "1 = 1", "1 = 0"


class Statement:
    """One statement being written: its engine, the time that `now` means, and the values that travel beside it."""

    def __init__(self, engine: str, now: Micros) -> None:
        self.engine = engine
        self.now = now
        self.params: Params = {}

    @property
    def sqlite(self) -> bool:
        """Whether SQLite is asked."""
        return self.engine == "sqlite"

    def put(self, value: object) -> str:
        """A value as it stands in the statement."""
        return f":{self._named(value)}"

    def texts(self, values: Sequence[str]) -> str:
        """`= :value`, or `IN (…)` of many."""
        if len(values) == 1:
            return f"= {self.put(values[0])}"
        return f"IN (SELECT value ->> 0 FROM {{each:{self._named([[value] for value in values])}}})"

    def numbers(self, values: Sequence[int]) -> str:
        """The same for whole numbers."""
        if len(values) == 1:
            return f"= {self.put(values[0])}"
        return f"IN (SELECT CAST(value ->> 0 AS BIGINT) FROM {{each:{self._named([[value] for value in values])}}})"

    def lower(self, text: str) -> str:
        """A text with A to Z as a to z."""
        return f"lower({text})" if self.sqlite else f'lower({text} COLLATE "C")'

    def items(self, json: str, alias: str) -> str:
        """A table of the items of a JSON list, in a FROM; each is `alias.value`."""
        if self.sqlite:
            return f"json_each({json}) {alias}"
        return f"json_array_elements_text(CAST({json} AS json)) AS {alias} (value)"

    def _named(self, value: object) -> str:
        name = f"p{len(self.params)}"
        self.params[name] = value
        return name


def joined(parts: Sequence[str], word: str) -> str:
    """All parts with AND or OR between them, bracketed so that it stays flat: SQLite takes a depth of 1,000."""
    if not parts:
        return TRUE if word == "AND" else FALSE
    if len(parts) <= 8:
        return parts[0] if len(parts) == 1 else f"({f' {word} '.join(parts)})"
    middle = len(parts) // 2
    return f"({joined(parts[:middle], word)} {word} {joined(parts[middle:], word)})"


def bounds(column: str, low: str | None, high: str | None, *, low_in: bool, high_in: bool) -> str:
    """A column between two values as they stand in the statement, None where it is open."""
    above = [] if low is None else [f"{column} >{'=' * low_in} {low}"]
    below = [] if high is None else [f"{column} <{'=' * high_in} {high}"]
    return joined([*above, *below], "AND")
