"""Labels against the ground truth that stands in labelled logs: how many of the malicious flows alerts found."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from tocsin.flows import engine
from tocsin.flows.dataset import Dataset
from tocsin.flows.kinds import FLOWS, KINDS, Column
from tocsin.flows.labelling.expression import NEEDED, labelled
from tocsin.flows.labelling.prepared import Options, prepare
from tocsin.model import Noun

MALICIOUS = ("malicious", "botnet", "malware", "attack", "anomaly", "c&c")
BENIGN = ("benign", "normal", "background", "legitimate")
"""Words that say it, anywhere in a label and in letters of any size: IoT-23's `Malicious`, CTU-13's
`flow=From-Botnet-V42-TCP`, `flow=To-Normal-V42` and `flow=Background-UDP`. The first that is found counts, malicious
ones before benign ones; a label with none of them is left out of the score."""
NOTHING = ("", "-", "(empty)", "unknown")
"""What a labelled log writes where it has no label."""

_COLUMNS = (*NEEDED, "ground_truth_label", "detailed_ground_truth_label")


class Found(NamedTuple):
    """Flows of one malicious ground truth, in detail: how many, and how many of them bear the label malicious."""

    truth: str
    flows: int
    found: int


class Named(NamedTuple):
    """Flows that alerts of one category labelled malicious: how many, and how many of them are so in truth."""

    category: str
    flows: int
    right: int


class Score(Noun, frozen=True, kw_only=True):
    """Flows by what they are and what they are labelled. A ratio of nothing is None."""

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_negative: int = 0
    unlabelled: int = 0
    """Without any ground truth; none of the other numbers counts them."""
    left_out: dict[str, int] = msgspec.field(default_factory=dict)
    """Labels of the ground truth that say neither, with how many flows bear them."""
    truths: tuple[Found, ...] = ()
    categories: tuple[Named, ...] = ()

    @property
    def scored(self) -> int:
        """Flows that were compared."""
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative

    @property
    def precision(self) -> float | None:
        """Of those labelled malicious, how many are."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float | None:
        """Of those that are malicious, how many are labelled so."""
        return _ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of the two."""
        return _ratio(2 * self.true_positive, 2 * self.true_positive + self.false_positive + self.false_negative)

    @property
    def accuracy(self) -> float | None:
        """How many are labelled as they are."""
        return _ratio(self.true_positive + self.true_negative, self.scored)


def score(dataset: Dataset, options: Options, *, kinds: Iterable[str] = FLOWS, malicious: str = "") -> Score:
    """Compare the labels with the ground truth of all flows of these kinds.

    `malicious` is a regular expression (RE2): what of the ground truth it matches anywhere, in the label or in detail,
    is malicious and every other label is benign; without it, the words above say what is. Raises FlowsError.
    """
    columns: dict[str, Column] = {column.name: column for kind in kinds for column in KINDS[kind].columns}
    with dataset.reading(tuple(kinds)) as parts, dataset.connection() as connection:
        rows = dataset.rows(parts, [columns[name] for name in _COLUMNS])
        prepare(connection, dataset, options)
        found = connection.execute(
            f"SELECT truth, {_is_malicious(malicious)} AS malicious, detail, alert IS NOT NULL AS labelled, category,"
            f" count(*) AS flows FROM (SELECT *, {_cell('ground_truth_label')} AS truth,"
            f" {_cell('detailed_ground_truth_label')} AS detail FROM {labelled(rows, options)}) GROUP BY ALL"
        ).fetchall()
    return _summed(found)


def _cell(name: str) -> str:
    nothing = ", ".join(engine.text(word) for word in NOTHING)
    return f"CASE WHEN lower(trim({name})) NOT IN ({nothing}) THEN trim({name}) END"


def _is_malicious(expression: str) -> str:
    """SQL: whether a ground truth is malicious; NULL where it says neither."""
    if expression:
        return f"regexp_matches(concat_ws(' ', truth, detail), {engine.text(expression)})"
    words = [
        f"WHEN {' OR '.join(f'contains(lower(truth), {engine.text(word)})' for word in words)} THEN {value}"
        for words, value in ((MALICIOUS, "true"), (BENIGN, "false"))
    ]
    return f"CASE {' '.join(words)} END"


def _summed(found: Iterable[tuple[str | None, bool | None, str | None, bool, str | None, int]]) -> Score:
    cells = dict.fromkeys([(truth, label) for truth in (True, False) for label in (True, False)], 0)
    unlabelled = 0
    left_out: dict[str, int] = {}
    truths: dict[str, tuple[int, int]] = {}
    categories: dict[str, tuple[int, int]] = {}
    for truth, malicious, detail, label, category, flows in found:
        if truth is None:
            unlabelled += flows
        elif malicious is None:
            left_out[truth] = left_out.get(truth, 0) + flows
        else:
            cells[malicious, label] += flows
            if malicious:
                _add(truths, detail or truth, flows, flows * label)
            if label:
                _add(categories, category or "", flows, flows * malicious)
    return Score(
        true_positive=cells[True, True],
        false_positive=cells[False, True],
        false_negative=cells[True, False],
        true_negative=cells[False, False],
        unlabelled=unlabelled,
        left_out=left_out,
        truths=tuple(Found(name, *counts) for name, counts in _most(truths)),
        categories=tuple(Named(name, *counts) for name, counts in _most(categories)),
    )


def _add(sums: dict[str, tuple[int, int]], name: str, flows: int, some: int) -> None:
    all_, part = sums.get(name, (0, 0))
    sums[name] = (all_ + flows, part + some)


def _most(sums: dict[str, tuple[int, int]]) -> list[tuple[str, tuple[int, int]]]:
    return sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
